//! Investigating: the user resolved, the tenant read, nothing planned. Invariant: it holds a `Reader` and nothing that
//! could write.

use std::sync::Arc;

use super::from_alert::FromAlert;
use super::plan_error::PlanError;
use super::planner::{check_tenant, tenant_now, with_last_sign_in};
use super::resolve;
use crate::case::{Case, Investigation, Look, Subject, Window};
use crate::config::Guards;
use crate::domain::{CidrBlock, Clock, Timestamp, UserId};
use crate::graph::{Reader, settled};
use crate::investigate::{Ask, Read, SignInFile, examine, investigate, left_behind, tried_among};
use crate::report::{Access, EvidenceRead, InvestigationReport, LeftBehind, Unread, controls};

/// Why what a tenant alone tells is not known where a file was given.
const FILE_ALONE: &str = "a file stood in for the tenant";

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The user: object id or UPN.
    pub user: String,
    /// Since when the account counts as compromised, where given.
    pub since: Option<Timestamp>,
    /// Until when the logs are looked at; left out: until now.
    pub until: Option<Timestamp>,
    /// Addresses and ranges of the intruder's.
    pub ips: Vec<CidrBlock>,
    /// Globs over the intruder's user agents.
    pub user_agents: Vec<String>,
    /// What was already said about the input, such as masked host bits.
    pub notes: Vec<String>,
    /// The alert that it comes from, where it does.
    pub alert: Option<FromAlert>,
}

impl Question {
    fn ask(&self, now: Timestamp) -> Ask {
        Ask {
            since: self.since,
            until: self.until,
            ips: self.ips.clone(),
            user_agents: self.user_agents.clone(),
            hints: self.alert.as_ref().map(|alert| alert.hints.clone()).unwrap_or_default(),
            now,
        }
    }
}

/// Investigates. It cannot write.
pub struct Investigator {
    /// The way to read the tenant.
    pub reader: Reader,
    /// Our clock; Graph's counts where it has answered.
    pub clock: Arc<dyn Clock>,
    /// The guards' settings: what must not be blocked is not proposed.
    pub guards: Guards,
    /// Whether a skewed clock stops it or is only warned of.
    pub skew_stops: bool,
}

impl Investigator {
    /// Reads the tenant, and tells what the intruder did.
    ///
    /// # Errors
    /// When there is no such user, or the tenant cannot be read.
    pub async fn investigate(&self, question: &Question) -> Result<Investigation, PlanError> {
        // On the heap: everything that is read is read side by side.
        Box::pin(self.look(&self.reader.remembering(), question)).await
    }

    /// Reads the tenant, and tells what the intruder did and left behind, as a document.
    ///
    /// # Errors
    /// As [`Self::investigate`]. What cannot be read of the tenant alone is told as unread.
    pub async fn report(&self, question: &Question) -> Result<InvestigationReport, PlanError> {
        let reader = self.reader.remembering();
        let found = Box::pin(self.look(&reader, question)).await?;
        let left = Box::pin(left_behind(&reader, &found.case)).await;
        Ok(InvestigationReport::new(&found, left))
    }

    /// Reads the tenant as [`Self::report`] does, and the policies that bear on it: what an incident report rests on.
    ///
    /// # Errors
    /// As [`Self::investigate`]. What cannot be read of the tenant alone is told as unread.
    pub async fn evidence(&self, question: &Question) -> Result<EvidenceRead, PlanError> {
        let reader = self.reader.remembering();
        let found = Box::pin(self.look(&reader, question)).await?;
        let left = Box::pin(left_behind(&reader, &found.case)).await;
        let policies = settled(reader.policies().await);
        Ok(EvidenceRead {
            read_at: reader.server_time().unwrap_or_else(|| self.clock.now()),
            alert_at: None,
            access: Access::of(&found.case.evidence),
            controls: policies.map(|policies| controls(&policies, &found.case.subject)),
            found: InvestigationReport::new(&found, left),
        })
    }

