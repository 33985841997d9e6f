//! The preview against a plan for the reference case, and against names made to deceive.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::super::{
    Action, ApprovalMode, Cannot, GuardOverride, GuardRecord, GuardRefusal, LeftObject, Object, PLAN_FORMAT,
    Plan, PlanDifference, PlanSession, PlannedCase, PlannedRequest, PlaybookRef, Requester, TenantRef,
    UnchangedStep, Undo, Verb,
};
use super::*;
use crate::case::{Confidence, Indicator, IndicatorKind, Look, RoleHeld, RoleSource, Subject};
use crate::domain::{Sha256Digest, inert, inert_whole};
use crate::playbook::Aim;

const LYNNE: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const BLACKLIST: &str = "3d541753-3960-46ea-a6f5-89f192aa7313";
const AGENT: &str = "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn request(method: Verb, path: &str, body: Value) -> PlannedRequest {
    PlannedRequest { method, path: path.replace("LYNNE", LYNNE), body }
}

fn indicator(kind: IndicatorKind, value: &str, confidence: Confidence, reason: &str) -> Indicator {
    Indicator {
        kind,
        value: value.to_owned(),
        first_seen: Some(at("2024-09-26T18:03:36Z")),
        last_seen: Some(at("2024-10-04T14:14:49Z")),
        confidence,
        reasons: vec![reason.to_owned()],
    }
}

fn lynne() -> Subject {
    Subject {
        id: LYNNE.parse().unwrap(),
        upn: "lynne.robbins@contoso.com".parse().unwrap(),
        display_name: "Lynne Robbins".to_owned(),
        created_at: Some(at("2021-11-16T00:00:00Z")),
        synced: false,
        guest: false,
        federated: Look::Read(false),
        enabled: true,
        restricted: false,
        roles: Look::Read(Vec::new()),
        in_role_assignable_group: Look::Read(false),
        password_changed_at: Some(at("2024-06-19T00:00:00Z")),
        sessions_valid_from: Some(at("2024-08-26T00:00:00Z")),
        last_sign_in: Look::Read(Some(at("2024-10-04T14:14:49Z"))),
    }
}

fn action(id: &str, summary: &str, before: Value, after: Value, requests: Vec<PlannedRequest>) -> Action {
    Action {
        id: id.parse().unwrap(),
        step: id.split('.').next().unwrap().to_owned(),
        summary: summary.to_owned(),
        object: Object {
            kind: "user".to_owned(),
            id: Some(LYNNE.to_owned()),
            name: "lynne.robbins@contoso.com".to_owned(),
        },
        before,
        after,
        needs: Vec::new(),
        required: true,
        approval: ApprovalMode::Always,
        reversible: false,
        undo: Undo::Impossible { why: "what is revoked stays revoked".to_owned() },
        reason: "the intruder signs in as this user".to_owned(),
        evidence: Vec::new(),
        requests,
        cannot: None,
        asks: None,
        deliver: None,
        watch: None,
    }
}

fn actions() -> Vec<Action> {
    let path = "/v1.0/users/LYNNE";
    let enable = request(Verb::Patch, path, json!({"accountEnabled": true}));
    let mut disable = action(
        "disable_sign_in",
        "Block sign-in",
        json!({"accountEnabled": true}),
        json!({"accountEnabled": false}),
        vec![request(Verb::Patch, path, json!({"accountEnabled": false}))],
    );
    disable.reversible = true;
    disable.undo = Undo::Requests(vec![enable]);
    let mut reset = action(
        "reset_password",
        "Scramble the password",
        json!({"lastPasswordChangeDateTime": "2024-06-19T00:00:00Z"}),
        json!({"lastPasswordChangeDateTime": {"later_than": "2024-06-19T00:00:00Z"}}),
        vec![request(
            Verb::Patch,
            path,
            json!({"passwordProfile": {"password": "${secret.password}", "forceChangePasswordNextSignIn": true}}),
        )],
    );
    reset.undo = Undo::Impossible { why: "the old password is known to nobody here".to_owned() };
    reset.needs = vec!["disable_sign_in".parse().unwrap()];
    let rogue = "3ebebe3e-1790-40da-9891-0052cebcc1ba";
    let mut remove = action(
        "remove_auth_methods.1",
        "Remove the Authenticator that the intruder registered",
        json!({"displayName": "Infinitix", "createdDateTime": "2024-09-26T19:25:02Z"}),
        Value::Null,
        vec![request(
            Verb::Delete,
            &format!("{path}/authentication/microsoftAuthenticatorMethods/{rogue}"),
            Value::Null,
        )],
    );
    remove.object = Object {
        kind: "authentication method".to_owned(),
        id: Some(rogue.to_owned()),
        name: "Infinitix".to_owned(),
    };
    remove.reason = "registered after the compromise began".to_owned();
    remove.evidence = vec![
        "Registered 2024-09-26 19:25 UTC from 89.187.164.135, an address of the intruder".to_owned(),
        "No fresh second factor was asked for: \"MFA requirement satisfied by claim in the token\""
            .to_owned(),
    ];
    remove.undo = Undo::Impossible { why: "only the phone that holds it could register it again".to_owned() };
    remove.needs = vec!["reset_password".parse().unwrap()];
    let mut revoke = action(
        "evict",
        "Revoke all sessions",
        json!({"signInSessionsValidFromDateTime": "2024-08-26T00:00:00Z"}),
        json!({"signInSessionsValidFromDateTime": {"later_than": "2024-08-26T00:00:00Z"}}),
        vec![request(Verb::Post, "/v1.0/users/LYNNE/revokeSignInSessions", json!({}))],
    );
    revoke.needs = vec!["reset_password".parse().unwrap(), "remove_auth_methods.1".parse().unwrap()];
    vec![disable, reset, remove, revoke, block(), policy(), mailbox()]
}

