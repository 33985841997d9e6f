//! `POST /webhooks/{name}`: verified over the raw bytes, parsed, written down, answered. Nothing here waits for Graph.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest as _, Path, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::answer::{bare, document, later, refused};
use super::hook::Hook;
use super::router::Server;
use super::signature::VerifiedWebhook;
use crate::alert::{AlertError, AlertFault, Body, BodyForm, MOST_BYTES, NamedUser, Trigger};
use crate::domain::{Sha256Digest, inert};
use crate::engine::{PlanError, new_alert_id, new_plan_id};
use crate::store::{Held, Limits, NewAlert, NewCase, Outcome};

/// A body comes within this, or not at all.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// An alert is written down within this, or the sender tries again: the shortest patience of a sender is 3 s.
const WRITTEN_WITHIN: Duration = Duration::from_millis(2_500);
/// A sender that was turned away for our sake tries again after so many seconds.
const TRY_AGAIN: u32 = 30;
/// For so long further alerts about a subject belong to the case that is there.
pub(super) const COOL_DOWN: jiff::SignedDuration = jiff::SignedDuration::from_mins(30);
/// An alert that names more users than this is about something else than one account.
const MOST_USERS: usize = 20;

/// Takes an alert in.
pub(super) async fn receive(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|own| own.0.ip());
    let put_off = from.and_then(|from| server.sources.wait(from, server.clock.now()));
    if let Some(seconds) = put_off {
        return receive_put_off(&server, &name, request, seconds).await;
    }
    let count = || {
        if let Some(from) = from {
            server.sources.count(from, server.clock.now());
        }
    };
    let Some(hook) = server.hooks.get(&name) else {
        count();
        return bare(StatusCode::NOT_FOUND);
    };
    let response = take(&server, hook, request).await;
    if proved_nothing(response.status()) {
        count();
    }
    let status = response.status().as_u16();
    tracing::info!(webhook = hook.name, status, "a webhook was called");
    response
}

/// Looks at a request from an address that is put off: many senders may stand behind it, so that one which proves itself is
/// let in. Nothing is read for one that shows nothing to prove itself by, and few bodies at once are for the others.
async fn receive_put_off(server: &Server, name: &str, request: Request, seconds: u32) -> Response {
    let wait = || later(StatusCode::TOO_MANY_REQUESTS, seconds);
    let hook = server.hooks.get(name);
    let Some(hook) = hook.filter(|own| own.auth.may_verify(request.headers(), server.clock.now())) else {
        return wait();
    };
    let Ok(_permit) = server.doubtful.try_acquire() else { return wait() };
    let response = take(server, hook, request).await;
    if proved_nothing(response.status()) {
        return wait();
    }
    let status = response.status().as_u16();
    tracing::info!(webhook = hook.name, status, "a webhook was called from an address that is put off");
    response
}

/// Whether a request ended before its sender had proved anything.
fn proved_nothing(status: StatusCode) -> bool {
    [
        StatusCode::UNAUTHORIZED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    ]
    .contains(&status)
}

async fn take(server: &Server, hook: &Hook, request: Request) -> Response {
    let headers = request.headers().clone();
    let Some(form) = form_of(&headers) else { return bare(StatusCode::UNSUPPORTED_MEDIA_TYPE) };
    let Ok(_permit) = server.at_once.acquire().await else { return bare(StatusCode::SERVICE_UNAVAILABLE) };
    let body = tokio::select! {
        read = Bytes::from_request(request, &()) => read,
        () = server.clock.sleep(BODY_WITHIN) => return bare(StatusCode::REQUEST_TIMEOUT),
    };
    let body = match body {
        Ok(body) if body.len() <= MOST_BYTES => body,
        Ok(_) => return bare(StatusCode::PAYLOAD_TOO_LARGE),
        Err(rejection) => return bare(rejection.status()),
    };
    let now = server.clock.now();
    let verified = match hook.auth.verify(&headers, &body, now) {
        Ok(verified) => verified,
        Err(refusal) => {
            tracing::warn!(
                webhook = hook.name,
                reason = refusal.as_str(),
                "a webhook's sender was turned away"
            );
            return bare(StatusCode::UNAUTHORIZED);
        }
    };
    if !hook.rate.take(now) {
        tracing::warn!(webhook = hook.name, "a webhook brings more alerts than are taken");
        return later(StatusCode::TOO_MANY_REQUESTS, TRY_AGAIN);
    }
    let alert = match read(server, hook, &verified, form) {
        Ok(alert) => alert,
        Err(Unread::Alert(error)) => return unreadable(hook, &error),
        Err(Unread::Id(error)) => {
            tracing::error!(%error, "an id could not be made");
            return bare(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    let written = tokio::select! {
        written = server.inbox.accept(alert) => written,
        () = server.clock.sleep(WRITTEN_WITHIN) => {
            tracing::error!(webhook = hook.name, "an alert could not be written down in time; the sender is asked to try again");
            return later(StatusCode::SERVICE_UNAVAILABLE, TRY_AGAIN);
        }
    };
    match written {
        Ok(accepted) => {
            server.wake.notify_one();
            // The same for a duplicate: whether it is one tells the sender nothing that it needs. No `Location`: some
            // senders would poll it.
            document(StatusCode::ACCEPTED, &json!({ "alert": accepted.alert, "plans": accepted.plans }))
        }
        Err(error) => {
            tracing::error!(webhook = hook.name, %error, "an alert could not be written down; the sender is asked to try again");
            later(StatusCode::SERVICE_UNAVAILABLE, TRY_AGAIN)
        }
    }
}

/// The form of a body by its type; none where it is no type that is taken, or the body is encoded.
fn form_of(headers: &HeaderMap) -> Option<BodyForm> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, None) = (types.next()?, types.next()) else { return None };
    let essence = first.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase();
    match essence.as_str() {
        // Some senders cannot say that theirs is JSON.
        "application/json" | "text/plain" => Some(BodyForm::Json),
        "application/x-www-form-urlencoded" => Some(BodyForm::Form),
        _ => None,
    }
}

fn unreadable(hook: &Hook, error: &AlertError) -> Response {
    let status = match error.fault() {
        AlertFault::Body => StatusCode::BAD_REQUEST,
        AlertFault::Shape | AlertFault::Settings => StatusCode::UNPROCESSABLE_ENTITY,
    };
    tracing::warn!(webhook = hook.name, code = error.code(), "a verified alert could not be read");
    let mut message = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        message = format!("{message}: {source}");
    }
    refused(status, error.code(), &message, error.hint().as_deref())
}

