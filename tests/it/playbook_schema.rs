//! The parser of playbooks and their JSON Schema agree, over generated playbooks and what becomes of them when somebody
//! slips: whatever the parser takes, the schema takes; whatever the schema takes and the parser does not is told by the
//! parser as beyond a schema.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};
use stanch::playbook::{Playbook, StepCatalog, json_schema};

/// Five hundred of them. Among them is one that the parser once took: an unknown option whose value named an input.
const SEEDS: std::ops::Range<u64> = 2_500..3_000;

/// Makes a value that fits a schema, as far as the schemas of options go.
fn fitting(schema: &Value, random: &mut StdRng) -> Value {
    for key in ["anyOf", "oneOf"] {
        if let Some(branches) = schema[key].as_array() {
            return fitting(branches.choose(random).unwrap(), random);
        }
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.choose(random).unwrap().clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().cloned().unwrap(),
        kind => kind.clone(),
    };
    match kind.as_str().unwrap_or("object") {
        "string" => {
            let texts = [
                "IP Blacklist",
                "198.51.100.0/24",
                "192.0.2.7",
                "5f00aaaa-0000-4000-8000-0000000000aa",
                "${input0}",
                "evidence",
                "PT1H",
                "1h",
            ];
            json!(texts.choose(random).unwrap())
        }
        "integer" => json!(random.random_range(1..=60)),
        "boolean" => json!(random.random::<bool>()),
        "array" => {
            let count = random.random_range(0..3);
            (0..count).map(|_| fitting(&schema["items"], random)).collect()
        }
        _ => {
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let mut object = Map::new();
            for (name, value) in schema["properties"].as_object().into_iter().flatten() {
                if required.contains(&name.as_str()) || random.random::<bool>() {
                    object.insert(name.clone(), fitting(value, random));
                }
            }
            Value::Object(object)
        }
    }
}

fn input(random: &mut StdRng) -> Value {
    let kinds = ["string", "integer", "boolean", "list", "ip_list"];
    let kind = *kinds.choose(random).unwrap();
    let default = match kind {
        "string" => json!("report_only"),
        "integer" => json!(7),
        "boolean" => json!(true),
        "list" => json!(["authenticator"]),
        _ => json!(["192.0.2.0/24"]),
    };
    if random.random::<bool>() {
        json!({ "type": kind, "default": default })
    } else {
        json!({ "type": kind })
    }
}

fn playbook(catalog: &StepCatalog, random: &mut StdRng) -> Value {
    let count = random.random_range(1..5);
    let mut steps = Vec::new();
    for place in 0..count {
        let info = catalog.steps().choose(random).unwrap();
        let mut step = Map::new();
        step.insert("step".to_owned(), json!(info.name));
        if random.random_ratio(9, 10) {
            step.insert("id".to_owned(), json!(format!("s{place}")));
        }
        let is_needed = info.schema["required"].as_array().is_some_and(|names| !names.is_empty());
        if is_needed || random.random::<bool>() {
            step.insert("with".to_owned(), fitting(&info.schema, random));
        }
        if place > 0 && random.random_ratio(1, 3) {
            step.insert("needs".to_owned(), json!([format!("s{}", random.random_range(0..place))]));
        }
        if random.random_ratio(1, 4) {
            step.insert("required".to_owned(), json!(random.random::<bool>()));
        }
        if random.random_ratio(1, 4) {
            step.insert("approval".to_owned(), json!(["always", "auto"].choose(random).unwrap()));
        }
        steps.push(Value::Object(step));
    }
    let mut playbook = json!({
        "schema": "stanch/playbook/v1", "name": "made", "title": "Made up", "summary": "For this test.",
        "steps": steps,
    });
    if random.random::<bool>() {
        playbook["inputs"] = json!({ "input0": input(random), "input1": input(random) });
    }
    playbook
}

/// The ways to every value within this one.
fn ways(value: &Value, way: &str, found: &mut Vec<String>) {
    found.push(way.to_owned());
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, inner)| ways(inner, &format!("{way}/{key}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, inner)| ways(inner, &format!("{way}/{place}"), found));
        }
        _ => {}
    }
}

