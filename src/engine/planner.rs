//! Planning: the tenant read, every step asked what would have to change, the answers sealed under a digest.
//! Invariant: it holds a `Reader` and nothing that could write.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::context::{Notice, PlanPhase, Unwatched, Watcher};
use super::from_alert::FromAlert;
use super::incident;
use super::order::{check_order, planned_step, what_stays};
use super::plan_error::PlanError;
use super::resolve;
use super::send::new_id;
use super::shortfall;
use super::unknown_ids::unknown_ids;
use crate::alert::NamedUser;
use crate::case::{Case, Look, Subject};
use crate::config::{Guards, Role};
use crate::domain::{
    ActionId, AlertId, CidrBlock, Clock, MethodId, PlanId, Random, Sha256Digest, TenantId, Timestamp, UserId,
};
use crate::graph::{Reader, Reading, settled};
use crate::guard::{self, GuardRules, judge_subject};
use crate::investigate::{self, Ask};
use crate::plan::{
    Action, ApprovalMode, GuardRecord, LeftObject, PLAN_FORMAT, Plan, PlannedCase, PlaybookRef, Requester,
    TenantRef, UnchangedStep,
};
use crate::playbook::{Approval, BoundPlaybook, BoundStep};
use crate::report::{Control, EvidenceRead, controls};
use crate::run::{ActionState, Verdict, begin, next};
use crate::seal::Recipient;
use crate::steps::{AnyStep, Planned, Scope};
use crate::store::{Phase, Store, StoreError, load_run};

/// The version of this program.
pub const ENGINE: &str = concat!("stanch/", env!("CARGO_PKG_VERSION"));

/// Our clock and the tenant's may differ by this much.
pub(super) const MOST_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_secs(120);

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The playbook, its inputs filled in.
    pub playbook: BoundPlaybook,
    /// The user: object id or UPN.
    pub user: String,
    /// Since when the account counts as compromised.
    pub since: Option<Timestamp>,
    /// Addresses and ranges of the intruder's.
    pub ips: Vec<CidrBlock>,
    /// Globs over the intruder's user agents.
    pub user_agents: Vec<String>,
    /// Methods to keep whatever the evidence says.
    pub keep: Vec<MethodId>,
    /// Methods to remove whatever the evidence says.
    pub remove: Vec<MethodId>,
    /// Guards to set aside, by name.
    pub overrides: Vec<String>,
    /// Who asks: the configured UPN, or the operating system's user.
    pub requested_by: String,
    /// The webhook whose alert asks; none where a person does.
    pub webhook: Option<String>,
    /// What was already said about the input, such as masked host bits.
    pub notes: Vec<String>,
    /// The alert that it comes from, where it does.
    pub alert: Option<FromAlert>,
}

/// Makes plans. It cannot write.
#[derive(Clone)]
pub struct Planner {
    /// The way to read the tenant: the observer's where one is set.
    pub reader: Reader,
    /// Which of the two apps reads: of the responder the preview also says what it may not write.
    pub signed_in_as: Role,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for the plan's id.
    pub random: Arc<dyn Random>,
    /// The guards' settings.
    pub guards: Guards,
    /// Who may open a secret that the plan has sealed.
    pub recipients: Vec<Recipient>,
    /// The record of runs: whether the account was contained before somebody is let in, and where what was read of the
    /// incident is kept beside the plan. None: it is not known, and nothing is kept.
    pub record: Option<Arc<dyn Store>>,
    /// How long the plan can be applied.
    pub valid_for: Duration,
    /// Whether a skewed clock stops planning or is only warned of: against loopback it is warned of.
    pub skew_stops: bool,
}

impl Planner {
    /// Reads the tenant and makes the plan.
    ///
    /// # Errors
    /// When there is no such user, a guard refuses the user, the playbook's order leaves a way back in, or the tenant
    /// cannot be read.
    pub async fn plan(&self, request: PlanRequest) -> Result<Plan, PlanError> {
        self.plan_watched(request, &Unwatched).await
    }

