//! What came after a run: the intruder's sign-ins, what they left or put back, and who enabled the account again.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::case_again::case_again;
use super::newcomers::is_newcomer;
use super::proof::{has_step, judges_methods};
use super::traces::{self, Trace, TraceKind, Traces};
use crate::case::{AuditActor, AuditRecord, Case, Indicator, Look, MethodVerdict, OtherUser, SignIn};
use crate::domain::{CidrBlock, shell_word, shown, with_causes};
use crate::graph::{GraphUser, Reader, SignInLog, SignInQuery};
use crate::investigate::{
    intruder_addresses, intruder_sessions, judge_others, read_neighbourhood, seen_again,
};
use crate::plan::Plan;
use crate::run::{Check, CheckState, Progress, SignInsSince};

/// What the log does not show yet (policy-logs-auth.md 4.4).
pub(super) const LOG_LAG: SignedDuration = SignedDuration::from_mins(15);
/// Sign-ins of the intruder's that are told one by one.
const MOST_TOLD: usize = 3;

/// Everything that was read.
pub(super) struct Aftermath {
    /// The account.
    pub user: Look<GraphUser>,
    /// The intruder's sign-ins since.
    pub sign_ins: Look<SignInsSince>,
    /// Other users whom somebody signed in as from the intruder's addresses since: another run's matter.
    pub others: Look<Vec<OtherUser>>,
    /// What is there of each kind.
    pub traces: Vec<Traces>,
    /// The case as the logs tell it now.
    pub case: Look<Case>,
}

/// Reads what came since a moment: that of the run's last revocation, or of its end.
pub(super) async fn read(reader: &Reader, plan: &Plan, after: Timestamp, now: Timestamp) -> Aftermath {
    let subject = &plan.case.subject;
    let query = SignInQuery { user: Some(subject.id.clone()), ip: None, from: after, to: None };
    let (user, case, log) = tokio::join!(
        reader.user(subject.id.as_str()),
        Box::pin(case_again(reader, plan, now)),
        reader.sign_ins(&query)
    );
    let user = match user {
        Ok(Some(user)) => Look::Read(user),
        Ok(None) => Look::Unread { why: "the account is gone".to_owned() },
        Err(error) => Look::Unread { why: with_causes(&error) },
    };
    let (traces, case) = match case {
        Err(error) => {
            let why = with_causes(&error);
            (traces::unread(&why), Look::Unread { why })
        }
        Ok(case) => (Box::pin(traces::read(reader, &case)).await, Look::Read(case)),
    };
    let indicators = case.read().map_or(&plan.case.indicators, |case| &case.indicators);
    let intruders = case.read().map(|case| case.evidence.intruder_sign_ins.as_slice()).unwrap_or_default();
    let sign_ins = match log {
        Ok(log) => Look::Read(since(&log, indicators, intruders, after, now)),
        Err(error) => Look::Unread { why: with_causes(&error) },
    };
    let others = Box::pin(others_since(reader, plan, indicators, after)).await;
    Aftermath { user, sign_ins, others, traces, case }
}

async fn others_since(
    reader: &Reader,
    plan: &Plan,
    indicators: &[Indicator],
    after: Timestamp,
) -> Look<Vec<OtherUser>> {
    let addresses = intruder_addresses(indicators);
    if addresses.is_empty() {
        return Look::Read(Vec::new());
    }
    let blocks: Vec<CidrBlock> = addresses.iter().map(|address| CidrBlock::single(*address)).collect();
    match read_neighbourhood(reader, &blocks, after).await {
        Ok(rows) => rows.map(|mut rows| {
            rows.retain(|row| row.at > after);
            judge_others(&addresses, &intruder_sessions(indicators), &rows, &plan.case.subject.id)
        }),
        Err(error) => Look::Unread { why: with_causes(&error) },
    }
}

fn since(
    log: &SignInLog,
    indicators: &[Indicator],
    intruders: &[String],
    after: Timestamp,
    now: Timestamp,
) -> SignInsSince {
    let seen = seen_again(&log.rows, indicators, intruders, after);
    let mut gaps = log.notes.clone();
    let is_masked = |row: &&SignIn| {
        row.at > after
            && row.is_no_failure()
            && !row.has_compliant_device()
            && row.ip.trim().parse::<IpAddr>().is_err()
    };
    let masked = log.rows.iter().filter(is_masked).count();
    if masked > 0 {
        gaps.push(format!("{masked} that went through have no address, or a masked one"));
    }
    if log.from > after {
        gaps.push(format!("the log was read from {} on alone", shown(log.from)));
    }
    if !log.has_non_interactive && gaps.is_empty() {
        gaps.push("sign-ins without a person were not read".to_owned());
    }
    SignInsSince {
        from: after,
        covered_until: now.saturating_sub(LOG_LAG).unwrap_or(after).max(after),
        indicators: indicators.iter().filter(|own| own.is_certain()).count(),
        successes: seen.successes,
        refused: seen.refused,
        gaps,
    }
}

