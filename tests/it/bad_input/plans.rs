//! Plans that are not applied: changed, foreign, old, expired, used, or none at all.

use serde_json::Value;
use stanch::domain::Clock as _;
use stanch::plan::Plan;
use stanch::transport::SystemClock;

use super::{Row, Scene, text};

fn apply(name: &'static str, file: &str) -> Row {
    Row::new(name, 2, &["apply", "--yes", file])
}

#[test]
fn a_plan_that_is_not_the_one_that_was_made_is_not_applied() {
    let scene = Scene::with(|_| ());
    let plan = scene.plan("plan.json");
    let whole = plan.to_string();
    let edited = |change: fn(&mut Value)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan.to_string()
    };
    for (file, text) in [
        (
            "edited.json",
            edited(|plan| plan["actions"][0]["requests"][0]["path"] = "/v1.0/users/someone".into()),
        ),
        ("longer.json", edited(|plan| plan["expires_at"] = "2099-01-01T00:00:00Z".into())),
        ("more.json", edited(|plan| plan["note"] = "x".into())),
        ("old.json", edited(|plan| plan["format"] = "stanch/plan/v0".into())),
        ("newer.json", edited(|plan| plan["format"] = "stanch/plan/v2".into())),
        ("cut.json", whole[..whole.len() / 2].to_owned()),
        ("other.json", "{\"name\": \"no plan\"}".to_owned()),
        ("text.json", "no plan\n".to_owned()),
    ] {
        scene.write(file, &text);
    }
    let rows: Vec<Row> = ["edited.json", "longer.json"]
        .map(|file| {
            apply("edited by hand", file)
                .says(&["cannot use `", ".json`: the plan was changed after it was made"])
                .next(&["nobody looked at this text", "make a new plan"])
        })
        .into_iter()
        .chain([
            apply("with a key that no plan has", "more.json")
                .says(&["cannot use `more.json`", "unknown field `note`"])
                .next(&["make a new plan"]),
            apply("of an older version", "old.json")
                .says(&["cannot use `old.json`", "`stanch/plan/v0`, this version reads `stanch/plan/v1`"])
                .next(&["make a new plan with this version"]),
            apply("of a newer version", "newer.json")
                .says(&["cannot use `newer.json`", "`stanch/plan/v2`"])
                .next(&["with the newer stanch that wrote it"]),
            apply("cut off", "cut.json").says(&["cannot use `cut.json`"]).next(&["`stanch plan -o`"]),
            apply("another document", "other.json").says(&["cannot use `other.json`"]),
            apply("no JSON", "text.json").says(&["cannot use `text.json`"]).next(&["`stanch plan -o`"]),
            apply("no file", "none.json").says(&["cannot read `none.json`"]).next(&["`stanch plan -o`"]),
            apply("no such id", "0123abcd")
                .says(&["there is no plan `0123abcd`"])
                .next(&["stanch runs list"]),
            Row::new("shown", 2, &["show", "edited.json"]).says(&["cannot use `edited.json`"]),
        ])
        .collect();
    scene.judge(&rows);
}

#[test]
fn a_plan_of_another_tenant_or_past_its_time_is_not_applied() {
    let scene = Scene::with(|_| ());
    let elsewhere = Scene::of("aitm-travel", |_| ());
    scene.write("foreign.json", &elsewhere.plan("plan.json").to_string());

    let mut plan: Plan = serde_json::from_value(scene.plan("plan.json")).unwrap();
    plan.expires_at = SystemClock.now() - jiff::SignedDuration::from_secs(1);
    let expired = plan.sealed().unwrap();
    scene.write("expired.json", &serde_json::to_string(&expired).unwrap());
    scene.judge(&[
        apply("of another tenant", "foreign.json")
            .says(&[
                "the plan is for tenant `b7a1c2d3-4e5f-4a6b-8c7d-9e0f1a2b3c4d`",
                "of tenant `cd613e30-d8f1-4adf-91b7-584a2265b1f5`",
            ])
            .next(&["`AZURE_TENANT_ID`", "credentials of the plan's tenant"]),
        apply("expired", "expired.json").says(&["the plan expired at"]).next(&["make a new plan"]),
        Row::new("nobody said yes", 4, &["apply", "plan.json"])
            .says(&["there is no terminal to ask at", "nothing was sent"])
            .next(&["`--yes`"]),
    ]);
}

#[test]
fn a_plan_that_was_used_sends_nothing_and_answers_with_the_verdict_that_it_had() {
    let scene = Scene::with(|_| ());
    scene.plan("plan.json");
    let apply = || scene.command().args(["apply", "--yes", "plan.json"]).output().unwrap();
    let first = apply();
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let (writes, digest) = (scene.mock.writes(), scene.mock.digest());
    let again = apply();
    assert_eq!((again.status.code(), scene.runs()), (Some(0), 1));
    assert_eq!(again.stdout, first.stdout);
    let told = text(&again.stderr);
    assert!(
        told.contains("this plan was applied already, by run ") && told.contains("nothing was sent"),
        "{told}"
    );
    assert!(told.contains("to do more, make a new plan"), "{told}");
    assert_eq!((scene.mock.writes(), scene.mock.digest()), (writes, digest));

    // Nothing is sent, so nobody need sign in.
    let mut signed_out = scene.command();
    signed_out.env_remove("AZURE_CLIENT_SECRET").env_remove("AZURE_CLIENT_ID");
    let again = signed_out.args(["apply", "plan.json"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", self::text(&again.stderr));
    assert_eq!(again.stdout, first.stdout);
}

#[test]
fn another_plan_under_the_id_of_one_that_is_kept_is_not_applied() {
    let scene = Scene::with(|_| ());
    let mut plan: Plan = serde_json::from_value(scene.plan("plan.json")).unwrap();
    plan.warnings.clear();
    plan.residual_risk.clear();
    scene.write("other.json", &serde_json::to_string(&plan.sealed().unwrap()).unwrap());
    scene.judge(&[apply("sealed again", "other.json")
        .says(&["the store holds another plan under the id"])
        .next(&["nobody looked at this text", "make a new plan"])]);
}
