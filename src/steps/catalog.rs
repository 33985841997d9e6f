//! The table of steps: one line each, everywhere. A new step does not compile until every table has it.

use std::time::Duration;

use serde_json::Value;

use super::Step;
use super::block_ips::BlockIps;
use super::by_hand::ByHand;
use super::cancel_temporary_access_passes::CancelTemporaryAccessPasses;
use super::check_exchange::CheckExchange;
use super::confirm_compromised::ConfirmCompromised;
use super::disable_devices::DisableDevices;
use super::disable_inbox_rules::DisableInboxRules;
use super::disable_service_principal::{self, DisableServicePrincipal};
use super::disable_sign_in::DisableSignIn;
use super::enable_sign_in::EnableSignIn;
use super::issue_temporary_access_pass::IssueTemporaryAccessPass;
use super::manual::Manual;
use super::planned::{Planned, Scope};
use super::protect_security_info::ProtectSecurityInfo;
use super::quarantine_by_policy::QuarantineByPolicy;
use super::remove_auth_methods::RemoveAuthMethods;
use super::require_compliant_device::RequireCompliantDevice;
use super::require_token_protection::RequireTokenProtection;
use super::reset_password::{self, ResetPassword};
use super::revoke_app_consents::RevokeAppConsents;
use super::revoke_sessions::RevokeSessions;
use super::strip_roles::{self, StripRoles};
use super::watch_new_method::WatchNewMethod;
use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading};
use crate::plan::Action;
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

            /// How a person does the step for a user. `None` for options that are not the step's.
            pub fn by_hand(name: &str, options: &Value, user: &str) -> Option<ByHand> {
                match Self::read(name, options)? {
                    $(Self::$kind(step) => Some(step.by_hand(user)),)+
                }
            }

            /// What a step kind does, in one line.
            pub fn summary(name: &str) -> &'static str {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::SUMMARY; })+
                ""
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

            /// What a step reads while it plans, with its options, beside what every plan reads.
            pub fn reads(name: &str, options: &Value) -> Vec<Reading> {
                match Self::read(name, options) {
                    $(Some(Self::$kind(step)) => return step.reads(),)+
                    // Options that hang on an input: what the kind reads at least.
                    None => {}
                }
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::READS.to_vec(); })+
                Vec::new()
            }

            /// The licences without which Graph refuses a step kind.
            pub fn licences(name: &str) -> &'static [Licence] {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::LICENCES; })+
                &[]
            }

            /// What a step kind takes from an intruder, at most.
            pub fn takes_at_most(name: &str) -> &'static [Hold] {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::TAKES; })+
                &[]
            }

            /// What a step takes from an intruder, with its options.
            pub fn takes(name: &str, options: &Value) -> Vec<Hold> {
                match Self::read(name, options) {
                    $(Some(Self::$kind(step)) => step.takes(),)+
                    None => Vec::new(),
                }
            }

            /// What a step kind gives back, to an intruder too.
            pub fn gives(name: &str) -> &'static [Hold] {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::GIVES; })+
                &[]
            }

            /// How long a step kind's effect may take to show, where its service is known to be slow.
            pub fn shows_within(name: &str) -> Option<Duration> {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::SHOWS_WITHIN; })+
                None
            }

            /// Whether a step kind lets somebody in.
            pub fn is_way_in(name: &str) -> bool {
                $(if name == <$kind as Step>::NAME { return <$kind as Step>::IS_WAY_IN; })+
                false
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
    CancelTemporaryAccessPasses,
    RevokeAppConsents,
    DisableServicePrincipal,
    DisableDevices,
    DisableInboxRules,
    StripRoles,
    BlockIps,
    QuarantineByPolicy,
    RequireCompliantDevice,
    RequireTokenProtection,
    ProtectSecurityInfo,
    ConfirmCompromised,
    IssueTemporaryAccessPass,
    WatchNewMethod,
    CheckExchange,
    Manual,
);

impl AnyStep {
    /// The permissions that an action needs: its step's, or, where it is a person's alone, those of that.
    pub fn permissions_of(action: &Action) -> &'static [&'static str] {
        if action.requests.iter().any(reset_password::is_a_persons) {
            reset_password::PERSONS_PERMISSIONS
        } else if action.requests.iter().any(disable_service_principal::is_an_apps) {
            disable_service_principal::WRITE_PERMISSIONS
        } else if action.requests.iter().any(strip_roles::is_a_roles) {
            strip_roles::WRITE_PERMISSIONS
        } else {
            Self::permissions(&action.step)
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{app_role, is_covered};

    #[test]
    fn every_permission_of_a_step_is_one_of_graphs_by_name_and_id() {
        for step in catalog().steps() {
            let permissions = AnyStep::permissions(step.name);
            // Nobody but a person does it.
            let is_a_persons = [Manual::NAME, CheckExchange::NAME].contains(&step.name);
            assert_eq!(permissions.is_empty(), is_a_persons, "{}", step.name);
            for name in permissions {
                assert!(app_role(name).is_some(), "{}: {name}", step.name);
            }
        }
    }

    #[test]
    fn what_a_step_reads_depends_on_whom_it_is_for() {
        let subject = AnyStep::reads("require_compliant_device", &serde_json::json!({ "users": "subject" }));
        assert!(!subject.contains(&Reading::Groups));
        let group = serde_json::json!({ "users": { "group": "5f00aaaa-0000-4000-8000-0000000000aa" } });
        assert!(AnyStep::reads("require_compliant_device", &group).contains(&Reading::Groups));
        assert!(!is_covered("GroupMember.Read.All", Reading::Policies.permissions()));
    }
}
