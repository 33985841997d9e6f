//! Message traces (policy-logs-auth.md 6.3): who got which mail, within the service's windows.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lookup::text;
use crate::api::{Call, Fail, Reply};
use crate::odata::{self, Rules, parse_time};
use crate::tenant::Tenant;

const RULES: Rules = Rules {
    default_page: 1000,
    max_page: 5000,
    filterable: Some(&[
        "receivedDateTime ge le",
        "id eq",
        "messageId eq",
        "senderAddress eq",
        "recipientAddress eq",
        "status eq",
        "fromIP eq",
        "toIP eq",
        "subject contains startswith endswith",
    ]),
    orderable: Some(&[]),
    context: "admin/exchange/tracing/messageTraces",
    ..Rules::PLAIN
};
/// The window where none is asked for.
const USUAL_WINDOW: SignedDuration = SignedDuration::from_hours(48);
/// The longest span of one query.
const LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(10 * 24);
/// How far back traces reach.
const REACH: SignedDuration = SignedDuration::from_hours(90 * 24);

fn bad(message: impl Into<String>) -> Fail {
    Fail::new(400, "BadRequest", message)
}

/// Without the service's own principal in the tenant there are no traces.
fn check_tenant(tenant: &Tenant) -> Result<(), Fail> {
    if tenant.tenant.message_trace {
        return Ok(());
    }
    Err(Fail::new(
        403,
        "ErrorAccessDenied",
        "A service principal for the application '8bd644d1-64a1-4d4b-ae52-2e0cbf64e373' must exist in the tenant.",
    ))
}

/// A bound on the time of receipt, as the filter says it.
fn bound(filter: &str, operator: &str) -> Option<Timestamp> {
    let words: Vec<&str> = filter.split_whitespace().map(|word| word.trim_matches(['(', ')'])).collect();
    words.windows(3).find_map(|three| match three {
        [property, own, value]
            if property.eq_ignore_ascii_case("receivedDateTime") && own.eq_ignore_ascii_case(operator) =>
        {
            parse_time(value.trim_matches('\''))
        }
        _ => None,
    })
}

/// The window of a query: both bounds or none.
fn window(call: &Call) -> Result<(Timestamp, Timestamp), Fail> {
    let filter = call.option("$filter").unwrap_or_default();
    let (start, end) = match (bound(filter, "ge"), bound(filter, "le")) {
        (None, None) => (call.now.checked_sub(USUAL_WINDOW).unwrap_or(Timestamp::MIN), call.now),
        (Some(start), Some(end)) => (start, end),
        _ => return Err(bad("The filter must name both a start and an end of receivedDateTime.")),
    };
    if end < start {
        return Err(bad("The start of receivedDateTime must be before its end."));
    }
    if end.duration_since(start) > LONGEST_SPAN {
        return Err(bad("The time range of receivedDateTime must not be longer than 10 days."));
    }
    if call.now.duration_since(start) > REACH {
        return Err(bad("The start of receivedDateTime must not be more than 90 days back."));
    }
    Ok((start, end))
}

/// `GET /admin/exchange/tracing/messageTraces`
///
/// # Errors
/// 400 for a window or a query that is not taken; 403 where the tenant has no such service.
pub fn list(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_tenant(tenant)?;
    let (start, end) = window(call)?;
    let rows: Vec<Value> = tenant
        .message_traces
        .iter()
        .filter(|trace| {
            parse_time(text(trace, "receivedDateTime")).is_some_and(|time| (start..=end).contains(&time))
        })
        .cloned()
        .collect();
    odata::collection(&rows, call, &RULES)
}

/// `GET /admin/exchange/tracing/messageTraces/{id}/getDetailsByRecipient(recipientAddress='...')`
///
/// # Errors
/// 404 where no such message went to this recipient.
pub fn details(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    check_tenant(tenant)?;
    let recipient = crate::uri::named_key(call.segment(1), "recipientAddress")
        .ok_or_else(|| bad("getDetailsByRecipient wants recipientAddress='...'."))?;
    let trace = tenant
        .message_traces
        .iter()
        .find(|own| {
            text(own, "id").eq_ignore_ascii_case(call.segment(0))
                && text(own, "recipientAddress").eq_ignore_ascii_case(&recipient)
        })
        .ok_or_else(|| Fail::new(404, "NotFound", "The message trace was not found."))?;
    let event = |event: &str, action: &str| {
        json!({ "id": crate::sign_in::derive_id(&format!("{event} {}", text(trace, "id"))),
                "dateTime": trace.get("receivedDateTime"), "event": event, "action": action,
                "description": "", "data": "", "messageId": trace.get("messageId") })
    };
    let last = if text(trace, "status") == "delivered" { event("DELIVER", "") } else { event("FAIL", "") };
    let rows = [event("RECEIVE", ""), last];
    let context = "Collection(microsoft.graph.exchangeMessageTraceDetail)";
    odata::collection(&rows, call, &Rules { context, ..RULES })
}
