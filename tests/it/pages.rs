//! Pages of docs/ that are made from the code. A page that differs from what the code makes fails here; `STANCH_BLESS=1
//! cargo test -p stanch --test it pages::` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use stanch::cli::EXIT_STATUSES;
use stanch::config::Guards;
use stanch::engine::{Need, Requirements, StepNeeds};
use stanch::graph::{DANGEROUS, Reading, app_role};
use stanch::plan::{Action, PlannedRequest, Undo};
use stanch::playbook::{Playbook, StepInfo};
use stanch::run::Verdict;
use stanch::steps::AnyStep;

use crate::world::{World, shipped};

pub const MADE: &str =
    "<!-- Made from the code: STANCH_BLESS=1 cargo test -p stanch --test it pages:: -->\n\n";

fn file(page: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)
}

/// Compares a page with what the code makes, or writes it.
pub fn hold(page: &str, made: &str) {
    let path = file(page);
    if std::env::var_os("STANCH_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = written.lines().zip(made.lines()).position(|(left, right)| left != right);
    assert!(
        written == made,
        "docs/{page} is not what the code makes (line {:?}); write it anew with STANCH_BLESS=1",
        difference.map(|line| line + 1)
    );
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| code(name.as_ref())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn needs_table(needs: &[Need]) -> String {
    let mut table = "| permission | id | what for |\n| --- | --- | --- |\n".to_owned();
    for need in needs {
        let role = app_role(need.permission).unwrap();
        writeln!(table, "| `{}` | `{}` | {} |", role.name, role.id, need.words()).unwrap();
    }
    table
}

fn of_step(name: &str) -> Requirements {
    let step = StepNeeds { step: name.to_owned(), options: json!({}), required: true };
    Requirements::of(&[step], &Guards::default())
}

/// What the observer needs for a step, beyond what every plan reads with.
fn reads_beyond(step: &str) -> Vec<&'static str> {
    let always = Requirements::of(&[], &Guards::default()).observer;
    let names = of_step(step).observer.into_iter().map(|need| need.permission);
    names.filter(|name| !always.iter().any(|own| own.permission == *name)).collect()
}

#[test]
fn the_permissions_are_those_of_the_code() {
    let catalog = stanch::steps::catalog();
    let books: Vec<Playbook> =
        shipped().iter().map(|name| stanch::playbook::load(name, &catalog).unwrap()).collect();
    let all = Requirements::of_playbooks(&books, &Guards::default());
    let mut page = format!(
        "# Permissions\n\n{MADE}stanch signs in as two apps: the *observer* reads, and plans are made with it; the *responder* writes what an\napproved plan says. Each gets the least that its work needs, as application permissions of Microsoft Graph with an\nadministrator's consent. `stanch setup` prints the lines that register both; `stanch doctor` compares them with what the\napps really hold. Neither app needs a directory role: without one it cannot touch administrators.\n\n```sh\nstanch setup bec --shell az\nstanch doctor bec\n```\n\nA broader permission does as well (`Directory.Read.All` for `User.Read.All`), and the doctor says so. Without an observer\nthe responder plans too, and needs both lists.\n\n## All playbooks that ship ({})\n\n### Observer\n\n{}\n### Responder\n\n{}\n",
        list(shipped()),
        needs_table(&all.observer),
        needs_table(&all.responder)
    );
    page.push_str(
        "With `guards.protected_groups` the observer also needs `GroupMember.Read.All`, to look them up.\n\n",
    );
    page.push_str("## By playbook\n\n| playbook | observer | responder |\n| --- | --- | --- |\n");
    for book in &books {
        let needs = Requirements::of_playbooks(std::slice::from_ref(book), &Guards::default());
        let names = |needs: &[Need]| list(needs.iter().map(|need| need.permission));
        writeln!(page, "| `{}` | {} | {} |", book.name, names(&needs.observer), names(&needs.responder))
            .unwrap();
    }
    let always: BTreeSet<&str> =
        Reading::OF_EVERY_PLAN.iter().flat_map(|own| own.permissions()).copied().collect();
    writeln!(
        page,
        "\n## By step\n\nEvery plan reads with {}. Beyond that:\n\n| step | the observer reads with | the responder writes with | licences |\n| --- | --- | --- | --- |",
        list(&always)
    )
    .unwrap();
    for step in catalog.steps() {
        let reads = reads_beyond(step.name);
        let licences: Vec<&str> = AnyStep::licences(step.name).iter().map(|own| own.name()).collect();
        writeln!(
            page,
            "| [`{0}`](steps/{0}.md) | {1} | {2} | {3} |",
            step.name,
            list(&reads),
            list(AnyStep::permissions(step.name)),
            if licences.is_empty() { "none".to_owned() } else { licences.join(", ") }
        )
        .unwrap();
    }
    let of = |readings: &[Reading]| -> BTreeSet<&str> {
        readings.iter().flat_map(|own| own.permissions()).copied().collect()
    };
    writeln!(
        page,
        "\n## To call the intruder evicted, and to investigate\n\n`stanch runs verify` calls the intruder evicted only where it read the account, the logs, methods, inbox rules, consents\nand devices, with {}.\n\n`stanch investigate` reads with the same, and with these. It goes on without any of them, and says what it did not read:\n\n| permission | what for |\n| --- | --- |",
        list(of(Reading::OF_EVICTION))
    )
    .unwrap();
    for permission in of(Reading::OF_INVESTIGATION) {
        let readings = Reading::OF_INVESTIGATION.iter().filter(|own| own.permissions().contains(&permission));
        let what: Vec<&str> = readings.map(|own| own.what()).collect();
        writeln!(page, "| `{permission}` | to read {} |", what.join(", ")).unwrap();
    }
    page.push_str(
        "\nWhat no step of a playbook needs, `stanch setup` does not register: add it in the portal, by its name.\n`Mail.ReadBasic.All` opens the senders and subjects of all mail; without it folders are told by their ids.\n",
    );
    writeln!(
        page,
        "\n## Never\n\nNo step needs one of these, and whoever takes the credential of an app that holds one takes the tenant. `stanch apply`\ndoes not write as a responder that holds one, unless `guards.accepted_permissions` names it; every plan shows that then.\n\n{}",
        DANGEROUS.iter().map(|name| format!("- `{name}`\n")).collect::<String>().trim_end()
    )
    .unwrap();
    hold("permissions.md", &page);
}

#[test]
fn the_exit_statuses_are_those_of_the_code() {
    for verdict in [
        Verdict::Contained,
        Verdict::ContainedUnverified,
        Verdict::Partial,
        Verdict::NotContained,
        Verdict::Unknown,
        Verdict::Refused,
        Verdict::Stale,
    ] {
        assert!(EXIT_STATUSES.iter().any(|(status, _)| *status == verdict.exit_status()), "{verdict:?}");
    }
    let mut page = format!("# Exit statuses\n\n{MADE}| status | when |\n| --- | --- |\n");
    for (status, when) in EXIT_STATUSES {
        writeln!(page, "| {status} | {when} |").unwrap();
    }
    page.push_str(
        "\nWith `--format json` a failure is one document on standard output: `error` with `code`, which does not change,\n`message`, `hint`, `exit_status`, and `places`: where in a playbook it is wrong, each with what is wrong there.\n\n```json\n{\"error\": {\"code\": \"playbook_unknown\", \"message\": \"no playbook is called `bce`\", \"hint\": \"did you mean `bec`?\", \"exit_status\": 2, \"places\": []}}\n```\n\nA script that goes on after a containment looks at the status, not at the text:\n\n```sh\nstanch apply plan.json --yes\ncase $? in\n    0) echo \"contained\" ;;\n    6) echo \"not contained in full: look at the open items\" ;;\n    3|4|5) echo \"nothing was sent\" ;;\n    130) echo \"interrupted: a part of it may be done, see stanch runs list\" ;;\n    *) echo \"failed: see stanch runs list for what was done, if anything\" ;;\nesac\n```\n",
    );
    hold("exit-statuses.md", &page);
}

/// The text and the example above a step's file.
fn head_of(step: &str) -> (String, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/steps/{step}.rs"));
    let source = std::fs::read_to_string(&path).unwrap();
    let mut text = String::new();
    let mut example = String::new();
    let mut is_example = false;
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            is_example = !is_example;
        } else if is_example {
            example.push_str(line);
            example.push('\n');
        } else {
            text.push_str(line);
            text.push(' ');
        }
    }
    assert!(!example.is_empty(), "{step} has no example");
    let text = text.trim().strip_prefix(&format!("`{step}`: ")).unwrap_or(&text).to_owned();
    (without_sources(&text), example)
}

