//! `stanch apply`: exactly the plan, once consent is given.

use std::path::{Path, PathBuf};

use super::approvers;
use super::args::ApplyArgs;
use super::failure::{Failure, INTERRUPTED, NO_CONSENT};
use super::plan;
use super::runs;
use super::session::Session;
use super::stop;
use super::terminal;
use crate::approval::{Approval, Consent, Decision, Signers, Yes, heed_rejections};
use crate::domain::shell_path;
use crate::engine::{Applied, ApplyError};
use crate::plan::{Delivery, Plan, PlanSession};
use crate::report::Extent;
use crate::run::Run;
use crate::store::load_run;

/// Applies a plan from its file or from the store.
///
/// # Errors
/// When nothing was sent: no consent, a changed tenant, a guard.
pub async fn apply(session: &Session, args: &ApplyArgs) -> Result<u8, Failure> {
    let plan::Named { plan, name } = plan::read(session, &args.plan).await?;
    let store = session.store()?;
    if let Some(run) = store.run_of_plan(plan.digest).await? {
        // Nothing is sent, so nobody has to say yes or to sign in: the answer is the verdict that the run had.
        let (_, run) = load_run(store.as_ref(), &run).await?;
        return tell(session, &plan, &Applied::Earlier(Box::new(run)), false);
    }
    if plan.session == PlanSession::Person && !args.as_me {
        return Err(ApplyError::OtherSession.into());
    }
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    let beside = approvers::beside(Path::new(&name), &plan);
    let rejections = beside
        .iter()
        .map(|(_, approval)| approval.clone())
        .filter(|approval| approval.statement.decision == Decision::Reject)
        .collect();
    let signers = approvers::signers(session)?.heeding(rejections);
    let consent = if args.approval.is_empty() {
        heed_rejections(&plan, &signers, session.clock.now())?;
        check_unsigned_will_do(session).map_err(|failure| pointing_to(failure, &name, &beside))?;
        ask(session, &plan, args.yes, Some(&name))?
    } else {
        check_terminal(&plan)?;
        Consent::Signed(args.approval.iter().map(|path| approvers::read(path)).collect::<Result<_, _>>()?)
    };
    let (applied, was_stopped) = carry_out(session, plan.clone(), consent, signers).await?;
    tell(session, &plan, &applied, was_stopped)
}

/// Whether a yes without a signature is enough.
///
/// # Errors
/// When the settings ask for a signed one.
pub fn check_unsigned_will_do(session: &Session) -> Result<(), Failure> {
    if !session.config.approval.required {
        return Ok(());
    }
    Err(Failure::new(
        NO_CONSENT,
        "approval_required",
        "the settings ask for a signed approval (`approval.required`), and none was given: nothing was sent",
        Some(
            "write the plan with `stanch plan -o plan.json`, have a second person run `stanch approve plan.json --key \
             KEY --reason TEXT`, then run `stanch apply plan.json --approval FILE`"
                .to_owned(),
        ),
    ))
}

/// Points to the approvals that lie beside the plan already.
fn pointing_to(mut failure: Failure, name: &str, beside: &[(PathBuf, Approval)]) -> Failure {
    let found: String = beside
        .iter()
        .filter(|(_, approval)| approval.statement.decision == Decision::Approve)
        .map(|(path, _)| format!(" --approval {}", shell_path(&path.display().to_string())))
        .collect();
    if !found.is_empty() {
        failure.hint = Some(format!("run `stanch apply {}{found}`", shell_path(name)));
    }
    failure
}

/// Gets consent: `--yes`, or a yes at the terminal with the preview on it.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub fn ask(session: &Session, plan: &Plan, yes: bool, name: Option<&str>) -> Result<Consent, Failure> {
    check_terminal(plan)?;
    if yes {
        return Ok(Consent::Flag(given(session, plan)));
    }
    if !terminal::is_interactive() {
        return Err(Failure::new(
            NO_CONSENT,
            "nobody_to_ask",
            "there is no terminal to ask at, and `--yes` was not given: nothing was sent",
            Some("look at the plan with `stanch show`, then apply it with `--yes`".to_owned()),
        ));
    }
    anstream::eprint!("{}", plan::text(session, plan, name));
    confirm(session, plan)
}

