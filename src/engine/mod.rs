//! The engine: plans, applies, reads back, proves. It owns no clock, socket, file or randomness: it is given them.

mod applier;
mod apply_error;
mod carry_out;
mod context;
mod plan_error;
mod planner;
mod preflight;
mod proof;
mod resolve;
mod send;

pub use applier::{Applied, Applier};
pub use apply_error::ApplyError;
pub use context::{Notice, Patience, StopSignal, Watcher};
pub use plan_error::PlanError;
pub use planner::{PlanRequest, Planner, check_order};
