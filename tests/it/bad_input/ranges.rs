//! Ranges that are not blocked: the plan is made without them and says so, each with why and what to do.

use serde_json::Value;

use super::{Row, Scene, text};

fn scene() -> Scene {
    let scene = Scene::with(|_| ());
    // `[guards]` is the last section of the settings.
    scene.end_settings("company_ranges = [\"45.83.220.0/24\"]\n");
    scene
}

/// Every request of a plan as text.
fn requests(plan: &Value) -> String {
    plan["actions"].as_array().unwrap().iter().map(|action| action["requests"].to_string()).collect()
}

#[test]
fn a_playbook_that_would_block_the_whole_internet_is_planned_without_that() {
    let scene = scene();
    let before = scene.mock.digest();
    scene.write(
        "wide.yaml",
        "schema: stanch/playbook/v1\nname: wide\ntitle: Wide\nsummary: Wide.\nsteps:\n  - step: block_ips\n    with: { ips: [0.0.0.0/0, \"::/0\", 89.187.164.77] }\n  - step: revoke_sessions\n",
    );
    let output = scene
        .command()
        .args(["--format", "json", "plan", "./wide.yaml", "--user", scene.mock.victim()])
        .output()
        .unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{plan:#}");
    let refused = plan["guards"]["refused"].as_array().unwrap();
    for (object, widest) in [("0.0.0.0/0", "/24"), ("::/0", "/48")] {
        let own: Vec<_> = refused.iter().filter(|refusal| refusal["object"] == object).collect();
        let [refusal] = own[..] else { panic!("{object}: {refused:?}") };
        assert_eq!(refusal["guard"], "too_wide");
        assert!(refusal["why"].as_str().unwrap().contains(&format!("wider than {widest}")), "{refusal}");
        assert!(!requests(&plan).contains(object), "{object} is in a request");
    }
    assert!(requests(&plan).contains("89.187.164.77/32"), "one bad range took the others with it");
    assert_eq!((scene.mock.writes(), scene.mock.digest(), scene.runs()), (0, before, 0));
}

#[test]
fn a_range_that_would_hit_others_stands_refused_in_the_plan_and_no_request_holds_it() {
    let scene = scene();
    let (before, user) = (scene.mock.digest(), scene.mock.victim());
    for (range, shown, guard, why, next) in [
        ("89.187.0.0/16", "89.187.0.0/16", "too_wide", "wider than /24", "guards.widest_block"),
        ("10.1.2.3", "10.1.2.3/32", "special_purpose_range", "private use", "leave it out"),
        ("fd00::1", "fd00::1/128", "special_purpose_range", "unique local", "leave it out"),
        ("45.83.220.9", "45.83.220.9/32", "company_range", "the company's own 45.83.220.0/24", "look there"),
        (
            "52.96.12.0/24",
            "52.96.12.0/24",
            "microsoft_range",
            "Exchange Online",
            "--override microsoft_range",
        ),
    ] {
        let output = scene
            .command()
            .args(["--format", "json", "plan", "bec", "--user", user, "--ip", range])
            .output()
            .unwrap();
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{range}");
        let refused: Vec<_> = plan["guards"]["refused"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|refusal| refusal["object"] == shown)
            .collect();
        let [refusal] = refused[..] else { panic!("{range}: {}", plan["guards"]) };
        assert_eq!((&refusal["guard"], &refusal["step"]), (&guard.into(), &"block_ips".into()), "{range}");
        assert_eq!(refusal["holds_back"], true, "{range}: a run without it would count as contained");
        assert!(refusal["why"].as_str().unwrap().contains(why), "{refusal}");
        assert!(refusal["next"].as_str().unwrap().contains(next), "{refusal}");
        assert!(!requests(&plan).contains(shown), "{range} is in a request");

        let preview = scene.command().args(["plan", "bec", "--user", user, "--ip", range]).output().unwrap();
        let told = text(&preview.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("{shown} refused by {guard}, wanted by block_ips Why: ")), "{told}");
    }
    assert_eq!((scene.mock.writes(), scene.mock.digest(), scene.runs()), (0, before, 0));
}

#[test]
fn setting_one_guard_aside_does_not_set_the_next_one_aside() {
    let scene = scene();
    let user = scene.mock.victim();
    let output = scene
        .command()
        .args(["--format", "json", "plan", "bec", "--user", user, "--ip", "45.83.0.0/16"])
        .args(["--override", "too_wide"])
        .output()
        .unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let refused = plan["guards"]["refused"].as_array().unwrap();
    let own = refused.iter().find(|refusal| refusal["object"] == "45.83.0.0/16").unwrap();
    assert_eq!(own["guard"], "company_range");
    assert!(!requests(&plan).contains("45.83.0.0/16"), "the company would be locked out");
}

#[test]
fn text_that_is_no_range_and_guards_that_are_none_are_refused() {
    let scene = scene();
    let plan = |name, more: &[&str]| {
        let words: Vec<&str> =
            ["plan", "bec", "--user", "lynne.robbins@contoso.com"].iter().chain(more).copied().collect();
        Row::new(name, 2, &words)
    };
    scene.judge(&[
        plan("the whole internet", &["--ip", "0.0.0.0/0"])
            .says(&["`0.0.0.0/0` is wider than /8", "the user's own too"])
            .next(&["that the intruder came from"]),
        plan("the whole of IPv6", &["--ip", "::/0"]).says(&["`::/0` is wider than /16"]),
        plan("no range", &["--ip", "89.187.164"]).says(&["`89.187.164` is no address"]).next(&["--ip"]),
        plan("no prefix", &["--ip", "89.187.164.0/33"]).says(&["`89.187.164.0/33`"]).next(&["--ip"]),
        plan("masked", &["--ip", "89.187.164.XXX"]).says(&["masked", "the log hides part of it"]),
        plan("no guard", &["--override", "to_wide"])
            .says(&["there is no guard `to_wide`"])
            .next(&["did you mean `too_wide`?"]),
        plan("a fixed guard", &["--override", "company_range"])
            .says(&["the guard `company_range` cannot be set aside"])
            .next(&["those that can be set aside are"]),
        plan("no time", &["--since", "yesterday"]).says(&["`yesterday` is no time"]).next(&["in UTC"]),
        plan("no method id", &["--keep", "a b"]).says(&["`a b`"]).next(&["list of methods"]),
    ]);
}
