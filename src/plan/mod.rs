//! The plan: every change as a named request, with what stood before and what must stand after.

pub mod action;
pub mod command_line;
mod difference;
pub mod effect;
pub mod placeholder;
pub mod planned_step;
pub mod preview;
pub mod request;
pub mod sealed;
pub mod session;

pub use action::{Action, ApprovalMode, Cannot, Delivery, Object, Question, Undo, Watch};
pub use command_line::is_command;
pub use difference::{ActionChange, ActionDifference, FieldChange, ListChange, PlanBrief, PlanDifference};
pub use effect::{EffectClass, effect_of};
pub use placeholder::{Bindings, PlaceholderError, fill, made_objects_of, placeholders_of};
pub use planned_step::{KnownThing, PlannedStep};
pub use request::{PlannedRequest, Verb};
pub use sealed::{
    GuardOverride, GuardRecord, GuardRefusal, LeftObject, PLAN_FORMAT, Plan, PlanFileError, PlannedCase,
    PlaybookRef, Requester, TenantRef, UnchangedStep,
};
pub use session::PlanSession;
