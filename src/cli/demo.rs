//! `stanch demo`: the public commands' own code over the embedded mock tenant, and the attacker replayed before and
//! after.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::args::{DemoArgs, Format, Global};
use super::embedded::{Attempted, Embedded, REFERENCE_USER, TenantFile};
use super::failure::{Failure, INTERRUPTED};
use super::incident::{self, Reading};
use super::output::{print_json, print_text};
use super::session::Session;
use super::{apply, approvers, plan, terminal};
use crate::approval::Consent;
use crate::config::Environment;
use crate::domain::inert;
use crate::engine::ReportRequest;
use crate::plan::Plan;
use crate::report::{self, Attempt};
use crate::run::{Run, Verdict};

/// Exit status when the attacker gets in after the run.
const STILL_IN: u8 = 6;

/// One attacker, before and after.
#[derive(Debug, Serialize, JsonSchema)]
struct Replay {
    /// Its name in the tenant file.
    #[serde(rename = "name")]
    attacker: String,
    /// What came of its attempt before the run.
    before: Attempted,
    /// And after it.
    after: Option<Attempted>,
    /// And after it, in a copy of the tenant with sign-in enabled again.
    #[serde(rename = "after_with_sign_in_enabled")]
    after_enabled: Option<Attempted>,
}

/// `stanch demo`, as JSON.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DemoDocument {
    /// The plan.
    plan: Plan,
    /// The run.
    run: Run,
    /// Every attacker who holds the account, as it tried to get in.
    attackers: Vec<Replay>,
}

/// Runs the demo.
///
/// # Errors
/// Whatever `plan` and `apply` fail with; a tenant file that is none.
pub async fn demo(global: &Global, args: &DemoArgs) -> Result<u8, Failure> {
    let say = |text: &str| {
        if global.format == Format::Text && !global.quiet {
            anstream::println!("{text}");
        }
    };
    let case = args.case.clone();
    let tenant = if let Some(path) = &args.tenant_file {
        TenantFile::parse(read_text(path)?, &format!("`{}`", path.display()))?
    } else {
        TenantFile::reference()?
    };
    let user = args.user.clone().unwrap_or_else(|| REFERENCE_USER.to_owned());
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::cannot_write(path, error, "name another folder with `--out`")
    };
    std::fs::create_dir_all(&args.out).map_err(|error| failed(&args.out, &error))?;
    let config = settings_file(&args.out, &tenant).map_err(|(path, error)| failed(&path, &error))?;
    let mock = Embedded::start(&tenant).await?;
    clear(&args.out).map_err(|(path, error)| failed(&path, &error))?;
    let session = open(global, &args.out, &config, &tenant, &mock)?;

    say(&format!(
        "A mock tenant of {} users listens on {}. Nothing here is real.\nSettings ({}):\n\n{}",
        tenant.users.len(),
        mock.base_url(),
        config.display(),
        indented(&read_text(&config)?)
    ));
    let mut replays = Vec::new();
    for attacker in tenant.attackers_of(&user) {
        // On a copy of the tenant as it is: an attempt on the tenant itself would stand in the log that is read next.
        let before = mock.attempt(&attacker, Some(json!({}))).await?;
        replays.push(Replay { attacker, before, after: None, after_enabled: None });
    }
    say(&ways_table(&replays, "The attacker's ways in, before", |replay| Some(&replay.before)));

    let planned = plan::make(&session, &args.playbook, &user, &case).await?;
    let plan_file = args.out.join("plan.json");
    plan::write_whole(&plan_file, &planned)?;
    say(&plan::text(&session, &planned, Some(&plan_file.display().to_string())));
    let consent = if args.yes || !terminal::is_interactive() || global.format != Format::Text {
        Consent::Flag(apply::given(&session, &planned))
    } else {
        apply::confirm(&session, &planned)?
    };
    let (applied, was_stopped) =
        apply::carry_out(&session, planned.clone(), consent, approvers::signers(&session)?).await?;
    let run = applied.run().clone();

    let mut is_in = false;
    for replay in &mut replays {
        let after = mock.attempt(&replay.attacker, None).await?;
        let enabled = mock.attempt(&replay.attacker, Some(json!({ "accountEnabled": true }))).await?;
        is_in = is_in || after.is_in || enabled.is_in;
        replay.after = Some(after);
        replay.after_enabled = Some(enabled);
    }
    let request = ReportRequest { attempts: attempts(&replays), ..ReportRequest::default() };
    let told = incident::make(&session, &run.run, Reading::Missing, request).await?;
    let text = incident::spell(&told, Format::Markdown)?;
    let (report_file, page_file) = (args.out.join("report.md"), args.out.join("report.html"));
    std::fs::write(&report_file, &text).map_err(|error| failed(&report_file, &error))?;
    std::fs::write(&page_file, incident::spell(&told, Format::Html)?)
        .map_err(|error| failed(&page_file, &error))?;

    if global.format == Format::Json {
        print_json(&DemoDocument { plan: planned, run: run.clone(), attackers: replays })?;
    } else if global.format == Format::Markdown {
        print_text(&text)?;
    } else {
        say(&report::text_of(&planned, &run, report::Extent::Short, terminal::prints_to_terminal()));
        say(&ways_table(&replays, "The attacker's ways in, after", |replay| replay.after.as_ref()));
        say(&ways_table(&replays, "The same in a copy of the tenant with sign-in enabled again", |replay| {
            replay.after_enabled.as_ref()
        }));
        say(&format!(
            "Plan: {}\nReport: {}\nReport as a page: {}",
            plan_file.display(),
            report_file.display(),
            page_file.display()
        ));
        say(next_step(run.verdict, is_in));
    }
    if was_stopped && run.verdict != Verdict::Contained {
        return Ok(INTERRUPTED);
    }
    if is_in && run.verdict == Verdict::Contained {
        return Ok(STILL_IN);
    }
    Ok(run.verdict.exit_status())
}