    async fn look(&self, reader: &Reader, question: &Question) -> Result<Investigation, PlanError> {
        // Alone and first: side by side each of the reads below would wait for a network that is down.
        reader.sign_in().await?;
        let (tenant, subject, rules) = tokio::join!(
            reader.organization(),
            resolve::subject(reader, &question.user),
            resolve::guard_rules(reader, &self.guards, &[]),
        );
        let alert = question.alert.clone().unwrap_or_default();
        // First: in another tenant the user is not there, or somebody else.
        check_tenant(&alert, &tenant?)?;
        let (subject, rules) = (subject?, rules?);
        let mut notes = alert.told;
        notes.extend(question.notes.iter().cloned());
        let now = tenant_now(reader, self.clock.as_ref(), self.skew_stops, &mut notes)?;
        let mut found = investigate(reader, &subject, &question.ask(now), &rules).await?;
        found.case.subject = with_last_sign_in(found.case.subject, &found.case.evidence);
        found.notes.splice(0..0, notes);
        Ok(found)
    }
}

/// Tells what the intruder did by a sign-in log in a file, which stands in for the tenant: nothing else is known.
///
/// # Errors
/// When the file has no sign-in of the user.
pub fn investigate_file(
    file: SignInFile,
    question: &Question,
    now: Timestamp,
) -> Result<InvestigationReport, PlanError> {
    let user = question.user.trim();
    let is_users = |id: Option<&UserId>, upn: &str| {
        upn.eq_ignore_ascii_case(user) || id.is_some_and(|id| id.as_str().eq_ignore_ascii_case(user))
    };
    let mut others: Vec<String> = Vec::new();
    let (mut rows, rest): (Vec<_>, Vec<_>) =
        file.rows.into_iter().partition(|row| is_users(row.user_id.as_ref(), &row.upn));
    for row in &rest {
        if others.len() < 3 && !others.iter().any(|known| *known == *row.upn) {
            others.push(row.upn.to_string());
        }
    }
    let known = rows.iter().find_map(|row| Some((row.user_id.clone()?, row.upn.parse().ok()?)));
    let Some((id, upn)) = known else {
        return Err(PlanError::NotInFile { text: user.to_owned(), others });
    };
    let (first, last) = (rows.iter().map(|row| row.at).min(), rows.iter().map(|row| row.at).max());
    let window = Window { from: first.unwrap_or(now), to: question.until.or(last).unwrap_or(now) };
    if let Some(until) = question.until {
        rows.retain(|row| row.at <= until);
    }
    let tried = tried_among(&rows, &rest, &id);
    let subject = Subject {
        id,
        upn,
        display_name: String::new(),
        created_at: None,
        synced: false,
        guest: false,
        federated: unread(),
        enabled: true,
        restricted: false,
        roles: unread(),
        in_role_assignable_group: unread(),
        password_changed_at: None,
        sessions_valid_from: None,
        last_sign_in: unread(),
    };
    let mut notes = question.notes.clone();
    notes.extend(file.notes);
    let read = Read {
        sign_ins: Look::Read(rows),
        audits: unread(),
        methods: unread(),
        tried,
        mail: Vec::new(),
        detections: unread(),
        window,
        notes,
    };
    let found = examine(read, &question.ask(window.to));
    let subject = with_last_sign_in(subject, &found.evidence);
    let found = Investigation {
        case: Case { subject, indicators: found.indicators, since: found.since, evidence: found.evidence },
        addresses: Vec::new(),
        others: unread(),
        mail: unread(),
        user_risk: unread(),
        detections: found.detections,
        notes: found.notes,
    };
    let kinds = ["inbox rules", "what apps the user lets in", "devices", "the account itself"];
    let unread = kinds.map(|what| Unread::new(what, FILE_ALONE));
    Ok(InvestigationReport::new(&found, LeftBehind { found: Vec::new(), unread: unread.into() }))
}

fn unread<T>() -> Look<T> {
    Look::Unread { why: FILE_ALONE.to_owned() }
}