fn block() -> Action {
    let range = |text: &str| json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": text});
    let path = format!("/v1.0/identity/conditionalAccess/namedLocations/{BLACKLIST}");
    let mut block = action(
        "block_ips.location",
        "Add 3 ranges to the blocked addresses",
        json!({"ipRanges": [range("198.51.100.0/24"), range("192.0.2.44/32")]}),
        json!({"ipRanges": [
            range("198.51.100.0/24"), range("192.0.2.44/32"), range("89.187.164.0/24"),
            range("181.214.107.154/32"), range("212.102.33.83/32"),
        ]}),
        vec![request(
            Verb::Patch,
            &path,
            json!({"ipRanges": ["${current.ipRanges}", range("89.187.164.0/24"), range("181.214.107.154/32"), range("212.102.33.83/32")]}),
        )],
    );
    block.object = Object {
        kind: "named location".to_owned(),
        id: Some(BLACKLIST.to_owned()),
        name: "IP Blacklist".to_owned(),
    };
    block.reversible = true;
    block.undo = Undo::Requests(vec![request(
        Verb::Patch,
        &path,
        json!({"ipRanges": [{"${current.ipRanges}": {"without": ["89.187.164.0/24", "181.214.107.154/32", "212.102.33.83/32"]}}]}),
    )]);
    block.reason = "the intruder signed in from these addresses".to_owned();
    block.evidence = vec!["\"89.187.164.82/24\" has host bits set: it is read as 89.187.164.0/24".to_owned()];
    block
}

fn policy() -> Action {
    let state = json!({
        "displayName": "stanch: require a compliant device",
        "state": "enabledForReportingButNotEnforced",
        "conditions": {"users": {"includeUsers": [LYNNE]}, "applications": {"includeApplications": ["All"]}},
    });
    let mut policy = action(
        "require_compliant_device",
        "Require a compliant device, in report-only mode",
        Value::Null,
        state.clone(),
        vec![request(Verb::Post, "/v1.0/identity/conditionalAccess/policies", state)],
    );
    policy.object =
        Object { kind: "policy".to_owned(), id: None, name: "stanch: require a compliant device".to_owned() };
    policy.required = false;
    policy.reversible = true;
    policy.undo = Undo::Requests(vec![request(
        Verb::Delete,
        "/v1.0/identity/conditionalAccess/policies/${actions.require_compliant_device.id}",
        Value::Null,
    )]);
    policy.reason = "a stolen token came from a device that the company does not manage".to_owned();
    policy.needs = vec!["block_ips.location".parse().unwrap()];
    policy
}

fn mailbox() -> Action {
    let mut mailbox = action(
        "remove_forwarding",
        "Stop forwarding of the mailbox",
        json!({"forwardingSmtpAddress": "drop@fabrikam.com"}),
        json!({"forwardingSmtpAddress": null}),
        Vec::new(),
    );
    mailbox.object.kind = "mailbox".to_owned();
    mailbox.reason = "it was set from an address of the intruder".to_owned();
    mailbox.cannot = Some(Cannot {
        why: "Graph does not offer this setting".to_owned(),
        instead: vec![
            "In Exchange Online PowerShell, as an Exchange administrator:".to_owned(),
            format!(
                "Set-Mailbox -Identity {LYNNE} -ForwardingSmtpAddress $null -DeliverToMailboxAndForward $false"
            ),
        ],
        ..Cannot::default()
    });
    mailbox
}

fn plan() -> Plan {
    use IndicatorKind::{Address, Range, Session, UserAgent};
    let agent = format!("Sign-ins with the user agent {AGENT}");
    let mut indicators: Vec<Indicator> =
        ["89.187.164.77", "89.187.164.82", "89.187.164.135", "181.214.107.154"]
            .into_iter()
            .map(|address| indicator(Address, address, Confidence::High, &agent))
            .collect();
    indicators.push(indicator(Address, "212.102.33.83", Confidence::Medium, "Shares a session with them"));
    indicators.push(indicator(Range, "89.187.164.0/24", Confidence::High, "Given by a person"));
    indicators.push(indicator(UserAgent, AGENT, Confidence::High, "Given by a person"));
    let session = "1f9bf4ff-310f-4079-9180-febb8ca9bff9";
    indicators.push(indicator(Session, session, Confidence::High, "Sign-ins from addresses of the intruder"));
    let zero = Sha256Digest::of_bytes(b"guards");
    Plan {
        format: PLAN_FORMAT.to_owned(),
        id: "bec-20241004-7f3a".parse().unwrap(),
        digest: zero,
        created_at: at("2024-10-04T15:10:00Z"),
        expires_at: at("2024-10-04T16:10:00Z"),
        engine: "0.1.0".to_owned(),
        tenant: TenantRef {
            id: "84f1a2c6-52c1-4c6e-9d0e-0f2a3a4d1b11".parse().unwrap(),
            name: "Contoso".to_owned(),
        },
        playbook: PlaybookRef { name: "bec".to_owned(), digest: zero, aim: Aim::Contain },
        guards: GuardRecord {
            digest: zero,
            refused: vec![GuardRefusal {
                guard: "company_range".to_owned(),
                object: "203.0.113.1/32".to_owned(),
                why: "it is the head office's own address: blocking it locks everyone there out".to_owned(),
                next: "leave it out, or name it with --override company_range".to_owned(),
                step: Some("block_ips".to_owned()),
                holds_back: false,
            }],
            overridden: Vec::new(),
        },
        case: PlannedCase {
            subject: lynne(),
            indicators,
            since: Some(at("2024-09-26T18:03:36Z")),
            methods: Look::Read(Vec::new()),
        },
        steps: Vec::new(),
        actions: actions(),
        unchanged: vec![UnchangedStep {
            step: "remove_app_consents".to_owned(),
            kind: None,
            why: "the user has granted no app anything".to_owned(),
        }],
        left: vec![LeftObject {
            step: "remove_auth_methods".to_owned(),
            kind: None,
            object: "iPhone 13".to_owned(),
            why: vec![
                "Of unknown origin, but registered long before the compromise began".to_owned(),
                "Last used 2024-08-28".to_owned(),
            ],
            holds_back: false,
            decided: false,
            next: None,
        }],
        warnings: vec!["No emergency-access account is configured".to_owned()],
        residual_risk: vec![
            "Access tokens already issued live on for up to 90 minutes where continuous access evaluation does not reach"
                .to_owned(),
        ],
        permissions: vec![
            "User.RevokeSessions.All".to_owned(),
            "User-PasswordProfile.ReadWrite.All".to_owned(),
            "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All".to_owned(),
            "Policy.ReadWrite.ConditionalAccess".to_owned(),
        ],
        session: PlanSession::App,
        requested_by: Requester { name: "adele.vance@contoso.com".to_owned(), resolved: true, webhook: None },
    }
    .sealed()
    .unwrap()
}

fn in_file() -> Style {
    Style { file: Some("plan.json".to_owned()), ..Style::default() }
}

