//! Policies and named locations as Graph has them (policy-logs-auth.md 1.2, 2.2), as far as we reason about them.
//! Unknown fields are ignored, `raw` keeps the whole.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::{CidrBlock, NamedLocationId, PolicyId};

/// State of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyState {
    /// It is enforced.
    Enabled,
    /// It does nothing.
    Disabled,
    /// It is evaluated and logged, not enforced.
    ReportOnly,
    /// A state that this version does not know.
    Unknown(String),
}

impl PolicyState {
    /// The state of Graph's word.
    pub fn from_graph(text: &str) -> Self {
        match text {
            "enabled" => Self::Enabled,
            "disabled" => Self::Disabled,
            "enabledForReportingButNotEnforced" => Self::ReportOnly,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Graph's word.
    pub fn as_graph(&self) -> &str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::ReportOnly => "enabledForReportingButNotEnforced",
            Self::Unknown(text) => text,
        }
    }
}

impl<'de> Deserialize<'de> for PolicyState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::from_graph(&text))
    }
}

/// A null or absent value becomes the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A policy.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalAccessPolicy {
    /// Id.
    pub id: PolicyId,
    /// Name on screens: show it inert. Two policies may share one.
    pub display_name: String,
    /// State.
    pub state: PolicyState,
    /// When a sign-in is meant.
    pub conditions: Conditions,
    /// What it asks for.
    pub grant_controls: Option<GrantControls>,
    /// Session controls as they came; `secureSignInSession` is token protection.
    pub session_controls: Option<Value>,
    /// The whole object as it came, for comparing and for undo.
    pub raw: Value,
}

impl ConditionalAccessPolicy {
    /// Reads a policy from Graph's JSON.
    ///
    /// # Errors
    /// When what we reason about is missing or of another shape.
    pub fn from_graph(raw: Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            id: PolicyId,
            #[serde(default, deserialize_with = "or_default")]
            display_name: String,
            state: PolicyState,
            #[serde(default, deserialize_with = "or_default")]
            conditions: Conditions,
            grant_controls: Option<GrantControls>,
            session_controls: Option<Value>,
        }
        let wire: Wire = serde_json::from_value(raw.clone())?;
        Ok(Self {
            id: wire.id,
            display_name: wire.display_name,
            state: wire.state,
            conditions: wire.conditions,
            grant_controls: wire.grant_controls,
            session_controls: wire.session_controls,
            raw,
        })
    }

    /// Whether it requires token protection.
    pub fn protects_tokens(&self) -> bool {
        self.session_controls
            .as_ref()
            .and_then(|controls| controls.pointer("/secureSignInSession/isEnabled"))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }
}

/// Conditions of a policy; an absent list is empty, and empty means "not restricted" except for users and apps.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conditions {
    /// Kinds of client.
    #[serde(deserialize_with = "or_default")]
    pub client_app_types: Vec<String>,
    /// Apps, user actions, authentication contexts.
    #[serde(deserialize_with = "or_default")]
    pub applications: Applications,
    /// Users, groups, roles.
    #[serde(deserialize_with = "or_default")]
    pub users: Users,
    /// Locations; `None` means any.
    pub locations: Option<Locations>,
    /// Platforms; `None` means any.
    pub platforms: Option<Platforms>,
    /// Device filter as it came.
    pub devices: Option<Value>,
    /// User risk levels.
    #[serde(deserialize_with = "or_default")]
    pub user_risk_levels: Vec<String>,
    /// Sign-in risk levels.
    #[serde(deserialize_with = "or_default")]
    pub sign_in_risk_levels: Vec<String>,
    /// Workload identities as they came.
    pub client_applications: Option<Value>,
    /// Authentication flows as they came.
    pub authentication_flows: Option<Value>,
    /// Insider risk levels as they came.
    pub insider_risk_levels: Option<Value>,
}

/// Which apps or actions are meant.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Applications {
    /// App ids, `All`, `None`, `Office365`, `MicrosoftAdminPortals`.
    #[serde(deserialize_with = "or_default")]
    pub include_applications: Vec<String>,
    /// App ids left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_applications: Vec<String>,
    /// User actions, such as `urn:user:registersecurityinfo`.
    #[serde(deserialize_with = "or_default")]
    pub include_user_actions: Vec<String>,
    /// Authentication contexts.
    #[serde(deserialize_with = "or_default")]
    pub include_authentication_context_class_references: Vec<String>,
    /// App filter as it came.
    pub application_filter: Option<Value>,
}

