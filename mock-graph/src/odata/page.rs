//! Collections and entities as replies: filter, order, page, project, and the annotations around them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::error::QueryError;
use super::evaluate::Filter;
use super::order;
use crate::api::{Call, Fail, Reply};

/// What a collection allows.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Page size where `$top` is left out.
    pub default_page: usize,
    /// The largest `$top`; more is 400.
    pub max_page: usize,
    /// Filterable paths (`targetResources/id`, lambdas resolved), each alone (every operator) or followed by the
    /// operators it supports (`userId eq`); `None`: every property that some object has.
    pub filterable: Option<&'static [&'static str]>,
    /// Sortable paths; `None`: every one.
    pub orderable: Option<&'static [&'static str]>,
    /// Order where `$orderby` is left out, in its syntax; empty: as the tenant holds them.
    pub default_order: &'static str,
    /// Properties given where `$select` is left out; empty: all.
    pub projection: &'static [&'static str],
    /// Properties that `$select` may name; `None`: any, and what an object lacks is left out.
    pub selectable: Option<&'static [&'static str]>,
    /// Whether this is a directory collection, where `ne`, `not`, `endswith`, `all`, `/$count` and `$count=true` want
    /// `ConsistencyLevel: eventual`.
    pub directory: bool,
    /// Options beyond these that the handler itself has dealt with (`$expand`, `$search`).
    pub handled: &'static [&'static str],
    /// What follows `$metadata#`; empty: the path of the call.
    pub context: &'static str,
}

impl Rules {
    /// Lax rules: 100 to a page, at most 999, everything filterable and sortable.
    pub const PLAIN: Self = Self {
        default_page: 100,
        max_page: 999,
        filterable: None,
        orderable: None,
        default_order: "",
        projection: &[],
        selectable: None,
        directory: false,
        handled: &[],
        context: "",
    };
}

const OPTIONS: [&str; 8] =
    ["$filter", "$orderby", "$select", "$top", "$skip", "$count", "$skiptoken", "$format"];

/// Answers a GET of a collection: one page of it, with `@odata.nextLink` where there is more.
///
/// # Errors
/// 400 in Graph's shape for a query that the service would not take.
pub fn collection(items: &[Value], call: &Call, rules: &Rules) -> Result<Reply, Fail> {
    let rows: Vec<&Value> = items.iter().collect();
    collection_of(&rows, call, rules, &|row| row.clone())
}

/// The same over chosen rows, each given the shape that the caller may see: filters run before, `$select` after.
///
/// # Errors
/// As [`collection`].
pub fn collection_of(
    rows: &[&Value],
    call: &Call,
    rules: &Rules,
    shape: &dyn Fn(&Value) -> Value,
) -> Result<Reply, Fail> {
    page(rows, call, rules, shape).map_err(|error| refuse(&error, rules))
}

fn refuse(error: &QueryError, rules: &Rules) -> Fail {
    let code = match (error, rules.directory) {
        (QueryError::Unsupported(_) | QueryError::Unsortable(_) | QueryError::Advanced, true) => {
            "Request_UnsupportedQuery"
        }
        (QueryError::PageSize { .. }, true) => "Request_BadRequest",
        _ => "BadRequest",
    };
    Fail::new(400, code, error.to_string())
}

