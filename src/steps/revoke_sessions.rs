//! `revoke_sessions`: makes refresh tokens issued before now worthless. Access tokens already out live on: see
//! "residual risk". It may stand more than once; the last one must come after every door.
//!
//! ```yaml
//! - step: revoke_sessions
//!   id: last_revocation
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Step;
use super::by_hand::ByHand;
use super::planned::{Draft, Planned, Scope, cannot, time, user_object};
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::plan::Undo;

/// It has no options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSessions {}

impl Step for RevokeSessions {
    const NAME: &'static str = "revoke_sessions";
    const SUMMARY: &'static str = "ends every session: refresh tokens and sign-in cookies issued before now";
    const PERMISSIONS: &'static [&'static str] = &["User.RevokeSessions.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Session];
    const IS_DOOR: bool = false;
    type Facts = ();

    async fn look(&self, _: &Case, _: &Reader) -> Result<(), GraphError> {
        Ok(())
    }

    fn plan(&self, case: &Case, (): &(), scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let mut planned = Planned::default();
        if subject.guest {
            planned.push(
                cannot(
                    scope,
                    Self::NAME,
                    subject,
                    format!("Revoke the sessions of {}", subject.upn),
                    "a guest signs in at the home tenant: revoking here does nothing",
                    vec![format!(
                        "Ask the administrators of {}'s home tenant to revoke the sessions there; here sign-in is disabled.",
                        subject.upn
                    )],
                ),
                scope,
            );
            return planned;
        }
        let draft = Draft {
            key: "",
            summary: format!("Revoke every session of {}", subject.upn),
            object: user_object(subject),
            before: json!({ "signInSessionsValidFromDateTime": time(subject.sessions_valid_from) }),
            after: json!({ "signInSessionsValidFromDateTime": "the moment of the request" }),
            undo: Undo::Impossible {
                why: "sessions that ended do not come back; the user signs in anew".to_owned(),
            },
            reason: "a stolen session outlives a password reset".to_owned(),
            evidence: case
                .indicators
                .iter()
                .filter(|own| own.is_certain() && own.kind == crate::case::IndicatorKind::Session)
                .map(|own| format!("the intruder's session {}", own.value))
                .collect(),
            requests: vec![request::revoke_sessions(&subject.id)],
        };
        planned.push(draft.into_action(Self::NAME, scope), scope);
        planned.residual_risk.push(
            "Access tokens already issued live on: up to 90 minutes (2 hours in tenants without Conditional Access) where a resource or client knows no continuous access evaluation, up to 15 minutes where both do."
                .to_owned(),
        );
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[&format!("Users > All users > {user} > Overview: `Revoke sessions`, then Yes")],
            &[
                "Revoke-MgUserSignInSession -UserId $id",
                "(Get-MgUser -UserId $id -Property SignInSessionsValidFromDateTime).SignInSessionsValidFromDateTime",
            ],
        )
    }
}
