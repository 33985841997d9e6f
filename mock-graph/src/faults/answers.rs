//! What a fault does to an answer of the service: to its JSON, and to its bytes.

use serde_json::Value;

use super::Fault;
use super::kinds::ResetPoint;
use crate::api::Reply;
use crate::odata::moved_link;
use crate::serve::Incoming;

/// Marks a next link that leads back to its own page.
const LOOPS: &str = "mock-loop=1";
const NEXT: &str = "@odata.nextLink";

fn own_link(incoming: &Incoming, extra: &str) -> Value {
    let options: Vec<&str> =
        [incoming.query.as_str(), extra].into_iter().filter(|part| !part.is_empty()).collect();
    let query = if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
    format!("{}{}{query}", incoming.base, incoming.path).into()
}

/// The reply as the fault leaves it. What its elements are is not looked at: a drift is a drift in any service.
#[must_use]
pub fn reshape(incoming: &Incoming, mut reply: Reply, fault: Option<&Fault>) -> Reply {
    if incoming.query.split('&').any(|part| part == LOOPS) {
        link(&mut reply, |_| Some(own_link(incoming, "")));
        return reply;
    }
    let Some(fault) = fault else { return reply };
    match fault {
        Fault::OtherStatus { status } if reply.status < 400 => {
            reply.status = *status;
            if *status == 204 {
                reply.body = None;
            }
        }
        Fault::Drift { field, to } => drift(&mut reply, field, to.as_ref()),
        Fault::HugeResponse { items: Some(items), .. } => multiply(&mut reply, *items),
        Fault::RepeatPage {} => link(&mut reply, |_| Some(own_link(incoming, ""))),
        Fault::LoopNextLink {} => link(&mut reply, |_| Some(own_link(incoming, LOOPS))),
        Fault::OverlapPages {} => link(&mut reply, |old| moved_link(old?, -1).map(Value::from)),
        Fault::SkipItem {} => link(&mut reply, |old| moved_link(old?, 1).map(Value::from)),
        Fault::ReorderPage {} => {
            if let Some(elements) = elements(&mut reply) {
                elements.reverse();
            }
        }
        Fault::EmptyPage {} => {
            link(&mut reply, |_| Some(own_link(incoming, "")));
            if let Some(elements) = elements(&mut reply) {
                elements.clear();
            }
        }
        Fault::ForeignNextLink { host } => {
            let foreign = format!("https://{host}{}", incoming.path);
            link(&mut reply, |_| Some(foreign.into()));
        }
        Fault::OtherVersionNextLink {} => {
            let (from, to) =
                if incoming.path.starts_with("/beta") { ("/beta/", "/v1.0/") } else { ("/v1.0/", "/beta/") };
            let own = own_link(incoming, "");
            link(&mut reply, |_| Some(own.as_str()?.replacen(from, to, 1).into()));
        }
        Fault::ExpiredSkipToken {} => {
            let path = format!("{}{}?$skiptoken=expired", incoming.base, incoming.path);
            link(&mut reply, |_| Some(path.into()));
        }
        _ => {}
    }
    reply
}

fn elements(reply: &mut Reply) -> Option<&mut Vec<Value>> {
    reply.body.as_mut()?.get_mut("value")?.as_array_mut()
}

/// Sets the next link of a page; what is no page has none, and `None` leaves it as it is.
fn link(reply: &mut Reply, to: impl FnOnce(Option<&str>) -> Option<Value>) {
    if elements(reply).is_none() {
        return;
    }
    if let Some(entries) = reply.body.as_mut().and_then(Value::as_object_mut)
        && let Some(link) = to(entries.get(NEXT).and_then(Value::as_str))
    {
        entries.insert(NEXT.to_owned(), link);
    }
}

fn drift(reply: &mut Reply, field: &str, to: Option<&Value>) {
    let change = |object: &mut Value| {
        if let Some(entries) = object.as_object_mut() {
            match to {
                Some(value) => drop(entries.insert(field.to_owned(), value.clone())),
                None => drop(entries.remove(field)),
            }
        }
    };
    if field != "value"
        && !field.starts_with('@')
        && let Some(elements) = elements(reply)
    {
        elements.iter_mut().for_each(change);
    } else if let Some(body) = &mut reply.body {
        change(body);
    }
}

fn multiply(reply: &mut Reply, items: usize) {
    let Some(elements) = elements(reply) else { return };
    let originals = elements.clone();
    for (number, original) in originals.iter().cycle().enumerate().skip(originals.len()) {
        if elements.len() >= items {
            break;
        }
        let mut copy = original.clone();
        if let Some(id) = copy.get("id").and_then(Value::as_str).map(|id| format!("{id}-{number}"))
            && let Some(entries) = copy.as_object_mut()
        {
            entries.insert("id".to_owned(), id.into());
        }
        elements.push(copy);
    }
}

/// An answer as it goes out.
#[derive(Debug)]
pub struct Outgoing {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
    /// What `Content-Length` says, where it is not the body's length.
    pub length: Option<usize>,
    /// Where the connection is reset.
    pub reset: Option<ResetPoint>,
    /// Bytes a second, where it drips.
    pub pace: Option<usize>,
}

/// What the fault does to the bytes.
pub fn mangle(outgoing: &mut Outgoing, fault: Option<&Fault>) {
    match fault {
        Some(Fault::Truncate { bytes }) => {
            let text = String::from_utf8_lossy(&outgoing.body).into_owned();
            let mut end = (*bytes).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            outgoing.body = text.get(..end).unwrap_or_default().as_bytes().to_vec();
        }
        Some(Fault::WrongContentType {}) => {
            "text/html".clone_into(&mut outgoing.content_type);
            outgoing.body = b"<html><body><h1>Proxy</h1></body></html>".to_vec();
            outgoing.status = 200;
        }
        Some(Fault::EmptyBody {}) => {
            outgoing.body.clear();
            outgoing.status = 200;
        }
        Some(Fault::ByteOrderMark {}) => {
            outgoing.body.splice(0..0, *b"\xef\xbb\xbf");
        }
        Some(Fault::WrongContentLength { by }) => {
            let length = i64::try_from(outgoing.body.len()).unwrap_or(i64::MAX).saturating_add(*by);
            outgoing.length = Some(usize::try_from(length).unwrap_or(0));
        }
        Some(Fault::HugeResponse { bytes: Some(bytes), .. }) if !outgoing.body.is_empty() => {
            let length = outgoing.body.len().max(*bytes);
            outgoing.body.resize(length, b' ');
        }
        Some(Fault::SlowBody { bytes_per_second }) => outgoing.pace = Some(*bytes_per_second),
        Some(Fault::ResetBeforeCommit {}) => outgoing.reset = Some(ResetPoint::BeforeHeaders),
        Some(Fault::ResetAfterCommit { at }) => {
            // Without a body there is nothing to break off in.
            let at = if outgoing.body.is_empty() { ResetPoint::BeforeHeaders } else { *at };
            outgoing.reset = Some(at);
        }
        _ => {}
    }
}