    /// Reads the tenant and makes the plan, while somebody watches how far it is.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub async fn plan_watched(&self, request: PlanRequest, watcher: &dyn Watcher) -> Result<Plan, PlanError> {
        guard::check_overrides(&request.overrides)?;
        check_order(&request.playbook)?;
        let reader = self.reader.remembering();
        watcher.notice(&Notice::Planning(PlanPhase::Account));
        // Alone and first: side by side each of the reads below would wait for a network that is down.
        reader.sign_in().await?;
        tokio::select! {
            // On the heap: whoever awaits a plan would carry it on the stack.
            plan = Box::pin(self.plan_with(&reader, &request, watcher)) => plan,
            never = look_ahead(&reader, &request.playbook) => match never {},
        }
    }

    async fn plan_with(
        &self,
        reader: &Reader,
        request: &PlanRequest,
        watcher: &dyn Watcher,
    ) -> Result<Plan, PlanError> {
        let (tenant, subject, rules, grants) = tokio::join!(
            reader.organization(),
            resolve::subject(reader, &request.user),
            resolve::guard_rules(reader, &self.guards, &request.overrides),
            shortfall::read(reader),
        );
        let (tenant, subject, rules) = (tenant?, subject?, rules?);
        let alert = request.alert.clone().unwrap_or_default();
        check_tenant(&alert, &tenant)?;
        let mut warnings = alert.told;
        warnings.extend(request.notes.iter().cloned());
        let now = tenant_now(reader, self.clock.as_ref(), self.skew_stops, &mut warnings)?;
        let alert_at = alert.hints.time.filter(|time| investigate::is_plausible(*time, now));

        let ask = Ask {
            since: request.since,
            until: None,
            ips: request.ips.clone(),
            user_agents: request.user_agents.clone(),
            hints: alert.hints,
            now,
        };
        watcher.notice(&Notice::Planning(PlanPhase::Evidence));
        let takes_away = request.playbook.steps.iter().any(|step| AnyStep::is_door(&step.step));
        let (facts, found) = tokio::join!(
            resolve::subject_facts(reader, &subject, Some(&request.requested_by), &rules, takes_away),
            investigate::gather(reader, &subject, &ask),
        );
        let facts = facts?;
        let (refused, overridden) = guard::apply_overrides(judge_subject(&subject, &rules, &facts), &rules);
        if let Some(refusal) = refused.into_iter().next() {
            return Err(PlanError::SubjectRefused(refusal));
        }
        let found = found?;
        let subject = with_last_sign_in(subject, &found.evidence);
        let case = Arc::new(Case {
            subject,
            indicators: found.indicators,
            since: found.since,
            evidence: found.evidence,
        });
        let detections = found.detections;
        warnings.extend(found.notes);
        warnings.extend(emergency_warnings(&rules));
        warnings.extend(grants.permission_warnings(&request.playbook, &self.guards, self.signed_in_as));

        let contained_at = self.contained_at(&request.playbook, &case.subject.id).await;
        let own_passes = self.own_passes(&request.playbook, &case.subject.id).await;
        let (rules_of, recipients) = (rules.clone(), self.recipients.clone());
        let under = Under { rules: rules_of, recipients, contained_at, own_passes, now };
        let mut planned = plan_steps(reader, &case, request, Arc::new(under), watcher).await?;
        for (step, planned) in planned.iter_mut().filter(|(_, planned)| !planned.actions.is_empty()) {
            planned.warnings.extend(grants.licence_warnings(&step.step, step.required));
        }
        let stays = what_stays(&planned, request.playbook.aim);
        let controls = read_controls(reader, request, &case.subject).await;
        let mut plan = self.assemble(request, tenant, &case, &rules, planned)?;
        add_new(&mut plan.residual_risk, stays);
        plan.requested_by.resolved = facts.operator_id.is_some();
        plan.guards.overridden.splice(0..0, overridden);
        plan.warnings.splice(0..0, warnings);
        let plan = plan.sealed()?;
        // The steps are done with the case: this is its last owner, so that nothing is copied.
        let read =
            incident::read_while_planning(Arc::unwrap_or_clone(case), detections, controls, alert_at, now);
        self.keep(&plan, &read).await;
        Ok(plan)
    }

    /// Keeps what was read of the incident beside the plan, for its report. The plan does not hang on it.
    async fn keep(&self, plan: &Plan, read: &EvidenceRead) {
        let Some(store) = &self.record else { return };
        if let Err(error) = incident::keep(store.as_ref(), &plan.id, Phase::Planning, read).await {
            tracing::warn!(plan = %plan.id, %error, "what was read of the incident could not be kept beside the plan");
        }
    }

    /// Finds the one user that an alert names.
    ///
    /// # Errors
    /// When it names nobody of this tenant for certain, or more than one, or the tenant cannot be read.
    pub async fn find(&self, named: &NamedUser) -> Result<UserId, PlanError> {
        resolve::named_user(&self.reader.remembering(), named).await
    }

    /// When a run on record here last ended contained for the account, by ending its sessions. It is looked up where
    /// somebody is let in.
    async fn contained_at(&self, playbook: &BoundPlaybook, subject: &UserId) -> Look<Option<Timestamp>> {
        if !playbook.steps.iter().any(|step| AnyStep::is_way_in(&step.step)) {
            return Look::Read(None);
        }
        let Some(store) = &self.record else {
            return Look::Unread { why: "there is no record of runs to look in".to_owned() };
        };
        match last_contained(store.as_ref(), subject).await {
            Ok(found) => Look::Read(found),
            Err(error) => Look::Unread { why: error.to_string() },
        }
    }

    /// The passes that runs on record here have issued for the account. They are looked up where passes are cancelled.
    async fn own_passes(&self, playbook: &BoundPlaybook, subject: &UserId) -> Look<Vec<String>> {
        if !playbook.steps.iter().any(|step| step.step == "cancel_temporary_access_passes") {
            return Look::Read(Vec::new());
        }
        let Some(store) = &self.record else {
            return Look::Unread { why: "there is no record of runs to look in".to_owned() };
        };
        match issued_passes(store.as_ref(), subject).await {
            Ok(found) => Look::Read(found),
            Err(error) => Look::Unread { why: error.to_string() },
        }
    }

    fn assemble(
        &self,
        request: &PlanRequest,
        tenant: TenantRef,
        case: &Case,
        rules: &GuardRules,
        planned: Vec<(BoundStep, Planned)>,
    ) -> Result<Plan, PlanError> {
        let created_at = self.clock.now();
        let valid_for = jiff::SignedDuration::try_from(self.valid_for).unwrap_or(jiff::SignedDuration::MAX);
        let mut plan = Plan {
            format: PLAN_FORMAT.to_owned(),
            id: match request.alert.as_ref().and_then(|alert| alert.plan.clone()) {
                Some(promised) => promised,
                None => new_plan_id(created_at, self.random.as_ref())?,
            },
            digest: Sha256Digest::of_bytes(b""),
            created_at,
            expires_at: created_at.saturating_add(valid_for).unwrap_or(Timestamp::MAX),
            engine: ENGINE.to_owned(),
            tenant,
            playbook: PlaybookRef {
                name: request.playbook.name.clone(),
                digest: Sha256Digest::of_json(&request.playbook)?,
                aim: request.playbook.aim,
            },
            guards: GuardRecord { digest: rules.digest()?, refused: Vec::new(), overridden: Vec::new() },
            case: PlannedCase {
                subject: case.subject.clone(),
                indicators: case.indicators.clone(),
                since: case.since,
                methods: case.evidence.methods.clone(),
            },
            steps: planned.iter().map(|(step, planned)| planned_step(step, planned)).collect(),
            actions: Vec::new(),
            unchanged: Vec::new(),
            left: Vec::new(),
            warnings: Vec::new(),
            residual_risk: Vec::new(),
            permissions: Vec::new(),
            session: self.reader.session(),
            requested_by: Requester {
                name: request.requested_by.clone(),
                resolved: false,
                webhook: request.webhook.clone(),
            },
        };
        let asked = [(&request.keep, "--keep"), (&request.remove, "--remove")];
        plan.warnings.extend(unknown_ids(asked, &planned));
        let ends = step_ends(&planned);
        for (step, planned) in planned {
            let needed = planned.actions.iter().flat_map(AnyStep::permissions_of);
            plan.permissions.extend(needed.map(|&name| name.to_owned()));
            let waits: Vec<ActionId> =
                step.needs.iter().filter_map(|need| ends.get(need)).flatten().cloned().collect();
            plan.actions
                .extend(planned.actions.into_iter().map(|action| marked_door(wait_for(action, &waits))));
            let kind = (step.id != step.step).then(|| step.step.clone());
            if let Some(why) = planned.unchanged {
                plan.unchanged.push(UnchangedStep { step: step.id.clone(), kind: kind.clone(), why });
            }
            plan.left.extend(planned.left.into_iter().map(|left| LeftObject { kind: kind.clone(), ..left }));
            plan.warnings.extend(planned.warnings);
            add_new(&mut plan.residual_risk, planned.residual_risk);
            plan.guards.refused.extend(planned.refused.into_iter().map(|mut refusal| {
                refusal.holds_back = step.required;
                refusal.step = Some(step.id.clone());
                refusal
            }));
            plan.guards.overridden.extend(planned.overridden);
        }
        plan.permissions.sort();
        plan.permissions.dedup();
        Ok(plan)
    }
}

