use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::case::{AuditActor, MethodKind, RoleSource};
use crate::domain::UserId;
use crate::graph::double::{BASE, Double, Reply, Request, USER, answer, list, refusal, user_row};
use crate::graph::error::GraphError;
use crate::policy::PolicyState;

fn user() -> UserId {
    USER.parse().unwrap()
}

type Answers<'a> = &'a [(&'a str, fn() -> Reply)];

/// Answers by the path alone; what is not named is not found.
fn by_path(answers: Answers<'_>) -> Arc<Double> {
    let answers: HashMap<String, fn() -> Reply> =
        answers.iter().map(|(path, reply)| ((*path).to_owned(), *reply)).collect();
    Double::new(move |_, request| {
        answers
            .get(request.uri().path())
            .map_or_else(|| refusal(404, "Request_ResourceNotFound", "not here"), |reply| reply())
    })
}

fn query_of(request: &Request) -> &str {
    request.uri().query().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_user_is_read_whole_or_not_at_all() {
    let double = Double::new(|_, _| answer(200, &user_row()));
    let found = double.connect().reader().user("jo.reed@contoso.com").await.unwrap().unwrap();
    assert_eq!((found.id, found.enabled, found.synced, found.guest), (user(), true, false, false));
    assert_eq!(found.created_at.unwrap().to_string(), "2024-03-11T10:00:00Z");
    assert!(
        double.targets()[0].starts_with("/v1.0/users/jo.reed%40contoso.com?$select=id,userPrincipalName,")
    );

    for property in ["accountEnabled", "onPremisesSyncEnabled", "isManagementRestricted", "userType"] {
        let double = Double::new(move |_, _| {
            let mut row = user_row();
            row.as_object_mut().unwrap().remove(property);
            answer(200, &row)
        });
        let error = double.connect().reader().user(USER).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the answer to GET `/v1.0/users/{USER}` leaves out `{property}`")
        );
        assert!(error.hint().unwrap().contains("User.Read.All"));
    }

    let double = by_path(&[]);
    assert_eq!(double.connect().reader().user("nobody@contoso.com").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_name_finds_its_neighbours_nearest_first() {
    let double = Double::new(|_, _| {
        list(&[
            json!({"id": "0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a01", "userPrincipalName": "jo.ree@contoso.com"}),
            json!({"id": "0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a02", "userPrincipalName": "jo.reed@contoso.com"}),
            json!({"id": "0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a03", "userPrincipalName": "zzz@fabrikam.com"}),
        ])
    });
    let near = double.connect().reader().users_near("jo.reeed@contoso.com").await.unwrap();
    let names: Vec<_> = near.iter().map(|user| user.upn.as_str()).collect();
    assert_eq!(names, ["jo.reed@contoso.com", "jo.ree@contoso.com"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_is_found_by_the_name_it_had() {
    let double = by_path(&[("/v1.0/directory/deletedItems/microsoft.graph.user", || {
        list(&[
            json!({"id": USER, "userPrincipalName": "0f3c2b1a7d4e4c5b9a8f1e2d3c4b5a69jo.reed@contoso.com",
            "deletedDateTime": "2026-02-01T00:00:00Z"}),
        ])
    })]);
    let reader = double.connect().reader();
    let found = reader.deleted_user("Jo.Reed@contoso.com").await.unwrap().unwrap();
    assert!(found.deleted_at.is_some());
    assert_eq!(reader.deleted_user("reed@contoso.com").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn pages_are_followed_through_empty_ones_and_repeated_rows_count_once() {
    let double = Double::new(|before, request| {
        let next = format!("{BASE}/v1.0/subscribedSkus?$skiptoken={}", before + 1);
        let plan = |id: &str| json!({"id": id, "capabilityStatus": "Enabled", "servicePlans": [{"servicePlanName": id}]});
        match before {
            0 => answer(200, &json!({"value": [plan("A"), plan("B")], "@odata.nextLink": next})),
            1 => answer(200, &json!({"value": [], "@odata.nextLink": next})),
            _ => {
                assert_eq!(query_of(request), "$skiptoken=2");
                answer(200, &json!({"value": [plan("B"), plan("C")], "@odata.nextLink": null}))
            }
        }
    });
    let reader = double.connect().reader();
    assert_eq!(reader.service_plans().await.unwrap(), ["A", "B", "C"]);
    assert_eq!(double.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_next_page_elsewhere_is_not_followed() {
    for link in [
        "https://evil.example.com/v1.0/policies?$skiptoken=x",
        "http://graph.example.com/v1.0/policies",
        "https://graph.example.com:8443/v1.0/policies",
        "https://graph.example.com@evil.example.com/v1.0/policies",
        "https://someone@graph.example.com/v1.0/policies",
        "https://graph.example.com.evil.example.com/v1.0/policies",
        "https://graph.example.com/beta/policies",
        "https://graph.example.com/v1.0/../beta/policies",
        "https://graph.example.com/v1.0/%2e%2E/beta/policies",
        "//evil.example.com/v1.0/policies",
        "/v1.0/policies",
        "",
        "not an address",
    ] {
        let double = Double::new(move |_, _| answer(200, &json!({"value": [], "@odata.nextLink": link})));
        let error = double.connect().reader().policies().await.unwrap_err();
        assert!(matches!(error, GraphError::ForeignLink { .. }), "{link}: {error:?}");
        let told = error.to_string();
        assert!(!told.contains("skiptoken"), "{told}");
        if link == "https://graph.example.com/beta/policies" {
            assert!(told.contains("`https://graph.example.com/beta`"), "{told}");
        }
        assert_eq!(double.calls().len(), 1, "{link}");
    }
    let double = Double::new(|before, _| match before {
        0 => answer(
            200,
            &json!({"value": [], "@odata.nextLink": "https://GRAPH.example.com:443/v1.0/x?$skiptoken=a%20b"}),
        ),
        _ => list(&[]),
    });
    double.connect().reader().policies().await.unwrap();
    assert_eq!(double.calls().len(), 2, "the same host in other clothes is the same");
}

#[tokio::test(start_paused = true)]
async fn no_page_is_read_twice_and_no_list_is_endless() {
    let double = Double::new(|_, _| {
        answer(200, &json!({"value": [], "@odata.nextLink": format!("{BASE}/v1.0/x?$skiptoken=same")}))
    });
    let error = double.connect().reader().policies().await.unwrap_err();
    assert!(matches!(error, GraphError::RepeatedLink { .. }), "{error:?}");
    assert_eq!(double.calls().len(), 2);

    let double = Double::new(|before, _| {
        answer(200, &json!({"value": [], "@odata.nextLink": format!("{BASE}/v1.0/x?$skiptoken={before}")}))
    });
    let error = double.connect().reader().policies().await.unwrap_err();
    assert!(matches!(error, GraphError::TooManyPages { .. }), "{error:?}");
    assert_eq!(double.calls().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_remembering_reader_asks_each_question_once() {
    let double = Double::new(|_, request| {
        if request.uri().path().ends_with(USER) {
            answer(200, &user_row())
        } else {
            refusal(404, "Request_ResourceNotFound", "not here")
        }
    });
    let plain = double.connect().reader();
    let reader = plain.remembering();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let reader = reader.clone();
        tasks.spawn(async move {
            assert!(reader.user(USER).await.unwrap().is_some());
            assert!(reader.user("gone@contoso.com").await.unwrap().is_none());
        });
    }
    tasks.join_all().await;
    assert_eq!(double.calls().len(), 2);
    plain.user(USER).await.unwrap();
    reader.remembering().user(USER).await.unwrap();
    assert_eq!(double.calls().len(), 4, "a plain reader and another memo ask anew");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_remembered() {
    let double = Double::new(|before, _| if before < 2 { Reply::Silence } else { answer(200, &user_row()) });
    let reader = double.connect().reader().remembering();
    let first = tokio::time::timeout(std::time::Duration::from_secs(5), reader.user(USER)).await;
    assert!(first.is_err(), "the first asker went away");
    assert!(reader.user(USER).await.unwrap().is_some());
}

const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
const ELIGIBLE: &str = "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances";
const GROUPS: &str =
    "/v1.0/users/0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69/transitiveMemberOf/microsoft.graph.group";

fn role(id: &str) -> Value {
    json!({"id": format!("row-{id}"), "roleDefinitionId": id, "roleDefinition": {"displayName": id, "templateId": id}})
}

#[tokio::test(start_paused = true)]
async fn roles_are_found_direct_through_groups_and_eligible() {
    let double = Double::new(|_, request| {
        let is_group = query_of(request).contains("'g1'");
        match request.uri().path() {
            ASSIGNMENTS if is_group => list(&[role("via-group")]),
            ASSIGNMENTS => list(&[role("direct")]),
            ELIGIBLE if is_group => list(&[]),
            ELIGIBLE => list(&[role("eligible")]),
            GROUPS => list(&[
                json!({"id": "g1", "displayName": "Admins", "isAssignableToRole": true}),
                json!({"id": "g2", "displayName": "Sales", "isAssignableToRole": null}),
            ]),
            other => panic!("{other}"),
        }
    });
    let reader = double.connect().reader();
    let held = reader.roles_of(&user()).await.unwrap();
    let held: Vec<_> = held.iter().map(|role| (role.template_id.as_str(), role.source)).collect();
    assert_eq!(
        held,
        [
            ("direct", RoleSource::Active),
            ("via-group", RoleSource::Group),
            ("eligible", RoleSource::Eligible)
        ]
    );
    assert!(reader.in_role_assignable_group(&user()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_graph_hides_counts_as_role_assignable() {
    let double = by_path(&[(GROUPS, || list(&[json!({"id": "g1", "displayName": null})]))]);
    assert!(double.connect().reader().in_role_assignable_group(&user()).await.unwrap());
    let double = by_path(&[(GROUPS, || list(&[json!({"id": "g1", "displayName": "Sales"})]))]);
    assert!(!double.connect().reader().in_role_assignable_group(&user()).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn roles_that_cannot_be_read_are_an_error_and_only_a_missing_licence_is_none() {
    let denied: fn() -> Reply = || refusal(403, "Authorization_RequestDenied", "Insufficient privileges");
    let none: fn() -> Reply = || list(&[]);
    for failing in [ASSIGNMENTS, ELIGIBLE, GROUPS] {
        let reply = |path: &str| if path == failing { denied } else { none };
        let double = by_path(&[
            (ASSIGNMENTS, reply(ASSIGNMENTS)),
            (ELIGIBLE, reply(ELIGIBLE)),
            (GROUPS, reply(GROUPS)),
        ]);
        let error = double.connect().reader().roles_of(&user()).await.unwrap_err();
        assert!(error.is_permission_missing(), "{failing}: {error:?}");
    }
    let unlicensed: fn() -> Reply = || {
        refusal(
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )
    };
    let double =
        by_path(&[(ASSIGNMENTS, || list(&[role("direct")])), (ELIGIBLE, unlicensed), (GROUPS, none)]);
    assert_eq!(double.connect().reader().roles_of(&user()).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn methods_come_from_beta_and_else_from_v1() {
    let rows = || {
        list(&[
            json!({"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "28c10230-6103-485e-b985-444c60001490", "createdDateTime": null}),
            json!({"@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod", "id": "c2f8a9de", "displayName": "SM-G991B",
                "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.2410.7", "createdDateTime": "0001-01-01T00:00:00Z"}),
            json!({"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "3179e48a", "phoneNumber": "+1 4255550142", "phoneType": "mobile"}),
            json!({"@odata.type": "#microsoft.graph.telepathyAuthenticationMethod", "id": "t", "lastUsedDateTime": "2026-03-01T10:00:00Z"}),
        ])
    };
    let double = Double::new(move |_, request| {
        if request.uri().path().starts_with("/beta/") {
            refusal(400, "BadRequest", "Resource not found for the segment 'authentication'.")
        } else {
            rows()
        }
    });
    let methods = double.connect().reader().methods(&user()).await.unwrap();
    assert_eq!(double.calls().len(), 2);
    assert_eq!(methods[1].kind, MethodKind::Authenticator);
    assert_eq!((methods[1].name.as_str(), methods[1].created_at), ("SM-G991B", None));
    assert_eq!(
        (methods[2].name.as_str(), methods[2].phone_type.as_deref()),
        ("+1 4255550142", Some("mobile"))
    );
    assert_eq!(methods[3].kind, MethodKind::Unknown("telepathyAuthenticationMethod".to_owned()));
    assert!(methods[3].last_used_at.is_some());

    let double = Double::new(|_, _| refusal(403, "accessDenied", "Request Authorization failed"));
    let error = double.connect().reader().methods(&user()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("UserAuthenticationMethod.Read.All"));
    assert_eq!(double.calls().len(), 1, "v1.0 would say the same");
}

#[tokio::test(start_paused = true)]
async fn policies_with_preview_features_are_read_from_beta() {
    let double = Double::new(|_, request| {
        if request.uri().path().starts_with("/v1.0/") {
            refusal(
                400,
                "BadRequest",
                "1037: The policy you requested contains preview features. Use the Beta endpoint to retrieve this policy.",
            )
        } else {
            list(&[
                json!({"id": "b7d00000-0000-4000-8000-000000000001", "displayName": "x", "state": "enabled", "conditions": {}}),
            ])
        }
    });
    assert_eq!(double.connect().reader().policies().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_what_if_is_posted_and_its_answers_are_read() {
    let double = Double::new(|_, _| {
        answer(
            200,
            &json!({"value": [{"id": "b7d00000-0000-4000-8000-000000000001", "displayName": "x",
            "state": "enabledForReportingButNotEnforced", "policyApplies": false, "analysisReasons": "location, clientApps"}]}),
        )
    });
    let question = WhatIf {
        user: user(),
        purpose: SignInFor::App("00000002-0000-0ff1-ce00-000000000000".to_owned()),
        ip: Some("203.0.113.45".to_owned()),
        country: Some("NL".to_owned()),
        platform: Some("windows".to_owned()),
        client_app_type: Some("browser".to_owned()),
        compliant: Some(false),
    };
    let answers = double.connect().reader().remembering().what_if(&question).await.unwrap();
    assert_eq!(answers[0].reasons, ["location", "clientApps"]);
    assert_eq!((&answers[0].state, answers[0].applies), (&PolicyState::ReportOnly, false));
    let call = &double.calls()[0];
    assert_eq!(
        (call.method.as_str(), call.target.as_str()),
        ("POST", "/v1.0/identity/conditionalAccess/evaluate")
    );
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["signInConditions"]["deviceInfo"]["isCompliant"], json!(false));
    assert_eq!(body["signInIdentity"]["userId"], json!(USER));
}

fn sign_in(id: &str, at: &str, kind: &str) -> Value {
    json!({"id": id, "createdDateTime": at, "userId": USER, "userPrincipalName": "jo.reed@contoso.com", "ipAddress": "203.0.113.45",
        "isInteractive": kind == "interactiveUser", "signInEventTypes": [kind], "status": {"errorCode": 0},
        "location": {"city": "Amsterdam", "countryOrRegion": "NL"}, "sessionId": "s"})
}

fn sign_in_query() -> SignInQuery {
    SignInQuery {
        user: Some(user()),
        ip: None,
        from: "2026-02-24T00:00:00Z".parse().unwrap(),
        to: Some("2026-03-02T00:00:00Z".parse().unwrap()),
    }
}

#[tokio::test(start_paused = true)]
async fn both_kinds_of_sign_in_come_in_one_question_each_row_once_newest_first() {
    let double = Double::new(|_, _| {
        let mut later = sign_in("a", "2026-03-01T10:00:00Z", "interactiveUser");
        later["userAgent"] = json!("later copy");
        answer(
            200,
            &json!({"value": [sign_in("b", "2026-03-01T11:00:00Z", "nonInteractiveUser"), later, {"id": "c"}]}),
        )
    });
    let log = double.connect().reader().sign_ins(&sign_in_query()).await.unwrap();
    let ids: Vec<_> = log.rows.iter().map(|row| (row.id.as_str(), row.interactive)).collect();
    assert_eq!(ids, [("b", false), ("a", true)]);
    assert_eq!(&*log.rows[0].place, "Amsterdam, NL");
    assert_eq!(log.notes, ["1 rows of the sign-in log have no id or no time, and were left out"]);
    assert!(log.has_non_interactive);
    let call = &double.calls()[0];
    assert_eq!(call.headers["prefer"], "include-unknown-enum-members");
    assert_eq!(
        call.target,
        "/beta/auditLogs/signIns?$filter=userId%20eq%20'0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69'%20and%20createdDateTime%20ge%202026-02-24T00:00:00Z%20and%20createdDateTime%20le%202026-03-02T00:00:00Z%20and%20signInEventTypes/any(t:%20t%20eq%20'interactiveUser'%20or%20t%20eq%20'nonInteractiveUser')&$top=500"
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_too_heavy_is_split_by_kind_then_by_span() {
    let double = Double::new(|_, request| {
        let query = query_of(request);
        let has = |text: &str| query.contains(text);
        let both = has("'interactiveUser'") && has("'nonInteractiveUser'");
        let is_whole = has("ge%202026-02-24T00") && has("le%202026-03-02T00");
        if both || (has("'nonInteractiveUser'") && is_whole) {
            refusal(504, "GatewayTimeout", "")
        } else if has("'nonInteractiveUser'") && has("ge%202026-02-27T00") {
            list(&[sign_in("n", "2026-02-28T00:00:00Z", "nonInteractiveUser")])
        } else if has("'nonInteractiveUser'") {
            list(&[sign_in("o", "2026-02-25T00:00:00Z", "nonInteractiveUser")])
        } else {
            list(&[sign_in("i", "2026-03-01T00:00:00Z", "interactiveUser")])
        }
    });
    let query = sign_in_query();
    let log = double.connect().reader().sign_ins(&query).await.unwrap();
    let ids: Vec<_> = log.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((ids, log.from, log.has_non_interactive), (vec!["i", "n", "o"], query.from, true));
    assert!(log.notes.is_empty(), "{:?}", log.notes);
}

#[tokio::test(start_paused = true)]
async fn what_stays_unread_of_the_log_is_said() {
    // Everything before the 27th fails, however small the span.
    let double = Double::new(|_, request| {
        let query = query_of(request);
        let both = query.contains("'interactiveUser'%20or");
        let is_old = query.contains("ge%202026-02-24")
            || query.contains("ge%202026-02-25")
            || query.contains("ge%202026-02-26");
        if query.contains("'nonInteractiveUser'") && (both || is_old) {
            refusal(504, "GatewayTimeout", "")
        } else {
            list(&[])
        }
    });
    let log = double.connect().reader().sign_ins(&sign_in_query()).await.unwrap();
    assert_eq!(log.from.to_string(), "2026-02-27T00:00:00Z");
    assert!(
        log.notes[0].contains("nonInteractiveUser sign-ins before 2026-02-27T00:00:00Z"),
        "{:?}",
        log.notes
    );
}

#[tokio::test(start_paused = true)]
async fn without_beta_the_log_of_v1_is_read_and_said_to_be_less() {
    let double = Double::new(|_, request| {
        if request.uri().path().starts_with("/beta/") {
            refusal(400, "BadRequest", "Resource not found for the segment 'signIns'.")
        } else {
            assert!(!query_of(request).contains("signInEventTypes"));
            list(&[
                json!({"id": "v", "createdDateTime": "2026-03-01T00:00:00Z", "isInteractive": true, "status": {"errorCode": 53003}}),
            ])
        }
    });
    let log = double.connect().reader().sign_ins(&sign_in_query()).await.unwrap();
    assert_eq!((log.rows.len(), log.rows[0].error_code, log.has_non_interactive), (1, 53003, false));
    assert_eq!(log.notes.len(), 2, "{:?}", log.notes);
    assert_eq!(double.calls().len(), 4, "{:?}", double.targets());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_refused_is_an_error_and_not_an_empty_log() {
    let double = Double::new(|_, _| {
        refusal(
            403,
            "Authentication_MSGraphPermissionMissing",
            "The principal does not have required Microsoft Graph permission(s): AuditLog.Read.All",
        )
    });
    let error = double.connect().reader().sign_ins(&sign_in_query()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("AuditLog.Read.All"));
    assert_eq!(double.calls().len(), 1);
    let double = Double::new(|_, _| refusal(503, "serviceNotAvailable", ""));
    double.connect().reader().sign_ins(&sign_in_query()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn audits_keep_what_changed_and_lose_the_push_secret() {
    let double = Double::new(|_, _| {
        list(&[
            json!({"id": "b", "activityDateTime": "2026-03-01T23:44:50.88Z", "activityDisplayName": "Update user", "loggedByService": "Core Directory",
                "initiatedBy": {"user": null, "app": {"displayName": "Azure MFA StrongAuthenticationService"}},
                "targetResources": [{"id": USER, "modifiedProperties": [{"displayName": "StrongAuthenticationPhoneAppDetail", "oldValue": null,
                    "newValue": "[{\"DeviceName\":\"SM-G991B\",\"DeviceToken\":\"fcm-secret\",\"Id\":\"2222\"},{\"DeviceToken\":\"NO_DEVICE_TOKEN\"},{\"DeviceToken\":\"fcm-cut"}]}]}),
            json!({"id": "a", "activityDateTime": "2026-03-01T23:44:51.2211Z", "activityDisplayName": "User registered security info",
                "loggedByService": "Authentication Methods", "resultReason": "User registered Authenticator App with Notification and Code",
                "initiatedBy": {"app": null, "user": {"id": USER, "userPrincipalName": "jo.reed@contoso.com", "ipAddress": "203.0.113.45"}},
                "targetResources": [{"id": "someone-else"}, {"id": USER, "modifiedProperties": []}]}),
        ])
    });
    let from = "2026-02-24T00:00:00Z".parse().unwrap();
    let records = double.connect().reader().directory_audits(&user(), from).await.unwrap();
    let ids: Vec<_> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(matches!(&records[0].actor, AuditActor::User { ip: Some(ip), .. } if ip == "203.0.113.45"));
    assert_eq!(
        records[1].actor,
        AuditActor::App { name: "Azure MFA StrongAuthenticationService".to_owned() }
    );
    let value = records[1].modified[0].new_value.as_deref().unwrap();
    assert!(!value.contains("fcm-"), "{value}");
    assert!(
        value.contains("\"DeviceToken\":\"NO_DEVICE_TOKEN\"") && value.contains("\"Id\":\"2222\""),
        "{value}"
    );
    assert!(double.targets()[0].contains("targetResources/any(t:t/id%20eq%20'"), "{:?}", double.targets());
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_the_tenant_is_read() {
    let double = by_path(&[
        ("/v1.0/organization", || {
            list(&[json!({"id": crate::graph::double::TENANT, "displayName": "Contoso"})])
        }),
        ("/v1.0/domains/contoso.com", || answer(200, &json!({"authenticationType": "Federated"}))),
        ("/v1.0/domains/fabrikam.com", || answer(200, &json!({"id": "fabrikam.com"}))),
        ("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", || {
            answer(200, &json!({"isEnabled": true}))
        }),
        ("/v1.0/groups/5f00aaaa-0000-4000-8000-00000000bb99", || {
            answer(200, &json!({"displayName": "Emergency"}))
        }),
        ("/v1.0/groups/5f00aaaa-0000-4000-8000-00000000bb99/transitiveMembers/microsoft.graph.user", || {
            list(&[json!({"id": USER})])
        }),
        ("/v1.0/servicePrincipals", || list(&[])),
        ("/beta/users/0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69/authentication/signInPreferences", || {
            answer(200, &json!({"userPreferredMethodForSecondaryAuthentication": "push"}))
        }),
        ("/v1.0/users/0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69/ownedDevices/microsoft.graph.device", || {
            list(&[json!({"id": "d1", "deviceId": "x", "isCompliant": true})])
        }),
        ("/v1.0/users/0f3c2b1a-7d4e-4c5b-9a8f-1e2d3c4b5a69/registeredDevices/microsoft.graph.device", || {
            list(&[
                json!({"id": "d1", "deviceId": "x"}),
                json!({"id": "d2", "deviceId": "y", "isCompliant": null}),
            ])
        }),
        ("/v1.0/identity/conditionalAccess/namedLocations", || {
            list(&[
                json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "0a6c1d2e-1111-4a4a-9c9c-5b2f00000001",
                "displayName": "IP Blacklist", "isTrusted": false, "ipRanges": [{"cidrAddress": "12.34.221.11/22"}]}),
            ])
        }),
    ]);
    let reader = double.connect().reader();
    assert_eq!(reader.organization().await.unwrap().name, "Contoso");
    assert!(reader.domain_is_federated("contoso.com").await.unwrap());
    assert!(reader.domain_is_federated("fabrikam.com").await.is_err(), "what is not said is not known");
    assert!(reader.security_defaults_on().await.unwrap());
    let group = "5f00aaaa-0000-4000-8000-00000000bb99".parse().unwrap();
    assert_eq!(reader.group(&group).await.unwrap().unwrap().name, "Emergency");
    assert_eq!(reader.group_members(&group).await.unwrap(), [user()]);
    assert!(!reader.service_principal_exists("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe").await.unwrap());
    assert_eq!(reader.default_method(&user()).await.unwrap().as_deref(), Some("push"));
    let devices = reader.devices_of(&user()).await.unwrap();
    let devices: Vec<_> = devices.iter().map(|device| (device.id.as_str(), device.compliant)).collect();
    assert_eq!(devices, [("d1", Some(true)), ("d2", None)]);
    assert_eq!(
        reader.named_locations().await.unwrap()[0].ranges[0].block.unwrap().to_string(),
        "12.34.220.0/22"
    );
    let missing = "0a6c1d2e-1111-4a4a-9c9c-5b2f00000009".parse().unwrap();
    assert_eq!(reader.named_location(&missing).await.unwrap(), None);
}

#[test]
fn futures_may_cross_threads() {
    fn crosses<T: Send>(_: &T) {}
    fn check(reader: &Reader, query: &SignInQuery, user: &UserId) {
        crosses(&reader.sign_ins(query));
        crosses(&reader.roles_of(user));
        crosses(&reader.methods(user));
    }
    let _ = check;
}