/// Which users are meant; exclusion wins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Users {
    /// Object ids, `All`, `None`, `GuestsOrExternalUsers`.
    #[serde(deserialize_with = "or_default")]
    pub include_users: Vec<String>,
    /// Object ids left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_users: Vec<String>,
    /// Group ids.
    #[serde(deserialize_with = "or_default")]
    pub include_groups: Vec<String>,
    /// Group ids left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_groups: Vec<String>,
    /// Role template ids.
    #[serde(deserialize_with = "or_default")]
    pub include_roles: Vec<String>,
    /// Role template ids left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_roles: Vec<String>,
    /// Guests as they came.
    pub include_guests_or_external_users: Option<Value>,
    /// Guests left out, as they came.
    pub exclude_guests_or_external_users: Option<Value>,
}

/// Which locations are meant; exclusion wins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Locations {
    /// Ids, `All`, `AllTrusted`.
    #[serde(deserialize_with = "or_default")]
    pub include_locations: Vec<String>,
    /// Ids left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_locations: Vec<String>,
}

/// Which platforms are meant; exclusion wins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Platforms {
    /// `windows`, `macOS`, `iOS`, `android`, `linux`, `windowsPhone`, `all`.
    #[serde(deserialize_with = "or_default")]
    pub include_platforms: Vec<String>,
    /// The same, left out.
    #[serde(deserialize_with = "or_default")]
    pub exclude_platforms: Vec<String>,
}

/// What a policy asks for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrantControls {
    /// `AND` or `OR`.
    #[serde(deserialize_with = "or_default")]
    pub operator: String,
    /// `block`, `mfa`, `compliantDevice`, `domainJoinedDevice`, …
    #[serde(deserialize_with = "or_default")]
    pub built_in_controls: Vec<String>,
    /// Authentication strength as it came.
    pub authentication_strength: Option<Value>,
}

impl GrantControls {
    /// Whether it blocks.
    pub fn blocks(&self) -> bool {
        self.built_in_controls.iter().any(|control| control == "block")
    }
}

/// One range of a named location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpRange {
    /// The text as the tenant has it.
    pub text: String,
    /// The network it means, host bits masked; `None` where the text is no range.
    pub block: Option<CidrBlock>,
}

/// A named location.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedLocation {
    /// Id.
    pub id: NamedLocationId,
    /// Name on screens: show it inert. Two locations may share one.
    pub display_name: String,
    /// Whether it is a list of IP ranges (and not of countries).
    pub is_ip: bool,
    /// Whether it is trusted.
    pub is_trusted: bool,
    /// Its ranges, in order.
    pub ranges: Vec<IpRange>,
    /// `modifiedDateTime` as it came.
    pub modified_at: Option<String>,
    /// The whole object as it came.
    pub raw: Value,
}

impl NamedLocation {
    /// Reads a location from Graph's JSON.
    ///
    /// # Errors
    /// When what we reason about is missing or of another shape.
    pub fn from_graph(raw: Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(rename = "@odata.type", default)]
            odata_type: String,
            id: NamedLocationId,
            #[serde(default, deserialize_with = "or_default")]
            display_name: String,
            #[serde(default, deserialize_with = "or_default")]
            is_trusted: bool,
            #[serde(default, deserialize_with = "or_default")]
            ip_ranges: Vec<WireRange>,
            modified_date_time: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct WireRange {
            #[serde(default, deserialize_with = "or_default")]
            cidr_address: String,
        }
        let wire: Wire = serde_json::from_value(raw.clone())?;
        let ranges = wire
            .ip_ranges
            .into_iter()
            .map(|range| IpRange {
                block: CidrBlock::parse_masking(&range.cidr_address).ok().map(|(block, _)| block),
                text: range.cidr_address,
            })
            .collect();
        Ok(Self {
            id: wire.id,
            display_name: wire.display_name,
            is_ip: wire.odata_type.to_ascii_lowercase().ends_with("ipnamedlocation"),
            is_trusted: wire.is_trusted,
            ranges,
            modified_at: wire.modified_date_time,
            raw,
        })
    }

    /// Whether the address lies in one of its ranges.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        self.ranges.iter().filter_map(|range| range.block).any(|block| block.contains(address))
    }
}
