//! `stanch plan`: the dry run. It reads the tenant and cannot write to it.

use std::path::{Path, PathBuf};

use super::alert;
use super::args::{CaseArgs, Format, PlanArgs};
use super::failure::Failure;
use super::output::{json_text, print_json, print_text};
use super::session::Session;
use super::terminal;
use crate::case::{JudgedMethod, MethodVerdict};
use crate::domain::{CidrBlock, MethodId, Timestamp, inert};
use crate::engine::{PlanError, PlanRequest, Planner, check_order};
use crate::plan::{Plan, preview};
use crate::playbook::{self, BindError, BindErrors, BoundPlaybook, PathSegment, Playbook, parse_setting};
use crate::steps;

/// The widest ranges that `--ip` takes: no single network is wider, so a wider one tells the intruder from nobody.
const WIDEST_EVIDENCE_IPV4: u8 = 8;
const WIDEST_EVIDENCE_IPV6: u8 = 16;

/// Makes a plan, shows it, and writes it where `-o` says.
///
/// # Errors
/// Whatever keeps a plan from being made: see [`Failure`].
pub async fn plan(session: &Session, args: &PlanArgs) -> Result<u8, Failure> {
    if args.as_me {
        session.sign_in_as_me().await?;
    }
    let plan = match &args.alert {
        Some(file) => make_from_alert(session, args, file).await?,
        None => make(session, &args.playbook, args.user.as_deref().unwrap_or_default(), &args.case).await?,
    };
    if let Some(path) = &args.output {
        write_whole(path, &plan).map_err(|mut failure| {
            let kept = format!("; the plan itself is kept: `stanch show {}`", plan.id);
            failure.hint.get_or_insert_default().push_str(&kept);
            failure
        })?;
    }
    let name = args.output.as_ref().map_or_else(|| plan.id.to_string(), |path| path.display().to_string());
    show(session, &plan, &name)?;
    Ok(0)
}

/// Makes a plan from the command line's words, and keeps it in the store.
///
/// # Errors
/// As [`plan`].
pub async fn make(session: &Session, playbook: &str, user: &str, case: &CaseArgs) -> Result<Plan, Failure> {
    let request = request(session, bind(playbook, &case.settings)?, user, case)?;
    let planner = session.planner()?;
    plan_and_keep(session, &planner, playbook, request).await
}

async fn make_from_alert(session: &Session, args: &PlanArgs, file: &Path) -> Result<Plan, Failure> {
    let bound = bind(&args.playbook, &args.case.settings)?;
    let trigger = alert::read(session, file, args.source.as_deref())?;
    let planner = session.planner()?;
    let (user, from) = alert::subject(&planner, &trigger, &bound.name, args.user.as_deref()).await?;
    let mut request = request(session, bound, &user, &args.case)?;
    request.alert = Some(from);
    plan_and_keep(session, &planner, &args.playbook, request).await
}

async fn plan_and_keep(
    session: &Session,
    planner: &Planner,
    playbook: &str,
    mut request: PlanRequest,
) -> Result<Plan, Failure> {
    // Opened first: a store that cannot keep the plan is told before the tenant is read.
    let store = session.store()?;
    let user = request.user.clone();
    let plan = ask_and_plan(session, planner, &mut request)
        .await
        .map_err(|failure| failure.or_by_hand(playbook, &user))?;
    store.keep_plan(&plan).await?;
    Ok(plan)
}

/// Plans, asks at a terminal about what the evidence leaves open, and plans again by the answers.
async fn ask_and_plan(
    session: &Session,
    planner: &Planner,
    request: &mut PlanRequest,
) -> Result<Plan, Failure> {
    let plan = watched(session, planner, request.clone()).await?;
    if session.format != Format::Text || session.quiet || !terminal::is_interactive() {
        return Ok(plan);
    }
    let undecided = undecided(&plan);
    if undecided.is_empty() || !decide(&undecided, request)? {
        return Ok(plan);
    }
    watched(session, planner, request.clone()).await
}

/// Makes a plan with its progress on the terminal, and takes that away again.
async fn watched(session: &Session, planner: &Planner, request: PlanRequest) -> Result<Plan, Failure> {
    let outcome = Box::pin(planner.plan_watched(request, &session.progress)).await;
    session.progress.end();
    Ok(outcome?)
}

/// The methods that the evidence gives to nobody and that the playbook asks a person about.
fn undecided(plan: &Plan) -> Vec<JudgedMethod> {
    let is_asked = |own: &&JudgedMethod| {
        own.verdict == MethodVerdict::Unknown
            && plan.left.iter().any(|left| left.holds_back && left.object.contains(own.method.id.as_str()))
    };
    plan.case.methods.read().into_iter().flatten().filter(is_asked).cloned().collect()
}

