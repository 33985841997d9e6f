//! A sign-in log in a file, for those who have an export and no access: JSON as Graph and the portal write it, JSON
//! lines, or CSV as the portal writes it
//! ([download logs](https://learn.microsoft.com/entra/identity/monitoring-health/howto-download-logs)).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::case::SignIn;
use crate::graph::sign_ins_of_page;

/// Rows are read in so many at a time.
const AT_A_TIME: usize = 2_000;

/// What a file held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInFile {
    /// The rows, each once, newest first.
    pub rows: Vec<SignIn>,
    /// What is to be said about the file.
    pub notes: Vec<String>,
}

/// Why a file is no sign-in log.
#[derive(Debug, thiserror::Error)]
pub enum SignInFileError {
    /// It is not text.
    #[error("it is no text in UTF-8: byte {at} is none")]
    NotText {
        /// Where.
        at: usize,
    },
    /// It is neither.
    #[error("line {line}, column {column}: it is no JSON: {what}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// A row of CSV is wrong.
    #[error("row {row}: it is no CSV: {what}")]
    Csv {
        /// Row, the one with the names of the columns being the first.
        row: u64,
        /// What is wrong.
        what: String,
    },
    /// A column that is needed is not there.
    #[error("row 1: there is no column `{column}`")]
    NoColumn {
        /// Its name as the portal has it.
        column: &'static str,
    },
    /// It holds no list of rows.
    #[error("it holds no sign-ins: {what}")]
    NoRows {
        /// What it is instead.
        what: String,
    },
}

impl SignInFileError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NoColumn { .. } => {
                "export the sign-in log from the Entra portal in English: Monitoring, Sign-in logs, Download".to_owned()
            }
            _ => "give the JSON or CSV that the Entra portal downloads, or what Graph's auditLogs/signIns answers".to_owned(),
        }
    }
}

/// Reads a file. `has_person` says whether the rows of a CSV are of people who were there: the portal's files of the
/// other kind are named `NonInteractiveSignIns`, and say it nowhere else.
///
/// # Errors
/// When it is none of the forms.
pub fn read_sign_in_file(bytes: &[u8], has_person: bool) -> Result<SignInFile, SignInFileError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| SignInFileError::NotText { at: error.valid_up_to() })?
        .trim_start_matches('\u{feff}');
    let mut found = Found::default();
    match text.trim_start().chars().next() {
        Some('[' | '{') => of_json(text, &mut found)?,
        Some(_) => of_csv(text, has_person, &mut found)?,
        None => return Err(SignInFileError::NoRows { what: "it is empty".to_owned() }),
    }
    Ok(found.finish())
}

/// What has been read so far; the log repeats rows as they ripen, and the later copy counts.
#[derive(Default)]
struct Found {
    rows: HashMap<String, SignIn>,
    unreadable: usize,
    waiting: Vec<Value>,
}

impl Found {
    fn add(&mut self, row: Value) -> Result<(), SignInFileError> {
        self.waiting.push(row);
        if self.waiting.len() >= AT_A_TIME { self.take() } else { Ok(()) }
    }

    fn take(&mut self) -> Result<(), SignInFileError> {
        let page = json!({ "value": std::mem::take(&mut self.waiting) }).to_string();
        let (rows, unreadable) = sign_ins_of_page(page.as_bytes())
            .map_err(|error| SignInFileError::NoRows { what: error.to_string() })?;
        self.unreadable += unreadable;
        self.rows.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        Ok(())
    }

    fn finish(self) -> SignInFile {
        let mut rows: Vec<SignIn> = self.rows.into_values().collect();
        rows.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
        let mut notes = Vec::new();
        if self.unreadable > 0 {
            notes.push(format!(
                "{} rows of the file have no id, no time or no result, and were left out",
                self.unreadable
            ));
        }
        SignInFile { rows, notes }
    }
}

fn of_json(text: &str, found: &mut Found) -> Result<(), SignInFileError> {
    let wrong = |error: &serde_json::Error| SignInFileError::Json {
        line: error.line(),
        column: error.column(),
        what: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
    };
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut is_first = true;
    for document in documents {
        let rows = match document.map_err(|error| wrong(&error))? {
            Value::Array(rows) if is_first => rows,
            Value::Object(mut page) => match page.remove("value") {
                Some(Value::Array(rows)) if is_first => rows,
                Some(value) => {
                    page.insert("value".to_owned(), value);
                    vec![Value::Object(page)]
                }
                None => vec![Value::Object(page)],
            },
            other => {
                let what = match other {
                    Value::Array(_) => "a second list after the first".to_owned(),
                    other => format!("{other}"),
                };
                return Err(SignInFileError::NoRows { what });
            }
        };
        is_first = false;
        for row in rows {
            found.add(row)?;
        }
    }
    found.take()
}

