//! One line of an `allowed_signers` file, as ssh-keygen(1) reads it under ALLOWED SIGNERS:
//! `principals [options] keytype base64-key [comment]`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::{PublicKey, public::KeyData};

use super::certificate::is_certificate_kind;
use super::pattern::PatternList;

/// What is wrong with a line.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LineFault {
    /// A quotation mark without its second.
    #[error("a quotation mark is not closed")]
    OpenQuote,
    /// Nothing stands behind the principals.
    #[error("no key stands behind the principals")]
    NoKey,
    /// The principals are empty.
    #[error("it names nobody")]
    NoPrincipal,
    /// The key cannot be read.
    #[error("`{kind}` and what follows is no public key")]
    BadKey {
        /// The word that should name the kind of key.
        kind: String,
    },
    /// A certificate stands where a key should.
    #[error("a certificate stands where its authority's key should")]
    Certificate,
    /// An option that is not known.
    #[error(
        "`{option}` is no option; there are `cert-authority`, `namespaces`, `valid-after`, `valid-before`"
    )]
    UnknownOption {
        /// The option.
        option: String,
    },
    /// An option without its value.
    #[error("the option `{option}` needs a value in quotation marks")]
    NoValue {
        /// The option.
        option: &'static str,
    },
    /// An option that stands twice.
    #[error("the option `{option}` stands twice")]
    Twice {
        /// The option.
        option: &'static str,
    },
    /// A time that is none.
    #[error(
        "`{text}` is no time; write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z behind it for UTC"
    )]
    BadTime {
        /// The text.
        text: String,
    },
    /// A validity that is never.
    #[error("`valid-before` is not after `valid-after`")]
    NeverValid,
}

/// A line that names signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignerLine {
    pub(super) number: usize,
    pub(super) principals: PatternList,
    pub(super) namespaces: Option<PatternList>,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
    pub(super) is_authority: bool,
    pub(super) key: KeyData,
}

/// Reads a line; blank ones and comments name nobody. Times without a `Z` are in `zone`.
pub(super) fn parse_line(
    number: usize,
    line: &str,
    zone: &TimeZone,
) -> Result<Option<SignerLine>, LineFault> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (principals, rest) = split_principals(line)?;
    if principals.is_empty() {
        return Err(LineFault::NoPrincipal);
    }
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Err(LineFault::NoKey);
    }
    let (options, rest) = if is_key_kind(first_word(rest)) { ("", rest) } else { split_options(rest)? };
    let options = Options::parse(options, zone)?;
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Err(LineFault::NoKey);
    }
    let kind = first_word(rest);
    if is_certificate_kind(kind) {
        return Err(LineFault::Certificate);
    }
    let coded = first_word(rest.get(kind.len()..).unwrap_or_default().trim_start());
    let key = PublicKey::from_openssh(&format!("{kind} {coded}"))
        .map_err(|_| LineFault::BadKey { kind: kind.to_owned() })?;
    Ok(Some(SignerLine {
        number,
        principals: PatternList::new(principals),
        namespaces: options.namespaces.as_deref().map(PatternList::new),
        valid_after: options.valid_after,
        valid_before: options.valid_before,
        is_authority: options.is_authority,
        key: key.key_data().clone(),
    }))
}

fn first_word(text: &str) -> &str {
    text.split([' ', '\t']).next().unwrap_or_default()
}

/// Kinds of keys begin so; no option does.
fn is_key_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

/// The principals may stand in quotation marks, with spaces between them.
fn split_principals(line: &str) -> Result<(&str, &str), LineFault> {
    if let Some(quoted) = line.strip_prefix('"') {
        return quoted.split_once('"').ok_or(LineFault::OpenQuote);
    }
    let word = first_word(line);
    Ok((word, line.get(word.len()..).unwrap_or_default()))
}

/// Options end at the first space outside quotation marks.
fn split_options(text: &str) -> Result<(&str, &str), LineFault> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = text.get(at + 1..).is_some_and(|rest| rest.starts_with('"')),
            '"' => is_quoted = !is_quoted,
            ' ' | '\t' if !is_quoted => return Ok(text.split_at(at)),
            _ => {}
        }
    }
    if is_quoted { Err(LineFault::OpenQuote) } else { Ok((text, "")) }
}

