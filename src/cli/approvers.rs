//! Who may approve, from the file that the settings name; and the approvals that lie beside a plan.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::failure::Failure;
use super::session::Session;
use crate::approval::{AllowedSigners, Approval, LONGEST_APPROVAL, Signers};
use crate::plan::Plan;

/// Behind the plan's name and the approver's: `plan.dana.ito@contoso.com.approval.json`.
const ENDING: &str = ".approval.json";
/// How many approvals in a plan's folder are looked at.
const MOST_BESIDE: usize = 1024;

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
                Failure::cannot_read(
                    path,
                    &error,
                    "set `approval.approvers` to an OpenSSH allowed_signers file",
                )
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
        .map_err(|error| Failure::cannot_read(path, &error, "give the file that `stanch approve` wrote"))?;
    Approval::from_json(&text).map_err(|error| {
        let hint = "give the file that `stanch approve` wrote, unchanged";
        Failure::of(4, "approval_malformed", &error, Some(hint.to_owned()))
            .about(&format!("`{}` is not an approval that counts", path.display()))
    })
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

/// The approvals and rejections of this very plan in its folder, with their places, whatever the files are called: a
/// rejection is heeded also where the plan has got another name since, or goes by its id. Nothing in them is believed
/// yet.
pub fn beside(place: &Path, plan: &Plan) -> Vec<(PathBuf, Approval)> {
    let own = [format!("{}.", stem(place)), format!("{}.", plan.id)];
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(ENDING))
        .collect();
    // Those that are called after the plan first: however many others lie there, these are looked at.
    names.sort_by_key(|name| (!own.iter().any(|start| name.starts_with(start)), name.clone()));
    names.truncate(MOST_BESIDE);
    names
        .into_iter()
        .filter_map(|name| {
            let path = place.with_file_name(name);
            let approval = Approval::from_json(&text_of(&path).ok()?).ok()?;
            (approval.statement.digest == plan.digest).then_some((path, approval))
        })
        .collect()
}