/// Why a verified body became no alert.
enum Unread {
    /// It is none.
    Alert(AlertError),
    /// An id that we made is none: a fault of ours.
    Id(PlanError),
}

impl From<AlertError> for Unread {
    fn from(error: AlertError) -> Self {
        Self::Alert(error)
    }
}

impl From<PlanError> for Unread {
    fn from(error: PlanError) -> Self {
        Self::Id(error)
    }
}

fn read(
    server: &Server,
    hook: &Hook,
    verified: &VerifiedWebhook<'_>,
    form: BodyForm,
) -> Result<NewAlert, Unread> {
    let body = Body::read(verified.body(), form)?;
    let trigger = hook.source.read(&body, hook.mapping.as_ref(), server.widest)?;
    let outcome = if trigger.is_resolved {
        Outcome::Resolved
    } else if !hook.condition.takes(&trigger, body.value()) {
        Outcome::Ignored
    } else if hook.playbook.is_none() {
        Outcome::Recorded
    } else {
        Outcome::Cases
    };
    let cases = match (&hook.playbook, outcome) {
        (Some(playbook), Outcome::Cases) => cases(server, &playbook.name, &trigger)?,
        _ => Vec::new(),
    };
    Ok(NewAlert {
        id: new_alert_id(server.clock.now(), server.random.as_ref())?,
        webhook: hook.name.clone(),
        delivery: delivery(verified, &trigger),
        received_at: server.clock.now(),
        trigger,
        outcome,
        cases,
        limits: Limits { subjects_per_hour: server.subjects_per_hour, cool_down: COOL_DOWN },
    })
}

/// What makes two deliveries the same one: the sender's id of the delivery, or of the alert, or else every byte.
fn delivery(verified: &VerifiedWebhook<'_>, trigger: &Trigger) -> String {
    match (verified.delivery(), &trigger.id) {
        (Some(id), _) => format!("delivery:{id}"),
        (None, Some(id)) => format!("alert:{id}"),
        (None, None) => format!("body:{}", Sha256Digest::of_bytes(verified.body())),
    }
}

fn cases(server: &Server, playbook: &str, trigger: &Trigger) -> Result<Vec<NewCase>, PlanError> {
    let next = || format!("find out who is meant, then plan by hand: `stanch plan {playbook} --user UPN`");
    let held = |why: String| Some(Held { why, next: next() });
    let case = |named: &NamedUser, held: Option<Held>| {
        let id = new_plan_id(server.clock.now(), server.random.as_ref())?;
        Ok(NewCase { id, named: named.clone(), playbook: playbook.to_owned(), held })
    };
    let nobody = NamedUser { accounts: Vec::new(), unusable: Vec::new() };
    match trigger.users.len() {
        0 => Ok(vec![case(&nobody, held("the alert names no user".to_owned()))?]),
        count if count > MOST_USERS => {
            let why = format!("the alert names {count} users: it is about something else than one account");
            Ok(vec![case(&nobody, held(why))?])
        }
        _ => trigger
            .users
            .iter()
            .map(|named| {
                let why = named.accounts.is_empty().then(|| {
                    format!("the alert names nobody for certain: `{}`", inert(&named.unusable.join("`, `")))
                });
                case(named, why.and_then(held))
            })
            .collect(),
    }
}