fn page(
    items: &[&Value],
    call: &Call,
    rules: &Rules,
    shape: &dyn Fn(&Value) -> Value,
) -> Result<Reply, QueryError> {
    check_options(call, rules)?;
    let mut rows = filter(items, call, rules)?;
    let keys = match call.option("$orderby") {
        Some(text) => {
            let keys = order::parse(text)?;
            if let Some(bad) =
                keys.iter().find(|key| rules.orderable.is_some_and(|paths| !paths.contains(&key.path())))
            {
                return Err(QueryError::Unsortable(bad.path().to_owned()));
            }
            keys
        }
        None if rules.default_order.is_empty() => Vec::new(),
        None => order::parse(rules.default_order)?,
    };
    order::sort(&mut rows, &keys);

    let selected = selection(call);
    check_selection(selected.as_deref(), rules)?;
    let size = page_size(call, rules)?;
    let token = call.option("$skiptoken");
    let start = match token {
        Some(token) => resume(token, &rows)?,
        None => number(call, "$skip")?.unwrap_or(0),
    };

    let page = rows.get(start..).unwrap_or_default();
    let value: Vec<Value> = page
        .iter()
        .take(size)
        .map(|row| project(&shape(row), selected.as_deref(), rules.projection))
        .collect();
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context(call, rules.context, selected.as_deref(), "").into());
    if call.option("$count") == Some("true") && token.is_none() {
        body.insert("@odata.count".to_owned(), rows.len().into());
    }
    if page.len() > size {
        let last = page
            .get(size.saturating_sub(1))
            .and_then(|row| row.get("id"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        body.insert("@odata.nextLink".to_owned(), next_link(call, &skip_token(start + size, last)).into());
    }
    body.insert("value".to_owned(), Value::Array(value));
    Ok(Reply::ok(Value::Object(body)))
}

/// Answers a GET of one object: `$select`, else the default projection (empty: all), with `@odata.context`.
#[must_use]
pub fn entity(item: &Value, call: &Call, default_projection: &[&str]) -> Reply {
    let selected = selection(call);
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context(call, "", selected.as_deref(), "/$entity").into());
    if let Value::Object(object) = project(item, selected.as_deref(), default_projection) {
        body.extend(object);
    }
    Reply::ok(Value::Object(body))
}

/// The object as `$select` of this call leaves it; without `$select` the default projection (empty: all).
#[must_use]
pub fn select(item: &Value, call: &Call, default_projection: &[&str]) -> Value {
    project(item, selection(call).as_deref(), default_projection)
}

fn check_options(call: &Call, rules: &Rules) -> Result<(), QueryError> {
    for (name, value) in &call.query {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with('$')
            && !OPTIONS.contains(&lower.as_str())
            && !rules.handled.contains(&lower.as_str())
        {
            return Err(QueryError::Option(name.clone()));
        }
        if lower == "$count" && !matches!(value.as_str(), "true" | "false") {
            return Err(QueryError::Value { option: "$count", value: value.clone() });
        }
    }
    Ok(())
}

fn filter<'a>(items: &[&'a Value], call: &Call, rules: &Rules) -> Result<Vec<&'a Value>, QueryError> {
    let counts = call.option("$count") == Some("true");
    let eventual = call.is_eventual();
    if rules.directory && counts && !eventual {
        return Err(QueryError::Advanced);
    }
    let Some(text) = call.option("$filter") else { return Ok(items.to_vec()) };
    let filter = Filter::parse(text)?;
    let (uses, advanced) = filter.uses();
    if rules.directory && advanced && !(eventual && counts) {
        return Err(QueryError::Advanced);
    }
    for used in uses {
        let allowed = match rules.filterable {
            Some(paths) => paths.iter().any(|entry| allows(entry, used.path, used.operator)),
            None if items.is_empty() => true,
            None if items.iter().any(|item| has(item, used.path)) => true,
            None => return Err(QueryError::NoProperty(used.path.to_owned())),
        };
        if !allowed {
            return Err(QueryError::Unsupported(used.path.to_owned()));
        }
    }
    let mut rows = Vec::new();
    for item in items {
        if filter.accepts(item)? {
            rows.push(*item);
        }
    }
    Ok(rows)
}

fn allows(entry: &str, path: &str, operator: &str) -> bool {
    let mut words = entry.split(' ');
    if words.next() != Some(path) {
        return false;
    }
    let mut operators = words.peekable();
    operators.peek().is_none() || operators.any(|allowed| allowed == operator)
}

/// Whether the object's type has the property: known by its first step, since a null object hides its own.
fn has(item: &Value, path: &str) -> bool {
    let mut steps = path.split('/').filter(|step| !step.starts_with("microsoft.graph."));
    steps.next().is_some_and(|first| item.get(first).is_some())
}

fn number(call: &Call, option: &'static str) -> Result<Option<usize>, QueryError> {
    call.option(option)
        .map(|text| text.parse().map_err(|_| QueryError::Value { option, value: text.to_owned() }))
        .transpose()
}

