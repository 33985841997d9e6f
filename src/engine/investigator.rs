//! Investigating: the user resolved, the tenant read, nothing planned. Invariant: it holds a `Reader` and nothing that
//! could write.

use std::sync::Arc;

use super::plan_error::PlanError;
use super::resolve;
use crate::alert::Hints;
use crate::case::{Investigation, Look};
use crate::config::Guards;
use crate::domain::{CidrBlock, Clock, Timestamp};
use crate::graph::Reader;
use crate::investigate::{Ask, investigate};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The user: object id or UPN.
    pub user: String,
    /// Since when the account counts as compromised, where given.
    pub since: Option<Timestamp>,
    /// Addresses and ranges of the intruder's.
    pub ips: Vec<CidrBlock>,
    /// Globs over the intruder's user agents.
    pub user_agents: Vec<String>,
    /// What an alert says.
    pub hints: Hints,
}

/// Investigates. It cannot write.
pub struct Investigator {
    /// The way to read the tenant.
    pub reader: Reader,
    /// Our clock; Graph's counts where it has answered.
    pub clock: Arc<dyn Clock>,
    /// The guards' settings: what must not be blocked is not proposed.
    pub guards: Guards,
}

impl Investigator {
    /// Reads the tenant, and tells what the intruder did.
    ///
    /// # Errors
    /// When there is no such user, or the tenant cannot be read.
    pub async fn investigate(&self, question: &Question) -> Result<Investigation, PlanError> {
        let reader = self.reader.remembering();
        reader.sign_in().await?;
        let (subject, rules) = tokio::join!(
            resolve::subject(&reader, &question.user),
            resolve::guard_rules(&reader, &self.guards, &[]),
        );
        let (subject, rules) = (subject?, rules?);
        let ask = Ask {
            since: question.since,
            ips: question.ips.clone(),
            user_agents: question.user_agents.clone(),
            hints: question.hints.clone(),
            now: reader.server_time().unwrap_or_else(|| self.clock.now()),
        };
        let mut found = investigate(&reader, &subject, &ask, &rules).await?;
        found.subject.last_sign_in = match &found.evidence.sign_ins {
            Look::Read(rows) => {
                Look::Read(rows.iter().filter(|row| row.error_code == 0).map(|row| row.at).max())
            }
            Look::Unread { why } => Look::Unread { why: why.clone() },
        };
        Ok(found)
    }
}
