//! Devices, grants, apps, mailboxes, roles and groups: Graph's own rules, and what their removal takes from an attacker.

use mock_graph::Settings;
use serde_json::{Value, json};

use crate::wire::{LYNNE, Wire, reference};

const ROGUE_PC: &str = "0d000000-0000-4000-8000-000000000001";
const ROGUE_MAC: &str = "0d000000-0000-4000-8000-000000000002";
const APP: &str = "a0000000-0000-4000-8000-000000000001";
const GRANT: &str = "q7Zt1mXw0kOe5LrVb2HnUPx3cYgA-sDf";
const RULE: &str = "AQAAAKx3Tq8=";
const HIDDEN: &str = "AQAAAKx3Tq9=";
const GROUP: &str = "60000000-0000-4000-8000-000000000001";
const ROLE_GROUP: &str = "60000000-0000-4000-8000-000000000002";

/// The reference tenant with an app that may do everything here, and an attacker with every kind of way.
fn tenant() -> Value {
    let mut tenant = reference();
    // The logs play no part here, and reading them takes longest.
    tenant["signIns"] = json!([]);
    tenant["directoryAudits"] = json!([]);
    tenant["applications"].as_array_mut().unwrap().push(json!({
        "appId": "99999999-aaaa-4bbb-8ccc-000000000009", "displayName": "probe", "clientSecret": "probe-secret",
        "roles": ["Directory.Read.All", "Device.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All",
                  "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "MailboxSettings.ReadWrite",
                  "ExchangeMessageTrace.Read.All", "ThreatHunting.Read.All", "RoleManagement.ReadWrite.Directory",
                  "Group.Create", "GroupMember.ReadWrite.All", "User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All",
                  "AuditLog.Read.All", "IdentityRiskEvent.Read.All", "IdentityRiskyUser.ReadWrite.All",
                  "AuditLogsQuery-Exchange.Read.All", "Policy.ReadWrite.AuthenticationMethod"]
    }));
    let device = |id: &str, system: &str| {
        json!({ "id": id, "deviceId": id.replace("0d0", "dd0"), "displayName": "rogue", "accountEnabled": true,
                "operatingSystem": system, "trustType": "Workplace", "isCompliant": null,
                "registrationDateTime": "2024-09-27T00:00:00Z", "registeredOwners": [LYNNE], "registeredUsers": [LYNNE] })
    };
    let devices = tenant["devices"].as_array_mut().unwrap();
    devices.push(device(ROGUE_PC, "Windows"));
    devices.push(device(ROGUE_MAC, "MacOS"));
    tenant["servicePrincipals"].as_array_mut().unwrap().push(json!({
        "id": APP, "appId": "a0000000-0000-4000-8000-0000000000aa", "displayName": "Mail Sync Pro", "accountEnabled": true,
        "createdDateTime": "2024-09-27T00:00:00Z"
    }));
    tenant["oauth2PermissionGrants"] = json!([
        { "id": GRANT, "clientId": APP, "consentType": "Principal", "principalId": LYNNE,
          "resourceId": "36a14925-653b-5002-81cc-21faffaec7d3", "scope": " Mail.Read offline_access" },
        { "id": "everyone", "clientId": APP, "consentType": "AllPrincipals", "principalId": null,
          "resourceId": "36a14925-653b-5002-81cc-21faffaec7d3", "scope": "User.Read" }
    ]);
    tenant["groups"] = json!([
        { "id": GROUP, "displayName": "Sales", "groupTypes": [] },
        { "id": ROLE_GROUP, "displayName": "Admins", "groupTypes": [], "isAssignableToRole": true }
    ]);
    tenant["groupMembers"] = json!({ GROUP: [LYNNE] });
    tenant["appRoleAssignments"] = json!([
        { "id": "direct", "appRoleId": "00000000-0000-0000-0000-000000000000", "principalId": LYNNE,
          "principalType": "User", "resourceId": APP },
        { "id": "by-group", "appRoleId": "00000000-0000-0000-0000-000000000000", "principalId": GROUP,
          "principalType": "Group", "resourceId": APP }
    ]);
    let rule = |id: &str, hidden: bool| {
        json!({ "id": id, "displayName": ".", "sequence": 1, "isEnabled": true, "isHidden": hidden,
                "conditions": { "subjectContains": ["invoice"], "senderContains": ["bank"] },
                "actions": { "delete": true, "stopProcessingRules": true } })
    };
    tenant["messageRules"] = json!({ LYNNE: [rule(RULE, false), rule(HIDDEN, true)] });
    let attacker = &mut tenant["attackers"][0];
    attacker["grantIds"] = json!([GRANT]);
    attacker["ruleIds"] = json!([RULE]);
    attacker["deviceId"] = json!(ROGUE_PC);
    tenant
}

