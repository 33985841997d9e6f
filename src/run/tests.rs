//! Tests of the fold and of the verdict, over plans made by hand.

use proptest::prelude::*;

use super::state::{begin, next};
use super::tests_support::{action, consent, plan};
use super::*;
use crate::domain::{ActionId, Sha256Digest};
use crate::plan::{Plan, Verb};

fn reached(plan: &Plan, states: &[ActionState]) -> Vec<Progress> {
    let mut progress = begin(plan);
    for (own, state) in progress.iter_mut().zip(states) {
        own.state = *state;
        own.was_sent = !matches!(state, ActionState::Stale | ActionState::AlreadySo | ActionState::Refused);
    }
    progress
}

fn holding() -> Proof {
    Proof {
        facts: vec![ProofFact { what: "x".to_owned(), holds: Some(true), seen: String::new() }],
        open: Vec::new(),
    }
}

#[test]
fn the_verdict_is_green_only_when_every_required_action_was_read_back_and_the_proof_holds() {
    use ActionState::{
        AcceptedUnverified, AlreadySo, Ambiguous, Confirmed, Failed, NotStarted, Refused, Stale, Verified,
        WaitingForPerson,
    };
    let book = plan(vec![action("a", true), action("b", true), action("c", false)]);
    let table = [
        ([Verified, AlreadySo, Failed], Verdict::Contained),
        ([Verified, Verified, Verified], Verdict::Contained),
        ([Verified, AcceptedUnverified, Verified], Verdict::ContainedUnverified),
        ([Verified, Failed, Verified], Verdict::Partial),
        ([Verified, Refused, Verified], Verdict::Partial),
        ([Verified, Stale, Verified], Verdict::Partial),
        ([Verified, NotStarted, NotStarted], Verdict::Partial),
        ([Verified, Ambiguous, Verified], Verdict::Unknown),
        ([Failed, Failed, Verified], Verdict::NotContained),
        ([Stale, Stale, Stale], Verdict::Stale),
        ([Verified, WaitingForPerson, Verified], Verdict::Partial),
        ([Verified, Confirmed, WaitingForPerson], Verdict::Contained),
        ([WaitingForPerson, WaitingForPerson, NotStarted], Verdict::Partial),
        ([Failed, WaitingForPerson, Verified], Verdict::NotContained),
    ];
    for (states, verdict) in table {
        assert_eq!(verdict_of(&book, &reached(&book, &states), &holding()), verdict, "{states:?}");
    }
}

#[test]
fn a_broken_or_unread_proof_is_never_green() {
    let book = plan(vec![action("a", true)]);
    let done = reached(&book, &[ActionState::Verified]);
    let mut proof = holding();
    proof.facts[0].holds = None;
    assert_eq!(verdict_of(&book, &done, &proof), Verdict::ContainedUnverified);
    proof.facts[0].holds = Some(false);
    assert_eq!(verdict_of(&book, &done, &proof), Verdict::Partial);
}

#[test]
fn a_method_that_may_be_the_intruders_holds_back_contained() {
    let mut book = plan(vec![action("a", true)]);
    book.left.push(crate::plan::LeftObject {
        step: "remove_auth_methods".to_owned(),
        kind: None,
        object: "Authenticator".to_owned(),
        why: Vec::new(),
        holds_back: true,
        decided: false,
        next: None,
    });
    assert_eq!(verdict_of(&book, &reached(&book, &[ActionState::Verified]), &holding()), Verdict::Partial);
}

#[test]
fn a_run_without_an_end_is_never_called_contained() {
    let book = plan(vec![action("a", true)]);
    let consent = consent(&book);
    let run: crate::domain::RunId = "r1".parse().unwrap();
    let entries = [
        Entry::Started { plan: book.id.clone(), digest: book.digest, consent, engine: "test".to_owned() },
        Entry::Reached { action: "a".parse().unwrap(), state: ActionState::Verified, detail: String::new() },
    ];
    let mut previous = Sha256Digest::of_bytes(b"r1");
    let mut journal = Vec::new();
    for (seq, entry) in (1..).zip(entries) {
        let line = JournalLine::chain(seq, book.created_at, entry, previous).unwrap();
        previous = line.hash;
        journal.push(line);
    }
    let told = Run::from_journal(run.clone(), &book, &journal).unwrap();
    assert_eq!((told.verdict, told.ended_at), (Verdict::Partial, None));
    let [open] = told.open.as_slice() else { panic!("{:?}", told.open) };
    assert!(open.why.contains("it has not ended"), "{open:?}");
    assert!(open.next.contains("stanch plan evict --user lynne.robbins@contoso.com"), "{open:?}");
    assert_eq!(Run::from_journal(run.clone(), &book, &journal[1..]), Err(RunError::NoStart { run }));
}

#[test]
fn only_contained_exits_with_zero() {
    use Verdict::{Contained, ContainedUnverified, NotContained, Partial, Refused, Stale, Unknown};
    for verdict in [Contained, ContainedUnverified, Partial, NotContained, Unknown, Refused, Stale] {
        assert_eq!(verdict.exit_status() == 0, verdict == Contained);
    }
}

fn entries() -> impl Strategy<Value = Entry> {
    let id = || -> ActionId { "a".parse().unwrap() };
    prop_oneof![
        Just(Entry::Intent {
            action: id(),
            request: 0,
            attempt: 1,
            method: Verb::Post,
            path: "/v1.0/x".to_owned(),
            body: Sha256Digest::of_bytes(b""),
            client_request_id: "c".to_owned(),
            server_time: jiff::Timestamp::UNIX_EPOCH,
        }),
        Just(Entry::Outcome {
            action: id(),
            request: 0,
            outcome: Outcome::Accepted {
                status: 204,
                request_id: None,
                made_id: None,
                server_time: None,
                operation: None
            },
        }),
        Just(Entry::Outcome { action: id(), request: 0, outcome: Outcome::AbsentByReadBack }),
        prop::sample::select(vec![
            ActionState::Verified,
            ActionState::AlreadySo,
            ActionState::Failed,
            ActionState::Refused,
            ActionState::Stale,
            ActionState::AcceptedUnverified,
            ActionState::WaitingForPerson,
        ])
        .prop_map(move |state| Entry::Reached { action: id(), state, detail: String::new() }),
        Just(Entry::Confirmed { action: id(), by: "x".to_owned(), reason: "y".to_owned() }),
    ]
}

proptest! {
    #[test]
    fn next_never_leaves_a_final_state(journal in prop::collection::vec(entries(), 0..12)) {
        let book = plan(vec![action("a", true)]);
        let mut progress = begin(&book);
        for entry in journal {
            let before = progress[0].state;
            match next(progress.clone(), &entry) {
                Ok(after) => {
                    prop_assert!(!before.is_final() || after[0].state == before);
                    progress = after;
                }
                Err(error) => {
                    let is_illegal = matches!(error, RunError::Illegal { .. });
                    // Nobody confirms what does not wait for them.
                    let is_unasked = matches!(entry, Entry::Confirmed { .. }) && before != ActionState::WaitingForPerson;
                    prop_assert!((before.is_final() || is_unasked) && is_illegal);
                }
            }
        }
    }
}
