//! Plays every way from every place.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::holdings::text;
use super::request::{AccessToken, AttemptError, AttemptOutcome, AttemptRequest, Door, Origin, PathOutcome};
use super::scene::Scene;
use super::ways::Way;
use crate::conditional_access::evaluation::ranges_contain;
use crate::odata::parse_time;
use crate::sign_in::{Actor, Gazetteer, Place, describe};
use crate::tenant::{Attacker, Tenant};

/// The longest that an ordinary access token lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(90);

/// Tries every way in that the attacker holds, from each place asked for. Changes nothing.
///
/// # Errors
/// [`AttemptError`] where the request or the attacker's addresses cannot be read.
pub fn attempt(
    tenant: &Tenant,
    attacker: &Attacker,
    request: &AttemptRequest,
    now: Timestamp,
) -> Result<AttemptOutcome, AttemptError> {
    let assumed =
        request.assume.as_ref().map(|properties| assume(tenant, attacker, properties)).transpose()?;
    let scene = Scene::set(assumed.as_ref().unwrap_or(tenant), attacker, now);
    let gazetteer = Gazetteer::read(tenant);
    let places = places(tenant, attacker, request, &gazetteer)?;
    let mut outcome = AttemptOutcome {
        is_in: false,
        paths: Vec::new(),
        access_tokens: tokens(tenant, attacker, now),
        sign_ins: Vec::new(),
    };
    for way in Way::ALL.into_iter().filter(|way| way.is_held(&scene)) {
        for place in &places {
            let attempted = way.attempt(&scene, place);
            let code = attempted.sign_in.as_ref().map(|sign_in| sign_in.error_code);
            outcome.is_in |= attempted.closed.is_none();
            if let Some(sign_in) = attempted.sign_in.filter(|_| assumed.is_none()) {
                // The log's length tells attempts of one moment apart.
                let salt = format!("{} {} {} {}", attacker.name, way.name(), place.ip, tenant.sign_ins.len());
                let actor =
                    Actor { user: scene.user, user_id: &attacker.user_id, user_agent: &attacker.user_agent };
                outcome.sign_ins.push(describe(tenant, actor, &sign_in, place, now, &salt));
            }
            outcome.paths.push(PathOutcome {
                path: way.name().to_owned(),
                from: place.ip.to_string(),
                outcome: if attempted.closed.is_none() { Door::Open } else { Door::Closed },
                error_code: code.or_else(|| attempted.closed.as_ref().and_then(|closed| closed.code)),
                by: attempted.closed.map(|closed| closed.by),
            });
        }
    }
    Ok(outcome)
}

/// Puts the rows of an attempt into the sign-in log.
pub fn record(tenant: &mut Tenant, outcome: &AttemptOutcome) {
    if !outcome.sign_ins.is_empty() {
        Arc::make_mut(&mut tenant.sign_ins).extend(outcome.sign_ins.iter().cloned());
    }
}

fn assume(
    tenant: &Tenant,
    attacker: &Attacker,
    properties: &Map<String, Value>,
) -> Result<Tenant, AttemptError> {
    let mut tenant = tenant.clone();
    let Some(user) = tenant.users.iter_mut().find(|user| text(user, "id") == attacker.user_id) else {
        return properties.keys().next().map_or(Ok(tenant), |name| Err(AttemptError::Assume(name.clone())));
    };
    for (name, value) in properties {
        let property = user.get_mut(name).ok_or_else(|| AttemptError::Assume(name.clone()))?;
        *property = value.clone();
    }
    Ok(tenant)
}

fn places(
    tenant: &Tenant,
    attacker: &Attacker,
    request: &AttemptRequest,
    gazetteer: &Gazetteer<'_>,
) -> Result<Vec<Place>, AttemptError> {
    let both = [Origin::Listed, Origin::Unseen];
    let mut found: Vec<IpAddr> = Vec::new();
    for origin in request.from.as_deref().unwrap_or(&both) {
        match origin {
            Origin::Listed => {
                for address in &attacker.ips {
                    let unreadable =
                        || AttemptError::Listed { attacker: attacker.name.clone(), address: address.clone() };
                    found.push(address.parse().map_err(|_| unreadable())?);
                }
            }
            Origin::Unseen => found.extend(find_unseen(tenant, attacker, gazetteer)),
            Origin::Address(address) => found.push(*address),
        }
    }
    Ok(found.into_iter().map(|ip| gazetteer.find(ip)).collect())
}

/// A public address that no location holds, no sign-in came from and no attacker is listed with.
fn find_unseen(tenant: &Tenant, attacker: &Attacker, gazetteer: &Gazetteer<'_>) -> Option<IpAddr> {
    let candidates = [45, 91, 146, 185, 193].into_iter().flat_map(|first| {
        (0..=255).flat_map(move |third| (1..=254).map(move |last| Ipv4Addr::new(first, 66, third, last)))
    });
    candidates.map(IpAddr::V4).find(|ip| {
        !gazetteer.knows(*ip)
            && !attacker.ips.iter().any(|listed| listed.parse() == Ok(*ip))
            && !tenant.named_locations.iter().any(|location| ranges_contain(location, *ip))
    })
}

/// Tokens that the attacker's sign-ins brought, the latest for each resource.
fn tokens(tenant: &Tenant, attacker: &Attacker, now: Timestamp) -> Vec<AccessToken> {
    let mut latest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for row in tenant.sign_ins.iter() {
        let theirs = text(row, "userId") == attacker.user_id
            && (text(row, "userAgent") == attacker.user_agent
                || attacker.session_id.as_deref().is_some_and(|session| session == text(row, "sessionId")));
        let succeeded = row.pointer("/status/errorCode").and_then(Value::as_i64) == Some(0);
        let issued = parse_time(text(row, "createdDateTime")).filter(|issued| *issued <= now);
        if let Some(until) = issued.and_then(|issued| issued.checked_add(TOKEN_LIFE).ok())
            && theirs
            && succeeded
            && until > now
        {
            let entry = latest.entry(text(row, "resourceDisplayName")).or_insert(until);
            *entry = (*entry).max(until);
        }
    }
    latest.into_iter().map(|(resource, until)| AccessToken { resource: resource.to_owned(), until }).collect()
}
