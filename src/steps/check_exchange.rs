//! `check_exchange`: has a person look at what Graph shows nothing of: forwarding that is set on the mailbox, delegates,
//! hidden rules, transport rules, with the exact PowerShell. It sends nothing. It holds the run back only where the
//! evidence points there: a rule that Graph cannot express, or rules that could not be read; otherwise it stands in the record as not looked at, until
//! somebody confirms it (`stanch runs confirm RUN ACTION --reason TEXT`).
//!
//! ```yaml
//! - step: check_exchange
//!   needs: []
//!   with: { hold: evidence }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Step;
use super::by_hand::{ByHand, quoted};
use super::planned::{Draft, Planned, Scope};
use crate::case::{Case, Hold, InboxRule, Judged, Look, MethodVerdict};
use crate::graph::{GraphError, Licence, Reader, Reading};
use crate::investigate::inbox_rules::{self, Inbox};
use crate::plan::{Cannot, Object, Undo};

/// When a run waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldsBack {
    /// Where the evidence points to what Graph does not show.
    #[default]
    Evidence,
    /// Always.
    Always,
}

/// Its options.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckExchange {
    /// When the account does not count as contained until somebody has looked.
    #[serde(default)]
    pub hold: HoldsBack,
}

const WHY: &str = "Graph shows neither forwarding that is set on the mailbox, nor delegates, hidden rules or transport rules";

impl Step for CheckExchange {
    const NAME: &'static str = "check_exchange";
    const SUMMARY: &'static str =
        "has a person look at the mailbox in Exchange, for what Graph does not show";
    const PERMISSIONS: &'static [&'static str] = &[];
    const READS: &'static [Reading] = &[Reading::InboxRules];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[];
    const IS_DOOR: bool = false;
    type Facts = Inbox;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Inbox, GraphError> {
        Ok(inbox_rules::read(graph, case).await)
    }

    fn plan(&self, case: &Case, inbox: &Inbox, scope: &Scope<'_>) -> Planned {
        let rules = match &inbox.rules {
            Look::Read(None) => {
                return Planned::unchanged(
                    "there is no mailbox in the cloud: forwarding and delegates of a mailbox on-premises are looked at there",
                );
            }
            Look::Read(Some(rules)) => rules.as_slice(),
            Look::Unread { .. } => &[],
        };
        let unread = match &inbox.rules {
            Look::Unread { why } => Some(format!("the inbox rules could not be read: {why}")),
            Look::Read(_) => None,
        };
        let judged = inbox_rules::judge(rules, inbox, case);
        let opaque: Vec<String> =
            judged.iter().filter(|own| is_unexplained(own, scope)).map(opaque).collect();
        let is_pointed_at = unread.is_some() || !opaque.is_empty();
        let subject = &case.subject;
        let draft = Draft {
            key: "",
            summary: format!(
                "Look at the mailbox of {} in Exchange, for what Graph does not show",
                subject.upn
            ),
            object: Object {
                kind: "mailbox".to_owned(),
                id: Some(subject.id.to_string()),
                name: subject.upn.to_string(),
            },
            before: Value::Null,
            after: Value::Null,
            undo: Undo::Impossible { why: "nothing is done from here".to_owned() },
            reason: "it outlives session, password and methods".to_owned(),
            evidence: unread.into_iter().chain(opaque).chain(judged.iter().filter_map(sends_out)).collect(),
            requests: Vec::new(),
        };
        let mut planned = Planned::default();
        let action = draft.into_action(Self::NAME, scope).map(|mut action| {
            action.required &= is_pointed_at || self.hold == HoldsBack::Always;
            action.cannot = Some(Cannot {
                why: WHY.to_owned(),
                instead: vec![WHAT_TO_DO.to_owned()],
                commands: commands(subject.upn.as_str()),
                then_revoke: false,
            });
            action
        });
        planned.push(action, scope);
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        ByHand {
            portal: vec![
                "Exchange admin center: Recipients > Mailboxes > the user > Others, Delegation: look at forwarding and delegates; Mail flow > Rules: look for rules that send the user's mail on".to_owned(),
            ],
            powershell: commands(user),
        }
    }
}

const WHAT_TO_DO: &str = "In Exchange Online PowerShell, as an Exchange administrator: list these, and take away what is not the user's.";

/// An enabled rule that Graph cannot express, and that nobody has said to keep.
fn is_unexplained(judged: &Judged<InboxRule>, scope: &Scope<'_>) -> bool {
    let rule = &judged.object;
    rule.enabled && rule.is_opaque() && !scope.keep.iter().any(|own| own.as_str() == rule.id)
}

fn opaque(judged: &Judged<InboxRule>) -> String {
    format!("the inbox rule `{}` is one that Graph cannot express", judged.object.name)
}

/// Whoever sends mail on by a rule may do so by the mailbox's own setting as well.
fn sends_out(judged: &Judged<InboxRule>) -> Option<String> {
    let to = judged.object.sends_to();
    let is_theirs = judged.verdict == MethodVerdict::Attacker && !to.is_empty();
    is_theirs.then(|| {
        format!("the intruder's inbox rule `{}` sends mail on to {}", judged.object.name, to.join(", "))
    })
}

/// What a person lists, and what takes away what is not the user's.
fn commands(user: &str) -> Vec<String> {
    let (who, inbox) = (quoted(user), quoted(&format!("{user}:\\Inbox")));
    vec![
        "Connect-ExchangeOnline".to_owned(),
        format!(
            "Get-Mailbox -Identity {who} | Format-List ForwardingSmtpAddress, ForwardingAddress, DeliverToMailboxAndForward, GrantSendOnBehalfTo"
        ),
        format!("Get-InboxRule -Mailbox {who} -IncludeHidden | Format-List Name, Identity, Enabled, Description"),
        format!(
            "Get-MailboxPermission -Identity {who} | Where-Object {{ -not $_.IsInherited -and $_.User -ne 'NT AUTHORITY\\SELF' }}"
        ),
        format!("Get-RecipientPermission -Identity {who} | Where-Object {{ $_.Trustee -ne 'NT AUTHORITY\\SELF' }}"),
        format!("Get-MailboxFolderPermission -Identity {inbox}   # the folder's name is in the user's language"),
        "Get-TransportRule | Where-Object { $_.RedirectMessageTo -or $_.BlindCopyTo -or $_.CopyTo } | Format-List Name, State, WhenChanged, RedirectMessageTo, BlindCopyTo, CopyTo".to_owned(),
        "# One of these for each that is not the user's; WHO is the delegate, NAME the rule:".to_owned(),
        format!(
            "Set-Mailbox -Identity {who} -ForwardingSmtpAddress $null -ForwardingAddress $null -DeliverToMailboxAndForward $false"
        ),
        format!("Disable-InboxRule -Mailbox {who} -Identity 'NAME' -Confirm:$false"),
        format!("Remove-MailboxPermission -Identity {who} -User 'WHO' -AccessRights FullAccess -Confirm:$false"),
        format!("Remove-RecipientPermission -Identity {who} -Trustee 'WHO' -AccessRights SendAs -Confirm:$false"),
        format!("Set-Mailbox -Identity {who} -GrantSendOnBehalfTo @{{ Remove = 'WHO' }}"),
        format!("Remove-MailboxFolderPermission -Identity {inbox} -User 'WHO' -Confirm:$false"),
        "Disable-TransportRule -Identity 'NAME' -Confirm:$false".to_owned(),
    ]
}
