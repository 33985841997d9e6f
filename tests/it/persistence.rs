//! What the intruder leaves behind besides methods: inbox rules, consents to apps, devices. What is theirs goes, what is
//! the user's stays, what is nobody's for certain is asked about.

use serde_json::{Value, json};
use stanch::engine::{ApplyError, PlanRequest};
use stanch::plan::{Plan, PlanSession, Undo};
use stanch::run::{ActionState, Run, Verdict};

use crate::world::{World, book};

const VICTIM: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const GRAPH: &str = "36a14925-653b-5002-81cc-21faffaec7d3";
const APP: &str = "aa6db6ab-6c0f-4e90-8b1d-6ae2f7d1c3a0";
const APP_ID: &str = "5c1d1f0e-9a52-4b3c-8f6b-3f1f6a2b7c90";
const OWN_APP: &str = "bb6db6ab-6c0f-4e90-8b1d-6ae2f7d1c3a1";
const GRANT: &str = "q7Zt1mXw0kOe5LrVb2HnUPx3cYgA-sDfJ9iKoT6uEaQaKzw_TU1bTJqPHi08S1pp";
const OWN_GRANT: &str = "r7Zt1mXw0kOe5LrVb2HnUPx3cYgA-sDfJ9iKoT6uEaQaKzw_TU1bTJqPHi08S1pq";
const DEVICE: &str = "1f3b2c1a-7d4e-4c5b-9a8f-1e2d3c4b5a01";
const OWN_DEVICE: &str = "1f3b2c1a-7d4e-4c5b-9a8f-1e2d3c4b5a02";
const RULE: &str = "AQAAAKx3/q8=";
const OWN_RULE: &str = "AQAAAKx3Tq9=";

/// In the midst of the intruder's sign-ins of 26 September, and nobody else's.
const DURING: &str = "2024-09-26T19:24:50Z";

fn app(id: &str, app_id: &str, name: &str) -> Value {
    json!({ "id": id, "appId": app_id, "displayName": name, "publisherName": "", "accountEnabled": true,
            "appOwnerOrganizationId": "11111111-2222-4333-8444-555566667777", "createdDateTime": DURING,
            "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null } })
}

fn grant(id: &str, client: &str, user: &str) -> Value {
    json!({ "id": id, "clientId": client, "consentType": "Principal", "principalId": user, "resourceId": GRAPH,
            "scope": " Mail.Read Mail.Send offline_access" })
}

fn consent(when: &str, client: &str) -> Value {
    json!({ "id": format!("Directory_{client}_8H5XV_1"), "category": "ApplicationManagement", "result": "success",
            "activityDisplayName": "Consent to application", "activityDateTime": when,
            "loggedByService": "Core Directory", "operationType": "Assign",
            "initiatedBy": { "app": null, "user": { "id": VICTIM, "displayName": "Azure ESTS Service",
                             "userPrincipalName": "lynne.robbins@contoso.com", "ipAddress": "4.231.10.7" } },
            "targetResources": [{ "id": client, "type": "ServicePrincipal", "displayName": "it", "modifiedProperties": [] }],
            "additionalDetails": [] })
}

fn device(id: &str, name: &str, os: &str, registered: &str, managed: bool) -> Value {
    json!({ "id": id, "deviceId": format!("d{}", &id[1..]), "displayName": name, "accountEnabled": true, "operatingSystem": os,
            "trustType": "Workplace", "isCompliant": managed, "isManaged": managed, "deviceOwnership": "Personal",
            "registrationDateTime": registered, "registeredOwners": [VICTIM], "registeredUsers": [VICTIM] })
}

#[expect(clippy::needless_pass_by_value, reason = "every caller spells it for this call alone")]
fn rule(id: &str, name: &str, conditions: Value, actions: Value) -> Value {
    json!({ "id": id, "displayName": name, "sequence": 1, "isEnabled": true, "hasError": false, "isReadOnly": false,
            "conditions": conditions, "actions": actions, "exceptions": null })
}

fn push(tenant: &mut Value, list: &str, item: Value) {
    if !tenant[list].is_array() {
        tenant[list] = json!([]);
    }
    tenant[list].as_array_mut().unwrap().push(item);
}

/// Everything that an intruder leaves, beside what is the user's own.
fn plant(tenant: &mut Value) {
    push(tenant, "servicePrincipals", app(APP, APP_ID, "eM Client"));
    push(tenant, "servicePrincipals", app(OWN_APP, "6c1d1f0e-9a52-4b3c-8f6b-3f1f6a2b7c91", "Notes"));
    push(tenant, "oauth2PermissionGrants", grant(GRANT, APP, VICTIM));
    push(tenant, "oauth2PermissionGrants", grant(OWN_GRANT, OWN_APP, VICTIM));
    push(tenant, "directoryAudits", consent(DURING, APP));
    push(tenant, "directoryAudits", consent("2024-09-10T09:00:00Z", OWN_APP));
    push(tenant, "devices", device(DEVICE, "DESKTOP-7Q2KX", "Windows", DURING, false));
    push(tenant, "devices", device(OWN_DEVICE, "Lynne's PC", "Windows", "2023-02-01T09:00:00Z", false));
    let rogue = rule(
        RULE,
        ".",
        json!({ "subjectContains": ["1099", "invoice"] }),
        json!({ "moveToFolder": "AAMkADEz", "markAsRead": true, "stopProcessingRules": true }),
    );
    let own = rule(
        OWN_RULE,
        "Newsletter",
        json!({ "senderContains": ["news@"] }),
        json!({ "moveToFolder": "AAMkADEy" }),
    );
    tenant["messageRules"] = json!({ VICTIM: [rogue, own] });
    tenant["attackers"][0]["grantIds"] = json!([GRANT]);
    tenant["attackers"][0]["deviceId"] = json!(DEVICE);
    tenant["attackers"][0]["ruleIds"] = json!([RULE]);
}

fn planted(change: impl FnOnce(&mut Value)) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        plant(tenant);
        change(tenant);
    })
}

