//! Guards: refused by default, and where they can be set aside, on the record.

use serde_json::{Value, json};
use stanch::case::RoleSource;
use stanch::run::Verdict;

use crate::world::World;

async fn refusal(world: &World, user: &str) -> (String, u8) {
    let mut request = world.request("evict");
    user.clone_into(&mut request.user);
    request.user_agents.clear();
    let error = world.plan_for(request).await.unwrap_err();
    (error.to_string(), error.exit_status())
}

#[tokio::test(start_paused = true)]
async fn emergency_sync_and_admin_accounts_are_refused() {
    let world = World::case("bec-node-fetch");
    for (user, guard) in [
        ("emergency.access.one@contoso.onmicrosoft.com", "emergency_account"),
        ("Sync_DC01_4f1c09ab73de@contoso.onmicrosoft.com", "sync_account"),
        ("tenant.administrator@contoso.com", "privileged_subject"),
    ] {
        let (message, exit) = refusal(&world, user).await;
        assert_eq!(exit, 3, "{user}");
        assert!(message.contains(guard), "{message}");
    }
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_admin_is_planned_for_when_a_person_says_so_and_the_plan_tells() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.user = "tenant.administrator@contoso.com".to_owned();
    request.user_agents.clear();
    request.overrides = vec!["privileged_subject".to_owned(), "few_administrators".to_owned()];
    let plan = world.plan_for(request).await.unwrap();
    assert!(plan.guards.overridden.iter().any(|own| own.guard == "privileged_subject"));
    let roles = plan.case.subject.roles.read().unwrap();
    assert!(roles.iter().any(|role| role.source == RoleSource::Active));
}

#[tokio::test(start_paused = true)]
async fn roles_that_cannot_be_read_count_as_privileged() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        for app in tenant["applications"].as_array_mut().unwrap() {
            app["roles"].as_array_mut().unwrap().retain(|role| {
                let role = role.as_str().unwrap();
                !role.starts_with("Role") && role != "Directory.Read.All"
            });
        }
    });
    let (message, exit) = refusal(&world, world.victim()).await;
    assert_eq!(exit, 3, "{message}");
    assert!(message.contains("privileged_subject"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn ranges_of_the_company_private_ones_and_wide_ones_are_refused_and_told() {
    let mut world = World::case("bec-node-fetch");
    world.guards.company_ranges.push("45.83.220.0/24".parse().unwrap());
    let mut request = world.request("bec");
    for range in ["10.0.0.0/24", "45.83.220.9/32", "93.0.0.0/12", "203.0.113.1/32", "185.12.45.9/32"] {
        request.ips.push(range.parse().unwrap());
    }
    let plan = world.plan_for(request).await.unwrap();
    let bodies: String = plan
        .actions
        .iter()
        .flat_map(|action| &action.requests)
        .map(|request| request.body.to_string())
        .collect();
    assert!(bodies.contains("185.12.45.9/32"));
    for refused in ["10.0.0.0/24", "45.83.220.9/32", "93.0.0.0/12", "203.0.113.1/32"] {
        assert!(!bodies.contains(refused), "{refused} would be blocked");
        assert!(
            plan.guards.refused.iter().any(|own| own.object.contains(refused) && !own.next.is_empty()),
            "{refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_holds_the_companys_own_addresses_already_is_not_made_to_bite() {
    let mut world = World::case("bec-node-fetch");
    world.guards.company_ranges.push("198.51.100.0/25".parse().unwrap());
    let plan = world.plan("bec").await;
    let blocks =
        |action: &&stanch::plan::Action| action.step == "block_ips" && action.object.kind == "policy";
    assert_eq!(plan.actions.iter().find(blocks), None, "everybody at the company would be locked out");
    let refused = plan.guards.refused.iter().find(|own| own.guard == "company_range").unwrap();
    assert_eq!(refused.object, "198.51.100.0/24");
    assert!(refused.next.contains("take it out of `IP Blacklist` first"), "{refused:?}");
    assert!(plan.warnings.iter().any(|own| own.contains("recorded, NOT enforced")), "{:?}", plan.warnings);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial, "a block that does not bite is no containment");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_holds_a_trusted_place_already_is_not_made_to_bite() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        tenant["namedLocations"][1]["ipRanges"][0]["cidrAddress"] = json!("203.0.113.0/28");
    });
    let plan = world.plan("bec").await;
    let refused = plan.guards.refused.iter().find(|own| own.guard == "trusted_location").unwrap();
    assert!(refused.why.contains("`Head office`"), "{refused:?}");
    assert!(!plan.actions.iter().any(|own| own.step == "block_ips" && own.object.kind == "policy"));
}

#[tokio::test(start_paused = true)]
async fn without_emergency_accounts_no_policy_is_planned_and_the_block_is_called_not_enforced() {
    let mut world = World::case("bec-node-fetch");
    world.guards.emergency_accounts.clear();
    let plan = world.plan("bec").await;
    let makes_policy = |request: &stanch::plan::PlannedRequest| request.path.ends_with("/policies");
    assert!(!plan.actions.iter().flat_map(|action| &action.requests).any(makes_policy));
    let told = serde_json::to_string(&plan).unwrap();
    assert!(told.contains("recorded, NOT enforced"), "{:?}", plan.warnings);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial, "a block that does not bite is no containment");
}

