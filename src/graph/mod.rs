//! The Graph client: one way out for every call, a [`Reader`] that cannot write, and a [`Writer`] that takes only what
//! was approved.
//!
//! A reader has no writing method. Reading compiles:
//! ```
//! async fn look(graph: &stanch::graph::Reader) -> Result<(), stanch::graph::GraphError> { graph.policies().await.map(drop) }
//! ```
//! and sending from it does not:
//! ```compile_fail
//! async fn look(graph: &stanch::graph::Reader) -> Result<(), stanch::graph::GraphError> { graph.send().await.map(drop) }
//! ```
//!
//! A writer takes an approved request:
//! ```
//! use stanch::{approval::ApprovedRequest, graph::{ClientRequestId, Writer}, plan::Bindings};
//! async fn apply(graph: &Writer, request: ApprovedRequest<'_>, filling: &Bindings, id: ClientRequestId) { drop(graph.send(request, filling, id).await) }
//! ```
//! and not a planned one:
//! ```compile_fail
//! use stanch::{plan::PlannedRequest, graph::{ClientRequestId, Writer}, plan::Bindings};
//! async fn apply(graph: &Writer, request: PlannedRequest, filling: &Bindings, id: ClientRequestId) { drop(graph.send(request, filling, id).await) }
//! ```

mod answer;
mod app_role;
pub mod auth;
mod call;
mod connection;
mod error;
mod licence;
mod look;
mod pace;
mod path;
mod permission;
pub mod reader;
mod reading;
pub mod request;
mod retry_after;
mod settings;
mod writer;

#[cfg(test)]
mod double;

pub use answer::ErrorAnswer;
pub use app_role::{APP_ROLES, AppRole, DANGEROUS, GRAPH_APP_ID, app_role, dangerous, is_covered};
pub use auth::{AuthError, CertificateError, Credential, DevicePrompt};
pub use connection::{Connection, SignedIn, Throttling};
pub use error::{FailureKind, GraphError, OUT_OF_REACH, Retry};
pub use licence::Licence;
pub use look::{look, settled, unanswered};
pub use reader::{
    GraphUser, GroupBrief, MessageTrace, OperationState, Pass, PassPolicy, Reader, RiskyUser, SignInFor,
    SignInLog, SignInQuery, UserBrief, WhatIf, WhatIfAnswer, sign_ins_of_page,
};
pub use reading::Reading;
pub use settings::{ClientRequestId, ConnectionSettings, Deadlines};
pub use writer::{Sent, Writer};
