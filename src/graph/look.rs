//! What was refused is unread, and nothing is concluded from it; what was not answered stays an error.

use super::error::GraphError;
use crate::case::Look;
use crate::domain::with_causes;

/// Takes every failure for unread, one that was not answered too: for what nothing else may wait for.
pub fn settled<T>(result: Result<T, GraphError>) -> Look<T> {
    look(result).unwrap_or_else(|error| unanswered(&error))
}

/// What was not answered, as unread.
pub fn unanswered<T>(error: &GraphError) -> Look<T> {
    Look::Unread { why: with_causes(error) }
}

/// Parts an answer from a refusal, which says why something was not read.
///
/// # Errors
/// When Graph did not answer: then nothing is known at all.
pub fn look<T>(result: Result<T, GraphError>) -> Result<Look<T>, GraphError> {
    match result {
        Ok(value) => Ok(Look::Read(value)),
        Err(error) if error.is_refusal() => {
            let why = match error.hint() {
                Some(hint) => format!("{error}; {hint}"),
                None => error.to_string(),
            };
            Ok(Look::Unread { why })
        }
        Err(error) => Err(error),
    }
}
