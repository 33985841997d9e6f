//! Approval: who may say yes, and every way in which a yes counts for nothing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;
use ssh_key::EcdsaCurve;
use ssh_key::certificate::CertType;
use stanch::approval::{
    AllowedSigners, Approval, ApprovalError, AutoYes, CertificateFault, Consent, ConsentKind, Decision,
    KeyFault, NAMESPACE, Nonce, STATEMENT_FORMAT, SignatureError, SignedBy, Signers, Statement, Unlisted,
    WhyUncounted, Yes, approve, verify,
};
use stanch::config;
use stanch::engine::{Applied, ApplyError, StopSignal};
use stanch::plan::{ApprovalMode, Plan};
use stanch::run::{Entry, Run, Verdict};

use crate::signing::{Key, armored, certified, certify, ecdsa, ecdsa_security_key, ed25519, security_key};
use crate::world::World;

pub const REQUESTER: &str = "adele.vance@contoso.com";
pub const APPROVER: &str = "megan.bowen@contoso.com";

/// What a test changes of what is otherwise in order.
struct Scene {
    world: World,
    plan: Plan,
    key: Key,
    statement: Statement,
    signers: String,
    settings: config::Approval,
    namespace: &'static str,
}

impl Scene {
    async fn new() -> Self {
        Self::of(World::case("bec-node-fetch")).await
    }

    async fn of(world: World) -> Self {
        let mut request = world.request("evict");
        request.requested_by = REQUESTER.to_owned();
        let plan = world.plan_for(request).await.unwrap();
        let key = ed25519(1);
        Self {
            statement: statement(&plan, APPROVER, world.clock.now(), "0123456789abcdef"),
            signers: format!("{APPROVER} {}", key.public()),
            settings: config::Approval { required: true, ..config::Approval::default() },
            namespace: NAMESPACE,
            world,
            plan,
            key,
        }
    }

    fn approval(&self) -> Approval {
        let message = self.statement.message().unwrap();
        Approval { statement: self.statement.clone(), signature: self.key.sign(self.namespace, &message) }
    }

    fn signers(&self) -> Signers {
        Signers::new(&self.settings, Some(AllowedSigners::parse(&self.signers, &TimeZone::UTC).unwrap()))
    }

    async fn apply_with(&self, consent: Consent) -> Result<Applied, ApplyError> {
        let (_sender, stop) = StopSignal::new();
        let mut applier = self.world.applier(stop);
        applier.signers = self.signers();
        applier.apply(self.plan.clone(), consent).await
    }

    async fn apply(&self) -> Result<Applied, ApplyError> {
        self.apply_with(Consent::Signed(vec![self.approval()])).await
    }

    /// The refusal of what was not in order; nothing was sent.
    async fn refused(&self) -> ApprovalError {
        self.refused_with(Consent::Signed(vec![self.approval()])).await
    }

    async fn refused_with(&self, consent: Consent) -> ApprovalError {
        let error = self.apply_with(consent).await.unwrap_err();
        assert!(self.world.writes().await.is_empty(), "something was sent: {error}");
        assert_eq!(error.exit_status(), 4, "{error}");
        assert!(error.hint().is_some(), "{error}");
        match error {
            ApplyError::NotApproved(error) => error,
            other => panic!("{other}"),
        }
    }
}

pub fn statement(plan: &Plan, approver: &str, at: Timestamp, nonce: &str) -> Statement {
    Statement {
        format: STATEMENT_FORMAT.to_owned(),
        digest: plan.digest,
        decision: Decision::Approve,
        reason: "Seen with the service desk".to_owned(),
        approver: approver.parse().unwrap(),
        approved_at: at,
        execute_by: at + Duration::from_mins(30),
        nonce: nonce.parse().unwrap(),
    }
}

