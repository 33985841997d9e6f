//! `stanch approve`: shows a plan, and signs a statement about it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{ApproveArgs, DecisionArg, Format};
use super::failure::{Failure, NO_CONSENT};
use super::output::{print_json, print_text};
use super::session::Session;
use super::signing_key::SigningKey;
use super::{approvers, plan, terminal};
use crate::approval::{
    Approval, ApprovalError, Decision, Nonce, STATEMENT_FORMAT, Signers, Statement, Uncounted, WhyUncounted,
    check_approval, verify,
};
use crate::config::parse_duration;
use crate::domain::{Upn, inert, shell_path, shown};
use crate::plan::Plan;

/// Approves or rejects a plan.
///
/// # Errors
/// When the plan cannot be used, the key cannot sign, or the approver may not approve it.
pub async fn approve(session: &Session, args: &ApproveArgs) -> Result<u8, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::new(
            2,
            "no_reason",
            "`--reason` is empty",
            Some("say in a few words why: it is part of the record".to_owned()),
        ));
    }
    let approver = approver(session, args)?;
    let plan::Named { plan, name } = plan::read(session, &args.plan).await?;
    let signers = approvers::signers(session)?;
    let statement = statement(session, args, &plan, approver)?;
    if statement.decision == Decision::Approve {
        check_not_involved(session, &plan, &statement.approver)?;
    }
    let key = SigningKey::open(&args.key)?;
    if let (Some(listed), Some(public)) = (signers.listed(), key.public()) {
        let by = statement.approver.to_string();
        listed
            .admit(public, &by, session.clock.now())
            .map_err(|fault| ApprovalError::Unlisted { by: by.clone(), fault })?;
    }
    if !session.quiet {
        anstream::eprint!("{}", plan::text(session, &plan, None));
    }
    if signers.listed().is_none() && !session.quiet {
        anstream::eprintln!(
            "note: the settings name no file of approvers (`approval.approvers`): whether this key may approve is \
             judged where the plan is applied"
        );
    }
    confirm(args, &statement, &plan)?;
    let message = statement.message().map_err(|error| Failure::of(1, "statement", &error, None))?;
    let approval = Approval { signature: key.sign(&message)?, statement };
    check_signed(&plan, &approval, &signers, session.clock.now())?;
    let place = match &args.output {
        Some(path) => path.clone(),
        None => approvers::place(Path::new(&name), approval.statement.approver.as_str()),
    };
    plan::write_whole(&place, &approval)?;
    tell(session, &name, &approval, &place)?;
    Ok(0)
}

/// Who approves: `--approver`, or the configured operator.
fn approver(session: &Session, args: &ApproveArgs) -> Result<Upn, Failure> {
    let text = args.approver.as_ref().or(session.config.operator.user.as_ref()).ok_or_else(|| {
        Failure::new(
            2,
            "no_approver",
            "who approves is not known",
            Some(
                "set `[operator] user = \"you@contoso.com\"`, or say `--approver you@contoso.com`".to_owned(),
            ),
        )
    })?;
    text.parse().map_err(|error: crate::domain::IdError| {
        Failure::of(
            2,
            "bad_approver",
            &error,
            Some("an approver is named by user principal name, as in the approvers' file".to_owned()),
        )
    })
}

fn statement(
    session: &Session,
    args: &ApproveArgs,
    plan: &Plan,
    approver: Upn,
) -> Result<Statement, Failure> {
    let now = session.clock.now();
    if now >= plan.expires_at {
        return Err(ApprovalError::PlanExpired { at: plan.expires_at }.into());
    }
    let within = match &args.within {
        None => session.config.approval.approve_within,
        Some(text) => parse_duration(text).map_err(|why| {
            Failure::new(2, "bad_duration", why, Some("write it as `--within 30m`".to_owned()))
        })?,
    };
    let within = SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
    // Whole seconds read better, and the approval is never dated later than it was given.
    let approved_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Ok(Statement {
        format: STATEMENT_FORMAT.to_owned(),
        digest: plan.digest,
        decision: match args.decision {
            DecisionArg::Approve => Decision::Approve,
            DecisionArg::Reject => Decision::Reject,
        },
        reason: args.reason.trim().to_owned(),
        approver,
        approved_at,
        execute_by: approved_at.saturating_add(within).unwrap_or(Timestamp::MAX).min(plan.expires_at),
        nonce: Nonce::draw(session.random.as_ref()),
    })
}

