//! `disable_inbox_rules`: switches off the inbox rules that the intruder left, and those alone. A rule that is switched
//! off keeps all that it was, as evidence and for the way back (identity.md 7.1).
//!
//! ```yaml
//! - step: disable_inbox_rules
//!   with: { undecided: ask }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Step;
use super::by_hand::{ByHand, quoted};
use super::decision::{Decision, Found, Undecided, key_of, unread};
use super::observe::Seen;
use super::planned::{Draft, Planned, Scope};
use crate::case::{Case, Hold, InboxRule, Judged, Look};
use crate::domain::UserId;
use crate::graph::{GraphError, Licence, Reader, Reading, request};
use crate::investigate::inbox_rules::{self, Inbox, describe};
use crate::plan::{Action, Cannot, Object, Undo};

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisableInboxRules {
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

impl Step for DisableInboxRules {
    const NAME: &'static str = "disable_inbox_rules";
    const SUMMARY: &'static str = "switches off inbox rules that the intruder left";
    const PERMISSIONS: &'static [&'static str] = &["MailboxSettings.ReadWrite"];
    const READS: &'static [Reading] = &[Reading::InboxRules];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Rule];
    const IS_DOOR: bool = false;
    type Facts = Inbox;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Inbox, GraphError> {
        Ok(inbox_rules::read(graph, case).await)
    }

    fn plan(&self, case: &Case, inbox: &Inbox, scope: &Scope<'_>) -> Planned {
        let upn = &case.subject.upn;
        let mut planned = Planned::default();
        let rules = match &inbox.rules {
            Look::Unread { why } => {
                let look = format!("list them in Exchange Online PowerShell: {}", listing(upn.as_str()));
                planned.left.push(unread("inbox rule", why, &look, scope));
                return planned;
            }
            Look::Read(None) => {
                let why = "there is no mailbox in the cloud, or none at all: rules of a mailbox on-premises are looked at there";
                return Planned { known: Some(Vec::new()), ..Planned::unchanged(why) };
            }
            Look::Read(Some(rules)) => rules,
        };
        planned.knows.extend(rules.iter().map(|rule| rule.id.clone()));
        planned.known = Some(rules.iter().map(inbox_rules::known).collect());
        for judged in inbox_rules::judge(rules, inbox, case) {
            self.plan_one(&judged, case, scope, &mut planned);
        }
        if planned.actions.is_empty() {
            planned.unchanged = Some(match rules.len() {
                0 => "there is no inbox rule that Graph shows".to_owned(),
                _ => "no rule that runs is the intruder's by the evidence".to_owned(),
            });
        }
        planned.residual_risk.push(format!(
            "Graph shows neither hidden rules nor forwarding that was set on the mailbox: look in Exchange Online PowerShell, {}",
            listing(upn.as_str())
        ));
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let user = quoted(user);
        ByHand::new(
            &[
                "In Exchange admin center: Recipients > Mailboxes > the user > Mailbox: look at forwarding and delegation",
            ],
            &[
                "Connect-ExchangeOnline",
                &format!(
                    "Get-InboxRule -Mailbox {user} -IncludeHidden | Format-List Name, Identity, Enabled, Description"
                ),
                "# One of these for each rule that is not the user's; put its name in the place of NAME:",
                &format!("Disable-InboxRule -Mailbox {user} -Identity 'NAME' -Confirm:$false"),
            ],
        )
    }
}

/// How a person lists every rule.
fn listing(user: &str) -> String {
    format!("`Get-InboxRule -Mailbox {} -IncludeHidden`", quoted(user))
}

