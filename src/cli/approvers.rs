//! Who may approve, from the file that the settings name; and the approvals that lie beside a plan.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::failure::Failure;
use super::session::Session;
use crate::approval::{AllowedSigners, Approval, LONGEST_APPROVAL, Signers};

/// Behind the plan's name and the approver's: `plan.dana.ito@contoso.com.approval.json`.
const ENDING: &str = ".approval.json";
/// How many approvals beside a plan are looked at.
const MOST_BESIDE: usize = 64;

/// Reads the settings' file of approvers.
///
/// # Errors
/// When it cannot be read, or any line of it is wrong.
pub fn signers(session: &Session) -> Result<Signers, Failure> {
    let approval = &session.config.approval;
    let listed = match &approval.approvers {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                unreadable(path, &error, "set `approval.approvers` to an OpenSSH allowed_signers file")
            })?;
            let listed = AllowedSigners::parse(&text, &TimeZone::system()).map_err(|error| {
                Failure::new(
                    2,
                    "bad_approvers",
                    format!("the approvers' file `{}` is not sound: {error}", path.display()),
                    Some("mend the lines; while one is wrong, nobody is believed".to_owned()),
                )
            })?;
            Some(listed)
        }
    };
    Ok(Signers::new(approval, listed))
}

/// Reads an approval that was named on the command line.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Approval, Failure> {
    let text = text_of(path)
        .map_err(|error| unreadable(path, &error, "give the file that `stanch approve` wrote"))?;
    Approval::from_json(&text).map_err(|error| {
        let hint = "give the file that `stanch approve` wrote, unchanged";
        Failure::of(4, "approval_malformed", &error, Some(hint.to_owned()))
            .about(&format!("`{}` is not an approval that counts", path.display()))
    })
}

fn unreadable(path: &Path, error: &std::io::Error, hint: &str) -> Failure {
    Failure::of(2, "cannot_read", error, Some(hint.to_owned()))
        .about(&format!("cannot read `{}`", path.display()))
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LONGEST_APPROVAL).read_to_string(&mut text)?;
    Ok(text)
}

/// Where an approval of this plan is written: beside it, under the approver's name.
pub fn place(plan: &Path, approver: &str) -> PathBuf {
    // Names of users may hold what a file's name may not.
    let name: String = approver
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "@._-+".contains(letter) { letter } else { '_' })
        .collect();
    plan.with_file_name(format!("{}.{name}{ENDING}", stem(plan)))
}

fn stem(plan: &Path) -> String {
    plan.file_stem().map_or_else(|| "plan".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The approvals beside a plan, as far as they can be read, with their places. Nothing in them is believed yet.
pub fn beside(plan: &Path) -> Vec<(PathBuf, Approval)> {
    let start = format!("{}.", stem(plan));
    let folder = plan.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&start) && name.ends_with(ENDING)
        })
        .map(|entry| plan.with_file_name(entry.file_name()))
        .collect();
    paths.sort();
    paths.truncate(MOST_BESIDE);
    paths
        .into_iter()
        .filter_map(|path| {
            let approval = Approval::from_json(&text_of(&path).ok()?).ok()?;
            Some((path, approval))
        })
        .collect()
}
