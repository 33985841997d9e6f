//! How a command fails: one message that names object and cause, what to do next, and the exit status.

use std::error::Error;
use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::Format;
use super::output::print_json;
use crate::alert::AlertError;
use crate::approval::ApprovalError;
use crate::domain::{inert_whole, with_causes};
use crate::engine::{ApplyError, PlanError, VerifyError};
use crate::graph::GraphError;
use crate::plan::PlanFileError;
use crate::playbook::{BindErrors, Diagnostics, Place, PlaybookError};
use crate::store::StoreError;

/// Exit status when there is no consent.
pub const NO_CONSENT: u8 = 4;
/// Exit status after an interruption.
pub const INTERRUPTED: u8 = 130;

/// What each exit status says; `stanch --help` and the documents take it from here.
pub const EXIT_STATUSES: &[(u8, &str)] = &[
    (
        0,
        "done; for `apply` and `run`: the verdict is `contained`; for `runs verify`: all that the run did still holds; for `runs confirm`: your word is on record, whatever is still open; for `doctor`: nothing that is needed is missing",
    ),
    (
        1,
        "failed; for `doctor`: something that the playbooks need is missing; for `diff --exit-code`: the plans differ",
    ),
    (2, "wrong usage or invalid input; an expired plan, or one of another tenant"),
    (3, "a guard refuses the subject, or the run as a whole: nothing was sent"),
    (
        NO_CONSENT,
        "no consent: an approval is missing, invalid, expired or used; \"no\"; no terminal and no `--yes`",
    ),
    (5, "stale: the tenant has changed since the plan, and nothing was sent"),
    (
        6,
        "not contained in full: the verdict is `contained_unverified`, `partial`, `not_contained` or `unknown`; for `runs verify`: something no longer holds, or could not be read",
    ),
    (INTERRUPTED, "interrupted; what was in flight has ended, and nothing else was started"),
];
/// What any command prints as JSON when it fails.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDocument<'f> {
    /// The error.
    error: ErrorBody<'f>,
}

/// An error.
#[derive(Debug, Serialize, JsonSchema)]
struct ErrorBody<'f> {
    /// Its stable code.
    code: &'f str,
    /// What happened, to what, and why.
    message: &'f str,
    /// What to do next.
    hint: Option<&'f str>,
    /// The exit status of the program.
    exit_status: u8,
    /// Where in a playbook it is wrong, each place with what is wrong there; empty for other errors.
    places: &'f [Place],
}

/// A command that failed.
#[derive(Debug)]
pub struct Failure {
    /// Exit status (INTERFACE.md).
    pub exit: u8,
    /// Stable code.
    pub code: &'static str,
    /// The message with its causes.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Text that is printed as it stands instead of the message: diagnostics with their lines.
    pub rendered: Option<String>,
    /// Where in a file it is wrong, for programs.
    pub places: Vec<Place>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Failure {
    /// A failure without a cause behind it.
    pub fn new(exit: u8, code: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit, code, message: message.into(), hint, rendered: None, places: Vec::new() }
    }

    /// A failure from an error and the causes behind it.
    pub fn of(exit: u8, code: &'static str, error: &dyn Error, hint: Option<String>) -> Self {
        Self::new(exit, code, with_causes(error), hint)
    }

    /// A file that cannot be read.
    pub fn cannot_read(path: &Path, error: &std::io::Error, hint: &str) -> Self {
        Self::of(2, "cannot_read", error, Some(hint.to_owned()))
            .about(&format!("cannot read `{}`", path.display()))
    }

    /// A file or folder that cannot be written.
    pub fn cannot_write(path: &Path, error: &std::io::Error, hint: &str) -> Self {
        Self::of(1, "cannot_write", error, Some(hint.to_owned()))
            .about(&format!("cannot write `{}`", path.display()))
    }

