//! The command line, as INTERFACE.md has it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Contains a compromised Microsoft 365 account: plans, shows, applies and proves, through Microsoft Graph.
#[derive(Debug, Parser)]
#[command(name = "stanch", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Begin with `stanch demo`: it needs nothing set up and touches nothing real.")]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Settings file [default: ./stanch.toml, then the one in your configuration directory]
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How results are printed; with `json`, standard output is one JSON document
    #[arg(long, global = true, help_heading = "Options of every command", value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Where plans and runs are kept: `sqlite://relative.db` or `sqlite:///absolute.db`
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "URL")]
    pub store: Option<String>,
    /// Tenant to sign in to: its id or a domain of it [default: `AZURE_TENANT_ID`]
    #[arg(long, global = true, help_heading = "Options of every command", value_name = "NAME")]
    pub tenant: Option<String>,
    /// Says more on standard error; twice: every request
    #[arg(short, long, global = true, help_heading = "Options of every command", action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Says nothing on standard error but errors
    #[arg(short, long, global = true, help_heading = "Options of every command", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Prints without colour (so does `NO_COLOR`)
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub no_color: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For tickets; only where a command says so.
    Markdown,
    /// A page of its own; only for `runs report`.
    Html,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the main job on an embedded mock tenant: nothing to set up, nothing real at stake
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// The dry run: reads the tenant, never writes, and shows what would be done
    Plan(PlanArgs),
    /// Finds what the intruder did and left behind, each claim with its reason; reads, never writes
    Investigate(InvestigateArgs),
    /// Shows a plan again
    Show(ShowArgs),
    /// What differs between two plans
    Diff(DiffArgs),
    /// Shows a plan and signs a yes or a no to it, with an SSH key
    Approve(ApproveArgs),
    /// Carries out exactly the plan
    Apply(ApplyArgs),
    /// Plans, shows, asks, applies, verifies
    Run(RunArgs),
    /// What waits and what was done: list, show, verify, confirm, report
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Playbooks: list, show, check, schema
    #[command(subcommand)]
    Playbook(PlaybookCommand),
    /// Prints the two app registrations to make, with the least permissions, as lines to run
    Setup(SetupArgs),
    /// Takes alerts in by webhook, and makes plans of them, which wait for a person
    Serve(ServeArgs),
    /// Tells what is missing for which step, and how to mend it; reads, never writes
    Doctor(DoctorArgs),
    /// Completions for a shell, on standard output
    Completions(CompletionsArgs),
    /// Man pages, for whoever packs stanch
    #[command(hide = true)]
    Man(ManArgs),
}

/// Who and what a plan is about.
#[derive(Clone, Debug, Default, Args)]
pub struct CaseArgs {
    /// Since when the account counts as compromised, in UTC: 2024-09-26T18:03:36Z or 2024-09-26
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// An address or range of the intruder's; may be given again
    #[arg(long, value_name = "CIDR")]
    pub ip: Vec<String>,
    /// The intruder's user agent, `*` and `?` allowed; may be given again
    #[arg(long, value_name = "GLOB")]
    pub user_agent: Vec<String>,
    /// A method, inbox rule, consent or device to keep, whatever the evidence says; may be given again
    #[arg(long, value_name = "ID")]
    pub keep: Vec<String>,
    /// A method, rule, consent or device to remove or disable, whatever the evidence says; may be given again
    #[arg(long, value_name = "ID")]
    pub remove: Vec<String>,
    /// A value for an input of the playbook; may be given again
    #[arg(long = "set", value_name = "K=V")]
    pub settings: Vec<String>,
    /// A guard to set aside, on the record; may be given again
    #[arg(long = "override", value_name = "GUARD")]
    pub overrides: Vec<String>,
}

/// `stanch plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Playbook: a name such as `bec`, or a path
    pub playbook: String,
    /// The compromised user: UPN or object id; with `--alert` the one whom the alert names
    #[arg(long, value_name = "UPN_OR_ID", required_unless_present = "alert")]
    pub user: Option<String>,
    /// An alert in a file: who, since when, and what to look for in the sign-in log
    #[arg(long, value_name = "FILE")]
    pub alert: Option<PathBuf>,
    /// Whose alert it is: `generic`, `insightidr`, or a webhook of the settings [default: by its shape]
    #[arg(long, value_name = "NAME", requires = "alert")]
    pub source: Option<String>,
    /// Who and what.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Signs you in by a code, and acts in your own session: the only way to reset a synchronized user's password
    #[arg(long)]
    pub as_me: bool,
    /// Writes the plan to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `stanch investigate`
