//! `stanch investigate`: what the intruder did and left behind, each claim with its reason. It reads, and cannot write to
//! the tenant.

use std::io::Read as _;
use std::path::Path;

use jiff::tz::TimeZone;

use super::alert;
use super::args::{Format, InvestigateArgs};
use super::failure::Failure;
use super::output::{print_json, print_text};
use super::plan::{parse_time, ranges, write_bytes, write_whole};
use super::session::Session;
use super::terminal;
use crate::engine::{Question, investigate_file};
use crate::investigate::{SignInFile, read_sign_in_file};
use crate::report::{
    InvestigationReport, indicators_csv, investigation_markdown, investigation_text, stix_bundle,
};

/// As much as is taken of a file: some 100,000 sign-ins of the portal's JSON.
const MOST_BYTES: u64 = 512 << 20;
/// What the portal's files of sign-ins without a person begin with.
const WITHOUT_A_PERSON: &str = "noninteractive";

/// Investigates, shows what was found, and writes the exports.
///
/// # Errors
/// When there is no such user, the tenant or a file cannot be read, or an export cannot be written.
pub async fn investigate(session: &Session, args: &InvestigateArgs) -> Result<u8, Failure> {
    let zone = args.local_time.as_deref().map(time_zone).transpose()?;
    let request = request(args)?;
    let report = if args.sign_ins.is_empty() {
        of_tenant(session, args, request).await?
    } else {
        of_files(session, &args.sign_ins, &request)?
    };
    if let Some(path) = &args.stix {
        write_whole(path, &stix_bundle(&report))?;
    }
    if let Some(path) = &args.csv {
        let csv = indicators_csv(&report).map_err(|error| Failure::of(1, "csv", &error, None))?;
        write_bytes(path, &csv)?;
    }
    match session.format {
        Format::Json => print_json(&report)?,
        Format::Markdown => print_text(&investigation_markdown(&report))?,
        Format::Text | Format::Html => {
            print_text(&investigation_text(&report, zone.as_ref(), terminal::prints_to_terminal()))?;
        }
    }
    Ok(0)
}

fn request(args: &InvestigateArgs) -> Result<Question, Failure> {
    let (ips, notes) = ranges(&args.ip)?;
    let (since, until) = (
        args.since.as_deref().map(parse_time).transpose()?,
        args.until.as_deref().map(parse_time).transpose()?,
    );
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        return Err(Failure::new(
            2,
            "bad_time",
            format!("`--until {until}` is not after `--since {since}`"),
            Some("give an end that comes after the beginning".to_owned()),
        ));
    }
    Ok(Question {
        user: args.user.clone().unwrap_or_default(),
        since,
        until,
        ips,
        user_agents: args.user_agent.clone(),
        notes,
        alert: None,
    })
}

async fn of_tenant(
    session: &Session,
    args: &InvestigateArgs,
    mut request: Question,
) -> Result<InvestigationReport, Failure> {
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    if let Some(file) = &args.alert {
        let trigger = alert::read(session, file, args.source.as_deref())?;
        let planner = session.planner()?;
        let (user, from) = alert::subject(&planner, &trigger, "investigate", args.user.as_deref()).await?;
        request.user = user;
        request.alert = Some(from);
    }
    Ok(session.investigator()?.report(&request).await?)
}

fn of_files(
    session: &Session,
    files: &[impl AsRef<Path>],
    request: &Question,
) -> Result<InvestigationReport, Failure> {
    let mut all = SignInFile::default();
    for file in files {
        let file = file.as_ref();
        let about = |failure: Failure| failure.about(&format!("cannot use `{}`", file.display()));
        let bytes = bounded(file).map_err(about)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let read = read_sign_in_file(&bytes, !name.starts_with(WITHOUT_A_PERSON))
            .map_err(|error| about(Failure::of(2, "bad_sign_ins", &error, Some(error.hint()))))?;
        all.rows.extend(read.rows);
        all.notes.extend(read.notes);
    }
    // The files of both kinds may overlap.
    all.rows.sort_by(|left, right| right.at.cmp(&left.at).then_with(|| left.id.cmp(&right.id)));
    all.rows.dedup_by(|left, right| left.id == right.id);
    if !all.rows.is_empty() && all.rows.iter().all(|row| row.interactive) {
        let note = "the files have sign-ins with a person only: a stolen token shows in the others, so give those, too";
        all.notes.push(note.to_owned());
    }
    Ok(investigate_file(all, request, session.clock.now())?)
}

fn bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: std::io::Error| Failure::of(2, "cannot_read", &error, Some("check the path".to_owned()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(Failure::new(
            2,
            "file_too_large",
            format!("it is larger than {MOST_BYTES} bytes"),
            Some("export fewer days, or the one user's sign-ins".to_owned()),
        ));
    }
    Ok(bytes)
}

fn time_zone(name: &str) -> Result<TimeZone, Failure> {
    if name.eq_ignore_ascii_case("local") {
        return Ok(TimeZone::system());
    }
    TimeZone::get(name).map_err(|error| {
        Failure::of(
            2,
            "bad_zone",
            &error,
            Some(
                "name it as the time zone database does: Europe/Berlin, America/Chicago, or `local`"
                    .to_owned(),
            ),
        )
    })
}
