//! Each playbook against cases of its own kind, made by seeds: the attacker is in before and out after, and whatever is
//! somebody else's stays as it was.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mock_graph::{Kind, generate};
use serde_json::{Value, json};
use stanch::domain::CidrBlock;
use stanch::plan::{Plan, preview};
use stanch::run::{Run, Verdict};

use crate::world::{World, shipped};

/// Seeds of each kind.
const SEEDS: std::ops::Range<u64> = 100..104;

/// The playbooks, each with the kind of case that it is for.
const OWN_KINDS: [(&str, Kind); 6] = [
    ("bec", Kind::Bec),
    ("token-theft", Kind::Aitm),
    ("password-spray", Kind::Spray),
    ("mfa-fatigue", Kind::MfaFatigue),
    ("malicious-consent", Kind::MaliciousConsent),
    ("mass-compromise", Kind::Mass),
];

/// The other victims come from the intruder's addresses too: somebody has looked, and says so.
const SHARED: [&str; 1] = ["shared_address"];

/// The lists of the truth that hold what is the user's own.
const KEPT: [&str; 4] = ["keepMethods", "keepRules", "keepGrants", "keepDevices"];

/// What the attackers of a tenant file hold, as ids.
const HELD: [&str; 3] = ["methodIds", "grantIds", "ruleIds"];