/// What a hostile name may be made of: markup, escapes, reordering, wide letters, joined letters, stacked marks.
fn hostile() -> impl Strategy<Value = String> {
    let morsels = prop::sample::select(vec![
        "\u{1b}[31m",
        "\u{202e}",
        "\u{200b}",
        "\u{2028}",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "電話番号",
        "👩‍👩‍👧‍👦",
        "🇺🇸",
        "👍🏽",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}",
        "لا",
        "`",
        "``",
        "```",
        "~~~",
        "|",
        "\\",
        "\\|",
        "<img src=x>",
        "<!channel>",
        "<https://evil.example|safe>",
        "[safe](https://evil.example)",
        "https://evil.example/a_b",
        "www.evil.example",
        "@everyone",
        "a@evil.example",
        "#1",
        ":white_check_mark:",
        "**",
        "__",
        "# ",
        "- ",
        "1. ",
        "> ",
        "---",
        "===",
        "&lt;",
        "&#60;",
        "$x$",
        "\"",
        "'",
        " ",
        "        ",
        "approved",
        "${secret.password}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]);
    prop_oneof![
        3 => prop::collection::vec(morsels, 1..8).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
        1 => "\\PC{1,300}",
    ]
}

/// The reference plan with one text in every place that others may write to.
fn plan_named(text: &str) -> Plan {
    let mut plan = plan();
    let owned = || text.to_owned();
    plan.tenant.name = owned();
    plan.playbook.name = owned();
    plan.case.subject.display_name = owned();
    let held = RoleHeld { template_id: owned(), name: owned(), source: RoleSource::Eligible };
    plan.case.subject.roles = Look::Read(vec![held]);
    plan.case.subject.federated = Look::Unread { why: owned() };
    for indicator in &mut plan.case.indicators {
        indicator.value = owned();
        indicator.reasons = vec![owned()];
    }
    for action in &mut plan.actions {
        action.summary = owned();
        action.object.kind = owned();
        action.object.name = owned();
        action.object.id = Some(owned());
        action.reason = format!("x{text}");
        action.evidence = vec![owned(), owned()];
        action.before = json!({"name": text, "list": [text, 1]});
        action.after =
            json!({"name": format!("{text}x"), "list": [1, {"cidrAddress": text}, [text]], "k": text});
        action.requests.iter_mut().for_each(|request| request.path = format!("/v1.0/{text}"));
        if let Some(cannot) = &mut action.cannot {
            *cannot = Cannot {
                why: owned(),
                instead: vec![format!("Set-Mailbox {text}")],
                commands: vec![format!("Set-Mailbox -WhatIf {text}")],
                ..Cannot::default()
            };
        }
    }
    plan.left[0].object = owned();
    plan.left[0].why = vec![owned()];
    plan.guards.refused[0] = GuardRefusal {
        guard: owned(),
        object: owned(),
        why: owned(),
        next: owned(),
        step: Some(owned()),
        holds_back: false,
    };
    plan.guards.overridden = vec![GuardOverride { guard: owned(), object: owned(), why: owned() }];
    plan.unchanged[0] = UnchangedStep { step: owned(), kind: Some(owned()), why: owned() };
    plan.warnings = vec![owned()];
    plan.residual_risk = vec![owned()];
    plan.permissions = vec![owned()];
    plan.requested_by.name = owned();
    plan
}

/// What differs between the reference plan and this one.
fn difference_to(after: &Plan) -> PlanDifference {
    PlanDifference::between(&plan(), after).unwrap()
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    plain
}

/// A line of Markdown cut into what stands in code spans and what does not.
fn outside_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    assert_eq!(parts.len() % 2, 1, "a code span is left open: {line}");
    for code in parts.iter().skip(1).step_by(2) {
        assert!(!code.is_empty() && !code.contains(['<', '>', '|', '\\', '&']), "{line}");
    }
    parts.iter().step_by(2).copied().collect::<Vec<_>>().join("\u{0}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_line_is_wider_than_asked_for_and_no_letter_of_it_acts(name in hostile(), width in 40usize..130, is_full: bool) {
        let detail = if is_full { Detail::Full } else { Detail::Usual };
        let style = Style { width, detail, ..in_file() };
        let plan = plan_named(&name);
        let shown = text(&plan, &style);
        for line in shown.lines() {
            let is_command = line.trim_start().starts_with("Set-Mailbox");
            prop_assert!(is_command || line.width() <= width, "{} > {width}: {line:?}", line.width());
        }
        for letter in shown.chars().filter(|letter| *letter != '\n') {
            prop_assert_eq!(inert(&letter.to_string()), letter.to_string());
        }
        let coloured = text(&plan, &Style { colour: Colour::On, ..style.clone() });
        prop_assert_eq!(without_colours(&coloured), shown);
        let differs = difference_text(&difference_to(&plan), &style);
        for line in differs.lines() {
            let is_command = line.trim_start().starts_with("Set-Mailbox");
            prop_assert!(is_command || line.width() <= width, "{} > {width}: {line:?}", line.width());
        }
        for letter in differs.chars().filter(|letter| *letter != '\n') {
            prop_assert_eq!(inert(&letter.to_string()), letter.to_string());
        }
    }

    #[test]
    fn no_name_becomes_markup_in_a_comparison(name in hostile()) {
        let shown = difference_markdown(&difference_to(&plan_named(&name)));
        let mut is_fenced = false;
        for line in shown.lines() {
            for letter in line.chars() {
                prop_assert_eq!(inert(&letter.to_string()), letter.to_string());
            }
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            }
            if is_fenced || line.trim_start().starts_with("```") {
                continue;
            }
            let outside = outside_code(line);
            let unescaped = outside.replace("\\\\", "").replace("\\|", "").replace("\\[", "").replace("\\]", "");
            prop_assert!(!outside.contains(['<', '>', '@']) && !outside.contains("://"), "{line}");
            prop_assert!(!unescaped.contains(['[', ']']), "{line}");
        }
        prop_assert!(!is_fenced);
    }

    #[test]
    fn no_name_becomes_markup(name in hostile()) {
        let shown = markdown(&plan_named(&name));
        prop_assert_eq!(shown.lines().count(), markdown(&plan_named("quite harmless")).lines().count());
        let headings = |text: &str| text.lines().filter(|line| line.trim_start().starts_with('#')).count();
        prop_assert_eq!(headings(&shown), headings(&markdown(&plan_named("quite harmless"))));
        let mut fence: Option<String> = None;
        let mut columns = None;
        for line in shown.lines() {
            for letter in line.chars() {
                prop_assert_eq!(inert(&letter.to_string()), letter.to_string());
            }
            let trimmed = line.trim_start();
            match &fence {
                Some(open) => {
                    if trimmed == open { fence = None; }
                    continue;
                }
                None if trimmed.starts_with("```") => {
                    fence = Some(trimmed.trim_end_matches("text").to_owned());
                    continue;
                }
                None => {}
            }
            let outside = outside_code(line);
            let unescaped = outside.replace("\\\\", "").replace("\\|", "").replace("\\[", "").replace("\\]", "");
            prop_assert!(!outside.contains(['<', '>', '@']) && !outside.contains("://"), "{line}");
            prop_assert!(!unescaped.contains(['[', ']']), "{line}");
            prop_assert!(!trimmed.starts_with("# ") || line.starts_with("# Plan "), "{line}");
            let pipes = unescaped.matches('|').count();
            columns = if pipes == 0 { None } else { columns.or(Some(pipes)) };
            prop_assert_eq!(pipes, columns.unwrap_or(0), "{}", line);
        }
        prop_assert!(fence.is_none());
    }
}

