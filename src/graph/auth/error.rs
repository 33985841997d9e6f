//! Why there is no token, by what the operator does next.

use std::path::PathBuf;

use super::certificate::CertificateError;
use super::entra::EntraRefusal;
use crate::transport::TransportError;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The secret is not the app's.
    #[error("the client secret of app `{client_id}` is wrong")]
    WrongSecret {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The secret was the app's once.
    #[error("the client secret of app `{client_id}` has expired")]
    ExpiredSecret {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// No secret reached Entra.
    #[error("no credential of app `{client_id}` reached Entra")]
    MissingCredential {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The certificate is not the app's.
    #[error("the certificate of app `{client_id}` is not accepted")]
    WrongCertificate {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// Our clock is not Entra's.
    #[error("Entra does not accept our time")]
    Clock {
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The tenant has no such app.
    #[error("tenant `{tenant}` has no app `{client_id}`")]
    AppNotFound {
        /// App.
        client_id: String,
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The app is switched off.
    #[error("app `{client_id}` is disabled")]
    AppDisabled {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// There is no such tenant.
    #[error("there is no tenant `{tenant}`")]
    TenantNotFound {
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The tenant is in another cloud.
    #[error("tenant `{tenant}` is in another cloud")]
    OtherCloud {
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The resource that the token is for is not there.
    #[error("tenant `{tenant}` gives no token for `{scope}`")]
    WrongScope {
        /// Tenant.
        tenant: String,
        /// The scope.
        scope: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// A Conditional Access policy stops our own sign-in.
    #[error("a policy of tenant `{tenant}` stops app `{client_id}` from signing in")]
    BlockedByPolicy {
        /// App.
        client_id: String,
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// Entra does not trust the other provider's token for this app.
    #[error("no federated credential of app `{client_id}` fits the token that was offered")]
    NotFederated {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The file of the federated token cannot be used.
    #[error("the federated token file `{}` cannot be used", path.display())]
    FederatedToken {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: std::io::Error,
    },
    /// The certificate's key did not sign.
    #[error(transparent)]
    Unsigned(CertificateError),
    /// Nobody answers where managed identities get their tokens.
    #[error("no endpoint for managed identities answers here")]
    NoIdentityEndpoint {
        /// What failed.
        #[source]
        source: TransportError,
    },
    /// The machine has no such identity.
    #[error("this machine has no managed identity `{client_id}` that may sign in (status {status})")]
    NoSuchIdentity {
        /// The identity's client id, or `system-assigned`.
        client_id: String,
        /// Status of the answer.
        status: u16,
    },
    /// Another refusal.
    #[error("app `{client_id}` got no token")]
    Refused {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The person declined.
    #[error("the sign-in to app `{client_id}` was declined")]
    CodeDeclined {
        /// App.
        client_id: String,
    },
    /// Nobody signed in while the code was good.
    #[error("the code to sign in to app `{client_id}` ran out before anybody used it")]
    CodeExpired {
        /// App.
        client_id: String,
    },
    /// The app wants a credential of its own, which a person has not.
    #[error("app `{client_id}` lets nobody sign in without a credential of its own")]
    NotPublic {
        /// App.
        client_id: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// Nobody has consented to the app on people's behalf.
    #[error("nobody has consented to app `{client_id}` for people of tenant `{tenant}`")]
    NoConsent {
        /// App.
        client_id: String,
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// A Conditional Access policy stops the person.
    #[error("a policy of tenant `{tenant}` stops your sign-in by a code")]
    PersonBlocked {
        /// Tenant.
        tenant: String,
        /// What Entra said.
        #[source]
        refusal: Box<EntraRefusal>,
    },
    /// The person's account may have no tokens any more.
    #[error("your session has ended: it was revoked, your password changed, or your account is disabled")]
    SessionEnded {
        /// What Entra said; `None` where it gave nothing to renew the session with.
        #[source]
        refusal: Option<Box<EntraRefusal>>,
    },
    /// Our own session was revoked: a new token with what Graph asked for was not accepted either.
    #[error("the session of app `{client_id}` was revoked or blocked")]
    SessionRevoked {
        /// App.
        client_id: String,
    },
    /// Entra was too busy for as long as we had.
    #[error("the token endpoint of `{tenant}` was busy until the deadline")]
    Throttled {
        /// Tenant.
        tenant: String,
    },
    /// Entra failed.
    #[error("the token endpoint of `{tenant}` failed with {status}")]
    Unavailable {
        /// Tenant.
        tenant: String,
        /// Status.
        status: u16,
    },
    /// No answer came.
    #[error("the token endpoint of `{tenant}` gave no answer")]
    NoAnswer {
        /// Tenant.
        tenant: String,
        /// What failed.
        #[source]
        source: TransportError,
    },
    /// The answer makes no sense.
    #[error("the answer of the token endpoint of `{tenant}` is {what}")]
    Malformed {
        /// Tenant.
        tenant: String,
        /// What it is instead.
        what: &'static str,
    },
    /// The address of the token endpoint is none.
    #[error("`{authority}` is no address of a sign-in authority")]
    Authority {
        /// The text.
        authority: String,
    },
    /// The token says nothing of this.
    #[error("the access token of app `{client_id}` has no readable `{claim}`")]
    Claim {
        /// App.
        client_id: String,
        /// The claim.
        claim: &'static str,
    },
}

impl AuthError {
    /// Sorts a refusal; the numbers decide only about the hint, so an unknown one is still told.
    pub(super) fn from_refusal(refusal: EntraRefusal, client_id: &str, tenant: &str, scope: &str) -> Self {
        let has = |codes: &[u64]| codes.iter().any(|code| refusal.has(*code));
        let (client_id, tenant) = (client_id.to_owned(), tenant.to_owned());
        if has(&[7_000_215]) {
            Self::WrongSecret { client_id, refusal: Box::new(refusal) }
        } else if has(&[7_000_222]) {
            Self::ExpiredSecret { client_id, refusal: Box::new(refusal) }
        } else if has(&[7_000_218]) {
            Self::MissingCredential { client_id, refusal: Box::new(refusal) }
        } else if has(&[700_024, 50_027]) {
            Self::Clock { refusal: Box::new(refusal) }
        } else if has(&[700_027, 50_012]) {
            Self::WrongCertificate { client_id, refusal: Box::new(refusal) }
        } else if has(&[70_021, 700_211, 700_212, 700_213, 700_229]) {
            Self::NotFederated { client_id, refusal: Box::new(refusal) }
        } else if has(&[700_016]) {
            Self::AppNotFound { client_id, tenant, refusal: Box::new(refusal) }
        } else if has(&[7_000_112, 70_001]) {
            Self::AppDisabled { client_id, refusal: Box::new(refusal) }
        } else if has(&[90_002]) {
            Self::TenantNotFound { tenant, refusal: Box::new(refusal) }
        } else if has(&[90_038]) {
            Self::OtherCloud { tenant, refusal: Box::new(refusal) }
        } else if has(&[500_011, 650_057, 70_011]) {
            Self::WrongScope { tenant, scope: scope.to_owned(), refusal: Box::new(refusal) }
        } else if has(&[53_000, 53_001, 53_003, 530_031, 530_032]) {
            Self::BlockedByPolicy { client_id, tenant, refusal: Box::new(refusal) }
        } else {
            Self::Refused { client_id, refusal: Box::new(refusal) }
        }
    }

    /// Sorts a refusal of a person's sign-in: what is a fault of the app's credential is none here.
    pub(super) fn of_person(refusal: EntraRefusal, client_id: &str, tenant: &str, scope: &str) -> Self {
        let has = |codes: &[u64]| codes.iter().any(|code| refusal.has(*code));
        let (client, tenant_id) = (client_id.to_owned(), tenant.to_owned());
        if has(&[7_000_218]) {
            Self::NotPublic { client_id: client, refusal: Box::new(refusal) }
        } else if has(&[65_001, 90_094]) {
            Self::NoConsent { client_id: client, tenant: tenant_id, refusal: Box::new(refusal) }
        } else if has(&[53_000, 53_001, 53_003, 530_031, 530_032, 530_035, 50_074, 50_076, 50_097]) {
            Self::PersonBlocked { tenant: tenant_id, refusal: Box::new(refusal) }
        } else if has(&[50_057, 50_132, 50_133, 50_173, 70_043, 700_082]) {
            Self::SessionEnded { refusal: Some(Box::new(refusal)) }
        } else {
            Self::from_refusal(refusal, client_id, tenant, scope)
        }
    }

    /// Whether it may go well later, with nothing changed.
    pub fn is_transient(&self) -> bool {
        match self {
            // Asked again, whoever answers there shows the same certificate.
            Self::NoAnswer { source, .. } => !matches!(source, TransportError::Untrusted { .. }),
            Self::Throttled { .. } | Self::Unavailable { .. } | Self::Malformed { .. } => true,
            _ => false,
        }
    }

    /// A word for it that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongSecret { .. } => "sign_in_wrong_secret",
            Self::ExpiredSecret { .. } => "sign_in_expired_secret",
            Self::MissingCredential { .. } => "sign_in_missing_credential",
            Self::WrongCertificate { .. } => "sign_in_wrong_certificate",
            Self::Clock { .. } => "sign_in_clock",
            Self::AppNotFound { .. } => "sign_in_app_not_found",
            Self::AppDisabled { .. } => "sign_in_app_disabled",
            Self::TenantNotFound { .. } => "sign_in_tenant_not_found",
            Self::OtherCloud { .. } => "sign_in_other_cloud",
            Self::WrongScope { .. } => "sign_in_wrong_scope",
            Self::BlockedByPolicy { .. } => "sign_in_blocked_by_policy",
            Self::NotFederated { .. } => "sign_in_not_federated",
            Self::FederatedToken { .. } => "sign_in_federated_token",
            Self::Unsigned(error) => error.code(),
            Self::NoIdentityEndpoint { .. } => "sign_in_no_identity_endpoint",
            Self::NoSuchIdentity { .. } => "sign_in_no_such_identity",
            Self::Refused { .. } => "sign_in_refused",
            Self::SessionRevoked { .. } => "sign_in_session_revoked",
            Self::CodeDeclined { .. } => "sign_in_declined",
            Self::CodeExpired { .. } => "sign_in_code_expired",
            Self::NotPublic { .. } => "sign_in_not_public",
            Self::NoConsent { .. } => "sign_in_no_consent",
            Self::PersonBlocked { .. } => "sign_in_person_blocked",
            Self::SessionEnded { .. } => "sign_in_session_ended",
            Self::Throttled { .. } => "sign_in_throttled",
            Self::Unavailable { .. } => "sign_in_unavailable",
            Self::NoAnswer { .. } => "sign_in_no_answer",
            Self::Malformed { .. } => "sign_in_malformed",
            Self::Authority { .. } => "sign_in_authority",
            Self::Claim { .. } => "sign_in_claim",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::WrongSecret { .. } => {
                "set `AZURE_CLIENT_SECRET` (of the observer: `STANCH_OBSERVER_CLIENT_SECRET`) to the secret's value, not the secret ID; the portal shows the value only once"
            }
            Self::ExpiredSecret { .. } => {
                "make a new client secret for the app, and set `AZURE_CLIENT_SECRET` (of the observer: `STANCH_OBSERVER_CLIENT_SECRET`) to its value"
            }
            Self::MissingCredential { .. } => {
                "set `AZURE_CLIENT_CERTIFICATE_PATH`, or another way to sign in: `stanch setup` names them"
            }
            Self::NotFederated { .. } => {
                "compare issuer, subject and audience of the token with the app's federated credentials: they must be equal to the letter"
            }
            Self::FederatedToken { .. } => {
                "check `AZURE_FEDERATED_TOKEN_FILE`: the platform writes a token there, and renews it"
            }
            Self::NoIdentityEndpoint { .. } => {
                "`AZURE_MANAGED_IDENTITY` works on a machine of Azure's only: elsewhere use `AZURE_CLIENT_CERTIFICATE_PATH`"
            }
            Self::NoSuchIdentity { .. } => {
                "assign the identity to this machine, or set `AZURE_CLIENT_ID` to the one that is"
            }
            Self::Unsigned(error) => return error.hint(),
            Self::WrongCertificate { .. } => {
                "upload the certificate to the app registration, or use the one that is there"
            }
            Self::Clock { .. } => "check the clock of this machine",
            Self::AppNotFound { .. } => {
                "check `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` (of the observer: `STANCH_OBSERVER_CLIENT_ID`): another tenant, or the app was not consented to there"
            }
            Self::AppDisabled { .. } => {
                "find out who disabled it before enabling it again: it may have been the intruder"
            }
            Self::TenantNotFound { .. } => {
                "check `AZURE_TENANT_ID` or `--tenant`, and `cloud` in stanch.toml for a national cloud"
            }
            Self::OtherCloud { .. } => {
                "set `cloud` in stanch.toml to the tenant's: global, us-gov, us-gov-dod or china"
            }
            Self::WrongScope { .. } => {
                "check `STANCH_GRAPH_URL`: it must be Graph's address in the tenant's cloud"
            }
            Self::BlockedByPolicy { .. } => {
                "leave the app out of the Conditional Access policy for workload identities, or run from an allowed place"
            }
            Self::SessionRevoked { .. } => {
                "find out who disabled or blocked the app: it may have been the intruder"
            }
            Self::CodeDeclined { .. } => {
                "if it was you, begin again; if it was not, somebody else has the code"
            }
            Self::CodeExpired { .. } => "begin again, and type the code at once",
            Self::NotPublic { .. } => {
                "allow public client flows: App registrations, the app, Authentication; or name an app that allows them with `operator.client_id` in stanch.toml"
            }
            Self::NoConsent { .. } => {
                "an administrator consents to the app's delegated permissions: App registrations, the app, API permissions, Grant admin consent"
            }
            Self::PersonBlocked { .. } => {
                "sign-in by a code is blocked in many tenants, and rightly: ask who may allow it for you and for now, or do the steps by hand"
            }
            Self::SessionEnded { .. } => {
                "begin again; if you did not change anything yourself, find out who did: your own account may be under attack"
            }
            Self::Throttled { .. } | Self::Unavailable { .. } => "try again in some minutes",
            Self::NoAnswer { source, .. } => {
                source.hint().unwrap_or("check the network, the proxy and `AZURE_AUTHORITY_HOST`")
            }
            Self::Malformed { .. } => "something between us and Entra may change answers: check the proxy",
            Self::Authority { .. } => {
                "set `AZURE_AUTHORITY_HOST` to such as https://login.microsoftonline.com"
            }
            Self::Claim { claim: "roles", .. } => {
                "an administrator has to grant the app its permissions and consent to them: `stanch setup` prints the lines"
            }
            Self::Claim { .. } => "check that `AZURE_AUTHORITY_HOST` is Entra's",
            Self::Refused { .. } => {
                "look up the AADSTS number at https://login.microsoftonline.com/error, or search the sign-in log for the trace"
            }
        };
        Some(hint.to_owned())
    }
}