/// Asks about each method; says whether anything was decided.
fn decide(undecided: &[JudgedMethod], request: &mut PlanRequest) -> Result<bool, Failure> {
    let mut is_decided = false;
    for own in undecided {
        anstream::eprintln!(
            "\nWhose is this {}? `{}` ({})",
            own.method.kind.label(),
            inert(&own.method.name),
            own.method.id
        );
        for reason in &own.reasons {
            anstream::eprintln!("  - {}", inert(reason));
        }
        let answer =
            terminal::choose("Keep it, remove it, or leave it undecided?", &["keep", "remove", "leave"])
                .map_err(|error| {
                    Failure::of(1, "cannot_ask", &error, Some("say `--keep ID` or `--remove ID`".to_owned()))
                })?;
        match answer {
            Some(0) => request.keep.push(own.method.id.clone()),
            Some(1) => request.remove.push(own.method.id.clone()),
            _ => continue,
        }
        is_decided = true;
    }
    Ok(is_decided)
}

/// Loads a playbook, fills in its inputs and checks its order; what is wrong is shown where it stands.
///
/// # Errors
/// Everything that is wrong with it.
pub fn bind(which: &str, settings: &[String]) -> Result<BoundPlaybook, Failure> {
    let catalog = steps::catalog();
    let book = playbook::load(which, &catalog)?;
    let settings = settings
        .iter()
        .map(|text| {
            parse_setting(text).map_err(|why| {
                Failure::new(2, "bad_setting", why, Some("write it as `--set name=value`".to_owned()))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bound = book.bind(&settings, &catalog).map_err(|errors| where_options_stand(&book, errors))?;
    check_order(&bound).map_err(|error| where_the_door_stands(&book, error))?;
    Ok(bound)
}

/// Shows an option that a setting made wrong where the playbook takes the setting.
fn where_options_stand(book: &Playbook, errors: BindErrors) -> Failure {
    let shown: Vec<_> = errors
        .0
        .iter()
        .filter_map(|error| match error {
            BindError::Option { id, option, .. } => {
                let place = book.steps.iter().position(|call| call.id == *id)?;
                let mut path = step_path(place);
                path.push(PathSegment::Key("with".to_owned()));
                let first = option.as_deref().and_then(|option| option.split(['.', '[']).next());
                path.extend(first.map(|key| PathSegment::Key(key.to_owned())));
                Some(book.point_at(&path, error.to_string(), error.hint()))
            }
            _ => None,
        })
        .collect();
    let count = errors.0.len();
    let is_whole = errors.0.iter().filter(|error| matches!(error, BindError::Option { .. })).count() == count;
    let failure = Failure::from(errors);
    if is_whole { failure.drawn(&shown) } else { failure }
}

/// Shows a door that is shut too late where it stands in the playbook.
fn where_the_door_stands(book: &Playbook, error: PlanError) -> Failure {
    let PlanError::Order(order) = &error else { return Failure::from(error) };
    let Some(place) = book.steps.iter().position(|call| call.id == order.rule.step()) else {
        return Failure::from(error);
    };
    let shown = book.point_at(&step_path(place), order.without_story(), order.rule.hint());
    let story = order.story.clone();
    let failure = Failure::from(error).drawn(&[shown]);
    match story {
        Some(story) => failure.telling("how the intruder gets back in", &story.lines),
        None => failure,
    }
}

fn step_path(place: usize) -> Vec<PathSegment> {
    vec![PathSegment::Key("steps".to_owned()), PathSegment::Index(place)]
}

/// Loads the playbooks of these names, or all that ship where none is named.
///
/// # Errors
/// Everything that is wrong with one of them.
pub fn load_all(names: &[String]) -> Result<Vec<Playbook>, Failure> {
    let catalog = steps::catalog();
    let shipped: Vec<String> = playbook::list().into_iter().map(|book| book.name).collect();
    let names = if names.is_empty() { &shipped } else { names };
    Ok(names.iter().map(|name| playbook::load(name, &catalog)).collect::<Result<Vec<_>, _>>()?)
}

fn request(
    session: &Session,
    playbook: BoundPlaybook,
    user: &str,
    case: &CaseArgs,
) -> Result<PlanRequest, Failure> {
    let (ips, notes) = ranges(&case.ip)?;
    Ok(PlanRequest {
        playbook,
        user: user.to_owned(),
        since: case.since.as_deref().map(parse_time).transpose()?,
        ips,
        user_agents: case.user_agent.clone(),
        keep: method_ids(&case.keep)?,
        remove: method_ids(&case.remove)?,
        overrides: case.overrides.clone(),
        requested_by: session.operator(),
        webhook: None,
        notes,
        alert: None,
    })
}

/// Reads addresses and ranges of the intruder's, and gives what is to be said about them.
///
/// # Errors
/// When one is no range, or so wide that it tells the intruder from nobody.
pub fn ranges(texts: &[String]) -> Result<(Vec<CidrBlock>, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let mut ips = Vec::new();
    for text in texts {
        let (block, masked) = CidrBlock::parse_masking(text)
            .map_err(|error| Failure::of(2, "bad_range", &error, Some("correct the `--ip`".to_owned())))?;
        if masked {
            notes.push(format!("`{text}` has host bits set; it is read as `{block}`"));
        }
        let widest = if block.is_ipv4() { WIDEST_EVIDENCE_IPV4 } else { WIDEST_EVIDENCE_IPV6 };
        if block.prefix() < widest {
            return Err(Failure::new(
                2,
                "bad_range",
                format!(
                    "`{text}` is wider than /{widest}: every sign-in from there, the user's own too, would count as the intruder's"
                ),
                Some("give the addresses or ranges that the intruder came from".to_owned()),
            ));
        }
        if !ips.contains(&block) {
            ips.push(block);
        }
    }
    Ok((ips, notes))
}

/// Reads a moment of the command line's.
///
/// # Errors
/// When it is none.
pub fn parse_time(text: &str) -> Result<Timestamp, Failure> {
    text.parse::<Timestamp>()
        .or_else(|_| format!("{text}T00:00:00Z").parse::<Timestamp>())
        .or_else(|_| format!("{text}Z").parse::<Timestamp>())
        .map_err(|_| {
            Failure::new(
                2,
                "bad_time",
                format!("`{text}` is no time"),
                Some("write it in UTC: 2024-09-26T18:03:36Z, or 2024-09-26".to_owned()),
            )
        })
}

fn method_ids(texts: &[String]) -> Result<Vec<MethodId>, Failure> {
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|error: crate::domain::IdError| {
                Failure::of(
                    2,
                    "bad_method_id",
                    &error,
                    Some("take the id from the plan's list of methods".to_owned()),
                )
            })
        })
        .collect()
}

/// Writes a document to a file, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_whole<T: serde::Serialize>(path: &Path, document: &T) -> Result<(), Failure> {
    write_bytes(path, json_text(document)?.as_bytes())
}

