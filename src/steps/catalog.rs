//! The table of steps: one line each, everywhere. A new step does not compile until every table has it.

use serde_json::Value;

use super::Step;
use super::block_ips::BlockIps;
use super::disable_sign_in::DisableSignIn;
use super::enable_sign_in::EnableSignIn;
use super::planned::{Planned, Scope};
use super::remove_auth_methods::RemoveAuthMethods;
use super::require_compliant_device::RequireCompliantDevice;
use super::require_token_protection::RequireTokenProtection;
use super::reset_password::ResetPassword;
use super::revoke_sessions::RevokeSessions;
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Reader};
use crate::playbook::{StepCatalog, StepInfo};

macro_rules! steps {
    ($($kind:ident),+ $(,)?) => {
        /// Any step, its options read.
        #[derive(Clone, Debug)]
        pub enum AnyStep {
            $(
                #[doc = concat!("`", stringify!($kind), "`")]
                $kind($kind),
            )+
        }

        /// What the playbook reader is told: every step with its options.
        pub fn catalog() -> StepCatalog {
            StepCatalog::new(vec![$(StepInfo::of::<$kind>(<$kind as Step>::NAME, <$kind as Step>::SUMMARY)),+])
        }

        impl AnyStep {
            /// Reads a step by its name and options. The playbook reader has checked both.
            fn read(name: &str, options: &Value) -> Option<Self> {
                // A step without `with` takes every default.
                let options = if options.is_null() { Value::Object(serde_json::Map::new()) } else { options.clone() };
                $(
                    if name == <$kind as Step>::NAME {
                        return serde_json::from_value(options).ok().map(Self::$kind);
                    }
                )+
                None
            }

            async fn run(&self, case: &Case, scope: &Scope<'_>, graph: &Reader) -> Result<Planned, GraphError> {
                match self {
                    $(
                        Self::$kind(step) => {
                            let facts = step.look(case, graph).await?;
                            Ok(step.plan(case, &facts, scope))
                        }
                    )+
                }
            }

            /// The permissions that a step kind needs at apply.
            pub fn permissions(name: &str) -> &'static [&'static str] {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::PERMISSIONS; })+
                &[]
            }

            /// What a step kind takes from an intruder.
            pub fn takes(name: &str) -> &'static [Hold] {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::TAKES; })+
                &[]
            }

            /// Whether a step kind shuts a door.
            pub fn is_door(name: &str) -> bool {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::IS_DOOR; })+
                false
            }
        }
    };
}

steps!(
    DisableSignIn,
    EnableSignIn,
    RevokeSessions,
    ResetPassword,
    RemoveAuthMethods,
    BlockIps,
    RequireCompliantDevice,
    RequireTokenProtection,
);

impl AnyStep {
    /// Whether a step kind ends sessions.
    pub fn is_revocation(name: &str) -> bool {
        name == RevokeSessions::NAME
    }

    /// Looks and plans.
    ///
    /// # Errors
    /// When the tenant cannot be read.
    pub async fn look_and_plan(
        name: &str,
        options: &Value,
        case: &Case,
        scope: &Scope<'_>,
        graph: &Reader,
    ) -> Result<Planned, GraphError> {
        match Self::read(name, options) {
            Some(step) => step.run(case, scope, graph).await,
            None => Ok(Planned {
                warnings: vec![format!(
                    "this version knows no step `{name}` with these options; it plans nothing"
                )],
                ..Planned::default()
            }),
        }
    }
}
