//! `revoke_app_consents`: takes back what the intruder let apps do in the user's name. The app keeps the access tokens
//! that it has until they expire, and gets no more. An app that others have consented to as well is a person's matter.
//!
//! ```yaml
//! - step: revoke_app_consents
//!   with: { undecided: ask }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::ByHand;
use super::decision::{Decision, Found, Undecided, Which, key_of, unread};
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope};
use crate::case::{AppGrant, Case, Hold, Judged, Look, MethodVerdict, SignIn};
use crate::domain::{UserId, shell_word, shown};
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::investigate::consents::{self, Consents};
use crate::plan::{Action, LeftObject, Object, Undo};

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeAppConsents {
    /// Which are taken back. One for everyone in the tenant never is.
    #[serde(default)]
    pub which: Which,
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
    /// Whether the playbook takes the app for the intruder's only way in: then a sign-in of the intruder's without such an
    /// app holds back `contained`.
    #[serde(default)]
    pub only_way_in: bool,
}

impl Step for RevokeAppConsents {
    const NAME: &'static str = "revoke_app_consents";
    const SUMMARY: &'static str = "takes back what the intruder let apps do in the user's name";
    const PERMISSIONS: &'static [&'static str] = &["DelegatedPermissionGrant.ReadWrite.All"];
    const READS: &'static [Reading] = &[Reading::Grants, Reading::Apps];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Consent];
    const IS_DOOR: bool = true;
    type Facts = Consents;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Consents, GraphError> {
        Ok(consents::read(graph, case).await)
    }

    fn plan(&self, case: &Case, facts: &Consents, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let grants = match &facts.grants {
            Look::Unread { why } => {
                let look =
                    format!("look at Users, {}, Applications in the Entra admin center", case.subject.upn);
                planned.left.push(unread("consent to an app", why, &look, scope));
                return planned;
            }
            Look::Read(grants) => grants,
        };
        planned.knows.extend(grants.iter().map(|grant| grant.id.clone()));
        planned.known = Some(grants.iter().map(consents::known).collect());
        let judged = consents::judge(grants, facts, case);
        for judged in &judged {
            self.plan_one(judged, case, scope, &mut planned);
        }
        if self.only_way_in {
            planned.left.extend(other_ways_in(&judged, case, scope));
        }
        if planned.actions.is_empty() {
            planned.unchanged = Some(match grants.len() {
                0 => "the user has let no app do anything".to_owned(),
                _ if self.which == Which::All => "no consent is the user's own".to_owned(),
                _ => "no consent is the intruder's by the evidence".to_owned(),
            });
        } else {
            planned.residual_risk.push(
                "An app whose consent is taken back keeps the access tokens that it has until they expire, an hour or so."
                    .to_owned(),
            );
        }
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let (note, review, each) = match self.which {
            Which::Unrecognized => (
                ", and ask the user which they let in, by telephone",
                "review, and revoke what is not the user's",
                "each consent that is not the user's",
            ),
            Which::All => ("", "revoke the user's", "each consent"),
        };
        ByHand::new(
            &[
                &format!("Users > All users > {user} > Applications: note every app{note}"),
                &format!("Enterprise applications > the app > Permissions > User consent: {review}"),
            ],
            &[
                "Get-MgUserOauth2PermissionGrant -UserId $id -All | Format-List Id, ClientId, Scope",
                &format!("# One of these for {each}; put its id in the place of ID:"),
                "Remove-MgOauth2PermissionGrant -OAuth2PermissionGrantId 'ID'",
            ],
        )
    }
}

impl RevokeAppConsents {
    fn plan_one(self, judged: &Judged<AppGrant>, case: &Case, scope: &Scope<'_>, planned: &mut Planned) {
        let grant = &judged.object;
        let found =
            Found { id: &grant.id, named: named(grant), verdict: judged.verdict, reasons: &judged.reasons };
        // One for everyone is not the user's to lose.
        let which = if grant.tenant_wide { Which::Unrecognized } else { self.which };
        let is_asked = match found.decide_by(which, self.undecided, scope) {
            Decision::Spare => return,
            Decision::Leave(left) => return planned.left.push(left),
            Decision::Act { is_asked } => is_asked,
        };
        if which == Which::Unrecognized
            && let Some(left) = for_a_person(judged, &found, scope)
        {
            return planned.left.push(left);
        }
        let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
            return planned.push(None, scope);
        };
        let draft = Draft {
            key: "",
            summary: format!(
                "Take back the consent to the app `{}`: {}",
                grant.app_name(),
                if grant.scopes.is_empty() { "nothing".to_owned() } else { grant.scopes.join(", ") }
            ),
            object: Object {
                kind: "consent to an app".to_owned(),
                id: Some(grant.id.clone()),
                name: grant.app_name().to_owned(),
            },
            before: projection(grant),
            after: Value::Null,
            undo: Undo::Requests(vec![request::give_grant_again(&case.subject.id, grant)]),
            reason: found.reason(
                is_asked,
                match which {
                    Which::Unrecognized => {
                        "an app that was let in goes on reading after session, password and methods are gone"
                    }
                    Which::All => {
                        "every app that the user let in goes: it would read on once sign-in is enabled"
                    }
                },
            ),
            evidence: judged.reasons.clone(),
            requests: vec![request::delete_grant(&grant.id)],
        };
        planned.actions.push(draft.with_id(id, Self::NAME, scope));
    }
}