#[tokio::test(start_paused = true)]
async fn emergency_accounts_are_left_out_of_every_policy() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("bec").await;
    let policies: Vec<&Value> = plan
        .actions
        .iter()
        .flat_map(|action| &action.requests)
        .filter(|request| request.path.ends_with("/policies"))
        .map(|request| &request.body)
        .collect();
    assert!(policies.len() >= 3);
    for policy in policies {
        for upn in &world.guards.emergency_accounts {
            let id = world.user_id(upn);
            let excluded = policy["conditions"]["users"]["excludeUsers"].as_array().unwrap();
            assert!(excluded.contains(&json!(id)), "{upn} would be hit by {}", policy["displayName"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_synced_user_is_at_most_partial_and_the_plan_says_what_to_do_instead() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let victim =
            users.iter_mut().find(|user| user["userPrincipalName"] == "lynne.robbins@contoso.com").unwrap();
        victim["onPremisesSyncEnabled"] = json!(true);
    });
    let plan = world.plan("evict").await;
    let reset = plan.actions.iter().find(|action| action.step == "reset_password").unwrap();
    assert!(reset.requests.is_empty());
    let instead = reset.cannot.as_ref().unwrap().instead.join("\n");
    assert!(instead.contains("Set-ADAccountPassword"), "{instead}");
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(run.open.iter().any(|item| item.next.contains("Set-ADAccountPassword")));
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_user_gets_the_near_ones_and_nothing_else_happens() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.user = "lynne.robins@contoso.com".to_owned();
    let error = world.plan_for(request).await.unwrap_err();
    assert_eq!(error.exit_status(), 2);
    assert!(error.hint().unwrap().contains("lynne.robbins@contoso.com"), "{:?}", error.hint());
}

const SECOND_ADMINISTRATOR: &str = "second.administrator@contoso.com";

/// The reference tenant, with so many more Global Administrators: one directly, and one through a group, eligible only.
fn with_administrators(more: usize) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let role = "62e90394-69f5-4237-9190-012177145e10";
        let ids: Vec<String> =
            (0..2).map(|number| format!("00000000-0000-4000-8000-00000000000{number}")).collect();
        let template = tenant["users"][0].clone();
        for (number, id) in ids.iter().take(more).enumerate() {
            let mut user = template.clone();
            user["id"] = json!(id);
            user["accountEnabled"] = json!(true);
            user["userPrincipalName"] = json!(if number == 0 {
                SECOND_ADMINISTRATOR.to_owned()
            } else {
                "third@contoso.com".to_owned()
            });
            user["mail"] = Value::Null;
            user["proxyAddresses"] = json!([]);
            tenant["users"].as_array_mut().unwrap().push(user);
        }
        let assignment = |principal: &str| {
            json!({ "id": format!("{principal}-1"), "principalId": principal, "roleDefinitionId": role,
                    "directoryScopeId": "/", "appScopeId": null })
        };
        // So that a test can disable one of them.
        tenant["applications"][0]["directoryRoles"] = json!(["Global Administrator"]);
        if more > 0 {
            tenant["roleAssignments"].as_array_mut().unwrap().push(assignment(&ids[0]));
        }
        if more > 1 {
            let group = "00000000-0000-4000-8000-0000000000aa";
            tenant["groups"] = json!([{ "id": group, "displayName": "Administrators", "isAssignableToRole": true,
                                        "securityEnabled": true, "mailEnabled": false, "groupTypes": [] }]);
            tenant["groupMembers"] = json!({ group: [ids[1]] });
            tenant["roleEligibilityScheduleInstances"] = json!([assignment(group)]);
        }
    })
}

async fn plan_for_administrator(world: &World, playbook: &str, overrides: &[&str]) -> Result<(), String> {
    let mut request = world.request(playbook);
    request.user = "tenant.administrator@contoso.com".to_owned();
    request.user_agents.clear();
    request.overrides = overrides.iter().map(|&own| own.to_owned()).collect();
    world.plan_for(request).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn an_administrator_is_contained_without_a_word_only_where_two_others_are_left() {
    let said = ["privileged_subject"];
    for more in [0, 1] {
        let message = plan_for_administrator(&with_administrators(more), "evict", &said).await.unwrap_err();
        assert!(message.contains("few_administrators"), "{more}: {message}");
        let told = ["privileged_subject", "few_administrators"];
        plan_for_administrator(&with_administrators(more), "evict", &told).await.unwrap();
    }
    plan_for_administrator(&with_administrators(2), "evict", &said).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_only_administrator_is_never_contained_and_one_who_cannot_sign_in_does_not_count() {
    let mut world = World::case_with("bec-node-fetch", |tenant| {
        for user in tenant["users"].as_array_mut().unwrap() {
            if user["userPrincipalName"].as_str().unwrap().starts_with("emergency") {
                user["accountEnabled"] = json!(false);
            }
        }
    });
    world.guards.emergency_accounts.clear();
    world.guards.no_emergency_accounts = true;
    let told = ["privileged_subject", "few_administrators"];
    let message = plan_for_administrator(&world, "evict", &told).await.unwrap_err();
    assert!(message.contains("last_administrator"), "{message}");
    let unheard = plan_for_administrator(&world, "evict", &["last_administrator"]).await.unwrap_err();
    assert!(unheard.contains("cannot be set aside"), "{unheard}");
}

#[tokio::test(start_paused = true)]
async fn an_administrator_who_went_meanwhile_counts_at_apply() {
    let world = with_administrators(2);
    let mut request = world.request("evict");
    request.user = "tenant.administrator@contoso.com".to_owned();
    request.user_agents.clear();
    request.overrides = vec!["privileged_subject".to_owned()];
    let plan = world.plan_for(request).await.unwrap();
    let path = "/v1.0/users/00000000-0000-4000-8000-000000000000";
    let status = world.send_as(&world.responder, "PATCH", path, json!({ "accountEnabled": false })).await;
    assert_eq!(status, 204);
    let before = world.writes().await.len();
    let error = world.try_apply(&plan).await.unwrap_err();
    assert!(error.to_string().contains("few_administrators"), "{error}");
    assert_eq!(world.writes().await.len(), before);
}