impl DisableInboxRules {
    fn plan_one(self, judged: &Judged<InboxRule>, case: &Case, scope: &Scope<'_>, planned: &mut Planned) {
        let rule = &judged.object;
        // One that is switched off does nothing; who did that is no matter.
        if !rule.enabled {
            return;
        }
        let found =
            Found { id: &rule.id, named: named(rule), verdict: judged.verdict, reasons: &judged.reasons };
        let decision = found.decide(self.undecided, scope);
        let is_asked = match decision {
            Decision::Spare => return,
            Decision::Act { is_asked } => is_asked,
            // What it does can be told in PowerShell alone: that is work for a person, not a question to the user.
            Decision::Leave(left) if rule.is_opaque() && !left.decided => false,
            Decision::Leave(left) => return planned.left.push(left),
        };
        let Some(id) = scope.action_id(&key_of(planned.actions.len())) else {
            return planned.push(None, scope);
        };
        let is_out_of_reach = rule.read_only || rule.is_opaque();
        let mut after = rule.whole.clone();
        if let Some(entries) = after.as_object_mut() {
            entries.insert("isEnabled".to_owned(), false.into());
        }
        let draft = Draft {
            key: "",
            summary: if rule.is_opaque() {
                format!(
                    "Look at the opaque inbox rule `{}`, and disable it unless it is the user's",
                    rule.name
                )
            } else {
                format!("Disable the inbox rule `{}`: it {}", rule.name, describe(rule))
            },
            object: Object {
                kind: "inbox rule".to_owned(),
                id: Some(rule.id.clone()),
                name: rule.name.clone(),
            },
            before: rule.whole.clone(),
            after: if is_out_of_reach { Value::Null } else { after },
            undo: if is_out_of_reach {
                Undo::Impossible { why: "nothing is done from here".to_owned() }
            } else {
                Undo::Requests(vec![request::enable_inbox_rule(&case.subject.id, &rule.id)])
            },
            reason: found.reason(is_asked, "it goes on hiding or handing out mail after the intruder is out"),
            evidence: judged.reasons.clone(),
            requests: if is_out_of_reach {
                Vec::new()
            } else {
                vec![request::disable_inbox_rule(&case.subject.id, &rule.id)]
            },
        };
        let mut action = draft.with_id(id, Self::NAME, scope);
        if is_out_of_reach {
            action.cannot = Some(in_powershell(rule, case.subject.upn.as_str()));
        }
        planned.actions.push(action);
    }
}

/// What a person does about a rule that Graph does not change.
fn in_powershell(rule: &InboxRule, upn: &str) -> Cannot {
    let why = if rule.is_opaque() {
        "opaque rule: Graph cannot express it, so it neither shows what it does nor changes it"
    } else {
        "Graph holds the rule for read-only and refuses to change it"
    };
    let (mailbox, name) = (quoted(upn), quoted(&rule.name));
    Cannot {
        why: why.to_owned(),
        instead: vec![
            "Connect-ExchangeOnline".to_owned(),
            format!(
                "Get-InboxRule -Mailbox {mailbox} -IncludeHidden | Where-Object Name -eq {name} | Format-List"
            ),
            format!("Disable-InboxRule -Mailbox {mailbox} -Identity {name} -Confirm:$false"),
        ],
        ..Cannot::default()
    }
}

fn named(rule: &InboxRule) -> String {
    format!("inbox rule `{}` ({})", rule.name, rule.id)
}

/// Whether a person is only to look at the rule, and may leave it: then it shows nothing that it still runs.
pub(super) fn is_a_look(action: &Action) -> bool {
    action.cannot.is_some() && action.before.get("actions").is_none_or(Value::is_null)
}

/// What makes a rule the rule that it is: its place among the others and its faults are not its doing.
fn projection(whole: &Value) -> Value {
    let part =
        |key: &str| whole.get(key).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| json!({}));
    json!({
        "displayName": part("displayName"), "conditions": part("conditions"), "actions": part("actions"),
        "exceptions": part("exceptions")
    })
}

/// Reads the rule.
pub(super) async fn see(action: &Action, subject: &UserId, graph: &Reader) -> Result<Seen, GraphError> {
    let id = action.object.id.as_deref().unwrap_or_default();
    let Some(now) = graph.inbox_rule(subject, id).await? else {
        return Ok(Seen::Differs { what: "the rule is gone".to_owned() });
    };
    Ok(if !now.enabled {
        Seen::AsAfter
    } else if projection(&now.whole) == projection(&action.before) {
        Seen::AsBefore
    } else {
        Seen::Differs { what: format!("the rule is another now: it {}", describe(&now)) }
    })
}