const OURS: [&str; 3] = ["revoke_app_consents", "disable_devices", "disable_inbox_rules"];

fn ours(plan: &Plan) -> Vec<(&str, &str)> {
    plan.actions
        .iter()
        .filter(|action| OURS.contains(&action.step.as_str()))
        .map(|action| (action.step.as_str(), action.object.id.as_deref().unwrap_or_default()))
        .collect()
}

fn state(run: &Run, step: &str) -> ActionState {
    run.actions.iter().find(|action| action.step == step).unwrap().state
}

fn rule_of(state: &Value, id: &str) -> Value {
    let rules = state["messageRules"][VICTIM].as_array().unwrap();
    rules.iter().find(|own| own["id"] == id).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn what_the_intruder_left_goes_and_what_is_the_users_stays() {
    for playbook in ["bec", "token-theft"] {
        let world = planted(|_| {}).lagging(20);
        let plan = world.plan(playbook).await;
        assert_eq!(
            ours(&plan),
            [("revoke_app_consents", GRANT), ("disable_devices", DEVICE), ("disable_inbox_rules", RULE)],
            "{playbook}"
        );
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{playbook}: {run:#?}");
        let after = world.state().await;
        assert_eq!(rule_of(&after, RULE)["isEnabled"], false);
        assert_eq!(rule_of(&after, OWN_RULE)["isEnabled"], true);
        let grants: Vec<&Value> =
            after["oauth2PermissionGrants"].as_array().unwrap().iter().map(|own| &own["id"]).collect();
        assert_eq!(grants, [&json!(OWN_GRANT)]);
        let enabled = |id: &str| {
            let devices = after["devices"].as_array().unwrap();
            devices.iter().find(|own| own["id"] == id).unwrap()["accountEnabled"].clone()
        };
        assert_eq!((enabled(DEVICE), enabled(OWN_DEVICE)), (json!(false), json!(true)));
        // Planned again there is nothing left to do.
        tokio::time::advance(std::time::Duration::from_mins(1)).await;
        assert_eq!(ours(&world.plan(playbook).await), [], "{playbook}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_attacker_has_no_way_left_by_what_was_left_behind() {
    let world = planted(|_| {});
    let open = |attempt: &Value, way: &str| {
        let paths = attempt["paths"].as_array().unwrap();
        paths.iter().any(|own| own["path"] == way && own["outcome"] == "open")
    };
    let all = ["app_consent", "registered_device", "inbox_rule"];
    let before = world.attempt(json!({ "assume": {} })).await;
    assert!(all.iter().all(|way| open(&before, way)), "{before:#}");
    let plan = world.plan("bec").await;
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    // Also once the account is enabled again, and from a place that no list holds.
    let body = json!({ "from": ["unseen"], "assume": { "accountEnabled": true } });
    let after = world.attempt(body).await;
    assert_eq!(after["in"], false, "{after:#}");
    assert!(all.iter().all(|way| !open(&after, way)), "{after:#}");
}

#[tokio::test(start_paused = true)]
async fn where_the_intruder_left_nothing_nothing_is_planned_and_that_is_said() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    assert!(ours(&plan).is_empty());
    for step in OURS {
        assert!(plan.unchanged.iter().any(|own| own.step == step), "{step}: {:?}", plan.unchanged);
    }
}

#[tokio::test(start_paused = true)]
async fn every_undo_is_exact() {
    let world = planted(|_| {});
    let plan = world.plan("bec").await;
    let undo = |step: &str| {
        let action = plan.actions.iter().find(|own| own.step == step).unwrap();
        let Undo::Requests(requests) = &action.undo else { panic!("{step}") };
        (action.before.clone(), requests[0].clone())
    };
    let (before, request) = undo("disable_inbox_rules");
    assert_eq!(before["conditions"], json!({ "subjectContains": ["1099", "invoice"] }));
    assert_eq!(request.body, json!({ "isEnabled": true }));
    assert!(request.path.ends_with("/messageRules/AQAAAKx3%2Fq8%3D"), "{}", request.path);
    let (_, request) = undo("revoke_app_consents");
    assert_eq!(
        request.body,
        json!({ "clientId": APP, "consentType": "Principal", "principalId": VICTIM, "resourceId": GRAPH,
                "scope": "Mail.Read Mail.Send offline_access" })
    );
    assert_eq!(undo("disable_devices").1.body, json!({ "accountEnabled": true }));
    // The requests of the way back are taken by Graph as they stand.
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
    for (step, status) in
        [("disable_inbox_rules", 200), ("revoke_app_consents", 201), ("disable_devices", 204)]
    {
        let request = undo(step).1;
        let sent =
            world.send_as(&world.responder, request.method.as_str(), &request.path, request.body).await;
        assert_eq!(sent, status, "{step}");
    }
    assert_eq!(rule_of(&world.state().await, RULE)["isEnabled"], true);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_graph_cannot_express_is_a_persons_work_in_powershell() {
    let world = planted(|tenant| {
        let opaque = &mut tenant["messageRules"][VICTIM][0];
        opaque
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !["conditions", "actions", "exceptions"].contains(&key.as_str()));
        opaque["displayName"] = json!("it's pinned");
        opaque["isReadOnly"] = json!(true);
    });
    let plan = world.plan("bec").await;
    let action = plan.actions.iter().find(|own| own.step == "disable_inbox_rules").unwrap();
    assert!(action.requests.is_empty());
    let cannot = action.cannot.as_ref().unwrap();
    assert!(cannot.why.starts_with("opaque rule"), "{}", cannot.why);
    assert_eq!(
        cannot.instead[2],
        "Disable-InboxRule -Mailbox 'lynne.robbins@contoso.com' -Identity 'it''s pinned' -Confirm:$false"
    );
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
    // The user says that it is theirs.
    let mut request = world.request("bec");
    request.keep = vec![RULE.parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    assert!(plan.actions.iter().all(|own| own.step != "disable_inbox_rules"));
    assert!(plan.warnings.iter().all(|own| !own.contains("--keep")), "{:?}", plan.warnings);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_not_certain_is_asked_about_and_done_when_told_to() {
    let world = planted(|tenant| {
        tenant["messageRules"][VICTIM][0] = rule(
            RULE,
            "To my own mail",
            json!({}),
            json!({ "forwardTo": [{ "emailAddress": { "name": "x", "address": "lynne@mail.example" } }] }),
        );
    });
    let plan = world.plan("bec").await;
    assert!(plan.actions.iter().all(|own| own.step != "disable_inbox_rules"));
    let left = plan.left.iter().find(|own| own.object.contains(RULE)).unwrap();
    assert!(left.holds_back);
    assert!(left.why.last().unwrap().contains(&format!("--remove {RULE}")), "{:?}", left.why);
    let mut request = world.request("bec");
    request.remove = vec![RULE.parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn an_id_of_a_kind_that_the_playbook_does_not_look_at_is_told_as_that() {
    let world = planted(|_| {});
    let mut request = world.request("evict");
    request.keep = vec![RULE.parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    let told = plan.warnings.iter().find(|own| own.contains(RULE)).unwrap();
    assert!(told.contains("none of the user's methods has that id"), "{told}");
    assert!(told.contains("inbox rules by `disable_inbox_rules`"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_is_not_in_the_cloud_is_no_failure() {
    let world = planted(|tenant| tenant["mailboxes"] = json!({ VICTIM: { "access": "none" } }));
    let plan = world.plan("bec").await;
    let why = &plan.unchanged.iter().find(|own| own.step == "disable_inbox_rules").unwrap().why;
    assert!(why.starts_with("there is no mailbox in the cloud"), "{why}");
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_unread_and_holds_back() {
    let world = planted(|tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles
            .retain(|role| !["MailboxSettings.Read", "Directory.Read.All"].contains(&role.as_str().unwrap()));
    });
    let plan = world.plan("bec").await;
    for (object, permission) in
        [("every inbox rule", "MailboxSettings.Read"), ("every consent to an app", "Directory.Read.All")]
    {
        let left = plan.left.iter().find(|own| own.object == object).unwrap();
        assert!(left.holds_back && left.why[0].contains(permission), "{object}: {:?}", left.why);
    }
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_others_let_in_as_well_is_a_persons_matter() {
    let world = planted(|tenant| {
        let other = tenant["users"][3]["id"].as_str().unwrap().to_owned();
        push(tenant, "oauth2PermissionGrants", grant("s7Zt", APP, &other));
    });
    let plan = world.plan("bec").await;
    assert!(plan.actions.iter().all(|own| own.step != "revoke_app_consents"));
    let left = plan.left.iter().find(|own| own.object.contains(GRANT)).unwrap();
    assert!(left.holds_back && left.next.as_ref().unwrap().contains("disable_service_principal"), "{left:?}");
    let mut request = world.request("bec");
    request.remove = vec![GRANT.parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    assert!(ours(&plan).contains(&("revoke_app_consents", GRANT)));
}

#[tokio::test(start_paused = true)]
async fn a_consent_for_everyone_is_never_taken_back_by_us() {
    let world = planted(|tenant| {
        let mut wide = grant("t7Zt", APP, VICTIM);
        wide["consentType"] = json!("AllPrincipals");
        wide["principalId"] = Value::Null;
        push(tenant, "oauth2PermissionGrants", wide);
    });
    let plan = world.plan("bec").await;
    assert!(plan.actions.iter().all(|own| own.step != "revoke_app_consents"));
    let left = plan.left.iter().find(|own| own.object.contains("t7Zt")).unwrap();
    assert!(left.why.iter().any(|why| why.contains("everyone in the tenant")), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_an_app_may_not_change_is_a_persons_work() {
    let world = planted(|tenant| {
        let devices = tenant["devices"].as_array_mut().unwrap();
        devices.iter_mut().find(|own| own["id"] == DEVICE).unwrap()["operatingSystem"] = json!("Android");
    });
    let plan = world.plan("bec").await;
    let action = plan.actions.iter().find(|own| own.step == "disable_devices").unwrap();
    assert!(action.requests.is_empty());
    let cannot = action.cannot.as_ref().unwrap();
    assert!(cannot.why.contains("Windows devices only"), "{}", cannot.why);
    assert_eq!(cannot.instead[2], format!("Update-MgDevice -DeviceId '{DEVICE}' -AccountEnabled:$false"));
    assert_eq!(plan.session, PlanSession::App);
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_plan_is_not_touched() {
    let world = planted(|_| {});
    let plan = world.plan("bec").await;
    let path = format!("/v1.0/users/{VICTIM}/mailFolders/inbox/messageRules/AQAAAKx3%2Fq8%3D");
    let body = json!({ "conditions": { "subjectContains": ["newsletter"] } });
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, body).await, 200);
    let path = format!("/v1.0/oauth2PermissionGrants/{GRANT}");
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, json!({ "scope": "openid" })).await, 204);
    let path = format!("/v1.0/devices/{DEVICE}");
    assert_eq!(
        world.send_as(&world.responder, "PATCH", &path, json!({ "accountEnabled": false })).await,
        204
    );
    let run = world.apply(&plan).await;
    assert_eq!(state(&run, "disable_inbox_rules"), ActionState::Stale);
    assert_eq!(state(&run, "revoke_app_consents"), ActionState::Stale);
    assert_eq!(state(&run, "disable_devices"), ActionState::AlreadySo);
    assert_eq!(run.verdict, Verdict::Partial);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_came_is_settled_by_reading_back() {
    for kind in ["reset_before_commit", "reset_after_commit"] {
        let world = planted(|_| {});
        let plan = world.plan("bec").await;
        let rule = |method: &str, path: &str| json!({ "method": method, "path": path, "nth": 1, "fault": { "kind": kind } });
        world
            .faults(json!([
                rule("PATCH", "/v1.0/users/*/mailFolders/inbox/messageRules/*"),
                rule("DELETE", "/v1.0/oauth2PermissionGrants/*"),
                rule("PATCH", "/v1.0/devices/*")
            ]))
            .await;
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained, "{kind}: {run:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named_and_holds_back_nothing_else() {
    let world = planted(|tenant| {
        let roles = tenant["applications"][0]["roles"].as_array_mut().unwrap();
        roles.retain(|role| {
            !["MailboxSettings.ReadWrite", "DelegatedPermissionGrant.ReadWrite.All", "Device.ReadWrite.All"]
                .contains(&role.as_str().unwrap())
        });
    });
    let plan = world.plan("bec").await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    for (step, permission) in [
        ("disable_inbox_rules", "MailboxSettings.Read"),
        ("revoke_app_consents", "DelegatedPermissionGrant.ReadWrite.All"),
        ("disable_devices", "Device.ReadWrite.All"),
    ] {
        let open = run.open.iter().find(|own| own.what.contains(&summary_of(&plan, step))).unwrap();
        assert!(format!("{open:?}").contains(permission), "{step}: {open:?}");
    }
    assert_eq!(state(&run, "reset_password"), ActionState::Verified);
}

#[tokio::test(start_paused = true)]
async fn neither_of_our_own_apps_is_disabled_whichever_of_them_plans_or_applies() {
    let mut world = planted(|tenant| {
        let responder = tenant["applications"][0]["appId"].as_str().unwrap().to_owned();
        push(
            tenant,
            "servicePrincipals",
            app("cc6db6ab-6c0f-4e90-8b1d-6ae2f7d1c3a2", &responder, "stanch responder"),
        );
        tenant["applications"][0]["roles"].as_array_mut().unwrap().push(json!("Application.ReadWrite.All"));
    });
    world.guards.accepted_permissions = vec!["Application.ReadWrite.All".to_owned()];
    let steps = format!(
        "  - step: disable_service_principal\n    with: {{ app: {} }}\n  - step: revoke_sessions\n",
        world.responder
    );
    let request = || PlanRequest { playbook: book(&steps), ..world.request("evict") };
    let planner = |own_apps: Vec<String>| {
        let mut planner = world.planner();
        planner.guards.own_apps = own_apps;
        planner
    };
    let plan = planner(vec![world.responder.clone()]).plan(request()).await.unwrap();
    assert_eq!(plan.guards.refused[0].guard, "own_app", "{:?}", plan.guards);
    // Whoever planned was not told of the other app: the one that applies knows itself.
    let plan = planner(Vec::new()).plan(request()).await.unwrap();
    assert!(
        plan.actions.iter().any(|own| own.step == "disable_service_principal" && !own.requests.is_empty())
    );
    let error = world.try_apply(&plan).await.unwrap_err();
    assert!(matches!(&error, ApplyError::RequestRefused(refusal) if refusal.guard == "own_app"), "{error}");
    assert!(world.writes().await.is_empty());
}

fn summary_of(plan: &Plan, step: &str) -> String {
    plan.actions.iter().find(|own| own.step == step).unwrap().summary.clone()
}
