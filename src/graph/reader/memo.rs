//! What was read already, for the length of one planning: each distinct question is asked once, however many ask it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::OnceCell;

use super::sign_ins::SignInLog;
use crate::graph::answer::ErrorAnswer;
use crate::graph::error::GraphError;

/// An answer worth remembering: a success, or a definite no.
enum Remembered<T> {
    Found(Arc<T>),
    Refused { path: String, answer: Box<ErrorAnswer>, needs: &'static [&'static str] },
}

type Cell<T> = Arc<OnceCell<Remembered<T>>>;

/// The answers of one kind.
struct Answers<T>(Mutex<HashMap<String, Cell<T>>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Answers<T> {
    async fn recall<F>(&self, key: String, ask: impl FnOnce() -> F + Send) -> Result<Arc<T>, GraphError>
    where
        F: Future<Output = Result<Arc<T>, GraphError>> + Send,
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

/// The memo of one reader and its clones.
#[derive(Default)]
pub(super) struct Memo {
    objects: Answers<Value>,
    /// Sign-in logs are kept as their rows, not as the pages that they came in: these are ten times as large.
    logs: Answers<SignInLog>,
}

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
        self.objects.recall(key, ask).await
    }

    /// The same for a sign-in log.
    pub(super) async fn recall_log<F>(
        &self,
        key: String,
        ask: impl FnOnce() -> F + Send,
    ) -> Result<Arc<SignInLog>, GraphError>
    where
        F: Future<Output = Result<Arc<SignInLog>, GraphError>> + Send,
    {
        self.logs.recall(key, ask).await
    }
}
