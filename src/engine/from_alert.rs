//! From alerts to what a plan takes from them: hints and words, none of them an order.

use crate::alert::{Hints, Trigger};
use crate::domain::{PlanId, inert};

/// What a plan takes from an alert.
#[derive(Clone, Debug, Default)]
pub struct FromAlert {
    /// The id that the plan was promised under.
    pub plan: Option<PlanId>,
    /// The tenants that the alerts are about, where they say.
    pub tenants: Vec<String>,
    /// What they say about the intruder.
    pub hints: Hints,
    /// What is to be said about them.
    pub told: Vec<String>,
}

impl FromAlert {
    /// Puts together what alerts about one user say, for a plan by this playbook.
    pub fn new(triggers: &[Trigger], playbook: &str) -> Self {
        let mut from = Self::default();
        for trigger in triggers {
            from.hints.add(&trigger.hints);
            from.tenants.extend(trigger.tenant.clone());
            from.told.push(headline(trigger));
            if let Some(asked) = trigger.playbook.as_deref().filter(|asked| *asked != playbook) {
                from.told.push(format!(
                    "the alert asks for the playbook `{}`: an alert decides on none, this is `{playbook}`",
                    inert(asked)
                ));
            }
            from.told.extend(trigger.notes.iter().map(|note| inert(note)));
        }
        from
    }
}

fn headline(trigger: &Trigger) -> String {
    let title =
        if trigger.title.is_empty() { String::new() } else { format!(" `{}`", inert(&trigger.title)) };
    let time =
        trigger.hints.time.map_or_else(String::new, |time| format!(", {}", crate::domain::shown(time)));
    format!(
        "made from the alert{title} of {} (severity {}{time}): only what the sign-in log bears out of it counts",
        inert(&trigger.source),
        trigger.severity.as_str()
    )
}
