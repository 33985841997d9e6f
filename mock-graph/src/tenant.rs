//! The tenant file (`"format": "mock-graph/1"`) and the tenant it becomes: plain data, strictly read.
//!
//! Objects stand in Graph's own beta JSON shape and are served as they are. What is the mock's own (the top level,
//! `tenant`, `applications`, `attackers`) refuses unknown keys, so that a case from elsewhere is never half-read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects by the id of the user they belong to.
pub type ByUser = BTreeMap<String, Vec<Value>>;

/// The format that this version reads.
pub const FORMAT: &str = "mock-graph/1";

/// Why a text is no tenant file.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// Not JSON, an unknown key, a wrong type.
    #[error("the tenant file cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another format.
    #[error("the tenant file has the format `{0}`, this version reads `mock-graph/1`")]
    Format(String),
    /// An object lacks what every object of its kind has.
    #[error("the tenant file's `{list}[{index}]` has no `{key}`")]
    Incomplete {
        /// Which list.
        list: &'static str,
        /// Which element, from 0.
        index: usize,
        /// The key that is missing.
        key: &'static str,
    },
}

impl Tenant {
    /// Reads a tenant file strictly: an unknown key is an error that names it.
    ///
    /// # Errors
    /// When the text is no tenant file of this format.
    pub fn from_json(text: &str) -> Result<Self, TenantError> {
        Self::checked(serde_json::from_str(text)?)
    }

    /// Takes a tenant file that has been parsed already, as strictly.
    ///
    /// # Errors
    /// When the value is no tenant file of this format.
    pub fn from_value(file: Value) -> Result<Self, TenantError> {
        Self::checked(serde_json::from_value(file)?)
    }

    /// A user by object id or UPN.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&Value> {
        let goes_by = |user: &&Value| {
            ["id", "userPrincipalName"].iter().any(|key| {
                user.get(*key).and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
        };
        self.users.iter().find(goes_by)
    }

    /// The same without its logs and clock: what a request changes.
    #[must_use]
    pub fn without_logs(&self) -> Self {
        let mut tenant = self.clone();
        tenant.clock = None;
        tenant.sign_ins = Arc::default();
        tenant.directory_audits = Arc::default();
        tenant
    }

    fn checked(mut tenant: Self) -> Result<Self, TenantError> {
        if tenant.format != FORMAT {
            return Err(TenantError::Format(tenant.format));
        }
        let lists: [(&'static str, &[Value], &[&'static str]); 7] = [
            ("users", &tenant.users, &["id", "userPrincipalName"]),
            ("groups", &tenant.groups, &["id"]),
            ("devices", &tenant.devices, &["id"]),
            ("namedLocations", &tenant.named_locations, &["id", "@odata.type"]),
            ("conditionalAccessPolicies", &tenant.conditional_access_policies, &["id", "state"]),
            ("roleAssignments", &tenant.role_assignments, &["principalId", "roleDefinitionId"]),
            ("signIns", &tenant.sign_ins, &["id", "createdDateTime"]),
        ];
        for (list, items, keys) in lists {
            for (index, item) in items.iter().enumerate() {
                for key in keys {
                    if item.get(*key).and_then(Value::as_str).is_none() {
                        return Err(TenantError::Incomplete { list, index, key });
                    }
                }
            }
        }
        tenant.mark_restricted();
        Ok(tenant)
    }

    /// Marks what restricted units hold, as Graph shows it on each object.
    fn mark_restricted(&mut self) {
        let held: Vec<Value> = self
            .administrative_units
            .iter()
            .filter(|unit| unit.get("isMemberManagementRestricted") == Some(&Value::Bool(true)))
            .filter_map(|unit| unit.get("members").and_then(Value::as_array))
            .flatten()
            .cloned()
            .collect();
        for object in self.users.iter_mut().chain(&mut self.devices) {
            if object.get("id").is_some_and(|id| held.contains(id))
                && let Some(entries) = object.as_object_mut()
            {
                entries.insert("isManagementRestricted".to_owned(), true.into());
            }
        }
    }
}

