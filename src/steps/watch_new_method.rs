//! `watch_new_method`: waits for the user to register a method, with the pass that they got. It sends nothing; what has
//! not come in time is told as open.
//!
//! ```yaml
//! - step: watch_new_method
//!   required: false
//!   with: { within: 15m }
//! ```

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Step;
use super::by_hand::ByHand;
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope, user_object};
use crate::case::{AuthMethod, Case, Hold, MethodKind};
use crate::config::parse_duration;
use crate::domain::{MethodId, UserId};
use crate::graph::{GraphError, Licence, Reader, Reading};
use crate::plan::{Action, Undo, Watch};

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Within(Duration);

impl Default for Within {
    fn default() -> Self {
        Self(Duration::from_mins(15))
    }
}

impl TryFrom<String> for Within {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let within = parse_duration(&text)?;
        // A run keeps others off its subject for as long as it goes.
        if within <= Duration::from_hours(4) {
            Ok(Self(within))
        } else {
            Err(format!("`{text}` is too long to wait for somebody: at most `4h`"))
        }
    }
}

impl From<Within> for String {
    fn from(Within(within): Within) -> Self {
        format!("{}s", within.as_secs())
    }
}

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchNewMethod {
    /// For how long: `15m`.
    #[serde(default)]
    pub within: Within,
}

impl Step for WatchNewMethod {
    const NAME: &'static str = "watch_new_method";
    const SUMMARY: &'static str = "waits for the user to register a new method, and changes nothing";
    const PERMISSIONS: &'static [&'static str] = &["UserAuthenticationMethod.Read.All"];
    const READS: &'static [Reading] = &[Reading::Methods];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = false;
    type Facts = ();

    async fn look(&self, _: &Case, _: &Reader) -> Result<(), GraphError> {
        Ok(())
    }

    fn plan(&self, case: &Case, (): &(), scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let mut planned = Planned::default();
        let Some(methods) = case.evidence.methods.read() else {
            planned.unchanged = Some(
                "which methods are registered could not be read: a new one would not be told apart"
                    .to_owned(),
            );
            return planned;
        };
        let known: Vec<&MethodId> = methods.iter().map(|own| &own.method.id).collect();
        let seconds = self.within.0.as_secs();
        let words = shown_for(seconds);
        let draft = Draft {
            key: "",
            summary: format!("Wait up to {words} for {} to register a new method", subject.upn),
            object: user_object(subject),
            before: json!({ "methods": known }),
            after: json!({ "methods": "one more, which the user says is theirs" }),
            undo: Undo::Impossible { why: "nothing is changed".to_owned() },
            reason: "a pass that nobody used, or that somebody else used, is to be known at once".to_owned(),
            evidence: Vec::new(),
            requests: Vec::new(),
        };
        let action = draft.into_action(Self::NAME, scope).map(|mut action| {
            action.watch = Some(Watch { within_seconds: seconds });
            action
        });
        planned.push(action, scope);
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[&format!(
                "Users > All users > {user} > Authentication methods: look until the new method is there, and ask the user by telephone whether it is theirs"
            )],
            &[
                "Get-MgUserAuthenticationMethod -UserId $id | ForEach-Object { $_.Id; $_.AdditionalProperties | Format-Table }",
            ],
        )
    }
}

fn shown_for(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!("{} min", seconds / 60) } else { format!("{seconds} s") }
}

/// Looks whether a method has come.
pub(super) async fn see(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let came = newly_registered(action, subject, graph).await?;
    Ok(if came.is_empty() { Seen::AsBefore } else { Seen::AsAfter })
}

/// The methods that were registered since the plan, passes left out: those are what lets the user in.
///
/// # Errors
/// When they cannot be read.
pub async fn newly_registered(
    action: &Action,
    subject: &UserId,
    graph: &Reader,
) -> Result<Vec<AuthMethod>, GraphError> {
    let known: Vec<&str> = action
        .before
        .get("methods")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let methods = graph.methods(subject).await?;
    Ok(methods
        .into_iter()
        .filter(|own| own.kind != MethodKind::TemporaryAccessPass && !known.contains(&own.id.as_str()))
        .collect())
}