#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
    is_authority: bool,
}

impl Options {
    fn parse(text: &str, zone: &TimeZone) -> Result<Self, LineFault> {
        let mut options = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            rest = match name.to_ascii_lowercase().as_str() {
                "cert-authority" if !behind.starts_with('=') => {
                    options.is_authority = true;
                    behind
                }
                "namespaces" => {
                    let (value, behind) = value("namespaces", behind)?;
                    set("namespaces", &mut options.namespaces, value)?;
                    behind
                }
                "valid-after" => {
                    let (value, behind) = value("valid-after", behind)?;
                    set("valid-after", &mut options.valid_after, parse_time(&value, zone)?)?;
                    behind
                }
                "valid-before" => {
                    let (value, behind) = value("valid-before", behind)?;
                    set("valid-before", &mut options.valid_before, parse_time(&value, zone)?)?;
                    behind
                }
                _ => return Err(LineFault::UnknownOption { option: name.to_owned() }),
            };
            // Nothing but a comma and another option may follow.
            rest = match rest.strip_prefix(',') {
                Some("") => return Err(LineFault::UnknownOption { option: String::new() }),
                Some(more) => more,
                None if rest.is_empty() => rest,
                None => return Err(LineFault::UnknownOption { option: rest.to_owned() }),
            };
        }
        match (options.valid_after, options.valid_before) {
            (Some(after), Some(before)) if before <= after => Err(LineFault::NeverValid),
            _ => Ok(options),
        }
    }
}

fn set<T>(option: &'static str, place: &mut Option<T>, value: T) -> Result<(), LineFault> {
    match place.replace(value) {
        Some(_) => Err(LineFault::Twice { option }),
        None => Ok(()),
    }
}

/// Takes `="value"`; a quotation mark inside it stands behind a backslash.
fn value<'t>(option: &'static str, text: &'t str) -> Result<(String, &'t str), LineFault> {
    let quoted = text.strip_prefix("=\"").ok_or(LineFault::NoValue { option })?;
    let mut value = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, quoted.get(at + 1..).unwrap_or_default())),
            '\\' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                letters.next();
                value.push('"');
            }
            other => value.push(other),
        }
    }
    Err(LineFault::OpenQuote)
}

