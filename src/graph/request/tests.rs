use serde_json::{Value, json};

use super::*;
use crate::case::{AuthMethod, MethodKind};
use crate::domain::{CidrBlock, MethodId, UserId};
use crate::plan::{EffectClass, PlannedRequest, Verb, effect_of, placeholders_of};
use crate::policy::PolicyState;

fn user() -> UserId {
    crate::graph::double::USER.parse().unwrap()
}

fn ranges() -> Vec<CidrBlock> {
    vec!["203.0.113.45".parse().unwrap(), "2001:db8:5:1::/64".parse().unwrap()]
}

fn request(method: Verb, path: &str, body: Value) -> PlannedRequest {
    PlannedRequest { method, path: path.to_owned(), body }
}

#[test]
fn writes_to_a_user_hold_one_thing_each() {
    let path = format!("/v1.0/users/{}", user());
    assert_eq!(disable_sign_in(&user()), request(Verb::Patch, &path, json!({"accountEnabled": false})));
    assert_eq!(enable_sign_in(&user()), request(Verb::Patch, &path, json!({"accountEnabled": true})));
    assert_eq!(
        revoke_sessions(&user()),
        request(Verb::Post, &format!("{path}/revokeSignInSessions"), json!({}))
    );
    let reset = reset_password(&user());
    assert_eq!(placeholders_of(&reset).unwrap(), ["${secret.password}"]);
    assert_eq!(effect_of(&reset), EffectClass::LastWriterWins);
    assert!(reset.body.get("accountEnabled").is_none());
}

#[test]
fn a_method_is_deleted_from_its_own_collection_with_its_id_encoded() {
    let id: MethodId = "_kQm/T?W".parse().unwrap();
    let path = |kind: &MethodKind| delete_method(&user(), kind, &id).map(|request| request.path);
    assert_eq!(
        path(&MethodKind::Authenticator),
        Some(format!("/v1.0/users/{}/authentication/microsoftAuthenticatorMethods/_kQm%2FT%3FW", user()))
    );
    for (kind, wanted) in [
        (MethodKind::CodeApp, "/v1.0/softwareOathMethods/_kQm%2FT%3FW"),
        (MethodKind::HardwareToken, "/beta/hardwareOathMethods/_kQm%2FT%3FW"),
        (MethodKind::Phone, "/v1.0/phoneMethods/_kQm%2FT%3FW"),
        (MethodKind::Passkey, "/v1.0/fido2Methods/_kQm%2FT%3FW"),
        (MethodKind::WindowsHello, "/v1.0/windowsHelloForBusinessMethods/_kQm%2FT%3FW"),
        (MethodKind::PlatformCredential, "/v1.0/platformCredentialMethods/_kQm%2FT%3FW"),
        (MethodKind::Email, "/v1.0/emailMethods/_kQm%2FT%3FW"),
        (MethodKind::TemporaryAccessPass, "/v1.0/temporaryAccessPassMethods/_kQm%2FT%3FW"),
        (MethodKind::External, "/v1.0/externalAuthenticationMethods/_kQm%2FT%3FW"),
        (
            MethodKind::PasswordlessAuthenticator,
            "/beta/passwordlessMicrosoftAuthenticatorMethods/_kQm%2FT%3FW",
        ),
        // One at most, so it has no id in its path.
        (MethodKind::QrCode, "/beta/qrCodePinMethod"),
    ] {
        let own = path(&kind).unwrap().replace(&format!("/users/{}/authentication", user()), "");
        assert_eq!(own, wanted);
    }
    for kind in [MethodKind::Password, MethodKind::Unknown("x".to_owned())] {
        assert_eq!(path(&kind), None);
    }
}

#[test]
fn a_number_or_address_that_is_known_whole_can_be_registered_again() {
    let method = |kind, name: &str| AuthMethod {
        id: "3179e48a-750b-4051-897c-87b9720928f7".parse().unwrap(),
        kind,
        name: name.to_owned(),
        device_tag: None,
        app_version: None,
        phone_type: Some("mobile".to_owned()),
        created_at: None,
        last_used_at: None,
    };
    let again = |kind, name: &str| register_again(&user(), &method(kind, name)).map(|request| request.body);
    assert_eq!(
        again(MethodKind::Phone, "+1 4255550142"),
        Some(json!({ "phoneNumber": "+1 4255550142", "phoneType": "mobile" }))
    );
    assert_eq!(
        again(MethodKind::Email, "me@fabrikam.com"),
        Some(json!({ "emailAddress": "me@fabrikam.com" }))
    );
    for (kind, name) in [
        (MethodKind::Phone, "+1 XXXXXXXX42"),
        (MethodKind::Phone, "4255550142"),
        (MethodKind::Email, "m*@fabrikam.com"),
        (MethodKind::Authenticator, "phone"),
    ] {
        assert_eq!(again(kind, name), None, "{name}");
    }
}

