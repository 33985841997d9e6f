//! What Graph does later: an operation that a write has begun (identity.md 3.3).

use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{text, text_if_any};
use crate::graph::error::GraphError;
use crate::graph::path::with_query;

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// It has not ended.
    Running,
    /// It did what was asked.
    Succeeded,
    /// It did not.
    Failed {
        /// What the service says of it: show it inert.
        detail: Option<String>,
    },
}

impl Reader {
    /// Reads how an operation stands, at the very address that Graph gave for it: its query names the datacentre (v1.0,
    /// [longRunningOperation](https://learn.microsoft.com/graph/api/longrunningoperation-get)).
    ///
    /// # Errors
    /// When the address is not Graph's, or the call fails or does not say.
    pub async fn operation(&self, begun_by: &str, address: &str) -> Result<OperationState, GraphError> {
        self.check_link(begun_by, address)
            .map_err(|_| malformed(begun_by, "an operation at an address that is not Graph's", None))?;
        let found = self.object_now(address).await?;
        // Pages spell the words in either case, and an older type said `completed`.
        Ok(match text(&found, "/status").to_ascii_lowercase().as_str() {
            "succeeded" | "completed" => OperationState::Succeeded,
            "failed" => OperationState::Failed { detail: text_if_any(&found, "/statusDetail") },
            _ => OperationState::Running,
        })
    }

    /// Tells whether a password that is set in the cloud is written back to the company's own directory. Only a person's
    /// session can ask (v1.0,
    /// [onPremisesDirectorySynchronization](https://learn.microsoft.com/graph/api/onpremisesdirectorysynchronization-get)).
    ///
    /// # Errors
    /// When the call fails or does not say.
    pub async fn password_writeback(&self) -> Result<bool, GraphError> {
        let target = with_query("/v1.0/directory/onPremisesSynchronization", &[("$select", "id,features")]);
        let rows = self.list(&target, &[]).await?;
        let said: Vec<bool> = rows
            .iter()
            .filter_map(|row| row.pointer("/features/passwordWritebackEnabled").and_then(Value::as_bool))
            .collect();
        if said.is_empty() {
            return Err(malformed(&target, "nothing about password writeback", None));
        }
        Ok(said.contains(&true))
    }
}