fn parse_time(text: &str, zone: &TimeZone) -> Result<Timestamp, LineFault> {
    let bad = || LineFault::BadTime { text: text.to_owned() };
    let upper = text.to_ascii_uppercase();
    let utc = upper.strip_suffix("UTC").or_else(|| upper.strip_suffix('Z'));
    let digits = utc.unwrap_or(&upper);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    let whole = format!("{digits}{}", "0".repeat(14 - digits.len()));
    let local = DateTime::strptime("%Y%m%d%H%M%S", whole).map_err(|_| bad())?;
    let zone = if utc.is_some() { &TimeZone::UTC } else { zone };
    zone.to_timestamp(local).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pattern::Case;
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn parse(line: &str) -> Result<Option<SignerLine>, LineFault> {
        parse_line(1, line, &TimeZone::fixed(jiff::tz::offset(2)))
    }

    fn read(line: &str) -> SignerLine {
        parse(line).unwrap().unwrap()
    }

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lines_are_read_as_ssh_keygen_reads_them() {
        for blank in ["", "   ", "# dana@contoso.com", "\t# x", "\r"] {
            assert_eq!(parse(blank), Ok(None), "{blank:?}");
        }
        let plain = read(&format!("dana@contoso.com {KEY}"));
        assert!(plain.principals.holds("dana@contoso.com", Case::Kept));
        assert_eq!((plain.namespaces.clone(), plain.is_authority), (None, false));
        assert_eq!(read(&format!("  dana@contoso.com\t{KEY} dana's laptop\r")).key, plain.key);
        let quoted = read(&format!("\"dana@contoso.com,lee@contoso.com\" {KEY}"));
        assert!(quoted.principals.holds("lee@contoso.com", Case::Kept));

        let all = read(&format!(
            "*@contoso.com,!eve@contoso.com CERT-authority,namespaces=\"git,stanch-*\",valid-after=\"20260102\",valid-before=\"202603041530Z\" {KEY} # c"
        ));
        assert!(all.is_authority);
        assert!(all.namespaces.unwrap().holds("stanch-plan", Case::Kept));
        // Without a Z, the time is the machine's: here two hours east.
        assert_eq!(all.valid_after, Some(moment("2026-01-01T22:00:00Z")));
        assert_eq!(all.valid_before, Some(moment("2026-03-04T15:30:00Z")));
        assert_eq!(
            read(&format!("d valid-before=\"20260304153001utc\" {KEY}")).valid_before,
            Some(moment("2026-03-04T15:30:01Z"))
        );
        let escaped = read(&format!("d namespaces=\"a\\\"b, c\" {KEY}"));
        assert_eq!(escaped.namespaces.unwrap().as_str(), "a\"b, c");
    }

    #[test]
    fn a_line_that_ssh_keygen_refuses_is_refused_with_what_is_wrong() {
        let option = |text: &str| LineFault::UnknownOption { option: text.to_owned() };
        let time = |text: &str| LineFault::BadTime { text: text.to_owned() };
        for (line, fault) in [
            ("dana@contoso.com".to_owned(), LineFault::NoKey),
            ("dana@contoso.com cert-authority".to_owned(), LineFault::NoKey),
            (format!("\"\" {KEY}"), LineFault::NoPrincipal),
            (format!("\"dana@contoso.com {KEY}"), LineFault::OpenQuote),
            (format!("d namespaces=\"git {KEY}"), LineFault::OpenQuote),
            (format!("d name=\"git\" {KEY}"), option("name")),
            (format!("d cert-authority, {KEY}"), option("")),
            (format!("d cert-authority=\"x\" {KEY}"), option("cert-authority")),
            (format!("d namespaces=\"git\"x {KEY}"), option("x")),
            (format!("d namespaces=git {KEY}"), LineFault::NoValue { option: "namespaces" }),
            (format!("d valid-after {KEY}"), LineFault::NoValue { option: "valid-after" }),
            (format!("d namespaces=\"a\",namespaces=\"b\" {KEY}"), LineFault::Twice { option: "namespaces" }),
            (format!("d valid-before=\"2026\" {KEY}"), time("2026")),
            (format!("d valid-before=\"20261301\" {KEY}"), time("20261301")),
            (format!("d valid-before=\"2026-1-1\" {KEY}"), time("2026-1-1")),
            (format!("d valid-before=\"+2026010\" {KEY}"), time("+2026010")),
            (format!("d valid-after=\"20260102\",valid-before=\"20260101\" {KEY}"), LineFault::NeverValid),
            ("d ssh-ed25519 AAAA".to_owned(), LineFault::BadKey { kind: "ssh-ed25519".to_owned() }),
            (
                format!("d {}", KEY.replace("ssh-ed25519 ", "ssh-rsa ")),
                LineFault::BadKey { kind: "ssh-rsa".to_owned() },
            ),
            ("d ssh-ed25519-cert-v01@openssh.com AAAA".to_owned(), LineFault::Certificate),
        ] {
            assert_eq!(parse(&line), Err(fault), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line in "[ -~\\t]{0,80}") {
            let read = parse(&line);
            prop_assert!(read.is_err() || line.trim().is_empty() || line.trim().starts_with('#'));
        }

        #[test]
        fn a_key_is_found_behind_any_principals_and_options(
            name in "[a-z]{1,8}@[a-z]{1,8}", namespace in "[a-z*,!? ]{1,12}", is_authority in any::<bool>(),
        ) {
            let authority = if is_authority { "cert-authority," } else { "" };
            let line = read(&format!("{name} {authority}namespaces=\"{namespace}\" {KEY} comment"));
            prop_assert_eq!(line.principals.as_str(), name);
            prop_assert_eq!(line.namespaces, Some(PatternList::new(&namespace)));
            prop_assert_eq!(line.is_authority, is_authority);
        }
    }
}
