//! The kinds of authentication methods: type, collection, permission (identity.md 5.2).

/// One kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `@odata.type` without `#microsoft.graph.`.
    pub odata_type: &'static str,
    /// Collection under `/users/{id}/authentication/`.
    pub collection: &'static str,
    /// The kind in `UserAuthMethod-<Kind>`.
    pub permission: &'static str,
    /// Whether only beta knows it.
    pub beta_only: bool,
    /// Whether it can be deleted.
    pub deletable: bool,
    /// The word of `signInPreferences`, where it can be the default.
    pub preference: Option<&'static str>,
}

const fn kind(odata_type: &'static str, collection: &'static str, permission: &'static str) -> Kind {
    Kind { odata_type, collection, permission, beta_only: false, deletable: true, preference: None }
}

/// Every kind.
pub const KINDS: &[Kind] = &[
    Kind { deletable: false, ..kind("passwordAuthenticationMethod", "passwordMethods", "Password") },
    Kind {
        preference: Some("push"),
        ..kind(
            "microsoftAuthenticatorAuthenticationMethod",
            "microsoftAuthenticatorMethods",
            "MicrosoftAuthApp",
        )
    },
    Kind {
        beta_only: true,
        ..kind(
            "passwordlessMicrosoftAuthenticatorAuthenticationMethod",
            "passwordlessMicrosoftAuthenticatorMethods",
            "MicrosoftAuthApp",
        )
    },
    Kind {
        preference: Some("oath"),
        ..kind("softwareOathAuthenticationMethod", "softwareOathMethods", "SoftwareOATH")
    },
    Kind {
        beta_only: true,
        preference: Some("oath"),
        ..kind("hardwareOathAuthenticationMethod", "hardwareOathMethods", "HardwareOATH")
    },
    Kind { preference: Some("sms"), ..kind("phoneAuthenticationMethod", "phoneMethods", "Phone") },
    kind("fido2AuthenticationMethod", "fido2Methods", "Passkey"),
    kind("windowsHelloForBusinessAuthenticationMethod", "windowsHelloForBusinessMethods", "WindowsHello"),
    kind("platformCredentialAuthenticationMethod", "platformCredentialMethods", "PlatformCred"),
    kind("emailAuthenticationMethod", "emailMethods", "Email"),
    kind("temporaryAccessPassAuthenticationMethod", "temporaryAccessPassMethods", "TAP"),
    kind("externalAuthenticationMethod", "externalAuthenticationMethods", "External"),
    Kind { beta_only: true, ..kind("qrCodePinAuthenticationMethod", "qrCodePinMethod", "QR") },
];

/// The kind of an `@odata.type`, with or without its namespace.
#[must_use]
pub fn of_type(odata_type: &str) -> Option<&'static Kind> {
    let name = odata_type.trim_start_matches("#microsoft.graph.");
    KINDS.iter().find(|kind| kind.odata_type == name)
}

/// The kind of a collection.
#[must_use]
pub fn of_collection(collection: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.collection.eq_ignore_ascii_case(collection))
}

/// The kind in the permission of a collection.
#[must_use]
pub fn permission_kind(collection: &str) -> Option<&'static str> {
    of_collection(collection).map(|kind| kind.permission)
}
