//! The user who is not there, not one, gone, or somebody else's.

use serde_json::{Value, json};

use super::{Row, Scene, text};

const GUEST: &str = "11111111-2222-4333-8444-555555555501";
const GONE: &str = "11111111-2222-4333-8444-555555555503";

/// Adds another user to a tenant, made after the victim.
fn add(tenant: &mut Value, changes: &Value) {
    let victim = tenant["attackers"][0]["userId"].clone();
    let users = tenant["users"].as_array_mut().unwrap();
    let mut own = users.iter().find(|user| user["id"] == victim).unwrap().clone();
    own.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    users.push(own);
}

fn scene() -> Scene {
    Scene::with(|tenant| {
        add(
            tenant,
            &json!({
                "id": GUEST, "displayName": "Kim Guest", "userType": "Guest", "mail": "kim.guest@fabrikam.com",
                "userPrincipalName": "kim.guest_fabrikam.com#EXT#@contoso.onmicrosoft.com",
            }),
        );
        add(
            tenant,
            &json!({
                "id": "11111111-2222-4333-8444-555555555502", "displayName": "Alex Wilber",
                "mail": "alex.wilber.2@contoso.com", "userPrincipalName": "alex.wilber.2@contoso.com",
            }),
        );
        let gone = json!({
            "id": GONE, "displayName": "Gone User", "mail": null, "deletedDateTime": "2024-10-01T10:00:00Z",
            "userPrincipalName": "11111111222243338444555555555503gone.user@contoso.com",
        });
        tenant["deletedUsers"] = json!([gone]);
    })
}

#[test]
fn a_user_who_is_not_one_account_is_refused_by_name() {
    let plan = |name, user| Row::new(name, 2, &["plan", "bec", "--user", user]);
    scene().judge(&[
        plan("unknown", "nobody.at.all@contoso.com")
            .says(&["there is no user `nobody.at.all@contoso.com`"])
            .next(&["check the spelling", "object id"]),
        plan("mistyped", "lyne.robbins@contoso.com")
            .says(&["there is no user `lyne.robbins@contoso.com`"])
            .next(&["did you mean `lynne.robbins@contoso.com`"]),
        plan("empty", "").says(&["`--user` is empty"]).next(&["--user lynne.robbins@contoso.com"]),
        plan("a path", "x/../../groups").says(&["there is no user `x/../../groups`"]),
        plan("ambiguous", "Alex Wilber")
            .says(&["`Alex Wilber`", "2 users go by it"])
            .next(&["`--user alex.wilber@contoso.com`", "`--user alex.wilber.2@contoso.com`"]),
        plan("an address that is no sign-in name", "kim.guest@fabrikam.com")
            .says(&["there is no user `kim.guest@fabrikam.com`"])
            .next(&["did you mean `kim.guest_fabrikam.com#EXT#@contoso.onmicrosoft.com`"]),
        plan("deleted, by name", "gone.user@contoso.com")
            .says(&["the user `gone.user@contoso.com` was deleted"])
            .next(&["restore it first"]),
        plan("deleted, by id", GONE).says(&[GONE, "was deleted"]).next(&["restore it first"]),
        Row::new("run, unknown", 2, &["run", "evict", "--yes", "--user", "nobody.at.all@contoso.com"])
            .says(&["there is no user `nobody.at.all@contoso.com`"])
            .next(&["check the spelling"]),
    ]);
}

#[test]
fn of_a_guest_the_plan_says_what_only_the_home_tenant_can_do() {
    let scene = scene();
    let before = scene.mock.digest();
    let output = scene.command().args(["plan", "evict", "--user", GUEST]).output().unwrap();
    let told = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(0), "{told}");
    for wanted in [
        "Guest yes: signs in at another tenant",
        "CANNOT be done from here: a guest's password lives in the home tenant",
        "CANNOT be done from here: a guest signs in at the home tenant",
        "Ask the administrators of",
        "Done by a person; required for containment.",
    ] {
        assert!(told.contains(wanted), "no {wanted:?} in {told}");
    }
    assert_eq!((scene.mock.writes(), scene.mock.digest(), scene.runs()), (0, before, 0));
}

#[test]
fn an_account_that_is_no_longer_who_was_planned_for_is_left_alone() {
    let planned = Scene::with(|_| ());
    let plan = planned.plan("plan.json").to_string();
    let victim = planned.mock.victim_id().to_owned();
    let name = planned.mock.victim().to_owned();
    let change = |change: fn(&mut Value)| {
        let (victim, scene_change) = (victim.clone(), change);
        move |tenant: &mut Value| {
            let users = tenant["users"].as_array_mut().unwrap();
            scene_change(users.iter_mut().find(|user| user["id"] == *victim).unwrap());
        }
    };
    let row = |name| {
        Row::new(name, 5, &["apply", "--yes", "plan.json"])
            .says(&["`lynne.robbins@contoso.com` has changed since the plan"])
            .next(&["nothing was sent", "make a new plan"])
    };
    let renamed = Scene::with(change(|user| user["userPrincipalName"] = json!("lynne.miller@contoso.com")));
    renamed.write("plan.json", &plan);
    renamed.judge(&[row("renamed").says(&["its name is now `lynne.miller@contoso.com`"])]);

    // The name went to a new account, the old one has another: whom the name means now is not whom the plan means.
    let taken = Scene::with(|tenant| {
        change(|user| user["userPrincipalName"] = json!("lynne.old@contoso.com"))(tenant);
        add(tenant, &json!({ "id": "11111111-2222-4333-8444-555555555504", "userPrincipalName": name }));
    });
    taken.write("plan.json", &plan);
    taken.judge(&[row("the name was taken over").says(&["its name is now `lynne.old@contoso.com`"])]);

    let deleted = Scene::with(|tenant| {
        tenant["users"].as_array_mut().unwrap().retain(|user| user["id"] != *victim);
    });
    deleted.write("plan.json", &plan);
    deleted.judge(&[row("deleted since").says(&["the account is gone"])]);
}