struct Probe {
    wire: Wire,
    token: String,
}

impl Probe {
    async fn of(tenant: &Value) -> Self {
        let wire = Wire::of(tenant, Settings::default());
        let token = wire.token("99999999-aaaa-4bbb-8ccc-000000000009", "probe-secret").await;
        Self { wire, token }
    }

    async fn new() -> Self {
        Self::of(&tenant()).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer = self.wire.call_as(&self.token, method, &format!("/v1.0{path}"), body).await;
        (answer.status, answer.body)
    }

    async fn code(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, body) = self.call(method, path, body).await;
        (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Whether a way of the attacker's is open from anywhere.
    async fn is_open(&self, way: &str) -> bool {
        let answer = self.wire.control("POST", "/_mock/attackers/invoice/attempt", json!({})).await;
        let paths = answer.body["paths"].as_array().unwrap().clone();
        assert!(paths.iter().any(|own| own["path"] == way), "{way} is no way of the attacker's");
        paths.iter().any(|own| own["path"] == way && own["outcome"] == "open")
    }
}

fn ids(body: &Value) -> Vec<&str> {
    body["value"].as_array().unwrap().iter().map(|own| own["id"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_app_changes_windows_devices_alone() {
    let probe = Probe::new().await;
    let off = json!({ "accountEnabled": false });
    let (status, body) = probe.call("PATCH", &format!("/devices/{ROGUE_MAC}"), off.clone()).await;
    assert_eq!(status, 400);
    assert!(body["error"]["message"].as_str().unwrap().contains("only on windows devices"));
    assert_eq!(probe.call("DELETE", &format!("/devices/{ROGUE_MAC}"), json!(null)).await.0, 400);
    assert!(probe.is_open("registered_device").await);
    assert_eq!(probe.call("PATCH", &format!("/devices/{ROGUE_PC}"), off).await.0, 204);
    assert!(!probe.is_open("registered_device").await, "a disabled device still signs in");
    let (_, device) = probe.call("GET", &format!("/devices/{ROGUE_PC}"), json!(null)).await;
    assert_eq!(device["accountEnabled"], false);
    assert_eq!(probe.call("DELETE", &format!("/devices/{ROGUE_PC}"), json!(null)).await.0, 204);
    assert_eq!(probe.call("GET", &format!("/devices/{ROGUE_PC}"), json!(null)).await.0, 404);
    assert_eq!(probe.call("PATCH", &format!("/devices/{ROGUE_PC}"), json!({ "model": "x" })).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_device_has_an_object_id_and_another_of_its_own() {
    let probe = Probe::new().await;
    let own = ROGUE_PC.replace("0d0", "dd0");
    assert_eq!(probe.call("GET", &format!("/devices/{own}"), json!(null)).await.0, 404);
    let (status, device) = probe.call("GET", &format!("/devices(deviceId='{own}')"), json!(null)).await;
    assert_eq!((status, device["id"].as_str()), (200, Some(ROGUE_PC)));
    let (_, owners) = probe.call("GET", &format!("/devices/{ROGUE_PC}/registeredOwners"), json!(null)).await;
    assert_eq!(ids(&owners), [LYNNE]);
}

#[tokio::test(start_paused = true)]
async fn a_user_sees_their_own_grants_and_not_those_for_everyone() {
    let probe = Probe::new().await;
    let (_, own) = probe.call("GET", &format!("/users/{LYNNE}/oauth2PermissionGrants"), json!(null)).await;
    assert_eq!(ids(&own), [GRANT]);
    let filter = format!(
        "/oauth2PermissionGrants?$filter=clientId%20eq%20'{APP}'%20and%20consentType%20eq%20'AllPrincipals'"
    );
    assert_eq!(ids(&probe.call("GET", &filter, json!(null)).await.1), ["everyone"]);
    let other = "/oauth2PermissionGrants?$filter=startswith(scope,'Mail')";
    assert_eq!(probe.call("GET", other, json!(null)).await.0, 400);
    assert_eq!(probe.call("GET", &format!("/oauth2PermissionGrants/{GRANT}"), json!(null)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_removed_grant_closes_the_apps_way_and_is_put_back_under_a_new_id() {
    let probe = Probe::new().await;
    let path = format!("/oauth2PermissionGrants/{GRANT}");
    let (_, stored) = probe.call("GET", &path, json!(null)).await;
    assert_eq!(probe.call("PATCH", &path, json!({ "scope": "openid" })).await.0, 204);
    assert_eq!(probe.call("GET", &path, json!(null)).await.1["scope"], "openid");
    assert!(probe.is_open("app_consent").await);
    assert_eq!(probe.call("DELETE", &path, json!(null)).await.0, 204);
    assert!(!probe.is_open("app_consent").await);
    assert_eq!(probe.code("DELETE", &path, json!(null)).await, (404, "Request_ResourceNotFound".to_owned()));
    let again = json!({ "clientId": stored["clientId"], "consentType": "Principal", "principalId": LYNNE,
                        "resourceId": stored["resourceId"], "scope": stored["scope"] });
    let (status, made) = probe.call("POST", "/oauth2PermissionGrants", again.clone()).await;
    assert_eq!(status, 201);
    assert_ne!(made["id"], GRANT);
    assert_eq!(probe.call("POST", "/oauth2PermissionGrants", again).await.0, 400, "it is there twice");
}

#[tokio::test(start_paused = true)]
async fn a_disabled_service_principal_ends_its_app() {
    let probe = Probe::new().await;
    assert!(probe.is_open("app_consent").await);
    let path = "/servicePrincipals(appId='a0000000-0000-4000-8000-0000000000aa')";
    assert_eq!(probe.call("PATCH", path, json!({ "accountEnabled": false })).await.0, 204);
    assert_eq!(probe.call("GET", path, json!(null)).await.1["accountEnabled"], false);
    assert!(!probe.is_open("app_consent").await);
    assert_eq!(probe.call("PATCH", path, json!({ "appId": "x" })).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn what_may_sign_in_has_a_principal_and_its_permissions_are_assignments() {
    let probe = Probe::new().await;
    let own = "99999999-aaaa-4bbb-8ccc-000000000009";
    let filter = format!("/servicePrincipals?$filter=appId%20eq%20'{own}'");
    let (_, found) = probe.call("GET", &filter, json!(null)).await;
    let id = ids(&found)[0].to_owned();
    let (_, held) =
        probe.call("GET", &format!("/servicePrincipals/{id}/appRoleAssignments"), json!(null)).await;
    let graph = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
    let (_, graph) = probe.call("GET", graph, json!(null)).await;
    let names: Vec<&str> = held["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let roles = graph["appRoles"].as_array().unwrap();
            roles.iter().find(|role| role["id"] == one["appRoleId"]).unwrap()["value"].as_str().unwrap()
        })
        .collect();
    assert!(names.contains(&"Device.ReadWrite.All") && names.len() == 18, "{names:?}");
    let (_, app) = probe.call("GET", &format!("/applications(appId='{own}')"), json!(null)).await;
    assert_eq!(app["requiredResourceAccess"][0]["resourceAccess"].as_array().unwrap().len(), 18);
    // A permission taken away is gone from the next token.
    let gone = held["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["appRoleId"] == "1138cb37-bd11-4084-a2b7-9f71582aeddb");
    let gone = gone.unwrap()["id"].as_str().unwrap();
    let path = format!("/servicePrincipals/{id}/appRoleAssignments/{gone}");
    assert_eq!(probe.call("DELETE", &path, json!(null)).await.0, 204);
    let token = probe.wire.token(own, "probe-secret").await;
    let path = format!("/v1.0/devices/{ROGUE_PC}");
    assert_eq!(probe.wire.call_as(&token, "DELETE", &path, json!(null)).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_through_a_group_is_seen_at_the_user_and_not_removed_there() {
    let probe = Probe::new().await;
    let path = format!("/users/{LYNNE}/appRoleAssignments");
    assert_eq!(ids(&probe.call("GET", &path, json!(null)).await.1), ["direct", "by-group"]);
    assert_eq!(probe.call("DELETE", &format!("{path}/by-group"), json!(null)).await.0, 404);
    assert_eq!(probe.call("DELETE", &format!("{path}/direct"), json!(null)).await.0, 204);
    let to = format!("/servicePrincipals/{APP}/appRoleAssignedTo");
    assert_eq!(ids(&probe.call("GET", &to, json!(null)).await.1), ["by-group"]);
    assert_eq!(probe.call("DELETE", &format!("{to}/by-group"), json!(null)).await.0, 204);
    assert!(ids(&probe.call("GET", &path, json!(null)).await.1).is_empty());
    let body = json!({ "principalId": LYNNE, "resourceId": APP, "appRoleId": "00000000-0000-0000-0000-000000000000" });
    assert_eq!(probe.call("POST", &path, body).await.0, 201);
}

#[tokio::test(start_paused = true)]
async fn a_hidden_rule_is_not_shown_and_runs_all_the_same() {
    let mut tenant = tenant();
    tenant["attackers"][0]["ruleIds"] = json!([RULE, HIDDEN]);
    let probe = Probe::of(&tenant).await;
    let path = format!("/users/{LYNNE}/mailFolders/inbox/messageRules");
    let (_, listed) = probe.call("GET", &path, json!(null)).await;
    assert_eq!(ids(&listed), [RULE]);
    assert_eq!(listed["value"][0].get("isHidden"), None);
    assert_eq!(
        probe.code("GET", &format!("{path}/AQAAAKx3Tq9%3D"), json!(null)).await,
        (404, "ErrorItemNotFound".to_owned())
    );
    assert_eq!(probe.call("DELETE", &format!("{path}/AQAAAKx3Tq8%3D"), json!(null)).await.0, 204);
    assert!(probe.is_open("inbox_rule").await, "the hidden rule still sends mail away");
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_patched_by_whole_objects_and_answered_with_200() {
    let probe = Probe::new().await;
    let rule = format!("/users/{LYNNE}/mailFolders/inbox/messageRules/AQAAAKx3Tq8%3D");
    let body = json!({ "isEnabled": false, "conditions": { "subjectContains": ["x"] } });
    let (status, patched) = probe.call("PATCH", &rule, body).await;
    assert_eq!((status, &patched["isEnabled"]), (200, &json!(false)));
    assert_eq!(patched["conditions"], json!({ "subjectContains": ["x"] }), "the rest of the object is lost");
    assert_eq!(patched["actions"]["delete"], true);
    assert!(!probe.is_open("inbox_rule").await);
    for wrong in
        [json!({ "isEnabled": "no" }), json!({ "name": "x" }), json!({ "actions": { "explode": true } })]
    {
        assert_eq!(probe.code("PATCH", &rule, wrong).await, (400, "RequestBodyRead".to_owned()));
    }
    let list = format!("/users/{LYNNE}/mailFolders/inbox/messageRules");
    let body = json!({ "displayName": "back", "sequence": 2, "actions": { "markAsRead": true } });
    assert_eq!(probe.call("POST", &list, body).await.0, 201);
    assert_eq!(probe.call("POST", &list, json!({ "displayName": "no actions", "sequence": 2 })).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_read_only_rule_stays() {
    let mut tenant = tenant();
    tenant["messageRules"][LYNNE][0]["isReadOnly"] = json!(true);
    let probe = Probe::of(&tenant).await;
    let rule = format!("/users/{LYNNE}/mailFolders/inbox/messageRules/AQAAAKx3Tq8%3D");
    assert_eq!(probe.call("PATCH", &rule, json!({ "isEnabled": false })).await.0, 400);
    assert_eq!(probe.call("DELETE", &rule, json!(null)).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_not_in_the_cloud_answers_by_two_codes_and_a_closed_one_by_403() {
    let mut tenant = tenant();
    tenant["mailboxes"] = json!({ LYNNE: { "access": "none" } });
    let probe = Probe::of(&tenant).await;
    let path = format!("/users/{LYNNE}/mailFolders/inbox/messageRules");
    let mut codes = Vec::new();
    for _ in 0..4 {
        let (status, code) = probe.code("GET", &path, json!(null)).await;
        assert_eq!(status, 404);
        codes.push(code);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    codes.sort();
    codes.dedup();
    assert_eq!(codes, ["MailboxNotEnabledForRESTAPI", "ResourceNotFound"]);
    tenant["mailboxes"] = json!({ LYNNE: { "access": "blocked" } });
    let probe = Probe::of(&tenant).await;
    assert_eq!(probe.code("GET", &path, json!(null)).await, (403, "ErrorAccessDenied".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn automatic_replies_are_switched_off_and_forwarding_is_not_shown() {
    let mut tenant = tenant();
    tenant["mailboxes"] = json!({ LYNNE: { "forwardingSmtpAddress": "x@fabrikam.com", "settings": {
        "automaticRepliesSetting": { "status": "alwaysEnabled", "externalReplyMessage": "pay here" } } } });
    let probe = Probe::of(&tenant).await;
    let path = format!("/users/{LYNNE}/mailboxSettings");
    let (_, settings) = probe.call("GET", &path, json!(null)).await;
    assert_eq!(settings["automaticRepliesSetting"]["status"], "alwaysEnabled");
    assert!(!settings.to_string().contains("fabrikam"));
    let off = json!({ "automaticRepliesSetting": { "status": "disabled" } });
    let (status, changed) = probe.call("PATCH", &path, off).await;
    assert_eq!((status, &changed["automaticRepliesSetting"]["status"]), (200, &json!("disabled")));
    let (_, one) = probe.call("GET", &format!("{path}/automaticRepliesSetting"), json!(null)).await;
    assert_eq!((&one["status"], &one["externalReplyMessage"]), (&json!("disabled"), &json!("pay here")));
    for (body, code) in [
        (json!({ "automaticRepliesSetting": { "status": "off" } }), "RequestBodyRead"),
        (json!({ "userPurpose": "shared" }), "InvalidArguments"),
        (json!({ "timeZone": "" }), "InvalidTimeZone"),
        (
            json!({ "automaticRepliesSetting": { "scheduledStartDateTime": { "dateTime": "2026-02-05T18:00:00.0000000" },
            "scheduledEndDateTime": { "dateTime": "2026-02-04T18:00:00.0000000" } } }),
            "ErrorInvalidTimeSettings",
        ),
    ] {
        assert_eq!(probe.code("PATCH", &path, body).await, (400, code.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn message_traces_keep_to_their_windows() {
    let probe = Probe::new().await;
    let path = "/admin/exchange/tracing/messageTraces";
    let filter = |start: &str, end: &str| {
        format!("{path}?$filter=receivedDateTime%20ge%20{start}%20and%20receivedDateTime%20le%20{end}")
    };
    let (status, all) =
        probe.call("GET", &filter("2024-09-25T00:00:00Z", "2024-10-04T00:00:00Z"), json!(null)).await;
    assert_eq!(status, 200);
    assert!(!ids(&all).is_empty());
    assert_eq!(probe.call("GET", path, json!(null)).await.0, 200);
    for wrong in [
        format!("{path}?$filter=receivedDateTime%20ge%202024-09-25T00:00:00Z"),
        filter("2024-09-20T00:00:00Z", "2024-10-04T00:00:00Z"),
        filter("2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"),
        format!("{path}?$top=5001"),
        format!("{path}?$filter=size%20eq%205"),
    ] {
        assert_eq!(probe.call("GET", &wrong, json!(null)).await.0, 400, "{wrong}");
    }
    let first = &all["value"][0];
    let detail = format!(
        "{path}/{}/getDetailsByRecipient(recipientAddress='{}')",
        first["id"].as_str().unwrap(),
        first["recipientAddress"].as_str().unwrap()
    );
    let (status, detail) = probe.call("GET", &detail, json!(null)).await;
    assert_eq!((status, &detail["value"][0]["event"]), (200, &json!("RECEIVE")));
    let mut without = tenant();
    without["tenant"]["messageTrace"] = json!(false);
    assert_eq!(Probe::of(&without).await.call("GET", path, json!(null)).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn hunting_answers_from_the_tables_that_the_tenant_has() {
    let mut tenant = tenant();
    tenant["huntingTables"] = json!({ "CloudAppEvents": [
        { "Timestamp": "2024-10-03T00:00:00Z", "ActionType": "New-InboxRule", "AccountObjectId": LYNNE },
        { "Timestamp": "2024-08-03T00:00:00Z", "ActionType": "New-InboxRule", "AccountObjectId": LYNNE }
    ] });
    let probe = Probe::of(&tenant).await;
    let query =
        format!("CloudAppEvents | where AccountObjectId == '{LYNNE}' | project Timestamp, ActionType");
    for body in [json!({ "Query": query, "Timespan": "P7D" }), json!({ "query": query })] {
        let (status, found) = probe.call("POST", "/security/runHuntingQuery", body).await;
        assert_eq!((status, found["results"].as_array().unwrap().len()), (200, 1), "{found}");
        assert_eq!(found["schema"].as_array().unwrap().len(), 2);
    }
    for (query, says) in
        [("EmailEvents | take 1", "Failed to resolve table"), ("CloudAppEvents | summarise", "parsed")]
    {
        let (status, body) = probe.call("POST", "/security/runHuntingQuery", json!({ "Query": query })).await;
        assert_eq!(status, 400);
        assert!(body["error"]["message"].as_str().unwrap().contains(says), "{body}");
    }
    let lines = probe.wire.lines().await;
    let hunts = lines.iter().filter(|line| line["path"] == "/v1.0/security/runHuntingQuery");
    assert!(hunts.into_iter().all(|line| line["write"] == false && line["known"] == true));
}

#[tokio::test(start_paused = true)]
async fn a_role_taken_away_opens_the_target_to_the_app() {
    let helpdesk = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
    let probe = Probe::new().await;
    let body = json!({ "principalId": LYNNE, "roleDefinitionId": helpdesk, "directoryScopeId": "/" });
    let (status, made) = probe.call("POST", "/roleManagement/directory/roleAssignments", body.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(probe.call("POST", "/roleManagement/directory/roleAssignments", body).await.0, 400);
    let user = format!("/users/{LYNNE}");
    let off = json!({ "accountEnabled": false });
    assert_eq!(
        probe.code("PATCH", &user, off.clone()).await,
        (403, "Authorization_RequestDenied".to_owned())
    );
    let (_, members) = probe
        .call("GET", &format!("/directoryRoles(roleTemplateId='{helpdesk}')/members"), json!(null))
        .await;
    assert_eq!(ids(&members), [LYNNE]);
    let assignment = format!("/roleManagement/directory/roleAssignments/{}", made["id"].as_str().unwrap());
    assert_eq!(probe.call("GET", &assignment, json!(null)).await.0, 200);
    assert_eq!(probe.call("DELETE", &assignment, json!(null)).await.0, 204);
    assert_eq!(probe.call("DELETE", &assignment, json!(null)).await.0, 404);
    assert_eq!(probe.call("PATCH", &user, off).await.0, 204);
}

#[tokio::test(start_paused = true)]
async fn the_tables_for_the_password_and_for_disabling_differ() {
    let guest_inviter = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
    let mut tenant = tenant();
    tenant["roleAssignments"].as_array_mut().unwrap().push(
        json!({ "id": "r", "principalId": LYNNE, "roleDefinitionId": guest_inviter, "directoryScopeId": "/" }),
    );
    let apps = tenant["applications"].as_array_mut().unwrap();
    apps.last_mut().unwrap()["directoryRoles"] = json!(["Helpdesk Administrator"]);
    let probe = Probe::of(&tenant).await;
    let user = format!("/users/{LYNNE}");
    assert_eq!(probe.call("PATCH", &user, json!({ "accountEnabled": false })).await.0, 403);
    let reset = json!({ "passwordProfile": { "password": "Xk3!aaaaaaaa9-long" } });
    assert_eq!(probe.call("PATCH", &user, reset).await.0, 204);
}

#[tokio::test(start_paused = true)]
async fn members_and_owners_of_a_role_assignable_group_are_out_of_a_plain_apps_reach() {
    let off = json!({ "accountEnabled": false });
    for key in ["groupMembers", "groupOwners"] {
        let mut tenant = tenant();
        tenant[key] = json!({ ROLE_GROUP: [LYNNE] });
        let probe = Probe::of(&tenant).await;
        assert_eq!(probe.call("PATCH", &format!("/users/{LYNNE}"), off.clone()).await.0, 403, "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_is_put_into_a_group_and_taken_out() {
    let probe = Probe::new().await;
    let reference =
        json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{LYNNE}") });
    let add = format!("/groups/{GROUP}/members/$ref");
    let remove = format!("/groups/{GROUP}/members/{LYNNE}/$ref");
    assert_eq!(probe.call("POST", &add, reference.clone()).await.0, 400, "she is a member already");
    assert_eq!(probe.call("DELETE", &remove, json!(null)).await.0, 204);
    assert_eq!(probe.call("DELETE", &remove, json!(null)).await.0, 404);
    let (_, groups) = probe
        .call("GET", &format!("/users/{LYNNE}/transitiveMemberOf/microsoft.graph.group"), json!(null))
        .await;
    assert!(ids(&groups).is_empty());
    assert_eq!(probe.call("POST", &add, reference).await.0, 204);
    assert_eq!(probe.call("POST", &add, json!({ "@odata.id": "nonsense" })).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_with_all_that_graph_wants_of_one_and_not_without() {
    let probe = Probe::new().await;
    let body = json!({ "displayName": "Quarantine", "mailNickname": "quarantine", "mailEnabled": false,
                       "securityEnabled": true });
    for (key, wrong) in [
        ("displayName", json!("")),
        ("mailNickname", Value::Null),
        ("mailNickname", json!("with blank")),
        ("mailEnabled", Value::Null),
        ("securityEnabled", json!(false)),
    ] {
        let mut body = body.clone();
        body[key] = wrong;
        assert_eq!(probe.call("POST", "/groups", body.clone()).await.0, 400, "{body}");
    }
    let (status, made) = probe.call("POST", "/groups", body.clone()).await;
    assert_eq!((status, &made["groupTypes"]), (201, &json!([])));
    let (_, found) = probe.call("GET", "/groups?$filter=displayName%20eq%20'quarantine'", json!(null)).await;
    assert_eq!(ids(&found), [made["id"].as_str().unwrap()]);
    // Two may share a name.
    assert_eq!(probe.call("POST", "/groups", body.clone()).await.0, 201);
    let mut tenant = tenant();
    let apps = tenant["applications"].as_array_mut().unwrap();
    apps.last_mut().unwrap()["roles"] = json!(["GroupMember.ReadWrite.All"]);
    assert_eq!(Probe::of(&tenant).await.call("POST", "/groups", body).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn how_long_a_role_is_held_stands_in_its_schedule_alone() {
    let mut tenant = tenant();
    tenant["roleAssignments"].as_array_mut().unwrap().push(json!({
        "id": "r", "principalId": LYNNE, "roleDefinitionId": "4a5d8f65-41da-4de4-8968-e035b65339cf",
        "directoryScopeId": "/", "assignmentType": "Activated", "endDateTime": "2024-10-05T00:00:00Z"
    }));
    let probe = Probe::of(&tenant).await;
    let of = async |resource: &str| {
        let path = format!("/roleManagement/directory/{resource}?$filter=principalId%20eq%20'{LYNNE}'");
        probe.call("GET", &path, json!(null)).await.1["value"][0].clone()
    };
    assert_eq!(of("roleAssignments").await["assignmentType"], Value::Null);
    let instance = of("roleAssignmentScheduleInstances").await;
    assert_eq!(
        (&instance["assignmentType"], &instance["memberType"]),
        (&json!("Activated"), &json!("Direct"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_assignable_group_wants_the_permission_to_assign_roles() {
    let mut tenant = tenant();
    let apps = tenant["applications"].as_array_mut().unwrap();
    apps.last_mut().unwrap()["roles"] = json!(["GroupMember.ReadWrite.All"]);
    let probe = Probe::of(&tenant).await;
    let reference = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/users/{LYNNE}") });
    assert_eq!(probe.call("POST", &format!("/groups/{ROLE_GROUP}/members/$ref"), reference).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_restricted_unit_lets_in_whoever_holds_a_role_at_its_scope() {
    let mut tenant = tenant();
    tenant["administrativeUnits"] = json!([
        { "id": "u1", "displayName": "Board", "isMemberManagementRestricted": true, "members": [LYNNE, ROGUE_PC] }
    ]);
    let user = format!("/users/{LYNNE}");
    let off = json!({ "accountEnabled": false });
    let probe = Probe::of(&tenant).await;
    let (_, shown) = probe.call("GET", &format!("{user}?$select=isManagementRestricted"), json!(null)).await;
    assert_eq!(shown["isManagementRestricted"], true);
    let (_, member_of) = probe.call("GET", &format!("{user}/memberOf"), json!(null)).await;
    assert!(ids(&member_of).contains(&"u1"));
    assert_eq!(
        probe.code("PATCH", &user, off.clone()).await,
        (403, "Authorization_RequestDenied".to_owned())
    );
    assert_eq!(probe.call("PATCH", &format!("/devices/{ROGUE_PC}"), off.clone()).await.0, 403);
    // The mailbox is none of the unit's.
    let rule = format!("{user}/mailFolders/inbox/messageRules/AQAAAKx3Tq8%3D");
    assert_eq!(probe.call("PATCH", &rule, json!({ "isEnabled": false })).await.0, 200);
    tenant["servicePrincipals"].as_array_mut().unwrap().push(json!({
        "id": "probe-principal", "appId": "99999999-aaaa-4bbb-8ccc-000000000009", "displayName": "probe", "accountEnabled": true
    }));
    tenant["roleAssignments"].as_array_mut().unwrap().push(json!({
        "id": "scoped", "principalId": "probe-principal", "roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1",
        "directoryScopeId": "/administrativeUnits/u1"
    }));
    let probe = Probe::of(&tenant).await;
    assert_eq!(probe.call("PATCH", &user, off).await.0, 204);
}

#[tokio::test(start_paused = true)]
async fn a_search_of_the_audit_log_takes_its_time_and_shows_the_callers_workloads() {
    let mut tenant = tenant();
    tenant["tenant"]["auditQuerySeconds"] = json!(60);
    let record = |id: &str, service: &str, operation: &str, day: &str| {
        json!({ "id": id, "createdDateTime": format!("2024-10-0{day}T00:00:00Z"), "service": service,
                "operation": operation, "userPrincipalName": "lynne.robbins@contoso.com", "auditData": {} })
    };
    tenant["auditLogRecords"] = json!([
        record("rule", "Exchange", "New-InboxRule", "2"),
        record("old", "Exchange", "New-InboxRule", "1"),
        record("send", "Exchange", "Send", "2"),
        record("file", "SharePoint", "New-InboxRule", "2")
    ]);
    let probe = Probe::of(&tenant).await;
    let path = "/security/auditLog/queries";
    let body = json!({ "displayName": "case", "filterStartDateTime": "2024-10-02T00:00:00Z",
                       "filterEndDateTime": "2024-10-04T00:00:00Z", "operationFilters": ["New-InboxRule"] });
    assert_eq!(probe.call("POST", path, json!({ "displayName": "case" })).await.0, 400);
    let (status, made) = probe.call("POST", path, body.clone()).await;
    assert_eq!((status, &made["status"]), (201, &json!("notStarted")));
    let own = format!("{path}/{}", made["id"].as_str().unwrap());
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    assert_eq!(probe.call("GET", &own, json!(null)).await.1["status"], "running");
    assert_eq!(probe.call("GET", &format!("{own}/records"), json!(null)).await.0, 400);
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    assert_eq!(probe.call("GET", &own, json!(null)).await.1["status"], "succeeded");
    let (_, records) = probe.call("GET", &format!("{own}/records?$top=999"), json!(null)).await;
    assert_eq!(ids(&records), ["rule"]);
    assert_eq!(probe.call("DELETE", &own, json!(null)).await.0, 204);
    assert_eq!(probe.call("GET", &own, json!(null)).await.0, 404);
    for _ in 0..10 {
        assert_eq!(probe.call("POST", path, body.clone()).await.0, 201);
    }
    assert_eq!(probe.call("POST", path, body.clone()).await.0, 429, "ten are under way");
    tenant["tenant"]["auditing"] = json!(false);
    let (status, refused) = Probe::of(&tenant).await.call("POST", path, body).await;
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("AuditingDisabledTenant"));
}

#[tokio::test(start_paused = true)]
async fn the_registration_report_tells_what_is_registered_and_wants_a_licence() {
    let probe = Probe::new().await;
    let path = format!("/reports/authenticationMethods/userRegistrationDetails/{LYNNE}");
    let (status, details) = probe.call("GET", &path, json!(null)).await;
    assert_eq!(
        (status, &details["isMfaRegistered"], &details["isAdmin"]),
        (200, &json!(true), &json!(false))
    );
    assert!(
        details["methodsRegistered"]
            .as_array()
            .unwrap()
            .iter()
            .any(|own| own == "microsoftAuthenticatorPush")
    );
    let mut tenant = tenant();
    tenant["tenant"]["licences"] = json!([]);
    let (status, code) = Probe::of(&tenant).await.code("GET", &path, json!(null)).await;
    assert_eq!((status, code.as_str()), (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"));
}

#[tokio::test(start_paused = true)]
async fn enabling_per_user_authentication_for_who_has_a_method_enforces_it() {
    let probe = Probe::new().await;
    let path = format!("/beta/users/{LYNNE}/authentication/requirements");
    let call = async |method: &str, body: Value| probe.wire.call_as(&probe.token, method, &path, body).await;
    assert_eq!(call("GET", json!(null)).await.body["perUserMfaState"], "disabled");
    assert_eq!(call("PATCH", json!({ "perUserMfaState": "enabled" })).await.status, 204);
    assert_eq!(call("GET", json!(null)).await.body["perUserMfaState"], "enforced");
    assert_eq!(call("PATCH", json!({ "perUserMfaState": "on" })).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn detections_are_whole_with_p2_and_generic_with_p1() {
    let mut tenant = tenant();
    tenant["riskDetections"] = json!([
        { "id": "d1", "riskEventType": "anomalousToken", "riskLevel": "high", "userId": LYNNE, "detectedDateTime": "2024-10-01T00:00:00Z" }
    ]);
    let path = format!("/identityProtection/riskDetections?$filter=userId%20eq%20'{LYNNE}'");
    let kind = async |tenant: &Value| {
        Probe::of(tenant).await.call("GET", &path, json!(null)).await.1["value"][0]["riskEventType"].clone()
    };
    assert_eq!(kind(&tenant).await, "anomalousToken");
    let probe = Probe::of(&tenant).await;
    let body = json!({ "userIds": [LYNNE] });
    let confirm = "/identityProtection/riskyUsers/confirmCompromised";
    assert_eq!(probe.call("POST", confirm, body.clone()).await.0, 204);
    let (_, found) = probe.call("GET", &path, json!(null)).await;
    assert_eq!(found["value"][1]["riskEventType"], "adminConfirmedUserCompromised");
    assert_eq!(probe.call("POST", "/identityProtection/riskyUsers/confirmSafe", body).await.0, 204);
    let (_, user) = probe.call("GET", &format!("/identityProtection/riskyUsers/{LYNNE}"), json!(null)).await;
    assert_eq!(user["riskState"], "confirmedSafe");
    tenant["tenant"]["licences"] = json!(["AAD_PREMIUM"]);
    assert_eq!(kind(&tenant).await, "generic");
}