#[test]
fn a_location_keeps_what_others_put_there() {
    let placeholder = "${actions.block_ips.location.id}";
    let add = add_ranges(placeholder, &ranges());
    assert_eq!(add.path, format!("/v1.0/identity/conditionalAccess/namedLocations/{placeholder}"));
    assert_eq!(
        add.body,
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": ["${current.ipRanges}",
            {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.45/32"},
            {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8:5:1::/64"}]})
    );
    let id = "0a6c1d2e-1111-4a4a-9c9c-5b2f00000001".parse().unwrap();
    assert_eq!(
        remove_ranges(&id, &ranges()).body["ipRanges"],
        json!([{"${current.ipRanges}": {"without": ["203.0.113.45/32", "2001:db8:5:1::/64"]}}])
    );
    for request in [add, remove_ranges(&id, &ranges())] {
        assert_eq!(effect_of(&request), EffectClass::ReplaceSet);
        assert!(placeholders_of(&request).is_ok());
    }
    let create = create_location("IP Blacklist", &ranges());
    assert_eq!(create.body["isTrusted"], json!(false));
    assert_eq!(effect_of(&create), EffectClass::Create);
    assert_eq!(delete_location("a/b").path, "/v1.0/identity/conditionalAccess/namedLocations/a%2Fb");
}

#[test]
fn a_user_goes_into_a_group_and_comes_out_again_in_the_cloud_that_we_speak_to() {
    let placeholder = "${actions.quarantine_by_policy.group.id}";
    let add = |base: &str| add_member(placeholder, &user(), base);
    assert_eq!(add("x").path, format!("/v1.0/groups/{placeholder}/members/$ref"));
    assert_eq!(placeholders_of(&add("x")).unwrap(), [placeholder]);
    assert_eq!(effect_of(&add("x")), EffectClass::Set);
    for (base, root) in [
        ("https://graph.microsoft.com", "https://graph.microsoft.com"),
        ("https://graph.microsoft.us", "https://graph.microsoft.us"),
        // A proxy of one's own is no address that Graph knows.
        ("http://127.0.0.1:8080", "https://graph.microsoft.com"),
    ] {
        let wanted = json!({ "@odata.id": format!("{root}/v1.0/directoryObjects/{}", user()) });
        assert_eq!(add(base).body, wanted);
    }
    let remove = remove_member("a/b", &user());
    assert_eq!(remove.path, format!("/v1.0/groups/a%2Fb/members/{}/$ref", user()));
    assert_eq!(effect_of(&remove), EffectClass::Delete);
    let made = create_group("stanch quarantine", "x");
    assert_eq!(made.body["mailNickname"], "stanchquarantine");
    assert_eq!(effect_of(&made), EffectClass::Create);
    assert_eq!(create_group("Карантин", "x").body["mailNickname"], "quarantine");
}

#[test]
fn a_role_is_taken_by_its_assignment_and_given_by_what_it_is() {
    let taken = delete_role("lAPpYvVpN0KRkAEhdxReEJVj/1");
    assert_eq!(
        taken,
        request(
            Verb::Delete,
            "/v1.0/roleManagement/directory/roleAssignments/lAPpYvVpN0KRkAEhdxReEJVj%2F1",
            Value::Null
        )
    );
    let given = give_role(&user(), "fe930be7-5e62-47db-91af-98c3a49a38b1", "/");
    assert_eq!(given.body["principalId"], json!(user()));
    assert_eq!(effect_of(&given), EffectClass::Create);
}

#[test]
fn a_policy_is_made_switched_and_deleted() {
    let made = create_policy(json!({"displayName": "x"}));
    assert_eq!(effect_of(&made), EffectClass::Create);
    let switched = set_policy_state("b7d0", &PolicyState::ReportOnly);
    assert_eq!(switched.body, json!({"state": "enabledForReportingButNotEnforced"}));
    assert_eq!(effect_of(&delete_policy("b7d0")), EffectClass::Delete);
    assert_eq!(
        delete_policy("${actions.a.id}").path,
        "/v1.0/identity/conditionalAccess/policies/${actions.a.id}"
    );
}
