//! The proof: what is read after the last write. `contained` rests on this, not on the answers to our writes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::as_it_ran;
use super::context::RunContext;
use super::newcomers;
use crate::case::{AuthMethod, MethodKind};
use crate::domain::{shell_word, shown, with_causes};
use crate::graph::{OUT_OF_REACH, Reader, is_covered};
use crate::plan::{Action, EffectClass, Plan, effect_of};
use crate::run::{ActionState, HandedOver, OpenItem, Progress, Proof, ProofFact};
use crate::steps::AnyStep;

/// Reads the tenant at the end of a run and tells what holds and what stays open.
pub(super) async fn prove(context: &RunContext) -> Proof {
    let plan = context.approved.plan();
    let progress = context.progress();
    let mut proof = Proof::default();
    let (revokes, judges_methods) = (revokes(plan, &progress), judges_methods(plan));
    let (watermark, methods, (facts, open)) = tokio::join!(
        async { if revokes { Some(settled_watermark(context, plan, &progress).await) } else { None } },
        async {
            if judges_methods { Some(methods_fact(&context.reader, plan, &progress).await) } else { None }
        },
        Box::pin(newcomers::prove(&context.reader, plan, &progress, context.tenant_now())),
    );
    if let Some((fact, open)) = watermark {
        proof.facts.push(fact);
        proof.open.extend(open);
    }
    if let Some((fact, open)) = methods {
        proof.facts.push(fact);
        proof.open.extend(open);
    }
    proof.facts.extend(facts);
    proof.open.extend(open);
    if let Some((fact, open)) = as_it_ran::judge(plan, &progress) {
        proof.facts.push(fact);
        proof.open.push(open);
    }
    proof.open.extend(lacking_permissions(context, plan, &progress).await);
    proof.open.extend(open_items(plan, &progress));
    proof.open.extend(out_of_reach_item(context, plan, &progress).await);
    proof
}

/// What a person can do where something is not done and Graph, or our own app, is out of reach: the intruder may have
/// disabled it.
async fn out_of_reach_item(context: &RunContext, plan: &Plan, progress: &[Progress]) -> Option<OpenItem> {
    let is_undone = |own: &Progress| {
        matches!(own.state, ActionState::Failed | ActionState::Ambiguous | ActionState::NotStarted)
    };
    let undone: Vec<&Progress> = progress.iter().filter(|own| is_undone(own)).collect();
    let shut_out = |own: &&Progress| own.failure.as_deref().is_some_and(|code| OUT_OF_REACH.contains(&code));
    let is_out_of_reach = match undone.as_slice() {
        [] => false,
        some if some.iter().any(shut_out) => true,
        // A look that failed before anything was sent leaves no code.
        _ => {
            let read = context.reader.user(plan.case.subject.id.as_str()).await;
            read.is_err_and(|error| error.is_out_of_reach())
        }
    };
    is_out_of_reach.then(|| OpenItem {
        what: "what is not done".to_owned(),
        why: "Graph, or our own app, is out of reach".to_owned(),
        next: format!(
            "do it by hand: `stanch playbook show {} --by-hand --user {}`",
            plan.playbook.name,
            user_word(plan)
        ),
    })
}

/// Names the permissions for want of which actions failed: Graph's refusal is of the first call, and that is often the
/// look before the change, which a lesser permission would open.
async fn lacking_permissions(context: &RunContext, plan: &Plan, progress: &[Progress]) -> Vec<OpenItem> {
    let failed: Vec<&Action> = plan
        .actions
        .iter()
        .filter(|action| own(progress, action).is_some_and(|own| own.state == ActionState::Failed))
        .collect();
    if failed.is_empty() {
        return Vec::new();
    }
    let Ok(held) = context.reader.permissions().await else { return Vec::new() };
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in failed {
        for permission in AnyStep::permissions_of(action) {
            if !is_covered(permission, &held) {
                let steps = lacking.entry(permission).or_default();
                if !steps.contains(&action.step.as_str()) {
                    steps.push(&action.step);
                }
            }
        }
    }
    lacking
        .into_iter()
        .map(|(permission, steps)| OpenItem {
            what: format!("the responder lacks the permission `{permission}`"),
            why: format!("without it {} cannot be done", steps.join(", ")),
            next: format!(
                "grant it (`stanch doctor {}` shows the command), then plan again",
                plan.playbook.name
            ),
        })
        .collect()
}

