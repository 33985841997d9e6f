//! `enable_sign_in`: lets the user sign in again.
//!
//! ```yaml
//! - step: enable_sign_in
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Step;
use super::by_hand::ByHand;
use super::planned::{Draft, Planned, Scope, not_contained, user_object};
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::plan::Undo;

/// It has no options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableSignIn {}

impl Step for EnableSignIn {
    const NAME: &'static str = "enable_sign_in";
    const SUMMARY: &'static str = "enables sign-in for the account";
    const PERMISSIONS: &'static [&'static str] = &["User.EnableDisableAccount.All", "User.Read.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[];
    const GIVES: &'static [Hold] = &[Hold::Account];
    const IS_DOOR: bool = false;
    const IS_WAY_IN: bool = true;
    type Facts = ();

    async fn look(&self, _: &Case, _: &Reader) -> Result<(), GraphError> {
        Ok(())
    }

    fn plan(&self, case: &Case, (): &(), scope: &Scope<'_>) -> Planned {
        let subject = &case.subject;
        if subject.enabled {
            return Planned::unchanged("sign-in is enabled already");
        }
        let mut planned = Planned::default();
        let draft = Draft {
            key: "",
            summary: format!("Enable sign-in for {}", subject.upn),
            object: user_object(subject),
            before: json!({ "accountEnabled": false }),
            after: json!({ "accountEnabled": true }),
            undo: Undo::Requests(vec![request::disable_sign_in(&subject.id)]),
            reason: "the user comes back".to_owned(),
            evidence: Vec::new(),
            requests: vec![request::enable_sign_in(&subject.id)],
        };
        planned.push(draft.into_action(Self::NAME, scope), scope);
        planned.warnings.extend(not_contained(case, scope));
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand::new(
            &[&format!(
                "Users > All users > {user} > Properties > Settings: set `Account enabled`, then Save"
            )],
            &["Update-MgUser -UserId $id -AccountEnabled:$true"],
        )
    }
}