impl Aftermath {
    /// Who enabled the account since, where the audit log tells.
    pub(super) fn enabled_by(&self, plan: &Plan, after: Timestamp) -> Option<String> {
        let record = self
            .case
            .read()?
            .evidence
            .audits
            .read()?
            .iter()
            .find(|own| own.at >= after && is_enabling(own))?;
        let by = match &record.actor {
            AuditActor::User { upn: Some(upn), .. } => format!("by {upn}"),
            AuditActor::User { id: Some(id), .. } => format!("by the user {id}"),
            AuditActor::App { name } => format!("by the app {name}"),
            AuditActor::User { .. } | AuditActor::Unknown => "by whom the record does not say".to_owned(),
        };
        let sync = if plan.case.subject.synced && is_sync(&record.actor) {
            ": the company's own directory has it enabled, and synchronization brings that back; disable it there"
        } else {
            ""
        };
        Some(format!("enabled {} {by}{sync}", shown(record.at)))
    }

    /// What is to be told of it beside what the run asserted.
    pub(super) fn checks(&self, plan: &Plan, then: &[Progress], again: &str) -> Vec<Check> {
        let mut checks = Vec::new();
        if plan.unchanged.iter().any(|own| own.is_of("disable_sign_in")) {
            checks.push(self.still_disabled(plan, again));
        }
        checks.push(self.sign_in_check(plan, again));
        for traces in &self.traces {
            // The proof tells of methods where the run went by them.
            if traces.kind != TraceKind::Method || !judges_methods(plan) {
                checks.extend(trace_checks(traces, plan, then, again));
            }
        }
        checks
    }

    fn still_disabled(&self, plan: &Plan, again: &str) -> Check {
        let (state, seen, next) = match &self.user {
            Look::Unread { why } => (CheckState::Unread, why.clone(), Some(again.to_owned())),
            Look::Read(user) if user.enabled => {
                let by = self.enabled_by(plan, plan.created_at);
                let seen = by.unwrap_or_else(|| "sign-in is enabled again".to_owned());
                (CheckState::Drifted, seen, Some(plan.command_to_plan_again()))
            }
            Look::Read(_) => {
                (CheckState::Holds, "sign-in is disabled, as when the plan was made".to_owned(), None)
            }
        };
        Check { action: None, what: "the account is disabled".to_owned(), state, required: true, seen, next }
    }

    fn sign_in_check(&self, plan: &Plan, again: &str) -> Check {
        // A log that only lags, or that nothing is looked for in, is as it is to be expected; one that was not read is not.
        let is_unread = match &self.sign_ins {
            Look::Unread { .. } => true,
            Look::Read(log) => log.successes.is_empty() && !log.gaps.is_empty(),
        };
        let (state, seen, next) = match &self.sign_ins {
            Look::Unread { why } => (CheckState::Unread, why.clone(), Some(again.to_owned())),
            Look::Read(log) if !log.successes.is_empty() => {
                (CheckState::Drifted, told_successes(log), Some(plan.command_to_plan_again()))
            }
            Look::Read(log) if log.gaps.is_empty() && log.covered_until > log.from && log.indicators > 0 => {
                (CheckState::Holds, told_none(log), None)
            }
            Look::Read(log) => (CheckState::Unread, told_none(log), Some(again.to_owned())),
        };
        Check {
            action: None,
            what: "no sign-in of the intruder's since".to_owned(),
            state,
            required: is_unread,
            seen,
            next,
        }
    }
}

fn is_enabling(record: &AuditRecord) -> bool {
    let name = record.activity.to_lowercase();
    let enables = |value: Option<&String>| value.is_some_and(|text| text.to_lowercase().contains("true"));
    name.starts_with("enable account")
        || (name.starts_with("update user")
            && record.modified.iter().any(|own| {
                own.name.eq_ignore_ascii_case("AccountEnabled") && enables(own.new_value.as_ref())
            }))
}

