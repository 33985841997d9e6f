//! `stanch setup`: what it prints is enough, and nothing of it is too much.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use stanch::config::Guards;
use stanch::engine::Requirements;
use stanch::graph::{APP_ROLES, is_covered};

use crate::processes::program;
use crate::world::bound;

/// The shipped playbook that needs most.
const FULLEST: &str = "bec";

fn names(playbook: &str) -> (Vec<String>, Vec<String>) {
    let needs = Requirements::of_bound(&bound(playbook), &Guards::default());
    let list = |needs: &[stanch::engine::Need]| needs.iter().map(|own| own.permission.to_owned()).collect();
    (list(&needs.observer), list(&needs.responder))
}

fn setup(folder: &Path, arguments: &[&str]) -> String {
    let output = program(folder).env("AZURE_TENANT_ID", "contoso.com").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_fullest_playbook_needs_the_permissions_of_the_others() {
    let (observer, responder) = names(FULLEST);
    for playbook in ["evict", "token-theft"] {
        let (reads, writes) = names(playbook);
        assert!(reads.iter().all(|name| is_covered(name, &observer)), "{playbook}: {reads:?}");
        assert!(writes.iter().all(|name| is_covered(name, &responder)), "{playbook}: {writes:?}");
    }
}

#[test]
fn a_playbook_of_ones_own_is_named_to_the_doctor_as_it_was_named_to_setup() {
    let folder = tempfile::tempdir().unwrap();
    let own = stanch::playbook::shipped_text("evict").unwrap().replace("name: evict", "name: own");
    std::fs::write(folder.path().join("own.yaml"), &own).unwrap();
    std::fs::write(folder.path().join("my own.yaml"), &own).unwrap();
    let arguments = ["setup", "./own.yaml", "my own.yaml"];
    let az = setup(folder.path(), &[&arguments[..], &["--shell", "az"]].concat());
    assert!(az.contains("for the playbooks own, own."), "{az}");
    assert!(az.ends_with("\nstanch doctor ./own.yaml 'my own.yaml'\n"), "{az}");
    let powershell = setup(folder.path(), &[&arguments[..], &["--shell", "powershell"]].concat());
    assert!(powershell.ends_with("\nstanch doctor ./own.yaml 'my own.yaml'\n"), "{powershell}");
    let output = Command::new(env!("CARGO_BIN_EXE_stanch"))
        .env_clear()
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .args(["doctor", "./own.yaml", "my own.yaml"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("For the playbooks own, own:"), "{told}");
}

#[test]
fn the_json_names_both_apps_with_ids_and_where_to_consent() {
    let folder = tempfile::tempdir().unwrap();
    let document: Value =
        serde_json::from_str(&setup(folder.path(), &["--format", "json", "setup", "bec"])).unwrap();
    let (observer, responder) = names("bec");
    for (place, wanted) in [(0, observer), (1, responder)] {
        let app = &document["applications"][place];
        let printed: Vec<&str> =
            app["permissions"].as_array().unwrap().iter().map(|own| own["name"].as_str().unwrap()).collect();
        assert_eq!(printed, wanted);
        for own in app["permissions"].as_array().unwrap() {
            let known = APP_ROLES.iter().find(|role| own["name"] == role.name).unwrap();
            assert_eq!(own["id"], known.id);
            assert!(!own["purposes"].as_array().unwrap().is_empty());
        }
        assert_eq!(
            app["admin_consent"],
            "https://login.microsoftonline.com/contoso.com/adminconsent?client_id=CLIENT_ID"
        );
    }
    for script in ["az", "powershell"] {
        let script = document[script].as_str().unwrap();
        for app in document["applications"].as_array().unwrap() {
            for own in app["permissions"].as_array().unwrap() {
                assert!(script.contains(own["id"].as_str().unwrap()), "{script}");
            }
        }
        assert!(!script.contains("CLIENT_SECRET"), "a certificate is the default: {script}");
    }
}

#[test]
fn a_tenant_of_another_cloud_is_set_up_there() {
    let folder = tempfile::tempdir().unwrap();
    for (cloud, az, graph, authority) in [
        ("us-gov", "AzureUSGovernment", "USGov ", "https://login.microsoftonline.us"),
        ("us-gov-dod", "AzureUSGovernment", "USGovDoD ", "https://login.microsoftonline.us"),
        ("china", "AzureChinaCloud", "China ", "https://login.partner.microsoftonline.cn"),
    ] {
        std::fs::write(folder.path().join("stanch.toml"), format!("cloud = \"{cloud}\"\n")).unwrap();
        let text = setup(folder.path(), &["setup", "evict"]);
        assert!(text.contains(&format!("az cloud set --name {az}\n")), "{text}");
        assert!(text.contains(&format!("-Environment {graph}")), "{text}");
        assert!(text.contains(&format!("{authority}/$TENANT/adminconsent?client_id=$OBSERVER")), "{text}");
        assert!(text.contains(&format!("\ncloud = \"{cloud}\"\n")), "{text}");
    }
}

#[test]
fn fewer_steps_ask_for_less() {
    let folder = tempfile::tempdir().unwrap();
    let evict = setup(folder.path(), &["setup", "evict", "--shell", "az"]);
    assert!(evict.contains("User.RevokeSessions.All"));
    assert!(!evict.contains("Policy.ReadWrite.ConditionalAccess"), "{evict}");
    assert!(!evict.contains("PowerShell"));
}

#[test]
fn a_secret_is_made_only_where_asked_for_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let text = setup(folder.path(), &["setup", "evict", "--credential", "secret", "--shell", "az"]);
    assert!(text.contains("export AZURE_CLIENT_SECRET=\"$(az ad app credential reset"), "{text}");
    assert!(!text.contains("openssl"));
}

/// Runs the printed lines in a shell whose `az`, `openssl` and `stanch` only write down how they were called.
#[test]
fn the_printed_lines_run_in_a_shell_and_register_both_apps() {
    let folder = tempfile::tempdir().unwrap();
    let script = setup(folder.path(), &["setup", "evict", "--shell", "az"]);
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let note = "for word in \"$@\"; do printf '%s|' \"$word\"; done >> calls; printf '\\n' >> calls\n";
    stand_in(
        &bin,
        "az",
        &format!(
            "printf 'az|' >> calls\n{note}case \"$*\" in *'observer'*create*|*'ad app create'*'stanch observer'*) echo app-one;; *'ad app create'*) echo app-two;; esac\n"
        ),
    );
    stand_in(
        &bin,
        "openssl",
        &format!(
            "printf 'openssl|' >> calls\n{note}while [ $# -gt 0 ]; do case $1 in -keyout|-out) echo pem > \"$2\"; shift;; esac; shift; done\n"
        ),
    );
    stand_in(&bin, "stanch", &format!("printf 'stanch|' >> calls\n{note}env >> environment\n"));
    let path = format!("{}:{}", bin.display(), std::env::var_os("PATH").unwrap().to_string_lossy());
    let output = Command::new("sh")
        .arg("-eu")
        .env_clear()
        .env("PATH", path)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes())?;
            child.wait_with_output()
        })
        .unwrap();
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let (observer, responder) = names("evict");
    for (app, permissions) in [("app-one", observer), ("app-two", responder)] {
        for name in permissions {
            let id = APP_ROLES.iter().find(|role| role.name == name).unwrap().id;
            let wanted = format!(
                "az|ad|app|permission|add|--id|{app}|--api|00000003-0000-0000-c000-000000000000|--api-permissions|{id}=Role|"
            );
            assert!(calls.contains(&wanted), "{wanted}\n{calls}");
        }
        assert!(calls.contains(&format!("az|ad|app|permission|admin-consent|--id|{app}|")), "{calls}");
        assert!(calls.contains(&format!("credential|reset|--id|{app}|--cert|@")), "{calls}");
    }
    assert!(calls.ends_with("stanch|doctor|evict|\n"), "{calls}");
    let environment = std::fs::read_to_string(folder.path().join("environment")).unwrap();
    let variables: BTreeMap<&str, &str> =
        environment.lines().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(variables["AZURE_TENANT_ID"], "contoso.com");
    assert_eq!(variables["STANCH_OBSERVER_CLIENT_ID"], "app-one");
    assert_eq!(variables["AZURE_CLIENT_ID"], "app-two");
    assert!(variables["AZURE_CLIENT_CERTIFICATE_PATH"].ends_with("/responder.pem"));
    assert!(!folder.path().join("responder.key").exists(), "the key lies in one file only");
    let settings = folder.path().join("stanch.toml");
    assert!(settings.exists());
    // The settings that it writes are settings: every command reads them.
    setup(folder.path(), &["--config", settings.to_str().unwrap(), "playbook", "list"]);
}

fn stand_in(bin: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = bin.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}
