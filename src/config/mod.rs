//! Configuration: defaults, then `stanch.toml`, then `STANCH_SECTION__KEY`, then flags; and the credentials.
//!
//! [`Environment::from_process`] is the one reader of the process's environment. Everything else is given one, so that
//! tests and servers can bring their own. Every default is the safe one; what is not known is an error, never skipped.

mod credentials;
mod duration;
mod endpoint;
mod environment;
mod error;
mod file;
mod layers;
mod managed_identity;
mod model;
mod person;
mod secret_file;
mod settings;
mod store_url;
mod text;
mod webhook;

#[cfg(test)]
mod tests;

pub use credentials::{CredentialError, Credentials, Role, SignInWay};
pub use duration::parse_duration;
pub use endpoint::{BaseUrl, Cloud, EndpointError, authority_base, graph_base};
pub use environment::Environment;
pub use error::{ConfigErrors, ConfigFault, Origin};
pub use layers::{Flag, Sources};
pub use managed_identity::ManagedIdentity;
pub use model::{Approval, Config, Guards, Operator, Secrets, WidestBlock};
pub use person::PersonSignIn;
pub use settings::setting_keys;
pub use store_url::{StoreUrl, StoreUrlError, default_store};
pub use webhook::{Mode, Pointers, ReadSecret, Webhook, WebhookAuth};