/// A secret that is to be shown at the terminal needs one.
fn check_terminal(plan: &Plan) -> Result<(), Failure> {
    let wants_terminal = plan.actions.iter().any(|action| action.deliver == Some(Delivery::Terminal));
    if wants_terminal && !terminal::is_interactive() {
        return Err(Failure::new(
            NO_CONSENT,
            "no_terminal",
            "the plan shows a secret on the terminal, and there is none",
            Some("run it at a terminal, or plan with `deliver: sealed` (`stanch plan restore --set deliver=sealed`)".to_owned()),
        ));
    }
    Ok(())
}

/// Asks at the terminal; the preview is on it already.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub fn confirm(session: &Session, plan: &Plan) -> Result<Consent, Failure> {
    let question = format!(
        "\nCarry out {} for {}?",
        changes(plan.actions.iter().filter(|action| action.is_change()).count()),
        plan.case.subject.upn
    );
    match terminal::confirm(&question) {
        Ok(true) => Ok(Consent::Terminal(given(session, plan))),
        Ok(false) => Err(Failure::new(NO_CONSENT, "said_no", "not confirmed: nothing was sent", None)),
        Err(error) => {
            Err(Failure::of(NO_CONSENT, "cannot_ask", &error, Some("answer with `--yes`".to_owned())))
        }
    }
}

fn changes(count: usize) -> String {
    match count {
        // A plan may only watch.
        0 => "the plan, which changes nothing,".to_owned(),
        1 => "1 change".to_owned(),
        _ => format!("{count} changes"),
    }
}

/// The yes of whoever operates, to this very plan.
pub fn given(session: &Session, plan: &Plan) -> Yes {
    let at = session.clock.now();
    let lasts = jiff::SignedDuration::try_from(session.consent_lasts()).unwrap_or(jiff::SignedDuration::MAX);
    Yes {
        digest: plan.digest,
        by: session.operator(),
        at,
        expires_at: at.saturating_add(lasts).unwrap_or(jiff::Timestamp::MAX),
    }
}

/// Carries a plan out; the first Ctrl-C lets what is in flight end.
///
/// # Errors
/// When nothing was sent.
pub async fn carry_out(
    session: &Session,
    plan: Plan,
    consent: Consent,
    signers: Signers,
) -> Result<(Applied, bool), Failure> {
    let (watch, signal) = stop::on_interrupt();
    let (playbook, user) = (plan.playbook.name.clone(), plan.case.subject.upn.to_string());
    let outcome = session.applier(signers, signal.clone())?.apply(plan, consent).await;
    session.progress.end();
    drop(watch);
    let applied = outcome.map_err(|error| Failure::from(error).or_by_hand(&playbook, &user))?;
    Ok((applied, signal.is_given()))
}

/// What is said to who applies a plan that a run has taken already.
fn told_earlier(run: &Run) -> String {
    let id = &run.run;
    if run.ended_at.is_some() {
        format!(
            "this plan was applied already, by run {id}; nothing was sent\nhint: below is how it ended; to do more, make a new plan"
        )
    } else {
        format!(
            "run {id} is carrying this plan out, or was broken off; nothing was sent by this command\nhint: `stanch runs show {id}` tells how far it is; where it does not go on, make a new plan"
        )
    }
}

/// Prints how it ended, and reckons the exit status.
///
/// # Errors
/// When standard output cannot be written.
pub fn tell(session: &Session, plan: &Plan, applied: &Applied, was_stopped: bool) -> Result<u8, Failure> {
    let run: &Run = applied.run();
    if let Applied::Earlier(_) = applied
        && !session.quiet
    {
        anstream::eprintln!("{}", told_earlier(run));
    }
    runs::print(session, plan, run, Extent::Short)?;
    if was_stopped && run.verdict != crate::run::Verdict::Contained {
        return Ok(INTERRUPTED);
    }
    Ok(run.verdict.exit_status())
}
