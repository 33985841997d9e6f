//! Tests of the store: what is durable, what is refused, and what the chain finds.

use super::*;
use crate::approval::{Approval, Decision, STATEMENT_FORMAT, Statement};
use crate::run::{
    ActionState,
    tests_support::{consent, small_plan},
};

fn started(plan: &Plan) -> Entry {
    Entry::Started {
        plan: plan.id.clone(),
        digest: plan.digest,
        consent: consent(plan),
        engine: "test".to_owned(),
    }
}

fn reached(state: ActionState) -> Entry {
    Entry::Reached { action: "a".parse().unwrap(), state, detail: "said".to_owned() }
}

fn id(text: &str) -> RunId {
    text.parse().unwrap()
}

async fn begin(store: &SqliteStore, run: &str, plan: &Plan, now: Timestamp) -> Begin {
    store.begin(&id(run), plan, &consent(plan), started(plan), now, 20).await.unwrap()
}

#[tokio::test]
async fn what_was_appended_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/stanch.db");
    let plan = small_plan("p1");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(begin(&store, "r1", &plan, plan.created_at).await, Begin::Begun);
    store.append(&id("r1"), reached(ActionState::Verified), plan.created_at).await.unwrap();
    drop(store);

    let again = SqliteStore::open(&path).unwrap();
    let (kept, journal) = again.load(&id("r1")).await.unwrap();
    assert_eq!(kept, plan);
    assert_eq!(journal.len(), 2);
    assert_eq!(again.run_of_plan(plan.digest).await.unwrap(), Some(id("r1")));
}

#[tokio::test]
async fn a_flood_of_users_is_stopped_and_one_who_is_known_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let plan_for = |number: u32, plan: &str| {
        let mut plan = small_plan(plan);
        plan.case.subject.id = format!("00000000-0000-4000-8000-{number:012}").parse().unwrap();
        plan.sealed().unwrap()
    };
    let begin = async |run: &str, plan: &Plan, at: Timestamp| {
        store.begin(&id(run), plan, &consent(plan), started(plan), at, 2).await.unwrap()
    };
    let now = small_plan("p0").created_at;
    assert_eq!(begin("r1", &plan_for(1, "p1"), now).await, Begin::Begun);
    assert_eq!(begin("r2", &plan_for(2, "p2"), now).await, Begin::Begun);
    let third = plan_for(3, "p3");
    assert_eq!(begin("r3", &third, now).await, Begin::TooManySubjects { within_an_hour: 2 });
    let soon = now + jiff::SignedDuration::from_mins(30);
    assert_eq!(begin("r4", &plan_for(1, "p4"), soon).await, Begin::Begun, "the first user again");
    let later = now + jiff::SignedDuration::from_mins(61);
    assert_eq!(begin("r3", &third, later).await, Begin::Begun);
}

#[tokio::test]
async fn a_plan_is_applied_once_and_a_subject_has_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let (first, second) = (small_plan("p1"), small_plan("p2"));
    let now = first.created_at;
    assert_eq!(begin(&store, "r1", &first, now).await, Begin::Begun);
    assert_eq!(begin(&store, "r2", &first, now).await, Begin::AlreadyApplied(id("r1")));
    assert_eq!(begin(&store, "r3", &second, now).await, Begin::SubjectBusy(id("r1")));
    // A run without a sign of life gives its subject free once its lease is over.
    let later = now + jiff::SignedDuration::from_secs(301);
    assert_eq!(begin(&store, "r3", &second, later).await, Begin::Begun);
}

#[tokio::test]
async fn a_run_that_is_kept_alive_keeps_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let (first, second) = (small_plan("p1"), small_plan("p2"));
    let minutes = |count| first.created_at + jiff::SignedDuration::from_mins(count);
    assert_eq!(begin(&store, "r1", &first, minutes(0)).await, Begin::Begun);
    store.keep_alive(&id("r1"), minutes(4)).await.unwrap();
    assert_eq!(begin(&store, "r2", &second, minutes(8)).await, Begin::SubjectBusy(id("r1")));
    assert_eq!(begin(&store, "r2", &second, minutes(10)).await, Begin::Begun);
}

