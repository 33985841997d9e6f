//! What an attacker had in hand when the tenant was loaded: a password that was known then, and what each method was
//! good for. Later the tenant alone no longer tells, since a password that was changed and a method that is gone look
//! like ones that were never there.

use serde_json::Value;

use crate::tenant::{Attacker, Tenant};

/// Ways that were in hand at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// The password that is known.
    pub password: Option<String>,
    /// When it was set, for accounts whose password the tenant file does not hold.
    pub password_set: Option<String>,
    /// Methods that sign in without a password.
    pub passwordless: Vec<String>,
    /// Methods that self-service reset takes.
    pub self_service: Vec<String>,
}

impl Holdings {
    /// Notes what an attacker has in hand now.
    pub(super) fn note(tenant: &Tenant, attacker: &Attacker) -> Self {
        let user = tenant.user(&attacker.user_id);
        let methods = tenant.authentication_methods.get(&attacker.user_id).map_or(&[][..], Vec::as_slice);
        let own = |good: &dyn Fn(&Value) -> bool| -> Vec<String> {
            let held =
                methods.iter().filter(|method| attacker.method_ids.iter().any(|id| id == text(method, "id")));
            held.filter(|method| good(method)).map(|method| text(method, "id").to_owned()).collect()
        };
        Self {
            password: tenant.passwords.get(&attacker.user_id).cloned(),
            password_set: user.map(|user| text(user, "lastPasswordChangeDateTime").to_owned()),
            passwordless: own(&is_passwordless),
            self_service: own(&resets_passwords),
        }
    }
}

impl Tenant {
    /// Notes what each attacker has in hand. To be called once, when a tenant file has been loaded.
    pub fn settle(&mut self) {
        let noted: Vec<Holdings> =
            self.attackers.iter().map(|attacker| Holdings::note(self, attacker)).collect();
        for (attacker, holdings) in self.attackers.iter_mut().zip(noted) {
            attacker.holdings = Some(holdings);
        }
    }
}

fn kind(method: &Value) -> &str {
    text(method, "@odata.type")
        .trim_start_matches("#microsoft.graph.")
        .trim_end_matches("AuthenticationMethod")
}

/// Whether a method is a second factor beside the password.
pub(super) fn is_second_factor(method: &Value) -> bool {
    !matches!(kind(method), "password" | "email" | "qrCodePin" | "federatedIdentityCredential")
}

/// Whether a method signs in alone. An Authenticator does where phone sign-in is on, which its date betrays.
pub(super) fn is_passwordless(method: &Value) -> bool {
    match kind(method) {
        "microsoftAuthenticator" => method.get("createdDateTime").is_some_and(Value::is_string),
        "passwordlessMicrosoftAuthenticator"
        | "fido2"
        | "windowsHelloForBusiness"
        | "platformCredential"
        | "temporaryAccessPass" => true,
        _ => false,
    }
}

/// Whether a method resists phishing.
pub(super) fn is_phishing_resistant(method: &Value) -> bool {
    matches!(kind(method), "fido2" | "windowsHelloForBusiness" | "platformCredential")
}

/// Whether self-service reset takes a method.
pub(super) fn resets_passwords(method: &Value) -> bool {
    matches!(
        kind(method),
        "microsoftAuthenticator"
            | "passwordlessMicrosoftAuthenticator"
            | "softwareOath"
            | "hardwareOath"
            | "phone"
            | "email"
    )
}

pub(super) fn text<'a>(value: &'a Value, property: &str) -> &'a str {
    value.get(property).and_then(Value::as_str).unwrap_or_default()
}
