//! Alerts: every sample and every awkward value, read and normalised.

use std::path::PathBuf;

use serde_json::{Value, json};
use stanch::alert::{
    Account, AlertFault, Body, Mapping, NamedUser, Pointer, Reading, Severity, Source, Trigger, read_time,
};
use stanch::config::{Pointers, WidestBlock};
use stanch::domain::CidrBlock;
use stanch::engine::FromAlert;

use crate::processes::{Mock, stanch};
use crate::world::World;

const WIDEST: WidestBlock = WidestBlock { ipv4: 24, ipv6: 48 };

pub fn sample(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/alerts").join(name)).unwrap()
}

fn json_of(name: &str) -> Value {
    serde_json::from_slice(&sample(name)).unwrap()
}

fn read(bytes: &[u8]) -> Trigger {
    let body = Body::read(bytes, Body::guess_form(bytes)).unwrap();
    Source::guess(&body).unwrap().read(&body, None, WIDEST).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What the samples' list says is found in a file, by field.
fn expected(file: &str, field: &str) -> Vec<String> {
    let all = json_of("expected.json");
    let found = &all["files"][file][field]["values"];
    if found.is_null() { Vec::new() } else { texts(found) }
}

const FILES: [&str; 7] = [
    "generic.json",
    "generic-standard-webhooks.json",
    "insightidr-alert.json",
    "insightidr-alert-evidence.json",
    "insightidr-log-webhook.json",
    "insightidr-log-webhook.form.txt",
    "insightconnect-uba-alert.json",
];

fn listed_as(file: &str) -> &str {
    match file {
        "generic-standard-webhooks.json" => "generic.json",
        "insightidr-log-webhook.form.txt" => "insightidr-log-webhook.json",
        other => other,
    }
}

#[test]
fn every_sample_gives_what_its_list_says() {
    for file in FILES {
        let trigger = read(&sample(file));
        let listed = |field: &str| expected(listed_as(file), field);
        let first = |field: &str| listed(field).into_iter().next();
        assert_eq!(trigger.id, first("event_id"), "{file}");
        if let Some(title) = first("title") {
            assert_eq!(trigger.title, title, "{file}");
        }
        assert_eq!(trigger.url, first("url"), "{file}");
        assert_eq!(trigger.tenant, first("tenant"), "{file}");
        let severity = first("severity").map_or(Severity::Unknown, |text| Severity::read(&text));
        assert_eq!(trigger.severity, severity, "{file}");
        assert_eq!(trigger.hints.time, first("time").map(|time| time.parse().unwrap()), "{file}");
        let addresses: Vec<_> =
            trigger.hints.addresses.iter().map(|block| block.network().to_string()).collect();
        assert_eq!(addresses, listed("ips"), "{file}");
        assert_eq!(trigger.hints.user_agents, listed("user_agent"), "{file}");
        assert_eq!(trigger.hints.sessions, listed("session"), "{file}");
        let [user] = trigger.users.as_slice() else { panic!("{file}: {:?}", trigger.users) };
        let wanted: Vec<Account> = listed("user_id")
            .iter()
            .map(|id| Account::Id(id.parse().unwrap()))
            .chain(listed("upn").iter().map(|upn| Account::Upn(upn.parse().unwrap())))
            .collect();
        assert_eq!(user.accounts, wanted, "{file}");
        assert!(!trigger.is_resolved && trigger.notes.is_empty(), "{file}: {:?}", trigger.notes);
    }
}

#[test]
fn the_pointers_of_the_list_find_its_values() {
    let all = json_of("expected.json");
    for (file, fields) in all["files"].as_object().unwrap() {
        let body = json_of(file);
        for (field, row) in fields.as_object().unwrap() {
            let pointer = Pointer::parse(row["pointer"].as_str().unwrap()).unwrap();
            let found: Vec<Value> =
                pointer.values(&body).into_iter().map(std::borrow::Cow::into_owned).collect();
            assert_eq!(&found, row["values"].as_array().unwrap(), "{file} {field}");
        }
    }
}

#[test]
fn actors_are_named_by_what_the_account_is_called() {
    let trigger = read(&sample("insightidr-alert-actors.json"));
    assert_eq!(trigger.users[0].accounts, [Account::Upn("lynne.robbins@contoso.com".parse().unwrap())]);
}

#[test]
fn alert_actors_and_evidence_in_one_body_are_about_one_user() {
    let mut whole = json_of("insightidr-alert.json");
    whole["actors"] = json_of("insightidr-alert-actors.json")["actors"].clone();
    whole["evidences"] = json_of("insightidr-alert-evidence.json")["evidences"].clone();
    let trigger = read(whole.to_string().as_bytes());
    let [user] = trigger.users.as_slice() else { panic!("{:?}", trigger.users) };
    assert_eq!(user.accounts.len(), 2);
    assert_eq!(trigger.hints.sessions.len(), 1);
    assert_eq!(trigger.hints.time, Some("2024-10-03T16:26:42Z".parse().unwrap()), "the earliest counts");
}

#[test]
fn several_users_are_several() {
    let mut alert = json_of("insightidr-alert.json");
    for interest in alert["rule_keys_of_interest"].as_array_mut().unwrap() {
        if interest["key"] == "account" {
            interest["values"] = json!(["lynne.robbins@contoso.com", "ADELE.VANCE@contoso.com", "-"]);
        }
    }
    let users: Vec<_> = read(alert.to_string().as_bytes()).users.iter().map(NamedUser::shown).collect();
    assert!(users.contains(&"adele.vance@contoso.com".to_owned()), "{users:?}");
    assert_eq!(users.len(), 2, "{users:?}");
}

#[test]
fn a_name_on_screens_names_nobody_even_where_it_looks_like_an_address() {
    let uba = json!({
        "actors": { "users": [{ "name": "adele.vance@contoso.com", "emails": [] }] }, "contents": {}
    });
    let line =
        json!({ "event": { "m": r#"{"user":"adele.vance@contoso.com","source_ip":"203.0.113.45"}"# } });
    for body in [uba, line] {
        let trigger = read(body.to_string().as_bytes());
        assert!(trigger.users[0].accounts.is_empty(), "{:?}", trigger.users);
        assert_eq!(trigger.users[0].unusable, ["adele.vance@contoso.com"]);
    }
}

#[test]
fn what_is_over_is_told_apart() {
    let mut alert = json_of("insightidr-alert.json");
    alert["status"] = json!("CLOSED");
    assert!(read(alert.to_string().as_bytes()).is_resolved);
    let mut own = json_of("generic.json");
    own["state"] = json!("resolved");
    assert!(read(own.to_string().as_bytes()).is_resolved);
}

fn awkward(kind: &str) -> Vec<Value> {
    json_of("edge-cases.json")[kind].as_array().unwrap().clone()
}

#[test]
fn every_awkward_address_is_what_the_list_says() {
    for row in awkward("addresses") {
        let body = json!({ "schema": "stanch/alert/v1", "indicators": { "ips": [row["in"]] } });
        let trigger = read(body.to_string().as_bytes());
        let found: Vec<_> = trigger.hints.addresses.iter().map(ToString::to_string).collect();
        let wanted = match &row["out"] {
            Value::Null => Vec::new(),
            Value::String(one) => vec![one.clone()],
            several => texts(several),
        };
        assert_eq!(found, wanted, "{row}");
        let is_silent = matches!(row["in"].as_str(), None | Some("" | "-"));
        let is_plain = row["out"].is_array() || row["out"].is_string() && row["in"] != "89.187.164.82/24";
        assert_eq!(trigger.notes.is_empty(), is_silent || is_plain, "{row}: {:?}", trigger.notes);
    }
}

#[test]
fn every_awkward_user_is_what_the_list_says() {
    for row in awkward("users") {
        let text = row["in"].as_str().unwrap();
        let read = match Account::read(text) {
            Reading::Account(Account::Id(id)) => json!({ "id": id }),
            Reading::Account(Account::Upn(upn)) => json!({ "upn": upn }),
            Reading::Account(Account::Sam { domain, name }) => json!({ "sam": name, "domain": domain }),
            Reading::Ambiguous(text) => json!({ "ambiguous": text }),
            Reading::Nothing | Reading::Refused { .. } => Value::Null,
        };
        assert_eq!(read, row["out"], "{row}");
        let trigger = self::read(json!({ "schema": "stanch/alert/v1", "user": text }).to_string().as_bytes());
        let accounts: usize = trigger.users.iter().map(|user| user.accounts.len()).sum();
        let is_account = row["out"].is_object() && row["out"].get("ambiguous").is_none();
        assert_eq!(accounts, usize::from(is_account), "{row}");
    }
}

#[test]
fn every_awkward_time_is_what_the_list_says() {
    for row in awkward("times") {
        let wanted = row["out"].as_str().unwrap().parse().unwrap();
        assert_eq!(read_time(&row["in"]), Some(wanted), "{row}");
    }
}

#[test]
fn every_word_for_a_severity_is_what_the_list_says() {
    for row in awkward("severities") {
        for (word, wanted) in row["in"].as_array().unwrap().iter().zip(texts(&row["out"])) {
            // Sumo Logic's `Critical` is its first of two, and a resolved alert is a state: they come with that sender.
            let is_another_scale = row["source"].as_str().unwrap().starts_with("sumo")
                && ["Critical", "ResolvedCritical"].contains(&word.as_str().unwrap_or_default());
            if let Some(word) = word.as_str().filter(|_| !is_another_scale) {
                assert_eq!(Severity::read(word).as_str(), wanted, "{row}");
            }
        }
    }
}

#[test]
fn every_awkward_body_is_refused_for_what_it_is() {
    for row in awkward("bodies") {
        let bytes = match (&row["body"], &row["body_repeat"]) {
            (Value::String(text), _) => text.clone().into_bytes(),
            (_, Value::Array(repeat)) => {
                let times = usize::try_from(repeat[1].as_u64().unwrap()).unwrap();
                repeat[0].as_str().unwrap().repeat(times).into_bytes()
            }
            // The size is the server's to bound.
            _ => continue,
        };
        let error = Body::read(&bytes, Body::guess_form(&bytes)).unwrap_err();
        let wanted = if row["name"] == "top-level array" { AlertFault::Shape } else { AlertFault::Body };
        assert_eq!(error.fault(), wanted, "{row}: {error}");
        assert!(error.hint().is_some(), "{row}");
    }
}

#[test]
fn pointers_read_any_shape() {
    let pointers = Pointers {
        id: Some("/id".to_owned()),
        time: Some("/when".to_owned()),
        user: vec!["/actor/oid".to_owned(), "/actor/upn".to_owned()],
        ips: vec!["/src/*/addr".to_owned()],
        user_agents: vec!["/ua".to_owned()],
    };
    let mapping = Mapping::new(&pointers).unwrap();
    let body = json!({
        "id": 4711, "when": 1_727_374_821,
        "actor": { "oid": "6ED5D1BF-E585-452F-AC95-4AB592C9357D", "upn": "lynne.robbins@contoso.com" },
        "src": [{ "addr": "203.0.113.45:52144" }, { "addr": null }, { "addr": 7 }, {}],
        "ua": ["node-fetch/1.0", "curl/8"],
    });
    let body = Body::read(body.to_string().as_bytes(), Body::guess_form(b"{")).unwrap();
    let trigger = Source::Generic.read(&body, mapping.as_ref(), WIDEST).unwrap();
    assert_eq!(trigger.id.as_deref(), Some("4711"));
    assert_eq!(trigger.hints.time, Some("2024-09-26T18:20:21Z".parse().unwrap()));
    assert_eq!(trigger.users.len(), 1);
    assert_eq!(trigger.users[0].accounts.len(), 2);
    assert_eq!(trigger.hints.addresses, ["203.0.113.45".parse().unwrap()]);
    assert_eq!(trigger.hints.user_agents, ["node-fetch/1.0", "curl/8"]);
    assert_eq!(trigger.notes.len(), 1, "{:?}", trigger.notes);

    let wrong = Pointers { user: vec!["actor".to_owned()], ..Pointers::default() };
    let error = Mapping::new(&wrong).unwrap_err();
    assert_eq!(error.fault(), AlertFault::Settings);
    assert!(error.to_string().contains("`user`"), "{error}");
}

/// Every way to damage one member of a sample, at any depth.
fn damaged(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let instead =
        [json!(null), json!(""), json!(7), json!([]), json!({}), json!([[null]]), json!("x\u{202e}y")];
    match value {
        Value::Object(entries) => {
            for key in entries.keys() {
                let mut without = entries.clone();
                without.remove(key);
                all.push(Value::Object(without));
                for other in instead.iter().cloned().chain(damaged(&entries[key])) {
                    let mut changed = entries.clone();
                    changed.insert(key.clone(), other);
                    all.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                for other in instead.iter().cloned().chain(damaged(item)) {
                    let mut changed = items.clone();
                    changed[place] = other;
                    all.push(Value::Array(changed));
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn a_damaged_sample_never_names_anybody_else() {
    for file in FILES.iter().filter(|file| !file.contains(".form.")) {
        let whole = json_of(file);
        let known = read(&sample(file));
        let mut count = 0;
        for body in damaged(&whole) {
            let Ok(body) = Body::read(body.to_string().as_bytes(), Body::guess_form(b"{")) else { continue };
            for source in Source::ALL {
                let Ok(trigger) = source.read(&body, None, WIDEST) else { continue };
                count += 1;
                for account in trigger.users.iter().flat_map(|user| &user.accounts) {
                    assert!(known.users[0].accounts.contains(account), "{file}: {account:?} of {body:?}");
                }
                for block in &trigger.hints.addresses {
                    assert!(known.hints.addresses.contains(block), "{file}: {block}");
                }
            }
        }
        assert!(count > 20, "{file}: {count}");
    }
}

fn named(texts: &[&str]) -> NamedUser {
    let accounts = texts
        .iter()
        .map(|text| match Account::read(text) {
            Reading::Account(account) => account,
            other => panic!("{text}: {other:?}"),
        })
        .collect();
    NamedUser { accounts, unusable: Vec::new() }
}

/// The reference case, with a second user who is synced from two directories.
fn world() -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let place = |upn: &str, users: &[Value]| {
            users.iter().position(|user| user["userPrincipalName"] == upn).unwrap()
        };
        let lynne = place("lynne.robbins@contoso.com", users);
        users[lynne]["onPremisesSamAccountName"] = json!("l.robbins");
        users[lynne]["onPremisesDomainName"] = json!("contoso.local");
        for (upn, domain) in
            [("grady.archie@contoso.com", "contoso.local"), ("miriam.graham@contoso.com", "fabrikam.local")]
        {
            let other = place(upn, users);
            users[other]["onPremisesSamAccountName"] = json!("shared");
            users[other]["onPremisesDomainName"] = json!(domain);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn whom_an_alert_names_is_found_in_every_spelling() {
    let world = world();
    let planner = world.planner();
    let lynne = world.user_id("lynne.robbins@contoso.com");
    for texts in [
        &["6ED5D1BF-E585-452F-AC95-4AB592C9357D"][..],
        &["S-1-12-1-1859506623-1160766853-3041564076-2100677010"],
        &["Lynne.Robbins@CONTOSO.com"],
        &["lynne.robbins@contoso.onmicrosoft.com"],
        &["CONTOSO\\L.Robbins"],
        &["6ed5d1bf-e585-452f-ac95-4ab592c9357d", "lynne.robbins@contoso.onmicrosoft.com", "x\\l.robbins"],
        // A name that nobody has any more does not unsay the id.
        &["6ed5d1bf-e585-452f-ac95-4ab592c9357d", "lynne.smith@contoso.com"],
    ] {
        let found = planner.find(&named(texts)).await.unwrap();
        assert_eq!(found.as_str(), lynne, "{texts:?}");
    }
    let grady = planner.find(&named(&["contoso\\shared"])).await.unwrap();
    assert_eq!(grady.as_str(), world.user_id("grady.archie@contoso.com"));
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_exactly_one_user_is_nobody() {
    let planner = world().planner();
    for (texts, code) in [
        (&["elsewhere\\shared"][..], "several_users"),
        (&["lynne.robbins@contoso.com", "grady.archie@contoso.com"], "several_users"),
        (&["nobody@contoso.com"], "unknown_user"),
        (&["contoso\\nobody"], "unknown_user"),
        (&["contoso\\l.robbins' or 1 eq 1 or 'x"][..0], "nobody_named"),
        // The id of nobody beside a name that somebody has: the name may be another's by now.
        (&["00000000-1111-2222-3333-444444444444", "lynne.robbins@contoso.com"], "unknown_user"),
    ] {
        let error = planner.find(&named(texts)).await.unwrap_err();
        assert_eq!(error.code(), code, "{texts:?}: {error}");
        assert!(error.hint().is_some(), "{error}");
    }
}

async fn plan_of(world: &World, trigger: &Trigger) -> Result<stanch::plan::Plan, stanch::engine::PlanError> {
    let mut request = world.request("bec");
    request.user_agents.clear();
    request.alert = Some(FromAlert::new(std::slice::from_ref(trigger), "bec"));
    world.plan_for(request).await
}

#[tokio::test(start_paused = true)]
async fn what_the_log_bears_out_of_an_alert_is_blocked_and_the_rest_is_shown() {
    let world = World::case("bec-node-fetch");
    let mut trigger = read(&sample("insightidr-log-webhook.form.txt"));
    // The user's own office, a stranger's address, and a star: none of them is in an attacker's sign-in.
    trigger
        .hints
        .addresses
        .extend(["219.135.135.45", "45.83.220.7"].map(|text| text.parse::<CidrBlock>().unwrap()));
    trigger.hints.user_agents.push("*".to_owned());
    let plan = plan_of(&world, &trigger).await.unwrap();
    let by_hand = world.plan("bec").await;
    let writes = |plan: &stanch::plan::Plan| -> Vec<Value> {
        plan.actions.iter().flat_map(|own| &own.requests).map(|own| json!([own.path, own.body])).collect()
    };
    assert_eq!(
        writes(&plan),
        writes(&by_hand),
        "the alert led to other requests than its user agent by hand"
    );
    let sent = serde_json::to_string(&writes(&plan)).unwrap();
    assert!(sent.contains("181.214.107.0/24") && !sent.contains("45.83.220.7") && !sent.contains("219.135"));
    let told = plan.warnings.join("\n");
    for text in
        ["`45.83.220.7`", "`219.135.135.45`", "user agent `*`", "`Suspicious user agent (node-fetch)`"]
    {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert_eq!(plan.case.since, by_hand.case.since, "the intruder was there before the alert");
    assert!(world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_alert_about_another_tenant_makes_no_plan() {
    let world = World::case("bec-node-fetch");
    let mut trigger = read(&sample("generic.json"));
    plan_of(&world, &trigger).await.unwrap();
    trigger.tenant = Some("6babcaad-604b-40ac-a9d7-9fd97c0b779f".to_owned());
    let error = plan_of(&world, &trigger).await.unwrap_err();
    assert_eq!(error.code(), "other_tenant");
}

#[test]
fn a_plan_is_made_from_an_alert_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::case("bec-node-fetch");
    let plan = |file: &str, more: &[&str]| {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/alerts").join(file);
        let mut command = stanch(&mock, folder.path());
        command.args(["--format", "json", "plan", "bec", "--alert"]).arg(file).args(more).output().unwrap()
    };
    for file in ["generic.json", "insightidr-log-webhook.form.txt", "insightidr-alert-evidence.json"] {
        let output = plan(file, &[]);
        assert_eq!(output.status.code(), Some(0), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["case"]["subject"]["id"], mock.victim_id(), "{file}");
        assert_eq!(plan["requested_by"]["webhook"], Value::Null);
    }
    let other = plan("generic.json", &["--user", "grady.archie@contoso.com"]);
    let other: Value = serde_json::from_slice(&other.stdout).unwrap();
    assert_eq!(other["case"]["subject"]["upn"], "grady.archie@contoso.com");
    let told = other["warnings"].to_string();
    assert!(told.contains("does not name `grady.archie@contoso.com`"), "{told}");

    let two = json!({ "schema": "stanch/alert/v1", "users": ["a@contoso.com", "b@contoso.com"] });
    std::fs::write(folder.path().join("two.json"), two.to_string()).unwrap();
    std::fs::write(folder.path().join("twice.json"), r#"{"schema":1,"schema":2}"#).unwrap();
    std::fs::write(folder.path().join("other.json"), r#"{"schema":"else"}"#).unwrap();
    for (file, more, told) in [
        ("two.json", &[][..], "names 2 users: `a@contoso.com`, `b@contoso.com`"),
        ("twice.json", &[], "`schema` stands twice"),
        ("other.json", &[], "nothing in the body tells which sender's alert it is"),
        ("other.json", &["--source", "generic"], "is no alert of `generic`"),
        ("other.json", &["--source", "splunk"], "no sender is called `splunk`"),
        ("nothing.json", &[], "nothing.json"),
    ] {
        let file = folder.path().join(file);
        let mut command = stanch(&mock, folder.path());
        let output = command.args(["plan", "bec", "--alert"]).arg(file).args(more).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(told) && stderr.contains("hint: "), "{stderr}");
    }
    assert_eq!(mock.writes(), 0);
}

#[test]
fn an_id_that_is_too_long_to_be_kept_is_none() {
    let id = |length: usize| {
        let body = json!({ "schema": "stanch/alert/v1", "id": "x".repeat(length) });
        read(body.to_string().as_bytes()).id
    };
    assert_eq!(id(512), Some("x".repeat(512)));
    assert_eq!(id(513), None, "two alerts with one beginning would be one");
}