fn words(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Plans for somebody without a hint. What the records do not tell, a person says: they know whose it is.
async fn plan_as_told(world: &World, playbook: &str, user: &str, overrides: &[&str]) -> Plan {
    let attackers = world.tenant["attackers"].as_array().unwrap();
    let mut held: BTreeSet<String> =
        attackers.iter().flat_map(|own| HELD.iter().flat_map(|key| words(&own[key]))).collect();
    held.extend(attackers.iter().filter_map(|own| own["deviceId"].as_str()).map(str::to_owned));
    let is_id = |text: &String| text.parse::<IpAddr>().is_err();
    let (theirs, own): (Vec<String>, Vec<String>) =
        words(&world.truth["askable"]).into_iter().filter(is_id).partition(|id| held.contains(id));
    let mut request = world.request(playbook);
    request.user = user.to_owned();
    request.user_agents.clear();
    request.remove = theirs.iter().map(|id| id.parse().unwrap()).collect();
    request.keep = own.iter().map(|id| id.parse().unwrap()).collect();
    request.overrides = overrides.iter().map(|&name| name.to_owned()).collect();
    // A second administrator decides about one of them.
    let roles = world.tenant["roleAssignments"].as_array().unwrap();
    if roles.iter().any(|own| own["principalId"] == world.user_id(user).as_str()) {
        request.overrides.push("privileged_subject".to_owned());
    }
    world.plan_for(request).await.unwrap()
}

fn open_ways(attempt: &Value) -> BTreeSet<String> {
    let paths = attempt["paths"].as_array().unwrap().iter();
    let open = paths.filter(|own| own["outcome"] == "open");
    open.map(|own| format!("{} from {}", own["path"].as_str().unwrap(), own["from"].as_str().unwrap()))
        .collect()
}

/// The ways in that are open to an attacker by where they come from and what is assumed.
async fn ways_in(world: &World, attacker: &str, body: Value) -> BTreeSet<String> {
    let path = format!("/_mock/attackers/{attacker}/attempt");
    let (status, told) = world.control("POST", &path, Some(body)).await;
    assert_eq!(status, 200, "{told}");
    open_ways(&serde_json::from_str(&told).unwrap())
}

/// The names of the attackers who are after a user.
fn attackers_of(world: &World, user: &str) -> Vec<String> {
    let id = world.user_id(user);
    let attackers = world.tenant["attackers"].as_array().unwrap().iter();
    attackers
        .filter(|own| own["userId"] == id.as_str())
        .map(|own| own["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn is_out(world: &World, name: &str, user: &str) {
    for attacker in attackers_of(world, user) {
        for body in [
            json!({ "assume": {} }),
            json!({ "from": ["unseen"], "assume": {} }),
            // On the day that the account is enabled again nothing of theirs may work.
            json!({ "assume": { "accountEnabled": true } }),
            json!({ "from": ["unseen"], "assume": { "accountEnabled": true } }),
        ] {
            let open = ways_in(world, &attacker, body.clone()).await;
            assert_eq!(open, BTreeSet::new(), "{name}: {attacker} {body}");
        }
    }
}

/// The ids that a plan acts on, and the addresses and ranges that it blocks.
fn acted_on(plan: &Plan) -> (BTreeSet<String>, Vec<CidrBlock>) {
    let objects = plan.actions.iter().filter(|action| !action.requests.is_empty());
    let ids = objects.filter_map(|action| action.object.id.clone()).collect();
    let mut blocks = Vec::new();
    for request in plan.actions.iter().flat_map(|action| &action.requests) {
        let ranges = request.body["ipRanges"].as_array().into_iter().flatten();
        blocks.extend(
            ranges.filter_map(|own| own["cidrAddress"].as_str()).map(|own| own.parse::<CidrBlock>().unwrap()),
        );
    }
    (ids, blocks)
}

/// Holds a plan, and the tenant after it, against what is the users' own.
fn nothing_benign_is_touched(name: &str, world: &World, plan: &Plan, before: &Value, after: &Value) {
    let (ids, blocks) = acted_on(plan);
    let subject = plan.case.subject.upn.as_str();
    for key in KEPT {
        let own = words(&world.truth["byVictim"][subject][key]);
        let touched: Vec<_> = own.intersection(&ids).collect();
        assert!(touched.is_empty(), "{name}: {key} {touched:?}");
    }
    for address in words(&world.truth["benignIps"]) {
        let address: IpAddr = address.parse().unwrap();
        let block = blocks.iter().find(|block| block.contains(address));
        assert!(block.is_none(), "{name}: {block:?} takes in {address}");
    }
    let id = plan.case.subject.id.as_str();
    for list in ["users", "devices", "oauth2PermissionGrants", "servicePrincipals", "roleAssignments"] {
        let of_others = |state: &Value| -> Vec<Value> {
            let all = state[list].as_array().cloned().unwrap_or_default();
            all.into_iter().filter(|own| !is_subjects(own, id, &ids)).collect()
        };
        assert_eq!(of_others(before), of_others(after), "{name}: {list} of others");
    }
    for map in ["authenticationMethods", "messageRules", "passwords"] {
        let of_others = |state: &Value| -> Value {
            let mut all = state[map].clone();
            if let Some(entries) = all.as_object_mut() {
                entries.remove(id);
            }
            all
        };
        assert_eq!(of_others(before), of_others(after), "{name}: {map} of others");
    }
}

/// Whether an object is the subject, or one that the plan names.
fn is_subjects(object: &Value, subject: &str, acted: &BTreeSet<String>) -> bool {
    object["id"].as_str().is_some_and(|id| id == subject || acted.contains(id))
}

/// What a run may come to: contained, unless the plan says that something waits for a person.
fn fits(plan: &Plan, run: &Run) -> bool {
    let waits = plan.actions.iter().any(|action| action.required && action.cannot.is_some())
        || plan.left.iter().any(|left| left.holds_back)
        || plan.guards.refused.iter().any(|refusal| refusal.holds_back);
    run.verdict == if waits { Verdict::Partial } else { Verdict::Contained }
}

/// Plans, looks that nothing was written, applies, and holds what came of it against the truth.
async fn contain(world: &World, name: &str, (playbook, user): (&str, &str), overrides: &[&str]) -> Run {
    let before = (world.digest().await, world.state().await, world.writes().await.len());
    let plan = plan_as_told(world, playbook, user, overrides).await;
    assert_eq!(world.digest().await, before.0, "{name}: planning wrote");
    assert_eq!(world.writes().await.len(), before.2, "{name}: planning wrote");
    let run = world.apply(&plan).await;
    assert!(fits(&plan, &run), "{name}: {} {:#?}", run.verdict, run.open);
    nothing_benign_is_touched(name, world, &plan, &before.1, &world.state().await);
    run
}

#[tokio::test(start_paused = true)]
async fn each_playbook_puts_out_the_attacker_of_its_own_kind_and_touches_nothing_else() {
    for (playbook, kind) in OWN_KINDS {
        let mut contained = 0;
        for seed in SEEDS {
            let name = format!("{playbook} {kind} {seed}");
            let world = World::made(generate(kind, seed));
            let victim = world.victim().to_owned();
            for attacker in attackers_of(&world, &victim) {
                let open = ways_in(&world, &attacker, json!({ "assume": {} })).await;
                assert!(!open.is_empty(), "{name}: {attacker} is not in to begin with");
            }
            let run = contain(&world, &name, (playbook, &victim), &[]).await;
            is_out(&world, &name, &victim).await;
            contained += u64::from(run.verdict == Verdict::Contained);
        }
        assert!(contained > 0, "{playbook} contained none of its cases in full");
    }
}

#[tokio::test(start_paused = true)]
async fn many_users_are_contained_one_after_the_other_and_share_one_list() {
    for seed in SEEDS {
        let world = World::made(generate(Kind::Mass, seed));
        let victims = words(&world.truth["victims"]);
        assert!(victims.len() > 1, "{seed}");
        for victim in &victims {
            let name = format!("mass {seed} {victim}");
            contain(&world, &name, ("mass-compromise", victim), &SHARED).await;
        }
        for victim in &victims {
            is_out(&world, &format!("mass {seed} {victim}"), victim).await;
        }
        one_list_holds_every_address(&world, seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_users_are_contained_side_by_side_once_the_first_has_made_the_list_bite() {
    let mut cases = 0;
    for seed in SEEDS.start.. {
        let world = World::made(generate(Kind::Mass, seed));
        let victims: Vec<String> = words(&world.truth["victims"]).into_iter().collect();
        let [first, second, third, ..] = &victims[..] else { continue };
        contain(&world, &format!("mass {seed}"), ("mass-compromise", first), &SHARED).await;
        let plans = tokio::join!(
            plan_as_told(&world, "mass-compromise", second, &SHARED),
            plan_as_told(&world, "mass-compromise", third, &SHARED)
        );
        let runs = tokio::join!(world.apply(&plans.0), world.apply(&plans.1));
        for (plan, run) in [(&plans.0, &runs.0), (&plans.1, &runs.1)] {
            assert!(fits(plan, run), "mass {seed}: {} {:#?}", run.verdict, run.open);
        }
        for victim in [first, second, third] {
            is_out(&world, &format!("mass {seed} {victim}"), victim).await;
        }
        one_list_holds_every_address(&world, seed).await;
        cases += 1;
        if cases == 3 {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_begin_at_once_lose_no_address_and_leave_nobody_in() {
    for seed in SEEDS {
        let world = World::made(generate(Kind::Mass, seed));
        let victims: Vec<String> = words(&world.truth["victims"]).into_iter().collect();
        let plans = tokio::join!(
            plan_as_told(&world, "mass-compromise", &victims[0], &SHARED),
            plan_as_told(&world, "mass-compromise", &victims[1], &SHARED)
        );
        let wanted: Vec<CidrBlock> = [acted_on(&plans.0).1, acted_on(&plans.1).1].concat();
        let runs = tokio::join!(world.apply(&plans.0), world.apply(&plans.1));
        for (plan, run) in [(&plans.0, &runs.0), (&plans.1, &runs.1)] {
            // Whoever finds the group or a policy made meanwhile is told to look again, and makes no second one.
            let is_late = run.open.iter().any(|own| own.why.contains("changed since the plan"));
            assert!(fits(plan, run) || is_late, "mass {seed}: {} {:#?}", run.verdict, run.open);
        }
        for victim in &victims[..2] {
            is_out(&world, &format!("mass {seed} {victim}"), victim).await;
        }
        let held = listed(&world, seed).await;
        assert!(wanted.iter().all(|own| held.contains(&own.to_string())), "{seed}: {wanted:?} {held:?}");
    }
}

/// The ranges of the one list, each of which stands there once.
async fn listed(world: &World, seed: u64) -> BTreeSet<String> {
    let state = world.state().await;
    let locations = state["namedLocations"].as_array().unwrap();
    let lists: Vec<&Value> = locations.iter().filter(|own| own["displayName"] == "IP Blacklist").collect();
    assert_eq!(lists.len(), 1, "{seed}");
    let ranges = lists[0]["ipRanges"].as_array().unwrap();
    let once: BTreeSet<String> =
        ranges.iter().map(|own| own["cidrAddress"].as_str().unwrap().to_owned()).collect();
    assert_eq!(once.len(), ranges.len(), "{seed}: {ranges:?}");
    once
}

/// Every address of the attackers is in the one list, beside what was there before, and one policy makes it bite.
async fn one_list_holds_every_address(world: &World, seed: u64) {
    let held = listed(world, seed).await;
    assert!(held.contains("194.165.16.0/24"), "{seed}: what was there is gone: {held:?}");
    let blocks: Vec<CidrBlock> = held.iter().map(|own| own.parse().unwrap()).collect();
    for address in words(&world.truth["attackerIps"]) {
        let address: IpAddr = address.parse().unwrap();
        assert!(blocks.iter().any(|block| block.contains(address)), "{seed}: {address} is not in {held:?}");
    }
    let state = world.state().await;
    let policies = state["conditionalAccessPolicies"].as_array().unwrap();
    let blocking =
        policies.iter().filter(|own| own["displayName"] == "stanch: block IP Blacklist").collect::<Vec<_>>();
    assert_eq!(blocking.len(), 1, "{seed}");
    assert_eq!(blocking[0]["state"], "enabled", "{seed}");
}

/// Somebody who leaves, and holds what their own account has: an attacker for the mock.
fn with_leaver(seed: u64) -> World {
    let mut case = generate(Kind::Leaver, seed);
    let upn = case.truth["victims"][0].as_str().unwrap().to_owned();
    let user =
        case.tenant["users"].as_array().unwrap().iter().find(|own| own["userPrincipalName"] == upn.as_str());
    let id = user.unwrap()["id"].as_str().unwrap().to_owned();
    let rows = case.tenant["signIns"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["userId"] == id.as_str() && row["status"]["errorCode"] == 0);
    let last = own.max_by_key(|row| row["createdDateTime"].as_str().unwrap().to_owned()).unwrap().clone();
    let grants = case.tenant["oauth2PermissionGrants"].as_array().unwrap().iter();
    let grants: Vec<_> =
        grants.filter(|own| own["principalId"] == id.as_str()).map(|own| own["id"].clone()).collect();
    let devices = case.tenant["devices"].as_array().unwrap().iter();
    let is_own_windows =
        |own: &&Value| own["operatingSystem"] == "Windows" && words(&own["registeredOwners"]).contains(&id);
    let device = devices.into_iter().find(is_own_windows).map(|own| own["id"].clone());
    let mut attacker = json!({
        "name": "leaver", "userId": id, "userAgent": last["userAgent"], "ips": [last["ipAddress"]],
        "session": "other", "sessionId": last["sessionId"], "refreshTokenIssuedAt": last["createdDateTime"],
        "knowsPassword": true, "methodIds": case.truth["keepMethods"], "grantIds": grants, "ruleIds": [],
        "device": { "isCompliant": true, "isRegistered": device.is_some(), "platform": "windows" }
    });
    if let Some(device) = device {
        attacker["deviceId"] = device;
    }
    case.tenant["attackers"] = json!([attacker]);
    World::made(case)
}

#[tokio::test(start_paused = true)]
async fn an_account_is_closed_without_an_intruder_to_look_for_and_opens_to_its_former_user_no_more() {
    for seed in SEEDS {
        let name = format!("leaver {seed}");
        let world = with_leaver(seed);
        let user = world.victim().to_owned();
        let open = ways_in(&world, "leaver", json!({ "assume": {} })).await;
        assert!(!open.is_empty(), "{name}: the user cannot sign in to begin with");
        let before = (world.digest().await, world.state().await);
        let plan = plan_as_told(&world, "leaver", &user, &[]).await;
        assert_eq!(world.digest().await, before.0, "{name}: planning wrote");
        let is_all = |own: &str| plan.actions.iter().filter(|action| action.step == own).count();
        assert!(is_all("remove_auth_methods") > 0 && is_all("block_ips") == 0, "{name}: {:?}", plan.actions);
        let preview = preview::text(&plan, &preview::Style::default());
        assert!(preview.contains(&format!("Plan to close the account of {user}")), "{preview}");
        assert!(!preview.contains("contain"), "{name}: {preview}");
        let run = world.apply(&plan).await;
        assert!(fits(&plan, &run), "{name}: {} {:#?}", run.verdict, run.open);
        let told = stanch::report::text(&plan, &run, false);
        assert!(told.contains("losed"), "{told}");
        assert!(!told.to_lowercase().contains("contain"), "{told}");
        is_out(&world, &name, &user).await;
        // Whatever is somebody else's stays.
        let (after, (ids, blocks)) = (world.state().await, acted_on(&plan));
        assert!(blocks.is_empty(), "{name}");
        for list in ["users", "devices", "oauth2PermissionGrants"] {
            let of_others = |state: &Value| -> Vec<Value> {
                let all = state[list].as_array().cloned().unwrap_or_default();
                all.into_iter().filter(|own| !is_subjects(own, plan.case.subject.id.as_str(), &ids)).collect()
            };
            assert_eq!(of_others(&before.1), of_others(&after), "{name}: {list} of others");
        }
        let wide = |state: &Value| {
            let grants = state["oauth2PermissionGrants"].as_array().unwrap().iter();
            grants.filter(|own| own["consentType"] == "AllPrincipals").count()
        };
        assert_eq!(wide(&before.1), wide(&after), "{name}: a consent for everyone went");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_kept_of_an_account_that_is_closed_is_kept() {
    let world = with_leaver(SEEDS.start);
    let method = words(&world.truth["keepMethods"]).into_iter().next().unwrap();
    let mut request = world.request("leaver");
    request.keep = vec![method.parse().unwrap()];
    let plan = world.plan_for(request).await.unwrap();
    assert!(!acted_on(&plan).0.contains(&method));
    let left = plan.left.iter().find(|own| own.object.contains(&method)).unwrap();
    assert!(!left.holds_back && left.why.iter().any(|why| why.contains("--keep")), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_broke_in_no_playbook_acts_on_evidence() {
    const BY_EVIDENCE: [&str; 8] = [
        "remove_auth_methods",
        "block_ips",
        "revoke_app_consents",
        "disable_devices",
        "disable_inbox_rules",
        "disable_service_principal",
        "strip_roles",
        "cancel_temporary_access_passes",
    ];
    for seed in SEEDS {
        for playbook in shipped() {
            let world = World::made(generate(Kind::Benign, seed));
            let mut request = world.request(&playbook);
            request.user_agents.clear();
            let plan = world.plan_for(request).await.unwrap();
            let is_all = |own: &str| {
                let book = crate::world::bound(&playbook);
                book.steps.iter().any(|step| step.step == own && step.with["which"] == "all")
            };
            let acts: Vec<_> = plan
                .actions
                .iter()
                .filter(|own| BY_EVIDENCE.contains(&own.step.as_str()) && !is_all(&own.step))
                .filter(|own| !own.requests.is_empty())
                .map(|own| &own.summary)
                .collect();
            assert!(acts.is_empty(), "{playbook} benign {seed}: {acts:?}");
            assert!(
                plan.case.indicators.iter().all(|own| !own.is_certain()),
                "{playbook} benign {seed}: {:?}",
                plan.case.indicators
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_all_that_the_intruder_has_is_not_called_contained() {
    let world = World::case("bec-node-fetch");
    let plan = world.plan("malicious-consent").await;
    let left = plan.left.iter().find(|own| own.object.starts_with("the password")).unwrap();
    assert!(left.holds_back, "{left:?}");
    assert!(left.why[0].contains("signed in without an app"), "{:?}", left.why);
    assert!(
        left.next.as_deref().unwrap().contains("stanch plan bec --user lynne.robbins@contoso.com"),
        "{:?}",
        left.next
    );
    assert!(plan.residual_risk.iter().any(|own| own.contains("way back in")), "{:?}", plan.residual_risk);
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Partial);
    // A log that is not read tells nothing of how the intruder came in.
    let unread = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "AuditLog.Read.All");
    });
    let plan = unread.plan("malicious-consent").await;
    let left = plan.left.iter().find(|own| own.object.starts_with("the password")).unwrap();
    assert!(left.holds_back && left.why[0].contains("not read"), "{left:?}");
}

#[test]
fn every_step_of_a_shipped_playbook_says_why_it_stands_there() {
    for name in shipped() {
        for step in crate::world::bound(&name).steps {
            assert!(step.summary.is_some_and(|own| own.len() > 20), "{name}: {}", step.id);
        }
    }
}
