//! `reset_password`: 64 random characters, made at apply. By default nobody gets to know them: scramble and forget.
//! Sealed, the recipients of the settings can open them.
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
use crate::case::{Case, Hold, Look};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::plan::Undo;

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
    type Facts = ();

    async fn look(&self, _: &Case, _: &Reader) -> Result<(), GraphError> {
        Ok(())
    }

    fn plan(&self, case: &Case, (): &(), scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        let summary = format!("Reset the password of {}", subject.upn);
        let mut planned = Planned::default();
        if let Some((why, instead)) = obstacle(case) {
            planned.push(cannot(scope, Self::NAME, subject, summary, why, instead), scope);
            return planned;
        }
        // A reset since the newest thing that the intruder did is a reset already; whose it was is not known.
        let last_seen = case.indicators.iter().filter_map(|own| own.last_seen).max();
        if let (Some(changed), Some(last_seen)) = (subject.password_changed_at, last_seen)
            && !subject.enabled
            && changed > last_seen
        {
            return Planned::unchanged(format!(
                "the password was changed at {changed}, after the intruder's last sign-in, and sign-in is disabled"
            ));
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
            requests: vec![request::reset_password(&subject.id)],
        };
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

/// Why the password cannot be set from here, and what a person does instead.
fn obstacle(case: &Case) -> Option<(&'static str, Vec<String>)> {
    let subject = &case.subject;
    if subject.guest {
        return Some((
            "a guest's password lives in the home tenant",
            vec![format!("Ask the administrators of {}'s home tenant to reset it.", subject.upn)],
        ));
    }
    if subject.synced {
        return Some((
            "the account is mastered on-premises: an app cannot set its password in the cloud",
            vec![
                "On a domain controller, twice, so that a stolen hash is worthless too:".to_owned(),
                format!(
                    "  $user = Get-ADUser -Filter \"UserPrincipalName -eq '{}'\"",
                    subject.upn.as_str().replace('\'', "''")
                ),
                "  Set-ADAccountPassword -Identity $user -Reset -NewPassword (Read-Host -AsSecureString)"
                    .to_owned(),
                "  Set-ADAccountPassword -Identity $user -Reset -NewPassword (Read-Host -AsSecureString)"
                    .to_owned(),
                "On the Entra Connect server, so that the cloud follows at once:".to_owned(),
                "  Start-ADSyncSyncCycle -PolicyType Delta".to_owned(),
                "Then revoke the sessions once more: stanch run evict.".to_owned(),
            ],
        ));
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