/// A fresh id for a plan, in time order.
///
/// # Errors
/// When it is no id: a fault of ours.
pub fn new_plan_id(now: Timestamp, random: &dyn Random) -> Result<PlanId, PlanError> {
    Ok(new_id(now, random).parse()?)
}

/// A fresh id for an alert, in time order.
///
/// # Errors
/// When it is no id: a fault of ours.
pub fn new_alert_id(now: Timestamp, random: &dyn Random) -> Result<AlertId, PlanError> {
    Ok(new_id(now, random).parse()?)
}

/// Graph's time, and whether ours agrees with it.
pub(super) fn tenant_now(
    reader: &Reader,
    clock: &dyn Clock,
    skew_stops: bool,
    warnings: &mut Vec<String>,
) -> Result<Timestamp, PlanError> {
    let ours = clock.now();
    let Some(theirs) = reader.server_time() else { return Ok(ours) };
    let skew = ours.duration_since(theirs);
    if skew.abs() > MOST_SKEW {
        if skew_stops {
            return Err(PlanError::ClockSkew { seconds: skew.as_secs() });
        }
        warnings.push(format!(
            "this machine's clock and the tenant's differ by {} s; the tenant's is used for the logs",
            skew.as_secs()
        ));
    }
    Ok(theirs)
}

