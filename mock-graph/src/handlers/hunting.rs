//! Hunting queries (policy-logs-auth.md 6.1) over the tables of the tenant file. A table that the file does not hold is
//! one that the tenant has no licence for.

use jiff::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::kql::{Query, parse};
use super::lookup::text;
use crate::api::{Call, Fail, Reply};
use crate::odata::parse_time;
use crate::tenant::Tenant;

/// How far back the service looks where no span is given.
const USUAL_SPAN: &str = "P30D";
/// The most rows of an answer.
const MOST_ROWS: usize = 30_000;

fn bad(message: impl Into<String>) -> Fail {
    Fail::new(400, "BadRequest", message)
}

/// The docs write `Query`, the metadata `query`.
fn option<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
}

/// The moments that a span stands for.
fn window(span: &str, now: Timestamp) -> Result<(Timestamp, Timestamp), Fail> {
    let wrong = || bad(format!("The Timespan '{span}' is not valid."));
    let duration = |text: &str| -> Option<Span> {
        let span: Span = text.parse().ok()?;
        // A timestamp knows no days: they are 24 hours here, as for the service.
        let days = span.get_days() + 7 * span.get_weeks();
        Span::new()
            .try_hours(i64::from(span.get_hours()) + 24 * i64::from(days))
            .ok()?
            .try_minutes(span.get_minutes())
            .ok()?
            .try_seconds(span.get_seconds())
            .ok()
    };
    let ends = match span.split_once('/') {
        None => match (duration(span), parse_time(span)) {
            (Some(length), _) => now.checked_sub(length).ok().map(|start| (start, now)),
            (None, Some(start)) => Some((start, now)),
            _ => None,
        },
        Some((start, end)) => match (parse_time(start), parse_time(end), duration(start), duration(end)) {
            (Some(start), Some(end), ..) => Some((start, end)),
            (Some(start), None, _, Some(length)) => start.checked_add(length).ok().map(|end| (start, end)),
            (None, Some(end), Some(length), _) => end.checked_sub(length).ok().map(|start| (start, end)),
            _ => None,
        },
    };
    ends.ok_or_else(wrong)
}

/// `POST /security/runHuntingQuery`
///
/// # Errors
/// 400 for a query that cannot be parsed or a table that there is not.
pub fn run(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let query = option(&call.body, "query").ok_or_else(|| bad("The request has no Query."))?;
    let (start, end) = window(option(&call.body, "timespan").unwrap_or(USUAL_SPAN), call.now)?;
    let query: Query = parse(query).map_err(|error| bad(format!("Query could not be parsed: {error}")))?;
    let rows = tenant.hunting_tables.get(&query.table).ok_or_else(|| {
        bad(format!("'where' operator: Failed to resolve table or column expression named '{}'", query.table))
    })?;
    let within =
        |row: &Value| parse_time(text(row, "Timestamp")).is_none_or(|time| (start..=end).contains(&time));
    let rows: Vec<Value> = rows.iter().filter(|row| within(row)).cloned().collect();
    let mut rows = query.run(rows, call.now).map_err(bad)?;
    rows.truncate(MOST_ROWS);
    let schema: Vec<Value> = rows
        .first()
        .and_then(Value::as_object)
        .unwrap_or(&Map::new())
        .iter()
        .map(|(name, value)| json!({ "name": name, "type": kind(name, value) }))
        .collect();
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.security.huntingQueryResults", call.base),
        "schema": schema, "results": rows
    })))
}

fn kind(name: &str, value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "SByte",
        Value::Number(_) => "Int64",
        Value::Object(_) | Value::Array(_) => "Object",
        Value::String(_) if name == "Timestamp" => "DateTime",
        Value::String(_) | Value::Null => "String",
    }
}