fn next_step(verdict: Verdict, is_in: bool) -> &'static str {
    match (verdict, is_in) {
        (Verdict::Contained, false) => {
            "\nNext: the same on a tenant of yours, as a dry run first:\n  stanch plan bec --user UPN"
        }
        (Verdict::Contained, true) => {
            "\nThe verdict says contained and the attacker still gets in: that is a fault of stanch. Please report it."
        }
        _ => "\nNext: the open items above, each with what to do about it.",
    }
}

/// What was being written, and why it could not be.
type Unwritten = (PathBuf, std::io::Error);

/// Removes the store of an earlier demo: a demo begins from nothing, as the mock's tenant does.
pub fn clear(out: &Path) -> Result<(), Unwritten> {
    for file in ["stanch.db", "stanch.db-wal", "stanch.db-shm"] {
        let file = out.join(file);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err((file, error)),
            _ => {}
        }
    }
    Ok(())
}

pub fn open(
    global: &Global,
    out: &Path,
    config: &Path,
    tenant: &TenantFile,
    mock: &Embedded,
) -> Result<Session, Failure> {
    let store = out.join("stanch.db");
    let global = Global {
        config: Some(config.to_owned()),
        store: global.store.clone().or_else(|| Some(format!("sqlite://{}", store.display()))),
        tenant: None,
        ..global.clone()
    };
    Session::open(&global, variables(tenant, mock).into_iter().collect::<Environment>())
}