#[tokio::test]
async fn a_run_that_wakes_up_after_another_began_sends_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let (first, second) = (small_plan("p1"), small_plan("p2"));
    let now = first.created_at;
    let intent = || Entry::Intent {
        action: "a".parse().unwrap(),
        request: 0,
        attempt: 1,
        method: crate::plan::Verb::Post,
        path: "/v1.0/x".to_owned(),
        body: Sha256Digest::of_bytes(b""),
        client_request_id: "c".to_owned(),
        server_time: now,
    };
    assert_eq!(begin(&store, "r1", &first, now).await, Begin::Begun);
    store.append(&id("r1"), intent(), now).await.unwrap();
    let later = now + jiff::SignedDuration::from_mins(6);
    assert_eq!(begin(&store, "r2", &second, later).await, Begin::Begun);
    let error = store.append(&id("r1"), intent(), later).await.unwrap_err();
    assert!(matches!(&error, StoreError::TakenOver { by, .. } if *by == id("r2")), "{error:?}");
    assert!(error.hint().unwrap().contains("stanch runs show r2"));
    // What came of the request in flight is still written down, and the other run goes on.
    store.append(&id("r1"), reached(ActionState::Verified), later).await.unwrap();
    store.append(&id("r2"), intent(), later).await.unwrap();
}

/// The consent of somebody who signed.
fn signed(plan: &Plan, nonce: &str) -> ConsumedConsent {
    let mut consent = consent(plan);
    let given = &mut consent.given[0];
    given.approval = Some(Approval {
        statement: Statement {
            format: STATEMENT_FORMAT.to_owned(),
            digest: plan.digest,
            decision: Decision::Approve,
            reason: "seen".to_owned(),
            approver: given.by.parse().unwrap(),
            approved_at: given.at,
            execute_by: given.expires_at,
            nonce: nonce.parse().unwrap(),
        },
        signature: "not looked at here".to_owned(),
    });
    consent
}

#[tokio::test]
async fn an_approval_is_used_with_the_run_that_begins_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    let store = SqliteStore::open(&path).unwrap();
    let (first, second) = (small_plan("p1"), small_plan("p2"));
    let now = first.created_at;
    let begin = async |store: &SqliteStore, run: &str, plan: &Plan, nonce: &str, now: Timestamp| {
        store.begin(&id(run), plan, &signed(plan, nonce), started(plan), now, 20).await.unwrap()
    };
    assert_eq!(begin(&store, "r1", &first, "nonce-of-the-first", now).await, Begin::Begun);
    assert_eq!(begin(&store, "r2", &second, "nonce-of-the-first", now).await, Begin::ConsentUsed(id("r1")));
    // A run that does not begin uses nothing up.
    assert_eq!(begin(&store, "r2", &second, "nonce-of-the-second", now).await, Begin::SubjectBusy(id("r1")));
    let later = now + jiff::SignedDuration::from_secs(301);
    let other = SqliteStore::open(&path).unwrap();
    assert_eq!(begin(&other, "r3", &second, "nonce-of-the-second", later).await, Begin::Begun);
    assert_eq!(
        begin(&store, "r4", &small_plan("p3"), "nonce-of-the-second", later).await,
        Begin::ConsentUsed(id("r3"))
    );
}

#[tokio::test]
async fn two_who_begin_the_same_plan_at_once_get_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    let plan = small_plan("p1");
    let (one, other) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let (left, right) =
        tokio::join!(begin(&one, "r1", &plan, plan.created_at), begin(&other, "r2", &plan, plan.created_at));
    assert_eq!([&left, &right].into_iter().filter(|begin| **begin == Begin::Begun).count(), 1);
}

