//! Sealed delivery over sockets: the file that is written, who opens it and with what, and that nothing else holds the
//! secret.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::approve::has;
use crate::processes::{Mock, settings_file, stanch};
use crate::restore::contain;
use crate::secrets::{files, holds};
use crate::world::case_tenant;

/// The reference case once it is contained.
fn contained(folder: &Path) -> Mock {
    let mut tenant = case_tenant("bec-node-fetch");
    contain(&mut tenant);
    Mock::of(&tenant, folder)
}

/// Adds recipients to the settings.
fn with_recipients(mock: &Mock, folder: &Path, recipients: &[&str]) {
    let settings = settings_file(mock, folder);
    let text = std::fs::read_to_string(&settings).unwrap();
    let quoted: Vec<String> = recipients.iter().map(|own| format!("\"{own}\"")).collect();
    std::fs::write(&settings, format!("{text}[secrets]\nrecipients = [{}]\n", quoted.join(", "))).unwrap();
}

fn generated() -> (age::x25519::Identity, String) {
    let identity = age::x25519::Identity::generate();
    let public = identity.to_public().to_string();
    (identity, public)
}

/// Plans `restore`, sealed, and applies it; gives the run.
fn restored(mock: &Mock, folder: &Path) -> (Value, Vec<u8>) {
    let plan = folder.join("plan.json");
    let planned = stanch(mock, folder)
        .args(["-vvv", "plan", "restore", "--user", mock.victim()])
        .args(["--set", "deliver=sealed", "--set", "within=1s", "-o"])
        .arg(&plan)
        .output()
        .unwrap();
    assert_eq!(planned.status.code(), Some(0), "{}", String::from_utf8_lossy(&planned.stderr));
    let applied = stanch(mock, folder)
        .args(["-vvv", "--format", "json", "apply", "--yes"])
        .arg(&plan)
        .output()
        .unwrap();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    let run = serde_json::from_slice(&applied.stdout).unwrap();
    (run, [planned.stdout, planned.stderr, applied.stdout, applied.stderr].concat())
}

fn envelope(run: &Value) -> PathBuf {
    let actions = run["actions"].as_array().unwrap();
    let pass = actions.iter().find(|own| own["step"] == "issue_temporary_access_pass").unwrap();
    PathBuf::from(pass["handed_over"]["sealed"]["file"].as_str().unwrap())
}

fn code(mock: &Mock) -> String {
    let state = mock.state();
    let methods = state["authenticationMethods"][mock.victim_id()].as_array().unwrap().clone();
    methods.iter().find_map(|own| own["temporaryAccessPass"].as_str()).unwrap().to_owned()
}

/// Opens an envelope with Debian's `age`, or, where that is missing, with the library that sealed it.
fn opened(envelope: &Path, key_file: &Path) -> String {
    if has("age").is_some() {
        let output = Command::new("age")
            .args(["-d", "-i"])
            .arg(key_file)
            .arg(envelope)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return String::from_utf8(output.stdout).unwrap();
    }
    let key = std::fs::read_to_string(key_file).unwrap();
    let armored = std::fs::read(envelope).unwrap();
    let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(&armored[..])).unwrap();
    let identity: Box<dyn age::Identity> = match key.parse::<age::x25519::Identity>() {
        Ok(own) => Box::new(own),
        Err(_) => Box::new(age::ssh::Identity::from_buffer(key.as_bytes(), None).unwrap()),
    };
    let mut text = String::new();
    let mut reader = decryptor.decrypt(std::iter::once(&*identity)).unwrap();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    text
}

#[test]
fn a_sealed_pass_is_opened_by_its_recipients_and_stands_nowhere_else() {
    use age::secrecy::ExposeSecret as _;
    let folder = tempfile::tempdir().unwrap();
    let mock = contained(folder.path());
    let keys = tempfile::tempdir().unwrap();
    let (identity, age_key) = generated();
    std::fs::write(keys.path().join("age.key"), identity.to_string().expose_secret()).unwrap();
    let kinds: &[&str] = if has("ssh-keygen").is_some() { &["ed25519", "rsa"] } else { &[] };
    let ssh: Vec<(PathBuf, String)> = kinds
        .iter()
        .map(|kind| {
            let file = keys.path().join(kind);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", kind, "-N", "", "-C", "dana@contoso.com", "-f"])
                .arg(&file)
                .status()
                .unwrap();
            assert!(made.success(), "no {kind} key: {made}");
            let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
            (file, public.trim().to_owned())
        })
        .collect();
    let mut recipients = vec![age_key.as_str()];
    recipients.extend(ssh.iter().map(|(_, public)| public.as_str()));
    with_recipients(&mock, folder.path(), &recipients);

    let (run, mut written) = restored(&mock, folder.path());
    let first = envelope(&run);
    assert!(first.starts_with(folder.path().join("sealed")), "{}", first.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let secret = code(&mock);
    assert_eq!(opened(&first, &keys.path().join("age.key")), secret);
    for (file, _) in &ssh {
        assert_eq!(opened(&first, file), secret, "{}", file.display());
    }

    // Nothing else holds it: no output, no log at trace level, no plan, no journal.
    let id = run["run"].as_str().unwrap();
    let shown = stanch(&mock, folder.path()).args(["runs", "show", id]).output().unwrap();
    let told = String::from_utf8(shown.stdout.clone()).unwrap().replace('\n', " ");
    assert!(told.contains("age -d -i") && told.contains("sealed for age1"), "{told}");
    written.extend(shown.stdout);
    assert!(written.len() > 2_000, "trace level says nothing: the search would be over nothing");
    assert!(!holds(&written, &secret), "the pass is in what was printed");
    for path in files(folder.path()) {
        // The tenant file was written before there was a pass.
        assert!(!holds(&std::fs::read(&path).unwrap(), &secret), "the pass is in {}", path.display());
    }

    // The next pass ends this one, and its envelope says so.
    let (run, _) = restored(&mock, folder.path());
    assert!(!first.exists());
    assert!(PathBuf::from(format!("{}.superseded", first.display())).exists());
    assert_eq!(opened(&envelope(&run), &keys.path().join("age.key")), code(&mock));
}

#[test]
fn a_recipient_that_is_none_is_refused_before_the_tenant_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mock = contained(folder.path());
    with_recipients(&mock, folder.path(), &["age1qqqqqqqq"]);
    let output =
        stanch(&mock, folder.path()).args(["plan", "restore", "--user", mock.victim()]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("`secrets.recipients`") && told.contains("age-keygen -y"), "{told}");
}

#[test]
fn a_pass_for_the_terminal_is_not_issued_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mock = contained(folder.path());
    let output = stanch(&mock, folder.path())
        .args(["run", "restore", "--user", mock.victim(), "--yes"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("deliver=sealed"), "{told}");
    assert_eq!(mock.writes(), 0);
}