/// Says at once what `apply` would say later. By name alone: who is who in the tenant, `apply` looks up.
fn check_not_involved(session: &Session, plan: &Plan, approver: &Upn) -> Result<(), Failure> {
    if !session.config.approval.four_eyes {
        return Ok(());
    }
    let is = |name: &str| name.to_lowercase() == approver.as_str().to_lowercase();
    let asked = &plan.requested_by;
    if asked.webhook.is_none() && asked.name.parse::<Upn>().is_err() {
        let why = WhyUncounted::RequesterUnknown { name: asked.name.clone() };
        return Err(ApprovalError::NoneCounts {
            uncounted: vec![Uncounted { approver: approver.clone(), why }],
        }
        .into());
    }
    let what = if asked.webhook.is_none() && is(&asked.name) {
        "asked for this plan"
    } else if is(plan.case.subject.upn.as_str()) {
        "is the user whom this plan is about"
    } else {
        return Ok(());
    };
    Err(Failure::new(
        NO_CONSENT,
        "approver_not_counted",
        format!("`{approver}` {what}, and so cannot approve it: nothing was signed"),
        Some("have a third person approve it (`approval.four_eyes`)".to_owned()),
    ))
}

/// At a terminal the approver has just seen the plan: only now do they decide.
fn confirm(args: &ApproveArgs, statement: &Statement, plan: &Plan) -> Result<(), Failure> {
    if args.yes || !terminal::is_interactive() {
        return Ok(());
    }
    let verb = match statement.decision {
        Decision::Approve => "Approve",
        Decision::Reject => "Reject",
    };
    let question = format!(
        "\n{verb} this plan for {} as {}: {}?",
        plan.case.subject.upn,
        statement.approver,
        inert(&statement.reason)
    );
    match terminal::confirm(&question) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(NO_CONSENT, "said_no", "not confirmed: nothing was signed", None)),
        Err(error) => Err(Failure::of(NO_CONSENT, "cannot_ask", &error, Some("say `--yes`".to_owned()))),
    }
}

/// Judges our own signature as `apply` will, before it is handed on.
fn check_signed(plan: &Plan, approval: &Approval, signers: &Signers, now: Timestamp) -> Result<(), Failure> {
    let judged = if signers.listed().is_some() {
        check_approval(plan, approval, signers, now).map(drop)
    } else {
        let message = approval.statement.message().map_err(ApprovalError::Digest)?;
        verify(&approval.signature, &message)
            .map(drop)
            .map_err(|fault| ApprovalError::Signature { by: approval.statement.approver.to_string(), fault })
    };
    match judged {
        Err(ApprovalError::Rejected { .. }) if approval.statement.decision == Decision::Reject => Ok(()),
        other => Ok(other?),
    }
}

/// `stanch approve`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WrittenApproval {
    /// The file that it was written to.
    file: String,
    /// The approval.
    approval: Approval,
}

fn tell(session: &Session, plan: &str, approval: &Approval, place: &Path) -> Result<(), Failure> {
    let statement = &approval.statement;
    if session.format == Format::Json {
        return print_json(&WrittenApproval {
            file: place.display().to_string(),
            approval: approval.clone(),
        });
    }
    let next = match statement.decision {
        Decision::Approve => format!(
            "It can be used until {}:\n  stanch apply {} --approval {}\n",
            shown(statement.execute_by),
            shell_path(plan),
            shell_path(&place.display().to_string())
        ),
        Decision::Reject => "While it lies in the folder in which the plan is applied, or is given with `--approval`, the plan is not \
                             applied. Tell whoever would apply it.\n"
            .to_owned(),
    };
    let what = match statement.decision {
        Decision::Approve => "Approved",
        Decision::Reject => "Rejected",
    };
    print_text(&format!("{what} as {}, in {}\n{next}", statement.approver, place.display()))
}
