//! The engine: plans, applies, reads back, proves. It owns no clock, socket, file or randomness: it is given them.

mod aftermath;
mod applier;
mod apply_error;
mod carry_out;
mod context;
mod doctor;
mod eviction;
mod from_alert;
mod investigator;
mod keep_watch;
mod operation;
mod order;
mod plan_error;
mod planner;
mod preflight;
mod proof;
mod requirements;
mod resolve;
mod secret;
mod send;
mod shortfall;
mod traces;
mod verifier;
mod watch;

pub use applier::{Applied, Applier};
pub use apply_error::ApplyError;
pub use context::{Notice, Patience, PlanPhase, StopSignal, Unwatched, Watcher};
pub use doctor::{App, Doctor, Finding, FindingState, grant_line};
pub use from_alert::FromAlert;
pub use investigator::{Investigator, Question, investigate_file};
pub use keep_watch::{Vigil, VigilNotice, keep_watch};
pub use order::{check_order, outlook_of, too_wide, words_of};
pub use plan_error::PlanError;
pub use planner::{PlanRequest, Planner, new_alert_id, new_plan_id};
pub use requirements::{LicenceNeed, Need, Purpose, Requirements, StepNeeds, lacking};
pub use verifier::{Verifier, VerifyError};
