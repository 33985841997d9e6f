//! What lies between us and the tenant: the clock, and how much of Graph's limits is left.

use super::examine::App;
use super::finding::Finding;
use crate::domain::Clock;
use crate::engine::planner::MOST_SKEW;
use crate::graph::Reader;

/// Compares our clock with Graph's `Date`.
pub(super) fn clock(reader: &Reader, clock: &dyn Clock, skew_stops: bool) -> Finding {
    const CLOCK: &str = "clock";
    let Some(theirs) = reader.server_time() else {
        return Finding::warning(
            CLOCK,
            "Graph told no time",
            "run `stanch doctor -vv` and look at the answers",
        );
    };
    let skew = clock.now().duration_since(theirs);
    let seconds = skew.as_secs();
    if skew.abs() <= MOST_SKEW {
        // Graph's `Date` is in whole seconds.
        let within = seconds.abs() + 1;
        return Finding::ok(CLOCK, format!("this machine's clock is within {within} s of the tenant's"));
    }
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    let off = format!("this machine's clock is {} s {way} the tenant's", seconds.abs());
    let fix = "set the clock: `timedatectl set-ntp true`, or `w32tm /resync` on Windows";
    if skew_stops {
        Finding::missing(CLOCK, format!("{off}: planning stops at {} s", MOST_SKEW.as_secs()), fix)
    } else {
        Finding::warning(CLOCK, format!("{off}; against loopback planning goes on"), fix)
    }
}

/// Tells what Graph has said of its limits while the doctor was reading.
pub(super) fn throttling(apps: &[&App]) -> Vec<Finding> {
    apps.iter().map(|app| of_one(app)).collect()
}

fn of_one(app: &App) -> Finding {
    const THROTTLING: &str = "throttling";
    let seen = app.connection.throttling();
    if !seen.throttled.is_empty() {
        let paths = seen.throttled.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
        return Finding::warning(
            THROTTLING,
            format!("Graph throttled the {} at {paths}: other tools use up the tenant's limit", app.role),
            "runs take longer for it; find what else reads or writes Conditional Access, and let it rest during an incident",
        );
    }
    match seen.highest_share {
        Some(share) if share >= 0.8 => Finding::warning(
            THROTTLING,
            format!("the {} has used {:.0} % of a limit of Graph's", app.role, share * 100.0),
            "wait ten seconds and run the doctor again; if it stays, find what else uses this app",
        ),
        _ => Finding::ok(THROTTLING, format!("Graph throttled nothing that the {} asked", app.role)),
    }
}
