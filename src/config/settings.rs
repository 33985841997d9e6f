//! The settings there are: one table, which the file, the environment and the flags are all read by.

use super::endpoint::Cloud;
use crate::domain::nearest;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    List,
    Boolean,
    Integer {
        least: i64,
        most: i64,
    },
    Choice(&'static [&'static str]),
    /// Lists of texts under keys of the writer's own.
    Lists,
}

/// Every setting; `*` is a name of the writer's own.
const SETTINGS: &[(&[&str], Kind)] = &[
    (&["store"], Kind::Text),
    (&["cloud"], Kind::Choice(&Cloud::NAMES)),
    (&["stop_on_skew"], Kind::Boolean),
    (&["operator", "user"], Kind::Text),
    (&["operator", "client_id"], Kind::Text),
    (&["approval", "required"], Kind::Boolean),
    (&["approval", "approvers"], Kind::Text),
    (&["approval", "four_eyes"], Kind::Boolean),
    (&["approval", "approve_within"], Kind::Text),
    (&["guards", "emergency_accounts"], Kind::List),
    (&["guards", "no_emergency_accounts"], Kind::Boolean),
    (&["guards", "protected_groups"], Kind::List),
    (&["guards", "company_ranges"], Kind::List),
    (&["guards", "accepted_permissions"], Kind::List),
    (&["guards", "widest_block", "ipv4"], Kind::Integer { least: 1, most: 32 }),
    (&["guards", "widest_block", "ipv6"], Kind::Integer { least: 1, most: 128 }),
    (&["guards", "max_subjects_per_hour"], Kind::Integer { least: 1, most: 10_000 }),
    (&["secrets", "recipients"], Kind::List),
    (&["webhooks", "*", "source"], Kind::Text),
    (&["webhooks", "*", "auth", "kind"], Kind::Text),
    (&["webhooks", "*", "auth", "secrets"], Kind::List),
    (&["webhooks", "*", "playbook"], Kind::Text),
    (&["webhooks", "*", "mode"], Kind::Choice(&["plan", "auto", "record"])),
    (&["webhooks", "*", "when"], Kind::Lists),
    (&["webhooks", "*", "ignore_when"], Kind::Lists),
    (&["webhooks", "*", "id"], Kind::Text),
    (&["webhooks", "*", "time"], Kind::Text),
    (&["webhooks", "*", "user"], Kind::List),
    (&["webhooks", "*", "ips"], Kind::List),
    (&["webhooks", "*", "user_agents"], Kind::List),
];

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Setting(Kind),
    Section,
    Nothing,
}

impl Kind {
    /// Says what a value of this kind is.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Integer { least, most } => format!("an integer from {least} to {most}"),
            Self::Choice(words) => format!("one of `{}`", words.join("`, `")),
            Self::Lists => "a table of lists of texts".to_owned(),
        }
    }
}

/// Names every setting, as a path with dots; `*` is a name of the writer's own.
pub fn setting_keys() -> Vec<String> {
    SETTINGS.iter().map(|(path, _)| path.join(".")).collect()
}

/// Tells what stands at this path.
pub(super) fn find(path: &[String]) -> At {
    let mut found = At::Nothing;
    for (known, kind) in SETTINGS {
        if matches(known, path) {
            if known.len() == path.len() {
                return At::Setting(*kind);
            }
            found = At::Section;
        }
    }
    found
}

fn matches(known: &[&str], path: &[String]) -> bool {
    path.len() <= known.len() && known.iter().zip(path).all(|(known, part)| *known == "*" || *known == part)
}

/// The keys that there are where a path's last one stands, each once.
pub(super) fn beside(path: &[String]) -> Vec<String> {
    let section = path.split_last().map_or(&[][..], |(_, section)| section);
    // Under a section that is not there, the sections are what helps.
    let section = if section.is_empty() || find(section) == At::Section { section } else { &[] };
    let mut keys: Vec<String> = Vec::new();
    for (known, _) in
        SETTINGS.iter().filter(|(known, _)| known.len() > section.len() && matches(known, section))
    {
        let key = known.get(section.len()).copied().unwrap_or_default();
        if !keys.iter().any(|own| own == key) {
            keys.push(key.to_owned());
        }
    }
    keys
}

/// Finds the key that was probably meant: a near one in the same section, or one of that name in another.
pub(super) fn meant(path: &[String]) -> Option<String> {
    let (last, section) = path.split_last()?;
    let beside = SETTINGS
        .iter()
        .filter(|(known, _)| {
            known.len() > section.len() && matches(known.get(..section.len()).unwrap_or(&[]), section)
        })
        .filter_map(|(known, _)| known.get(section.len()).copied())
        .filter(|known| *known != "*");
    if let Some(near) = nearest(last, beside) {
        return Some(section.iter().map(String::as_str).chain([near]).collect::<Vec<_>>().join("."));
    }
    // A slip in a section's own name, of a variable: `STANCH_GARDS__WIDEST_BLOCK__IPV4`.
    let whole = path.join(".");
    let fixed: Vec<String> = SETTINGS
        .iter()
        .filter(|(known, _)| !known.contains(&"*"))
        .map(|(known, _)| known.join("."))
        .collect();
    if let Some(near) = nearest(&whole, fixed.iter().map(String::as_str)) {
        return Some(near.to_owned());
    }
    fixed.into_iter().find(|known| known.rsplit('.').next() == Some(last.as_str()))
}