fn why(error: ApprovalError) -> WhyUncounted {
    match error {
        ApprovalError::NoneCounts { uncounted } => uncounted[0].why.clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_yes_that_runs_out_while_the_tenant_keeps_us_waiting_is_not_used() {
    let mut scene = Scene::new().await;
    let now = scene.world.clock.now();
    scene.statement.execute_by = now + Duration::from_secs(20);
    let slow =
        json!([{ "path": "/v1.0/users/*", "times": 1, "fault": { "kind": "throttle", "retryAfter": 30 } }]);
    scene.world.faults(slow.clone()).await;
    let error = scene.refused().await;
    assert!(matches!(error, ApprovalError::Expired { .. }), "{error:?}");

    // So for a yes on the command line, and for the plan itself.
    scene.settings.required = false;
    scene.world.faults(slow.clone()).await;
    let Consent::Flag(yes) = scene.world.yes(&scene.plan) else { panic!("another kind") };
    let yes = Consent::Flag(Yes { expires_at: scene.world.clock.now() + Duration::from_secs(20), ..yes });
    let error = scene.refused_with(yes).await;
    assert!(matches!(error, ApprovalError::Expired { .. }), "{error:?}");
    scene.plan.expires_at = scene.world.clock.now() + Duration::from_secs(20);
    scene.plan = scene.plan.clone().sealed().unwrap();
    scene.world.faults(slow).await;
    let error = scene.apply_with(scene.world.yes(&scene.plan)).await.unwrap_err();
    assert!(matches!(error, ApplyError::NotApproved(ApprovalError::PlanExpired { .. })), "{error:?}");
    assert!(scene.world.writes().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_persons_signature_is_enough_and_stands_in_the_journal() {
    let scene = Scene::new().await;
    let run: Run = scene.apply().await.unwrap().run().clone();
    assert_eq!(run.verdict, Verdict::Contained);
    assert_eq!((run.consent.kind, run.consent.digest), (ConsentKind::Signed, scene.plan.digest));
    let given = &run.consent.given[0];
    assert_eq!((given.by.as_str(), given.at), (APPROVER, scene.statement.approved_at));
    assert_eq!(given.user.as_ref().unwrap().as_str(), scene.world.user_id(APPROVER));
    assert_eq!(given.reason.as_deref(), Some("Seen with the service desk"));
    assert!(given.key.as_ref().unwrap().starts_with("ssh-ed25519 SHA256:"));

    // The record is enough to check the signature again, and the hash chain is over it.
    let (_, journal) = scene.world.store.load(&run.run).await.unwrap();
    let Entry::Started { consent, .. } = &journal[0].entry else { panic!("{:?}", journal[0]) };
    assert_eq!(consent, &run.consent);
    let kept = consent.given[0].approval.as_ref().unwrap();
    assert!(verify(&kept.signature, &kept.statement.message().unwrap()).is_ok());

    let told = stanch::report::text(&scene.plan, &run, false);
    assert!(told.contains(&format!("signed approval by {APPROVER}")), "{told}");
    assert!(stanch::report::markdown(&scene.plan, &run).contains("Seen with the service desk"));
}

#[tokio::test(start_paused = true)]
async fn an_approval_for_another_plan_counts_for_nothing() {
    let mut scene = Scene::new().await;
    scene.statement.digest = stanch::domain::Sha256Digest::of_bytes(b"another plan");
    assert!(matches!(scene.refused().await, ApprovalError::OtherPlan { .. }));
}

#[tokio::test(start_paused = true)]
async fn nobody_known_may_approve_with_any_key() {
    let mut scene = Scene::new().await;
    scene.key = ed25519(2);
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::OtherKey { .. }), "{fault}");

    scene.statement.approver = "lee.gu@contoso.com".parse().unwrap();
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::Nobody { .. }), "{fault}");

    // A listed key does not speak for anybody else.
    scene.key = ed25519(1);
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::OtherName { line: 1, .. }), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn without_a_file_of_approvers_no_signature_counts() {
    let scene = Scene::new().await;
    let signers = Signers::new(&scene.settings, None);
    let consent = Consent::Signed(vec![scene.approval()]);
    let now = scene.world.clock.now();
    assert_eq!(
        approve(scene.plan.clone(), &consent, &signers, now).unwrap_err(),
        ApprovalError::NobodyMayApprove
    );
    assert_eq!(
        approve(scene.plan.clone(), &Consent::Signed(Vec::new()), &scene.signers(), now).unwrap_err(),
        ApprovalError::None
    );
}

