//! `require_token_protection`: a token works only on the device that it was issued to. Native clients on Windows, for
//! Exchange, SharePoint and Teams: beyond that it breaks sign-ins (policy-logs-auth.md 2.6). It evicts nobody.
//!
//! ```yaml
//! - step: require_token_protection
//!   required: false
//!   with: { users: subject, state: report_only }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{self, ByHand};
use super::hardening::{
    EXCHANGE, PolicyFacts, audience, counted, look, question, roll_out, spared, without_group,
};
use super::planned::{Planned, Scope};
use super::policy_rollout::{Wanted, Words};
use super::target::{Rollout, Target};
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading};
use crate::policy::PolicyState;
use crate::policy::evaluate::{TOKEN_PROTECTION_APPS, token_policy_stops};

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequireTokenProtection {
    /// For whom.
    #[serde(default)]
    pub users: Target,
    /// How far it goes.
    #[serde(default)]
    pub state: Rollout,
}

impl Step for RequireTokenProtection {
    const NAME: &'static str = "require_token_protection";
    const SUMMARY: &'static str = "binds tokens to the device that they were issued to, by a policy";
    const PERMISSIONS: &'static [&'static str] =
        &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"];
    const READS: &'static [Reading] = &[Reading::Policies];
    const LICENCES: &'static [Licence] = &[Licence::EntraP1];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = true;
    type Facts = PolicyFacts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<PolicyFacts, GraphError> {
        look(&self.users, case, graph).await
    }

    fn reads(&self) -> Vec<Reading> {
        self.users.reads(Self::READS)
    }

    fn plan(&self, case: &Case, facts: &PolicyFacts, scope: &Scope<'_>) -> Planned {
        if let Some(refused) = without_group(&self.users, facts) {
            return refused;
        }
        let (whom, users) = audience(&self.users, case, facts, scope);
        let body = body(&whom, &users);
        let wanted = Wanted {
            body,
            enforce: self.state == Rollout::Enabled,
            rehearsal: PolicyState::ReportOnly,
            question: question(case, facts, scope, "mobileAppsAndDesktopClients", Some(EXCHANGE)),
            reason: "hardening against the next theft; browsers and other platforms are not covered, so it evicts nobody"
                .to_owned(),
            evidence: counted(&self.users, case, facts, scope, token_policy_stops),
            words: Words {
                whom: spared(&whom, scope),
                when: "native clients on Windows, to Exchange, SharePoint and Teams".to_owned(),
                effect: "takes only tokens that are bound to the device that they were issued to",
            },
        };
        roll_out(&wanted, facts, Self::NAME, scope, Planned::default())
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let whom = self.users.named(user);
        let portal = [
            format!(
                "Protection > Conditional Access > Policies > New policy, `stanch: require token protection for {whom}`"
            ),
            format!(
                "Users: include {whom}, exclude the emergency accounts. Target resources: Office 365 Exchange Online, Office 365 SharePoint Online, Microsoft Teams Services, and no other"
            ),
            "Conditions: device platforms Windows; client apps `Mobile apps and desktop clients` alone"
                .to_owned(),
            "Session: require token protection for sign-in sessions".to_owned(),
            format!("Enable policy: {}, then Create", self.state.in_portal()),
        ];
        by_hand::policy(&portal, &body(&whom, &by_hand::users_of(&self.users)), self.state.state().as_graph())
    }
}

/// The policy, state left out.
fn body(whom: &str, users: &Value) -> Value {
    json!({
        "displayName": format!("stanch: require token protection for {whom}"),
        "conditions": {
            "clientAppTypes": ["mobileAppsAndDesktopClients"],
            "applications": { "includeApplications": TOKEN_PROTECTION_APPS },
            "users": users,
            "platforms": { "includePlatforms": ["windows"] }
        },
        "grantControls": null,
        "sessionControls": { "secureSignInSession": { "isEnabled": true } }
    })
}