#[test]
fn a_long_text_of_ours_is_shown_to_its_end() {
    let long = format!("{}end", "word ".repeat(200));
    assert_eq!(inert_whole(&long), long);
    let mut plan = plan();
    plan.warnings = vec![long];
    assert!(text(&plan, &Style::default()).contains(" end\n"));
}

#[test]
fn letters_that_look_like_others_are_named() {
    let mut plan = plan();
    plan.case.subject.upn = "lynne.r\u{43e}bbins@contoso.com".parse().unwrap();
    plan.case.subject.display_name = "Lynne R\u{43e}bbins".to_owned();
    let shown = text(&plan, &Style::default());
    assert_eq!(shown.matches("(look twice: it has U+043E)").count(), 2, "{shown}");
    plan.case.subject.display_name = "Zoë Łukasz 電話".to_owned();
    assert_eq!(text(&plan, &Style::default()).matches("look twice").count(), 1);
}

#[test]
fn what_was_not_read_is_not_shown_as_none() {
    let mut plan = plan();
    plan.case.subject.roles = Look::Unread { why: "403".to_owned() };
    plan.case.subject.last_sign_in = Look::Unread { why: "no licence for the log".to_owned() };
    let shown = text(&plan, &Style::default());
    assert!(shown.contains("Roles          not read (treated as privileged): 403"), "{shown}");
    assert!(shown.contains("Last sign-in   not read (sign-in log): no licence for the log"), "{shown}");
}

#[test]
fn a_refused_account_is_said_first_and_no_command_follows() {
    let mut plan = plan();
    plan.guards.refused[0].step = None;
    let shown = text(&plan, &in_file());
    let summary = shown.split("\n\n").nth(1).unwrap();
    assert!(
        summary.starts_with("A guard refuses this account itself: the plan cannot be applied."),
        "{summary}"
    );
    assert!(!shown.contains("stanch apply"), "{shown}");
    assert!(!markdown(&plan).contains("stanch apply"));
}

#[test]
fn a_plan_with_nothing_to_send_says_so_and_is_applied_only_to_wait_for_a_person() {
    let mut plan = plan();
    plan.actions.retain(|action| action.cannot.is_some());
    let shown = text(&plan, &in_file());
    assert!(shown.contains("Nothing will be changed. 1 more thing cannot be done from here"), "{shown}");
    assert!(shown.ends_with("stanch apply plan.json\n") && !shown.contains("HOW LONG"), "{shown}");
    assert_eq!(estimate(&plan).to_string(), "no time");
    plan.actions.clear();
    let shown = text(&plan, &in_file());
    assert!(shown.ends_with("There is nothing to apply.\n"), "{shown}");
}

#[test]
fn commands_of_a_persons_work_are_counted_in_short_and_shown_in_full() {
    let mut plan = plan();
    plan.actions.retain(|action| action.cannot.is_some());
    for action in &mut plan.actions {
        action.required = false;
        action.cannot.as_mut().unwrap().commands =
            vec!["Get-Mailbox 'x'".to_owned(), "Set-Mailbox 'x'".to_owned()];
    }
    let shown = text(&plan, &in_file());
    assert!(shown.contains("1 thing is left to a person, and not required."), "{shown}");
    assert!(shown.contains("For a person: Graph does not offer"), "{shown}");
    assert!(
        shown.contains("2 lines of PowerShell: shown with -v") && !shown.contains("Get-Mailbox"),
        "{shown}"
    );
    assert!(text(&plan, &Style { detail: Detail::Full, ..in_file() }).contains("Get-Mailbox 'x'\n"));
    assert!(markdown(&plan).contains("Get-Mailbox 'x'\n"));
}

#[test]
fn what_keeps_the_account_open_and_what_was_set_aside_stand_in_the_summary() {
    let mut plan = plan();
    plan.left[0].holds_back = true;
    plan.guards.overridden = vec![GuardOverride {
        guard: "wide_range".to_owned(),
        object: "89.187.160.0/20".to_owned(),
        why: "it holds 4096 addresses".to_owned(),
    }];
    let shown = text(&plan, &Style { width: 1000, ..Style::default() });
    let summary = shown.split("\n\n").nth(1).unwrap();
    assert!(summary.contains("1 guard was set aside."), "{summary}");
    assert!(
        summary.contains("1 object that is left keeps the account from counting as contained."),
        "{summary}"
    );
    assert!(shown.contains("While it stands the account does not count as contained."), "{shown}");
    assert!(
        shown.contains("· wide_range for 89.187.160.0/20\n    It would refuse: it holds 4096 addresses"),
        "{shown}"
    );
}