/// Whether synchronization did it, by the names that it goes by.
fn is_sync(actor: &AuditActor) -> bool {
    let name = match actor {
        AuditActor::User { upn: Some(upn), .. } => upn,
        AuditActor::App { name } => name,
        AuditActor::User { .. } | AuditActor::Unknown => return false,
    };
    let name = name.to_lowercase();
    ["sync_", "adtoaadsync", "directory synchronization", "syncfabric", "cloud sync"]
        .iter()
        .any(|own| name.contains(own))
}

fn told_successes(log: &SignInsSince) -> String {
    let told: Vec<String> = log
        .successes
        .iter()
        .take(MOST_TOLD)
        .map(|own| format!("{} from {} to {} ({})", shown(own.at), own.ip, own.app, own.by))
        .collect();
    let more = log.successes.len().saturating_sub(MOST_TOLD);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the intruder signed in: {}{more}", told.join("; "))
}

fn told_none(log: &SignInsSince) -> String {
    let mut told = Vec::new();
    if log.covered_until <= log.from {
        told.push(format!(
            "none shows, but the log lags: nothing is known before {}",
            shown(log.from.saturating_add(LOG_LAG).unwrap_or(log.from))
        ));
    } else if log.indicators == 0 {
        told.push("the plan knew nothing to look for them by".to_owned());
    } else {
        told.push(format!(
            "none went through from {} to {}; the log lags, so nothing is known of what came later",
            shown(log.from),
            shown(log.covered_until)
        ));
    }
    told.extend(log.refused.iter().map(|own| {
        let times = if own.count == 1 { "once".to_owned() } else { format!("{} times", own.count) };
        format!("refused {times}: {} ({}), last {}", own.meaning, own.code, shown(own.last_seen))
    }));
    told.extend(log.gaps.iter().cloned());
    told.join("; ")
}

fn trace_checks(traces: &Traces, plan: &Plan, then: &[Progress], again: &str) -> Vec<Check> {
    let kind = traces.kind;
    let has_step = has_step(plan, kind.step());
    let check = |what: String, state, seen: String, next| Check {
        action: None,
        what,
        state,
        required: has_step && state != CheckState::NotDone,
        seen,
        next,
    };
    let all = match &traces.found {
        Look::Unread { why } => {
            let what = format!("{} of the intruder's", kind.many());
            return vec![check(what, CheckState::Unread, why.clone(), Some(again.to_owned()))];
        }
        Look::Read(all) => all,
    };
    let is_told_already = |trace: &Trace| {
        plan.actions.iter().any(|action| action.object.id.as_deref() == Some(trace.id.as_str()))
    };
    let is_new = |trace: &Trace| is_newcomer(trace, kind, plan, then);
    let is_open = |trace: &Trace| {
        // What was not there a moment ago is not too old for the log.
        trace.is_unexplained(plan, then) || (is_new(trace) && trace.verdict == MethodVerdict::UnknownOld)
    };
    let open: Vec<&Trace> = all.iter().filter(|trace| is_open(trace) && !is_told_already(trace)).collect();
    if open.is_empty() {
        let seen = match all.len() {
            0 => "there is none at all".to_owned(),
            1 => "one is there, and it is not the intruder's".to_owned(),
            count => format!("{count} are there, and none is the intruder's"),
        };
        let what = format!("no {} of the intruder's is live", kind.one());
        return vec![check(what, CheckState::Holds, seen, None)];
    }
    open.into_iter()
        .map(|trace| {
            let reasons = trace.reasons.join("; ");
            let plan_again = if has_step {
                plan.command_to_plan_again()
            } else {
                format!("stanch plan bec --user {} -o plan.json", shell_word(plan.case.subject.upn.as_str()))
            };
            let came_since = trace.at.is_some_and(|at| at > plan.created_at) || is_new(trace);
            if trace.verdict != MethodVerdict::Attacker {
                let next = "ask the user whether it is theirs".to_owned();
                let (state, when) = if is_new(trace) {
                    (CheckState::Drifted, "it came, or was changed, since the plan; ")
                } else {
                    (CheckState::NotDone, "")
                };
                let seen = format!("{when}nobody knows whose it is: {reasons}");
                return check(trace.name.clone(), state, seen, Some(next));
            }
            // Whatever the plan knew it has an action for, or has told why not.
            let was_left = plan.left.iter().any(|own| own.is_of(kind.step()) && own.is_thing(&trace.id));
            let state =
                if came_since || (has_step && !was_left) { CheckState::Drifted } else { CheckState::NotDone };
            check(trace.name.clone(), state, format!("it is the intruder's: {reasons}"), Some(plan_again))
        })
        .collect()
}