/// Whether a run sent a revocation, so that it must be the last of all.
pub(super) fn revokes(plan: &Plan, progress: &[Progress]) -> bool {
    last_revocation(plan, progress).is_some()
}

/// Whether a run went by the list of methods, so that none may have come since.
pub(super) fn judges_methods(plan: &Plan) -> bool {
    plan.case.methods.read().is_some() && has_step(plan, "remove_auth_methods")
}

/// Whether a plan has a step of a kind, whatever became of it.
pub(super) fn has_step(plan: &Plan, kind: &str) -> bool {
    plan.actions.iter().any(|action| action.step == kind)
        || plan.unchanged.iter().any(|unchanged| unchanged.is_of(kind))
        || plan.left.iter().any(|left| left.is_of(kind))
}

fn is_revocation(action: &Action) -> bool {
    action.requests.iter().any(|request| effect_of(request) == EffectClass::Repeatable)
}

fn own<'a>(progress: &'a [Progress], action: &Action) -> Option<&'a Progress> {
    progress.iter().find(|own| own.id == action.id)
}

/// When the last revocation of a run was answered.
pub(super) fn last_revocation(plan: &Plan, progress: &[Progress]) -> Option<Timestamp> {
    plan.actions
        .iter()
        .filter(|action| is_revocation(action))
        .filter_map(|action| own(progress, action).and_then(|own| own.answered_at))
        .max()
}

/// The last answer to anything that closes a door. What lets the user in is none: it comes after.
fn last_door(plan: &Plan, progress: &[Progress]) -> Option<Timestamp> {
    plan.actions
        .iter()
        .filter(|action| AnyStep::is_door(&action.step))
        .filter_map(|action| own(progress, action).and_then(|own| own.answered_at))
        .max()
}

/// The wait between two reads of a watermark that lags, and how often it is read.
const WATERMARK_WAIT: Duration = Duration::from_secs(5);
const WATERMARK_READS: u32 = 12;

/// The watermark, read until it is as new as the read-back of the last revocation has seen it: replicas differ for a
/// minute (identity.md 11). One that no read-back has seen is not waited for a second time.
async fn settled_watermark(
    context: &RunContext,
    plan: &Plan,
    progress: &[Progress],
) -> (ProofFact, Option<OpenItem>) {
    let was_seen = plan
        .actions
        .iter()
        .filter(|action| is_revocation(action))
        .filter_map(|action| own(progress, action))
        .all(|own| matches!(own.state, ActionState::Verified | ActionState::AlreadySo));
    let mut reads = 1;
    loop {
        let (fact, open) = watermark_fact(&context.reader, plan, progress).await;
        if fact.holds.is_some() || !was_seen || reads == WATERMARK_READS || context.stop.is_given() {
            return (fact, open);
        }
        reads += 1;
        context.clock.sleep(WATERMARK_WAIT).await;
    }
}

