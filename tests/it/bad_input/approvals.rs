//! Approvals that count for nothing: for another plan, by nobody known, too old, or by who may not approve.

use std::time::Duration;

use jiff::Timestamp;
use stanch::approval::{Approval, NAMESPACE};
use stanch::domain::Clock as _;
use stanch::plan::Plan;
use stanch::transport::SystemClock;

use super::{Row, Scene};
use crate::approval::{APPROVER, REQUESTER, statement};
use crate::signing::{Key, ed25519};

const SUBJECT: &str = "lynne.robbins@contoso.com";

/// A signed approval as a file holds it.
fn approval(plan: &Plan, approver: &str, key: &Key, at: Timestamp) -> String {
    let statement = statement(plan, approver, at, "0123456789abcdef");
    let signature = key.sign(NAMESPACE, &statement.message().unwrap());
    serde_json::to_string(&Approval { statement, signature }).unwrap()
}

#[test]
fn an_approval_that_does_not_count_sends_nothing_and_says_whose_and_why() {
    let scene = Scene::with(|_| ());
    let settings = format!(
        "[operator]\nuser = \"{REQUESTER}\"\n[approval]\nrequired = true\napprovers = \"allowed_signers\"\n"
    );
    scene.end_settings(&settings);
    let (key, stranger, now) = (ed25519(1), ed25519(2), SystemClock.now());
    let listed: String =
        [APPROVER, REQUESTER, SUBJECT].map(|name| format!("{name} {}\n", key.public())).concat();
    scene.write("allowed_signers", &listed);
    let plan: Plan = serde_json::from_value(scene.plan("plan.json")).unwrap();
    let other: Plan = serde_json::from_value(scene.plan("other.json")).unwrap();
    let good = approval(&plan, APPROVER, &key, now);
    for (file, text) in [
        ("another.json", approval(&other, APPROVER, &key, now)),
        ("stranger.json", approval(&plan, APPROVER, &stranger, now)),
        ("nobody.json", approval(&plan, "lee.gu@contoso.com", &stranger, now)),
        ("old.json", approval(&plan, APPROVER, &key, now - Duration::from_hours(2))),
        ("future.json", approval(&plan, APPROVER, &key, now + Duration::from_hours(2))),
        ("requester.json", approval(&plan, REQUESTER, &key, now)),
        ("subject.json", approval(&plan, SUBJECT, &key, now)),
        ("edited.json", good.replace("service desk", "board")),
        ("none.json", "{}".to_owned()),
    ] {
        scene.write(file, &text);
    }
    let row = |name, file: &str| Row::new(name, 4, &["apply", "plan.json", "--approval", file]);
    scene.judge(&[
        row("of another plan", "another.json")
            .says(&["the yes of `megan.bowen@contoso.com` is for the plan `sha256:"])
            .next(&["have this very plan approved"]),
        row("with a key of somebody else", "stranger.json")
            .says(&["`megan.bowen@contoso.com` may not approve with this key", "with another key than"])
            .next(&["to the approvers' file"]),
        row("by nobody known", "nobody.json")
            .says(&["lists neither `lee.gu@contoso.com` nor the key"])
            .next(&["to the approvers' file", "somebody approve who is in it"]),
        row("expired", "old.json")
            .says(&["the yes of `megan.bowen@contoso.com` could be used until"])
            .next(&["have it approved again"]),
        row("of a clock ahead", "future.json")
            .says(&["the approval of `megan.bowen@contoso.com` is dated"])
            .next(&["set both clocks right"]),
        row("by the requester", "requester.json")
            .says(&["no approval counts", "`adele.vance@contoso.com`", "asked for the plan"])
            .next(&["a third person"]),
        row("by the subject", "subject.json")
            .says(&["no approval counts", "`lynne.robbins@contoso.com`"])
            .next(&["a third person"]),
        row("edited", "edited.json")
            .says(&["the approval of `megan.bowen@contoso.com` is not valid", "changed after it was signed"])
            .next(&["have the plan approved again"]),
        row("no approval", "none.json").says(&["`none.json`", "approval"]).next(&["stanch approve"]),
        Row::new("no file", 2, &["apply", "plan.json", "--approval", "nowhere.json"])
            .says(&["cannot read `nowhere.json`"]),
        Row::new("none at all", 4, &["apply", "plan.json", "--yes"])
            .says(&["the settings ask for a signed approval (`approval.required`)", "nothing was sent"])
            .next(&["stanch approve"]),
    ]);

    // And what was wrong was none of it the plan's.
    scene.write("good.json", &good);
    let output = scene.command().args(["apply", "plan.json", "--approval", "good.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", super::text(&output.stderr));

    // The same yes again, where the store has forgotten the run: nothing is undone or done twice.
    let again = scene.command().args(["apply", "plan.json", "--approval", "good.json"]).output().unwrap();
    assert_eq!((again.status.code(), scene.runs()), (Some(0), 1));
    assert!(super::text(&again.stderr).contains("nothing was sent"));
}