/// Refuses an alert about another tenant: a user of the same name there is another person.
pub(super) fn check_tenant(alert: &FromAlert, tenant: &TenantRef) -> Result<(), PlanError> {
    let mut named = alert.tenants.iter().filter_map(|text| text.parse::<TenantId>().ok());
    match named.find(|named| *named != tenant.id) {
        Some(named) => Err(PlanError::OtherTenant { named: named.to_string(), own: tenant.id.to_string() }),
        None => Ok(()),
    }
}

/// Adds what is not there yet: two revocations leave the same risk once.
fn add_new(list: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !list.contains(&text) {
            list.push(text);
        }
    }
}

/// For every step the actions that must have ended before what needs the step may start: its own, or, where it has
/// none, those of what it needs itself.
fn step_ends(planned: &[(BoundStep, Planned)]) -> BTreeMap<String, Vec<ActionId>> {
    let mut ends: BTreeMap<String, Vec<ActionId>> = BTreeMap::new();
    // A playbook's `needs` may name later steps: as many passes as steps reach every one of them.
    for _ in planned {
        for (step, planned) in planned {
            let mut own: Vec<ActionId> = planned.actions.iter().map(|action| action.id.clone()).collect();
            if own.is_empty() {
                own = step.needs.iter().filter_map(|need| ends.get(need)).flatten().cloned().collect();
                own.sort();
                own.dedup();
            }
            ends.insert(step.id.clone(), own);
        }
    }
    ends
}

/// Makes an action wait for what its step waits for, unless it waits for a sibling that does.
fn wait_for(mut action: Action, waits: &[ActionId]) -> Action {
    if action.needs.is_empty() {
        action.needs = waits.to_vec();
    }
    action
}

/// Marks what a person does that shuts a way in: a revocation has to follow it, as it follows our own.
fn marked_door(mut action: Action) -> Action {
    let is_door = AnyStep::is_door(&action.step);
    if let Some(cannot) = &mut action.cannot {
        cannot.then_revoke = is_door;
    }
    action
}

pub(super) fn with_last_sign_in(mut subject: Subject, evidence: &crate::case::Evidence) -> Subject {
    let rows = evidence.sign_ins.as_ref();
    subject.last_sign_in =
        rows.map(|rows| rows.iter().filter(|row| row.error_code == 0).map(|row| row.at).max());
    subject
}

fn emergency_warnings(rules: &GuardRules) -> Vec<String> {
    let mut warnings: Vec<String> = rules
        .unresolved_emergency
        .iter()
        .map(|text| format!("the emergency account `{text}` was not found, or is disabled"))
        .collect();
    if rules.no_emergency_accounts {
        warnings.push("the settings say that this tenant has no emergency accounts: a policy that locks people out locks out everyone".to_owned());
    }
    warnings.extend(rules.accepted_permissions.iter().map(|name| {
        format!("the settings accept that the responder holds `{name}`, with which whoever takes its credential takes the tenant")
    }));
    warnings
}