/// The rule that follows from the order: the last revocation is later than the last door (DESIGN.md).
pub(super) async fn watermark_fact(
    reader: &Reader,
    plan: &Plan,
    progress: &[Progress],
) -> (ProofFact, Option<OpenItem>) {
    let what = "sessions were revoked after the last change to the account".to_owned();
    let read = match reader.user(plan.case.subject.id.as_str()).await {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err("the account is gone".to_owned()),
        Err(error) => Err(with_causes(&error)),
    };
    let user = match read {
        Ok(user) => user,
        Err(why) => {
            return (ProofFact { what, holds: None, seen: why.clone() }, Some(unread_item(plan, &why)));
        }
    };
    let Some(watermark) = user.sessions_valid_from else {
        let why = "Graph does not show `signInSessionsValidFromDateTime`".to_owned();
        return (ProofFact { what, holds: None, seen: why.clone() }, Some(unread_item(plan, &why)));
    };
    // Graph's watermark and its `Date` header are in whole seconds.
    let whole = |at: Timestamp| at.as_second();
    let password = user.password_changed_at;
    let latest = [last_door(plan, progress), password].into_iter().flatten().max();
    let holds = latest.is_none_or(|latest| whole(watermark) >= whole(latest));
    let seen = match latest {
        Some(latest) => {
            format!("revoked as of {}, the last change was at {}", shown(watermark), shown(latest))
        }
        None => format!("revoked as of {}", shown(watermark)),
    };
    // A read that lags shows an old watermark, which proves nothing either way.
    let lags = last_revocation(plan, progress).is_some_and(|answered| {
        let is_behind = whole(watermark) < whole(answered);
        let was_last = latest.is_none_or(|latest| whole(latest) <= whole(answered));
        is_behind && (was_last || whole(watermark) + 5 < whole(answered))
    });
    let (holds, open) = match (holds, lags) {
        (true, _) => (Some(true), None),
        (false, true) => (None, Some(unread_item(plan, "the revocation does not show yet"))),
        (false, false) => (
            Some(false),
            Some(OpenItem {
                what: "the last revocation is older than the last change".to_owned(),
                why: seen.clone(),
                next: format!("plan and apply `evict` again for {}", plan.case.subject.upn),
            }),
        ),
    };
    (ProofFact { what, holds, seen }, open)
}

fn unread_item(plan: &Plan, why: &str) -> OpenItem {
    OpenItem {
        what: "whether sessions were revoked last".to_owned(),
        why: why.to_owned(),
        next: format!("read `signInSessionsValidFromDateTime` of {} in a few minutes", plan.case.subject.upn),
    }
}

/// Methods are listed again after the last revocation: one that was not there before reopens the account.
pub(super) async fn methods_fact(
    reader: &Reader,
    plan: &Plan,
    progress: &[Progress],
) -> (ProofFact, Vec<OpenItem>) {
    let what = "no method was registered since the plan".to_owned();
    let known = plan.case.methods.read().map(Vec::as_slice).unwrap_or_default();
    match reader.methods(&plan.case.subject.id).await {
        Ok(methods) => {
            let new: Vec<_> = methods
                .into_iter()
                .filter(|method| !known.iter().any(|known| is_same(&known.method, method)))
                // A pass that the run itself has issued is no stranger's.
                .filter(|method| {
                    !progress.iter().any(|own| own.made_id.as_deref() == Some(method.id.as_str()))
                })
                .collect();
            let seen = if new.is_empty() {
                "every method that is registered was known when the plan was made".to_owned()
            } else {
                let names: Vec<_> =
                    new.iter().map(|method| format!("{} `{}`", method.kind.label(), method.name)).collect();
                format!("new since the plan: {}", names.join(", "))
            };
            let open = new
                .iter()
                .map(|method| OpenItem {
                    what: format!("{} `{}` ({})", method.kind.label(), method.name, method.id),
                    why: "it was registered after the plan was made".to_owned(),
                    next: format!(
                        "make a new plan at once: `stanch plan evict --user {} --remove {}`",
                        user_word(plan),
                        shell_word(method.id.as_str())
                    ),
                })
                .collect();
            (ProofFact { what, holds: Some(new.is_empty()), seen }, open)
        }
        Err(error) => {
            let why = with_causes(&error);
            let open = OpenItem {
                what: "whether a method was registered meanwhile".to_owned(),
                why: why.clone(),
                next: format!("list the authentication methods of {}", plan.case.subject.upn),
            };
            (ProofFact { what, holds: None, seen: why }, vec![open])
        }
    }
}