#[tokio::test(start_paused = true)]
async fn an_approval_expires_by_its_own_word_and_by_the_settings() {
    let mut scene = Scene::new().await;
    let now = scene.world.clock.now();
    scene.statement.approved_at = now - Duration::from_mins(10);
    scene.statement.execute_by = now;
    assert!(matches!(scene.refused().await, ApprovalError::Expired { .. }));
    scene.statement.execute_by = now + Duration::from_hours(24 * 365);
    scene.settings.approve_within = Duration::from_mins(10);
    assert!(matches!(scene.refused().await, ApprovalError::Expired { .. }));
    // Dated later than it is: a longer life by the back door.
    scene.statement.approved_at = now + Duration::from_mins(3);
    assert!(matches!(scene.refused().await, ApprovalError::FromTheFuture { .. }));
    scene.statement.approved_at = now + Duration::from_mins(1);
    assert!(scene.apply().await.is_ok(), "two clocks may differ by a minute");
}

#[tokio::test(start_paused = true)]
async fn a_no_blocks_whoever_else_says_yes_and_for_good() {
    let mut scene = Scene::new().await;
    let other = ed25519(2);
    scene.signers.push_str(&format!("\nlee.gu@contoso.com {}", other.public()));
    let yes = scene.approval();
    let mut no =
        statement(&scene.plan, "lee.gu@contoso.com", scene.statement.approved_at, "fedcba9876543210");
    no.decision = Decision::Reject;
    no.reason = "That is my test account".to_owned();
    no.execute_by = no.approved_at;
    let no = Approval { signature: other.sign(NAMESPACE, &no.message().unwrap()), statement: no };
    for approvals in [vec![no.clone()], vec![yes.clone(), no.clone()], vec![no.clone(), yes.clone()]] {
        let error = scene.refused_with(Consent::Signed(approvals)).await;
        assert!(error.to_string().contains("That is my test account"), "{error}");
        assert!(matches!(error, ApprovalError::Rejected { .. }), "{error}");
    }

    // Beside the plan it blocks a yes at the terminal as well; one that anybody wrote does not.
    scene.settings.required = false;
    let now = scene.world.clock.now();
    let terminal = scene.world.yes(&scene.plan);
    let heeding = scene.signers().heeding(vec![no.clone()]);
    let error = approve(scene.plan.clone(), &terminal, &heeding, now).unwrap_err();
    assert!(matches!(error, ApprovalError::Rejected { .. }), "{error}");
    let forged = Approval { signature: yes.signature, ..no };
    assert!(approve(scene.plan.clone(), &terminal, &scene.signers().heeding(vec![forged]), now).is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_after_it_was_signed_counts_for_nothing() {
    let scene = Scene::new().await;
    let edits: [fn(&mut Statement); 5] = [
        |own| own.reason.push('!'),
        |own| own.execute_by += Duration::from_secs(1),
        |own| own.approved_at += Duration::from_secs(1),
        |own| own.nonce = "another-nonce-of-ours".parse().unwrap(),
        |own| own.approver = "Megan.Bowen@contoso.com".parse().unwrap(),
    ];
    for edit in edits {
        let mut approval = scene.approval();
        edit(&mut approval.statement);
        let error = scene.refused_with(Consent::Signed(vec![approval])).await;
        assert!(matches!(error, ApprovalError::Signature { fault: SignatureError::Forged, .. }), "{error}");
    }
    // A no that was made a yes.
    let mut no = scene.statement.clone();
    no.decision = Decision::Reject;
    let signature = scene.key.sign(NAMESPACE, &no.message().unwrap());
    let error = scene
        .refused_with(Consent::Signed(vec![Approval { statement: scene.statement.clone(), signature }]))
        .await;
    assert!(matches!(error, ApprovalError::Signature { fault: SignatureError::Forged, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_signature_for_another_purpose_counts_for_nothing() {
    let mut scene = Scene::new().await;
    scene.namespace = "git";
    let ApprovalError::Signature { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert_eq!(fault, SignatureError::OtherNamespace { found: "git".to_owned() });
    // The other way round: the key is listed for Git alone.
    scene.namespace = NAMESPACE;
    scene.signers = format!("{APPROVER} namespaces=\"git,file\" {}", scene.key.public());
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::OtherNamespace { line: 1, .. }), "{fault}");
    scene.signers = format!("{APPROVER} namespaces=\"git,stanch-*\" {}", scene.key.public());
    assert!(scene.apply().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_listed_from_and_until() {
    let mut scene = Scene::new().await;
    let now = scene.world.clock.now();
    let stamp = |at: Timestamp| at.strftime("%Y%m%d%H%M%SZ").to_string();
    let list = |option: &str, at: Timestamp, key: &Key| {
        format!("{APPROVER} {option}=\"{}\" {}", stamp(at), key.public())
    };
    scene.signers = list("valid-before", now - Duration::from_secs(1), &scene.key);
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::NoLonger { line: 1, .. }), "{fault}");
    scene.signers = list("valid-after", now + Duration::from_mins(1), &scene.key);
    let ApprovalError::Unlisted { fault, .. } = scene.refused().await else { panic!("it counted") };
    assert!(matches!(fault, Unlisted::NotYet { line: 1, .. }), "{fault}");
    // A later line may list it anew.
    let later = list("valid-before", now + Duration::from_mins(1), &scene.key);
    scene.signers = format!("{}\n# renewed\n{later}", scene.signers);
    assert!(scene.apply().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn requester_subject_and_approver_are_three_people_by_their_object_ids() {
    let mut scene = Scene::new().await;
    scene.signers = format!("*@contoso.com {}", scene.key.public());
    let subject = scene.world.victim().to_owned();
    for (approver, wanted) in [
        (REQUESTER.to_owned(), WhyUncounted::Requester),
        (REQUESTER.to_uppercase(), WhyUncounted::Requester),
        (subject, WhyUncounted::Subject),
        ("nobody.known@contoso.com".to_owned(), WhyUncounted::Unknown),
    ] {
        scene.statement.approver = approver.parse().unwrap();
        let error = scene.refused().await;
        assert!(error.to_string().contains(&approver), "{error}");
        assert_eq!(why(error), wanted, "{approver}");
    }
    // Two signatures, of which one counts: that one is on the record.
    let requesters = scene.statement.clone();
    let requesters = Statement { approver: REQUESTER.parse().unwrap(), ..requesters };
    let signature = scene.key.sign(NAMESPACE, &requesters.message().unwrap());
    scene.statement.approver = APPROVER.parse().unwrap();
    scene.statement.nonce = "another-nonce-of-ours".parse().unwrap();
    let both = vec![Approval { statement: requesters, signature }, scene.approval()];
    let run = scene.apply_with(Consent::Signed(both)).await.unwrap().run().clone();
    assert_eq!(run.consent.given.iter().map(|own| own.by.as_str()).collect::<Vec<_>>(), [APPROVER]);
}

#[tokio::test(start_paused = true)]
async fn a_guest_a_disabled_and_a_deleted_approver_do_not_count() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(Change, WhyUncounted); 3] = [
        (|user| user["userType"] = json!("Guest"), WhyUncounted::Guest),
        (|user| user["accountEnabled"] = json!(false), WhyUncounted::Disabled),
        (|user| user["userPrincipalName"] = json!("megan.bowen.before@contoso.com"), WhyUncounted::Unknown),
    ];
    for (change, wanted) in changes {
        let world = World::case_with("bec-node-fetch", |tenant| {
            let users = tenant["users"].as_array_mut().unwrap();
            change(users.iter_mut().find(|user| user["userPrincipalName"] == APPROVER).unwrap());
        });
        let scene = Scene::of(world).await;
        assert_eq!(why(scene.refused().await), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_requester_whom_the_tenant_does_not_know_cannot_be_told_from_anybody() {
    for name in ["dana", "dana.ito@contoso.com"] {
        let world = World::case("bec-node-fetch");
        let mut request = world.request("evict");
        request.requested_by = name.to_owned();
        let plan = world.plan_for(request).await.unwrap();
        assert!(!plan.requested_by.resolved, "{name}");
        let mut scene = Scene::of(world).await;
        scene.statement.digest = plan.digest;
        scene.plan = plan;
        let error = scene.refused().await;
        assert!(error.hint().unwrap().contains("[operator]"), "{:?}", error.hint());
        assert_eq!(why(error), WhyUncounted::RequesterUnknown { name: name.to_owned() });
        // Said aloud, two may do.
        scene.settings.four_eyes = false;
        assert!(scene.apply().await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_asks_as_nobody_and_one_person_approves() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.requested_by = "siem".to_owned();
    request.webhook = Some("siem".to_owned());
    let plan = world.plan_for(request).await.unwrap();
    let mut scene = Scene::of(world).await;
    scene.statement.digest = plan.digest;
    scene.plan = plan;
    assert_eq!(scene.apply().await.unwrap().run().verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn an_approval_is_used_once() {
    let scene = Scene::new().await;
    let run = scene.apply().await.unwrap().run().run.clone();
    // The same plan again sends nothing, and answers with its verdict.
    assert!(matches!(scene.apply().await.unwrap(), Applied::Earlier(earlier) if earlier.run == run));
    // Another plan under a statement with the same nonce.
    let writes = scene.world.writes().await.len();
    let mut request = scene.world.request("evict");
    request.requested_by = REQUESTER.to_owned();
    let plan = scene.world.plan_for(request).await.unwrap();
    let statement = statement(&plan, APPROVER, scene.world.clock.now(), "0123456789abcdef");
    let again = Scene { plan, statement, ..scene };
    let error = again.apply().await.unwrap_err();
    assert!(matches!(&error, ApplyError::ConsentUsed(earlier) if *earlier == run), "{error}");
    assert_eq!(error.exit_status(), 4);
    assert_eq!(again.world.writes().await.len(), writes);
}

#[tokio::test(start_paused = true)]
async fn where_a_signature_is_required_no_other_yes_is_one() {
    let scene = Scene::new().await;
    let error = scene.refused_with(scene.world.yes(&scene.plan)).await;
    assert_eq!(error, ApprovalError::SignatureRequired { kind: ConsentKind::Flag });
}

fn auto(plan: &Plan, at: Timestamp) -> Consent {
    Consent::Auto(AutoYes {
        digest: plan.digest,
        webhook: "siem".to_owned(),
        alert: "alert-4711".to_owned(),
        at,
        expires_at: at + Duration::from_mins(5),
    })
}

#[tokio::test(start_paused = true)]
async fn a_webhook_says_yes_only_to_its_own_plans_that_may_run_unattended() {
    let world = World::case("bec-node-fetch");
    let mut request = world.request("evict");
    request.requested_by = "siem".to_owned();
    request.webhook = Some("siem".to_owned());
    let mut plan = world.plan_for(request).await.unwrap();
    let now = world.clock.now();
    let signers = Signers::default();
    let unattended = |plan: &Plan, but: usize| {
        let mut plan = plan.clone();
        for (index, action) in plan.actions.iter_mut().enumerate() {
            action.approval = if index == but { ApprovalMode::Always } else { ApprovalMode::Auto };
        }
        plan.sealed().unwrap()
    };
    for but in 0..plan.actions.len() {
        let plan = unattended(&plan, but);
        let error = approve(plan.clone(), &auto(&plan, now), &signers, now).unwrap_err();
        assert!(matches!(error, ApprovalError::NeedsPerson { .. }), "{error}");
        assert!(error.to_string().contains(plan.actions[but].id.as_str()), "{error}");
        assert_eq!(error.exit_status(), 4);
    }
    plan = unattended(&plan, usize::MAX);
    let mut foreign = plan.clone();
    foreign.requested_by.webhook = Some("other".to_owned());
    let foreign = foreign.sealed().unwrap();
    assert!(approve(foreign.clone(), &auto(&foreign, now), &signers, now).is_err());
    let late = now + Duration::from_mins(5);
    assert!(matches!(
        approve(plan.clone(), &auto(&plan, now), &signers, late).unwrap_err(),
        ApprovalError::Expired { .. }
    ));

    let (_sender, stop) = StopSignal::new();
    let run = world.applier(stop).apply(plan.clone(), auto(&plan, now)).await.unwrap().run().clone();
    assert_eq!(run.verdict, Verdict::Contained);
    assert_eq!(run.consent.kind, ConsentKind::Auto);
    let told = stanch::report::text(&plan, &run, false);
    assert!(told.contains("setting of the webhook by siem"), "{told}");
    assert!(told.contains("alert-4711"), "{told}");
}

/// What the key and the list say of a signature over `stanch`.
fn judged(key: &Key, signers: &str, now: Timestamp) -> Result<(), String> {
    let by = verify(&key.sign(NAMESPACE, b"stanch"), b"stanch").map_err(|error| error.to_string())?;
    admitted(&by, signers, now).map_err(|error| match error {
        Unlisted::Certificate { fault, .. } => fault.to_string(),
        other => other.to_string(),
    })
}

fn admitted(by: &SignedBy, signers: &str, now: Timestamp) -> Result<(), Unlisted> {
    AllowedSigners::parse(signers, &TimeZone::UTC).unwrap().admit(by, APPROVER, now)
}

fn unarmored(signature: &str) -> Vec<u8> {
    let inner: String = signature.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(inner).unwrap()
}

fn rearmored(blob: &[u8]) -> String {
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", STANDARD.encode(blob))
}

#[test]
fn every_kind_of_key_that_is_taken_is_checked() {
    let now = Timestamp::UNIX_EPOCH;
    for key in [
        ed25519(1),
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        security_key(3, true),
        ecdsa_security_key(true),
    ] {
        let signers = format!("{APPROVER} {}", key.public());
        assert_eq!(judged(&key, &signers, now), Ok(()), "{signers}");
        let signature = key.sign(NAMESPACE, b"stanch");
        assert_eq!(verify(&signature, b"stanch!"), Err(SignatureError::Forged), "{signers}");
    }
}

#[test]
fn a_security_key_that_nobody_touched_counts_for_nothing() {
    for key in [security_key(3, false), ecdsa_security_key(false)] {
        let signature = key.sign(NAMESPACE, b"stanch");
        assert_eq!(verify(&signature, b"stanch"), Err(SignatureError::Untouched));
        // The flags are signed: setting the bit afterwards does not help.
        let mut blob = unarmored(&signature);
        let flags = blob.len() - 5;
        blob[flags] |= 1;
        assert_eq!(verify(&rearmored(&blob), b"stanch"), Err(SignatureError::Forged));
    }
}

fn sample(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/signatures");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_count_sends_nothing() {
    let mut scene = Scene::new().await;
    let forged = Approval { signature: sample("rsa-2048-sha1.sig"), ..scene.approval() };
    let error = scene.refused_with(Consent::Signed(vec![forged])).await;
    assert!(matches!(error, ApprovalError::Signature { fault: SignatureError::Sha1, .. }), "{error}");

    scene.key = security_key(3, false);
    scene.signers = format!("{APPROVER} {}", scene.key.public());
    let error = scene.refused().await;
    assert!(error.hint().unwrap().contains("touch"), "{:?}", error.hint());
    assert!(matches!(error, ApprovalError::Signature { fault: SignatureError::Untouched, .. }), "{error}");

    let authority = ed25519(40);
    scene.signers = format!("*@contoso.com cert-authority {}", authority.public());
    let now = u64::try_from(scene.world.clock.now().as_second()).unwrap();
    scene.key = certified(&authority, "lee.gu@contoso.com", now - 60, now + 3_600, |_| {});
    let error = scene.refused().await;
    let ApprovalError::Unlisted { fault: Unlisted::Certificate { line: 1, fault }, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!(fault, CertificateFault::OtherPrincipal { .. }), "{fault}");
    scene.key = certified(&authority, APPROVER, now - 60, now + 3_600, |_| {});
    assert!(scene.apply().await.is_ok());
}

#[test]
fn rsa_counts_from_2048_bits_on_and_never_with_sha_1() {
    assert!(verify(&sample("rsa-2048-sha512.sig"), b"stanch").is_ok());
    assert_eq!(verify(&sample("rsa-2048-sha512.sig"), b"other"), Err(SignatureError::Forged));
    assert_eq!(verify(&sample("rsa-2048-sha1.sig"), b"stanch"), Err(SignatureError::Sha1));
    assert_eq!(
        verify(&sample("rsa-1024-sha512.sig"), b"stanch"),
        Err(SignatureError::Key(KeyFault::ShortRsa { bits: 1024 }))
    );
}

#[test]
fn a_certificate_speaks_for_whom_its_authority_names_and_while_it_says() {
    let authority = ed25519(40);
    let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
    let (from, until) = (1_000, 2_000);
    let signers = format!("*@contoso.com cert-authority,namespaces=\"stanch-plan\" {}", authority.public());
    let usual = certified(&authority, APPROVER, from, until, |_| {});
    assert_eq!(judged(&usual, &signers, at(1_000)), Ok(()));
    assert_eq!(judged(&usual, &signers, at(1_999)), Ok(()));

    let fault = |key: &Key, now: i64| judged(key, &signers, at(now)).unwrap_err();
    assert_eq!(fault(&usual, 999), CertificateFault::NotYet { from: at(1_000) }.to_string());
    assert_eq!(fault(&usual, 2_000), CertificateFault::Expired { until: at(2_000) }.to_string());
    let others = certified(&authority, "lee.gu@contoso.com", from, until, |_| {});
    assert!(fault(&others, 1_500).contains("`lee.gu@contoso.com`"));
    let option = certified(&authority, APPROVER, from, until, |builder| {
        builder.critical_option("source-address", "192.0.2.0/24").unwrap();
    });
    assert!(fault(&option, 1_500).contains("source-address"));
    let host = certify(CertType::Host, &authority, Some(APPROVER), from, until, |_| {});
    assert_eq!(fault(&host, 1_500), CertificateFault::NotForUsers.to_string());
    // OpenSSH has it speak for everybody; we do not.
    let for_all = certify(CertType::User, &authority, None, from, until, |builder| {
        builder.all_principals_valid().unwrap();
    });
    assert!(fault(&for_all, 1_500).contains("it names nobody"));
    // Another authority, and the authority's own key without a certificate.
    assert!(judged(&certified(&ed25519(41), APPROVER, from, until, |_| {}), &signers, at(1_500)).is_err());
    assert!(judged(&authority, &signers, at(1_500)).is_err());
    // A certificate is no key: the line of the bare key does not take it.
    let bare = format!("{APPROVER} {}", ed25519(99).public());
    assert!(judged(&usual, &bare, at(1_500)).is_err());
    // The principals of the line count as well as the certificate's.
    let narrow = signers.replace("*@contoso.com", "*@contoso.com,!megan*");
    assert!(judged(&usual, &narrow, at(1_500)).is_err());
}

#[test]
fn a_certificate_with_one_byte_changed_counts_for_nothing() {
    let authority = ed25519(40);
    let signers = format!("{APPROVER} cert-authority {}", authority.public());
    let Key::Certified { key, certificate } = certified(&authority, APPROVER, 0, 2_000, |_| {}) else {
        panic!()
    };
    let bytes = certificate.to_bytes().unwrap();
    let whole = Key::Certified { key: key.clone(), certificate };
    let signature = whole.sign(NAMESPACE, b"stanch");
    let coded = unarmored(&signature);
    let start = coded.windows(bytes.len()).position(|window| window == bytes).unwrap();
    for place in start..start + bytes.len() {
        let mut changed = coded.clone();
        changed[place] ^= 0x01;
        let counts = verify(&rearmored(&changed), b"stanch")
            .is_ok_and(|by| admitted(&by, &signers, Timestamp::from_second(1_000).unwrap()).is_ok());
        assert!(!counts, "byte {}", place - start);
    }
}

#[test]
fn a_file_with_a_wrong_line_names_every_one_of_them() {
    let text = format!(
        "# ours\n{APPROVER} {}\ndana\n\nlee valid-after=\"soon\" ssh-ed25519 AAAA\n",
        ed25519(1).public()
    );
    let error = AllowedSigners::parse(&text, &TimeZone::UTC).unwrap_err().to_string();
    assert!(error.contains("line 3: no key") && error.contains("line 5: `soon` is no time"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_breaks_the_reader_of_signatures(text in ".{0,200}") {
        prop_assert!(verify(&text, b"stanch").is_err());
    }

    #[test]
    fn no_bytes_in_an_envelope_break_it(key in proptest::collection::vec(any::<u8>(), 0..120), signature in proptest::collection::vec(any::<u8>(), 0..120)) {
        prop_assert!(verify(&armored(&key, NAMESPACE, &signature), b"stanch").is_err());
    }

    #[test]
    fn a_signature_that_is_cut_off_anywhere_is_refused(keep in 0usize..200) {
        let signature = ed25519(1).sign(NAMESPACE, b"stanch");
        let inner: String = signature.lines().filter(|line| !line.starts_with('-')).collect();
        let cut = &inner[..keep.min(inner.len() - 4)];
        let armor = format!("-----BEGIN SSH SIGNATURE-----\n{cut}\n-----END SSH SIGNATURE-----\n");
        prop_assert!(verify(&armor, b"stanch").is_err());
    }
}

#[test]
fn two_nonces_are_never_the_same() {
    let random = stanch::transport::OsRandom;
    assert_ne!(Nonce::draw(&random), Nonce::draw(&random));
    assert!(Nonce::draw(&random).as_str().parse::<Nonce>().is_ok());
}
