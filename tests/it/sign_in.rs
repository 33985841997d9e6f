//! Each way that an app signs in, end to end over sockets: planned, applied, the intruder out, and nothing of what it
//! signed in with shown or kept.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use stanch::domain::Clock as _;
use stanch::transport::SystemClock;

use crate::processes::{Mock, stanch};
use crate::secrets::{files, holds};
use crate::world::case_folder;

/// A certificate and its key, which guard nothing.
const PAIR: &str = include_str!("../../src/graph/auth/test-only-client.pem");
const ISSUER: &str = "https://issuer.fabrikam.com";
const SUBJECT: &str = "system:serviceaccount:security:stanch";
/// How every signed token begins, ours and the mock's.
const TOKEN: &str = "eyJhbGci";

/// The case, its responder changed.
fn mock(folder: &Path, change: impl FnOnce(&mut Value)) -> Mock {
    let file = case_folder("aitm-travel").join("tenant.json");
    let mut tenant: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    change(&mut tenant["applications"][0]);
    // The tenant's file holds what the search is for, so it lies elsewhere.
    let beside = folder.join("mock");
    std::fs::create_dir(&beside).unwrap();
    Mock::of(&tenant, &beside)
}

/// The program with one app, which has no other way to sign in than these variables.
fn alone(mock: &Mock, folder: &Path, way: &[(&str, &str)]) -> Command {
    let mut command = stanch(mock, folder);
    for variable in ["AZURE_CLIENT_SECRET", "STANCH_OBSERVER_CLIENT_ID", "STANCH_OBSERVER_CLIENT_SECRET"] {
        command.env_remove(variable);
    }
    command.envs(way.iter().copied());
    command
}

fn planned(mock: &Mock, folder: &Path, way: &[(&str, &str)]) -> Output {
    alone(mock, folder, way)
        .args(["-vvv", "plan", "evict", "--user", mock.victim(), "--user-agent", "*HeadlessChrome*"])
        .args(["-o", "plan.json"])
        .output()
        .unwrap()
}

/// Plans and applies, and looks for the secret and for tokens in all that was printed and kept.
fn contains(mock: &Mock, folder: &Path, way: &[(&str, &str)], secret: &str) {
    assert_eq!(mock.attempt(r#"{"assume": {}}"#)["in"], true, "the test's own ground");
    let plan = planned(mock, folder, way);
    let applied = alone(mock, folder, way).args(["-vvv", "apply", "--yes", "plan.json"]).output().unwrap();
    for output in [&plan, &applied] {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for body in ["{}", r#"{"assume": {"accountEnabled": true}}"#] {
        assert_eq!(mock.attempt(body)["in"], false, "{body}");
    }
    let printed = [plan.stdout, plan.stderr, applied.stdout, applied.stderr].concat();
    assert!(printed.len() > 2_000, "trace level says nothing: the search would be over nothing");
    for own in [secret, TOKEN] {
        assert!(!holds(&printed, own), "`{own}` is in what was printed");
    }
    let given = ["mock", "secret", "token"].map(|name| folder.join(name));
    for path in files(folder).into_iter().filter(|path| !given.iter().any(|own| path.starts_with(own))) {
        let kept = std::fs::read(&path).unwrap();
        assert!(!holds(&kept, secret) && !holds(&kept, TOKEN), "{}", path.display());
    }
}

/// The lines of one part of the pair, without their frame.
fn part(label: &str) -> String {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    PAIR.split_once(&begin).unwrap().1.split_once(&end).unwrap().0.trim().to_owned()
}

fn certificate() -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", part("CERTIFICATE"))
}

/// A token of another provider, signed by the key of the pair.
fn federated_token(issuer: &str) -> String {
    let now = SystemClock.now().as_second();
    let claims = json!({
        "iss": issuer, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "iat": now, "exp": now + 600
    });
    let key = STANDARD.decode(part("PRIVATE KEY").replace('\n', "")).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&key).unwrap();
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encoded(&json!({ "alg": "RS256", "typ": "JWT" })), encoded(&claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn by_a_certificate_the_intruder_is_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let mock = mock(folder.path(), |app| app["certificate"] = json!(certificate()));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graph/auth/test-only-client.pem");
    let way = [("AZURE_CLIENT_CERTIFICATE_PATH", file.to_str().unwrap())];
    let line = part("PRIVATE KEY").lines().nth(2).unwrap().to_owned();
    contains(&mock, folder.path(), &way, &line);
}

#[test]
fn by_another_providers_token_the_intruder_is_put_out_once_its_issuer_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let trust = json!([{ "issuer": ISSUER, "subject": SUBJECT, "key": certificate() }]);
    let mock = mock(folder.path(), |app| app["federatedCredentials"] = trust);
    let file = folder.path().join("token");
    let way = [("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap())];

    let wrong = federated_token("https://issuer.contoso.com");
    std::fs::write(&file, &wrong).unwrap();
    let refused = planned(&mock, folder.path(), &way);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_ne!(refused.status.code(), Some(0), "{told}");
    assert!(told.contains("no federated credential of app") && told.contains("AADSTS700211"), "{told}");
    assert!(!told.contains(TOKEN), "{told}");

    // It is read anew at each sign-in: its provider renews it there.
    let right = federated_token(ISSUER);
    std::fs::write(&file, format!("{right}\n")).unwrap();
    contains(&mock, folder.path(), &way, right.rsplit('.').next().unwrap());
}

#[test]
fn by_a_managed_identity_the_intruder_is_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let mock = mock(folder.path(), |app| app["managedIdentity"] = json!(true));
    let endpoint = format!("{}/msi/token", mock.base);
    let way = [
        ("AZURE_MANAGED_IDENTITY", "true"),
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "mock-identity-header"),
    ];
    contains(&mock, folder.path(), &way, "mock-identity-header");
}

#[test]
fn by_a_secret_in_a_file_the_intruder_is_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let mock = mock(folder.path(), |_| ());
    let secret = mock.tenant["applications"][0]["clientSecret"].as_str().unwrap().to_owned();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    contains(&mock, folder.path(), &[("AZURE_CLIENT_SECRET_FILE", file.to_str().unwrap())], &secret);
}
