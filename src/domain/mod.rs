//! Values that cannot be wrong. No I/O, no async, no HTTP: whoever holds one of these needs no further check.

pub mod causes;
pub mod clock;
pub mod digest;
pub mod glob;
pub mod ids;
pub mod inert;
pub mod nearest;
pub mod net;
pub mod random;
pub mod secret;
pub mod shell;

pub use causes::with_causes;
pub use clock::{BoxFuture, Clock, Moment, Timestamp, shown};
pub use digest::{DigestError, PlanDigest, Sha256Digest, canonical_json, json_of};
pub use ids::{
    ActionId, AlertId, GroupId, IdError, MethodId, NamedLocationId, PlanId, PolicyId, RunId, TenantId, Upn,
    UserId,
};
pub use inert::{inert, inert_json, inert_whole};
pub use nearest::{nearest, nearest_beginning};
pub use net::{CidrBlock, CidrError};
pub use random::Random;
pub use secret::SecretString;
pub use shell::{shell_path, shell_word};