/// What people write when they slip.
fn slip(playbook: &mut Value, random: &mut StdRng) {
    let mut found = Vec::new();
    ways(playbook, "", &mut found);
    let way = found.choose(random).unwrap().clone();
    let at = playbook.pointer_mut(&way).unwrap();
    let other = [
        json!("x"),
        json!(""),
        json!(" "),
        json!("report_only"),
        json!("revoke_sessions"),
        json!("${input0}"),
        json!("a ${input1} b"),
        json!("${nobody}"),
        json!("${open"),
        json!(3),
        json!(-1),
        json!(1.5),
        json!(4_294_967_296_u64),
        json!(true),
        json!([]),
        json!(["s0", "s0"]),
        json!([1]),
        json!({}),
        json!({ "group": "5f00aaaa" }),
        json!("\u{202e}turned"),
        json!("stanch/playbook/v2"),
    ];
    match (random.random_range(0..6), at) {
        (0, Value::Object(entries)) if !entries.is_empty() => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            entries.remove(keys.choose(random).unwrap());
        }
        (1, Value::Object(entries)) if !entries.is_empty() => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            let key = keys.choose(random).unwrap();
            let value = entries.remove(key).unwrap();
            entries.insert(format!("{key}s"), value);
        }
        (2, Value::Object(entries)) => {
            entries.insert("surplus".to_owned(), other.choose(random).unwrap().clone());
        }
        (3, Value::Array(items)) if !items.is_empty() => {
            let again = items.choose(random).unwrap().clone();
            items.push(again);
        }
        (4, Value::String(text)) => text.push('s'),
        (_, at) => *at = other.choose(random).unwrap().clone(),
    }
}

#[test]
fn parser_and_schema_agree_on_five_hundred_playbooks() {
    let catalog = stanch::steps::catalog();
    let validator = jsonschema::draft202012::new(&json_schema(&catalog)).unwrap();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in SEEDS {
        let mut random = StdRng::seed_from_u64(seed);
        let mut playbook = playbook(&catalog, &mut random);
        for _ in 0..random.random_range(0..3) {
            slip(&mut playbook, &mut random);
        }
        // JSON is YAML: the very same text goes to both.
        let text = serde_json::to_string_pretty(&playbook).unwrap();
        let parsed = Playbook::parse("made.yaml", text.as_bytes(), &catalog);
        let faults: Vec<String> = validator
            .iter_errors(&playbook)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        let outcome = match (&parsed, faults.is_empty()) {
            (Ok(_), true) => "both take it",
            (Ok(_), false) => {
                panic!("seed {seed}: the parser takes what the schema refuses: {faults:?}\n{text}")
            }
            (Err(_), false) => "both refuse it",
            (Err(diagnostics), true) => {
                let shape: Vec<_> = diagnostics.items().iter().filter(|item| !item.beyond_schema).collect();
                assert!(
                    shape.is_empty(),
                    "seed {seed}: the schema takes what the parser refuses for its shape: {shape:#?}\n{text}"
                );
                "refused for what names mean"
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    // A generator that makes only the one or the other would show nothing.
    for outcome in ["both take it", "both refuse it", "refused for what names mean"] {
        assert!(counts.get(outcome).is_some_and(|count| *count >= 30), "{counts:?}");
    }
}

#[test]
fn every_shipped_playbook_fits_the_schema() {
    let catalog = stanch::steps::catalog();
    let validator = jsonschema::draft202012::new(&json_schema(&catalog)).unwrap();
    for name in crate::world::shipped() {
        let book = stanch::playbook::load(&name, &catalog).unwrap();
        // What it is read as, with the keys of the file: defaults that are written out are none the worse.
        let mut value = serde_json::to_value(&book).unwrap();
        value["schema"] = json!("stanch/playbook/v1");
        for step in value["steps"].as_array_mut().unwrap() {
            let step = step.as_object_mut().unwrap();
            step.remove("waits_for");
            step.retain(|_, value| !value.is_null());
        }
        for input in value["inputs"].as_object_mut().unwrap().values_mut() {
            let entries = input.as_object_mut().unwrap();
            if let Some(kind) = entries.remove("kind") {
                entries.insert("type".to_owned(), kind);
            }
            entries.retain(|_, value| !value.is_null());
        }
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}\n{value:#}");
    }
}
