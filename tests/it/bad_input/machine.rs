//! Settings that are wrong.

use super::{Row, Scene};

#[test]
fn settings_that_are_wrong_are_shown_with_their_place_and_what_was_meant() {
    let scene = Scene::with(|_| ());
    for (file, text) in [
        ("key.toml", "store = \"sqlite://a.db\"\n[guards]\ncompny_ranges = [\"45.83.220.0/24\"]\n"),
        ("strange.toml", "[guards]\nzzz = 1\n"),
        ("section.toml", "[zzz]\nx = 1\n"),
        ("syntax.toml", "[guards\n"),
        ("range.toml", "[guards]\ncompany_ranges = [\"45.83.220.9/24\"]\n"),
        ("store.toml", "store = \"mysql://x\"\n"),
    ] {
        scene.write(file, text);
    }
    let row = |name, file: &str| Row::new(name, 2, &["runs", "list"]).config(file);
    scene.judge(&[
        row("an unknown key", "key.toml")
            .says(&["key.toml:3:1: unknown key `guards.compny_ranges`"])
            .next(&["did you mean `guards.company_ranges`?"]),
        row("a key like no other", "strange.toml")
            .says(&["strange.toml:2:1: unknown key `guards.zzz`"])
            .next(&["`emergency_accounts`", "`company_ranges`"]),
        row("a section like no other", "section.toml")
            .says(&["section.toml:1:2: unknown key `zzz`"])
            .next(&["`store`", "`guards`", "`webhooks`"]),
        row("host bits", "range.toml")
            .says(&["`guards.company_ranges`", "`45.83.220.9/24` has host bits set"])
            .next(&["the range is `45.83.220.0/24`"]),
        row("no TOML", "syntax.toml").says(&["syntax.toml:1:"]).next(&["the file is TOML"]),
        row("another database", "store.toml").says(&["store.toml:1:9", "`store`"]).next(&["sqlite://"]),
        row("no file", "none.toml")
            .says(&["cannot read configuration `none.toml`"])
            .next(&["check the path"]),
        Row::new("a variable", 2, &["runs", "list"])
            .set("STANCH_GARDS__WIDEST_BLOCK__IPV4", "24")
            .says(&["STANCH_GARDS__WIDEST_BLOCK__IPV4: unknown key"])
            .next(&["did you mean `STANCH_GUARDS__WIDEST_BLOCK__IPV4`?"]),
        Row::new("a flag", 2, &["--store", "redis://x", "runs", "list"])
            .says(&["--store"])
            .next(&["sqlite://relative.db"]),
    ]);
}

#[test]
fn a_setting_of_another_type_says_what_it_takes() {
    let scene = Scene::with(|_| ());
    scene.write("type.toml", "[guards]\nmax_subjects_per_hour = \"many\"\n");
    let output = scene.command_with("type.toml").args(["runs", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        super::text(&output.stderr),
        "error: type.toml:2:25: `guards.max_subjects_per_hour` takes an integer from 1 to 10000, found the text `many`\n"
    );
}
