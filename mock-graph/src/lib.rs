//! A stateful stand-in for Entra ID and Microsoft Graph, as strict as they are. It knows nothing of any client.
//!
//! Start with [`MockGraph`]: in-process by its router, or on a loopback port.

pub mod api;
pub mod attacker;
pub mod batch;
pub mod clock;
pub mod conditional_access;
pub mod control;
pub mod delegated;
pub mod faults;
pub mod foreign;
pub mod generate;
pub mod handlers;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod listen;
pub mod odata;
pub mod replica;
pub mod routes;
pub mod serve;
pub mod server;
pub mod sign_in;
pub mod state;
pub mod tenant;
pub mod throttle;
pub mod uri;

pub use clock::parse_span;
pub use generate::{GeneratedCase, Kind, generate, layout};
pub use listen::{Running, Secure};
pub use server::{ConnectionReset, MockError, MockGraph};
pub use state::Settings;
