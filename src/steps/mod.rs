//! The steps: one file each. A step looks, plans and reads back; it never sends. Every decision falls in `plan`,
//! which is pure; none is left for apply.

mod block_ips;
mod by_hand;
mod cancel_temporary_access_passes;
mod catalog;
mod check_exchange;
mod confirm_compromised;
mod decision;
mod deliver;
mod disable_devices;
mod disable_inbox_rules;
mod disable_service_principal;
mod disable_sign_in;
mod enable_sign_in;
mod found_kind;
mod hardening;
mod issue_temporary_access_pass;
mod manual;
mod observe;
mod persons_line;
mod planned;
mod policy_rollout;
mod protect_security_info;
mod quarantine_by_policy;
mod remove_auth_methods;
mod require_compliant_device;
mod require_token_protection;
mod reset_password;
mod revoke_app_consents;
mod revoke_sessions;
mod strip_roles;
mod target;
mod watch_new_method;

pub use by_hand::{ByHand, quoted};
pub use catalog::{AnyStep, catalog};
pub use observe::{Attempt, Seen, is_read_back, look_again, observe};
pub use planned::{Planned, Scope};
pub use watch_new_method::newly_registered;

use std::time::Duration;

use crate::case::{Case, Hold};
use crate::graph::{GraphError, Licence, Reader, Reading};

/// One kind of step.
pub trait Step: Sized {
    /// Its name in playbooks.
    const NAME: &'static str;
    /// What it does, in one line.
    const SUMMARY: &'static str;
    /// The least permissions that do it, its reading back included.
    const PERMISSIONS: &'static [&'static str];
    /// What it reads while it plans, beside what every plan reads.
    const READS: &'static [Reading];
    /// The licences without which Graph refuses it.
    const LICENCES: &'static [Licence];
    /// What it takes from an intruder, at most: see [`Step::takes`].
    const TAKES: &'static [Hold];
    /// What it gives back, to an intruder too.
    const GIVES: &'static [Hold] = &[];
    /// Whether it shuts a door that a live session could come back through: then a revocation must follow.
    const IS_DOOR: bool;
    /// Whether it lets somebody in: then every door must be shut, and every session ended, before.
    const IS_WAY_IN: bool = false;
    /// How long its effect may take to show, where its service is known to be slow.
    const SHOWS_WITHIN: Option<Duration> = None;
    /// What it must know.
    type Facts;

    /// Reads what it must know. It cannot write.
    fn look(
        &self,
        case: &Case,
        graph: &Reader,
    ) -> impl Future<Output = Result<Self::Facts, GraphError>> + Send;

    /// What it reads with the options that it has, beside what every plan reads.
    fn reads(&self) -> Vec<Reading> {
        Self::READS.to_vec()
    }

    /// What it takes from an intruder with the options that it has: a policy that is only reported takes nothing.
    fn takes(&self) -> Vec<Hold> {
        Self::TAKES.to_vec()
    }

    /// Decides what would have to change. Pure.
    fn plan(&self, case: &Case, facts: &Self::Facts, scope: &Scope<'_>) -> Planned;

    /// Tells how a person does the same for a user, with nothing read.
    fn by_hand(&self, user: &str) -> ByHand;
}
