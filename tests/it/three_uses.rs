//! The script in docs/ that plays the ways to use stanch, run as it stands.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::approve::has;
use crate::processes::mock_program;

#[test]
fn the_ways_to_use_stanch_play_from_end_to_end() {
    if ["curl", "ssh-keygen", "openssl", "age"].into_iter().any(|program| has(program).is_none()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let programs = mock_program().parent().unwrap().to_path_buf();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/three-uses.sh");
    let path = format!("{}:{}", programs.display(), std::env::var_os("PATH").unwrap().to_string_lossy());
    let output = Command::new(&script)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let parts: Vec<&str> = told.lines().filter(|line| line.starts_with("== ")).collect();
    assert_eq!(
        parts,
        ["== 1. By user", "== 2. By approval: a second person's key", "== 3. By alert, and back", "== done"]
    );
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "it leaves {left:?} behind");
}