/// A grant that is a person's to judge, though it is the intruder's: others have a part in it.
fn for_a_person(judged: &Judged<AppGrant>, found: &Found<'_>, scope: &Scope<'_>) -> Option<LeftObject> {
    let grant = &judged.object;
    let app = grant.app.read();
    let instead = match app {
        Some(app) => {
            format!(
                "if it is malicious, disable it for everyone: `disable_service_principal` with `app: {}`",
                app.app_id
            )
        }
        None => "if it is malicious, disable it for everyone: Enterprise applications, the app, Properties"
            .to_owned(),
    };
    if grant.tenant_wide {
        let why = "it is for everyone in the tenant: taking it back takes it from all".to_owned();
        let mut left = found.left(Some(why), true, scope);
        left.next = Some(format!(
            "ask the administrators whether the app is theirs; {instead}; or take it back by hand: `Remove-MgOauth2PermissionGrant -OAuth2PermissionGrantId '{}'`",
            grant.id
        ));
        return Some(left);
    }
    // A person's word is there already.
    if scope.remove.iter().any(|own| own.as_str() == grant.id) || judged.verdict != MethodVerdict::Attacker {
        return None;
    }
    let why = match &grant.used_by {
        Look::Read(used_by) if used_by.tenant_wide => {
            "the app is consented to for everyone as well: taking this back alone changes nothing".to_owned()
        }
        Look::Read(used_by) if used_by.others.is_empty() => return None,
        Look::Read(used_by) => format!(
            "{} other user{} consented to the app as well: either it is a common one, or they were led to it too",
            used_by.others.len(),
            if used_by.others.len() == 1 { "" } else { "s" }
        ),
        Look::Unread { why } => format!("who else consented to the app could not be read: {why}"),
    };
    let mut left = found.left(Some(why), true, scope);
    left.next = Some(format!("say `--keep {id}` or `--remove {id}` for this user; {instead}", id = grant.id));
    Some(left)
}

/// What the playbook leaves with the intruder, where the log shows that they came in without an app of theirs.
fn other_ways_in(judged: &[Judged<AppGrant>], case: &Case, scope: &Scope<'_>) -> Option<LeftObject> {
    let rows = match &case.evidence.sign_ins {
        Look::Read(rows) => rows,
        Look::Unread { why } => {
            return Some(beside_apps(format!("the sign-in log was not read: {why}"), case, scope));
        }
    };
    let apps: Vec<&str> = judged
        .iter()
        .filter(|own| own.verdict == MethodVerdict::Attacker)
        .filter_map(|own| own.object.app.read().map(|app| app.app_id.as_str()))
        .collect();
    let intruders = &case.evidence.intruder_sign_ins;
    let without: Vec<&SignIn> = rows
        .iter()
        .filter(|row| row.error_code == 0 && intruders.contains(&row.id))
        .filter(|row| row.app_id.as_deref().is_none_or(|app| !apps.contains(&app)))
        .collect();
    let last = without.iter().max_by_key(|row| row.at)?;
    let times = match without.len() {
        1 => "once".to_owned(),
        count => format!("{count} times, the last"),
    };
    let why = format!(
        "the intruder also signed in without an app that the user let in: {times} {} from {} to {}",
        shown(last.at),
        last.ip,
        last.app
    );
    Some(beside_apps(why, case, scope))
}

fn beside_apps(why: String, case: &Case, scope: &Scope<'_>) -> LeftObject {
    LeftObject {
        step: scope.step_id.to_owned(),
        kind: None,
        object: "the password and the methods, which this playbook does not touch".to_owned(),
        why: vec![why],
        holds_back: scope.required,
        decided: false,
        next: Some(format!(
            "plan `bec` instead: stanch plan bec --user {} -o plan.json",
            shell_word(case.subject.upn.as_str())
        )),
    }
}

fn named(grant: &AppGrant) -> String {
    let whose = if grant.tenant_wide { "consent for everyone" } else { "consent" };
    format!("{whose} to the app `{}` ({})", grant.app_name(), grant.id)
}

/// What the plan shows of a grant: what drift is told by.
fn projection(grant: &AppGrant) -> Value {
    json!({ "clientId": grant.client_id, "resourceId": grant.resource_id, "scope": grant.scopes.join(" ") })
}

/// Reads the grant, in the list that shows a removal.
pub(super) async fn see(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let id = action.object.id.as_deref().unwrap_or_default();
    Ok(match graph.grant_of(subject, id).await? {
        None => Seen::AsAfter,
        Some(grant) if projection(&grant) == action.before => Seen::AsBefore,
        Some(grant) => Seen::Differs { what: format!("it may now {}", grant.scopes.join(", ")) },
    })
}