/// Whether a method is the one that was known. Phones and e-mail addresses have the same ids in every account (identity.md
/// 5.2): another number under the same id is another method, and a number that the run moved is the same.
fn is_same(known: &AuthMethod, method: &AuthMethod) -> bool {
    let has_constant_id = matches!(method.kind, MethodKind::Phone | MethodKind::Email);
    if has_constant_id {
        known.kind == method.kind && known.name == method.name
    } else {
        known.id == method.id
    }
}

/// The subject as a command names it.
fn user_word(plan: &Plan) -> String {
    shell_word(plan.case.subject.upn.as_str())
}

/// What helps where something was not done.
pub(super) fn mend_and_plan_again(plan: &Plan) -> String {
    let again = plan.command_to_plan_again();
    format!("mend what stopped it, then make a new plan, in which nothing is done twice: {again}")
}

/// What stays open by where each action stands, by what was left, and by what guards refused.
fn open_items(plan: &Plan, progress: &[Progress]) -> Vec<OpenItem> {
    let mut open = Vec::new();
    for action in &plan.actions {
        let Some(own) = own(progress, action) else { continue };
        if let Some(HandedOver::Lost { why }) = &own.handed_over {
            open.push(OpenItem {
                what: action.summary.clone(),
                why: format!("nobody has the secret that it made: {why}"),
                next: format!(
                    "issue a Temporary Access Pass once the account is contained: `stanch run restore --user {}`",
                    user_word(plan)
                ),
            });
            if own.state == ActionState::Failed {
                continue;
            }
        }
        let next = match own.state {
            // What a person is waited for is open until they say otherwise: the run itself tells it.
            ActionState::Verified
            | ActionState::AlreadySo
            | ActionState::WaitingForPerson
            | ActionState::Confirmed => continue,
            ActionState::AcceptedUnverified if action.watch.is_some() => format!(
                "ask the user by telephone; once a method is registered, look whose it is: `stanch plan evict --user {}`",
                user_word(plan)
            ),
            ActionState::Refused => "see why it was refused".to_owned(),
            ActionState::Stale => "make a new plan and look at it".to_owned(),
            ActionState::AcceptedUnverified => {
                format!("look at {} `{}` again in a few minutes", action.object.kind, action.object.name)
            }
            ActionState::Ambiguous => format!(
                "look at {} `{}` in the portal, then make a new plan",
                action.object.kind, action.object.name
            ),
            ActionState::Failed | ActionState::NotStarted => mend_and_plan_again(plan),
        };
        open.push(OpenItem { what: action.summary.clone(), why: own.told(), next });
    }
    for left in plan.left.iter().filter(|left| left.holds_back) {
        open.push(OpenItem {
            what: left.object.clone(),
            why: left.why.join("; "),
            next: left.next.clone().unwrap_or_else(|| {
                "ask the user whether it is theirs; then plan again with `--keep` or `--remove` and its id"
                    .to_owned()
            }),
        });
    }
    for refusal in plan.guards.refused.iter().filter(|refusal| refusal.step.is_some()) {
        open.push(OpenItem {
            what: refusal.object.clone(),
            why: format!("refused by the guard `{}`: {}", refusal.guard, refusal.why),
            next: refusal.next.clone(),
        });
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(id: &str, kind: MethodKind, name: &str) -> AuthMethod {
        AuthMethod {
            id: id.parse().unwrap(),
            kind,
            name: name.to_owned(),
            device_tag: None,
            app_version: None,
            phone_type: None,
            created_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn another_number_under_the_id_that_all_phones_share_is_another_method() {
        let mobile = "3179e48a-750b-4051-897c-87b9720928f7";
        let known = method(mobile, MethodKind::Phone, "+1 5550100");
        assert!(is_same(&known, &method(mobile, MethodKind::Phone, "+1 5550100")));
        assert!(!is_same(&known, &method(mobile, MethodKind::Phone, "+1 5550199")));
        let app = method("c7a3816e", MethodKind::Authenticator, "iPhone");
        assert!(
            is_same(&app, &method("c7a3816e", MethodKind::Authenticator, "iPhone 2")),
            "a name may change"
        );
    }
}
