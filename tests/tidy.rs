#![cfg(test)]
//! Rules about the source itself: floors, the homes of what is dangerous, and what may stand at the top.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floor of every module (STYLE: a module uses lower floors only).
const FLOORS: &[(&str, u8)] = &[
    ("domain", 0),
    ("case", 1),
    ("playbook", 1),
    ("config", 1),
    ("alert", 2),
    ("plan", 2),
    ("policy", 2),
    ("approval", 3),
    ("guard", 3),
    ("order", 3),
    ("run", 4),
    ("transport", 4),
    ("graph", 5),
    ("store", 5),
    ("seal", 5),
    ("report", 5),
    ("investigate", 6),
    ("steps", 7),
    ("engine", 8),
    ("server", 9),
    ("cli", 10),
];

/// Where a secret may be taken out of its wrapping, and why.
const EXPOSES_SECRETS: &[(&str, &str)] = &[
    ("src/domain/secret.rs", "makes passwords; its tests look at them"),
    ("src/plan/placeholder.rs", "fills a secret into the body that is sent"),
    ("src/graph/auth", "signs in with the client secret"),
    ("src/graph/connection.rs", "puts the access token into the request"),
    ("src/graph/writer.rs", "sends the filled body"),
    ("src/seal", "hands a secret over, once"),
    ("src/cli/terminal.rs", "shows a password or pass once, on the terminal"),
    ("src/cli/signing_key.rs", "reads and unlocks the approver's private key"),
    ("src/server/signature.rs", "checks a sender's signature or token"),
    ("src/config", "reads credentials into their wrapping"),
];

const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "playbooks",
    "tests",
    "mock-graph",
    "README.md",
    "benches",
    "docs",
    "campaign",
    "fuzz",
    "packaging",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    rust_files(&root().join("src"))
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The part of a file before its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn a_module_uses_lower_floors_only() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let Some(module) =
            name.strip_prefix("src/").and_then(|rest| rest.split_once('/')).map(|(module, _)| module)
        else {
            continue;
        };
        let own = *floors.get(module).unwrap_or_else(|| panic!("{module} has no floor"));
        for (line_number, line) in without_tests(&text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used == module {
                    continue;
                }
                if let Some(floor) = floors.get(used.as_str())
                    && *floor >= own
                {
                    wrong.push(format!("{name}:{}: {module} ({own}) uses {used} ({floor})", line_number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn secrets_are_exposed_only_where_the_list_says_why() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| without_tests(text).contains("expose_secret("))
        .filter(|(name, _)| !EXPOSES_SECRETS.iter().any(|(home, _)| name.starts_with(home)))
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_mock_is_named_by_the_demo_alone() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|(name, text)| text.contains("mock_graph") && name != "src/cli/embedded.rs")
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_mock_knows_nothing_of_stanch() {
    let manifest = fs::read_to_string(root().join("mock-graph/Cargo.toml")).unwrap();
    assert!(!manifest.contains("stanch ="), "mock-graph depends on stanch");
    for path in rust_files(&root().join("mock-graph/src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("use stanch"), "{}", path.display());
    }
}

#[test]
fn every_file_says_its_duty() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        // A file of unit tests has the duty of the file that it stands beside.
        let is_tests = name.ends_with("/tests.rs");
        if !is_tests && !text.trim_start().starts_with("//!") && !text.trim_start().starts_with("#![") {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_is_put_off_or_allowed_silently() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        for (line_number, line) in text.lines().enumerate() {
            let is_open_todo = line.contains("TODO") && !line.contains("TODO(#");
            if line.contains("#[allow(")
                || line.contains("todo!(")
                || line.contains("unimplemented!(")
                || is_open_todo
            {
                wrong.push(format!("{name}:{}: {line}", line_number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_what_the_house_style_names_stands_at_the_top() {
    let wrong: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .filter(|name| name != "target" && name != "stanch-demo")
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn most_files_are_short() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let lines = without_tests(&text).lines().filter(|line| !line.trim().is_empty()).count();
        if lines > 650 && !name.ends_with("/tests.rs") {
            wrong.push(format!("{name}: {lines}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
