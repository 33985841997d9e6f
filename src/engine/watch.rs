//! Waiting for somebody else's doing: nothing is sent, and what has not come in time stays open.

use std::time::Duration;

use super::context::RunContext;
use super::send::note;
use crate::case::AuthMethod;
use crate::plan::{Action, Watch};
use crate::run::ActionState;
use crate::steps::newly_registered;
use crate::store::StoreError;

/// The time between two looks: methods are read five times in ten seconds at most, by everybody (identity.md 5).
const WAIT: Duration = Duration::from_secs(15);

/// Waits for a new method of the subject's, as long as the plan says or until the run is stopped.
pub(super) async fn watch(context: &RunContext, action: &Action, watch: &Watch) -> Result<(), StoreError> {
    let subject = &context.approved.plan().case.subject.id;
    let begun = context.clock.now();
    let within = Duration::from_secs(watch.within_seconds);
    let mut last_seen = "no new method is registered".to_owned();
    loop {
        match newly_registered(action, subject, &context.reader).await {
            Ok(methods) if !methods.is_empty() => {
                let named: Vec<String> = methods.iter().map(named).collect();
                let detail = format!(
                    "registered: {}; ask the user by telephone whether that is theirs",
                    named.join(", ")
                );
                return context.reached(&action.id, ActionState::Verified, detail).await;
            }
            Ok(_) => "no new method is registered".clone_into(&mut last_seen),
            Err(error) => last_seen = note(&error).message,
        }
        let waited = Duration::try_from(context.clock.now().duration_since(begun)).unwrap_or_default();
        let left = within.saturating_sub(waited);
        if left.is_zero() || context.stop.is_given() {
            let detail = format!("waited {} s: {last_seen}", waited.as_secs());
            return context.reached(&action.id, ActionState::AcceptedUnverified, detail).await;
        }
        context.pause(WAIT.min(left)).await;
    }
}

fn named(method: &AuthMethod) -> String {
    if method.name.is_empty() {
        method.kind.label().to_owned()
    } else {
        format!("{} `{}`", method.kind.label(), method.name)
    }
}
