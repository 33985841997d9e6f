//! `stanch playbook show NAME --by-hand --user UPN`: the playbook as portal and PowerShell steps, for when Graph or our
//! own app is out of reach. It reads nothing but the playbook and the settings.

use schemars::JsonSchema;
use serde::Serialize;

use super::args::Format;
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::plan::bind;
use super::session::Session;
use crate::domain::{inert, shell_path, shell_word};
use crate::graph::OUT_OF_REACH;
use crate::playbook::{BoundPlaybook, BoundStep};
use crate::steps::{AnyStep, ByHand, quoted};

/// The modules that the lines below use.
const MODULES: &str = "Microsoft.Graph.Authentication, Microsoft.Graph.Users, Microsoft.Graph.Users.Actions, Microsoft.Graph.Groups, Microsoft.Graph.Identity.SignIns, Microsoft.Graph.Identity.Governance";

/// A playbook as steps for a person, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlaybookByHand {
    /// The playbook's name.
    playbook: String,
    /// The user who is filled in.
    user: String,
    /// `PowerShell` lines before the first step: signing in, and the ids.
    prepare: Vec<String>,
    /// The steps, in an order that their needs allow.
    steps: Vec<StepByHand>,
}

/// One step for a person.
#[derive(Debug, Serialize, JsonSchema)]
struct StepByHand {
    /// Id in the playbook.
    id: String,
    /// Its kind.
    step: String,
    /// What it does.
    summary: &'static str,
    /// Why the playbook has it; absent where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Whether the account is contained only with it.
    required: bool,
    /// In the Entra admin center, one thing each.
    portal: Vec<String>,
    /// In `PowerShell`, one line each.
    powershell: Vec<String>,
}

/// Prints a playbook as steps for a person.
///
/// # Errors
/// When there is no such playbook, or something is wrong with it.
pub fn show(session: &Session, playbook: &str, user: &str, settings: &[String]) -> Result<(), Failure> {
    let book = bind(playbook, settings)?;
    let user = inert(user);
    let prepare = preparation(session, &book, &user);
    let steps: Vec<(&BoundStep, ByHand)> = in_order(&book)
        .into_iter()
        .filter_map(|step| Some((step, AnyStep::by_hand(&step.step, &step.with, &user)?)))
        .collect();
    if session.format == Format::Json {
        let steps = steps
            .into_iter()
            .map(|(step, own)| StepByHand {
                id: step.id.clone(),
                step: step.step.clone(),
                summary: AnyStep::summary(&step.step),
                why: why(step),
                required: step.required,
                portal: own.portal,
                powershell: own.powershell,
            })
            .collect();
        return print_json(&PlaybookByHand { playbook: book.name.clone(), user, prepare, steps });
    }
    let mut text = format!(
        "{}, by hand, for {user}\n\nOne after the other, in this order; in the Entra admin center (https://entra.microsoft.com) or in PowerShell.\nWrite down what you did and when: stanch has no record of it.\n\nBefore PowerShell's first step:\n",
        inert(&book.title)
    );
    push_lines(&mut text, "    ", &prepare);
    for (place, (step, own)) in steps.iter().enumerate() {
        let spare = if step.required { "" } else { book.aim.spare() };
        text.push_str(&format!(
            "\n{}. {}: {}{spare}\n",
            place.saturating_add(1),
            step.id,
            AnyStep::summary(&step.step)
        ));
        if let Some(why) = why(step) {
            text.push_str(&format!("   Why: {why}\n"));
        }
        for line in &own.portal {
            text.push_str(&format!("   - {line}\n"));
        }
        push_lines(&mut text, "       ", &own.powershell);
    }
    print_text(&text)
}

/// Why the playbook has a step, in its own words.
fn why(step: &BoundStep) -> Option<String> {
    step.summary.as_deref().map(|own| inert(own.trim()))
}

fn push_lines(text: &mut String, indent: &str, lines: &[String]) {
    for line in lines {
        text.push_str(&format!("{indent}{line}\n"));
    }
}

/// Signing in, and the ids that the steps' lines use.
fn preparation(session: &Session, book: &BoundPlaybook, user: &str) -> Vec<String> {
    let mut scopes: Vec<&str> =
        book.steps.iter().flat_map(|step| AnyStep::permissions(&step.step)).copied().collect();
    scopes.push("User.Read.All");
    scopes.sort_unstable();
    scopes.dedup();
    let scopes: Vec<String> = scopes.into_iter().map(quoted).collect();
    let guards = &session.config.guards;
    let emergency = if guards.emergency_accounts.is_empty() {
        if guards.no_emergency_accounts {
            "$emergency = @()".to_owned()
        } else {
            // Graph refuses a policy with this in it: nobody forgets them by pasting.
            "$emergency = @('OBJECT ID OF AN EMERGENCY ACCOUNT')   # all of yours, before any policy"
                .to_owned()
        }
    } else {
        let names: Vec<String> = guards.emergency_accounts.iter().map(|name| quoted(&inert(name))).collect();
        format!("$emergency = @({} | ForEach-Object {{ (Get-MgUser -UserId $_).Id }})", names.join(", "))
    };
    vec![
        format!("Install-Module {MODULES} -Scope CurrentUser   # once"),
        format!("Connect-MgGraph -Scopes {}", scopes.join(", ")),
        format!("$id = (Get-MgUser -UserId {}).Id", quoted(user)),
        emergency,
    ]
}

/// The steps, each behind those that it needs; otherwise as the playbook has them.
fn in_order(book: &BoundPlaybook) -> Vec<&BoundStep> {
    let mut waiting: Vec<&BoundStep> = book.steps.iter().collect();
    let mut done: Vec<&BoundStep> = Vec::new();
    while !waiting.is_empty() {
        let is_free =
            |step: &&BoundStep| step.needs.iter().all(|need| done.iter().any(|own| own.id == *need));
        // A playbook without cycles always has one; the first will do if this one has.
        let next = waiting.iter().position(is_free).unwrap_or_default();
        done.push(waiting.remove(next));
    }
    done
}

impl Failure {
    /// Points to the playbook by hand, where Graph or our own app is out of reach.
    #[must_use]
    pub fn or_by_hand(mut self, playbook: &str, user: &str) -> Self {
        if OUT_OF_REACH.contains(&self.code) {
            let way = command(playbook, user);
            self.hint = Some(match self.hint.take() {
                Some(hint) => format!("{hint}; meanwhile a person can do it by hand: {way}"),
                None => format!("a person can do it by hand: {way}"),
            });
        }
        self
    }
}

/// The command that shows a playbook by hand.
fn command(playbook: &str, user: &str) -> String {
    format!("`stanch playbook show {} --by-hand --user {}`", shell_path(playbook), shell_word(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_a_strange_name_can_be_copied() {
        assert_eq!(
            command("bec", "o'neill$x@contoso.com"),
            r"`stanch playbook show bec --by-hand --user 'o'\''neill$x@contoso.com'`"
        );
    }
}
