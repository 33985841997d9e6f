//! What was read already, for the length of one planning: each distinct GET is sent once, however many ask.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::OnceCell;

use crate::graph::answer::ErrorAnswer;
use crate::graph::error::GraphError;

/// An answer worth remembering: a success, or a definite no.
enum Remembered {
    Found(Arc<Value>),
    Refused { path: String, answer: Box<ErrorAnswer>, needs: &'static [&'static str] },
}

type Cell = Arc<OnceCell<Remembered>>;

/// The memo of one reader and its clones.
#[derive(Default)]
pub(super) struct Memo(Mutex<HashMap<String, Cell>>);

impl Memo {
    /// Gives the remembered answer, or asks for it; whoever comes meanwhile waits for the same one.
    pub(super) async fn recall<F>(
        &self,
        key: String,
        ask: impl FnOnce() -> F + Send,
    ) -> Result<Arc<Value>, GraphError>
    where
        F: Future<Output = Result<Arc<Value>, GraphError>> + Send,
    {
        let cell = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let remembered = cell
            .get_or_try_init(|| async {
                match ask().await {
                    Ok(value) => Ok(Remembered::Found(value)),
                    Err(GraphError::Refused { path, answer, needs, .. }) => {
                        Ok(Remembered::Refused { path, answer, needs })
                    }
                    // What may go well next time is not remembered.
                    Err(other) => Err(other),
                }
            })
            .await?;
        match remembered {
            Remembered::Found(value) => Ok(Arc::clone(value)),
            Remembered::Refused { path, answer, needs } => {
                Err(GraphError::Refused { method: "GET", path: path.clone(), answer: answer.clone(), needs })
            }
        }
    }
}
