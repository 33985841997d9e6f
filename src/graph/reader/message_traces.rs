//! Message traces: what was sent in somebody's name, to whom, and from which address.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::Reader;
use super::field::{moment, spell_moment, text, text_if_any};
use crate::graph::call::Purpose;
use crate::graph::error::GraphError;
use crate::graph::path::{quote, with_query};

/// The longest span of one question (policy-logs-auth.md 6.3).
const SPAN: Duration = Duration::from_hours(10 * 24);
/// How far traces reach back; an hour less, as clocks differ.
const REACH: Duration = Duration::from_hours(90 * 24 - 1);

/// One mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTrace {
    /// Id of the trace; recipients of one mail may share it.
    pub id: String,
    /// When Exchange received it (UTC).
    pub at: Timestamp,
    /// Who it says it is from.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// Subject: show it inert.
    pub subject: String,
    /// Address that it was sent from; empty where Exchange does not say.
    pub from_ip: String,
    /// `delivered`, `failed`, `pending`, …
    pub status: String,
}

impl Reader {
    /// Reads what was sent by an address within a span, oldest first, in questions of ten days (v1.0,
    /// [messageTraces](https://learn.microsoft.com/graph/api/messagetracingroot-list-messagetraces)).
    ///
    /// # Errors
    /// When a call fails.
    pub async fn message_traces(
        &self,
        sender: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MessageTrace>, GraphError> {
        let mut begin = from.max(self.now().checked_sub(REACH).unwrap_or(from));
        let mut traces: Vec<MessageTrace> = Vec::new();
        while begin < to {
            let end = begin.checked_add(SPAN).unwrap_or(to).min(to);
            let filter = format!(
                "senderAddress eq {} and receivedDateTime ge {} and receivedDateTime le {}",
                quote(sender),
                spell_moment(begin),
                spell_moment(end)
            );
            let options = [("$filter", filter.as_str()), ("$top", "1000")];
            let target = with_query("/v1.0/admin/exchange/tracing/messageTraces", &options);
            let rows = self.list_each(&target, &[], Purpose::LIST, key).await?;
            traces.extend(rows.iter().filter_map(parse_trace));
            begin = end;
        }
        traces.sort_by(|left, right| {
            (left.at, &left.id, &left.recipient).cmp(&(right.at, &right.id, &right.recipient))
        });
        // The bounds of two questions meet.
        traces.dedup();
        Ok(traces)
    }
}

/// What tells two rows apart: one mail has a row for each recipient.
fn key(row: &Value) -> Option<String> {
    Some(format!("{} {}", text_if_any(row, "/id")?, text(row, "/recipientAddress")))
}

fn parse_trace(row: &Value) -> Option<MessageTrace> {
    Some(MessageTrace {
        id: text_if_any(row, "/id")?,
        at: moment(row, "/receivedDateTime")?,
        sender: text(row, "/senderAddress"),
        recipient: text(row, "/recipientAddress"),
        subject: text(row, "/subject"),
        from_ip: text(row, "/fromIP"),
        status: text(row, "/status"),
    })
}
