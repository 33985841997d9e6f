//! `disable_sign_in`: nobody signs in or renews a token. Reversible, and the fastest door to shut.
//!
//! ```yaml
//! - step: disable_sign_in
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Step;
use super::by_hand::ByHand;
use super::planned::{Draft, Planned, Scope, user_object};
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::plan::Undo;

/// It has no options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableSignIn {}

impl Step for DisableSignIn {
    const NAME: &'static str = "disable_sign_in";
    const SUMMARY: &'static str = "disables sign-in for the account";
    const PERMISSIONS: &'static [&'static str] = &["User.EnableDisableAccount.All", "User.Read.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Account];
    const IS_DOOR: bool = true;
    type Facts = ();

    async fn look(&self, _: &Case, _: &Reader) -> Result<(), GraphError> {
        Ok(())
    }

    fn plan(&self, case: &Case, (): &(), scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        if !subject.enabled {
            return Planned::unchanged("sign-in is disabled already");
        }
        let mut planned = Planned::default();
        let draft = Draft {
            key: "",
            summary: format!("Disable sign-in for {}", subject.upn),
            object: user_object(subject),
            before: json!({ "accountEnabled": true }),
            after: json!({ "accountEnabled": false }),
            undo: Undo::Requests(vec![request::enable_sign_in(&subject.id)]),
            reason: "no new token is issued to anyone while the rest is done".to_owned(),
            evidence: Vec::new(),
            requests: vec![request::disable_sign_in(&subject.id)],
        };
        planned.push(draft.into_action(Self::NAME, scope), scope);
        if subject.synced {
            planned.warnings.push(
                "the account is mastered on-premises: the next synchronization may enable it again, so disable it there too (`Disable-ADAccount`)"
                    .to_owned(),
            );
        }
        planned.residual_risk.push(
            "Once sign-in is enabled again, SharePoint and Teams follow within about 15 minutes, Exchange within 40."
                .to_owned(),
        );
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[
                &format!(
                    "Users > All users > {user} > Properties > Settings: clear `Account enabled`, then Save"
                ),
                "A synchronized user is disabled on-premises too: `Disable-ADAccount` on a domain controller",
            ],
            &["Update-MgUser -UserId $id -AccountEnabled:$false"],
        )
    }
}
