//! `remove_auth_methods` over every kind of method: each from its own collection, in an order that Graph takes, and
//! nothing that is not known to be the intruder's.

use serde_json::{Value, json};
use stanch::plan::{Plan, Undo};
use stanch::playbook::BoundPlaybook;
use stanch::run::{ActionState, Verdict};

use crate::world::{World, action, book};

const LYNNE: &str = "6ed5d1bf-e585-452f-ac95-4ab592c9357d";
const ROGUE: &str = "3ebebe3e-1790-40da-9891-0052cebcc1ba";
const OWN: [&str; 2] = ["c7a3816e-65d9-4b66-9574-c29c80a98d0c", "459f3d88-2075-4b61-9bdf-80d7923724b6"];
const MOBILE: &str = "3179e48a-750b-4051-897c-87b9720928f7";
const ALTERNATE: &str = "b6332ec1-7057-4abe-9331-3d72feddfe41";
/// When the intruder was the only one signed in.
const RIGHT_AFTER: &str = "2024-09-26T19:26:00Z";

/// The reference case with more methods, and a default.
fn world(methods: &[Value], default: &str) -> World {
    World::case_with("bec-node-fetch", |tenant| {
        tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap().extend(methods.iter().cloned());
        tenant["defaultMethods"][LYNNE] = json!(default);
    })
}

fn method(odata_type: &str, id: &str, more: &Value) -> Value {
    let mut method = json!({ "@odata.type": format!("#microsoft.graph.{odata_type}AuthenticationMethod"),
                             "id": id, "createdDateTime": RIGHT_AFTER });
    method.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    method
}

fn phone(id: &str, phone_type: &str, number: &str, created: &str) -> Value {
    let more = json!({ "phoneNumber": number, "phoneType": phone_type, "smsSignInState": "notSupported",
                       "createdDateTime": created });
    method("phone", id, &more)
}

fn removing(kinds: &str) -> BoundPlaybook {
    removing_as("remove_auth_methods", kinds)
}

fn removing_as(id: &str, kinds: &str) -> BoundPlaybook {
    book(&format!(
        "  - step: remove_auth_methods\n    id: {id}\n    with: {{ kinds: {kinds} }}\n  - step: revoke_sessions\n"
    ))
}

async fn plan(world: &World, kinds: &str, keep: &[&str], remove: &[&str]) -> Plan {
    let mut request = world.request("evict");
    request.playbook = removing(kinds);
    request.keep = keep.iter().map(|id| id.parse().unwrap()).collect();
    request.remove = remove.iter().map(|id| id.parse().unwrap()).collect();
    world.plan_for(request).await.unwrap()
}

async fn registered(world: &World) -> Vec<Value> {
    world.state().await["authenticationMethods"][LYNNE].as_array().unwrap().clone()
}

fn ids(methods: &[Value]) -> Vec<&str> {
    methods.iter().map(|own| own["id"].as_str().unwrap()).collect()
}

