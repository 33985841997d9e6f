use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

// The steps' own modules own these types; here they only stand for the shape of options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Deliver {
    Nobody,
    Terminal,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct ResetPassword {
    #[serde(default)]
    deliver: Option<Deliver>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    All,
    Authenticator,
    CodeApp,
    Phone,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Which {
    Unrecognized,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Undecided {
    Ask,
    Keep,
    Remove,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct RemoveAuthMethods {
    kinds: Vec<Kind>,
    which: Which,
    undecided: Undecided,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Enforce {
    Enabled,
    ReportOnly,
    Recorded,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by serde only")]
enum Ips {
    Word(String),
    List(Vec<String>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct BlockIps {
    location: String,
    ips: Ips,
    enforce: Enforce,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    ReportOnly,
    Enabled,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Require {
    users: String,
    state: State,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Protect {
    users: String,
    allow: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Pass {
    deliver: String,
    lifetime: String,
    once: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Watch {
    within: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by serde only")]
struct Left {
    #[serde(default)]
    undecided: Option<Undecided>,
}

fn catalog() -> StepCatalog {
    StepCatalog::new(vec![
        StepInfo::of::<Nothing>("disable_sign_in", "Blocks sign-in."),
        StepInfo::of::<Nothing>("enable_sign_in", "Allows sign-in."),
        StepInfo::of::<Nothing>("revoke_sessions", "Ends all sessions."),
        StepInfo::of::<ResetPassword>("reset_password", "Sets a new password."),
        StepInfo::of::<RemoveAuthMethods>("remove_auth_methods", "Removes methods."),
        StepInfo::of::<BlockIps>("block_ips", "Blocks addresses."),
        StepInfo::of::<Require>("require_compliant_device", "Requires a compliant device."),
        StepInfo::of::<Require>("require_token_protection", "Binds tokens."),
        StepInfo::of::<Protect>("protect_security_info", "Guards registration."),
        StepInfo::of::<Nothing>("confirm_compromised", "Tells Identity Protection."),
        StepInfo::of::<Left>("revoke_app_consents", "Takes consents back."),
        StepInfo::of::<Left>("disable_devices", "Disables devices."),
        StepInfo::of::<Left>("disable_inbox_rules", "Switches rules off."),
        StepInfo::of::<Pass>("issue_temporary_access_pass", "Lets the user in."),
        StepInfo::of::<Watch>("watch_new_method", "Waits for a method."),
    ])
}

const HEAD: &str = "schema: stanch/playbook/v1\nname: mine\ntitle: Mine\nsummary: A test.\n";

fn parse(text: &str) -> Result<Playbook, Diagnostics> {
    Playbook::parse("mine.yaml", text.as_bytes(), &catalog())
}

fn faults(rest: &str) -> Vec<String> {
    messages(&format!("{HEAD}{rest}"))
}

fn messages(text: &str) -> Vec<String> {
    parse(text).unwrap_err().items().iter().map(|item| item.message.clone()).collect()
}

fn helps(rest: &str) -> Vec<String> {
    let diagnostics = parse(&format!("{HEAD}{rest}")).unwrap_err();
    diagnostics.items().iter().filter_map(|item| item.help.clone()).collect()
}

fn path(segments: &[&str]) -> Vec<PathSegment> {
    segments
        .iter()
        .map(|segment| {
            segment.parse().map_or_else(|_| PathSegment::Key((*segment).to_owned()), PathSegment::Index)
        })
        .collect()
}

#[test]
fn five_errors_are_shown_at_once_as_rustc_shows_them() {
    let text = "\
schema: stanch/playbook/v1
name: mine
title: Mine
sumary: A test.
steps:
  - step: disable_signin
  - step: block_ips
    needs: [disable_sing_in]
    with: { location: Straße, ips: evidence, enfroce: enabled }
    required: yes
";
    insta::assert_snapshot!(parse(text).unwrap_err().render(Look::Plain), @r#"
    error: unknown key `sumary`
     --> mine.yaml:4:1
      |
    4 | sumary: A test.
      | ^^^^^^
      |
      = help: did you mean `summary`?

    error: unknown step `disable_signin`
     --> mine.yaml:6:11
      |
    6 |   - step: disable_signin
      |           ^^^^^^^^^^^^^^
      |
      = help: did you mean `disable_sign_in`?

    error: no step here is called `disable_sing_in`
     --> mine.yaml:8:13
      |
    8 |     needs: [disable_sing_in]
      |             ^^^^^^^^^^^^^^^
      |
      = help: did you mean `disable_signin`?

    error: `block_ips`: unknown option `enfroce`
     --> mine.yaml:9:46
      |
    9 |     with: { location: Straße, ips: evidence, enfroce: enabled }
      |                                              ^^^^^^^
      |
      = help: did you mean `enforce`?

    error: `yes` is read as different values by different readers of YAML
      --> mine.yaml:10:15
       |
    10 |     required: yes
       |               ^^^
       |
       = help: write `true`, or put quotes around text
    "#);
}

#[test]
fn columns_are_right_behind_letters_of_several_bytes() {
    let text =
        format!("{HEAD}steps:\n  - {{ id: x, with: {{ deliver: \"Straße 🔑\" }}, step: reset_pasword }}\n");
    let diagnostics = parse(&text).unwrap_err();
    let place = &diagnostics.places()[0];
    let line = text.lines().nth(5).unwrap();
    let column = line.split("reset_pasword").next().unwrap().chars().count() + 1;
    assert_eq!((place.line, place.column), (Some(6), Some(column)));
    insta::assert_snapshot!(diagnostics, @r#"
    error: unknown step `reset_pasword`
     --> mine.yaml:6:51
      |
    6 |   - { id: x, with: { deliver: "Straße 🔑" }, step: reset_pasword }
      |                                                    ^^^^^^^^^^^^^
      |
      = help: did you mean `reset_password`?
    "#);
}

#[test]
fn colour_is_given_when_asked_for_only() {
    let diagnostics = parse("schema: 1").unwrap_err();
    assert!(diagnostics.render(Look::Coloured).contains('\u{1b}'));
    assert!(!diagnostics.render(Look::Plain).contains('\u{1b}'));
}

#[test]
fn what_would_make_yaml_mean_something_else_is_refused() {
    let step = "steps:\n  - step: revoke_sessions\n";
    let cases = [
        (format!("{step}    id: &a evict\n"), "`&a` is an anchor, and anchors and aliases are not read"),
        (format!("{step}    id: *a\n"), "this is an alias, and anchors and aliases are not read"),
        (format!("{step}    id: !!str evict\n"), "`!!str` is a tag, and those are not read"),
        (
            format!("{step}    with: {{ <<: {{ a: b }} }}\n"),
            "`<<` merges another map in, and that is not read",
        ),
        (format!("{step}---\na: b\n"), "a second document begins here"),
        (format!("{step}    ? [a, b]\n    : c\n"), "a key has to be a word, and this is a list or a map"),
        (format!("{step}    \"a b\": c\n"), "this key is no word"),
        (
            format!("{step}    required: no\n"),
            "`no` is read as different values by different readers of YAML",
        ),
        (format!("{step}    with:\n"), "a value is missing here"),
        (format!("{step}\tid: x\n"), "a tab stands here"),
        (format!("{step}# \u{202e}evil\n"), "U+202E turns the direction of text around"),
        (format!("{step}    id: \"a\u{200b}\"\n"), "the invisible character U+200B stands here"),
    ];
    for (rest, message) in cases {
        let found = faults(&rest);
        assert!(found.iter().any(|fault| fault == message), "{rest}: {found:?}");
    }
    let directive = messages(&format!("%YAML 1.1\n---\n{HEAD}{step}"));
    assert!(directive[0].starts_with("this is not YAML: "), "{directive:?}");
}

#[test]
fn a_key_that_stands_twice_is_shown_at_both_places() {
    let diagnostics = parse(&format!("{HEAD}name: other\nsteps:\n  - step: revoke_sessions\n")).unwrap_err();
    insta::assert_snapshot!(diagnostics, @r#"
    error: `name` stands twice
     --> mine.yaml:5:1
      |
    2 | name: mine
      | ---- first here
    ...
    5 | name: other
      | ^^^^ again here
      |
      = help: keep one of the two
    "#);
}

#[test]
fn bombs_end_fast_and_in_an_error() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs.extend([format!("a{level}: &a{level} [{aliases}]\n")]);
    }
    let bombs = [
        laughs,
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(50_000),
        (0..6_000).map(|key| format!("k{key}: 1")).collect::<Vec<_>>().join("\n"),
        "k: 1\n".repeat(50_000),
        "&a ".repeat(80_000),
        "!".repeat(200_000),
        "\"".repeat(200_001),
        "? ".repeat(100_000),
        "'".repeat(262_144),
        "a".repeat(300_000),
        "\u{202e}".repeat(80_000),
    ];
    for bomb in bombs {
        let start = Instant::now();
        let diagnostics = parse(&bomb).unwrap_err();
        let shown = diagnostics.render(Look::Plain);
        // Generous for a busy machine without optimization; a bomb that goes off takes minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{} took {:?}", &bomb[..20], start.elapsed());
        assert!(!shown.is_empty() && diagnostics.items().len() <= 110, "{}", diagnostics.items().len());
    }
}

#[test]
fn limits_are_named() {
    assert_eq!(messages(&"a".repeat(MAX_BYTES + 1)), ["the file is larger than 256 KiB"]);
    assert_eq!(messages(&format!("{}{}", "[".repeat(20), "]".repeat(20))), ["nested deeper than 16 levels"]);
    let many: String = (0..6_000).map(|_| "- a\n").collect();
    assert_eq!(messages(&many), ["more than 5000 values"]);
    assert_eq!(messages(""), ["the file is empty"]);
}

#[test]
fn bytes_that_are_not_utf8_are_pointed_at() {
    let bytes = [HEAD.as_bytes(), b"steps: \xff\n"].concat();
    let diagnostics = Playbook::parse("mine.yaml", &bytes, &catalog()).unwrap_err();
    let place = &diagnostics.places()[0];
    assert_eq!(
        (place.line, place.column, place.message.as_str()),
        (Some(5), Some(8), "these bytes are not UTF-8")
    );
}

#[test]
fn what_is_missing_is_said() {
    let missing: Vec<String> = ["schema", "name", "title", "summary", "steps"]
        .iter()
        .map(|key| format!("`{key}` is missing"))
        .collect();
    assert_eq!(messages("inputs: {}"), missing);
    assert_eq!(faults("steps: []"), ["a playbook has at least one step"]);
    assert_eq!(faults("steps:\n  - id: x\n"), ["`step` is missing"]);
    assert_eq!(
        faults("steps:\n  - step: block_ips\n    with: { location: x, enforce: enabled }\n"),
        ["`block_ips`: the option `ips` is missing"]
    );
    assert_eq!(faults("steps:\n  - step: block_ips\n"), ["`block_ips`: the option `location` is missing"]);
}

#[test]
fn a_newer_format_is_told_as_such_and_nothing_else() {
    let text = "schema: stanch/playbook/v2\nname: mine\nsteps: 7\nfuture: true\n";
    assert_eq!(messages(text), ["this playbook was made for a newer stanch"]);
    let older = "schema: playbook/v1\nname: m\ntitle: t\nsummary: s\nsteps: [{ step: revoke_sessions }]";
    assert_eq!(messages(older), ["unknown schema `playbook/v1`"]);
}

#[test]
fn a_name_that_could_be_a_path_is_refused() {
    let text = HEAD.replace("name: mine", "name: ../mine") + "steps: [{ step: revoke_sessions }]";
    assert_eq!(messages(&text), ["`../mine` cannot be a playbook's name"]);
}

#[test]
fn options_are_checked_against_the_step() {
    let rest = "steps:
  - step: remove_auth_methods
    with: { kinds: [authenticator, code_ap, 7], which: all, undecided: ask, extra: 1 }
  - step: revoke_sessions
    with: { hard: true }
";
    assert_eq!(
        faults(rest),
        [
            "option `kinds[1]` of `remove_auth_methods`: `code_ap` is not one of `all`, `authenticator`, `code_app`, `phone`",
            "option `kinds[2]` of `remove_auth_methods`: expected a word, found integer `7`",
            "option `which` of `remove_auth_methods`: `all` is not one of `unrecognized`",
            "`remove_auth_methods`: unknown option `extra`: there are `kinds`, `which`, `undecided`",
            "`revoke_sessions`: unknown option `hard`: there are none here",
        ]
    );
    assert_eq!(helps(rest), ["did you mean `code_app`?"]);
}

#[test]
fn steps_that_stand_twice_are_told_apart() {
    assert_eq!(
        faults("steps:\n  - step: revoke_sessions\n  - step: revoke_sessions\n    id: last\n"),
        ["`revoke_sessions` stands twice and has no id here"]
    );
    assert_eq!(
        faults("steps:\n  - { step: revoke_sessions, id: a }\n  - { step: reset_password, id: a }\n"),
        ["the id `a` stands twice"]
    );
    assert_eq!(
        faults("steps:\n  - { step: revoke_sessions, id: block_ips }\n"),
        ["the id `block_ips` is the name of another step"]
    );
    assert_eq!(faults("steps:\n  - { step: revoke_sessions, id: \"a.b\" }\n"), ["`a.b` cannot be an id"]);
    let several = "steps:
  - { step: revoke_sessions, id: one }
  - { step: revoke_sessions, id: two }
  - { step: reset_password, needs: [revoke_sessions, one, one, thre, reset_password] }
";
    assert_eq!(
        faults(several),
        [
            "`revoke_sessions` stands more than once in this playbook",
            "`one` stands twice in `needs`",
            "no step here is called `thre`",
            "`reset_password` waits for itself",
        ]
    );
    assert_eq!(helps(several)[0], "name one by its id: `one`, `two`");
}

#[test]
fn needs_may_name_a_later_step_but_no_circle() {
    let later = parse(&format!(
        "{HEAD}steps:\n  - {{ step: reset_password, needs: [revoke_sessions] }}\n  - {{ step: revoke_sessions, id: cut, needs: [] }}\n  - step: disable_sign_in\n"
    ))
    .unwrap();
    assert_eq!(later.steps[0].waits_for, ["cut"]);
    assert_eq!(later.steps[0].needs.as_deref(), Some(&["revoke_sessions".to_owned()][..]));
    assert_eq!(later.steps[2].waits_for, ["cut"]);
    assert_eq!(later.steps[2].needs, None);
    // The circle is closed by the silent wait for the step before.
    let circle = "steps:
  - { step: disable_sign_in, needs: [revoke_sessions] }
  - step: reset_password
  - step: revoke_sessions
";
    let found = faults(circle);
    assert_eq!(
        found,
        [
            "these steps wait for each other: disable_sign_in → revoke_sessions → reset_password → disable_sign_in"
        ]
    );
}

#[test]
fn inputs_fill_options_and_keep_their_type() {
    let playbook = parse(&format!(
        "{HEAD}inputs:
  location: {{ type: string, default: Blocked }}
  ranges: {{ type: ip_list }}
steps:
  - step: block_ips
    with: {{ location: \"stanch ${{location}}\", ips: \"${{ranges}}\", enforce: enabled }}
"
    ))
    .unwrap();
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let bound = playbook.bind(&[set("ranges", "198.51.100.0/24,192.0.2.7")], &catalog()).unwrap();
    let expected = json!({
        "location": "stanch Blocked", "ips": ["198.51.100.0/24", "192.0.2.7"], "enforce": "enabled",
    });
    assert_eq!(bound.steps[0].with, expected);
    assert_eq!(playbook.steps[0].with["ips"], "${ranges}", "the raw text stays");

    let wrong = [set("locaton", "x"), set("ranges", "evidence"), set("ranges", "192.0.2.7")];
    let errors = playbook.bind(&wrong, &catalog()).unwrap_err();
    insta::assert_snapshot!(errors, @r#"no input is called `locaton` (did you mean `location`?); input `ranges`: `evidence` is no address and no range; input `ranges` is set twice"#);
    let missing = playbook.bind(&[], &catalog()).unwrap_err();
    assert_eq!(missing.0, [BindError::Missing { name: "ranges".into(), kind: InputType::IpList }]);
}

#[test]
fn a_value_set_at_the_command_line_is_checked_then() {
    let text = format!(
        "{HEAD}inputs:\n  enforce: {{ type: string }}\nsteps:\n  - step: block_ips\n    with: {{ location: x, ips: evidence, enforce: \"${{enforce}}\" }}\n"
    );
    let playbook = parse(&text).unwrap();
    let set = |value: &str| vec![("enforce".to_owned(), value.to_owned())];
    assert!(playbook.bind(&set("recorded"), &catalog()).is_ok());
    let errors = playbook.bind(&set("enabeld"), &catalog()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "step `block_ips`, option `enforce`: `enabeld` is not one of `enabled`, `report_only`, `recorded` (did you mean `enabled`?)"
    );
    // A default is known when the file is read, and so is what it does to an option.
    let defaulted = text.replace("type: string", "type: string, default: enabeld");
    assert_eq!(messages(&defaulted).len(), 1);
}

#[test]
fn references_name_declared_inputs_only() {
    let rest = "inputs:
  location: { type: string, default: x }
  ranges: { type: list, default: [a] }
steps:
  - step: block_ips
    with: { location: \"a ${locatoin} ${secret.password}\", ips: \"x ${ranges}\", enforce: \"${location\" }
";
    assert_eq!(
        faults(rest),
        [
            "no input is called `locatoin`",
            "no input is called `secret.password`",
            "`ranges` is a list, and this is a text",
            "`${` without its `}`",
        ]
    );
}

#[test]
fn inputs_are_checked() {
    let rest = "inputs:
  a: { type: text }
  b: { default: x }
  c: { type: integer, default: \"7\" }
  d: { type: ip_list, default: [198.51.100.7/24] }
  e: { type: list, defualt: [] }
steps: [{ step: revoke_sessions }]
";
    assert_eq!(
        faults(rest),
        [
            "unknown type `text`",
            "input `b` has no `type`",
            "default of input `c`: expected an integer, found text",
            "default of input `d`: `198.51.100.7/24` has host bits set: the range is `198.51.100.0/24`",
            "unknown key `defualt`",
        ]
    );
}

#[test]
fn the_place_of_every_value_is_known() {
    let rest = "inputs:\n  location: { type: string, default: IP Blacklist }\nsteps:\n  - step: remove_auth_methods\n    with: { kinds: [all], which: unrecognized, undecided: ask }\n  - step: block_ips\n    with:\n      location: \"${location}\"\n      ips: evidence\n      enforce: enabled\n";
    let playbook = parse(&format!("{HEAD}{rest}")).unwrap();
    let text = playbook.text();
    let at = |segments: &[&str]| &text[playbook.span(&path(segments)).unwrap()];
    assert_eq!(at(&["name"]), "mine");
    assert_eq!(at(&["steps", "0", "with", "kinds", "0"]), "all");
    assert_eq!(at(&["steps", "1", "with", "location"]), "\"${location}\"");
    assert!(at(&["steps", "1"]).starts_with("step: block_ips"));
    let shown = playbook.point_at(&path(&["steps", "1", "with", "ips", "nowhere"]), "no addresses", None);
    assert_eq!(
        shown.places()[0].line,
        text.lines().position(|line| line.contains("ips: evidence")).map(|l| l + 1)
    );
}

#[test]
fn layout_and_comments_are_no_part_of_what_a_digest_sees() {
    let plain = parse(&format!("{HEAD}steps:\n  - step: revoke_sessions\n")).unwrap();
    let other = parse(&format!("# why\n{HEAD}\n\nsteps: [ {{ step: \"revoke_sessions\" }} ]\n")).unwrap();
    assert_eq!(serde_json::to_value(&plain).unwrap(), serde_json::to_value(&other).unwrap());
    let auto = parse(&format!("{HEAD}steps:\n  - step: revoke_sessions\n    approval: auto\n")).unwrap();
    assert_ne!(serde_json::to_value(&plain).unwrap(), serde_json::to_value(&auto).unwrap());
}

#[test]
fn a_name_is_looked_up_and_a_path_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mine.yaml");
    std::fs::write(&file, shipped_text("evict").unwrap()).unwrap();
    assert_eq!(load(file.to_str().unwrap(), &catalog()).unwrap().name, "evict");

    let unknown = load("evcit", &catalog()).unwrap_err();
    assert_eq!(unknown.to_string(), "no playbook is called `evcit`");
    assert_eq!(unknown.hint().as_deref(), Some("did you mean `evict`?"));
    for traversal in ["../../etc/passwd", "..%2fetc", "bec\0", "/etc/shadow.yaml"] {
        assert!(load(traversal, &catalog()).is_err(), "{traversal}");
    }
    let missing = load("./nowhere.yaml", &catalog()).unwrap_err();
    assert_eq!((missing.code(), missing.exit_status()), ("playbook_unreadable", 2));
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_read_up_to_the_limit() {
    let endless = std::path::Path::new("/dev/zero");
    if endless.exists() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("endless.yaml");
        std::os::unix::fs::symlink(endless, &link).unwrap();
        let error = load(link.to_str().unwrap(), &catalog()).unwrap_err();
        assert!(error.to_string().contains("larger than 256 KiB"), "{error}");
    }
}

#[test]
fn the_schema_knows_every_step_and_every_key() {
    let schema = json_schema(&catalog());
    let steps = schema["properties"]["steps"]["items"]["oneOf"].as_array().unwrap();
    let names: Vec<&Value> = steps.iter().map(|step| &step["properties"]["step"]["const"]).collect();
    assert_eq!(names.len(), catalog().steps().len());
    assert!(names.contains(&&json!("block_ips")));
    let block = steps.iter().find(|step| step["properties"]["step"]["const"] == "block_ips").unwrap();
    assert_eq!(block["required"], json!(["step", "with"]));
    assert_eq!(block["properties"]["with"]["additionalProperties"], json!(false));
    assert_eq!(
        block["properties"]["with"]["properties"]["location"],
        json!({ "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/reference" }] })
    );
    // No reference may point outside: the file is used by itself.
    let text = schema.to_string();
    for target in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(schema.pointer(pointer).is_some(), "{target}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_ends_in_a_playbook_or_in_diagnostics_that_can_be_drawn(
        text in "([a-z:\\-\\[\\]{},&*!|>'\"#%@$ \n0-9~é🔑]|: |- |\\$\\{|\\}|step|with|needs|<<|\r\n){0,60}",
    ) {
        for text in [text.clone(), format!("{HEAD}steps:\n  - step: block_ips\n    with: {text}\n")] {
            if let Err(diagnostics) = parse(&text) {
                proptest::prop_assert!(!diagnostics.items().is_empty());
                proptest::prop_assert!(!diagnostics.render(Look::Plain).is_empty());
                diagnostics.places();
            }
        }
    }

    #[test]
    fn any_bytes_end_in_an_answer(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        if let Err(diagnostics) = Playbook::parse("mine.yaml", &bytes, &catalog()) {
            proptest::prop_assert!(!diagnostics.render(Look::Coloured).is_empty());
        }
    }
}
