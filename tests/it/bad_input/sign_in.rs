//! What keeps us from signing in, or from reaching anybody.

use stanch::domain::Clock as _;
use stanch::transport::SystemClock;

use super::{Row, Scene};

const USER: &str = "lynne.robbins@contoso.com";

fn plan(name: &'static str) -> Row {
    Row::new(name, 1, &["plan", "evict", "--user", USER])
}

#[test]
fn credentials_that_are_not_taken_are_told_with_the_variable_to_set() {
    let scene = Scene::with(|_| ());
    scene.plan("plan.json");
    scene.judge(&[
        plan("a wrong secret")
            .set("STANCH_OBSERVER_CLIENT_SECRET", "not-the-secret")
            .says(&[
                "the client secret of app `11111111-aaaa-4bbb-8ccc-000000000002` is wrong",
                "AADSTS7000215",
            ])
            .next(&["`STANCH_OBSERVER_CLIENT_SECRET`", "not the secret ID"]),
        Row::new("a wrong secret at apply", 1, &["apply", "--yes", "plan.json"])
            .set("AZURE_CLIENT_SECRET", "not-the-secret")
            .says(&["the client secret of app `11111111-aaaa-4bbb-8ccc-000000000001` is wrong"])
            .next(&["`AZURE_CLIENT_SECRET`"]),
        plan("a wrong tenant")
            .set("AZURE_TENANT_ID", "fabrikam.com")
            .says(&["there is no tenant `fabrikam.com`", "AADSTS90002"])
            .next(&["`AZURE_TENANT_ID`"]),
        Row::new("a wrong tenant by flag", 1, &["--tenant", "fabrikam.com", "plan", "evict", "--user", USER])
            .says(&["there is no tenant `fabrikam.com`"])
            .next(&["`--tenant`"]),
        plan("an app of another tenant")
            .set("STANCH_OBSERVER_CLIENT_ID", "22222222-aaaa-4bbb-8ccc-000000000002")
            .says(&["has no app `22222222-aaaa-4bbb-8ccc-000000000002`", "AADSTS700016"])
            .next(&["`STANCH_OBSERVER_CLIENT_ID`"]),
    ]);
}

#[test]
fn a_secret_that_has_expired_is_told_as_that() {
    let scene = Scene::with(|tenant| {
        let ago = SystemClock.now() - jiff::SignedDuration::from_hours(1);
        tenant["applications"][1]["clientSecretExpires"] = ago.to_string().into();
    });
    scene.judge(&[plan("an expired secret")
        .says(&[
            "the client secret of app `11111111-aaaa-4bbb-8ccc-000000000002` has expired",
            "AADSTS7000222",
        ])
        .next(&["make a new client secret", "`STANCH_OBSERVER_CLIENT_SECRET`"])]);
}

#[test]
fn a_certificate_that_cannot_sign_in_is_told_with_its_file_and_what_to_do() {
    let scene = Scene::with(|_| ());
    // Certificate and key of one app, and a key of another.
    let pair = include_str!("../../../src/graph/auth/test-only-client.pem");
    let other_key = include_str!("../../../src/graph/auth/test-only-other-key.pem");
    let end = "-----END CERTIFICATE-----\n";
    let start = pair.find("-----BEGIN CERTIFICATE-----").unwrap();
    let certificate = &pair[start..pair.find(end).unwrap() + end.len()];
    scene.write("pair.pem", pair);
    scene.write("mismatch.pem", &format!("{certificate}{other_key}"));
    scene.write("only-certificate.pem", certificate);
    scene.write("only-key.pem", other_key);
    scene.write("text.pem", "no certificate\n");
    let row = |name, status, file: &str| {
        Row::new(name, status, &["plan", "evict", "--user", USER])
            .unset("STANCH_OBSERVER_CLIENT_SECRET")
            .set("STANCH_OBSERVER_CLIENT_CERTIFICATE_PATH", file)
    };
    scene.judge(&[
        row("a key of another certificate", 2, "mismatch.pem")
            .says(&["the private key in `mismatch.pem` is not that of the certificate in it"])
            .next(&["the certificate that was uploaded and the key that it was made with"]),
        row("no key", 2, "only-certificate.pem")
            .says(&["`only-certificate.pem` holds no private key"])
            .next(&["into one file"]),
        row("no certificate", 2, "only-key.pem")
            .says(&["`only-key.pem` holds no certificate"])
            .next(&["into one file"]),
        row("no PEM", 2, "text.pem").says(&["`text.pem` is no PEM file"]).next(&["openssl pkcs12"]),
        row("no file", 2, "none.pem")
            .says(&["the certificate file `none.pem` cannot be read"])
            .next(&["check the path"]),
        row("not the app's", 1, "pair.pem")
            .says(&[
                "the certificate of app `11111111-aaaa-4bbb-8ccc-000000000002` is not accepted",
                "AADSTS",
            ])
            .next(&["upload the certificate to the app registration"]),
    ]);
}

