//! Whose account it is: what an approver checks before anything else.

use jiff::Timestamp;

use super::document::{Fact, Piece, Run, Tone, fact, line, moment, name, say, unread};
use crate::case::{Look, RoleHeld, RoleSource, Subject};

/// Lists what is known of the subject.
pub(super) fn who(subject: &Subject) -> Vec<Fact> {
    let mut facts = vec![
        fact(
            "Name",
            with_letters(
                name(&subject.display_name),
                is_mixed_script(&subject.display_name),
                &subject.display_name,
            ),
        ),
        fact(
            "Sign-in name",
            with_letters(say(subject.upn.as_str()), !subject.upn.as_str().is_ascii(), subject.upn.as_str()),
        ),
        fact("Object id", line(subject.id.as_str())),
        Fact { label: "Roles", lines: roles(subject) },
        fact(
            "Directory",
            line(if subject.synced {
                "synced from the company's own directory"
            } else {
                "cloud only, not synced"
            }),
        ),
        fact("Sign-in", line(if subject.enabled { "enabled" } else { "blocked already" })),
    ];
    match &subject.federated {
        Look::Read(false) => {}
        Look::Read(true) => {
            facts.push(fact("Signs in", line("through a federated provider, outside this tenant")));
        }
        Look::Unread { why } => facts.push(fact("Signs in", unread("federated or not", why))),
    }
    if subject.guest {
        facts.push(fact("Guest", line("yes: signs in at another tenant")));
    }
    if subject.restricted {
        facts.push(fact("Restricted", line("in a restricted management administrative unit")));
    }
    facts.push(fact(
        "Last sign-in",
        match &subject.last_sign_in {
            Look::Read(Some(at)) => line(&moment(*at)),
            Look::Read(None) => line("none in the log that was read"),
            Look::Unread { why } => unread("sign-in log", why),
        },
    ));
    let or_unknown = |at: Option<Timestamp>| line(&at.map_or_else(|| "unknown".to_owned(), moment));
    facts.push(fact("Password set", or_unknown(subject.password_changed_at)));
    facts.push(fact("Account made", or_unknown(subject.created_at)));
    facts
}

fn roles(subject: &Subject) -> Vec<Run> {
    let mut lines = match &subject.roles {
        Look::Read(held) if held.is_empty() => vec![line("none")],
        Look::Read(held) => held.iter().map(role).collect(),
        Look::Unread { why } => vec![unread("treated as privileged", why)],
    };
    match &subject.in_role_assignable_group {
        Look::Read(false) => {}
        Look::Read(true) => lines.push(line("belongs to a group that roles can be assigned to")),
        Look::Unread { why } => lines.push(unread("groups that roles can be assigned to", why)),
    }
    lines
}

fn role(held: &RoleHeld) -> Run {
    let how = match held.source {
        RoleSource::Active => "active",
        RoleSource::Eligible => "can be activated",
        RoleSource::Group => "through a group",
    };
    vec![name(&held.name), say(&format!(", {how}"))]
}

/// A name in letters that look like others gives away what they are (SAFETY.md, H26).
fn with_letters(shown: Piece, is_doubtful: bool, text: &str) -> Run {
    let mut run = vec![shown];
    if is_doubtful {
        let points: Vec<String> = text
            .chars()
            .filter(|letter| !letter.is_ascii())
            .take(8)
            .map(|letter| format!("U+{:04X}", u32::from(letter)))
            .collect();
        run.push(say(&format!(" (look twice: it has {})", points.join(", "))).toned(Tone::Caution));
    }
    run
}

fn is_mixed_script(text: &str) -> bool {
    let is_lookalike = |letter: char| matches!(u32::from(letter), 0x0370..=0x058F | 0x13A0..=0x13FF);
    text.chars().any(|letter| letter.is_ascii_alphabetic()) && text.chars().any(is_lookalike)
}