/// The writes that succeeded, as `METHOD tail-of-path`.
async fn written(world: &World) -> Vec<String> {
    let lines = world.writes().await;
    let took = lines.iter().filter(|line| line["status"].as_u64().is_some_and(|status| status < 300));
    took.map(|line| {
        let path = line["path"].as_str().unwrap();
        let tail = path.split_once("/authentication/").map_or(path, |(_, tail)| tail);
        format!("{} {tail}", line["method"].as_str().unwrap())
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn the_intruders_method_of_every_kind_is_removed_from_its_own_collection() {
    let kinds = [
        ("softwareOath", "softwareOathMethods", json!({})),
        ("hardwareOath", "hardwareOathMethods", json!({})),
        ("fido2", "fido2Methods", json!({ "displayName": "Key" })),
        ("windowsHelloForBusiness", "windowsHelloForBusinessMethods", json!({ "displayName": "LT-9" })),
        ("platformCredential", "platformCredentialMethods", json!({ "displayName": "Mac" })),
        ("external", "externalAuthenticationMethods", json!({ "displayName": "Other" })),
        ("temporaryAccessPass", "temporaryAccessPassMethods", json!({ "lifetimeInMinutes": 480 })),
        (
            "passwordlessMicrosoftAuthenticator",
            "passwordlessMicrosoftAuthenticatorMethods",
            json!({ "displayName": "Old" }),
        ),
        ("email", "emailMethods", json!({ "emailAddress": "lynne.robins@fabrikam.com" })),
        ("qrCodePin", "qrCodePinMethod", json!({})),
    ];
    let added: Vec<Value> = kinds
        .iter()
        .map(|(odata_type, collection, more)| method(odata_type, &format!("_k/{collection}"), more))
        .chain([phone(ALTERNATE, "alternateMobile", "+1 4255550188", RIGHT_AFTER)])
        .collect();
    let world = world(&added, "push").lagging(10);
    let plan = plan(&world, "[all]", &OWN, &[]).await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let left = registered(&world).await;
    let mut stay = vec!["28c10230-6103-485e-b985-444c60001490"];
    stay.extend(OWN);
    assert_eq!(ids(&left), stay);
    let deleted = written(&world).await;
    for (_, collection, _) in &kinds {
        let wanted = match *collection {
            "qrCodePinMethod" => "DELETE qrCodePinMethod".to_owned(),
            other => format!("DELETE {other}/_k%2F{other}"),
        };
        assert!(deleted.contains(&wanted), "{wanted}: {deleted:?}");
    }
    // Applied, then planned again: nothing is left to remove.
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let again = self::plan(&world, "[all]", &OWN, &[]).await;
    assert!(again.actions.iter().all(|own| own.step != "remove_auth_methods"), "{:#?}", again.actions);
    assert!(again.unchanged.iter().any(|own| own.step == "remove_auth_methods"));
}

#[tokio::test(start_paused = true)]
async fn a_method_that_came_since_is_told_under_whatever_id_the_step_goes() {
    for id in ["remove_auth_methods", "methods"] {
        let world = World::case_with("bec-node-fetch", |tenant| {
            tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap().retain(|own| own["id"] != ROGUE);
        });
        let mut request = world.request("evict");
        request.playbook = removing_as(id, "[all]");
        request.keep = OWN.iter().map(|id| id.parse().unwrap()).collect();
        let plan = world.plan_for(request).await.unwrap();
        assert!(plan.actions.iter().all(|own| own.step == "revoke_sessions"), "{id}: {:#?}", plan.actions);
        let unchanged = plan.unchanged.iter().find(|own| own.step == id).unwrap();
        assert!(unchanged.is_of("remove_auth_methods"));
        assert!(plan.left.iter().all(|own| own.step == id && own.is_of("remove_auth_methods")));
        let path = format!("/v1.0/users/{LYNNE}/authentication/phoneMethods");
        let body = json!({ "phoneNumber": "+1 4255550142", "phoneType": "mobile" });
        assert_eq!(world.send_as(&world.responder, "POST", &path, body).await, 201);
        let run = world.apply(&plan).await;
        assert_eq!(run.verdict, Verdict::Partial, "{id}: {run:#?}");
        assert!(run.open.iter().any(|item| item.what.contains("+1 4255550142")), "{id}: {:?}", run.open);
        // Where the id is the kind's name, what is left and unchanged names it once.
        let written = serde_json::to_string(&(&plan.unchanged, &plan.left)).unwrap();
        assert_eq!(written.contains("\"kind\":\"remove_auth_methods\""), id == "methods");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_playbook_does_not_name_is_left_and_holds_back() {
    let key = method("fido2", "key-1", &json!({ "displayName": "Key" }));
    let world = world(&[key], "push");
    let narrow = plan(&world, "[authenticator]", &[], &[]).await;
    let left = narrow.left.iter().find(|own| own.object.contains("key-1")).unwrap();
    assert!(left.holds_back && left.why.iter().any(|why| why.contains("does not look at this kind")));
    let run = world.apply(&narrow).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(ids(&registered(&world).await).contains(&"key-1"));
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    let wide = plan(&world, "[authenticator, passkey]", &[], &[]).await;
    assert_eq!(world.apply(&wide).await.verdict, Verdict::Contained);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_no_app_can_remove_is_a_persons_to_remove() {
    let key = method("resourceAccountKey", "key-1", &json!({ "displayName": "Key" }));
    let world = world(&[key], "push");
    let plan = plan(&world, "[all]", &[], &["key-1"]).await;
    let left = plan.left.iter().find(|own| own.object.contains("key-1")).unwrap();
    assert!(left.holds_back && left.next.as_ref().unwrap().contains("admin center"));
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(run.open.iter().any(|own| own.next.contains("admin center")), "{:#?}", run.open);
}

#[tokio::test(start_paused = true)]
async fn a_password_is_never_removed_and_the_plan_says_what_is_done_instead() {
    let world = world(&[], "push");
    let plan = plan(&world, "[all]", &[], &["28c10230-6103-485e-b985-444c60001490"]).await;
    assert!(plan.warnings.iter().any(|own| own.contains("reset_password")), "{:?}", plan.warnings);
    world.apply(&plan).await;
    assert!(ids(&registered(&world).await).contains(&"28c10230-6103-485e-b985-444c60001490"));
}

#[tokio::test(start_paused = true)]
async fn an_alternate_phone_goes_before_the_mobile_one() {
    let world = world(
        &[
            phone(MOBILE, "mobile", "+1 4255550177", RIGHT_AFTER),
            phone(ALTERNATE, "alternateMobile", "+1 4255550188", RIGHT_AFTER),
        ],
        "push",
    );
    let plan = plan(&world, "[all]", &OWN, &[]).await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    let written = written(&world).await;
    let at = |tail: &str| written.iter().position(|own| own == tail).unwrap();
    assert!(
        at(&format!("DELETE phoneMethods/{ALTERNATE}")) < at(&format!("DELETE phoneMethods/{MOBILE}")),
        "{written:?}"
    );
    // A number that is known whole can be put back.
    let removal = plan.actions.iter().find(|own| own.object.id.as_deref() == Some(MOBILE)).unwrap();
    let Undo::Requests(undo) = &removal.undo else { panic!("{removal:#?}") };
    assert!(removal.reversible && undo[0].path.ends_with("/phoneMethods"));
    assert_eq!(undo[0].body, json!({ "phoneNumber": "+1 4255550177", "phoneType": "mobile" }));
    let path = undo[0].path.clone();
    assert_eq!(world.send_as(&world.responder, "POST", &path, undo[0].body.clone()).await, 201);
}

#[tokio::test(start_paused = true)]
async fn the_users_alternate_number_takes_the_place_of_the_intruders_mobile_one() {
    let world = world(
        &[
            phone(MOBILE, "mobile", "+1 4255550177", RIGHT_AFTER),
            phone(ALTERNATE, "alternateMobile", "+1 4255550188", "2023-02-01T09:00:00Z"),
        ],
        "sms",
    )
    .lagging(10);
    let plan = plan(&world, "[all]", &OWN, &[]).await;
    let run = world.apply(&plan).await;
    assert_eq!(run.verdict, Verdict::Contained, "{run:#?}");
    assert_eq!(action(&run, "remove_auth_methods.mobile").state, ActionState::Verified);
    let left = registered(&world).await;
    let phones: Vec<_> = left.iter().filter(|own| own["phoneType"].is_string()).collect();
    assert_eq!(phones.len(), 1, "{phones:?}");
    assert_eq!(
        (&phones[0]["phoneType"], &phones[0]["phoneNumber"]),
        (&json!("mobile"), &json!("+1 4255550188"))
    );
}

#[tokio::test(start_paused = true)]
async fn behind_an_alternate_number_of_nobodys_the_mobile_one_waits_for_a_persons_word() {
    let world = world(
        &[
            phone(MOBILE, "mobile", "+1 4255550177", RIGHT_AFTER),
            // Since the compromise, and nobody was signed in around it.
            phone(ALTERNATE, "alternateMobile", "+1 4255550188", "2024-09-29T03:00:00Z"),
        ],
        "push",
    );
    let first = plan(&world, "[all]", &OWN, &[]).await;
    let mobile = first.left.iter().find(|own| own.object.contains(MOBILE)).unwrap();
    assert!(mobile.holds_back && mobile.next.as_ref().unwrap().contains(ALTERNATE), "{mobile:#?}");
    assert!(first.actions.iter().all(|own| own.object.id.as_deref() != Some(MOBILE)));
    let kept = plan(&world, "[all]", &[OWN[0], OWN[1], ALTERNATE], &[]).await;
    assert!(kept.actions.iter().any(|own| own.id.as_str() == "remove_auth_methods.mobile"));
}

#[tokio::test(start_paused = true)]
async fn a_method_of_nobodys_is_never_made_the_default() {
    // The rogue Authenticator is the default; what else there is, nobody knows.
    let code_app = method("softwareOath", "code-1", &json!({ "createdDateTime": "2024-09-29T03:00:00Z" }));
    let unknown = World::case_with("bec-node-fetch", |tenant| {
        let methods = tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap();
        methods.retain(|own| !OWN.contains(&own["id"].as_str().unwrap()));
        methods.push(code_app);
        tenant["defaultMethods"][LYNNE] = json!("push");
    });
    let guess = plan(&unknown, "[all]", &[], &[]).await;
    let defaults =
        |plan: &Plan| plan.actions.iter().filter(|own| own.id.as_str().ends_with(".default")).count();
    assert_eq!(defaults(&guess), 0, "{:#?}", guess.actions);
    assert!(guess.warnings.iter().any(|own| own.contains("--keep code-1")), "{:?}", guess.warnings);
    // Graph keeps the default, and the run says what to do about it.
    let run = unknown.apply(&guess).await;
    let removal = action(&run, "remove_auth_methods");
    assert_eq!(removal.state, ActionState::Failed);
    assert!(removal.detail.contains("make another method the user's default"), "{}", removal.detail);
    // A person's word makes it one.
    let told = plan(&unknown, "[all]", &["code-1"], &[]).await;
    assert_eq!(defaults(&told), 1);
    assert_eq!(unknown.apply(&told).await.verdict, Verdict::Contained);
    assert!(!ids(&registered(&unknown).await).contains(&ROGUE));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_names_the_least_of_its_kind_too() {
    let world = World::case_with("bec-node-fetch", |tenant| {
        let method = phone(MOBILE, "mobile", "+1 4255550177", RIGHT_AFTER);
        tenant["authenticationMethods"][LYNNE].as_array_mut().unwrap().push(method);
        let roles = tenant["applications"][0]["roles"].as_array_mut().unwrap();
        roles.retain(|own| own != "UserAuthenticationMethod.ReadWrite.All");
        roles.push(json!("UserAuthMethod-MicrosoftAuthApp.ReadWrite.All"));
    });
    let plan = plan(&world, "[all]", &OWN, &[]).await;
    let run = world.apply(&plan).await;
    let of = |method: &str| {
        let id = plan.actions.iter().find(|own| own.object.id.as_deref() == Some(method)).unwrap().id.clone();
        action(&run, id.as_str()).clone()
    };
    assert_eq!(of(ROGUE).state, ActionState::Verified, "its own kind's permission is enough");
    let refused = of(MOBILE);
    assert_eq!(refused.state, ActionState::Failed);
    for name in ["UserAuthenticationMethod.ReadWrite.All", "UserAuthMethod-Phone.ReadWrite.All"] {
        assert!(refused.detail.contains(name), "{}", refused.detail);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_changed_since_the_plan_is_not_removed() {
    let world = world(&[phone(MOBILE, "mobile", "+1 4255550177", RIGHT_AFTER)], "push");
    let plan = plan(&world, "[all]", &OWN, &[]).await;
    let path = format!("/v1.0/users/{LYNNE}/authentication/phoneMethods/{MOBILE}");
    let body = json!({ "phoneNumber": "+1 4255550100", "phoneType": "mobile" });
    assert_eq!(world.send_as(&world.responder, "PATCH", &path, body).await, 204);
    let run = world.apply(&plan).await;
    let id = plan.actions.iter().find(|own| own.object.id.as_deref() == Some(MOBILE)).unwrap().id.clone();
    assert_eq!(action(&run, id.as_str()).state, ActionState::Stale);
    assert_eq!(run.verdict, Verdict::Partial);
    assert!(ids(&registered(&world).await).contains(&MOBILE));
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_method_is_told_with_the_nearest_and_neither_is_touched() {
    let world = world(&[], "push");
    let slip = ROGUE.replace("3ebe", "3ebf");
    let plan = plan(&world, "[authenticator]", &[&slip], &[]).await;
    let told = format!("--keep {slip}: no step found anything with that id; did you mean `{ROGUE}`?");
    assert!(plan.warnings.contains(&told), "{:?}", plan.warnings);
    let removes =
        plan.actions.iter().any(|action| action.requests.iter().any(|request| request.path.ends_with(ROGUE)));
    assert!(removes, "the suggestion was taken for an answer");
}
