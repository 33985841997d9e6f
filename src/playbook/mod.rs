//! Playbooks: YAML to [`Playbook`], with the place of every value, all errors at once, in rustc's look.
//!
//! Which steps there are, and what options they take, this module is told by a [`StepCatalog`]; it knows none by itself.
//! Invariant: YAML is data here. Anchors, aliases, tags, merge keys and second documents are refused, so that what a
//! person reads in the file is what runs.

mod bind;
mod catalog;
mod diagnostic;
mod error;
mod input;
mod model;
mod needs;
mod options;
mod read;
mod reference;
mod scalar;
mod schema;
mod shipped;
mod step;
mod tree;
mod word;

#[cfg(test)]
mod tests;

pub use bind::{BoundPlaybook, BoundStep};
pub use catalog::{StepCatalog, StepInfo};
pub use diagnostic::{Diagnostic, Diagnostics, Look, Place, Related};
pub use error::{BindError, BindErrors, PlaybookError};
pub use input::{Input, InputType, parse_setting};
pub use model::{Aim, Approval, PathSegment, Playbook, StepCall};
pub use options::{OptionFault, check_options};
pub use schema::json_schema;
pub use shipped::{Shipped, list, load, shipped_text};
pub use tree::MAX_BYTES;
