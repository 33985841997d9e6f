//! The preview on a terminal: the decision first, nothing hidden.

use anstyle::{AnsiColor, Style as Paint};

use super::content::{changes, irreversible, span, summary, who, why};
use super::estimate::estimate;
use super::layout::block;
use crate::domain::{inert, shown};
use crate::plan::{Action, Plan};

/// How the preview is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Whether colours are used.
    pub colour: bool,
    /// The plan's file, for the next command.
    pub file: Option<String>,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 80, colour: false, file: None }
    }
}

struct Page<'a> {
    out: String,
    style: &'a Style,
}

impl Page<'_> {
    fn heading(&mut self, title: &str) {
        let paint = Paint::new().bold();
        if self.style.colour {
            self.out.push_str(&format!("\n{paint}{title}{paint:#}\n"));
        } else {
            self.out.push_str(&format!("\n{title}\n"));
        }
    }

    fn line(&mut self, mark: &str, text: &str) {
        block(&mut self.out, mark, text, self.style.width);
    }

    /// A line that must not be overlooked.
    fn alarm(&mut self, mark: &str, text: &str) {
        if !self.style.colour {
            return self.line(mark, text);
        }
        let paint = AnsiColor::Yellow.on_default();
        let mut plain = String::new();
        block(&mut plain, mark, text, self.style.width);
        for line in plain.lines() {
            self.out.push_str(&format!("{paint}{line}{paint:#}\n"));
        }
    }

    fn pair(&mut self, label: &str, text: &str) {
        self.line(&format!("  {label:13} "), text);
    }
}

/// Renders a plan as text.
pub fn text(plan: &Plan, style: &Style) -> String {
    let mut page = Page { out: String::new(), style };
    let title =
        format!("Plan `{}` for {}", inert(&plan.playbook.name), inert(plan.case.subject.upn.as_str()));
    let paint = Paint::new().bold();
    if style.colour {
        page.out.push_str(&format!("{paint}{title}{paint:#}\n"));
    } else {
        page.line("", &title);
    }
    page.line(
        "",
        &format!("{} ({}), digest {}", inert(&plan.tenant.name), plan.tenant.id, plan.digest.short()),
    );
    page.line("", &summary(plan));
    page.heading("Who");
    for (label, line) in who(&plan.case.subject) {
        page.pair(label, &line);
    }
    page.heading("Why");
    for (label, line) in why(plan) {
        page.pair(label, &line);
    }
    if !plan.actions.is_empty() {
        page.heading("What will change");
        for (number, action) in (1..).zip(&plan.actions) {
            change(&mut page, number, action);
        }
    }
    rest(&mut page, plan);
    page.out
}

fn change(page: &mut Page<'_>, number: usize, action: &Action) {
    let mark = format!("{number:3}. ");
    let optional =
        if action.required { "" } else { " (hardening: the account counts as contained without it)" };
    match &action.cannot {
        None => page.line(&mark, &format!("{}{optional}", inert(&action.summary))),
        Some(cannot) => {
            page.alarm(&mark, &format!("CANNOT be done from here: {}", inert(&action.summary)));
            page.line("     because ", &inert(&cannot.why));
            page.line("     instead:", "");
            for line in &cannot.instead {
                page.line("       ", &inert(line));
            }
            return;
        }
    }
    for line in changes(action) {
        page.line("     ", &line);
    }
    if let Some(why) = irreversible(action) {
        page.alarm("     ", &format!("cannot be undone: {}", inert(why)));
    }
    if !action.reason.is_empty() {
        page.line("     because ", &inert(&action.reason));
    }
    for fact in action.evidence.iter().take(12) {
        page.line("     - ", &inert(fact));
    }
    if action.evidence.len() > 12 {
        page.line("     - ", &format!("and {} more, in the plan's JSON", action.evidence.len() - 12));
    }
    for request in &action.requests {
        page.line("     sends ", &format!("{} {}", request.method, inert(&request.path)));
    }
}

fn rest(page: &mut Page<'_>, plan: &Plan) {
    if !plan.left.is_empty() {
        page.heading("Found and left");
        for left in &plan.left {
            let mark = if left.holds_back { "  DECIDE " } else { "  - " };
            page.line(mark, &format!("{}: {}", inert(&left.object), inert(&left.why.join("; "))));
        }
    }
    if !plan.unchanged.is_empty() {
        page.heading("Nothing to do");
        for unchanged in &plan.unchanged {
            page.line("  - ", &format!("{}: {}", inert(&unchanged.step), inert(&unchanged.why)));
        }
    }
    if !plan.guards.refused.is_empty() {
        page.heading("Refused by a guard");
        for refusal in &plan.guards.refused {
            page.alarm(
                "  - ",
                &format!("{}: {} ({})", inert(&refusal.object), inert(&refusal.why), refusal.guard),
            );
            page.line("    next: ", &inert(&refusal.next));
        }
    }
    if !plan.guards.overridden.is_empty() {
        page.heading("Set aside by a person");
        for own in &plan.guards.overridden {
            page.alarm("  - ", &format!("{}: {} ({})", inert(&own.object), inert(&own.why), own.guard));
        }
    }
    if !plan.warnings.is_empty() {
        page.heading("Note well");
        for warning in &plan.warnings {
            page.alarm("  - ", &inert(warning));
        }
    }
    if !plan.residual_risk.is_empty() {
        page.heading("What stays open even so");
        for risk in &plan.residual_risk {
            page.line("  - ", &inert(risk));
        }
    }
    page.heading("How long");
    let estimate = estimate(plan);
    page.line("  ", &format!("{} to {}: {}", span(estimate.from), span(estimate.to), estimate.why));
    if !plan.permissions.is_empty() {
        page.heading("Permissions that apply needs");
        page.line("  ", &plan.permissions.join(", "));
    }
    page.heading("Whose");
    page.line(
        "  ",
        &format!(
            "asked for by {}, can be applied until {}",
            inert(&plan.requested_by.name),
            shown(plan.expires_at)
        ),
    );
    if let Some(file) = &page.style.file {
        let next = format!("\nNext: stanch apply {}\n", inert(file));
        page.out.push_str(&next);
    }
}