/// A text without what it points at in the papers that the code was built from.
fn without_sources(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(" (") {
        let (before, after) = rest.split_at(start);
        let end = after.find(')').map_or(after.len(), |end| end + 1);
        shown.push_str(before);
        if !after[..end].contains(".md") {
            shown.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    let mut whole = shown + rest;
    if let Some(first) = whole.chars().next() {
        whole.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    whole
}

/// What a value of a schema may be, in words.
fn takes(schema: &Value) -> String {
    for key in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[key].as_array() {
            return ways.iter().map(way).collect::<Vec<_>>().join("; ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|own| code(own.as_str().unwrap())).collect::<Vec<_>>().join(", ");
    }
    match schema["type"].as_str() {
        Some("array") => format!("a list: {}", takes(&schema["items"])),
        Some("string") => "text".to_owned(),
        Some(other) => other.to_owned(),
        None => match schema["type"].as_array() {
            Some(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|own| *own != "null")
                .collect::<Vec<_>>()
                .join(" or "),
            None => "anything".to_owned(),
        },
    }
}

fn way(schema: &Value) -> String {
    let told = schema["description"].as_str().map(|text| text.trim_end_matches('.'));
    let name = match (&schema["const"], schema["properties"].as_object()) {
        (Value::String(word), _) => code(word),
        (_, Some(properties)) => code(&format!(
            "{{ {} }}",
            properties.keys().map(|key| format!("{key}: …")).collect::<Vec<_>>().join(", ")
        )),
        _ if schema["type"] == "array" => "a list".to_owned(),
        _ => takes(schema),
    };
    match told {
        Some(told) => format!("{name} ({told})"),
        None => name,
    }
}

fn options_table(step: &StepInfo) -> String {
    let Some(properties) = step.schema["properties"].as_object() else { return "It has none.\n".to_owned() };
    let required = step.schema["required"].as_array().cloned().unwrap_or_default();
    let mut table = "| option | what it is | takes | default |\n| --- | --- | --- | --- |\n".to_owned();
    for (name, schema) in properties {
        let default = match schema.get("default") {
            Some(Value::Null) => "none".to_owned(),
            Some(Value::String(text)) => code(text),
            Some(other) => code(&other.to_string()),
            None if required.contains(&json!(name)) => "it has to be given".to_owned(),
            None => panic!(
                "{}: the default of `{name}` is not in the schema: derive Serialize for its type",
                step.name
            ),
        };
        let told = schema["description"]
            .as_str()
            .unwrap_or_else(|| panic!("{}: `{name}` says not what it is", step.name));
        let line = format!("| `{name}` | {told} | {} | {default} |", takes(schema));
        writeln!(table, "{}", line.replace('\n', " ")).unwrap();
    }
    table
}

fn request_line(request: &PlannedRequest) -> String {
    code(&format!("{} {}", request.method.as_str(), request.path))
}

fn action_lines(action: &Action) -> String {
    let mut lines = format!("- {}\n", action.summary);
    for request in &action.requests {
        writeln!(lines, "  - sends {}", request_line(request)).unwrap();
    }
    if let Some(cannot) = &action.cannot {
        writeln!(lines, "  - cannot be done from here: {}", cannot.why).unwrap();
    }
    match &action.undo {
        Undo::Requests(requests) => {
            let requests: Vec<String> = requests.iter().map(request_line).collect();
            writeln!(lines, "  - is undone by {}", requests.join(", ")).unwrap();
        }
        Undo::Impossible { why } => writeln!(lines, "  - cannot be undone: {why}").unwrap(),
    }
    lines
}

/// What a step plans in the reference case, by itself.
async fn planned(step: &str, example: &str) -> String {
    let is_disabled = step == "enable_sign_in";
    let world = World::case_with("bec-node-fetch", |tenant| {
        if is_disabled {
            let users = tenant["users"].as_array_mut().unwrap();
            let own = users
                .iter_mut()
                .find(|user| user["userPrincipalName"] == "lynne.robbins@contoso.com")
                .unwrap();
            own["accountEnabled"] = json!(false);
        }
    });
    let catalog = stanch::steps::catalog();
    let end = if AnyStep::is_revocation(step) || !AnyStep::is_door(step) {
        ""
    } else {
        "  - step: revoke_sessions\n    id: the_end\n"
    };
    let book = sample(example, end);
    let mut request = world.request("evict");
    request.playbook = book.bind(&[], &catalog).unwrap();
    let plan = world.plan_for(request).await.unwrap();
    let mut lines: String =
        plan.actions.iter().filter(|action| action.step == step).map(action_lines).collect();
    for unchanged in plan.unchanged.iter().filter(|own| own.step != "the_end") {
        writeln!(lines, "- Nothing: {}", unchanged.why).unwrap();
    }
    for refused in &plan.guards.refused {
        writeln!(lines, "- Refused by the guard `{}`: {}", refused.guard, refused.why).unwrap();
    }
    // The revocation at the end is there for the order alone.
    let of_the_end = |risk: &&String| !end.is_empty() && risk.starts_with("Access tokens already issued");
    // What a playbook of one step leaves open tells of the playbook, not of the step.
    let of_the_sample = |risk: &&String| {
        risk.starts_with("Nothing here ") || risk.starts_with("The intruder has a way back in")
    };
    for risk in plan.residual_risk.iter().filter(|risk| !of_the_end(risk) && !of_the_sample(risk)) {
        writeln!(lines, "\nWhat stays open even so: {risk}").unwrap();
    }
    assert!(!lines.is_empty(), "{step} plans nothing and says not why");
    lines
}

#[tokio::test(start_paused = true)]
async fn every_step_has_its_page() {
    let catalog = stanch::steps::catalog();
    let mut index =
        format!("# Steps\n\n{MADE}| step | what it does | takes from an intruder |\n| --- | --- | --- |\n");
    for step in catalog.steps() {
        let name = step.name;
        let (text, example) = head_of(name);
        let takes: Vec<&str> = AnyStep::takes_at_most(name).iter().map(|own| own.label()).collect();
        let takes = if takes.is_empty() { "nothing by itself".to_owned() } else { takes.join(", ") };
        writeln!(index, "| [`{name}`]({name}.md) | {} | {takes} |", step.summary).unwrap();
        let needs = of_step(name);
        let reads = reads_beyond(name);
        let licences: Vec<&str> = needs.licences.iter().map(|own| own.licence.name()).collect();
        let page = format!(
            "# `{name}`\n\n{MADE}`{name}` {}.\n\n{text}\n\n```yaml\n{example}```\n\n## Options\n\n{}\n## What it needs\n\n- The responder: {}\n- The observer, beyond what every plan reads with: {}\n- Licences: {}\n\n## What it takes from an intruder\n\n{}\n\n## What it plans\n\nIn the reference case of `stanch demo`{}, with the options above:\n\n{}\n## By hand\n\nWhen Graph or the responder is out of reach, as `stanch playbook show PLAYBOOK --by-hand --user UPN` prints it:\n\n{}",
            step.summary,
            options_table(step),
            list(AnyStep::permissions(name)),
            list(&reads),
            if licences.is_empty() { "none".to_owned() } else { licences.join(", ") },
            taken(name, &takes),
            if name == "enable_sign_in" { ", with sign-in disabled" } else { "" },
            planned(name, &example).await,
            by_hand(name, &example)
        );
        hold(&format!("steps/{name}.md"), &page);
    }
    index.push_str("\nWhat a playbook is, and which ship: `stanch playbook list`, `stanch playbook show bec`, `stanch playbook schema`.\n");
    hold("steps/README.md", &index);
    let known: BTreeSet<String> = catalog.steps().iter().map(|step| format!("{}.md", step.name)).collect();
    for entry in std::fs::read_dir(file("steps")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || known.contains(&name), "docs/steps/{name} is of no step");
    }
}

/// What a person does instead, with the options of the example.
fn by_hand(step: &str, example: &str) -> String {
    let catalog = stanch::steps::catalog();
    let book = sample(example, "").bind(&[], &catalog).unwrap();
    let options = &book.steps.iter().find(|own| own.step == step).unwrap().with;
    let own = AnyStep::by_hand(step, options, "lynne.robbins@contoso.com").unwrap();
    let mut text: String = own.portal.iter().map(|line| format!("- {line}\n")).collect();
    if !own.powershell.is_empty() {
        writeln!(text, "\n```powershell\n{}\n```", own.powershell.join("\n")).unwrap();
    }
    text
}

/// A playbook of one step, and what its order asks for.
fn sample(example: &str, end: &str) -> Playbook {
    let steps: String = example.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "schema: stanch/playbook/v1\nname: sample\ntitle: Sample\nsummary: One step.\nsteps:\n{steps}{end}"
    )
    .replace("required: false", "required: true");
    Playbook::parse("sample", text.as_bytes(), &stanch::steps::catalog()).unwrap()
}

fn taken(step: &str, takes: &str) -> String {
    let mut text = format!("{takes}.");
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    if AnyStep::is_door(step) {
        text.push_str(" It shuts a door that a live session could come back through, so a `revoke_sessions` has to come after it: `stanch playbook check` holds that.");
    }
    text
}

/// What `stanch playbook check` prints of a playbook, or says against it.
fn checked(playbook: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("early.yaml"), EARLY).unwrap();
    std::fs::write(folder.path().join("open.yaml"), OPEN).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_stanch"))
        .env_clear()
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .args(["playbook", "check", playbook])
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    format!(
        "```text\n$ stanch playbook check {playbook}\n{}\n```\n",
        String::from_utf8(told).unwrap().trim_end()
    )
}

const EARLY: &str = "schema: stanch/playbook/v1\nname: early\ntitle: Early\nsummary: Revokes before the reset.\nsteps:\n  - step: revoke_sessions\n  - step: reset_password\n  - step: remove_auth_methods\n";
const OPEN: &str = "schema: stanch/playbook/v1\nname: open\ntitle: Open\nsummary: Leaves the account open.\nsteps:\n  - step: remove_auth_methods\n  - step: reset_password\n  - step: revoke_sessions\n";

#[test]
fn the_page_on_the_order_shows_what_check_prints() {
    let page = format!(
        "# The order of steps\n\n{MADE}\
         A revocation before the last door is shut is worthless: whoever still knows the password or holds a method signs in\n\
         again. `stanch playbook check` walks a playbook's steps in every order that its `needs` allow, and lets an intruder who\n\
         holds everything act between any two of them: sign in anew, reset the password by self-service, register a method in\n\
         a session that is alive, consent to an app, register a device, make an inbox rule. The table tells what each step takes,\n\
         and what is left in the worst case.\n\n{}\n\
         What is assumed: the intruder's method signs in without the password and resets it; nothing asks for a second factor;\n\
         a session outlives a reset; blocked at one address, the intruder comes from another; a step that is not required\n\
         fails. An account that is shut lets nobody in; what is left then counts on the day that it is opened. Security info\n\
         that is protected by a compliant device counts as protected: who may enrol a device decides whether it is.\n\n\
         A playbook is refused (exit status 2) where another order of its own steps is better:\n\n{}\n\
         Where no order of its steps closes every way, it may run, and check and every plan say what stays open:\n\n{}",
        checked("bec"),
        checked("./early.yaml"),
        checked("./open.yaml"),
    );
    hold("order.md", &page);
}

/// A page has a line for each setting, and each setting has a line.
#[test]
fn every_setting_is_explained() {
    let page = std::fs::read_to_string(file("configuration.md")).unwrap();
    let rows: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._*".contains(c)))
        .map(str::to_owned)
        .collect();
    let keys: BTreeSet<String> = stanch::config::setting_keys().into_iter().collect();
    assert_eq!(rows, keys);
}
