//! What Graph has accepted and does later: asked about until its end, or until patience ends.

use std::time::Duration;

use super::context::RunContext;
use super::send::{note, waited_less};
use crate::domain::inert;
use crate::graph::{OperationState, Sent};
use crate::plan::PlannedRequest;
use crate::run::FailureNote;

/// The wait between two questions where Graph asks for none (identity.md 3.3).
const USUAL_WAIT: Duration = Duration::from_secs(5);
/// What Graph asks for is heeded up to here.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// How an operation ended.
pub(super) enum Awaited {
    /// It did what was asked.
    Succeeded,
    /// It did not.
    Failed(FailureNote),
    /// Its end was not seen.
    Open(FailureNote),
}

/// Whether a request is answered before it is done.
pub(super) fn is_done_later(planned: &PlannedRequest) -> bool {
    planned.path.ends_with("/resetPassword")
}

/// Asks about an operation until its end.
pub(super) async fn await_end(context: &RunContext, planned: &PlannedRequest, sent: &Sent) -> Awaited {
    let Some(address) = &sent.operation else {
        let message = "Graph accepted the request, and gave no address to ask about its end at".to_owned();
        return Awaited::Open(failure("operation_unknown", message, None, sent));
    };
    let begun = context.clock.now();
    let wait = sent.retry_after.unwrap_or(USUAL_WAIT).clamp(Duration::from_secs(1), MOST_WAIT);
    loop {
        context.pause(wait).await;
        let why = match context.reader.operation(&planned.path, address).await {
            Ok(OperationState::Succeeded) => return Awaited::Succeeded,
            Ok(OperationState::Failed { detail }) => {
                let detail = detail.map(|text| format!(": {}", inert(&text))).unwrap_or_default();
                let message = format!("the company's own directory did not take the password{detail}");
                let hint = "reset it on a domain controller, twice: `stanch playbook show PLAYBOOK --by-hand --user UPN` prints how";
                return Awaited::Failed(failure("operation_failed", message, Some(hint), sent));
            }
            Ok(OperationState::Running) => "it is still running".to_owned(),
            // It may not be known everywhere yet, and a read that fails says nothing of the operation.
            Err(error) => note(&error).message,
        };
        if context.stop.is_given() || !waited_less(context, begun, context.patience.operation) {
            let waited = context.clock.now().duration_since(begun).as_secs();
            let message = format!("the operation had no end after {waited} s: {why}");
            let hint = "the connector on-premises may be down: look at Entra Connect, then look at the password's date before trying again";
            return Awaited::Open(failure("operation_open", message, Some(hint), sent));
        }
    }
}

fn failure(code: &str, message: String, hint: Option<&str>, sent: &Sent) -> FailureNote {
    FailureNote {
        code: code.to_owned(),
        message,
        hint: hint.map(str::to_owned),
        request_id: sent.request_id.clone(),
        status: Some(sent.status),
    }
}