/// The whole tenant. Cloned at each write, so that reads can be served from an earlier moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// Always `mock-graph/1`.
    pub format: String,
    /// The tenant's time when the mock starts; left out: the real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<jiff::Timestamp>,
    /// The organization.
    pub tenant: Organization,
    /// App registrations that may sign in.
    #[serde(default)]
    pub applications: Vec<Application>,
    /// Graph users.
    #[serde(default)]
    pub users: Vec<Value>,
    /// User id to current password.
    #[serde(default)]
    pub passwords: BTreeMap<String, String>,
    /// User id to authentication methods, told apart by `@odata.type`.
    #[serde(default)]
    pub authentication_methods: ByUser,
    /// User id to the default second factor.
    #[serde(default)]
    pub default_methods: BTreeMap<String, DefaultMethod>,
    /// The policy of Temporary Access Passes, in Graph's words; what is left out is Entra's default, and enabled.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub temporary_access_pass_policy: Value,
    /// Active role assignments.
    #[serde(default)]
    pub role_assignments: Vec<Value>,
    /// Eligible role assignments, in the shape of `roleEligibilityScheduleInstances`.
    #[serde(default)]
    pub role_eligibility_schedule_instances: Vec<Value>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<Value>,
    /// Group id to the ids of its direct members.
    #[serde(default)]
    pub group_members: BTreeMap<String, Vec<String>>,
    /// Group id to the ids of its owners.
    #[serde(default)]
    pub group_owners: BTreeMap<String, Vec<String>>,
    /// Administrative units, with `members` as ids of users, groups and devices.
    #[serde(default)]
    pub administrative_units: Vec<Value>,
    /// Verified domains (`id`, `authenticationType`); left out: the default domain, managed.
    #[serde(default)]
    pub domains: Vec<Value>,
    /// Soft-deleted users.
    #[serde(default)]
    pub deleted_users: Vec<Value>,
    /// Devices, with `registeredOwners` and `registeredUsers` as user ids.
    #[serde(default)]
    pub devices: Vec<Value>,
    /// Named locations.
    #[serde(default)]
    pub named_locations: Vec<Value>,
    /// Conditional Access policies.
    #[serde(default)]
    pub conditional_access_policies: Vec<Value>,
    /// Service principals.
    #[serde(default)]
    pub service_principals: Vec<Value>,
    /// Delegated permission grants.
    #[serde(default)]
    pub oauth2_permission_grants: Vec<Value>,
    /// App role assignments to users, groups and service principals; those of `applications` are made from their roles.
    #[serde(default)]
    pub app_role_assignments: Vec<Value>,
    /// User id to inbox rules; one with `isHidden` runs, and is not shown.
    #[serde(default)]
    pub message_rules: ByUser,
    /// User id to the mailbox; who is not named has an ordinary one, where the tenant has Exchange.
    #[serde(default)]
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// Message traces.
    #[serde(default)]
    pub message_traces: Vec<Value>,
    /// Table name to rows, for hunting queries.
    #[serde(default)]
    pub hunting_tables: BTreeMap<String, Vec<Value>>,
    /// Records of the unified audit log, for its searches.
    #[serde(default)]
    pub audit_log_records: Vec<Value>,
    /// Searches of the unified audit log.
    #[serde(default)]
    pub audit_queries: Vec<Value>,
    /// User id to the state of per-user multifactor authentication; left out: disabled.
    #[serde(default)]
    pub per_user_mfa_states: BTreeMap<String, String>,
    /// Identity Protection's detections.
    #[serde(default)]
    pub risk_detections: Vec<Value>,
    /// Identity Protection's risky users.
    #[serde(default)]
    pub risky_users: Vec<Value>,
    /// The attackers that `/_mock/attackers/{name}/attempt` plays.
    #[serde(default)]
    pub attackers: Vec<Attacker>,
    /// Directory audit records.
    #[serde(default)]
    pub directory_audits: Arc<Vec<Value>>,
    /// Passwords on their way: `authentication/operations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub password_operations: Vec<PasswordOperation>,
    /// Sign-in records, interactive and not.
    #[serde(default)]
    pub sign_ins: Arc<Vec<Value>>,
}

/// What the tenant is.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the tenant file")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// Tenant id.
    pub id: String,
    /// Name on screens.
    pub display_name: String,
    /// Domain of new users.
    pub default_domain: String,
    /// Service plan names, such as `AAD_PREMIUM`.
    #[serde(default)]
    pub licences: Vec<String>,
    /// Whether users may reset their own password with a registered method.
    #[serde(default = "yes")]
    pub self_service_password_reset: bool,
    /// Whether the unified audit log is kept.
    #[serde(default = "yes")]
    pub auditing: bool,
    /// How long a search of it takes.
    #[serde(default)]
    pub audit_query_seconds: i64,
    /// What a password that is set in the cloud does to a synchronized account.
    #[serde(default)]
    pub password_writeback: PasswordWriteback,
    /// Whether message traces can be read: the service's own principal is in the tenant.
    #[serde(default = "yes")]
    pub message_trace: bool,
    /// Whether security defaults are on, which refuses enabled Conditional Access policies.
    #[serde(default)]
    pub security_defaults: bool,
    /// How long Identity Protection takes until a confirmation or dismissal shows.
    #[serde(default)]
    pub risk_processing_seconds: i64,
}

/// What Graph reaches of a user's mailbox.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Mailbox {
    /// Whether it is reached at all.
    pub access: MailboxAccess,
    /// Its settings, over what a fresh mailbox has.
    pub settings: serde_json::Map<String, Value>,
    /// Its folders, beside the archive that every mailbox has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail_folders: Vec<Value>,
    /// Where an administrator has mail forwarded to: Graph shows none of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_smtp_address: Option<String>,
}

