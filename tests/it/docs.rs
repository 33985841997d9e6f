//! The documents: every fenced block of README.md and docs/ is what it says it is.
//!
//! `sh` and `console`: each `stanch` command parses, and the whole is a shell's; with `run` behind the language the
//! blocks of a page are run, in their order, in one shell against the mock's reference case. `powershell`: each `stanch`
//! command parses. `toml`: settings. `yaml`: a playbook, or steps or inputs of one. `json`: JSON. `text`: nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use stanch::config::{Config, Environment, Sources};
use stanch::playbook::Playbook;

use crate::processes::{Mock, stanch, surround};

/// A fenced block.
pub struct Block {
    page: String,
    line: usize,
    language: String,
    is_run: bool,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and every page below docs/.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn blocks_of(page: &Path) -> Vec<Block> {
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    blocks_in(&name, &std::fs::read_to_string(page).unwrap())
}

fn blocks_in(name: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (place, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        match (&mut open, trimmed.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                open = Some(Block {
                    page: name.to_owned(),
                    line: place + 1,
                    language: words.next().unwrap_or_default().to_owned(),
                    is_run: words.any(|word| word == "run"),
                    text: String::new(),
                });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is not closed");
    blocks
}

fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks_of(page)).collect()
}

/// The commands of a shell text, each as its words. Quotes and comments are a POSIX shell's; what is substituted stays
/// as it is written.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut letters = text.replace("\\\n", " ").chars().collect::<Vec<_>>().into_iter().peekable();
    let mut here: Option<String> = None;
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let own = word.get_or_insert_default();
                for inner in letters.by_ref() {
                    if inner == letter {
                        break;
                    }
                    own.push(inner);
                }
            }
            '#' if word.is_none() => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            '<' if letters.peek() == Some(&'<') => {
                letters.next();
                let mark: String = std::iter::from_fn(|| letters.next_if(|next| *next != '\n')).collect();
                here = Some(mark.trim_matches(|c| c == '\'' || c == '"' || c == '-').to_owned());
            }
            '\n' if here.is_some() => {
                let mark = here.take().unwrap();
                let rest: String = letters.by_ref().collect();
                let end = rest.lines().position(|line| line.trim() == mark).map_or(usize::MAX, |at| at + 1);
                let after = rest.lines().skip(end).collect::<Vec<_>>().join("\n");
                letters = after.chars().collect::<Vec<_>>().into_iter().peekable();
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            ' ' | '\t' => commands.last_mut().unwrap().extend(word.take()),
            '>' | '<' => {
                // A redirection's file is no argument; nor is the number before the sign.
                if word.as_deref().is_some_and(|own| own.chars().all(|c| c.is_ascii_digit())) {
                    word = None;
                }
                commands.last_mut().unwrap().extend(word.take());
                while letters.next_if(|next| matches!(next, '>' | '&' | ' ')).is_some() {}
                while letters
                    .next_if(|next| !next.is_whitespace() && !matches!(next, ';' | '|' | ')'))
                    .is_some()
                {}
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands.retain(|words| !words.is_empty());
    commands
}

/// The arguments of the commands that run stanch, by itself or through cargo.
fn stanch_arguments(text: &str) -> Vec<Vec<String>> {
    commands(text)
        .into_iter()
        .filter_map(|mut words| {
            while words.first().is_some_and(|word| {
                word.split_once('=').is_some_and(|(name, _)| {
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                }) || ["if", "while", "until", "!", "then", "do", "else", "exec"].contains(&word.as_str())
            }) {
                words.remove(0);
            }
            let program = words.first()?;
            if program == "stanch" {
                return Some(words.split_off(1));
            }
            let is_cargo = program == "cargo" && words.get(1).is_some_and(|word| word == "run");
            let at = words.iter().position(|word| word == "--")?;
            (is_cargo && !words.contains(&"mock-graph".to_owned())).then(|| words.split_off(at + 1))
        })
        .collect()
}

/// The commands of a `console` block, without what they print.
fn typed(text: &str) -> String {
    let mut typed = String::new();
    let mut goes_on = false;
    for line in text.lines() {
        let own = if goes_on { Some(line) } else { line.trim_start().strip_prefix("$ ") };
        if let Some(own) = own {
            typed.push_str(own);
            typed.push('\n');
        }
        goes_on = own.is_some_and(|own| own.ends_with('\\'));
    }
    typed
}

fn shell_accepts(text: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-n", "-c", text]).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A text that stands for something the reader has, such as `...` or `PLAN_ID`, is taken for it.
fn check_commands(text: &str) -> Result<(), String> {
    for arguments in stanch_arguments(text) {
        stanch::cli::check_arguments(&arguments)
            .map_err(|error| format!("stanch {}: {error}", arguments.join(" ")))?;
    }
    Ok(())
}

fn check_settings(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stanch.toml"), text).unwrap();
    let sources = Sources { directory: folder.path().to_path_buf(), ..Sources::default() };
    Config::load(&Environment::default(), &sources).map(drop).map_err(|error| error.to_string())
}

fn check_playbook(text: &str) -> Result<(), String> {
    const HEAD: &str = "schema: stanch/playbook/v1\nname: sample\ntitle: Sample\nsummary: Of a document.\n";
    let whole = if text.starts_with("schema:") {
        text.to_owned()
    } else if text.trim_start().starts_with("- step:") {
        let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
        format!("{HEAD}steps:\n{indented}")
    } else if text.contains("\nsteps:") || text.starts_with("steps:") {
        format!("{HEAD}{text}")
    } else {
        format!("{HEAD}{text}steps:\n  - step: revoke_sessions\n")
    };
    Playbook::parse("the block", whole.as_bytes(), &stanch::steps::catalog())
        .map(drop)
        .map_err(|error| error.to_string())
}

fn check(block: &Block) -> Result<(), String> {
    match block.language.as_str() {
        "sh" => shell_accepts(&block.text).and_then(|()| check_commands(&block.text)),
        "console" => {
            let typed = typed(&block.text);
            shell_accepts(&typed).and_then(|()| check_commands(&typed))
        }
        "powershell" => check_commands(&block.text.replace("`\n", " ")),
        "toml" => check_settings(&block.text),
        "yaml" => check_playbook(&block.text),
        "json" => serde_json::from_str::<serde_json::Value>(&block.text).map(drop).map_err(|e| e.to_string()),
        "text" | "http" => Ok(()),
        other => Err(format!("`{other}` is no language of a block that can be checked; say `text`")),
    }
}

#[test]
fn every_block_of_the_documents_is_what_it_says_it_is() {
    let blocks = blocks();
    assert!(blocks.len() >= 3, "the documents are not where they were");
    let wrong: Vec<String> = blocks
        .iter()
        .filter_map(|block| {
            check(block).err().map(|why| format!("{}:{} ({}): {why}", block.page, block.line, block.language))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_block_is_found() {
    for (language, text) in [
        ("sh", "stanch plna bec"),
        ("sh", "stanch plan bec --usr x"),
        ("sh", "echo 'open"),
        ("sh", "A=1 stanch doctor --nothing | less"),
        ("sh", "cargo run --release -- demoo"),
        ("console", "$ stanch plan bec \\\n    --usr x"),
        ("powershell", "stanch setup --shell bash"),
        ("toml", "[gards]\nwidest = 1"),
        ("yaml", "- step: revoke_sesions"),
        ("yaml", "steps:\n  - step: block_ips\n    with: { locations: x }"),
        ("json", "{ \"a\": ... }"),
        ("rust", "fn main() {}"),
        ("", "left unsaid"),
    ] {
        let block = blocks_in("page", &format!("```{language}\n{text}\n```\n")).remove(0);
        assert!(check(&block).is_err(), "{language}: {text}");
    }
    for (language, text) in [
        (
            "sh",
            "A=1 stanch plan bec --user 'a b@contoso.com' -o plan.json   # a comment\ncat <<'END' > x\nstanch nonsense\nEND\nstanch doctor",
        ),
        ("console", "$ stanch runs list\nno runs yet; `stanch run` shows one"),
        ("yaml", "- step: block_ips\n  with: { enforce: recorded }\n- step: revoke_sessions"),
        ("yaml", "inputs:\n  place: { type: string, default: x }\n"),
    ] {
        let block = blocks_in("page", &format!("```{language}\n{text}\n```\n")).remove(0);
        assert_eq!(check(&block), Ok(()), "{language}: {text}");
    }
}

/// A link to a place of ours leads there: the file is there, and the heading.
#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let folder = page.parent().unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.contains(' ')) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            let is_there = match std::fs::read_to_string(&target) {
                _ if heading.is_empty() => target.exists(),
                Ok(text) => text.lines().filter_map(|line| line.strip_prefix('#')).any(|title| {
                    let title = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                    title
                        .chars()
                        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
                        .collect::<String>()
                        == heading
                }),
                Err(_) => false,
            };
            if !is_there {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A shell in which `stanch` is this build, set up for a mock.
pub fn shell(mock: &Mock, folder: &Path) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_stanch")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var_os("PATH").unwrap().to_string_lossy());
    let mut command = Command::new("sh");
    surround(&mut command, &stanch(mock, folder)).env("PATH", path);
    command
}

#[test]
fn blocks_that_are_to_be_run_run_against_the_mock() {
    for page in pages() {
        let script: String =
            blocks_of(&page).into_iter().filter(|block| block.is_run).map(|block| block.text).collect();
        if script.is_empty() {
            continue;
        }
        let mock = Mock::case("bec-node-fetch");
        let folder = tempfile::tempdir().unwrap();
        let output = shell(&mock, folder.path()).args(["-eu", "-c", &script]).output().unwrap();
        assert!(
            output.status.success(),
            "{}: {}\n{}\n{}",
            page.display(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