    /// Says first what it is about: `cannot read `plan.json`: no such file`.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Tells of another fault beside this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.message = format!("{}; {}", self.message, other.message);
        let hints: Vec<String> = [self.hint, other.hint].into_iter().flatten().collect();
        self.hint = (!hints.is_empty()).then(|| hints.join("; "));
        // What one of them draws says nothing of the other.
        self.rendered = None;
        self.places.extend(other.places);
        self
    }

    /// Draws on a screen where in a file it stands; programs get the places as text.
    #[must_use]
    pub fn drawn(mut self, diagnostics: &[Diagnostics]) -> Self {
        self.rendered = Some(diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"));
        self.places = diagnostics.iter().flat_map(Diagnostics::places).collect();
        self.message = self.places.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let helps: Vec<&str> = self.places.iter().filter_map(|place| place.help.as_deref()).collect();
        self.hint = Some(if helps.is_empty() {
            "correct it there, then try `stanch playbook check`".to_owned()
        } else {
            helps.join("; ")
        });
        self
    }

    /// Tells a story behind what is drawn, a line each; programs get it in the message.
    #[must_use]
    pub fn telling(mut self, title: &str, lines: &[String]) -> Self {
        let numbered: Vec<String> =
            lines.iter().enumerate().map(|(index, line)| format!("{}. {line}", index + 1)).collect();
        if let Some(rendered) = &mut self.rendered {
            let list: String = numbered.iter().map(|line| format!("  {line}\n")).collect();
            *rendered = format!("{}\n\n{title}:\n{list}", rendered.trim_end());
        }
        self.message = format!("{}; {title}: {}", self.message, numbered.join("; "));
        self
    }

    /// Prints to standard error; with `--format json` the document goes to standard output as well.
    pub fn print(&self, format: Format) {
        if let Some(rendered) = &self.rendered {
            anstream::eprintln!("{}", rendered.trim_end());
        } else {
            anstream::eprintln!("error: {}", lines_inert(&self.message));
            if let Some(hint) = &self.hint {
                anstream::eprintln!("hint: {}", lines_inert(hint));
            }
        }
        if format == Format::Json
            && let Err(unprintable) = print_json(&self.document())
        {
            anstream::eprintln!("error: {}", lines_inert(&unprintable.message));
        }
    }

    /// The failure as JSON.
    fn document(&self) -> ErrorDocument<'_> {
        ErrorDocument {
            error: ErrorBody {
                code: self.code,
                message: &self.message,
                hint: self.hint.as_deref(),
                exit_status: self.exit,
                places: &self.places,
            },
        }
    }
}

/// Inert line by line: our own messages may have several lines, and text from the tenant may be in them.
fn lines_inert(text: &str) -> String {
    text.split('\n').map(inert_whole).collect::<Vec<_>>().join("\n")
}

impl From<AlertError> for Failure {
    fn from(error: AlertError) -> Self {
        Self::of(2, error.code(), &error, error.hint())
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<ApprovalError> for Failure {
    fn from(error: ApprovalError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Self::of(1, error.code(), &error, error.hint())
    }
}

impl From<PlanFileError> for Failure {
    fn from(error: PlanFileError) -> Self {
        let hint = match &error {
            PlanFileError::Malformed { .. } => "give a file that `stanch plan -o` wrote, or make a new plan",
            PlanFileError::Format { .. } if error.is_newer() => {
                "apply it with the newer stanch that wrote it, or make a new plan with this one"
            }
            PlanFileError::Format { .. } => "make a new plan with this version",
            PlanFileError::Edited { .. } | PlanFileError::Digest(_) | PlanFileError::Placeholder(_) => {
                "nobody looked at this text; make a new plan with `stanch plan`"
            }
        };
        Self::of(2, "bad_plan_file", &error, Some(hint.to_owned()))
    }
}

impl From<PlaybookError> for Failure {
    fn from(error: PlaybookError) -> Self {
        let mut failure = Self::of(error.exit_status(), error.code(), &error, error.hint());
        if let PlaybookError::Invalid(diagnostics) = &error {
            failure = failure.drawn(std::slice::from_ref(diagnostics));
        }
        failure
    }
}

impl From<BindErrors> for Failure {
    fn from(errors: BindErrors) -> Self {
        let hints: Vec<String> = errors.0.iter().filter_map(crate::playbook::BindError::hint).collect();
        let message = errors.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let hint = if hints.is_empty() {
            "`stanch playbook show NAME` shows what it takes".to_owned()
        } else {
            hints.join("; ")
        };
        Self::new(2, errors.code(), message, Some(hint))
    }
}

impl From<crate::config::ConfigErrors> for Failure {
    fn from(errors: crate::config::ConfigErrors) -> Self {
        let message = errors.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let mut failure = Self::new(errors.exit_status(), "bad_settings", message, Some(errors.hint()));
        // On a screen each fault stands with its own hint.
        failure.rendered = Some(format!("error: {}", lines_inert(&errors.to_string())));
        failure
    }
}

impl From<crate::config::ConfigFault> for Failure {
    fn from(fault: crate::config::ConfigFault) -> Self {
        Self::of(fault.exit_status(), fault.code(), &fault, fault.hint())
    }
}

impl From<crate::config::CredentialError> for Failure {
    fn from(error: crate::config::CredentialError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<crate::config::EndpointError> for Failure {
    fn from(error: crate::config::EndpointError) -> Self {
        Self::of(error.exit_status(), error.code(), &error, error.hint())
    }
}

impl From<crate::graph::CertificateError> for Failure {
    fn from(error: crate::graph::CertificateError) -> Self {
        Self::of(2, error.code(), &error, error.hint())
    }
}