/// A plan that lets the user in again, and then watches.
fn restoring() -> Plan {
    let mut restoring = plan();
    restoring.playbook.name = "restore".to_owned();
    let path = "/v1.0/users/LYNNE";
    let mut enable = action(
        "enable_sign_in",
        "Enable sign-in",
        json!({"accountEnabled": false}),
        json!({"accountEnabled": true}),
        vec![request(Verb::Patch, path, json!({"accountEnabled": true}))],
    );
    enable.reversible = true;
    enable.undo = Undo::Requests(vec![request(Verb::Patch, path, json!({"accountEnabled": false}))]);
    enable.reason = "the account is contained, and its owner is back".to_owned();
    let mut watch = action(
        "watch_new_method",
        "Wait up to 15 min for a new method",
        json!({"methods": []}),
        json!({"methods": "one more, which the user says is theirs"}),
        Vec::new(),
    );
    watch.needs = vec![enable.id.clone()];
    watch.required = false;
    watch.reason = "a pass that somebody else used is to be known at once".to_owned();
    watch.watch = Some(crate::plan::Watch { within_seconds: 900 });
    restoring.actions = vec![enable, watch];
    restoring.guards.refused.clear();
    restoring.left.clear();
    restoring.unchanged.clear();
    restoring.case.indicators.clear();
    let warning = "no run on record has contained this account".to_owned();
    restoring.warnings = vec![warning.clone(), "the clock is off".to_owned(), warning];
    restoring.sealed().unwrap()
}

