//! The page on the playbooks: when to use which is told by hand, what each does and why comes from the files.

use std::fmt::Write as _;

use crate::pages::{MADE, hold};
use crate::world::{bound, shipped};

/// A playbook: when it is the right one, and what it does not do.
const WHEN: [(&str, &str, &str); 9] = [
    (
        "bec",
        "Mail was sent, read or hidden in the user's name. When in doubt, this one",
        "Nothing for other users. Mail that went out stays out: it names who got it",
    ),
    (
        "token-theft",
        "A stolen token is in use right now, from a proxy page or from malware",
        "It does not clean the computer that the token was stolen from",
    ),
    (
        "password-spray",
        "One password was tried on many, and fitted this account",
        "It does not mend the policy that let a password alone in, nor look at the other accounts that were tried",
    ),
    (
        "mfa-fatigue",
        "The user was sent prompt after prompt, and approved one",
        "It does not turn on number matching, which is a setting of the tenant",
    ),
    (
        "malicious-consent",
        "The user let in a malicious app, and the intruder has nothing else",
        "It leaves password, methods and sign-in alone. Where the intruder came in otherwise too, it says so and does not count as contained",
    ),
    (
        "mass-compromise",
        "Many accounts at once, one run for each",
        "It asks nothing and so leaves what is not certain: `bec` for each before anybody is let in again",
    ),
    (
        "evict",
        "Only shut the account and end the sessions, with the fewest permissions",
        "It looks at neither apps nor devices nor inbox rules, and blocks no address",
    ),
    (
        "leaver",
        "Somebody leaves, and nobody broke in",
        "It hands over neither mailbox nor files, wipes no device, and deletes nothing of the account",
    ),
    ("restore", "The account is contained, and the user is to come back", "It contains nobody"),
];

#[test]
fn every_playbook_is_told_with_when_to_use_it_and_why_each_step_is_there() {
    let mut page = format!(
        "# Playbooks\n\n{MADE}What ships. `stanch playbook show NAME` prints one, to be changed and given as a file: `stanch plan ./own.yaml`.\n\n| playbook | when | what it does not do |\n| --- | --- | --- |\n"
    );
    for (name, when, not) in WHEN {
        writeln!(page, "| [`{name}`](#{name}) | {when} | {not} |").unwrap();
    }
    let mut told: Vec<&str> = WHEN.iter().map(|(name, ..)| *name).collect();
    told.sort_unstable();
    assert_eq!(told, shipped());
    page.push_str("\nEach was run against made cases of its own kind ([cases](cases.md)), with the mock's attacker trying every way in before and after. The order of the steps is checked: [the order of steps](order.md).\n");
    page.push_str("\nIn a playbook of your own, the `summary` of a step says why it stands there; `show --by-hand` prints it with the step.\n`aim: close` has plans and runs speak of an account that is closed, and not of an intruder who is put out; in JSON the\nverdict keeps its words, and `contained` means that every required change was read back. `which: all` takes every method,\nconsent or device of the user, whosever it is.\n");
    for (name, ..) in WHEN {
        let book = bound(name);
        let outlook = stanch::engine::outlook_of(&book).unwrap();
        writeln!(page, "\n## {name}\n\n{}: {}\n", book.title, book.summary.trim()).unwrap();
        for step in &book.steps {
            let id = if step.id == step.step { String::new() } else { format!(" (`{}`)", step.id) };
            let spare = if step.required { "" } else { ", not required" };
            let why = step.summary.as_deref().unwrap_or_default();
            writeln!(page, "- [`{0}`](steps/{0}.md){id}{spare}: {why}", step.step).unwrap();
        }
        if outlook.is_some_and(|outlook| outlook.way_in.is_some()) {
            writeln!(page, "\n`stanch playbook check {name}` tells the way back in that it leaves.").unwrap();
        }
    }
    hold("playbooks.md", &page);
}