fn page_size(call: &Call, rules: &Rules) -> Result<usize, QueryError> {
    let asked = match call.option("$top") {
        Some(text) => match text.parse::<usize>() {
            Ok(size) if (1..=rules.max_page).contains(&size) => size,
            Ok(_) => return Err(QueryError::PageSize { given: text.to_owned(), maximum: rules.max_page }),
            Err(_) => return Err(QueryError::Value { option: "$top", value: text.to_owned() }),
        },
        None => rules.default_page,
    };
    let preferred = call
        .headers
        .iter()
        .filter(|(name, _)| name == "prefer")
        .flat_map(|(_, value)| value.split(','))
        .find_map(|part| part.trim().strip_prefix("odata.maxpagesize=")?.parse::<usize>().ok())
        .filter(|size| *size > 0);
    Ok(preferred.map_or(asked, |size| size.min(asked)))
}

fn selection(call: &Call) -> Option<Vec<&str>> {
    let text = call.option("$select")?;
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.contains(&"*") { None } else { Some(names) }
}

fn check_selection(selected: Option<&[&str]>, rules: &Rules) -> Result<(), QueryError> {
    let Some(known) = rules.selectable else { return Ok(()) };
    let bad = selected
        .unwrap_or_default()
        .iter()
        .find(|name| !name.split('/').next().is_some_and(|first| known.contains(&first)));
    bad.map_or(Ok(()), |name| Err(QueryError::Select((*name).to_owned())))
}

fn project(item: &Value, selected: Option<&[&str]>, default: &[&str]) -> Value {
    let wanted: &[&str] = selected.unwrap_or(default);
    let Value::Object(object) = item else { return item.clone() };
    if wanted.is_empty() {
        return item.clone();
    }
    let keeps =
        |key: &str| key.starts_with('@') || wanted.iter().any(|name| name.split('/').next() == Some(key));
    Value::Object(
        object
            .iter()
            .filter(|(key, _)| keeps(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

fn context(call: &Call, named: &str, selected: Option<&[&str]>, suffix: &str) -> String {
    let version = call.version.as_str();
    let path = call.path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    let path =
        if suffix.is_empty() { path } else { path.rsplit_once('/').map_or(path, |(parent, _)| parent) };
    let name = if named.is_empty() { path } else { named };
    let fields = selected.map(|names| format!("({})", names.join(","))).unwrap_or_default();
    format!("{}/{version}/$metadata#{name}{fields}{suffix}", call.base)
}

/// The place in the list, and the last row that was given, so that rows added in front meanwhile do not shift pages.
fn skip_token(next: usize, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("1/{next}/{last}"))
}

fn resume(token: &str, rows: &[&Value]) -> Result<usize, QueryError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| QueryError::SkipToken)?;
    let text = String::from_utf8(bytes).map_err(|_| QueryError::SkipToken)?;
    let rest = text.strip_prefix("1/").ok_or(QueryError::SkipToken)?;
    let (next, last) = rest.split_once('/').ok_or(QueryError::SkipToken)?;
    let next: usize = next.parse().map_err(|_| QueryError::SkipToken)?;
    if last.is_empty() {
        return Ok(next);
    }
    let found = rows.iter().position(|row| row.get("id").and_then(Value::as_str) == Some(last));
    Ok(found.map_or(next, |index| index + 1))
}

/// The next link with its place in the list moved; `None` where it has none that this service made.
#[must_use]
pub fn moved_link(link: &str, by: isize) -> Option<String> {
    let (front, token) = link.split_once("$skiptoken=")?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let next: usize = text.strip_prefix("1/")?.split('/').next()?.parse().ok()?;
    Some(format!("{front}$skiptoken={}", skip_token(next.saturating_add_signed(by), "")))
}

fn next_link(call: &Call, token: &str) -> String {
    let kept = call.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"));
    let options: Vec<String> =
        kept.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let separator = if options.is_empty() { "" } else { "&" };
    format!("{}{}?{}{separator}$skiptoken={token}", call.base, encode_path(&call.path), options.join("&"))
}

fn encode(text: &str) -> String {
    percent(text, b"-._~$,:/'()@")
}

fn encode_path(path: &str) -> String {
    percent(path, b"-._~$,:/'()@")
}

fn percent(text: &str, kept: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}