#[tokio::test]
async fn an_edited_a_removed_and_a_moved_line_are_found() {
    for damage in [
        "update journal set entry = replace(entry, 'said', 'read') where seq = 2",
        "delete from journal where seq = 2",
        "update journal set entry = replace(entry, 'dana.ito', 'megan.bowen') where seq = 1",
        "update journal set at = at + 1 where seq = 1",
        "update journal set seq = case seq when 2 then 3 else 2 end + 10 where seq > 1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stanch.db");
        let plan = small_plan("p1");
        let store = SqliteStore::open(&path).unwrap();
        begin(&store, "r1", &plan, plan.created_at).await;
        store.append(&id("r1"), reached(ActionState::AcceptedUnverified), plan.created_at).await.unwrap();
        store.append(&id("r1"), reached(ActionState::Verified), plan.created_at).await.unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let error = store.load(&id("r1")).await.unwrap_err();
        assert!(matches!(error, StoreError::BrokenChain { .. }), "{damage}: {error}");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.hint().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn our_ranges_are_remembered_by_location() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let ranges: Vec<CidrBlock> =
        vec!["89.187.164.0/24".parse().unwrap(), "2a0b:f4c2:1::/64".parse().unwrap()];
    store.note_ranges("l1", &ranges, &id("r1"), Timestamp::UNIX_EPOCH).await.unwrap();
    store.note_ranges("l1", &ranges, &id("r2"), Timestamp::UNIX_EPOCH).await.unwrap();
    let mut own = store.own_ranges("l1").await.unwrap();
    own.sort();
    let mut wanted = ranges.clone();
    wanted.sort();
    assert_eq!(own, wanted);
    assert!(store.own_ranges("l2").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_run_is_found_by_the_beginning_of_its_id_unless_two_begin_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let plan = small_plan("p1");
    begin(&store, "7f3a-1", &plan, plan.created_at).await;
    assert_eq!(store.find_run("7f3").await.unwrap(), id("7f3a-1"));
    assert!(matches!(store.find_run("8").await.unwrap_err(), StoreError::NoSuchRun { matches: 0, .. }));
    assert!(matches!(store.find_run("").await.unwrap_err(), StoreError::NoSuchRun { .. }));
    assert!(matches!(store.find_run("7f3_").await.unwrap_err(), StoreError::NoSuchRun { .. }));
    // A slip is told with the id that was meant, and never taken for it.
    let hint = |error: StoreError| error.hint().unwrap();
    assert!(hint(store.find_run("8").await.unwrap_err()).starts_with("`stanch runs list`"));
    assert!(hint(store.find_run("7e3a").await.unwrap_err()).contains("did you mean `7f3a-1`?"));
    store.keep_plan(&small_plan("aa-1")).await.unwrap();
    store.keep_plan(&small_plan("aa-2")).await.unwrap();
    let several = hint(store.find_plan("aa").await.unwrap_err());
    assert!(several.contains("`aa-1` or `aa-2`"), "{several}");
    assert!(hint(store.find_plan("ab-1").await.unwrap_err()).contains("did you mean `aa-1`?"));
}

fn stored(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("stanch.db")).unwrap()
}

#[tokio::test]
async fn a_kept_plan_is_found_by_the_beginning_of_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(&folder);
    let (one, other) = (small_plan("aa-1"), small_plan("aa-2"));
    store.keep_plan(&one).await.unwrap();
    store.keep_plan(&one).await.unwrap();
    store.keep_plan(&other).await.unwrap();
    assert_eq!(store.find_plan("aa-1").await.unwrap(), one);
    for (text, found) in [("aa", 2), ("b", 0), ("", 0), ("aa_1", 0), ("%", 0)] {
        let error = store.find_plan(text).await.unwrap_err();
        assert!(
            matches!(error, StoreError::NoSuchPlan { matches, .. } if matches == found),
            "{text}: {error}"
        );
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn another_plan_under_a_kept_id_is_refused_and_begins_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(&folder);
    let plan = small_plan("p1");
    store.keep_plan(&plan).await.unwrap();
    let mut edited = plan.clone();
    edited.warnings.push("nothing to see here".to_owned());
    let edited = edited.sealed().unwrap();
    let error = store.keep_plan(&edited).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherPlan { .. }), "{error}");
    let begun = store
        .begin(&id("r1"), &edited, &consent(&edited), started(&edited), edited.created_at, 20)
        .await
        .unwrap_err();
    assert!(matches!(begun, StoreError::OtherPlan { .. }), "{begun}");
    assert!(store.runs().await.unwrap().is_empty());
    assert_eq!(store.find_plan("p1").await.unwrap(), plan);
}

#[tokio::test]
async fn a_plan_waits_until_a_run_applies_it_or_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(&folder);
    let (one, other) = (small_plan("p1"), small_plan("p2"));
    store.keep_plan(&one).await.unwrap();
    store.keep_plan(&other).await.unwrap();
    let waiting = store.waiting_plans(one.created_at).await.unwrap();
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].expires_at, one.expires_at);
    assert_eq!(waiting[0].requested_by, one.requested_by.name);
    begin(&store, "r1", &one, one.created_at).await;
    let ids: Vec<_> =
        store.waiting_plans(one.created_at).await.unwrap().into_iter().map(|row| row.plan).collect();
    assert_eq!(ids, std::slice::from_ref(&other.id));
    assert!(store.waiting_plans(other.expires_at).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_of_an_older_version_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    let plan = small_plan("p1");
    {
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(super::migrations::MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute(
            "insert into plans (id, digest, created_at, body) values ('p1', ?1, 0, ?2)",
            rusqlite::params![plan.digest.to_string(), serde_json::to_string(&plan).unwrap()],
        )
        .unwrap();
    }
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.find_plan("p1").await.unwrap(), plan);
    assert_eq!(begin(&store, "r1", &plan, plan.created_at).await, Begin::Begun);
    assert_eq!(store.load(&id("r1")).await.unwrap().0, plan);
}