#[test]
fn credentials_that_cannot_be_right_are_refused_before_anything_is_asked() {
    let scene = Scene::with(|_| ());
    let row = |name| Row::new(name, 2, &["plan", "evict", "--user", USER]);
    scene.write("long", &"x".repeat(5_000));
    scene.judge(&[
        row("a file that is longer than a secret")
            .unset("STANCH_OBSERVER_CLIENT_SECRET")
            .set("STANCH_OBSERVER_CLIENT_SECRET_FILE", "long")
            .says(&["`STANCH_OBSERVER_CLIENT_SECRET_FILE` holds more than 4 KiB"])
            .next(&["`STANCH_OBSERVER_CLIENT_SECRET_FILE`"]),
        row("no single tenant")
            .set("AZURE_TENANT_ID", "common")
            .says(&["`AZURE_TENANT_ID` names no single tenant"])
            .next(&["`AZURE_TENANT_ID`"]),
        row("two ways at once")
            .set("STANCH_OBSERVER_CLIENT_CERTIFICATE_PATH", "x.pem")
            .says(&["the observer has two ways to sign in", "`STANCH_OBSERVER_CLIENT_SECRET`"])
            .next(&["unset"]),
        row("plain http")
            .set("STANCH_GRAPH_URL", "http://graph.example.com")
            .says(&["`STANCH_GRAPH_URL` is plain http to `graph.example.com`"])
            .next(&["use https"]),
        row("no address")
            .set("AZURE_AUTHORITY_HOST", "login")
            .says(&["`AZURE_AUTHORITY_HOST` is no address"])
            .next(&["AZURE_AUTHORITY_HOST=https://"]),
    ]);
}

#[test]
fn a_network_that_is_down_is_told_within_seconds() {
    let scene = Scene::with(|_| ());
    scene.plan("plan.json");
    let began = std::time::Instant::now();
    let row = |name, arguments: &[&str]| {
        Row::new(name, 1, arguments)
            .set("AZURE_AUTHORITY_HOST", "http://127.0.0.1:1")
            .says(&["could not reach `127.0.0.1:1`", "onnection refused"])
            .next(&["check the network, the proxy and `AZURE_AUTHORITY_HOST`"])
    };
    scene.judge(&[row("plan", &["plan", "evict", "--user", USER])]);
    // Each of the two tries thrice, one and two seconds apart: without the first look every read would wait in turn.
    assert!(began.elapsed().as_secs() < 40, "{:?}", began.elapsed());
    scene.judge(&[row("apply", &["apply", "--yes", "plan.json"])]);
}

#[test]
fn a_clock_that_is_an_hour_off_stops_the_plan() {
    for (hours, told) in [(1, "s behind the tenant's"), (-1, "s ahead of the tenant's")] {
        let scene = Scene::with(|tenant| {
            let there = SystemClock.now() + jiff::SignedDuration::from_hours(hours);
            tenant["clock"] = there.to_string().into();
        });
        scene.begin_settings("stop_on_skew = true\n");
        scene.judge(&[plan("a clock that is off")
            .says(&["this machine's clock is 3", told])
            .next(&["by a time server", "plan again"])]);
    }
}