/// Columns of the portal's CSV that a row cannot do without.
const NEEDED: [&str; 4] = ["Date (UTC)", "Request ID", "Username", "IP address"];

fn of_csv(text: &str, has_person: bool, found: &mut Found) -> Result<(), SignInFileError> {
    let wrong = |error: &csv::Error| SignInFileError::Csv {
        row: error.position().map_or(0, csv::Position::record) + 1,
        what: match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("it has {len} cells, where the first row has {expected_len}")
            }
            _ => error.to_string(),
        },
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let mut columns: BTreeMap<String, usize> = BTreeMap::new();
    for (place, name) in reader.headers().map_err(|error| wrong(&error))?.iter().enumerate() {
        // The portal names some columns twice: the first is the one that is meant.
        columns.entry(plain(name)).or_insert(place);
    }
    if let Some(column) = NEEDED.into_iter().find(|column| !columns.contains_key(&plain(column))) {
        return Err(SignInFileError::NoColumn { column });
    }
    for record in reader.records() {
        let record = record.map_err(|error| wrong(&error))?;
        let cell = |name: &str| {
            let text =
                columns.get(&plain(name)).and_then(|place| record.get(*place)).unwrap_or_default().trim();
            // A quote stands before what a spreadsheet would take for a formula.
            text.strip_prefix('\'').unwrap_or(text).to_owned()
        };
        found.add(as_graph(&cell, has_person))?;
    }
    found.take()
}

/// A column's name without the blanks that the portal is generous with.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A row of the portal's CSV in Graph's own shape, so that both are read alike.
fn as_graph(cell: &dyn Fn(&str) -> String, has_person: bool) -> Value {
    let is_yes = |name: &str| ["yes", "true"].contains(&cell(name).to_lowercase().as_str());
    let mut row = Map::new();
    for (key, name) in [
        ("id", "Request ID"),
        ("userId", "User ID"),
        ("userPrincipalName", "Username"),
        ("ipAddress", "IP address"),
        ("userAgent", "User agent"),
        ("sessionId", "Session ID"),
        ("appId", "Application ID"),
        ("appDisplayName", "Application"),
        ("appOwnerTenantId", "App owner tenant ID"),
        ("resourceId", "Resource ID"),
        ("resourceDisplayName", "Resource"),
        ("clientAppUsed", "Client app"),
    ] {
        row.insert(key.to_owned(), cell(name).into());
    }
    row.insert("createdDateTime".to_owned(), cell("Date (UTC)").replacen(' ', "T", 1).into());
    row.insert("isInteractive".to_owned(), has_person.into());
    row.insert("incomingTokenType".to_owned(), word(&cell("Incoming token type")).into());
    row.insert("originalTransferMethod".to_owned(), word(&cell("Original transfer method")).into());
    row.insert("authenticationProtocol".to_owned(), word(&cell("Authentication Protocol")).into());
    let requirement = cell("Authentication requirement").to_lowercase();
    let requirement = if requirement.starts_with("single") { "singleFactorAuthentication" } else { "" };
    row.insert("authenticationRequirement".to_owned(), requirement.into());
    let protection = json!({ "signInSessionStatus": word(&cell("Token Protection - Sign In Session")) });
    row.insert("tokenProtectionStatusDetails".to_owned(), protection);
    if let Ok(number) = cell("Autonomous system number").parse::<i64>() {
        row.insert("autonomousSystemNumber".to_owned(), number.into());
    }
    // A success has an empty code, or none of its own; a failure without a code is one all the same.
    let code = match (cell("Sign-in error code").parse::<i64>(), cell("Status").to_lowercase().as_str()) {
        (Ok(code), _) => json!(code),
        (Err(_), "success") => json!(0),
        (Err(_), "failure" | "interrupted") => json!(-1),
        (Err(_), _) => Value::Null,
    };
    let status = json!({ "errorCode": code, "additionalDetails": cell("Multifactor authentication result") });
    row.insert("status".to_owned(), status);
    row.insert(
        "mfaDetail".to_owned(),
        json!({ "authMethod": cell("Multifactor authentication auth method") }),
    );
    let device = json!({
        "deviceId": cell("Device ID"),
        "operatingSystem": cell("Operating System"),
        "browser": cell("Browser"),
        "isCompliant": is_yes("Compliant"),
        "isManaged": is_yes("Managed"),
        "trustType": cell("Join Type"),
    });
    row.insert("deviceDetail".to_owned(), device);
    let place = cell("Location");
    let mut parts = place.split(',').map(str::trim);
    let (city, country) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    row.insert("location".to_owned(), json!({ "city": city, "countryOrRegion": country }));
    Value::Object(row)
}