fn alert(id: &str) -> NewAlert {
    let trigger = crate::alert::Trigger {
        source: "generic".to_owned(),
        id: Some(id.to_owned()),
        title: "Scripted user agent".to_owned(),
        severity: crate::alert::Severity::High,
        url: None,
        tenant: None,
        users: Vec::new(),
        hints: crate::alert::Hints::default(),
        is_resolved: false,
        playbook: None,
        notes: Vec::new(),
    };
    NewAlert {
        id: id.parse().unwrap(),
        webhook: "siem".to_owned(),
        delivery: id.to_owned(),
        received_at: small_plan("p1").created_at,
        trigger,
        outcome: Outcome::Recorded,
        cases: Vec::new(),
        limits: Limits { subjects_per_hour: 20, cool_down: jiff::SignedDuration::from_hours(1) },
    }
}

#[tokio::test]
async fn whoever_brings_an_alert_does_not_wait_for_those_that_come_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stanch.db");
    let store = SqliteStore::open(&path).unwrap();
    // Another process keeps the first from being written until the second waits behind it.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let answered = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut sending = tokio::task::JoinSet::new();
    for id in ["a1", "a2"] {
        let (store, answered) = (store.clone(), std::sync::Arc::clone(&answered));
        sending.spawn(async move {
            store.accept(alert(id)).await.unwrap();
            answered.lock().unwrap().push(id);
        });
    }
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    other.execute_batch("rollback").unwrap();
    sending.join_all().await;
    assert_eq!(*answered.lock().unwrap(), ["a1", "a2"]);
}

#[tokio::test]
async fn a_persons_word_is_taken_once_and_only_behind_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let plan = small_plan("p1");
    let now = plan.created_at;
    assert_eq!(begin(&store, "r1", &plan, now).await, Begin::Begun);
    let word = |by: &str| Entry::Confirmed {
        action: "a".parse().unwrap(),
        by: by.to_owned(),
        reason: "looked".to_owned(),
    };
    store.append(&id("r1"), reached(ActionState::WaitingForPerson), now).await.unwrap();
    let early = store.append(&id("r1"), word("dana"), now).await;
    assert!(matches!(early, Err(StoreError::StillUnderWay { .. })), "{early:?}");
    let end = Entry::Finished { verdict: crate::run::Verdict::Partial, proof: crate::run::Proof::default() };
    store.append(&id("r1"), end, now).await.unwrap();
    store.append(&id("r1"), word("dana"), now).await.unwrap();
    let again = store.append(&id("r1"), word("sam"), now).await;
    assert!(
        matches!(&again, Err(StoreError::AlreadyConfirmed { by, .. }) if by == "dana"),
        "the first word stands: {again:?}"
    );
    let (_, run) = load_run(&store, &id("r1")).await.unwrap();
    assert_eq!(run.verdict, crate::run::Verdict::Contained);
    assert_eq!(run.ended_at, Some(now), "its end stays where it was");
    assert_eq!(store.load(&id("r1")).await.unwrap().1.len(), 4);
}

#[tokio::test]
async fn the_first_alert_of_a_plan_says_since_when_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let plan = small_plan("aa-1");
    let lynne = crate::alert::Account::Upn("lynne.robbins@contoso.com".parse().unwrap());
    let named = crate::alert::NamedUser { accounts: vec![lynne], unusable: Vec::new() };
    let (id, playbook) = (plan.id.clone(), "bec".to_owned());
    let case = NewCase { id, named, playbook, held: None };
    let alert = NewAlert { outcome: Outcome::Cases, cases: vec![case], ..alert("a1") };
    let received_at = alert.received_at;
    let accepted = store.accept(alert).await.unwrap();
    assert_eq!(accepted.plans.first(), Some(&plan.id));
    assert_eq!(store.alerted_at(&plan.id).await.unwrap(), Some(received_at));
    assert_eq!(store.alerted_at(&"bb-2".parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_read_of_an_incident_is_kept_once_for_each_phase() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("stanch.db")).unwrap();
    let plan = small_plan("p1");
    let kept = |phase, body: &str| KeptInvestigation {
        plan: plan.id.clone(),
        phase,
        read_at: plan.created_at,
        body: body.to_owned(),
    };
    store.keep_investigation(&kept(Phase::Afterwards, "\"first\"")).await.unwrap();
    store.keep_investigation(&kept(Phase::Planning, "\"planned\"")).await.unwrap();
    store.keep_investigation(&kept(Phase::Afterwards, "\"again\"")).await.unwrap();
    assert_eq!(
        store.investigations(&plan.id).await.unwrap(),
        [kept(Phase::Planning, "\"planned\""), kept(Phase::Afterwards, "\"again\"")]
    );
    assert_eq!(store.investigations(&"p2".parse().unwrap()).await.unwrap(), []);
}