/// Whether Graph reaches a mailbox (identity.md 7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MailboxAccess {
    /// It does.
    #[default]
    Open,
    /// There is none in the cloud: not licensed, deleted, or on premises.
    None,
    /// An application access policy keeps apps out.
    Blocked,
}

/// An app registration with its service principal's grants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// The client id.
    pub app_id: String,
    /// Name on screens.
    pub display_name: String,
    /// Client secret, where it signs in by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// When the secret ends (real time); left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_expires: Option<jiff::Timestamp>,
    /// Certificate (PEM), where it signs in by an assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Whose statements it signs in by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub federated_credentials: Vec<FederatedCredential>,
    /// Whether it is a managed identity: the endpoints of 8.4 give its tokens.
    #[serde(default, skip_serializing_if = "is_no")]
    pub managed_identity: bool,
    /// Whether people may sign in to it without a credential of its own.
    #[serde(default, skip_serializing_if = "is_no")]
    pub public_client: bool,
    /// Where a browser may be sent back to; on this machine the port may be any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Delegated permissions of Microsoft Graph, consented to for everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegated_scopes: Vec<String>,
    /// Granted application permissions of Microsoft Graph.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Directory roles of the service principal, by display name.
    #[serde(default)]
    pub directory_roles: Vec<String>,
}

/// A trust in another issuer's statements.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedCredential {
    /// `iss` of the statement.
    pub issuer: String,
    /// `sub` of the statement.
    pub subject: String,
    /// `aud` of the statement; any one.
    #[serde(default = "token_exchange")]
    pub audiences: Vec<String>,
    /// The issuer's key: a certificate (PEM), or a JWK. Entra fetches it from the issuer.
    pub key: Value,
}

fn token_exchange() -> Vec<String> {
    vec!["api://AzureADTokenExchange".to_owned()]
}

/// What a password that is set in the cloud does to a synchronized account (identity.md 3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PasswordWriteback {
    /// It cannot be set there.
    #[default]
    Off,
    /// It is written back.
    On,
    /// It would be, but nobody answers on-premises.
    AgentDown,
    /// The company's own directory rejects it.
    PolicyRejects,
}

/// A password on its way to the company's own directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordOperation {
    /// Its id.
    pub id: String,
    /// Whose password.
    pub user_id: String,
    /// The password.
    pub password: String,
    /// When it began.
    pub created_at: jiff::Timestamp,
    /// When it ends; none: never.
    pub ends_at: Option<jiff::Timestamp>,
    /// Why it fails, where it does.
    pub failure: Option<String>,
    /// Whether it has ended.
    pub has_ended: bool,
}

/// A user's default second factor, as `signInPreferences` names kinds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DefaultMethod {
    /// A kind: push, oath, voiceMobile, voiceAlternateMobile, voiceOffice, sms.
    Kind(String),
    /// One registration of a kind.
    Registration {
        /// The kind.
        kind: String,
        /// The method's id.
        id: String,
    },
}

/// Somebody who holds ways into one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attacker {
    /// Name in the control path.
    pub name: String,
    /// The account that was taken over.
    pub user_id: String,
    /// User agent of the attacker's client.
    pub user_agent: String,
    /// Addresses the attacker comes from.
    #[serde(default)]
    pub ips: Vec<String>,
    /// Id of the stolen session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// When the stolen refresh token was issued; left out: none is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_issued_at: Option<jiff::Timestamp>,
    /// Which class the stolen session is of.
    #[serde(default)]
    pub session: SessionClass,
    /// Whether the current password is known.
    #[serde(default)]
    pub knows_password: bool,
    /// Registered methods in the attacker's hands.
    #[serde(default)]
    pub method_ids: Vec<String>,
    /// Delegated grants to the attacker's app.
    #[serde(default)]
    pub grant_ids: Vec<String>,
    /// Inbox rules that the attacker planted.
    #[serde(default)]
    pub rule_ids: Vec<String>,
    /// Device (object id) that the attacker registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// How the attacker's device looks at a sign-in.
    #[serde(default)]
    pub device: AttackerDevice,
    /// What was in hand when the tenant file was loaded; `Tenant::settle` notes it. It is no part of the file.
    #[serde(skip)]
    pub holdings: Option<crate::attacker::Holdings>,
}

/// What ends a stolen session (identity.md 3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionClass {
    /// Only revocation or disabling ends it.
    #[default]
    Other,
    /// A password reset ends it too.
    Password,
}

/// The attacker's device as Conditional Access sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AttackerDevice {
    /// Whether it claims to be compliant.
    pub is_compliant: bool,
    /// Whether it is registered in the tenant.
    pub is_registered: bool,
    /// Platform, as in a policy's `platforms`.
    pub platform: String,
}

impl Default for AttackerDevice {
    fn default() -> Self {
        Self { is_compliant: false, is_registered: false, platform: "windows".to_owned() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_no(value: &bool) -> bool {
    !value
}

fn yes() -> bool {
    true
}
