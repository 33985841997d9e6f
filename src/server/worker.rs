//! From an alert's case to a plan: claimed by lease, looked up, planned, kept. What fails for a while is tried again;
//! what a person has to decide waits for one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::receive::COOL_DOWN;
use crate::domain::{Clock, PlanId, inert, with_causes};
use crate::engine::{FromAlert, PlanError, PlanRequest, Planner, StopSignal};
use crate::plan::Plan;
use crate::playbook::BoundPlaybook;
use crate::store::{ClaimedCase, Held, Inbox, StoreError, Subject};

/// A claim that nobody renews ends after this: whoever held it is dead.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// How often a claim is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(30);
/// After a stop a plan may still be made within this.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often the inbox is looked at when nobody says that something came: leases of the dead end in silence.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);
/// Seconds until the next try; after the last of them a person is asked.
const TRIED_AGAIN_AFTER: [i64; 7] = [10, 30, 60, 120, 300, 600, 1_200];

/// What to do about a case that nothing is known of.
const BY_HAND: &str = "plan by hand: `stanch plan PLAYBOOK --user UPN`";

/// Makes the plans of cases.
pub struct Worker {
    /// Where cases are.
    pub inbox: Arc<dyn Inbox>,
    /// Makes plans; it cannot write.
    pub planner: Planner,
    /// The playbook of every webhook that plans.
    pub playbooks: BTreeMap<String, BoundPlaybook>,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// What tells this worker from others.
    pub owner: String,
    /// Told when something came.
    pub wake: Arc<Notify>,
}

/// How the planning of a case ended.
enum Ended {
    Planned(Box<Plan>),
    Joined(PlanId),
    Held,
    Lost,
    Failed(PlanError),
}

impl Worker {
    /// Works until the stop is given. What is being planned then may end; what takes too long is given up: its lease
    /// ends, and the next start takes it up.
    pub async fn run(&self, mut stop: StopSignal) {
        while !stop.is_given() {
            let mut work = std::pin::pin!(self.work_once());
            let next = tokio::select! {
                next = &mut work => next,
                () = stop.given() => tokio::select! {
                    next = &mut work => next,
                    () = self.clock.sleep(STOP_WITHIN) => return,
                },
            };
            match next {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the cases could not be read"),
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.clock.sleep(LOOKED_AT_EVERY) => {}
                () = stop.given() => return,
            }
        }
    }

    /// Works off one case that is due; says whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn work_once(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let Some(case) = self.inbox.claim(&self.owner, now, later(now, LEASE)).await? else {
            return Ok(false);
        };
        let ended = tokio::select! {
            ended = self.plan(&case) => ended?,
            lost = self.renew(&case.id) => { lost?; Ended::Lost }
        };
        match ended {
            Ended::Planned(plan) => {
                if self.inbox.plan_case(&self.owner, &plan).await? {
                    tracing::info!(plan = %plan.id, webhook = case.webhook, "an alert has a plan, which waits for a person");
                }
            }
            Ended::Joined(other) => {
                tracing::info!(case = %case.id, %other, "a case was joined to another about the same user");
            }
            Ended::Held => {
                tracing::error!(webhook = case.webhook, "the settings have no such webhook that plans");
            }
            Ended::Lost => tracing::warn!(case = %case.id, "somebody else works on the case by now"),
            Ended::Failed(error) => self.fail(&case, &error).await?,
        }
        Ok(true)
    }

    /// Keeps the claim for as long as it is ours.
    async fn renew(&self, case: &PlanId) -> Result<(), StoreError> {
        loop {
            self.clock.sleep(RENEWED_EVERY).await;
            let until = later(self.clock.now(), LEASE);
            if !self.inbox.renew(case, &self.owner, until).await? {
                return Ok(());
            }
        }
    }

    async fn plan(&self, case: &ClaimedCase) -> Result<Ended, StoreError> {
        let Some(playbook) = self.playbooks.get(&case.webhook) else {
            let held = Held {
                why: format!("the settings have no webhook `{}` that plans any more", case.webhook),
                next: BY_HAND.to_owned(),
            };
            self.inbox.hold(&case.id, &self.owner, held).await?;
            return Ok(Ended::Held);
        };
        let user = match self.planner.find(&case.named).await {
            Ok(user) => user,
            Err(error) => return Ok(Ended::Failed(error)),
        };
        let since = earlier(self.clock.now(), COOL_DOWN);
        match self.inbox.name_subject(&case.id, &self.owner, &user, since).await? {
            Subject::Own => {}
            Subject::Joined(other) => return Ok(Ended::Joined(other)),
            Subject::Lost => return Ok(Ended::Lost),
        }
        let mut from = FromAlert::new(&case.triggers, &playbook.name);
        from.plan = Some(case.id.clone());
        let request = PlanRequest {
            playbook: playbook.clone(),
            user: user.to_string(),
            since: None,
            ips: Vec::new(),
            user_agents: Vec::new(),
            keep: Vec::new(),
            remove: Vec::new(),
            overrides: Vec::new(),
            requested_by: format!("webhook {}", case.webhook),
            webhook: Some(case.webhook.clone()),
            notes: Vec::new(),
            alert: Some(from),
        };
        Ok(match Box::pin(self.planner.plan(request)).await {
            Ok(plan) => Ended::Planned(Box::new(plan)),
            Err(error) => Ended::Failed(error),
        })
    }

    async fn fail(&self, case: &ClaimedCase, error: &PlanError) -> Result<(), StoreError> {
        let why = with_causes(error);
        let wait = usize::try_from(case.attempts.saturating_sub(1))
            .ok()
            .and_then(|place| TRIED_AGAIN_AFTER.get(place))
            .filter(|_| is_passing(error));
        let told = inert(&why);
        if let Some(seconds) = wait {
            tracing::warn!(case = %case.id, told, seconds, "a plan could not be made, and is tried again");
            let run_at = later(self.clock.now(), SignedDuration::from_secs(*seconds));
            self.inbox.put_back(&case.id, &self.owner, run_at, &why).await?;
        } else {
            tracing::error!(case = %case.id, told, "a plan could not be made: the case waits for a person");
            let next = error.hint().unwrap_or_else(|| BY_HAND.to_owned());
            self.inbox.hold(&case.id, &self.owner, Held { why, next }).await?;
        }
        Ok(())
    }
}

/// Whether the same may go well a little later: the tenant did not answer, or refused for a reason that an administrator
/// may be mending right now.
fn is_passing(error: &PlanError) -> bool {
    error.exit_status() == 1
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
