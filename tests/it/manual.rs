//! What a run leaves to a person: the instruction with its exact commands, the run held open until somebody says that it
//! is done, and what rests on their word told as such.

use std::process::Output;

use serde_json::{Value, json};
use stanch::engine::{ConfirmError, Word, confirm};
use stanch::playbook::BoundPlaybook;
use stanch::run::{ActionState, CheckState, Run, Verdict};
use stanch::store::StoreError;

use crate::bad_input::{Row, Scene, text};
use crate::world::{World, action, book};

const BANK: &str = r#"
  - step: manual
    id: bank
    with:
      title: "Ask the bank about payments that {upn} asked for"
      instruction: ["Call the bank, by the number that you know."]
      powershell: ["Get-MessageTraceV2 -SenderAddress {upn} -StartDate (Get-Date).AddDays(-10) -EndDate (Get-Date)"]
"#;

const EVICT: &str = "  - step: disable_sign_in\n  - step: revoke_sessions\n";

fn steps(more: &str) -> String {
    format!("{EVICT}{}", more.trim_start_matches('\n'))
}

fn file(steps: &str) -> String {
    format!("schema: stanch/playbook/v1\nname: own\ntitle: Own\nsummary: Own.\nsteps:\n{steps}")
}

/// The reference case with a playbook of one's own beside it.
fn scene(steps: &str) -> Scene {
    let scene = Scene::with(|_| ());
    scene.write("own.yaml", &file(steps));
    scene
}

fn go(scene: &Scene, arguments: &[&str]) -> Output {
    scene.command().args(arguments).output().unwrap()
}