/// What the environment of a command must hold to find the mock tenant.
pub fn variables(tenant: &TenantFile, mock: &Embedded) -> BTreeMap<&'static str, String> {
    let mut variables = BTreeMap::from([
        ("STANCH_GRAPH_URL", mock.base_url()),
        ("AZURE_AUTHORITY_HOST", mock.base_url()),
        ("AZURE_TENANT_ID", tenant.tenant_id.clone()),
        ("AZURE_CLIENT_ID", tenant.responder.0.clone()),
        ("AZURE_CLIENT_SECRET", tenant.responder.1.clone()),
    ]);
    if let Some((id, secret)) = &tenant.observer {
        variables.insert("STANCH_OBSERVER_CLIENT_ID", id.clone());
        variables.insert("STANCH_OBSERVER_CLIENT_SECRET", secret.clone());
    }
    variables
}

/// Writes the demo's settings, which are printed: who asks, and the emergency accounts.
pub fn settings_file(out: &Path, tenant: &TenantFile) -> Result<PathBuf, Unwritten> {
    let path = out.join("stanch.toml");
    let accounts: String =
        tenant.emergency_accounts.iter().map(|upn| format!("    {},\n", json!(upn))).collect();
    let text = format!(
        "[operator]\nuser = \"demo\"\n\n[guards]\n# Found by their shape: cloud-only, *.onmicrosoft.com,\n# Global Administrator for good.\nemergency_accounts = [\n{accounts}]\n"
    );
    match std::fs::write(&path, text) {
        Ok(()) => Ok(path),
        Err(error) => Err((path, error)),
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::cannot_read(path, &error, "check the path"))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// How each way stands over all addresses: from how many it is open, and what stopped it elsewhere.
fn by_way(attempted: &Attempted) -> Vec<(String, usize, usize, String)> {
    let mut ways: Vec<(String, usize, usize, Vec<String>)> = Vec::new();
    for way in &attempted.paths {
        let place = ways.iter().position(|(path, ..)| *path == way.path).unwrap_or(ways.len());
        if place == ways.len() {
            ways.push((way.path.clone(), 0, 0, Vec::new()));
        }
        if let Some((_, open, all, by)) = ways.get_mut(place) {
            *all += 1;
            if way.outcome == "open" {
                *open += 1;
            } else if let Some(stopped) = &way.by
                && !by.contains(stopped)
            {
                by.push(stopped.clone());
            }
        }
    }
    ways.into_iter().map(|(path, open, all, by)| (path, open, all, by.join(", "))).collect()
}

fn ways_table<'a>(
    replays: &'a [Replay],
    title: &str,
    pick: impl Fn(&'a Replay) -> Option<&'a Attempted>,
) -> String {
    let mut out = format!("{title}\n");
    if replays.is_empty() {
        out.push_str("  the tenant file has no attacker who holds this account\n");
    }
    for replay in replays {
        let Some(attempted) = pick(replay) else { continue };
        for (path, open, all, by) in by_way(attempted) {
            let state =
                if open > 0 { format!("OPEN from {open} of {all} addresses") } else { "closed".to_owned() };
            let by = if by.is_empty() { String::new() } else { format!("  {}", inert(&by)) };
            // Writing to a String cannot fail.
            let _infallible = writeln!(out, "  {:22} {state}{by}", path.replace('_', " "));
        }
    }
    out
}

/// The ways that the attacker really tried, for the report.
fn attempts(replays: &[Replay]) -> Vec<Attempt> {
    let mut all = Vec::new();
    for replay in replays {
        let state = |attempted: Option<&Attempted>, path: &str| {
            attempted
                .and_then(|attempted| by_way(attempted).into_iter().find(|(own, ..)| own == path))
                .map_or_else(
                    || "-".to_owned(),
                    |(_, open, all, by)| {
                        if open > 0 { format!("OPEN from {open} of {all}") } else { format!("closed: {by}") }
                    },
                )
        };
        for (path, ..) in by_way(&replay.before) {
            all.push(Attempt {
                way: path.replace('_', " "),
                before: state(Some(&replay.before), &path),
                after: state(replay.after.as_ref(), &path),
                after_enabled: state(replay.after_enabled.as_ref(), &path),
            });
        }
    }
    all
}
