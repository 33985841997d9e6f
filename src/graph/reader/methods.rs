//! Authentication methods of a user, and which of them is the default.

use serde_json::Value;

use super::fetch::{Reader, malformed};
use super::field::{moment, text, text_if_any};
use crate::case::{AuthMethod, MethodKind};
use crate::domain::UserId;
use crate::graph::error::{FailureKind, GraphError};

impl Reader {
    /// Reads a user's methods in one call (beta, which knows more kinds, else v1.0;
    /// [authentication methods](https://learn.microsoft.com/graph/api/authentication-list-methods)).
    ///
    /// # Errors
    /// When neither version answers.
    pub async fn methods(&self, user: &UserId) -> Result<Vec<AuthMethod>, GraphError> {
        let beta = format!("/beta/users/{user}/authentication/methods");
        match self.list(&beta, &[]).await {
            Ok(rows) => parse_all(&beta, &rows),
            // Beta may change or go any day; what v1.0 would answer the same is not asked twice.
            Err(error) if error.is_permission_missing() || matches!(error, GraphError::SignIn(_)) => {
                Err(error)
            }
            Err(error) => {
                tracing::debug!(code = error.code(), "methods are read from v1.0: beta did not answer");
                let stable = format!("/v1.0/users/{user}/authentication/methods");
                let rows = self.list(&stable, &[]).await?;
                parse_all(&stable, &rows)
            }
        }
    }

    /// Reads which kind of method is the default: push, oath, sms, … (beta,
    /// [sign-in preferences](https://learn.microsoft.com/graph/api/authentication-get)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn default_method(&self, user: &UserId) -> Result<Option<String>, GraphError> {
        let target = format!("/beta/users/{user}/authentication/signInPreferences");
        let found = match self.object(&target).await {
            Ok(found) => found,
            // A user without any preference has no such object.
            Err(error) if error.is_not_found() && error.kind() == FailureKind::Definite => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(text_if_any(&found, "/userPreferredMethodForSecondaryAuthentication")
            .filter(|kind| kind != "none"))
    }
}

fn parse_all(target: &str, rows: &[Value]) -> Result<Vec<AuthMethod>, GraphError> {
    rows.iter().map(|row| parse_method(target, row)).collect()
}

fn parse_method(target: &str, row: &Value) -> Result<AuthMethod, GraphError> {
    let id = text(row, "/id").parse().map_err(|_| malformed(target, "a method without an id", None))?;
    let name =
        ["/displayName", "/phoneNumber", "/emailAddress"].iter().find_map(|field| text_if_any(row, field));
    Ok(AuthMethod {
        id,
        kind: MethodKind::from_odata_type(&text(row, "/@odata.type")),
        name: name.unwrap_or_default(),
        device_tag: text_if_any(row, "/deviceTag"),
        app_version: text_if_any(row, "/phoneAppVersion"),
        phone_type: text_if_any(row, "/phoneType"),
        created_at: moment(row, "/createdDateTime").or_else(|| moment(row, "/creationDateTime")),
        last_used_at: moment(row, "/lastUsedDateTime"),
    })
}
