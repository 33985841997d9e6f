//! `strip_roles`: takes away the directory roles that the intruder gave the account since the compromise began, never one
//! that it held before. The permission for it could take the whole tenant, so an app that signs in by itself has it only
//! where the settings accept that; otherwise, and for a role through a group or by Privileged Identity Management, it is
//! a person's work, and the plan says how (identity.md 1.3). An account that holds an administrative role by now is
//! contained only with `--override privileged_subject`, and the only Global Administrator never.
//!
//! ```yaml
//! - step: strip_roles
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
use crate::case::{Case, Hold, Judged, Look, RoleAssignment, RoleVia, Subject};
use crate::domain::{UserId, inert};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::investigate::roles::{self, Roles};
use crate::plan::{Action, Cannot, Object, PlanSession, PlannedRequest, Undo};

/// What the change needs.
pub(super) const WRITE_PERMISSIONS: &[&str] = &["RoleManagement.ReadWrite.Directory"];

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StripRoles {
    /// Which are taken away.
    #[serde(default)]
    pub which: Which,
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct Facts {
    found: Roles,
    session: PlanSession,
}

impl Step for StripRoles {
    const NAME: &'static str = "strip_roles";
    const SUMMARY: &'static str = "takes away directory roles that the intruder gave the account";
    // What it writes with is asked for only where it writes: see the head of the file.
    const PERMISSIONS: &'static [&'static str] = &["RoleManagement.Read.Directory"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Role];
    const IS_DOOR: bool = true;
    type Facts = Facts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Facts, GraphError> {
        Ok(Facts { found: roles::read(graph, case).await, session: graph.session() })
    }

    fn plan(&self, case: &Case, facts: &Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let held = match &facts.found.held {
            Look::Unread { why } => {
                let look =
                    format!("look at Users, {}, Assigned roles in the Entra admin center", case.subject.upn);
                planned.left.push(unread("directory role of the account", why, &look, scope));
                return planned;
            }
            Look::Read(held) => held,
        };
        planned.knows.extend(held.iter().map(|role| role.id.clone()));
        planned.known = Some(held.iter().map(roles::known).collect());
        for judged in roles::judge(held, &facts.found, case) {
            self.plan_one(&judged, held, &case.subject, facts.session, scope, &mut planned);
        }
        if planned.actions.is_empty() {
            planned.unchanged = Some(match held.len() {
                0 => "the account holds no directory role".to_owned(),
                _ => "no directory role of the account is the intruder's by the evidence".to_owned(),
            });
        }
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let (given, group, each) = match self.which {
            Which::Unrecognized => (
                " that was given since the compromise (Audit logs, category RoleManagement, says by whom)",
                " that they came into since",
                "each that was given since",
            ),
            Which::All => ("", "", "each"),
        };
        ByHand::new(
            &[
                &format!(
                    "Users > All users > {user} > Assigned roles: for each, active and eligible,{given}: remove the assignment"
                ),
                &format!(
                    "Users > All users > {user} > Groups: take {user} out of each group with roles{group}"
                ),
            ],
            &[
                "Connect-MgGraph -Scopes RoleManagement.ReadWrite.Directory",
                "Get-MgRoleManagementDirectoryRoleAssignment -All -Filter \"principalId eq '$id'\" -ExpandProperty RoleDefinition | Format-List Id, DirectoryScopeId, RoleDefinition",
                &format!("# One of these for {each}; put its id in the place of ID:"),
                "Remove-MgRoleManagementDirectoryRoleAssignment -UnifiedRoleAssignmentId 'ID'",
            ],
        )
    }
}

impl StripRoles {
    fn plan_one(
        self,
        judged: &Judged<RoleAssignment>,
        held: &[RoleAssignment],
        subject: &Subject,
        session: PlanSession,
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) {
        let role = &judged.object;
        let found =
            Found { id: &role.id, named: named(role), verdict: judged.verdict, reasons: &judged.reasons };
        let is_asked = match found.decide_by(self.which, self.undecided, scope) {
            Decision::Spare => return,
            Decision::Leave(left) => return planned.left.push(left),
            Decision::Act { is_asked } => is_asked,
        };
        let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
            return planned.push(None, scope);
        };
        let cannot = cannot(role, subject, session, scope);
        let is_ours = cannot.is_none();
        let draft = Draft {
            key: "",
            summary: format!("Take the role `{}` from {}: {}", role.name, subject.upn, role.words()),
            object: Object {
                kind: "directory role".to_owned(),
                id: Some(role.id.clone()),
                name: role.name.clone(),
            },
            before: before(role, held),
            after: Value::Null,
            undo: if is_ours {
                Undo::Requests(vec![request::give_role(&subject.id, &role.role_id, &role.scope)])
            } else {
                Undo::Impossible { why: "nothing is done from here".to_owned() }
            },
            reason: found.reason(
                is_asked,
                match self.which {
                    Which::Unrecognized => {
                        "with it the account, and whoever is in it, changes others' accounts and the tenant"
                    }
                    Which::All => {
                        "every role goes: whoever opens the account again would open the tenant with it"
                    }
                },
            ),
            evidence: judged.reasons.clone(),
            requests: if is_ours { vec![request::delete_role(&role.id)] } else { Vec::new() },
        };
        let mut action = draft.with_id(id, Self::NAME, scope);
        action.cannot = cannot;
        planned.actions.push(action);
    }
}

fn named(role: &RoleAssignment) -> String {
    format!("directory role `{}`, {} ({})", role.name, role.words(), role.id)
}