/// Writes bytes to a file, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let hint = "check the free space, or name a file in a folder that you may write to";
        Failure::cannot_write(path, &error, hint)
    };
    // What is no file, such as `/dev/null` or a pipe, is written into: a file in its place would take it from everybody.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return std::fs::write(path, bytes).map_err(failed);
    }
    let beside: PathBuf = path.with_added_extension("part");
    let written =
        std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).map_err(failed);
    if written.is_err() {
        // Half a plan is no use to anybody; where even that cannot be removed, the error has told of the place.
        drop(std::fs::remove_file(&beside));
    }
    written
}

/// A plan, and what it was called by.
#[derive(Clone, Debug)]
pub struct Named {
    /// The plan.
    pub plan: Plan,
    /// What the next command calls it by: the path that was given, or its id.
    pub name: String,
}

/// Reads a plan by the path of its file, or from the store by its id or the beginning of it, and checks it.
///
/// # Errors
/// When there is none, or it is no plan, or was changed.
pub async fn read(session: &Session, file_or_id: &str) -> Result<Named, Failure> {
    let path = Path::new(file_or_id);
    // A file that is there is what was meant: an id could be a file's name, hardly the other way round.
    if !path.exists() && is_like_an_id(file_or_id) {
        let plan = session.store()?.find_plan(file_or_id).await?;
        return Ok(Named { name: plan.id.to_string(), plan });
    }
    let plan = read_file(path)?;
    Ok(Named { plan, name: file_or_id.to_owned() })
}

/// Ids are made of hexadecimal digits and dashes.
fn is_like_an_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-')
}

fn read_file(path: &Path) -> Result<Plan, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = "give the file that `stanch plan -o` wrote, or a plan's id from `stanch runs list`";
        Failure::cannot_read(path, &error, hint)
    })?;
    Plan::from_json(&text)
        .map_err(|error| Failure::from(error).about(&format!("cannot use `{}`", path.display())))
}

/// Prints a plan in the format asked for.
///
/// # Errors
/// When standard output cannot be written.
pub fn show(session: &Session, plan: &Plan, name: &str) -> Result<(), Failure> {
    match session.format {
        Format::Json => print_json(plan),
        Format::Markdown => print_text(&preview::markdown(plan)),
        Format::Text | Format::Html => print_text(&text(session, plan, Some(name))),
    }
}

/// The preview for the terminal; with a name it tells the command to go on with.
pub fn text(session: &Session, plan: &Plan, name: Option<&str>) -> String {
    preview::text(plan, &style(session, name))
}

/// How previews are to look, by the terminal and the flags.
pub fn style(session: &Session, name: Option<&str>) -> preview::Style {
    preview::Style {
        colour: if terminal::prints_to_terminal() { preview::Colour::On } else { preview::Colour::Off },
        detail: if session.verbose { preview::Detail::Full } else { preview::Detail::Usual },
        file: name.map(str::to_owned),
        needs_approval: session.config.approval.required,
        ..preview::Style::default()
    }
}