#[test]
fn a_plan_that_lets_the_user_in_contains_nobody_and_what_only_watches_is_no_change() {
    let text = text(&restoring(), &in_file());
    let (head, rest) = text.split_once("\nWHO\n").unwrap();
    insta::assert_snapshot!(head, @r#"
    Plan for lynne.robbins@contoso.com (playbook restore)
    Tenant "Contoso" 84f1a2c6-52c1-4c6e-9d0e-0f2a3a4d1b11
    Plan bec-20241004-7f3a, digest efb22160
    Made 2024-10-04 15:10 UTC, expires 2024-10-04 16:10 UTC

    1 change in 1 request, about 1 s to 40 s. Every change can be undone. 1 action
    only watches. No guard refused anything. So far nothing has been changed.
    "#);
    let (_, rest) = rest.split_once("\nWHAT WILL CHANGE\n").unwrap();
    let (changes, rest) = rest.split_once("\nPERMISSIONS\n").unwrap();
    insta::assert_snapshot!(changes, @r#"
       1  Enable sign-in
          user lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          accountEnabled: false → true
          Why: the account is contained, and its owner is back
          Can be undone, by 1 request.
          Starts at once; required for containment.
          PATCH /v1.0/users/6ed5d1bf…

       2  Wait up to 15 min for a new method
          user lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          methods: none → "one more, which the user says is theirs"
          Why: a pass that somebody else used is to be known at once
          Starts after 1; not required: its failure leaves the account contained.

    WARNINGS
      · no run on record has contained this account
      · the clock is off

    WHAT STAYS OPEN
      · Access tokens already issued live on for up to 90 minutes where continuous
        access evaluation does not reach

    HOW LONG
      About 1 s to 40 s. Longer when Graph throttles or fails; each request is
      written down before it leaves.
      · The longest chain has 1 change: each is looked at again and sent before the
        next starts.
      · What Graph shows may trail what was written, by up to 30 s a change.
      · What is watched for comes on top: up to 15 min.
    "#);
    assert!(rest.ends_with("stanch apply plan.json\n"), "{rest}");
}

#[test]
fn the_file_is_one_word_to_a_shell_and_no_option() {
    for (file, command) in [
        ("plan.json", "  stanch apply plan.json\n"),
        ("my plan's.json", "  stanch apply 'my plan'\\''s.json'\n"),
        ("-yes", "  stanch apply ./-yes\n"),
        ("$(reboot)", "  stanch apply '$(reboot)'\n"),
    ] {
        let shown = text(&plan(), &Style { file: Some(file.to_owned()), ..Style::default() });
        assert!(shown.ends_with(command), "{shown}");
    }
}

#[test]
fn full_detail_shows_every_request_whole_with_its_undo_and_every_reason() {
    let shown = text(&plan(), &Style { width: 1000, detail: Detail::Full, ..Style::default() });
    for request in plan().actions.iter().flat_map(|action| &action.requests) {
        assert!(shown.contains(&format!("{} {}\n", request.method, request.path)), "{}", request.path);
    }
    assert!(shown.contains(&format!("undo: PATCH /v1.0/users/{LYNNE}\n")), "{shown}");
    assert!(shown.contains("\"password\": \"${secret.password}\""), "{shown}");
    assert!(
        shown.contains(
            "· 212.102.33.83, likely, seen 2024-09-26 18:03 UTC to 2024-10-04 14:14 UTC\n    · Shares"
        ),
        "{shown}"
    );
}

#[test]
fn what_a_body_says_beyond_the_change_is_shown_unasked() {
    let mut plan = plan();
    let only = |plan: &Plan| text(plan, &Style { width: 1000, ..Style::default() });
    let shown = only(&plan);
    assert!(!shown.contains("with {\"accountEnabled\""), "{shown}");
    assert!(shown.contains("with {\"passwordProfile\":{\"forceChangePasswordNextSignIn\":true,"), "{shown}");
    plan.actions[0].requests[0].body = json!({"accountEnabled": true});
    assert!(only(&plan).contains("with {\"accountEnabled\":true}"));
    assert!(markdown(&plan).contains("     \"accountEnabled\": true\n"), "{}", markdown(&plan));
}

#[test]
fn a_list_that_only_grows_is_not_told_to_keep_none() {
    let mut plan = plan();
    plan.actions.truncate(1);
    plan.actions[0].before = json!({"contains": []});
    plan.actions[0].after = json!({"contains": [4, 5]});
    let shown = text(&plan, &Style::default());
    assert!(shown.contains("contains: +4, +5\n"), "{shown}");
    assert!(markdown(&plan).contains("| contains | none of these | +4, +5 |"), "{}", markdown(&plan));
}

#[test]
fn lists_are_compared_as_bags_and_fields_by_name() {
    let mut plan = plan();
    plan.actions.truncate(1);
    plan.actions[0].before = json!({"a": {"b": [1, 2, 2, 3], "gone": 1}, "same": [1, 2]});
    plan.actions[0].after = json!({"a": {"b": [3, 2, 4]}, "new": {"x": 1}, "same": [2, 1]});
    let shown = text(&plan, &Style::default());
    assert!(shown.contains("a.b: 2 stay, +4, −1, −2\n"), "{shown}");
    assert!(shown.contains("a.gone: 1 → nothing\n"), "{shown}");
    assert!(shown.contains("new.x: nothing → 1\n"), "{shown}");
    assert!(!shown.contains("same"), "{shown}");
    plan.actions[0].after = plan.actions[0].before.clone();
    assert!(text(&plan, &Style::default()).contains("the state that is read back stays as it is"));
}

#[test]
fn the_estimate_follows_what_waits_and_the_shared_bucket() {
    let mut plan = plan();
    let whole = estimate(&plan);
    assert_eq!((whole.least.as_secs(), whole.most.as_secs()), (6, 150));
    plan.actions.retain(|action| !action.step.starts_with("block") && !action.step.starts_with("require"));
    let eviction = estimate(&plan);
    assert_eq!((eviction.least.as_millis(), eviction.most.as_secs()), (2400, 144));
    plan.actions.iter_mut().for_each(|action| action.needs.clear());
    let at_once = estimate(&plan);
    assert_eq!((at_once.least.as_millis(), at_once.most.as_secs()), (600, 36));
}

#[test]
fn a_circle_of_needs_still_gives_an_estimate() {
    let mut plan = plan();
    let last = plan.actions[3].id.clone();
    plan.actions[0].needs = vec![last];
    assert!(estimate(&plan).most.as_secs() < 3600);
}

#[test]
fn colours_are_there_only_when_asked_for() {
    assert!(!text(&plan(), &Style::default()).contains('\u{1b}'));
    let coloured = text(&plan(), &Style { colour: Colour::On, ..Style::default() });
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31m1 thing was refused by a guard.\u{1b}[0m"), "{coloured:?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "the snapshot is the test")]
fn the_reference_case_as_text() {
    insta::assert_snapshot!(text(&plan(), &in_file()), @r##"
    Plan to contain lynne.robbins@contoso.com (playbook bec)
    Tenant "Contoso" 84f1a2c6-52c1-4c6e-9d0e-0f2a3a4d1b11
    Plan bec-20241004-7f3a, digest da6073dd
    Made 2024-10-04 15:10 UTC, expires 2024-10-04 16:10 UTC

    6 changes in 6 requests, about 6 s to 3 min. 3 cannot be undone. 1 more thing
    cannot be done from here and waits for a person: until then the account does not
    count as contained. 1 thing was refused by a guard. So far nothing has been
    changed.

    WHO
      Name           "Lynne Robbins"
      Sign-in name   lynne.robbins@contoso.com
      Object id      6ed5d1bf-e585-452f-ac95-4ab592c9357d
      Roles          none
      Directory      cloud only, not synced
      Sign-in        enabled
      Last sign-in   2024-10-04 14:14 UTC
      Password set   2024-06-19 00:00 UTC
      Account made   2021-11-16 00:00 UTC

    WHY
      Since          2024-09-26 18:03 UTC
      Addresses      89.187.164.77, 89.187.164.82, 89.187.164.135, 181.214.107.154
                     likely: 212.102.33.83
      Ranges         89.187.164.0/24
      User agents    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"
      Sessions       1f9bf4ff-310f-4079-9180-febb8ca9bff9
      · Addresses: Sign-ins with the user agent node-fetch/1.0
        (+https://github.com/bitinn/node-fetch) (4 of 5)
      · Addresses: Shares a session with them (1 of 5)
      · Ranges: Given by a person
      · User agents: Given by a person
      · Sessions: Sign-ins from addresses of the intruder

    WHAT WILL CHANGE
       1  Block sign-in
          user lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          accountEnabled: true → false
          Why: the intruder signs in as this user
          Can be undone, by 1 request.
          Starts at once; required for containment.
          PATCH /v1.0/users/6ed5d1bf…

       2  Scramble the password
          user lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          lastPasswordChangeDateTime: 2024-06-19T00:00:00Z → later than
            2024-06-19T00:00:00Z
          Why: the intruder signs in as this user
          Cannot be undone: the old password is known to nobody here
          Starts after 1; required for containment.
          PATCH /v1.0/users/6ed5d1bf…
            with {"passwordProfile":{"forceChangePasswordNextSignIn":true,"password"
                 :"${secret.password}"}}

       3  Remove the Authenticator that the intruder registered
          authentication method "Infinitix" 3ebebe3e-1790-40da-9891-0052cebcc1ba
          createdDateTime: 2024-09-26T19:25:02Z → gone
          displayName: "Infinitix" → gone
          Why: registered after the compromise began
          · Registered 2024-09-26 19:25 UTC from 89.187.164.135, an address of the
            intruder
          · No fresh second factor was asked for: "MFA requirement satisfied by
            claim in the token"
          Cannot be undone: only the phone that holds it could register it again
          Starts after 2; required for containment.
          DELETE /v1.0/users/6ed5d1bf…/authentication/microsoftAuthenticatorMethods/
                 3ebebe3e…

       4  Revoke all sessions
          user lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          signInSessionsValidFromDateTime: 2024-08-26T00:00:00Z → later than
            2024-08-26T00:00:00Z
          Why: the intruder signs in as this user
          Cannot be undone: what is revoked stays revoked
          Starts after 2, 3; required for containment.
          POST /v1.0/users/6ed5d1bf…/revokeSignInSessions

       5  Add 3 ranges to the blocked addresses
          named location "IP Blacklist" 3d541753-3960-46ea-a6f5-89f192aa7313
          ipRanges: 2 stay, +89.187.164.0/24, +181.214.107.154/32,
            +212.102.33.83/32
          Why: the intruder signed in from these addresses
          · "89.187.164.82/24" has host bits set: it is read as 89.187.164.0/24
          Can be undone, by 1 request.
          Starts at once; required for containment.
          PATCH /v1.0/identity/conditionalAccess/namedLocations/3d541753…

       6  Require a compliant device, in report-only mode
          policy "stanch: require a compliant device" (is made)
          does not exist yet; is made with:
          conditions.applications.includeApplications: "All"
          conditions.users.includeUsers: 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          displayName: "stanch: require a compliant device"
          state: "enabledForReportingButNotEnforced"
          Why: a stolen token came from a device that the company does not manage
          Can be undone, by 1 request.
          Starts after 5; not required: its failure leaves the account contained.
          POST /v1.0/identity/conditionalAccess/policies

       7  Stop forwarding of the mailbox
          mailbox lynne.robbins@contoso.com 6ed5d1bf-e585-452f-ac95-4ab592c9357d
          CANNOT be done from here: Graph does not offer this setting
          forwardingSmtpAddress: drop@fabrikam.com → nothing
          Why: it was set from an address of the intruder
          Instead, by hand:
          · In Exchange Online PowerShell, as an Exchange administrator:
            Set-Mailbox -Identity 6ed5d1bf-e585-452f-ac95-4ab592c9357d -ForwardingSmtpAddress $null -DeliverToMailboxAndForward $false
          Done by a person; required for containment.

    LEFT ALONE
      · "iPhone 13", found by remove_auth_methods
        · Of unknown origin, but registered long before the compromise began
        · Last used 2024-08-28

    NOTHING TO DO
      · remove_app_consents: the user has granted no app anything

    REFUSED BY A GUARD
      · 203.0.113.1/32 refused by company_range, wanted by block_ips
        Why: it is the head office's own address: blocking it locks everyone there
          out
        Next: leave it out, or name it with --override company_range

    WARNINGS
      · No emergency-access account is configured

    WHAT STAYS OPEN
      · Access tokens already issued live on for up to 90 minutes where continuous
        access evaluation does not reach

    HOW LONG
      About 6 s to 3 min. Longer when Graph throttles or fails; each request is
      written down before it leaves.
      · The longest chain has 4 changes that wait for one another: each is looked at
        again and sent before the next starts.
      · What Graph shows may trail what was written, by up to 30 s a change.
      · Graph takes one request a second for Conditional Access, for all apps of the
        tenant: 6 of ours.
      · What a person has to do by hand comes on top.

    PERMISSIONS
      User.RevokeSessions.All, User-PasswordProfile.ReadWrite.All,
      UserAuthMethod-MicrosoftAuthApp.ReadWrite.All,
      Policy.ReadWrite.ConditionalAccess

    WHO ASKED
      adele.vance@contoso.com, known to the tenant
      Made with stanch 0.1.0. Whole digest:
      sha256:da6073ddda549f46cee6d30131ac99274a9e181c6c41f0150ddcdaa893b531c2

    Nothing has been changed yet. To do exactly this:
      stanch apply plan.json
    "##);
}

#[test]
fn another_decision_about_the_reference_case() {
    let mut after = plan();
    after.expires_at = at("2024-10-04T17:00:00Z");
    after.actions.remove(2);
    after.actions[0].requests[0].body = json!({"accountEnabled": true});
    after.actions[1].required = false;
    after.warnings = vec!["the method list could not be read".to_owned()];
    after.guards.refused[0].why = "another reason".to_owned();
    after.residual_risk.push("a second risk".to_owned());
    let after = Plan { digest: Sha256Digest::of_bytes(b"another"), ..after };
    insta::assert_snapshot!(difference_text(&difference_to(&after), &in_file()), @r##"
    What differs between two plans
    First plan: bec for lynne.robbins@contoso.com, made 2024-10-04 15:10 UTC,
    expires 2024-10-04 16:10 UTC, digest da6073dd
    Second plan: bec for lynne.robbins@contoso.com, made 2024-10-04 15:10 UTC,
    expires 2024-10-04 17:00 UTC, digest ae448ac8

    1 action removed, 2 actions changed. 4 actions stay the same.

    ACTIONS REMOVED
      · − Remove the Authenticator that the intruder registered
        authentication method "Infinitix" 3ebebe3e-1790-40da-9891-0052cebcc1ba
        createdDateTime: 2024-09-26T19:25:02Z → gone
        displayName: "Infinitix" → gone
        Why: registered after the compromise began
        · Registered 2024-09-26 19:25 UTC from 89.187.164.135, an address of the
          intruder
        · No fresh second factor was asked for: "MFA requirement satisfied by claim
          in the token"
        Cannot be undone: only the phone that holds it could register it again
        Starts after reset_password; required for containment.
        DELETE /v1.0/users/6ed5d1bf…/authentication/microsoftAuthenticatorMethods/
               3ebebe3e…

    ACTIONS CHANGED
      · Block sign-in (disable_sign_in)
        requests:
        − PATCH /v1.0/users/6ed5d1bf…
          with {"accountEnabled":false}
        + PATCH /v1.0/users/6ed5d1bf…
          with {"accountEnabled":true}
      · Scramble the password (reset_password)
        required: true → false

    GUARDS
      guards.refused[company_range 203.0.113.1/32].why: "it is the head office's
        own address: blocking it locks everyone there out" → "another reason"

    WARNINGS
      warnings:
      · − No emergency-access account is configured
      · + the method list could not be read

    WHAT STAYS OPEN
      residual_risk: 1 in both
      · + a second risk
    "##);
}

#[test]
#[expect(clippy::too_many_lines, reason = "the snapshot is the test")]
fn the_reference_case_as_markdown() {
    insta::assert_snapshot!(markdown(&plan()), @r##"
    # Plan to contain `lynne.robbins@contoso.com` (playbook bec)

    - Tenant "Contoso" 84f1a2c6-52c1-4c6e-9d0e-0f2a3a4d1b11
    - Plan bec-20241004-7f3a, digest da6073dd
    - Made 2024-10-04 15:10 UTC, expires 2024-10-04 16:10 UTC

    **6 changes in 6 requests, about 6 s to 3 min.** **3 cannot be undone.** **1 more thing cannot be done from here and waits for a person**: until then the account does not count as contained. **1 thing was refused by a guard.** So far nothing has been changed.

    ## Who

    |  |  |
    | --- | --- |
    | Name | "Lynne Robbins" |
    | Sign-in name | `lynne.robbins@contoso.com` |
    | Object id | 6ed5d1bf-e585-452f-ac95-4ab592c9357d |
    | Roles | none |
    | Directory | cloud only, not synced |
    | Sign-in | enabled |
    | Last sign-in | 2024-10-04 14:14 UTC |
    | Password set | 2024-06-19 00:00 UTC |
    | Account made | 2021-11-16 00:00 UTC |

    ## Why

    |  |  |
    | --- | --- |
    | Since | 2024-09-26 18:03 UTC |
    | Addresses | `89.187.164.77`, `89.187.164.82`, `89.187.164.135`, `181.214.107.154`; **likely:** `212.102.33.83` |
    | Ranges | `89.187.164.0/24` |
    | User agents | "`node-fetch/1.0` (`+https://github.com/bitinn/node-fetch`)" |
    | Sessions | 1f9bf4ff-310f-4079-9180-febb8ca9bff9 |

    - Addresses: Sign-ins with the user agent `node-fetch/1.0` (`+https://github.com/bitinn/node-fetch`) (4 of 5)
    - Addresses: Shares a session with them (1 of 5)
    - Ranges: Given by a person
    - User agents: Given by a person
    - Sessions: Sign-ins from addresses of the intruder

    ## What will change

    1. **Block sign-in**

       user `lynne.robbins@contoso.com` 6ed5d1bf-e585-452f-ac95-4ab592c9357d

       | Field | Before | After |
       | --- | --- | --- |
       | accountEnabled | true | false |

       Why: the intruder signs in as this user

       Can be undone, by 1 request.

       Starts at once; required for containment.

       - PATCH `/v1.0/users/6ed5d1bf-e585-452f-ac95-4ab592c9357d`

    2. **Scramble the password**

       user `lynne.robbins@contoso.com` 6ed5d1bf-e585-452f-ac95-4ab592c9357d

       | Field | Before | After |
       | --- | --- | --- |
       | lastPasswordChangeDateTime | `2024-06-19T00:00:00Z` | later than `2024-06-19T00:00:00Z` |

       Why: the intruder signs in as this user

       **Cannot be undone:** the old password is known to nobody here

       Starts after 1; required for containment.

       - PATCH `/v1.0/users/6ed5d1bf-e585-452f-ac95-4ab592c9357d`

         ```text
         {
           "passwordProfile": {
             "forceChangePasswordNextSignIn": true,
             "password": "${secret.password}"
           }
         }
         ```

    3. **Remove the Authenticator that the intruder registered**

       authentication method "Infinitix" 3ebebe3e-1790-40da-9891-0052cebcc1ba

       | Field | Before | After |
       | --- | --- | --- |
       | createdDateTime | `2024-09-26T19:25:02Z` | gone |
       | displayName | "Infinitix" | gone |

       Why: registered after the compromise began

       - Registered 2024-09-26 19:25 UTC from `89.187.164.135`, an address of the intruder
       - No fresh second factor was asked for: "MFA requirement satisfied by claim in the token"

       **Cannot be undone:** only the phone that holds it could register it again

       Starts after 2; required for containment.

       - DELETE `/v1.0/users/6ed5d1bf-e585-452f-ac95-4ab592c9357d/authentication/microsoftAuthenticatorMethods/3ebebe3e-1790-40da-9891-0052cebcc1ba`

    4. **Revoke all sessions**

       user `lynne.robbins@contoso.com` 6ed5d1bf-e585-452f-ac95-4ab592c9357d

       | Field | Before | After |
       | --- | --- | --- |
       | signInSessionsValidFromDateTime | `2024-08-26T00:00:00Z` | later than `2024-08-26T00:00:00Z` |

       Why: the intruder signs in as this user

       **Cannot be undone:** what is revoked stays revoked

       Starts after 2, 3; required for containment.

       - POST `/v1.0/users/6ed5d1bf-e585-452f-ac95-4ab592c9357d/revokeSignInSessions`

    5. **Add 3 ranges to the blocked addresses**

       named location "IP Blacklist" 3d541753-3960-46ea-a6f5-89f192aa7313

       | Field | Before | After |
       | --- | --- | --- |
       | ipRanges | 2 in the list | 2 stay, +`89.187.164.0/24`, +`181.214.107.154/32`, +`212.102.33.83/32` |

       Why: the intruder signed in from these addresses

       - "`89.187.164.82/24`" has host bits set: it is read as `89.187.164.0/24`

       Can be undone, by 1 request.

       Starts at once; required for containment.

       - PATCH `/v1.0/identity/conditionalAccess/namedLocations/3d541753-3960-46ea-a6f5-89f192aa7313`

    6. **Require a compliant device, in report-only mode**

       policy "stanch: require a compliant device" (is made)

       does not exist yet; is made with:

       | Field | Before | After |
       | --- | --- | --- |
       | `conditions.applications.includeApplications` |  | "All" |
       | `conditions.users.includeUsers` |  | 6ed5d1bf-e585-452f-ac95-4ab592c9357d |
       | displayName |  | "stanch: require a compliant device" |
       | state |  | "enabledForReportingButNotEnforced" |

       Why: a stolen token came from a device that the company does not manage

       Can be undone, by 1 request.

       Starts after 5; not required: its failure leaves the account contained.

       - POST `/v1.0/identity/conditionalAccess/policies`

    7. **Stop forwarding of the mailbox**

       mailbox `lynne.robbins@contoso.com` 6ed5d1bf-e585-452f-ac95-4ab592c9357d

       **CANNOT be done from here:** Graph does not offer this setting

       | Field | Before | After |
       | --- | --- | --- |
       | forwardingSmtpAddress | `drop@fabrikam.com` | nothing |

       Why: it was set from an address of the intruder

       **Instead, by hand:**

       - In Exchange Online PowerShell, as an Exchange administrator:

       ```text
       Set-Mailbox -Identity 6ed5d1bf-e585-452f-ac95-4ab592c9357d -ForwardingSmtpAddress $null -DeliverToMailboxAndForward $false
       ```

       Done by a person; required for containment.

    ## Left alone

    - "iPhone 13", found by remove\_auth\_methods

      - Of unknown origin, but registered long before the compromise began
      - Last used 2024-08-28

    ## Nothing to do

    - remove\_app\_consents: the user has granted no app anything

    ## Refused by a guard

    - `203.0.113.1/32` refused by company\_range, wanted by block\_ips

      Why: it is the head office's own address: blocking it locks everyone there out

      Next: leave it out, or name it with --override company\_range

    ## Warnings

    - No emergency-access account is configured

    ## What stays open

    - Access tokens already issued live on for up to 90 minutes where continuous access evaluation does not reach

    ## How long

    About 6 s to 3 min. Longer when Graph throttles or fails; each request is written down before it leaves.

    - The longest chain has 4 changes that wait for one another: each is looked at again and sent before the next starts.
    - What Graph shows may trail what was written, by up to 30 s a change.
    - Graph takes one request a second for Conditional Access, for all apps of the tenant: 6 of ours.
    - What a person has to do by hand comes on top.

    ## Permissions

    `User.RevokeSessions.All`, `User-PasswordProfile.ReadWrite.All`, `UserAuthMethod-MicrosoftAuthApp.ReadWrite.All`, `Policy.ReadWrite.ConditionalAccess`

    ## Who asked

    `adele.vance@contoso.com`, known to the tenant

    Made with stanch `0.1.0`. Whole digest:

    sha256:da6073ddda549f46cee6d30131ac99274a9e181c6c41f0150ddcdaa893b531c2

    Nothing has been changed yet.
    "##);
}
