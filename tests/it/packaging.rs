//! What a packager takes from the program: completions, man pages, the schema of playbooks.

use std::process::{Command, Output};

use serde_json::Value;

use crate::processes::program;

fn stanch(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path()).args(arguments).output().unwrap()
}

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = stanch(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["playbook", "apply", "user-agent"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let output = stanch(&["completions", "bsah"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("bash"));
}

#[cfg(unix)]
#[test]
fn bash_takes_its_completions_and_completes_by_them() {
    let script = stanch(&["completions", "bash"]).stdout;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stanch.bash"), script).unwrap();
    let asked = "source ./stanch.bash\nCOMP_WORDS=(stanch play) COMP_CWORD=1\n_stanch stanch play stanch\necho \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").current_dir(folder.path()).args(["-c", asked]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "playbook");
}

#[test]
fn every_command_has_a_man_page_and_hidden_ones_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man");
    let output = stanch(&["man", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["stanch.1", "stanch-plan.1", "stanch-runs-show.1", "stanch-playbook-schema.1"] {
        let text = std::fs::read_to_string(out.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(!out.join("stanch-man.1").exists());
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.lines().count(), std::fs::read_dir(&out).unwrap().count());
    let main = String::from_utf8(stanch(&["man"]).stdout).unwrap();
    assert_eq!(main, std::fs::read_to_string(out.join("stanch.1")).unwrap());
}

#[test]
fn the_schema_of_playbooks_is_one_and_knows_every_step() {
    let schema: Value = serde_json::from_slice(&stanch(&["playbook", "schema"]).stdout).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let text = schema.to_string();
    for step in stanch::steps::catalog().steps() {
        assert!(text.contains(&format!("\"const\":\"{}\"", step.name)), "{}", step.name);
    }
    for name in crate::world::shipped() {
        let output = stanch(&["--format", "json", "playbook", "show", &name]);
        assert_eq!(output.status.code(), Some(0), "{name}");
    }
    assert!(!validator.is_valid(&serde_json::json!({})));
}