/// The portal's prose for a word of Graph's: `Primary refresh token` is `primaryRefreshToken`.
fn word(prose: &str) -> String {
    let mut word = String::new();
    for part in prose.split_whitespace() {
        let mut letters = part.chars();
        let Some(first) = letters.next() else { continue };
        if word.is_empty() {
            word.extend(first.to_lowercase());
        } else {
            word.extend(first.to_uppercase());
        }
        word.push_str(letters.as_str());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::SecondFactor;

    const HEADER: &str = "Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,Incoming token type,Application,Application ID ,Resource,IP address,Location,Status,Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,Compliant,Managed,Join Type,Multifactor authentication result,Multifactor authentication auth method,Authentication requirement,Session ID,Autonomous system  number";

    fn csv(lines: &[&str]) -> String {
        format!("\u{feff}{HEADER}\r\n{}\r\n", lines.join("\r\n"))
    }

    #[test]
    fn a_row_of_the_portals_csv_says_what_graphs_row_says() {
        let text = csv(&[
            "2024-09-26T18:03:36Z,r1,\"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)\",c1,5f00aaaa-0000-4000-8000-000000000001,Lynne,lynne.robbins@contoso.com,Primary refresh token,One Outlook Web,9199bf20-a13f-4107-85dc-02114787ef48,Office 365 Exchange Online,89.187.164.135,\"Dallas, Texas, US\",Success,,,Browser,,,Windows10,No,No,,MFA requirement satisfied by claim in the token,,Multifactor authentication,s1,212238",
            "2024-09-26 19:24:29,r2,,c2,5f00aaaa-0000-4000-8000-000000000001,Lynne,lynne.robbins@contoso.com,,One Outlook Web,,Office,'203.0.113.7,US,Failure,50126,Bad password,Browser,,,,,,,,,Single-factor authentication,,",
        ]);
        let found = read_sign_in_file(text.as_bytes(), false).unwrap();
        let [later, first] = found.rows.as_slice() else { panic!("{found:?}") };
        assert_eq!(first.ip.as_ref(), "89.187.164.135");
        assert_eq!(first.place.as_ref(), "Dallas, US");
        assert_eq!(first.second_factor, SecondFactor::ByClaim);
        assert_eq!(first.incoming_token.as_ref(), "primaryRefreshToken");
        assert_eq!(first.session_id.as_deref(), Some("s1"));
        assert_eq!((first.asn, first.error_code, first.interactive), (Some(212_238), 0, false));
        assert_eq!((later.ip.as_ref(), later.error_code), ("203.0.113.7", 50_126));
        assert_eq!(later.second_factor, SecondFactor::NotAsked);
    }

    #[test]
    fn json_is_read_as_a_list_as_a_page_and_line_by_line() {
        let row = |id: &str| json!({ "id": id, "createdDateTime": "2024-09-26T18:03:36Z", "isInteractive": false, "status": { "errorCode": 0 } });
        let (one, two) = (row("r1"), row("r2"));
        for text in [
            json!([one, two]).to_string(),
            json!({ "value": [one, two] }).to_string(),
            format!("{one}\n{two}\n{two}\n"),
        ] {
            let found = read_sign_in_file(text.as_bytes(), true).unwrap();
            assert_eq!(found.rows.len(), 2, "{text}");
            assert!(found.notes.is_empty(), "{:?}", found.notes);
        }
    }

    #[test]
    fn what_is_no_log_is_refused_with_its_place() {
        for (text, wanted) in [
            ("", "it holds no sign-ins: it is empty"),
            ("[{\"id\": }]", "line 1, column 9"),
            ("User,IP\nx,y\n", "there is no column `Date (UTC)`"),
            ("[1] [2]", "a second list"),
        ] {
            let error = read_sign_in_file(text.as_bytes(), true).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        assert!(read_sign_in_file(b"\xff\xfe", true).unwrap_err().to_string().contains("UTF-8"));
        let short = csv(&["2024-09-26T18:03:36Z,r1"]);
        let told = read_sign_in_file(short.as_bytes(), true).unwrap_err().to_string();
        assert!(told.starts_with("row 2: it is no CSV: it has 2 cells"), "{told}");
    }

    #[test]
    fn rows_that_say_too_little_are_counted() {
        let found = read_sign_in_file(br#"[{"id": "r1"}, {"x": 1}]"#, true).unwrap();
        assert!(found.rows.is_empty());
        assert!(found.notes[0].starts_with("2 rows"), "{:?}", found.notes);
    }
}
