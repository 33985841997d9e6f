//! What-If: which policies would apply to a sign-in. Graph spells it POST, and it changes nothing.

use serde_json::{Map, Value, json};

use super::fetch::{Reader, malformed, withheld};
use super::field::{flag, text};
use crate::domain::{PolicyId, UserId};
use crate::graph::error::GraphError;
use crate::policy::PolicyState;

const EVALUATE: &str = "/v1.0/identity/conditionalAccess/evaluate";

/// What somebody signs in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInFor {
    /// An app, by its id.
    App(String),
    /// Registering security info.
    RegisteringSecurityInfo,
}

/// A sign-in to ask about. What is left out cannot be evaluated, and then a policy wrongly does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// Who signs in.
    pub user: UserId,
    /// What for.
    pub purpose: SignInFor,
    /// From which address.
    pub ip: Option<String>,
    /// From which country, two letters.
    pub country: Option<String>,
    /// On which platform: `windows`, `iOS`, …
    pub platform: Option<String>,
    /// With which kind of client: `browser`, `mobileAppsAndDesktopClients`, …
    pub client_app_type: Option<String>,
    /// Whether the device is compliant.
    pub compliant: Option<bool>,
}

/// What one policy would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIfAnswer {
    /// The policy.
    pub policy_id: PolicyId,
    /// Its name: show it inert.
    pub display_name: String,
    /// Its state: one that applies and is report-only enforces nothing.
    pub state: PolicyState,
    /// Whether it applies.
    pub applies: bool,
    /// Why it does not, in Graph's words.
    pub reasons: Vec<String>,
}

impl Reader {
    /// Asks which policies would apply to a sign-in (v1.0,
    /// [evaluate](https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate)).
    ///
    /// # Errors
    /// When the call fails, or an answer makes no sense.
    pub async fn what_if(&self, question: &WhatIf) -> Result<Vec<WhatIfAnswer>, GraphError> {
        let answer = self.ask(EVALUATE, &spell(question)).await?;
        let rows = answer.get("value").and_then(Value::as_array).into_iter().flatten();
        rows.map(parse_answer).collect()
    }
}

fn spell(question: &WhatIf) -> Value {
    let mut conditions = Map::new();
    for (key, value) in [
        ("clientAppType", &question.client_app_type),
        ("devicePlatform", &question.platform),
        ("country", &question.country),
        ("ipAddress", &question.ip),
    ] {
        if let Some(value) = value {
            conditions.insert(key.to_owned(), Value::from(value.as_str()));
        }
    }
    if let Some(compliant) = question.compliant {
        conditions.insert("deviceInfo".to_owned(), json!({ "isCompliant": compliant }));
    }
    let context = match &question.purpose {
        SignInFor::App(id) => {
            json!({ "@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [id] })
        }
        // A word here, where a policy has `urn:user:registersecurityinfo` (policy-logs-auth.md 3.1).
        SignInFor::RegisteringSecurityInfo => json!({
            "@odata.type": "#microsoft.graph.userActionContext", "userAction": "registerSecurityInformation"
        }),
    };
    json!({
        "signInIdentity": { "@odata.type": "#microsoft.graph.userSignIn", "userId": question.user },
        "signInContext": context,
        "signInConditions": conditions,
        "appliedPoliciesOnly": false
    })
}

fn parse_answer(row: &Value) -> Result<WhatIfAnswer, GraphError> {
    let reasons = text(row, "/analysisReasons");
    Ok(WhatIfAnswer {
        policy_id: text(row, "/id")
            .parse()
            .map_err(|_| malformed(EVALUATE, "an answer without a policy's id", None))?,
        display_name: text(row, "/displayName"),
        state: PolicyState::from_graph(&text(row, "/state")),
        applies: flag(row, "/policyApplies").ok_or_else(|| withheld(EVALUATE, "policyApplies"))?,
        reasons: reasons
            .split(',')
            .map(str::trim)
            .filter(|reason| !reason.is_empty() && *reason != "notSet")
            .map(str::to_owned)
            .collect(),
    })
}
