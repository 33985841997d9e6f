//! What can go wrong with a call to Graph, by what a caller would do next.

use super::answer::ErrorAnswer;
use super::auth::AuthError;
use super::permission;
use crate::plan::PlaceholderError;
use crate::transport::TransportError;

/// Codes of failures after which a person may still get through where we do not: Graph or Entra is down, or our own app
/// is shut out.
pub const OUT_OF_REACH: [&str; 11] = [
    "graph_no_answer",
    "graph_unavailable",
    "graph_throttled",
    "sign_in_no_answer",
    "sign_in_unavailable",
    "sign_in_throttled",
    "sign_in_malformed",
    "sign_in_app_disabled",
    "sign_in_blocked_by_policy",
    "sign_in_person_blocked",
    "sign_in_session_revoked",
];

/// Whether a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It may: it did nothing, or doing it twice is the same.
    Safe,
    /// Only after reading whether it happened.
    ReadBackFirst,
    /// It would be answered the same.
    Never,
}

/// What a failure says about the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Nothing happened, and later it may go well.
    Transient,
    /// Nothing happened, and nothing will.
    Definite,
    /// It is not known whether it happened.
    Ambiguous,
}

/// Why a call failed. Paths stand without their query.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// Graph said no, and did nothing.
    #[error("{method} `{path}` was refused with {status} `{code}`", status = answer.status, code = answer.code)]
    Refused {
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// What Graph said.
        #[source]
        answer: Box<ErrorAnswer>,
        /// The least permissions of the call.
        needs: &'static [&'static str],
    },
    /// Graph was too busy for as long as we had.
    #[error("{method} `{path}` was throttled until the deadline")]
    Throttled {
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// What Graph said last.
        #[source]
        answer: Box<ErrorAnswer>,
    },
    /// Graph failed, or answered what tells nothing.
    #[error("{method} `{path}` failed with {status} `{code}`", status = answer.status, code = answer.code)]
    Unavailable {
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// What Graph said last.
        #[source]
        answer: Box<ErrorAnswer>,
        /// Whether a write may have taken effect.
        may_have_happened: bool,
    },
    /// No answer came.
    #[error("{method} `{path}` got no answer")]
    NoAnswer {
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// What failed.
        #[source]
        source: TransportError,
        /// Whether a write may have taken effect.
        may_have_happened: bool,
    },
    /// The answer makes no sense.
    #[error("the answer to {method} `{path}` is {what}")]
    Malformed {
        /// Method.
        method: &'static str,
        /// Path.
        path: String,
        /// What it is instead.
        what: String,
        /// Why it could not be read.
        #[source]
        source: Option<serde_json::Error>,
        /// Whether a write may have taken effect.
        may_have_happened: bool,
    },
    /// A property that we asked for is not there: the permission does not cover it, and nothing may be concluded.
    #[error("the answer to GET `{path}` leaves out `{property}`")]
    Withheld {
        /// Path.
        path: String,
        /// The property.
        property: &'static str,
        /// The least permissions of the call.
        needs: &'static [&'static str],
    },
    /// The next page is said to be somewhere else: following it would hand our token over.
    #[error("the next page of `{path}` is said to be at `{link}`, which is not where it was asked for")]
    ForeignLink {
        /// Path.
        path: String,
        /// Scheme, host and version of the link.
        link: String,
    },
    /// A page names a page that was read already.
    #[error("the pages of `{path}` go round in a circle")]
    RepeatedLink {
        /// Path.
        path: String,
    },
    /// More pages or rows than we take.
    #[error("`{path}` has more than {limit}")]
    TooManyPages {
        /// Path.
        path: String,
        /// What there are too many of: `200 pages`.
        limit: String,
    },
    /// The path cannot be sent.
    #[error("`{path}` is no path that can be sent: {why}")]
    Unsendable {
        /// Path.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// An object that a request is about is not there: nothing was sent.
    #[error("there is no {kind} `{id}` any more")]
    Gone {
        /// What it is.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// Something on our side failed before the request left: nothing was sent.
    #[error("nothing was sent: {what}")]
    Local {
        /// What failed.
        what: String,
    },
    /// A placeholder of the request could not be filled: nothing was sent.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    /// No token was to be had.
    #[error(transparent)]
    SignIn(#[from] AuthError),
}

impl GraphError {
    /// What Graph answered, where it did.
    pub fn answer(&self) -> Option<&ErrorAnswer> {
        match self {
            Self::Refused { answer, .. }
            | Self::Throttled { answer, .. }
            | Self::Unavailable { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// Whether the call may be sent again.
    pub fn retry(&self) -> Retry {
        match self.kind() {
            FailureKind::Transient => Retry::Safe,
            FailureKind::Definite => Retry::Never,
            FailureKind::Ambiguous => Retry::ReadBackFirst,
        }
    }

    /// What the failure says about the tenant.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::NoAnswer { source: TransportError::Untrusted { .. }, .. } => FailureKind::Definite,
            Self::Throttled { .. } | Self::RepeatedLink { .. } => FailureKind::Transient,
            Self::Unavailable { may_have_happened, .. }
            | Self::NoAnswer { may_have_happened, .. }
            | Self::Malformed { may_have_happened, .. } => {
                if *may_have_happened {
                    FailureKind::Ambiguous
                } else {
                    FailureKind::Transient
                }
            }
            Self::SignIn(error) if error.is_transient() => FailureKind::Transient,
            Self::Refused { .. }
            | Self::Withheld { .. }
            | Self::ForeignLink { .. }
            | Self::TooManyPages { .. }
            | Self::Unsendable { .. }
            | Self::Gone { .. }
            | Self::Local { .. }
            | Self::Placeholder(_)
            | Self::SignIn(_) => FailureKind::Definite,
        }
    }

    /// Whether a write may have taken effect (SAFETY.md 2.2).
    pub fn may_have_happened(&self) -> bool {
        self.kind() == FailureKind::Ambiguous
    }

    /// Whether Graph answered and said no, or would not show something: nothing is concluded from it, and asking again
    /// changes nothing. A failed sign-in is no such answer.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Withheld { .. })
    }

    /// Whether a person may still get through where we do not.
    pub fn is_out_of_reach(&self) -> bool {
        OUT_OF_REACH.contains(&self.code())
    }

    /// A failure on our side, before anything was sent.
    pub fn local(what: &str, cause: &dyn std::error::Error) -> Self {
        Self::Local { what: format!("{what}: {cause}") }
    }

    /// A word for it that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } if self.is_unlicensed() => "graph_unlicensed",
            Self::Refused { .. } if self.is_permission_missing() => "graph_permission_missing",
            Self::Refused { .. } if self.is_not_found() => "graph_not_found",
            Self::Refused { .. } => "graph_refused",
            Self::Throttled { .. } => "graph_throttled",
            Self::Unavailable { .. } => "graph_unavailable",
            Self::NoAnswer { .. } => "graph_no_answer",
            Self::Malformed { .. } => "graph_malformed",
            Self::Withheld { .. } => "graph_withheld",
            Self::ForeignLink { .. } => "graph_foreign_link",
            Self::RepeatedLink { .. } => "graph_repeated_link",
            Self::TooManyPages { .. } => "graph_too_many_pages",
            Self::Unsendable { .. } => "graph_unsendable",
            Self::Gone { .. } => "graph_gone",
            Self::Local { .. } => "nothing_sent",
            Self::Placeholder(_) => "graph_placeholder",
            Self::SignIn(error) => error.code(),
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { path, .. } if self.is_permission_missing() && path.ends_with("/resetPassword") => {
                Some(
                    "Graph takes this from a person alone: consent to the delegated permission `UserAuthenticationMethod.ReadWrite.All`, and sign in as an Authentication Administrator; for an account with a role, as a Privileged Authentication Administrator"
                        .to_owned(),
                )
            }
            Self::Refused { needs, path, .. } if self.is_permission_missing() => {
                let whole = grant(needs)?;
                Some(match permission::of_method_kind(path) {
                    Some(less) => format!("{whole}; `{less}` is enough for this kind of method"),
                    None => whole,
                })
            }
            Self::Refused { answer, .. } if is_about_default_method(answer) => Some(
                "make another method the user's default (Users, the user, Authentication methods), then plan again; or say `--keep ID` for a method that the user knows, and it is made the default"
                    .to_owned(),
            ),
            Self::Withheld { needs, .. } => grant(needs),
            Self::Refused { answer, .. } if answer.number == Some(1039) => {
                Some("this needs Entra ID P2; leave the risk conditions out".to_owned())
            }
            Self::Refused { .. } if self.is_unlicensed() => {
                Some("the tenant needs Entra ID P1 or P2 for this".to_owned())
            }
            Self::Refused { answer, .. } if answer.message.contains("Security Defaults is enabled") => Some(
                "security defaults are on: a person has to decide between them and Conditional Access"
                    .to_owned(),
            ),
            Self::Refused { answer, .. } if answer.status == 401 => Some(
                "Graph does not take our token: check that authority and Graph are of the same cloud"
                    .to_owned(),
            ),
            Self::Throttled { .. } => Some(
                "Graph is busy, perhaps with other tools of this tenant: try again in some minutes"
                    .to_owned(),
            ),
            Self::NoAnswer { source: TransportError::NotSent { .. }, .. } => {
                Some("check the network, the proxy and the address of Graph".to_owned())
            }
            Self::NoAnswer { source, .. } => source.hint().map(str::to_owned),
            Self::ForeignLink { .. } => {
                Some("something between us and Graph changes answers: find out what".to_owned())
            }
            Self::TooManyPages { .. } => Some("ask for a shorter span".to_owned()),
            Self::SignIn(error) => error.hint(),
            _ => None,
        }
    }

    /// The status, where an answer came.
    pub fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.status)
    }

    /// The four digits before the message, where a service gave them.
    pub fn number(&self) -> Option<u16> {
        self.answer().and_then(|answer| answer.number)
    }

    /// Graph's id of the request, where an answer came.
    pub fn request_id(&self) -> Option<&str> {
        self.answer().and_then(|answer| answer.request_id.as_deref())
    }

    /// Whether a permission is missing: 403 with the code that the service has for that (identity.md 10.2).
    pub fn is_permission_missing(&self) -> bool {
        const CODES: [&str; 5] = [
            "Authorization_RequestDenied",
            "accessDenied",
            "Forbidden",
            "Authentication_MSGraphPermissionMissing",
            "ErrorAccessDenied",
        ];
        self.refusal().is_some_and(|answer| {
            answer.status == 403
                && CODES.iter().any(|code| answer.has_code(code))
                && !is_about_licence(answer)
        })
    }

    /// Whether the tenant lacks the licence.
    pub fn is_unlicensed(&self) -> bool {
        self.refusal().is_some_and(is_about_licence)
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|answer| answer.status == 404)
    }

    fn refusal(&self) -> Option<&ErrorAnswer> {
        match self {
            Self::Refused { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// Whether the answer is about a licence; services have no common code for it.
fn is_about_licence(answer: &ErrorAnswer) -> bool {
    let message = answer.message.to_ascii_lowercase();
    answer.has_code(super::answer::NON_PREMIUM)
        || answer.has_code("AadPremiumLicenseRequired")
        || answer.number == Some(1039)
        || message.contains("not licensed for this feature")
        || message.contains("premium license")
        || message.contains("governance license")
}

/// Whether a method was kept because it is the default second factor; the two services word it differently
/// (identity.md 5.3).
fn is_about_default_method(answer: &ErrorAnswer) -> bool {
    let message = answer.message.to_ascii_lowercase();
    answer.status == 400
        && answer.has_code("badRequest")
        && message.contains("default")
        && message.contains("method")
}

fn grant(needs: &[&str]) -> Option<String> {
    let quoted: Vec<String> = needs.iter().map(|permission| format!("`{permission}`")).collect();
    let (last, others) = quoted.split_last()?;
    let all = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!("grant the app {all}, with an administrator's consent: `stanch doctor` prints the command"))
}
