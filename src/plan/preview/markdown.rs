//! The preview as Markdown: no text from the tenant makes a link, a heading or markup.

use super::content::{changes, irreversible, span, summary, who, why};
use super::estimate::estimate;
use crate::domain::{inert, shown};
use crate::plan::Plan;

/// A text that stands as itself in Markdown, in a table cell too.
pub fn markdown_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in inert(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            // A bare address becomes a link in some renderers.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            _ => out.push(letter),
        }
    }
    out
}

/// Renders a plan as Markdown.
pub fn markdown(plan: &Plan) -> String {
    let mut out = format!(
        "# Plan {} for {}\n\n{}\n\n| | |\n| --- | --- |\n",
        markdown_text(&plan.playbook.name),
        markdown_text(plan.case.subject.upn.as_str()),
        markdown_text(&summary(plan))
    );
    let mut row = |label: &str, text: &str| out.push_str(&format!("| {label} | {} |\n", markdown_text(text)));
    for (label, text) in who(&plan.case.subject) {
        row(label, &text);
    }
    row("tenant", &format!("{} ({})", plan.tenant.name, plan.tenant.id));
    row("digest", &plan.digest.to_string());
    row("asked for by", &plan.requested_by.name);
    row("can be applied until", &shown(plan.expires_at));
    out.push_str("\n## Why\n\n");
    for (label, text) in why(plan) {
        out.push_str(&format!("- {label}: {}\n", markdown_text(&text)));
    }
    if !plan.actions.is_empty() {
        out.push_str("\n## What will change\n\n");
    }
    for (number, action) in (1..).zip(&plan.actions) {
        let hardening = if action.required { "" } else { " (hardening)" };
        out.push_str(&format!("{number}. **{}**{hardening}\n", markdown_text(&action.summary)));
        if let Some(cannot) = &action.cannot {
            out.push_str(&format!("   - CANNOT be done from here: {}\n", markdown_text(&cannot.why)));
            for line in &cannot.instead {
                out.push_str(&format!("   - {}\n", markdown_text(line)));
            }
            continue;
        }
        for line in changes(action) {
            out.push_str(&format!("   - {}\n", markdown_text(&line)));
        }
        if let Some(why) = irreversible(action) {
            out.push_str(&format!("   - cannot be undone: {}\n", markdown_text(why)));
        }
        for fact in &action.evidence {
            out.push_str(&format!("   - {}\n", markdown_text(fact)));
        }
        for request in &action.requests {
            out.push_str(&format!("   - sends {} {}\n", request.method, markdown_text(&request.path)));
        }
    }
    lists(&mut out, plan);
    let estimate = estimate(plan);
    out.push_str(&format!(
        "\n## How long\n\n{} to {}: {}\n",
        span(estimate.from),
        span(estimate.to),
        markdown_text(&estimate.why)
    ));
    out
}

fn lists(out: &mut String, plan: &Plan) {
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n## {title}\n\n"));
            for line in lines {
                out.push_str(&format!("- {}\n", markdown_text(&line)));
            }
        }
    };
    list(
        "Found and left",
        plan.left
            .iter()
            .map(|left| {
                let decide = if left.holds_back { "DECIDE: " } else { "" };
                format!("{decide}{}: {}", left.object, left.why.join("; "))
            })
            .collect(),
    );
    list("Nothing to do", plan.unchanged.iter().map(|own| format!("{}: {}", own.step, own.why)).collect());
    list(
        "Refused by a guard",
        plan.guards
            .refused
            .iter()
            .map(|own| format!("{}: {} ({}). Next: {}", own.object, own.why, own.guard, own.next))
            .collect(),
    );
    list(
        "Set aside by a person",
        plan.guards
            .overridden
            .iter()
            .map(|own| format!("{}: {} ({})", own.object, own.why, own.guard))
            .collect(),
    );
    list("Note well", plan.warnings.clone());
    list("What stays open even so", plan.residual_risk.clone());
    list("Permissions that apply needs", plan.permissions.clone());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_from_the_tenant_stands_as_itself() {
        assert_eq!(markdown_text("<b>|`x`[a](http://b)"), "&lt;b&gt;\\|\\`x\\`\\[a\\]\\(http&#58;//b\\)");
        assert_eq!(markdown_text("two\nlines"), "two\\\\u\\{a\\}lines");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_cell(text in any::<String>()) {
            let shown = markdown_text(&text);
            let breaks_out = shown.contains(['<', '>', '\n', '\r', '\u{1b}', '\u{202e}']);
            prop_assert!(!breaks_out);
            let letters: Vec<char> = shown.chars().collect();
            for (index, letter) in letters.iter().enumerate() {
                if matches!(letter, '|' | '`' | '[' | '*') {
                    let slashes = letters[..index].iter().rev().take_while(|own| **own == '\\').count();
                    prop_assert_eq!(slashes % 2, 1, "{}", &shown);
                }
            }
        }
    }
}