fn document(scene: &Scene, status: i32, arguments: &[&str]) -> Value {
    let output = go(scene, &[&["--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs the scene's playbook, and tells the run's id.
fn ran(scene: &Scene, status: i32) -> Value {
    document(scene, status, &["run", "./own.yaml", "--user", scene.mock.victim(), "--yes"])
}

async fn planned(world: &World, playbook: BoundPlaybook) -> stanch::plan::Plan {
    let mut request = world.request("evict");
    request.playbook = playbook;
    world.plan_for(request).await.unwrap()
}

async fn say(world: &World, run: &Run, action: &str, reason: &str) -> Result<Run, ConfirmError> {
    let said = Word { action, by: "dana.ito@contoso.com", reason };
    confirm(world.store.as_ref(), &run.run, said, world.clock.now()).await.map(|(_, run)| run)
}

#[test]
fn a_run_waits_for_a_person_and_counts_their_word_as_a_word() {
    let scene = scene(&steps(BANK));
    let run = ran(&scene, 6);
    let id = run["run"].as_str().unwrap();
    assert_eq!(run["verdict"], "partial");
    assert_eq!(run["actions"][2]["state"], "waiting_for_person");
    let next = run["open"][0]["next"].as_str().unwrap();
    assert_eq!(
        next.lines().collect::<Vec<_>>(),
        [
            "Call the bank, by the number that you know.",
            "Get-MessageTraceV2 -SenderAddress 'lynne.robbins@contoso.com' -StartDate (Get-Date).AddDays(-10) -EndDate (Get-Date)",
            &format!("stanch runs confirm {id} bank --reason TEXT"),
        ]
    );
    // The commands stand whole on a line each, to be copied.
    let shown = text(&go(&scene, &["runs", "show", id]).stdout);
    assert!(next.lines().all(|line| shown.lines().any(|own| own.trim_start().ends_with(line))), "{shown}");
    assert!(
        shown.contains("WAIT  Ask the bank about payments that lynne.robbins@contoso.com asked for"),
        "{shown}"
    );
    assert_eq!(go(&scene, &["runs", "verify", id]).status.code(), Some(6));

    let confirmed = ["runs", "confirm", id, "bank", "--reason", "called at 14:20, nothing was paid"];
    let run = document(&scene, 0, &confirmed);
    crate::schemas::fits("run", &run);
    assert_eq!((&run["verdict"], &run["open"]), (&json!("contained"), &json!([])));
    assert_eq!(run["actions"][2]["state"], "confirmed");
    let by = &run["actions"][2]["confirmed"];
    assert_eq!((&by["by"], &by["reason"]), (&json!("dana"), &json!("called at 14:20, nothing was paid")));
    // From now on every command counts it, and none calls it read back.
    let shown = text(&go(&scene, &["runs", "show", id]).stdout);
    assert!(shown.starts_with("Contained, as far as a person's word goes"), "{shown}");
    assert!(shown.contains("said  ") && shown.contains("confirmed by dana, not read back"), "{shown}");
    let markdown = text(&go(&scene, &["--format", "markdown", "runs", "show", id]).stdout);
    assert!(markdown.contains("as far as a person's word goes"), "{markdown}");
    assert_eq!(document(&scene, 0, &["runs", "list"])["items"][0]["verdict"], "contained");
    let verified = document(&scene, 0, &["runs", "verify", id]);
    let check = verified["checks"].as_array().unwrap().iter().find(|own| own["action"] == "bank").unwrap();
    assert!(check["seen"].as_str().unwrap().contains("not read back"), "{check}");
    let plan = run["plan"].as_str().unwrap();
    assert_eq!(
        go(&scene, &["apply", plan]).status.code(),
        Some(0),
        "applied already, with the verdict that it has now"
    );
}

#[test]
fn what_cannot_be_confirmed_is_told_and_changes_nothing() {
    let scene = scene(&steps(BANK));
    let run = ran(&scene, 6);
    let id = run["run"].as_str().unwrap();
    scene.write(
        "own.toml",
        "store = \"sqlite://stanch.db\"\n[operator]\nuser = \"Lynne.Robbins@contoso.com\"\n",
    );
    let row = |name, status, run: &str, action: &str, reason: &str| {
        Row::new(name, status, &["runs", "confirm", run, action, "--reason", reason])
    };
    scene.judge(&[
        row("no such run", 2, "7f3a", "bank", "done")
            .says(&["there is no run `7f3a`"])
            .next(&["stanch runs list"]),
        row("no such action", 2, id, "bnak", "done")
            .says(&["has no action `bnak`"])
            .next(&["did you mean `bank`?"]),
        row("no id at all", 2, id, "../x y", "done")
            .says(&["has no action `../x y`"])
            .next(&["wait for a person: `bank`"]),
        row("an action of ours", 2, id, "revoke_sessions", "done")
            .says(&["`revoke_sessions`", "is no person's work"])
            .next(&["stanch runs verify"]),
        row("no reason", 2, id, "bank", " ").says(&["the reason is empty"]).next(&["say in a few words"]),
        row("too much", 2, id, "bank", &"x".repeat(1001))
            .says(&["the reason has 1001 letters"])
            .next(&["few words"]),
        row("the account itself", 3, id, "bank", "done")
            .config("own.toml")
            .says(&["is the account that run"])
            .next(&["somebody else", "operator.user"]),
    ]);
    assert_eq!(document(&scene, 0, &["runs", "show", id])["verdict"], "partial");
    assert_eq!(go(&scene, &["runs", "confirm", id, "bank", "--reason", "done"]).status.code(), Some(0));
    scene.judge(&[row("confirmed already", 2, id, "bank", "done again")
        .says(&["`bank`", "was confirmed already, by dana"])
        .next(&["stanch runs show"])]);
}

#[test]
fn a_manual_step_without_its_instruction_is_shown_where_it_stands() {
    let scene = Scene::with(|_| ());
    let mut rows = Vec::new();
    for (name, with, says) in [
        ("nothing", "{ title: Look }", "the option `instruction` is missing"),
        ("empty", "{ title: Look, instruction: [] }", "there is nothing in it"),
        (
            "unknown place",
            "{ title: \"Ask {user}\", instruction: [Look] }",
            "`{user}` is nothing that is filled in",
        ),
        (
            "quoted twice",
            "{ title: Look, instruction: [Look], powershell: [\"Get-Mailbox '{upn}'\"] }",
            "`{upn}` stands within quotes",
        ),
        ("unknown kind", "{ title: Look, instruction: [Look], when: [methds] }", "`methds` is not one of"),
    ] {
        let own = format!("{}.yaml", name.replace(' ', "-"));
        scene.write(&own, &file(&format!("  - step: manual\n    with: {with}\n")));
        rows.push(Row::new(name, 2, &["playbook", "check", &format!("./{own}")]).says(&[says]));
    }
    scene.judge(&rows);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_required_holds_nothing_back_and_is_told_as_open() {
    let world = World::case("bec-node-fetch");
    let plan = planned(&world, book(&steps(&format!("{BANK}    required: false\n")))).await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained);
    let [open] = run.open.as_slice() else { panic!("{:?}", run.open) };
    assert!(
        open.why.contains("not required for containment") && open.next.contains("runs confirm"),
        "{open:?}"
    );
    let verification = world.verify(&plan).await;
    assert!(verification.holds, "{verification:#?}");
    let check = verification.checks.iter().find(|own| own.state == CheckState::NotDone).unwrap();
    assert_eq!(check.next, Some(format!("`stanch runs show {}` tells how", run.run)));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_a_persons_work_alone_is_applied_for_the_record_and_sends_nothing() {
    let world = World::case("bec-node-fetch");
    let plan = planned(&world, book(BANK.trim_start_matches('\n'))).await;
    let run = world.apply(&plan).await;
    assert_eq!((run.verdict, run.actions[0].state), (Verdict::Partial, ActionState::WaitingForPerson));
    assert!(world.writes().await.is_empty());
    let run = say(&world, &run, "bank", "nothing was paid").await.unwrap();
    assert_eq!((run.verdict, run.actions[0].state), (Verdict::Contained, ActionState::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn of_two_who_confirm_at_once_the_first_stands() {
    let world = World::case("bec-node-fetch");
    let plan = planned(&world, book(&steps(BANK))).await;
    let run = world.apply(&plan).await;
    let both = tokio::join!(say(&world, &run, "bank", "one"), say(&world, &run, "bank", "two"));
    let refused = [both.0, both.1].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(
        matches!(refused.as_slice(), [ConfirmError::Store(StoreError::AlreadyConfirmed { .. })]),
        "{refused:?}"
    );
    // The chain is whole, and tells of one.
    let (_, journal) = world.store.load(&run.run).await.unwrap();
    let (told, _) = Run::with_progress(run.run.clone(), &plan, &journal).unwrap();
    assert_eq!(told.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn it_is_planned_only_where_what_it_is_for_was_found_or_could_not_be_looked_for() {
    let when = |kind: &str| book(&steps(&format!("{BANK}      when: [{kind}]\n")));
    let world = World::case("bec-node-fetch");
    for (kind, is_found) in [
        ("methods", true),
        ("addresses", true),
        ("inbox_rules", false),
        ("consents", false),
        ("devices", false),
    ] {
        let plan = planned(&world, when(kind)).await;
        assert_eq!(plan.actions.iter().any(|own| own.step == "manual"), is_found, "{kind}");
        assert_eq!(plan.unchanged.iter().any(|own| own.is_of("manual")), !is_found, "{kind}");
    }
    let blind = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "MailboxSettings.Read");
    });
    let plan = planned(&blind, when("inbox_rules")).await;
    let manual = plan.actions.iter().find(|own| own.step == "manual").unwrap();
    assert!(
        manual.evidence[0].starts_with("whether there is one could not be read"),
        "{:?}",
        manual.evidence
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_nobodys_only_because_a_log_was_not_read_could_not_be_looked_for() {
    let when = |kind: &str| book(&steps(&format!("{BANK}      when: [{kind}]\n")));
    let blind = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "AuditLog.Read.All");
    });
    for kind in ["addresses", "methods"] {
        let plan = planned(&blind, when(kind)).await;
        let manual = plan.actions.iter().find(|own| own.step == "manual");
        let manual = manual.unwrap_or_else(|| panic!("{kind}: {:?}", plan.unchanged));
        assert!(
            manual.evidence[0].starts_with("whether there is one could not be read"),
            "{kind}: {manual:?}"
        );
        assert!(manual.evidence[0].contains("AuditLog.Read.All"), "{kind}: {manual:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_could_not_be_read_make_the_look_at_the_mailbox_required() {
    let blind = World::case_with("bec-node-fetch", |tenant| {
        let roles = tenant["applications"][1]["roles"].as_array_mut().unwrap();
        roles.retain(|role| role != "MailboxSettings.Read");
    });
    let plan = planned(&blind, book("  - step: check_exchange\n")).await;
    let own = exchange(&plan);
    assert!(own.required && own.evidence[0].contains("could not be read"), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_breaks_out_of_no_quotes() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let lynne = users.iter_mut().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com");
        lynne.unwrap()["userPrincipalName"] = json!("o'neil;$(whoami){id}@contoso.com");
    });
    let mut request = world.request("evict");
    request.user = "6ed5d1bf-e585-452f-ac95-4ab592c9357d".to_owned();
    request.playbook = book(&steps(BANK));
    let plan = world.plan_for(request).await.unwrap();
    let cannot = plan.actions.last().unwrap().cannot.as_ref().unwrap();
    assert!(
        cannot.commands[0]
            .starts_with("Get-MessageTraceV2 -SenderAddress 'o''neil;$(whoami){id}@contoso.com' -StartDate "),
        "{:?}",
        cannot.commands
    );
}

/// A synchronized user, whose password only the company's own directory can change.
fn synced() -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let users = tenant["users"].as_array_mut().unwrap();
        let lynne = users.iter_mut().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com");
        lynne.unwrap()["onPremisesSyncEnabled"] = json!(true);
    })
}

#[tokio::test(start_paused = true)]
async fn a_door_that_a_person_shut_after_the_last_revocation_is_no_containment_by_their_word() {
    let mut world = synced();
    let plan = world.plan("evict").await;
    let run = world.apply(&plan).await;
    assert_eq!(action(&run, "reset_password").state, ActionState::WaitingForPerson);
    assert_eq!(run.verdict, Verdict::Partial);
    let run = say(&world, &run, "reset_password", "reset twice on DC1").await.unwrap();
    assert_eq!(
        (run.verdict, action(&run, "reset_password").state),
        (Verdict::Partial, ActionState::Confirmed)
    );
    let open = run.open.iter().find(|own| own.what.starts_with("Reset the password")).unwrap();
    assert!(open.next.contains("stanch run evict --user lynne.robbins@contoso.com"), "{open:?}");
    // The word does not stand against what Graph shows: the password has not changed.
    let verification = world.verify(&plan).await;
    let check = verification
        .checks
        .iter()
        .find(|own| own.action.as_ref().is_some_and(|id| id.as_str() == "reset_password"));
    let check = check.unwrap();
    assert_eq!(check.state, CheckState::Drifted);
    assert!(
        check.seen.contains("confirmed by dana.ito@contoso.com") && check.seen.contains("as it was before"),
        "{check:?}"
    );
    // Once it shows, a new run has nothing to do for it, and ends contained.
    let now = world.clock.now().to_string();
    world
        .change_tenant(|tenant| {
            let users = tenant["users"].as_array_mut().unwrap();
            let lynne = users.iter_mut().find(|own| own["userPrincipalName"] == "lynne.robbins@contoso.com");
            lynne.unwrap()["lastPasswordChangeDateTime"] = json!(now);
        })
        .await;
    let plan = world.plan("evict").await;
    assert!(plan.unchanged.iter().any(|own| own.step == "reset_password"), "{:?}", plan.unchanged);
    assert_eq!(world.apply(&plan).await.verdict, Verdict::Contained);
}

#[test]
fn a_short_preview_counts_the_commands_and_a_long_one_shows_them() {
    let scene = scene(&steps(BANK));
    let plan = |more: &[&str]| {
        let arguments = [&["run", "./own.yaml", "--user", scene.mock.victim(), "--dry-run"], more].concat();
        text(&go(&scene, &arguments).stdout)
    };
    let shown = plan(&[]);
    assert!(shown.contains("1 more thing") && shown.contains("waits for a person"), "{shown}");
    assert!(
        shown.contains("1 line of PowerShell: shown with -v") && !shown.contains("Get-MessageTrace"),
        "{shown}"
    );
    assert!(plan(&["-v"]).contains("Get-MessageTraceV2 -SenderAddress 'lynne.robbins@contoso.com'"));
    assert!(
        plan(&["--format", "markdown"])
            .contains("Get-MessageTraceV2 -SenderAddress 'lynne.robbins@contoso.com'")
    );
    let by_hand = text(
        &go(&scene, &["playbook", "show", "./own.yaml", "--by-hand", "--user", scene.mock.victim()]).stdout,
    );
    assert!(by_hand.contains("Get-MessageTraceV2 -SenderAddress 'lynne.robbins@contoso.com'"), "{by_hand}");
}

/// A rule that Graph cannot express, in the reference case.
fn with_an_opaque_rule() -> World {
    World::case_with("bec-node-fetch", |tenant| {
        let victim = tenant["attackers"][0]["userId"].as_str().unwrap().to_owned();
        let rule = json!({ "id": "AQAAOpaque=", "displayName": "it's pinned", "sequence": 1, "isEnabled": true,
                           "hasError": false, "isReadOnly": true });
        tenant["messageRules"] = json!({ victim: [rule] });
    })
}

fn exchange(plan: &stanch::plan::Plan) -> &stanch::plan::Action {
    plan.actions.iter().find(|own| own.step == "check_exchange").unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_graph_does_not_show_of_the_mailbox_is_a_persons_look_that_holds_nothing_back_by_itself() {
    for playbook in ["bec", "token-theft"] {
        let world = World::case("bec-node-fetch");
        let plan = world.plan(playbook).await;
        let own = exchange(&plan);
        assert!(!own.required && own.requests.is_empty(), "{own:?}");
        let commands = &own.cannot.as_ref().unwrap().commands;
        for line in [
            "Get-InboxRule -Mailbox 'lynne.robbins@contoso.com' -IncludeHidden | Format-List Name, Identity, Enabled, Description",
            "Set-Mailbox -Identity 'lynne.robbins@contoso.com' -ForwardingSmtpAddress $null -ForwardingAddress $null -DeliverToMailboxAndForward $false",
        ] {
            assert!(commands.iter().any(|command| command == line), "{line}: {commands:#?}");
        }
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Contained);
        assert_eq!(action(&run, "check_exchange").state, ActionState::WaitingForPerson);
        let open = run.open.last().unwrap();
        assert!(
            open.why.contains("not required") && open.next.contains("Connect-ExchangeOnline"),
            "{open:?}"
        );
        assert!(world.verify(&plan).await.holds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_graph_cannot_express_makes_the_look_required_until_a_person_has_looked() {
    let world = with_an_opaque_rule();
    let plan = world.plan("bec").await;
    assert!(exchange(&plan).required);
    assert!(exchange(&plan).evidence[0].contains("`it's pinned`"), "{:?}", exchange(&plan).evidence);
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    // What is copied stands whole on its line.
    let shown = stanch::report::text(&plan, &run, false);
    let command =
        "Disable-InboxRule -Mailbox 'lynne.robbins@contoso.com' -Identity 'it''s pinned' -Confirm:$false";
    assert!(shown.lines().any(|line| line.trim() == command), "{shown}");
    let run = say(&world, &run, "disable_inbox_rules", "it is the user's own").await.unwrap();
    assert_eq!(run.verdict, Verdict::Partial, "one look is open");
    let run = say(&world, &run, "check_exchange", "nothing was set").await.unwrap();
    assert_eq!(run.verdict, Verdict::Contained);
    let verification = world.verify(&plan).await;
    let rule = verification
        .checks
        .iter()
        .find(|own| own.action.as_ref().is_some_and(|id| id.as_str() == "disable_inbox_rules"));
    assert_eq!(rule.unwrap().state, CheckState::Holds, "what a person left on purpose is no drift");
    // Whoever says that the rule stays has explained it.
    let mut request = world.request("bec");
    request.keep = vec!["AQAAOpaque=".parse().unwrap()];
    assert!(!exchange(&world.plan_for(request).await.unwrap()).required);
}

#[tokio::test(start_paused = true)]
async fn the_look_holds_back_always_where_the_playbook_says_so_and_there_is_none_without_a_mailbox() {
    let always = book("  - step: check_exchange\n    with: { hold: always }\n");
    let world = World::case("bec-node-fetch");
    assert!(exchange(&planned(&world, always).await).required);
    let without = World::case_with("bec-node-fetch", |tenant| {
        let victim = tenant["attackers"][0]["userId"].as_str().unwrap().to_owned();
        tenant["mailboxes"] = json!({ victim: { "access": "none" } });
    });
    let plan = without.plan("bec").await;
    assert!(plan.unchanged.iter().any(|own| own.is_of("check_exchange")), "{:?}", plan.unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_a_person_was_to_disable_is_looked_at_and_outweighs_their_word() {
    let device = "1f3b2c1a-7d4e-4c5b-9a8f-1e2d3c4b5a09";
    let mut world = World::case_with("bec-node-fetch", |tenant| {
        let victim = tenant["attackers"][0]["userId"].as_str().unwrap().to_owned();
        tenant["devices"] = json!([{
            "id": device, "deviceId": "d1", "displayName": "Pixel", "accountEnabled": true,
            "operatingSystem": "Android", "trustType": "Workplace", "isCompliant": false, "isManaged": false,
            "deviceOwnership": "Personal", "registrationDateTime": "2024-09-26T19:24:50Z",
            "registeredOwners": [victim], "registeredUsers": [victim]
        }]);
    });
    let plan = world.plan("bec").await;
    let run = world.apply(&plan).await;
    assert_eq!(action(&run, "disable_devices").state, ActionState::WaitingForPerson);
    say(&world, &run, "disable_devices", "disabled in the portal").await.unwrap();
    let of_the_device = |verification: &stanch::run::Verification| {
        let mut checks = verification.checks.iter();
        let own = checks.find(|own| own.action.as_ref().is_some_and(|id| id.as_str() == "disable_devices"));
        own.unwrap().state
    };
    assert_eq!(of_the_device(&world.verify(&plan).await), CheckState::Drifted);
    world.change_tenant(|tenant| tenant["devices"][0]["accountEnabled"] = json!(false)).await;
    let verification = world.verify(&plan).await;
    assert_eq!(of_the_device(&verification), CheckState::Holds);
    // It was shut after the last revocation: what began before lives on.
    assert_eq!((verification.verdict, verification.holds), (Verdict::Partial, false), "{verification:#?}");
    let open: Vec<&str> = verification
        .checks
        .iter()
        .filter(|own| own.state == CheckState::NotDone && own.required)
        .filter_map(|own| own.next.as_deref())
        .collect();
    assert_eq!(open, ["revoke them once more: stanch run evict --user lynne.robbins@contoso.com"]);
    world.clock.sleep(std::time::Duration::from_mins(5)).await;
    let again = format!("/v1.0/users/{}/revokeSignInSessions", world.victim_id());
    assert_eq!(world.send_as(&world.responder, "POST", &again, serde_json::Value::Null).await, 200);
    assert_eq!(world.verify(&plan).await.verdict, Verdict::Contained);
}

#[test]
fn a_look_that_is_not_waited_for_is_told_in_short_when_a_run_ends_and_whole_when_it_is_shown() {
    let scene = scene(&steps("  - step: check_exchange\n"));
    let output = go(&scene, &["run", "./own.yaml", "--user", scene.mock.victim(), "--yes"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("lines of PowerShell") && !told.contains("Get-MailboxPermission"), "{told}");
    let id = document(&scene, 0, &["runs", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = text(&go(&scene, &["runs", "show", &id]).stdout);
    assert!(
        shown.lines().any(|line| line.trim() == "Get-InboxRule -Mailbox 'lynne.robbins@contoso.com' -IncludeHidden | Format-List Name, Identity, Enabled, Description"),
        "{shown}"
    );
}
