//! `disable_service_principal`: disables an app for everyone in the tenant: a malicious one, that users were led to let
//! in. A person says yes to it, always. The permission for it could take the whole tenant, so an app that signs in by
//! itself has it only where the settings accept that; otherwise it is done in a person's session, or by hand.
//!
//! ```yaml
//! - step: disable_service_principal
//!   with: { app: evidence }
//! ```

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{ByHand, quoted};
use super::decision::{key_of, unread};
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope};
use crate::case::{AppBrief, AppUse, Case, Hold, Look, MethodVerdict};
use crate::domain::TenantId;
use crate::graph::{GraphError, Licence, Reader, Reading, look, request};
use crate::guard::{apply_overrides, judge_app};
use crate::investigate::consents::{self, Consents};
use crate::plan::{Action, ApprovalMode, Cannot, Object, PlanSession, PlannedRequest, Undo};

/// What the change needs.
pub(super) const WRITE_PERMISSIONS: &[&str] = &["Application.ReadWrite.All"];

/// Which app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WhichApp {
    /// Those that the evidence gives to the intruder.
    #[default]
    Evidence,
    /// This one, by its app id.
    Id(String),
}

impl JsonSchema for WhichApp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WhichApp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`evidence`, or an app id"
        })
    }
}

impl fmt::Display for WhichApp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Evidence => "evidence",
            Self::Id(id) => id,
        })
    }
}

impl From<WhichApp> for String {
    fn from(which: WhichApp) -> Self {
        which.to_string()
    }
}

impl TryFrom<String> for WhichApp {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "evidence" {
            return Ok(Self::Evidence);
        }
        match text.parse::<TenantId>() {
            Ok(id) => Ok(Self::Id(id.to_string())),
            Err(_) => Err(format!("`{text}` is no app: expected `evidence`, or an app id (a GUID)")),
        }
    }
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableServicePrincipal {
    /// Which app: `evidence`, or an app id.
    #[serde(default)]
    pub app: WhichApp,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct Facts {
    apps: Apps,
    session: PlanSession,
}

/// The apps that come into question.
#[derive(Clone, Debug)]
enum Apps {
    Evidence(Box<Consents>),
    Named { app: Look<Option<AppBrief>>, used_by: Look<AppUse> },
}

/// An app to be disabled, with why.
struct Wanted {
    app: AppBrief,
    used_by: Look<AppUse>,
    reasons: Vec<String>,
}

impl Step for DisableServicePrincipal {
    const NAME: &'static str = "disable_service_principal";
    const SUMMARY: &'static str = "disables a malicious app for everyone in the tenant";
    // What it writes with is asked for only where it writes: see the head of the file.
    const PERMISSIONS: &'static [&'static str] = &["Application.Read.All"];
    const READS: &'static [Reading] = &[Reading::Grants, Reading::Apps];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Consent];
    const IS_DOOR: bool = true;
    type Facts = Facts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Facts, GraphError> {
        let apps = match &self.app {
            WhichApp::Evidence => Apps::Evidence(Box::new(consents::read(graph, case).await)),
            WhichApp::Id(id) => {
                let app = look(graph.app_by_app_id(id).await)?;
                let used_by = match &app {
                    Look::Read(Some(app)) => look(graph.app_use(&app.id, &case.subject.id).await)?,
                    Look::Read(None) | Look::Unread { .. } => {
                        Look::Unread { why: "the app was not found".to_owned() }
                    }
                };
                Apps::Named { app, used_by }
            }
        };
        Ok(Facts { apps, session: graph.session() })
    }

    fn plan(&self, case: &Case, facts: &Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let Some(wanted) = self.wanted(case, facts, scope, &mut planned) else { return planned };
        for own in wanted {
            plan_one(&own, facts, scope, &mut planned);
        }
        if planned.actions.is_empty()
            && planned.refused.is_empty()
            && planned.left.is_empty()
            && planned.unchanged.is_none()
        {
            planned.unchanged = Some("no app that is enabled is the intruder's by the evidence".to_owned());
        }
        planned
    }

    fn by_hand(&self, _: &str) -> ByHand {
        let app = match &self.app {
            WhichApp::Evidence => "APP ID".to_owned(),
            WhichApp::Id(id) => id.clone(),
        };
        ByHand::new(
            &[&format!(
                "Enterprise applications > the app with the application id {app} > Properties: set `Enabled for users to sign-in?` to No, then Save. It is for everyone: be sure that it is nobody's"
            )],
            &[
                &format!("$app = Get-MgServicePrincipal -Filter \"appId eq '{app}'\""),
                "Update-MgServicePrincipal -ServicePrincipalId $app.Id -AccountEnabled:$false",
            ],
        )
    }
}

