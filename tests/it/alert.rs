//! Alerts: every sample and every awkward value, read and normalised.

use std::path::PathBuf;

use serde_json::{Value, json};
use stanch::alert::{
    Account, AlertFault, Body, Mapping, NamedUser, Pointer, Reading, Severity, Source, Trigger, read_time,
};
use stanch::config::{Pointers, WidestBlock};

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
