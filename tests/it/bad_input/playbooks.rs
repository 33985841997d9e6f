//! Playbooks that are none: each fault is shown where it stands.

use super::{Row, Scene};

const HEAD: &str = "schema: stanch/playbook/v1\nname: mine\ntitle: Mine\nsummary: Mine.\nsteps:\n";

#[test]
fn a_playbook_that_cannot_be_read_is_shown_where_it_is_wrong() {
    let scene = Scene::with(|_| ());
    let laughs: Vec<String> = (1..9)
        .map(|level| format!("&a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", ")))
        .collect();
    let bomb = format!("    with: {{ ips: [&a0 [lol, lol, lol], {}] }}\n", laughs.join(", "));
    let step = |text: &str| format!("{HEAD}{text}");
    for (file, text) in [
        ("step.yaml", step("  - step: revoke_sesions\n")),
        (
            "cycle.yaml",
            step("  - step: disable_sign_in\n    needs: [revoke_sessions]\n  - step: revoke_sessions\n"),
        ),
        ("twice.yaml", step("  - step: revoke_sessions\n    id: one\n    id: two\n")),
        ("bomb.yaml", step(&format!("  - step: block_ips\n{bomb}"))),
        ("tab.yaml", step("  - step: revoke_sessions\n\tid: one\n")),
        ("option.yaml", step("  - step: reset_password\n    with: { deliver: everybody }\n")),
        ("early.yaml", step("  - step: revoke_sessions\n  - step: reset_password\n")),
        ("newer.yaml", step("  - step: revoke_sessions\n").replace("/v1", "/v2")),
        ("empty.yaml", String::new()),
    ] {
        scene.write(file, &text);
    }
    let plan = |name, file| Row::new(name, 2, &["plan", file, "--user", "lynne.robbins@contoso.com"]);
    scene.judge(&[
        plan("an unknown step", "./step.yaml")
            .says(&["unknown step `revoke_sesions`", "step.yaml:6:11"])
            .next(&["did you mean `revoke_sessions`?"]),
        plan("a cycle", "./cycle.yaml")
            .says(&["these steps wait for each other: disable_sign_in → revoke_sessions", "cycle.yaml:"])
            .next(&["take one of them out of `needs`"]),
        plan("a key twice", "./twice.yaml")
            .says(&["`id` stands twice", "twice.yaml:8:5"])
            .next(&["keep one of the two"]),
        plan("a bomb", "./bomb.yaml")
            .says(&["anchors and aliases are not read"])
            .next(&["write the value out"]),
        plan("a tab", "./tab.yaml")
            .says(&["a tab stands here", "tab.yaml:7:1"])
            .next(&["indent with spaces"]),
        plan("a wrong option", "./option.yaml")
            .says(&["`everybody` is not one of `nobody`, `terminal`", "option.yaml:7:"]),
        plan("a door shut too late", "./early.yaml").says(&["reset_password", "early.yaml:"]),
        plan("a newer one", "./newer.yaml").says(&["newer.yaml:1:"]).next(&["upgrade stanch"]),
        plan("an empty one", "./empty.yaml").says(&["the file is empty", "empty.yaml"]).next(&["schema: "]),
        plan("one that is not there", "./none.yaml")
            .says(&["cannot read playbook `./none.yaml`"])
            .next(&["check the path"]),
        plan("an unknown name", "bce").says(&["no playbook is called `bce`"]).next(&["did you mean `bec`?"]),
        Row::new("an unknown input", 2, &["plan", "bec", "--user", "x@contoso.com", "--set", "place=x"])
            .says(&["no input is called `place`"])
            .next(&["location"]),
        Row::new("no setting", 2, &["plan", "bec", "--user", "x@contoso.com", "--set", "location"])
            .says(&["location"])
            .next(&["--set name=value"]),
    ]);
}