#[derive(Debug, Args)]
pub struct InvestigateArgs {
    /// The user: UPN or object id; with `--alert` the one whom the alert names
    #[arg(long, value_name = "UPN_OR_ID", required_unless_present = "alert")]
    pub user: Option<String>,
    /// Since when the account counts as compromised, in UTC: 2024-09-26T18:03:36Z or 2024-09-26
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Until when the logs are looked at, in UTC [default: now]
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// An address or range of the intruder's; may be given again
    #[arg(long, value_name = "CIDR")]
    pub ip: Vec<String>,
    /// The intruder's user agent, `*` and `?` allowed; may be given again
    #[arg(long, value_name = "GLOB")]
    pub user_agent: Vec<String>,
    /// An alert in a file: who, since when, and what to look for in the sign-in log
    #[arg(long, value_name = "FILE")]
    pub alert: Option<PathBuf>,
    /// Whose alert it is: `generic`, `insightidr`, or a webhook of the settings [default: by its shape]
    #[arg(long, value_name = "NAME", requires = "alert")]
    pub source: Option<String>,
    /// A sign-in log in place of the tenant: JSON or CSV as the Entra portal downloads it; may be given again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["alert", "as_me"])]
    pub sign_ins: Vec<PathBuf>,
    /// Shows the timeline in this zone's local time, too: `local`, or a name such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub local_time: Option<String>,
    /// Writes the indicators to this file as a STIX 2.1 bundle
    #[arg(long, value_name = "FILE")]
    pub stix: Option<PathBuf>,
    /// Writes the indicators to this file as CSV
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Signs you in by a code, and reads in your own session
    #[arg(long)]
    pub as_me: bool,
}

/// `stanch show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The plan: its file, or its id or the beginning of it
    #[arg(value_name = "FILE_OR_ID")]
    pub plan: String,
}

/// `stanch diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The first plan: its file, or its id or the beginning of it
    #[arg(value_name = "FILE_OR_ID")]
    pub before: String,
    /// The second plan
    #[arg(value_name = "FILE_OR_ID")]
    pub after: String,
    /// Ends with status 1 where the plans differ in more than when they were made
    #[arg(long)]
    pub exit_code: bool,
}

/// `stanch completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `stanch man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Writes a page for every command into this folder, instead of the main one to standard output
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `stanch serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; plain http on loopback only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// The certificate and its chain, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Serves an embedded mock tenant, with a webhook and an alert to send it: nothing real at stake
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with = "tls_cert")]
    pub demo: bool,
}

/// `stanch approve`
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The plan: its file, or its id or the beginning of it
    #[arg(value_name = "FILE_OR_ID")]
    pub plan: String,
    /// Your SSH key; the `.pub` of one that your agent holds, or a certificate, will do
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Why, in a few words: it is part of the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What you decide
    #[arg(long, value_enum, default_value_t = DecisionArg::Approve)]
    pub decision: DecisionArg,
    /// Who you are, as the approvers' file has it [default: `operator.user`]
    #[arg(long, value_name = "UPN")]
    pub approver: Option<String>,
    /// How long the approval may be used, at most `approval.approve_within`: 30m, 1h
    #[arg(long, value_name = "SPAN")]
    pub within: Option<String>,
    /// Writes the approval to this file [default: beside the plan, under your name]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Signs without asking again
    #[arg(long)]
    pub yes: bool,
}

/// What an approver decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DecisionArg {
    /// The plan may be carried out.
    Approve,
    /// It may not.
    Reject,
}

/// `stanch apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The plan: its file, or its id or the beginning of it
    #[arg(value_name = "FILE_OR_ID")]
    pub plan: String,
    /// A signed approval, as `stanch approve` writes it; may be given again
    #[arg(long, value_name = "FILE")]
    pub approval: Vec<PathBuf>,
    /// Signs you in by a code, and acts in your own session: the only way to reset a synchronized user's password
    #[arg(long)]
    pub as_me: bool,
    /// Says yes without asking
    #[arg(long)]
    pub yes: bool,
}

/// `stanch run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Playbook: a name such as `bec`, or a path
    pub playbook: String,
    /// The compromised user: UPN or object id
    #[arg(long, value_name = "UPN_OR_ID")]
    pub user: String,
    /// Who and what.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Signs you in by a code, and acts in your own session: the only way to reset a synchronized user's password
    #[arg(long)]
    pub as_me: bool,
    /// Plans and shows, and stops there
    #[arg(long)]
    pub dry_run: bool,
    /// Says yes without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// `stanch runs`
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// The plans of this store that wait to be applied, and all its runs, newest first
    List,
    /// One run: every action with its state, the proof, what is open
    Show {
        /// The run's id, or the beginning of it
        run: String,
    },
    /// Looks at the tenant again, tells what of a run no longer holds, and whether the intruder is evicted; reads,
    /// never writes
    Verify(VerifyArgs),
    /// Says that you have done what a run left to a person; it goes on record as your word
    Confirm(ConfirmArgs),
    /// Writes the incident report of a run: in Markdown, or with `--format html` as a page of its own; reads, never
    /// writes to the tenant
    Report(ReportArgs),
}

