//! What rules tell of themselves.

use serde_json::json;

use super::*;
use crate::investigate::whose::tests::case;

const ARCHIVE: &str = "AAMkAGarchive=";

fn inbox() -> Inbox {
    Inbox {
        rules: Look::Read(None),
        own_domains: Look::Read(vec!["fabrikam.com".to_owned(), "fabrikam.onmicrosoft.com".to_owned()]),
        archive: Look::Read(Some(ARCHIVE.to_owned())),
        folders: Look::Read(()),
    }
}

fn rule(name: &str, conditions: Value, actions: Value) -> InboxRule {
    let whole = json!({ "displayName": name, "conditions": conditions, "actions": actions });
    let part = |value: Value| value.as_object().cloned().unwrap_or_default();
    InboxRule {
        id: "AQAAAKx3Tq8=".to_owned(),
        name: name.to_owned(),
        enabled: true,
        read_only: false,
        conditions: part(conditions),
        actions: part(actions),
        exceptions: serde_json::Map::new(),
        whole,
        folders: BTreeMap::new(),
    }
}

fn to(address: &str) -> Value {
    json!([{ "emailAddress": { "name": "x", "address": address } }])
}

fn verdict(name: &str, conditions: Value, actions: Value) -> MethodVerdict {
    let rule = rule(name, conditions, actions);
    judge(&[rule], &inbox(), &case(vec![])).remove(0).verdict
}

#[test]
fn rules_that_hide_what_they_are_after_are_the_intruders() {
    for (name, conditions, actions) in [
        (
            ".",
            json!({ "subjectContains": ["invoice", "payment"] }),
            json!({ "moveToFolder": "AAMkX", "markAsRead": true, "stopProcessingRules": true }),
        ),
        (
            "Newsletters",
            json!({ "bodyOrSubjectContains": ["wire transfer"] }),
            json!({ "moveToFolder": ARCHIVE, "markAsRead": true }),
        ),
        ("..", json!({}), json!({ "redirectTo": to("x@mail.example"), "stopProcessingRules": true })),
        (
            "Archive",
            json!({}),
            json!({ "forwardTo": to("x@mail.example"), "delete": true, "markAsRead": true }),
        ),
        ("a", json!({ "subjectContains": ["hacked", "phishing"] }), json!({ "delete": true })),
        (
            "Sync",
            json!({ "fromAddresses": to("helpdesk@fabrikam.com") }),
            json!({ "delete": true, "markAsRead": true }),
        ),
    ] {
        assert_eq!(verdict(name, conditions, actions), MethodVerdict::Attacker, "{name}");
    }
}

#[test]
fn a_rule_of_a_users_own_stays() {
    for (name, conditions, actions) in [
        (
            "Newsletter",
            json!({ "fromAddresses": to("news@contoso.com") }),
            json!({ "moveToFolder": "AAMkNews", "stopProcessingRules": true }),
        ),
        (
            "Newsletter",
            json!({ "senderContains": ["news@"] }),
            json!({ "moveToFolder": "A", "markAsRead": true }),
        ),
        ("Invoices", json!({ "subjectContains": ["invoice"] }), json!({ "moveToFolder": "AAMkInvoices" })),
        ("Ads", json!({ "senderContains": ["ads@"] }), json!({ "delete": true })),
        ("Team", json!({}), json!({ "forwardTo": to("colleague@fabrikam.onmicrosoft.com") })),
        ("!", json!({ "importance": "high" }), json!({ "assignCategories": ["red"] })),
    ] {
        assert_eq!(verdict(name, conditions, actions), MethodVerdict::Owner, "{name}");
    }
}

#[test]
fn what_users_do_as_well_as_intruders_is_asked_about() {
    for (name, conditions, actions) in [
        ("To my own mail", json!({}), json!({ "forwardTo": to("maren@mail.example") })),
        ("Old reports", json!({ "subjectContains": ["security alert"] }), json!({ "delete": true })),
        ("x", json!({ "senderContains": ["ads@"] }), json!({ "delete": true })),
        ("Away with it", json!({}), json!({ "forwardTo": to("maren@mail.example"), "delete": true })),
    ] {
        assert_eq!(verdict(name, conditions, actions), MethodVerdict::Unknown, "{name}");
    }
}

#[test]
fn a_rule_that_graph_cannot_express_is_never_called_harmless() {
    let judged = judge(&[rule("Pinned", Value::Null, Value::Null)], &inbox(), &case(vec![])).remove(0);
    assert_eq!(judged.verdict, MethodVerdict::Unknown);
    assert!(judged.reasons[0].contains("Graph cannot express it"), "{:?}", judged.reasons);
    assert_eq!(describe(&judged.object), "does what Graph cannot tell");
}

#[test]
fn a_rule_is_told_in_a_line() {
    let own = rule(
        ".",
        json!({ "subjectContains": ["invoice"], "hasAttachments": true, "sentToMe": false }),
        json!({ "moveToFolder": "AAMk", "markAsRead": true, "forwardTo": to("x@mail.example") }),
    );
    insta::assert_snapshot!(describe(&own), @"forwards to x@mail.example, marks as read, moves to the folder AAMk (an id: its name was not read); for mail with hasAttachments and subjectContains `invoice`");
}

#[test]
fn short_words_stand_alone_and_longer_ones_may_go_on() {
    for (text, word, wanted) in [
        ("coach", "ach", false),
        ("ach payment", "ach", true),
        ("your payments", "payment", true),
        ("hardwired", "wire", false),
        ("hacked", "hack", true),
        ("teacher", "ach", false),
    ] {
        assert_eq!(holds(text, word), wanted, "{text}");
    }
}

#[test]
fn a_folder_that_nobody_looks_into_is_told_by_its_name() {
    let judged = |folder: &str| {
        let mut rule = rule(
            "Invoices",
            json!({ "subjectContains": ["invoice"] }),
            json!({ "moveToFolder": "AAMkX", "markAsRead": true }),
        );
        rule.folders.insert("AAMkX".to_owned(), folder.to_owned());
        let told = describe(&rule);
        (judge(&[rule], &inbox(), &case(vec![])).remove(0), told)
    };
    for hidden in ["RSS Feeds", "Conversation History", "Junk E-mail", "..", "Archive"] {
        let (rule, told) = judged(hidden);
        assert_eq!(rule.verdict, MethodVerdict::Attacker, "{hidden}: {:?}", rule.reasons);
        assert!(told.contains(&format!("moves to the folder `{hidden}`")), "{told}");
    }
    assert_eq!(judged("Invoices 2026").0.verdict, MethodVerdict::Unknown);
}
