//! `reset_password`: 64 random characters, made at apply. By default nobody gets to know them: scramble and forget.
//! Sealed, the recipients of the settings can open them.
//! A synchronized user's password is the company's own directory's; where it is written back there, a person's session
//! can reset it (`--as-me`), and the reset counts once the directory has taken it.
//!
//! ```yaml
//! - step: reset_password
//!   with: { deliver: nobody }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Step;
use super::by_hand::ByHand;
use super::deliver::{self, Deliver};
use super::planned::{Draft, Planned, Scope, cannot, delivering, time, user_object};
use crate::case::{Case, Hold, Look, Subject};
use crate::graph::{GraphError, Licence, Reader, Reading, look, request};
use crate::plan::{PlanSession, PlannedRequest, Undo};

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// Who gets to know the new password.
    #[serde(default)]
    pub deliver: Deliver,
}

impl Step for ResetPassword {
    const NAME: &'static str = "reset_password";
    const SUMMARY: &'static str = "sets a random password";
    const PERMISSIONS: &'static [&'static str] = &["User-PasswordProfile.ReadWrite.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Password];
    const IS_DOOR: bool = true;
    type Facts = Facts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Facts, GraphError> {
        let session = graph.session();
        let writeback = if case.subject.synced && session == PlanSession::Person {
            look(graph.password_writeback().await)?
        } else {
            Look::Unread { why: "it was not asked for".to_owned() }
        };
        Ok(Facts { session, writeback })
    }

    fn plan(&self, case: &Case, facts: &Facts, scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let mut summary = format!("Reset the password of {}", subject.upn);
        if subject.synced && facts.session == PlanSession::Person {
            summary.push_str(", also in the company's own directory");
        }
        let mut planned = Planned::default();
        // A reset since the newest thing that the intruder did is a reset already; whose it was is not known. It may be
        // one that only a person could do; a guest's password is the home tenant's.
        let last_seen = case.indicators.iter().filter_map(|own| own.last_seen).max();
        if let (Some(changed), Some(last_seen)) = (subject.password_changed_at, last_seen)
            && !subject.enabled
            && !subject.guest
            && changed > last_seen
        {
            return Planned::unchanged(format!(
                "the password was changed at {changed}, after the intruder's last sign-in, and sign-in is disabled"
            ));
        }
        if let Some((why, instead)) = obstacle(case, facts) {
            planned.push(cannot(scope, Self::NAME, subject, summary, why, instead), scope);
            return planned;
        }
        let delivery = match self.deliver.delivery(&format!("the new password of {}", subject.upn), scope) {
            Ok(delivery) => delivery,
            Err(refusal) => {
                planned.refused.push(refusal);
                return planned;
            }
        };
        let draft = Draft {
            key: "",
            summary,
            object: user_object(subject),
            before: json!({ "lastPasswordChangeDateTime": time(subject.password_changed_at) }),
            after: json!({ "lastPasswordChangeDateTime": "the moment of the request", "password": format!("64 random characters, {}", deliver::words(&delivery)) }),
            undo: Undo::Impossible { why: "the old password is not known".to_owned() },
            reason: "whoever knows the password signs in again once the session ends".to_owned(),
            evidence: Vec::new(),
            requests: vec![if subject.synced {
                request::reset_password_with_writeback(&subject.id)
            } else {
                request::reset_password(&subject.id)
            }],
        };
        if let (true, Look::Unread { why }) = (subject.synced, &facts.writeback) {
            planned.warnings.push(format!(
                "whether passwords are written back to the company's own directory could not be read ({why}): where they are not, Graph refuses the reset"
            ));
        }
        planned.push(delivering(draft.into_action(Self::NAME, scope), delivery), scope);
        planned.residual_risk.push(
            "App passwords from per-user MFA are not visible to Graph and survive a reset; look in the portal.".to_owned(),
        );
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[
                &format!(
                    "Users > All users > {user} > Overview: `Reset password`; note the temporary password nowhere"
                ),
                "A synchronized user's password is reset on a domain controller, twice: `Set-ADAccountPassword -Reset`",
            ],
            &[
                "$bytes = [byte[]]::new(48)",
                "[System.Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($bytes)",
                "$new = @{ password = [Convert]::ToBase64String($bytes); forceChangePasswordNextSignIn = $true }",
                "Update-MgUser -UserId $id -PasswordProfile $new",
                "Remove-Variable bytes, new",
            ],
        )
    }
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whose session plans.
    session: PlanSession,
    /// Whether a password that is set in the cloud is written back to the company's own directory.
    writeback: Look<bool>,
}

/// What a person's session needs for the reset that only it may do.
pub(super) const PERSONS_PERMISSIONS: &[&str] = &["UserAuthenticationMethod.ReadWrite.All"];

/// Whether a request is the reset that only a person's session may do.
pub(super) fn is_a_persons(request: &PlannedRequest) -> bool {
    request.path.ends_with("/resetPassword")
}

/// What is done on-premises.
fn on_premises(subject: &Subject) -> Vec<String> {
    vec![
        "On a domain controller, twice, so that a stolen hash is worthless too:".to_owned(),
        format!(
            "  $user = Get-ADUser -Filter \"UserPrincipalName -eq '{}'\"",
            subject.upn.as_str().replace('\'', "''")
        ),
        "  Set-ADAccountPassword -Identity $user -Reset -NewPassword (Read-Host -AsSecureString)".to_owned(),
        "  Set-ADAccountPassword -Identity $user -Reset -NewPassword (Read-Host -AsSecureString)".to_owned(),
        "On the Entra Connect server, so that the cloud follows at once:".to_owned(),
        "  Start-ADSyncSyncCycle -PolicyType Delta".to_owned(),
        "Then revoke the sessions once more: stanch run evict.".to_owned(),
    ]
}

/// Why the password cannot be set from here, and what a person does instead.
fn obstacle(case: &Case, facts: &Facts) -> Option<(&'static str, Vec<String>)> {
    let subject = &case.subject;
    if subject.guest {
        return Some((
            "a guest's password lives in the home tenant",
            vec![format!("Ask the administrators of {}'s home tenant to reset it.", subject.upn)],
        ));
    }
    match (subject.synced, facts.session, &facts.writeback) {
        (true, PlanSession::App, _) => {
            let mut instead = on_premises(subject);
            instead.push(
                "Or, where passwords are written back (Entra admin center, Password reset, On-premises integration): plan again with --as-me, signed in as an Authentication Administrator. Only a person's session can reset it from here."
                    .to_owned(),
            );
            return Some((
                "the account is mastered on-premises: an app cannot set its password in the cloud",
                instead,
            ));
        }
        (true, PlanSession::Person, Look::Read(false)) => {
            return Some((
                "the account is mastered on-premises, and passwords are not written back there: what is set in the cloud is refused",
                on_premises(subject),
            ));
        }
        (true, PlanSession::Person, _) | (false, ..) => {}
    }
    match &subject.federated {
        Look::Read(true) => Some((
            "the domain signs in through a federated provider: a password set in the cloud is refused",
            vec![format!(
                "Reset the password of {} at the identity provider of {}.",
                subject.upn,
                subject.upn.domain()
            )],
        )),
        Look::Read(false) | Look::Unread { .. } => None,
    }
}