/// Why it is a person's work, and how it is done; `None` where it can be done from here.
fn cannot(
    role: &RoleAssignment,
    subject: &Subject,
    session: PlanSession,
    scope: &Scope<'_>,
) -> Option<Cannot> {
    let upn = &subject.upn;
    let in_privileged_identity_management = |list: &str, deed: &str| {
        format!(
            "Entra admin center: Identity Governance > Privileged Identity Management > Microsoft Entra roles > Assignments > {list} > {}: {deed} {upn}",
            role.name
        )
    };
    match &role.via {
        RoleVia::Group { id, name } => Some(Cannot {
            why: format!(
                "it is held through the group `{name}`: that one is taken out of the group, which may hold more than the role"
            ),
            instead: vec![
                format!("Entra admin center: Groups > All groups > {name} ({id}) > Members: remove {upn}"),
                "Connect-MgGraph -Scopes GroupMember.ReadWrite.All, RoleManagement.ReadWrite.Directory"
                    .to_owned(),
                format!(
                    "Remove-MgGroupMemberByRef -GroupId {} -DirectoryObjectId {}",
                    quoted(id),
                    quoted(subject.id.as_str())
                ),
            ],
            ..Cannot::default()
        }),
        RoleVia::Eligibility => Some(Cannot {
            why: "it is not assigned but can be activated: Privileged Identity Management takes that away, by a request of its own".to_owned(),
            instead: vec![in_privileged_identity_management("Eligible assignments", "remove")],
            ..Cannot::default()
        }),
        RoleVia::Activation => Some(Cannot {
            why: "Privileged Identity Management has made it active for a while, and takes it back by a request of its own".to_owned(),
            instead: vec![
                in_privileged_identity_management("Active assignments", "remove"),
                in_privileged_identity_management("Eligible assignments", "remove, if it was given since,"),
            ],
            ..Cannot::default()
        }),
        RoleVia::Assignment => {
            let accepted = &scope.rules.accepted_permissions;
            let is_accepted = WRITE_PERMISSIONS.iter().all(|name| accepted.iter().any(|own| own == name));
            (session != PlanSession::Person && !is_accepted).then(|| by_a_person(role, subject))
        }
    }
}

/// What a person does where we may not.
fn by_a_person(role: &RoleAssignment, subject: &Subject) -> Cannot {
    Cannot {
        why: "an app needs `RoleManagement.ReadWrite.Directory` for it, with which whoever takes its credential takes the tenant; the settings do not accept that".to_owned(),
        instead: vec![
            format!(
                "Entra admin center: Roles & admins > {} > Assignments: remove {}",
                role.name, subject.upn
            ),
            "Connect-MgGraph -Scopes RoleManagement.ReadWrite.Directory".to_owned(),
            format!(
                "Remove-MgRoleManagementDirectoryRoleAssignment -UnifiedRoleAssignmentId {}",
                quoted(&role.id)
            ),
        ],
        ..Cannot::default()
    }
}

/// The entry of `before` that names the other ways in which the role was held.
const BESIDE: &str = "beside";

/// What the plan keeps of a role: what it is found again by.
fn projection(role: &RoleAssignment) -> Value {
    let mut own = json!({
        "roleDefinitionId": role.role_id, "directoryScopeId": role.scope, "held": role.via.word()
    });
    if let (RoleVia::Group { id, .. }, Some(entries)) = (&role.via, own.as_object_mut()) {
        entries.insert("group".to_owned(), id.clone().into());
    }
    own
}

/// What a role's action finds: beside the role, the other ways in which the account held it when the plan was made.
fn before(role: &RoleAssignment, held: &[RoleAssignment]) -> Value {
    let mut own = projection(role);
    let beside: Vec<&str> = held
        .iter()
        .filter(|other| other.id != role.id && other.role_id == role.role_id && other.scope == role.scope)
        .map(|other| other.id.as_str())
        .collect();
    if let (false, Some(entries)) = (beside.is_empty(), own.as_object_mut()) {
        entries.insert(BESIDE.to_owned(), json!(beside));
    }
    own
}

/// Whether a request takes a role.
pub(super) fn is_a_roles(request: &PlannedRequest) -> bool {
    request.path.starts_with("/v1.0/roleManagement/")
}

/// Reads the roles that the account holds.
pub(super) async fn see(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let held = graph.role_assignments_of(subject).await?;
    let mut planned = action.before.clone();
    let beside = planned.as_object_mut().and_then(|entries| entries.remove(BESIDE)).unwrap_or_default();
    let was_beside = |role: &RoleAssignment| {
        beside.as_array().is_some_and(|ids| ids.iter().any(|id| *id == role.id.as_str()))
    };
    let is_it = |role: &RoleAssignment| {
        planned.get("roleDefinitionId").is_some_and(|own| *own == role.role_id.as_str())
            && planned.get("directoryScopeId").is_some_and(|own| *own == role.scope.as_str())
    };
    let (same, otherwise): (Vec<&RoleAssignment>, Vec<&RoleAssignment>) =
        held.iter().filter(|role| is_it(role)).partition(|role| projection(role) == planned);
    Ok(match same.as_slice() {
        [] => match otherwise.into_iter().find(|role| !was_beside(role)) {
            None => Seen::AsAfter,
            Some(role) => Seen::Differs { what: format!("the role is now {}", inert(&role.words())) },
        },
        all if all.iter().any(|role| action.object.id.as_deref() == Some(role.id.as_str())) => Seen::AsBefore,
        _ => Seen::Differs { what: "the role was taken away, and given again since".to_owned() },
    })
}
