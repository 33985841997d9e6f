//! The guards' settings with every account resolved, and the list of all guards.

use serde::Serialize;

use crate::case::Look;
use crate::domain::{CidrBlock, DigestError, GroupId, Sha256Digest, UserId, nearest};

/// A guard, for documents and for checking overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardInfo {
    /// Its name.
    pub name: &'static str,
    /// What it refuses.
    pub what: &'static str,
    /// Whether a person may set it aside.
    pub overridable: bool,
}

const fn guard(name: &'static str, what: &'static str, overridable: bool) -> GuardInfo {
    GuardInfo { name, what, overridable }
}

/// Every guard.
pub const GUARDS: &[GuardInfo] = &[
    guard("emergency_account", "containing an emergency-access account", false),
    guard("sync_account", "containing the directory synchronization account", false),
    guard(
        "privileged_subject",
        "containing an account that holds, or may hold, an administrative role",
        true,
    ),
    guard("last_administrator", "containing the only Global Administrator who can sign in", false),
    guard("few_administrators", "containing a Global Administrator who leaves fewer than two others", true),
    guard("operator_is_subject", "containing the account of whoever asks", true),
    guard("protected_group", "containing a member of a protected group", true),
    guard("restricted_unit", "changing an account in a restricted management administrative unit", false),
    guard("special_purpose_range", "blocking private, reserved or documentation addresses", false),
    guard("too_wide", "blocking a range wider than the settings allow", true),
    guard("company_range", "blocking the company's own addresses", false),
    guard("trusted_location", "blocking addresses of a trusted or excluded location", false),
    guard("microsoft_range", "blocking Microsoft's own service addresses", true),
    guard("shared_address", "blocking addresses that up to four other users sign in from", true),
    guard("crowded_address", "blocking addresses that five or more other users sign in from", false),
    guard("location_not_ip", "adding addresses to a location that is no list of addresses", false),
    guard("location_trusted", "adding addresses to a trusted location", false),
    guard("policy_changed", "taking up a policy of ours that somebody changed", false),
    guard("policy_ambiguous", "choosing between two policies of one name", false),
    guard("location_ambiguous", "choosing between two locations of one name", false),
    guard("policy_emergency_accounts", "a policy that does not leave the emergency accounts out", false),
    guard("policy_tenant_wide", "a policy for everyone without a narrow list of locations", false),
    guard("policy_device_for_all", "a device or token-protection policy for everyone", false),
    guard(
        "policy_token_apps",
        "token protection beyond the apps, platforms and clients that support it",
        false,
    ),
    guard(
        "group_not_plain",
        "putting anybody into a group that is more than a plain security group of the tenant's own",
        false,
    ),
    guard("group_ambiguous", "choosing between two groups of one name", false),
    guard("group_holds_others", "beginning to block a group that others belong to already", true),
    guard("policy_unknown_group", "a policy for a group that is not there", false),
    guard("policy_unread_group", "a policy for a group that could not be read", false),
    guard("no_recipients", "sealing a secret that nobody could open", false),
    guard("pass_not_allowed", "issuing a pass that the tenant lets nobody use", false),
    guard("pass_not_contained", "letting somebody in while the intruder still holds a method", true),
    guard(
        "policy_no_registration",
        "letting nobody register security info for an account, from anywhere",
        true,
    ),
    guard("microsoft_app", "disabling an app of Microsoft's for everyone", false),
    guard("own_app", "disabling an app that stanch signs in as", false),
    guard("app_in_use", "disabling an app that three or more other users have consented to", true),
    guard("policy_no_device", "enforcing a device policy for somebody without a compliant device", true),
];

/// Whether a person may set a guard aside.
pub fn is_overridable(name: &str) -> bool {
    GUARDS.iter().any(|guard| guard.name == name && guard.overridable)
}

/// Why an override is no override.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GuardError {
    /// No such guard.
    #[error("there is no guard `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest one.
        nearest: Option<&'static str>,
    },
    /// The guard cannot be set aside.
    #[error("the guard `{name}` cannot be set aside")]
    Fixed {
        /// Which.
        name: String,
    },
}

impl GuardError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Unknown { nearest: None, .. } | Self::Fixed { .. } => {
                let names: Vec<_> =
                    GUARDS.iter().filter(|guard| guard.overridable).map(|guard| guard.name).collect();
                Some(format!("those that can be set aside are {}", names.join(", ")))
            }
        }
    }
}

/// Checks that every override names a guard that can be set aside.
///
/// # Errors
/// On the first one that does not.
pub fn check_overrides(names: &[String]) -> Result<(), GuardError> {
    for name in names {
        if !GUARDS.iter().any(|guard| guard.name == name) {
            let nearest = nearest(name, GUARDS.iter().map(|guard| guard.name));
            return Err(GuardError::Unknown { name: name.clone(), nearest });
        }
        if !is_overridable(name) {
            return Err(GuardError::Fixed { name: name.clone() });
        }
    }
    Ok(())
}

/// The settings of the guards, every account resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardRules {
    /// Emergency accounts that were found and are enabled.
    pub emergency_accounts: Vec<UserId>,
    /// Configured emergency accounts that were not found, or are disabled.
    pub unresolved_emergency: Vec<String>,
    /// The settings say that there are none.
    pub no_emergency_accounts: bool,
    /// Groups whose members are not contained.
    pub protected_groups: Vec<GroupId>,
    /// The company's own addresses.
    pub company_ranges: Vec<CidrBlock>,
    /// Dangerous permissions that the responder may hold all the same.
    pub accepted_permissions: Vec<String>,
    /// The shortest IPv4 prefix that may be blocked.
    pub widest_ipv4: u8,
    /// The shortest IPv6 prefix that may be blocked.
    pub widest_ipv6: u8,
    /// Guards that this request sets aside. They are no setting: the digest leaves them out.
    #[serde(skip)]
    pub overrides: Vec<String>,
    /// App ids that stanch signs in as. They differ between the machine that plans and the one that applies: the digest
    /// leaves them out.
    #[serde(skip)]
    pub own_apps: Vec<String>,
}

impl GuardRules {
    /// The digest of the settings: a plan made under others is stale.
    ///
    /// # Errors
    /// When the settings have no canonical JSON.
    pub fn digest(&self) -> Result<Sha256Digest, DigestError> {
        Sha256Digest::of_json(self)
    }
}

/// What the subject guards must know beside the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFacts {
    /// Object id of whoever asks, where they are known to the tenant.
    pub operator_id: Option<UserId>,
    /// The subject's groups, nested ones too; not read where no group is protected.
    pub group_ids: Look<Vec<GroupId>>,
    /// Who else is Global Administrator; none where the subject is not, or nothing is taken from it.
    pub other_administrators: Option<Look<OtherAdministrators>>,
}

/// Global Administrators beside the subject who can sign in, active and eligible ones, through groups too. Counted as far
/// as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherAdministrators {
    /// Those that are no emergency accounts.
    pub regular: usize,
    /// Emergency accounts.
    pub emergency: usize,
}
