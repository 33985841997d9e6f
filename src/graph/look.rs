//! What was refused is unread, and nothing is concluded from it; what was not answered stays an error.

use super::error::GraphError;
use crate::case::Look;

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
