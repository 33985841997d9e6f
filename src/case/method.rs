//! Authentication methods, of every kind that Graph lists (identity.md 5.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::MethodId;

/// A kind of authentication method.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// The password: reset only, never deleted.
    Password,
    /// Microsoft Authenticator.
    Authenticator,
    /// Authenticator in the collection of phone sign-ins alone (beta, deprecated).
    PasswordlessAuthenticator,
    /// A code app (software OATH).
    CodeApp,
    /// A hardware OATH token (beta only).
    HardwareToken,
    /// A phone number.
    Phone,
    /// A passkey or FIDO2 key.
    Passkey,
    /// Windows Hello for Business.
    WindowsHello,
    /// A platform credential.
    PlatformCredential,
    /// An e-mail address for self-service reset.
    Email,
    /// A Temporary Access Pass.
    TemporaryAccessPass,
    /// An external method.
    External,
    /// A QR code with a PIN (beta only).
    QrCode,
    /// A kind that this version does not know, by its `@odata.type`.
    Unknown(String),
}

impl MethodKind {
    /// The kind of an `@odata.type`, with or without `#microsoft.graph.`.
    pub fn from_odata_type(text: &str) -> Self {
        match text.trim_start_matches('#').trim_start_matches("microsoft.graph.") {
            "passwordAuthenticationMethod" => Self::Password,
            "microsoftAuthenticatorAuthenticationMethod" => Self::Authenticator,
            "passwordlessMicrosoftAuthenticatorAuthenticationMethod" => Self::PasswordlessAuthenticator,
            "softwareOathAuthenticationMethod" => Self::CodeApp,
            "hardwareOathAuthenticationMethod" => Self::HardwareToken,
            "phoneAuthenticationMethod" => Self::Phone,
            "fido2AuthenticationMethod" => Self::Passkey,
            "windowsHelloForBusinessAuthenticationMethod" => Self::WindowsHello,
            "platformCredentialAuthenticationMethod" => Self::PlatformCredential,
            "emailAuthenticationMethod" => Self::Email,
            "temporaryAccessPassAuthenticationMethod" => Self::TemporaryAccessPass,
            "externalAuthenticationMethod" => Self::External,
            "qrCodePinAuthenticationMethod" => Self::QrCode,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The words for people.
    pub fn label(&self) -> &str {
        match self {
            Self::Password => "password",
            Self::Authenticator => "Authenticator",
            Self::PasswordlessAuthenticator => "passwordless Authenticator",
            Self::CodeApp => "code app",
            Self::HardwareToken => "hardware token",
            Self::Phone => "phone",
            Self::Passkey => "passkey",
            Self::WindowsHello => "Windows Hello",
            Self::PlatformCredential => "platform credential",
            Self::Email => "e-mail for reset",
            Self::TemporaryAccessPass => "Temporary Access Pass",
            Self::External => "external method",
            Self::QrCode => "QR code",
            Self::Unknown(odata_type) => odata_type,
        }
    }

    /// The collection under `/users/{id}/authentication/` that a method of this kind is deleted from, where it can be:
    /// the names follow no rule.
    pub fn collection(&self) -> Option<&'static str> {
        match self {
            Self::Authenticator => Some("microsoftAuthenticatorMethods"),
            Self::PasswordlessAuthenticator => Some("passwordlessMicrosoftAuthenticatorMethods"),
            Self::CodeApp => Some("softwareOathMethods"),
            Self::HardwareToken => Some("hardwareOathMethods"),
            Self::Phone => Some("phoneMethods"),
            Self::Passkey => Some("fido2Methods"),
            Self::WindowsHello => Some("windowsHelloForBusinessMethods"),
            Self::PlatformCredential => Some("platformCredentialMethods"),
            Self::Email => Some("emailMethods"),
            Self::TemporaryAccessPass => Some("temporaryAccessPassMethods"),
            Self::External => Some("externalAuthenticationMethods"),
            Self::QrCode => Some("qrCodePinMethod"),
            Self::Password | Self::Unknown(_) => None,
        }
    }

    /// Whether only beta has the collection.
    pub fn is_beta_only(&self) -> bool {
        matches!(self, Self::HardwareToken | Self::QrCode | Self::PasswordlessAuthenticator)
    }
}

/// One registered method. What a kind does not have is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthMethod {
    /// Opaque id.
    pub id: MethodId,
    /// What it is.
    pub kind: MethodKind,
    /// The name that its owner, or the intruder, gave it; for a phone its number. Show it inert.
    pub name: String,
    /// `deviceTag` of an Authenticator.
    pub device_tag: Option<String>,
    /// `phoneAppVersion` of an Authenticator.
    pub app_version: Option<String>,
    /// `phoneType` of a phone: mobile, alternateMobile, office.
    pub phone_type: Option<String>,
    /// When it was registered; usually unknown for an Authenticator.
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub created_at: Option<Timestamp>,
    /// When it was last used (beta).
    #[schemars(with = "Option<crate::domain::Moment>")]
    pub last_used_at: Option<Timestamp>,
}
