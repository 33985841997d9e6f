//! What is known of an incident, as data: the subject, what ties to the intruder, and the records that say so.

pub mod activity;
pub mod app_grant;
pub mod audit;
pub mod device;
pub mod evidence;
pub mod group;
pub mod hold;
pub mod inbox_rule;
pub mod indicator;
pub mod investigation;
pub mod look;
pub mod method;
pub mod persistence;
pub mod risk;
pub mod role;
pub mod sign_in;
pub mod subject;

pub use activity::{Activity, ActivityTarget};
pub use app_grant::{AppBrief, AppGrant, AppUse, is_microsofts_tenant};
pub use audit::{AuditActor, AuditRecord, ModifiedProperty};
pub use device::Device;
pub use evidence::{Case, Evidence, Judged, JudgedMethod, MethodVerdict, Window};
pub use group::Group;
pub use hold::Hold;
pub use inbox_rule::InboxRule;
pub use indicator::{Confidence, Indicator, IndicatorKind};
pub use investigation::{AddressUse, Investigation, OtherUser, SentMail};
pub use look::Look;
pub use method::{AuthMethod, MethodKind};
pub use persistence::{Persistence, PersistenceKind};
pub use risk::{RiskDetection, UserRisk};
pub use role::{RoleAssignment, RoleVia};
pub use sign_in::{Position, Risk, SecondFactor, SignIn};
pub use subject::{RoleHeld, RoleSource, Subject};