impl DisableServicePrincipal {
    /// The apps that are wanted; `None` where that is told already.
    fn wanted(
        &self,
        case: &Case,
        facts: &Facts,
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) -> Option<Vec<Wanted>> {
        let consents = match &facts.apps {
            Apps::Named { app: Look::Read(Some(app)), used_by } => {
                let reasons = vec![format!("the playbook names the app {}", self.app)];
                return Some(vec![Wanted { app: app.clone(), used_by: used_by.clone(), reasons }]);
            }
            Apps::Named { app: Look::Read(None), .. } => {
                planned.unchanged = Some(format!("the tenant has no app {}", self.app));
                return None;
            }
            Apps::Named { app: Look::Unread { why }, .. } => {
                planned.left.push(unread("app", why, LOOK, scope));
                return None;
            }
            Apps::Evidence(consents) => consents,
        };
        let grants = match &consents.grants {
            Look::Read(grants) => grants,
            Look::Unread { why } => {
                planned.left.push(unread("app that the user let in", why, LOOK, scope));
                return None;
            }
        };
        let mut wanted: Vec<Wanted> = Vec::new();
        for judged in consents::judge(grants, consents, case) {
            let grant = judged.object;
            if judged.verdict != MethodVerdict::Attacker
                || scope.keep.iter().any(|id| id.as_str() == grant.id)
                || wanted.iter().any(|own| own.app.id == grant.client_id)
            {
                continue;
            }
            match grant.app {
                Look::Read(app) => {
                    wanted.push(Wanted { app, used_by: grant.used_by, reasons: judged.reasons });
                }
                Look::Unread { why } => {
                    planned.left.push(unread("app of the intruder's", &why, LOOK, scope));
                }
            }
        }
        Some(wanted)
    }
}

/// Where a person looks.
const LOOK: &str = "look at Enterprise applications in the Entra admin center";

fn plan_one(own: &Wanted, facts: &Facts, scope: &Scope<'_>, planned: &mut Planned) {
    let app = &own.app;
    if app.enabled == Some(false) {
        planned.unchanged = Some(format!("the app `{}` is disabled already", app.name));
        return;
    }
    let judged = judge_app(app, &own.used_by, &scope.rules.own_apps);
    let (refused, overridden) = apply_overrides(judged, scope.rules);
    planned.overridden.extend(overridden);
    if !refused.is_empty() {
        planned.refused.extend(refused);
        return;
    }
    let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
        return planned.push(None, scope);
    };
    let is_accepted =
        WRITE_PERMISSIONS.iter().all(|name| scope.rules.accepted_permissions.iter().any(|own| own == name));
    let is_ours = facts.session == PlanSession::Person || is_accepted;
    let draft = Draft {
        key: "",
        summary: format!("Disable the app `{}` for everyone in the tenant", app.name),
        object: Object { kind: "app".to_owned(), id: Some(app.id.clone()), name: app.name.clone() },
        before: json!({ "appId": app.app_id, "accountEnabled": true }),
        after: if is_ours { json!({ "appId": app.app_id, "accountEnabled": false }) } else { Value::Null },
        undo: if is_ours {
            Undo::Requests(vec![request::enable_app(&app.id)])
        } else {
            Undo::Impossible { why: "nothing is done from here".to_owned() }
        },
        reason: "a malicious app that is left enabled asks the next user".to_owned(),
        evidence: own.reasons.clone(),
        requests: if is_ours { vec![request::disable_app(&app.id)] } else { Vec::new() },
    };
    let mut action = draft.with_id(id, DisableServicePrincipal::NAME, scope);
    // It is for everyone: whatever the playbook says, nobody's absence is a yes.
    action.approval = ApprovalMode::Always;
    if !is_ours {
        action.cannot = Some(by_a_person(app));
    }
    planned.actions.push(action);
    planned.residual_risk.push(format!(
        "The app `{}` keeps the access tokens that it has until they expire, an hour or so; permissions that it holds by itself come back if somebody enables it again.",
        app.name
    ));
}

/// What a person does where we may not.
fn by_a_person(app: &AppBrief) -> Cannot {
    Cannot {
        why: "an app needs `Application.ReadWrite.All` for it, with which whoever takes its credential takes the tenant; the settings do not accept that".to_owned(),
        instead: vec![
            format!(
                "Entra admin center: Enterprise applications > {} ({}) > Properties: `Enabled for users to sign-in?` No",
                app.name, app.app_id
            ),
            "Connect-MgGraph -Scopes Application.ReadWrite.All".to_owned(),
            format!("Update-MgServicePrincipal -ServicePrincipalId {} -AccountEnabled:$false", quoted(&app.id)),
        ],
        ..Cannot::default()
    }
}

/// Whether a request disables an app.
pub(super) fn is_an_apps(request: &PlannedRequest) -> bool {
    request.path.starts_with("/v1.0/servicePrincipals/")
}

/// Reads the app.
pub(super) async fn see(action: &Action, graph: &Reader) -> Result<Seen, GraphError> {
    let id = action.object.id.as_deref().unwrap_or_default();
    Ok(match graph.app(id).await?.map(|app| app.enabled) {
        None => Seen::Differs { what: "the app is gone from the tenant".to_owned() },
        Some(Some(false)) => Seen::AsAfter,
        Some(Some(true)) => Seen::AsBefore,
        Some(None) => Seen::Differs { what: "Graph does not tell whether it is enabled".to_owned() },
    })
}
