//! What else the intruder may have left in the tenant: read side by side, each kind judged by its own finder.

use super::{consents, devices, inbox_rules, roles};
use crate::case::{AppGrant, Case, Judged, Look, Persistence, PersistenceKind};
use crate::graph::Reader;
use crate::report::{LeftBehind, Unread};

/// Reads and judges inbox rules, consents, devices and directory roles.
pub async fn left_behind(graph: &Reader, case: &Case) -> LeftBehind {
    let (inbox, consents, devices, given) = tokio::join!(
        inbox_rules::read(graph, case),
        consents::read(graph, case),
        devices::read(graph, case),
        roles::read(graph, case)
    );
    let mut left = LeftBehind::default();
    match &inbox.rules {
        Look::Read(rules) => {
            let judged = inbox_rules::judge(rules.as_deref().unwrap_or_default(), &inbox, case);
            left.found.extend(judged.into_iter().map(|own| Persistence {
                kind: PersistenceKind::InboxRule,
                id: own.object.id.clone(),
                name: own.object.name.clone(),
                verdict: own.verdict,
                does: inbox_rules::describe(&own.object),
                at: None,
                reasons: own.reasons,
            }));
        }
        Look::Unread { why } => left.unread.push(Unread::new("inbox rules", why)),
    }
    if let Look::Unread { why } = &inbox.folders {
        left.unread.push(Unread::new("what the folders are called that inbox rules move mail to", why));
    }
    match &consents.grants {
        Look::Read(grants) => {
            left.found.extend(consents::judge(grants, &consents, case).into_iter().map(consent));
        }
        Look::Unread { why } => left.unread.push(Unread::new("what apps the user lets in", why)),
    }
    if let Look::Unread { why } = &consents.activities {
        left.unread.push(Unread::new("what the user did in the directory", why));
    }
    match &devices.devices {
        Look::Read(all) => {
            let judged = devices::judge(all, &devices, case);
            left.found.extend(judged.into_iter().map(|own| Persistence {
                kind: PersistenceKind::Device,
                id: own.object.id.clone(),
                name: own.object.name.clone(),
                verdict: own.verdict,
                does: format!(
                    "{}, {}",
                    if own.object.os.is_empty() { "unknown system" } else { &own.object.os },
                    if own.object.is_companys() { "in the company's hands" } else { "not managed" }
                ),
                at: own.object.registered_at,
                reasons: own.reasons,
            }));
        }
        Look::Unread { why } => left.unread.push(Unread::new("devices", why)),
    }
    match &given.held {
        Look::Read(held) => {
            left.found.extend(roles::judge(held, &given, case).into_iter().map(|own| Persistence {
                kind: PersistenceKind::Role,
                does: own.object.words(),
                at: roles::given_at(&own.object, &given),
                id: own.object.id,
                name: own.object.name,
                verdict: own.verdict,
                reasons: own.reasons,
            }));
        }
        Look::Unread { why } => left.unread.push(Unread::new("directory roles", why)),
    }
    left
}

fn consent(own: Judged<AppGrant>) -> Persistence {
    let grant = own.object;
    let for_whom = if grant.tenant_wide { " for everyone in the tenant" } else { "" };
    Persistence {
        kind: PersistenceKind::Consent,
        name: grant.app_name().to_owned(),
        verdict: own.verdict,
        does: format!("may do {}{for_whom}", grant.scopes.join(" ")),
        at: None,
        reasons: own.reasons,
        id: grant.id,
    }
}
