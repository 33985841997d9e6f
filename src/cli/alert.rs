//! An alert in a file: what `stanch plan --alert` takes from it.

use std::io::Read as _;
use std::path::Path;

use super::failure::Failure;
use super::session::Session;
use crate::alert::{AlertError, Body, MOST_BYTES, Mapping, Source, Trigger};
use crate::domain::inert;
use crate::engine::{FromAlert, Planner};

/// Reads an alert from a file: by the sender or the webhook that is named, or else by its shape.
///
/// # Errors
/// When the file cannot be read, or is no such alert.
pub fn read(session: &Session, path: &Path, source: Option<&str>) -> Result<Trigger, Failure> {
    let named = |failure: Failure| failure.about(&format!("`{}`", path.display()));
    let bytes = bounded(path).map_err(|error| Failure::cannot_read(path, &error, "check the path"))?;
    if bytes.len() > MOST_BYTES {
        return Err(named(Failure::new(
            2,
            "alert_too_large",
            format!("the alert is larger than {MOST_BYTES} bytes"),
            Some("give the one alert, not the whole export".to_owned()),
        )));
    }
    parse(session, &bytes, source).map_err(|error| named(Failure::from(error)))
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than is taken: what is larger is told, and not read to its end.
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(session: &Session, bytes: &[u8], source: Option<&str>) -> Result<Trigger, AlertError> {
    let body = Body::read(bytes, Body::guess_form(bytes))?;
    let (source, mapping) = match source {
        Some(name) => match session.config.webhooks.get(name) {
            Some(webhook) => (Source::parse(&webhook.source)?, Mapping::new(&webhook.pointers)?),
            None => (Source::parse(name)?, None),
        },
        None => (Source::guess(&body)?, None),
    };
    source.read(&body, mapping.as_ref(), session.config.guards.widest_block)
}

/// Who the plan is for, and what it takes from the alert. A user on the command line is who is meant; else the alert
/// must name one.
///
/// # Errors
/// When the alert names nobody, or several, or nobody of this tenant for certain.
pub async fn subject(
    planner: &Planner,
    trigger: &Trigger,
    playbook: &str,
    user: Option<&str>,
) -> Result<(String, FromAlert), Failure> {
    let mut from = FromAlert::new(std::slice::from_ref(trigger), playbook);
    let all: Vec<String> = trigger.users.iter().map(|named| inert(&named.shown())).collect();
    if let Some(user) = user {
        let is_named = trigger
            .users
            .iter()
            .flat_map(|named| &named.accounts)
            .any(|account| account.shown().eq_ignore_ascii_case(user));
        if !is_named {
            from.told.push(format!(
                "the alert does not name `{}`, whom this plan is for: it names {}",
                inert(user),
                if all.is_empty() { "nobody".to_owned() } else { format!("`{}`", all.join("`, `")) }
            ));
        }
        return Ok((user.to_owned(), from));
    }
    match trigger.users.as_slice() {
        [named] => Ok((planner.find(named).await?.to_string(), from)),
        [] => Err(Failure::new(
            2,
            "nobody_named",
            "the alert names no user",
            Some("say with `--user` who is meant".to_owned()),
        )),
        _ => Err(Failure::new(
            2,
            "several_users",
            format!("the alert names {} users: `{}`", all.len(), all.join("`, `")),
            Some("plan for one at a time: say with `--user` for whom".to_owned()),
        )),
    }
}