/// Reads ahead what some step will ask for and what nobody has to be known for: policies and locations come one a second
/// once Graph throttles, so that the wait runs beside the reading of logs. It never ends: the plan does.
async fn look_ahead(reader: &Reader, playbook: &BoundPlaybook) -> Infallible {
    let reads: Vec<Reading> =
        playbook.steps.iter().flat_map(|step| AnyStep::reads(&step.step, &step.with)).collect();
    let locations = async {
        if reads.contains(&Reading::NamedLocations) {
            // Whoever needs them meets the error again.
            drop(reader.named_locations().await);
        }
    };
    let policies = async {
        if reads.contains(&Reading::Policies) {
            drop(reader.policies().await);
        }
    };
    tokio::join!(locations, policies);
    std::future::pending().await
}

/// The tenant's policies before the run, where the playbook reads them anyway.
async fn read_controls(reader: &Reader, request: &PlanRequest, subject: &Subject) -> Look<Vec<Control>> {
    let steps = &request.playbook.steps;
    if !steps.iter().any(|step| AnyStep::reads(&step.step, &step.with).contains(&Reading::Policies)) {
        return Look::Unread { why: "no step of the playbook reads the policies".to_owned() };
    }
    settled(reader.policies().await).map(|policies| controls(&policies, subject))
}

/// The newest run that contained an account.
async fn last_contained(store: &dyn Store, subject: &UserId) -> Result<Option<Timestamp>, StoreError> {
    let mut newest = None;
    for row in store.runs().await?.into_iter().filter(|row| row.subject == *subject) {
        let (_, run) = load_run(store, &row.run).await?;
        let ended_sessions = run
            .actions
            .iter()
            .any(|action| AnyStep::is_revocation(&action.step) && action.state == ActionState::Verified);
        if run.verdict == Verdict::Contained && ended_sessions {
            newest = newest.max(run.ended_at);
        }
    }
    Ok(newest)
}

/// The passes that runs have issued for an account.
async fn issued_passes(store: &dyn Store, subject: &UserId) -> Result<Vec<String>, StoreError> {
    let mut issued = Vec::new();
    for row in store.runs().await?.into_iter().filter(|row| row.subject == *subject) {
        let (plan, journal) = store.load(&row.run).await?;
        let passes = plan.actions.iter().filter(|action| action.step == "issue_temporary_access_pass");
        let progress = journal.iter().try_fold(begin(&plan), |own, line| next(own, &line.entry))?;
        issued.extend(passes.filter_map(|action| {
            progress.iter().find(|own| own.id == action.id).and_then(|own| own.made_id.clone())
        }));
    }
    Ok(issued)
}

/// What every step is planned under.
struct Under {
    rules: GuardRules,
    recipients: Vec<Recipient>,
    contained_at: Look<Option<Timestamp>>,
    own_passes: Look<Vec<String>>,
    now: Timestamp,
}

/// Asks every step, side by side. The reader remembers, so what two steps read is read once.
async fn plan_steps(
    reader: &Reader,
    case: &Arc<Case>,
    request: &PlanRequest,
    under: Arc<Under>,
    watcher: &dyn Watcher,
) -> Result<Vec<(BoundStep, Planned)>, PlanError> {
    let all = request.playbook.steps.len();
    let come_to = |done| watcher.notice(&Notice::Planning(PlanPhase::Steps { done, all }));
    come_to(0);
    let mut tasks = JoinSet::new();
    for (place, step) in request.playbook.steps.iter().cloned().enumerate() {
        let (reader, case, under, request) =
            (reader.clone(), Arc::clone(case), Arc::clone(&under), request.clone());
        tasks.spawn(async move {
            let scope = Scope {
                step_id: &step.id,
                required: step.required,
                approval: match step.approval {
                    Approval::Always => ApprovalMode::Always,
                    Approval::Auto => ApprovalMode::Auto,
                },
                rules: &under.rules,
                keep: &request.keep,
                remove: &request.remove,
                ips_given: &request.ips,
                recipients: &under.recipients,
                contained_at: &under.contained_at,
                own_passes: &under.own_passes,
                now: under.now,
            };
            let planned = AnyStep::look_and_plan(&step.step, &step.with, &case, &scope, &reader).await;
            (place, step, planned)
        });
    }
    let mut planned = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let (place, step, result) =
            ended.map_err(|_| PlanError::Lost { playbook: request.playbook.name.clone() })?;
        planned.push((place, step, result?));
        come_to(planned.len());
    }
    planned.sort_by_key(|(place, _, _)| *place);
    Ok(planned.into_iter().map(|(_, step, planned)| (step, planned)).collect())
}