/// `stanch runs confirm`
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The run's id, or the beginning of it
    pub run: String,
    /// The action's id, as `stanch runs show` has it
    pub action: String,
    /// What was done, in a few words: it is part of the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `stanch runs report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's id, or the beginning of it
    pub run: String,
    /// Writes the report to this file; one that ends in `.html` is a page
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// When the incident was reported, in UTC, for the time to contain: 2024-10-01T13:45:00Z [default: by the alert]
    #[arg(long, value_name = "T")]
    pub reported: Option<String>,
    /// Reads nothing: only what is kept in the store
    #[arg(long)]
    pub offline: bool,
    /// Reads the logs again, though they were read for a report of this run before
    #[arg(long, conflicts_with = "offline")]
    pub again: bool,
    /// Signs you in by a code, and reads in your own session
    #[arg(long, conflicts_with = "offline")]
    pub as_me: bool,
}

/// `stanch runs verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The run's id, or the beginning of it
    pub run: String,
    /// Looks again and again for so long, and tells drift as it is found: 30m, 24h
    #[arg(long, value_name = "SPAN")]
    pub watch: Option<String>,
    /// The pause between two looks, at least 1m
    #[arg(long, value_name = "SPAN", default_value = "5m", requires = "watch")]
    pub every: String,
    /// Signs you in by a code, and reads in your own session
    #[arg(long)]
    pub as_me: bool,
}

/// `stanch playbook`
#[derive(Debug, Subcommand)]
pub enum PlaybookCommand {
    /// The playbooks that come with stanch
    List,
    /// A playbook's text; with `--by-hand` the same as portal and PowerShell steps, for when Graph is out of reach
    Show {
        /// A name such as `bec`, or a path
        playbook: String,
        /// Prints portal and PowerShell steps instead; reads nothing from the tenant
        #[arg(long, requires = "user")]
        by_hand: bool,
        /// The user who is filled in: UPN or object id
        #[arg(long, value_name = "UPN_OR_ID", requires = "by_hand")]
        user: Option<String>,
        /// A value for an input of the playbook; may be given again
        #[arg(long = "set", value_name = "K=V", requires = "by_hand")]
        settings: Vec<String>,
    },
    /// Checks a playbook, and its order
    Check {
        /// A name such as `bec`, or a path
        playbook: String,
        /// A value for an input of the playbook; may be given again
        #[arg(long = "set", value_name = "K=V")]
        settings: Vec<String>,
    },
    /// The JSON Schema of playbooks, for editors
    Schema,
}

/// `stanch setup`
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Playbooks: names such as `bec`, or paths [default: all that ship]
    pub playbooks: Vec<String>,
    /// For which shell the lines are
    #[arg(long, value_enum, default_value_t = SetupShell::Both)]
    pub shell: SetupShell,
    /// What the apps sign in with
    #[arg(long, value_enum, default_value_t = SetupCredential::Certificate)]
    pub credential: SetupCredential,
}

/// For which shell `setup` prints its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SetupShell {
    /// Azure CLI, in a POSIX shell such as that of portal.azure.com
    Az,
    #[value(help = "Graph PowerShell, 7.3 or later")]
    Powershell,
    /// Both, one after the other
    Both,
}

/// What the apps that `setup` prints sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SetupCredential {
    /// A certificate, whose key never leaves this machine
    Certificate,
    /// A client secret: easier to try out, easier to lose
    Secret,
}

/// `stanch doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Playbooks: names such as `bec`, or paths [default: all that ship]
    pub playbooks: Vec<String>,
}

/// `stanch demo`
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Goes on without asking
    #[arg(long)]
    pub yes: bool,
    /// Another tenant, in the mock's tenant-file format
    #[arg(long, value_name = "FILE", requires = "user")]
    pub tenant_file: Option<PathBuf>,
    /// The compromised user [default: the reference case's]
    #[arg(long, value_name = "UPN")]
    pub user: Option<String>,
    /// Playbook
    #[arg(long, default_value = "bec")]
    pub playbook: String,
    /// Who and what.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Folder for plan and report
    #[arg(long, value_name = "DIR", default_value = "stanch-demo")]
    pub out: PathBuf,
}
