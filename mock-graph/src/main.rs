//! The program: `mock-graph serve` and `mock-graph generate`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mock_graph::{Kind, MockGraph, Settings, generate, layout, parse_span};

/// A stateful stand-in for Entra ID and Microsoft Graph.
#[derive(Parser)]
#[command(name = "mock-graph", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves a tenant file
    Serve(Serve),
    /// Makes a tenant in which something happened, and the truth of it
    Generate {
        #[arg(long, value_name = "KIND", help = format!("What happened: {}", Kind::names()))]
        kind: Kind,
        /// The same seed makes the same case
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where to write tenant.json and truth.json; made if it is not there
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// How to serve.
#[derive(clap::Args)]
struct Serve {
    /// The tenant, in the format `mock-graph/1`
    #[arg(long, value_name = "FILE")]
    tenant_file: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Time that every request takes, such as 80ms
    #[arg(long, default_value = "0ms", value_parser = span)]
    latency: Duration,
    /// Fault rules, as PUT /_mock/faults takes them
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Enforces the published limits
    #[arg(long)]
    enforce_throttling: bool,
    /// How far app-only reads may trail writes, such as 5s
    #[arg(long, default_value = "0s", value_parser = span)]
    lag: Duration,
    /// How long access tokens live, such as 60s [default: as long as Entra's]
    #[arg(long, value_parser = span)]
    token_lifetime: Option<Duration>,
    /// Seed of all chance
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Serves by TLS, with the certificate in `src/test-only-certificate.pem`, which a client must be told to trust
    #[arg(long)]
    tls: bool,
    /// Lets it listen on an address that other machines reach: the tenant's passwords are then theirs to read
    #[arg(long)]
    listen_beyond_loopback: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| format!("`{text}` is no span: expected such as 80ms or 5s"))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<(), String> {
    match cli.command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Generate { kind, seed, out } => write_case(kind, seed, &out),
    }
}

fn write_case(kind: Kind, seed: u64, out: &Path) -> Result<(), String> {
    let case = generate(kind, seed);
    std::fs::create_dir_all(out).map_err(|error| format!("cannot make `{}`: {error}", out.display()))?;
    for (name, value) in [("tenant.json", &case.tenant), ("truth.json", &case.truth)] {
        let path = out.join(name);
        std::fs::write(&path, layout(value))
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(())
}

async fn serve(arguments: Serve) -> Result<(), String> {
    let Serve {
        tenant_file,
        listen,
        latency,
        faults,
        enforce_throttling,
        lag,
        token_lifetime,
        seed,
        tls,
        listen_beyond_loopback,
    } = arguments;
    if !IpAddr::is_loopback(&listen.ip()) && !listen_beyond_loopback {
        return Err(format!(
            "{listen} is no loopback address; say --listen-beyond-loopback if that is meant"
        ));
    }
    let text = std::fs::read_to_string(&tenant_file)
        .map_err(|error| format!("cannot read `{}`: {error}", tenant_file.display()))?;
    let settings = Settings { latency, lag, enforce_throttling, seed, token_lifetime };
    let mock = MockGraph::with_settings(&text, settings)
        .map_err(|error| format!("`{}`: {error}", tenant_file.display()))?;
    if let Some(path) = faults {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        mock.set_faults(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
    }
    let running = if tls { mock.listen_by_tls(listen).await } else { mock.listen(listen).await };
    let running = running.map_err(|error| told(&error))?;
    println!("listening on {}", running.base_url());
    running.wait().await.map_err(|error| error.to_string())
}

fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
