//! `disable_devices`: disables devices that the intruder registered, and those alone. Graph lets an app change Windows
//! devices only; others are a person's work, and the plan says how (identity.md 6).
//!
//! ```yaml
//! - step: disable_devices
//!   with: { undecided: ask }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{ByHand, quoted};
use super::decision::{Decision, Found, Undecided, Which, key_of, unread};
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope};
use crate::case::{Case, Device, Hold, Judged, Look};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::investigate::devices::{self, Devices};
use crate::plan::{Action, Cannot, Object, PlanSession, Undo};

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableDevices {
    /// Which are disabled.
    #[serde(default)]
    pub which: Which,
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct Facts {
    found: Devices,
    session: PlanSession,
}

impl Step for DisableDevices {
    const NAME: &'static str = "disable_devices";
    const SUMMARY: &'static str = "disables devices that the intruder registered";
    const PERMISSIONS: &'static [&'static str] = &["Device.ReadWrite.All"];
    const READS: &'static [Reading] = &[Reading::Devices];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Device];
    const IS_DOOR: bool = true;
    type Facts = Facts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Facts, GraphError> {
        Ok(Facts { found: devices::read(graph, case).await, session: graph.session() })
    }

    fn plan(&self, case: &Case, facts: &Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let all = match &facts.found.devices {
            Look::Unread { why } => {
                let look = format!("look at Users, {}, Devices in the Entra admin center", case.subject.upn);
                planned.left.push(unread("device of the user", why, &look, scope));
                return planned;
            }
            Look::Read(all) => all,
        };
        planned.knows.extend(all.iter().map(|device| device.id.clone()));
        planned.known = Some(all.iter().map(devices::known).collect());
        for judged in devices::judge(all, &facts.found, case) {
            self.plan_one(&judged, facts.session, scope, &mut planned);
        }
        if planned.actions.is_empty() {
            planned.unchanged = Some(match all.len() {
                0 => "the user has no device".to_owned(),
                _ if self.which == Which::All => "every device of the user is disabled already".to_owned(),
                _ => "no device that is enabled is the intruder's by the evidence".to_owned(),
            });
        }
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let each = match self.which {
            Which::Unrecognized => "each that is not the user's",
            Which::All => "each",
        };
        let each_device = each.replacen("each", "each device", 1);
        ByHand::new(
            &[&format!(
                "Users > All users > {user} > Devices: for {each}, Devices > All devices > the device: `Disable`"
            )],
            &[
                "Get-MgUserRegisteredDevice -UserId $id -All | ForEach-Object { $_.Id; $_.AdditionalProperties | Format-Table }",
                &format!("# One of these for {each_device}; put its object id in the place of ID:"),
                "Update-MgDevice -DeviceId 'ID' -AccountEnabled:$false",
            ],
        )
    }
}

impl DisableDevices {
    fn plan_one(
        self,
        judged: &Judged<Device>,
        session: PlanSession,
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) {
        let device = &judged.object;
        if device.enabled == Some(false) {
            return;
        }
        let found =
            Found { id: &device.id, named: named(device), verdict: judged.verdict, reasons: &judged.reasons };
        let is_asked = match found.decide_by(self.which, self.undecided, scope) {
            Decision::Spare => return,
            Decision::Leave(left) => return planned.left.push(left),
            Decision::Act { is_asked } => is_asked,
        };
        let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
            return planned.push(None, scope);
        };
        let is_out_of_reach = session == PlanSession::App && !device.is_windows();
        let draft = Draft {
            key: "",
            summary: format!("Disable the device `{}` ({})", device.name, system(device)),
            object: Object {
                kind: "device".to_owned(),
                id: Some(device.id.clone()),
                name: device.name.clone(),
            },
            before: json!({ "accountEnabled": true }),
            after: if is_out_of_reach { Value::Null } else { json!({ "accountEnabled": false }) },
            undo: if is_out_of_reach {
                Undo::Impossible { why: "nothing is done from here".to_owned() }
            } else {
                Undo::Requests(vec![request::enable_device(&device.id)])
            },
            reason: found.reason(
                is_asked,
                match self.which {
                    Which::Unrecognized => {
                        "a registered device signs in by a token of its own, and counts as known to policies"
                    }
                    Which::All => {
                        "every device goes: it signs in by a token of its own, until it is handed on or wiped"
                    }
                },
            ),
            evidence: judged.reasons.clone(),
            requests: if is_out_of_reach { Vec::new() } else { vec![request::disable_device(&device.id)] },
        };
        let mut action = draft.with_id(id, Self::NAME, scope);
        if is_out_of_reach {
            action.cannot = Some(Cannot {
                why: format!(
                    "Graph lets an app change Windows devices only, and this is one of {}",
                    system(device)
                ),
                instead: vec![
                    format!(
                        "Entra admin center: Devices > All devices > {} ({}): `Disable`",
                        device.name, device.id
                    ),
                    "Connect-MgGraph -Scopes Directory.AccessAsUser.All".to_owned(),
                    format!("Update-MgDevice -DeviceId {} -AccountEnabled:$false", quoted(&device.id)),
                ],
                ..Cannot::default()
            });
        }
        planned.actions.push(action);
    }
}

fn system(device: &Device) -> &str {
    if device.os.is_empty() { "an unknown system" } else { &device.os }
}

fn named(device: &Device) -> String {
    format!("device `{}` ({})", device.name, device.id)
}

/// Reads the device.
pub(super) async fn see(action: &Action, graph: &Reader) -> Result<Seen, GraphError> {
    let id = action.object.id.as_deref().unwrap_or_default();
    Ok(match graph.device(id).await?.map(|device| device.enabled) {
        None => Seen::Differs { what: "the device is gone".to_owned() },
        Some(Some(false)) => Seen::AsAfter,
        Some(Some(true)) => Seen::AsBefore,
        Some(None) => Seen::Differs { what: "Graph does not tell whether it is enabled".to_owned() },
    })
}
