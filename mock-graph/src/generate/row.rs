//! A row of the sign-in log, with every field that beta's rows have.

use serde_json::{Value, json};

use super::chance::Chance;
use super::client::{Agent, App, Device};
use super::moment::Moment;
use super::network::Line;
use super::person::Person;

/// How whoever it was proved to be the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Silently, by a token that carries the claim.
    Claim,
    /// The same with a page that showed.
    ClaimOnPage,
    /// Password and a prompt that somebody said yes to.
    PasswordAndPush,
    /// Password and a code of an app.
    PasswordAndCode,
    /// Password alone.
    Password,
    /// Silently, by a token that carries the password alone.
    PasswordClaim,
    /// A wrong password.
    WrongPassword,
    /// The right password, and a prompt that was declined.
    Declined,
    /// The right password, and a prompt that nobody answered.
    Unanswered,
}

impl Proof {
    const fn is_interactive(self) -> bool {
        !matches!(self, Self::Claim | Self::PasswordClaim)
    }

    const fn is_multifactor(self) -> bool {
        !matches!(self, Self::Password | Self::PasswordClaim | Self::WrongPassword)
    }

    const fn error(self) -> (u32, &'static str) {
        match self {
            Self::WrongPassword => {
                (50126, "Error validating credentials due to invalid username or password.")
            }
            Self::Declined | Self::Unanswered => {
                (500_121, "Authentication failed during strong authentication request.")
            }
            _ => (0, "Other."),
        }
    }

    /// Method, its detail, outcome and words of each step.
    fn steps(self) -> Vec<(&'static str, &'static str, bool, &'static str)> {
        const CLAIM: (&str, &str, bool, &str) =
            ("Previously satisfied", "", true, "MFA requirement satisfied by claim in the token");
        const FIRST: (&str, &str, bool, &str) =
            ("Previously satisfied", "", true, "First factor requirement satisfied by claim in the token");
        const PASSWORD: (&str, &str, bool, &str) =
            ("Password", "Password in the cloud", true, "Correct password");
        match self {
            Self::Claim => vec![CLAIM],
            Self::ClaimOnPage => vec![FIRST, CLAIM],
            Self::PasswordAndPush => {
                vec![PASSWORD, ("Mobile app notification", "", true, "MFA completed in Azure AD")]
            }
            Self::PasswordAndCode => {
                vec![PASSWORD, ("OATH verification code", "", true, "MFA completed in Azure AD")]
            }
            Self::Password => vec![PASSWORD],
            Self::PasswordClaim => vec![FIRST],
            Self::WrongPassword => {
                vec![("Password", "Password in the cloud", false, "Invalid username or password")]
            }
            Self::Declined => vec![
                PASSWORD,
                ("Mobile app notification", "", false, "MFA denied; user declined the authentication"),
            ],
            Self::Unanswered => vec![
                PASSWORD,
                (
                    "Mobile app notification",
                    "",
                    false,
                    "MFA denied; user did not respond to mobile app notification",
                ),
            ],
        }
    }
}

/// What the tenant adds to every row.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) tenant: String,
    pub(super) policy: String,
    /// Address and name of the trusted location.
    pub(super) office: (String, &'static str),
    /// Whether Identity Protection's findings show.
    pub(super) shows_risk: bool,
}

/// The policy that asks for a second factor.
pub(super) const POLICY: &str = "Require MFA for all users";

/// One sign-in.
#[derive(Clone, Debug)]
pub(super) struct SignIn<'a> {
    pub(super) at: Moment,
    pub(super) person: &'a Person,
    pub(super) line: &'a Line,
    pub(super) agent: &'a Agent,
    pub(super) device: Option<&'a Device>,
    pub(super) app: App,
    pub(super) session: &'a str,
    pub(super) proof: Proof,
    /// What Identity Protection makes of it: level and kind.
    pub(super) risk: Option<(&'static str, &'static str)>,
}

impl SignIn<'_> {
    /// The row.
    pub(super) fn row(&self, ground: &Ground, chance: &mut Chance) -> Value {
        let mut row = self.who_and_what(ground, chance);
        if let (Value::Object(row), Value::Object(rest)) = (&mut row, self.outcome(ground)) {
            row.extend(rest);
        }
        row
    }

    fn who_and_what(&self, ground: &Ground, chance: &mut Chance) -> Value {
        let id = chance.guid();
        let interactive = self.proof.is_interactive();
        let incoming = match (interactive, self.device) {
            (_, Some(_)) => "primaryRefreshToken",
            (false, None) => "refreshToken",
            (true, None) => "none",
        };
        json!({
            "id": id, "createdDateTime": self.at.text(), "userId": self.person.id,
            "userDisplayName": self.person.name(), "userPrincipalName": self.person.upn, "userType": "member",
            "appId": self.app.id, "appDisplayName": self.app.name, "resourceId": self.app.resource_id,
            "resourceDisplayName": self.app.resource, "ipAddress": self.line.ip, "ipAddressFromResourceProvider": null,
            "autonomousSystemNumber": self.line.asn, "userAgent": self.agent.text,
            "clientAppUsed": if self.app.is_browser { "Browser" } else { "Mobile Apps and Desktop clients" },
            "isInteractive": interactive,
            "signInEventTypes": [if interactive { "interactiveUser" } else { "nonInteractiveUser" }],
            "correlationId": chance.guid(), "originalRequestId": id, "uniqueTokenIdentifier": chance.opaque(22),
            "sessionId": self.session, "authenticationProtocol": "none", "incomingTokenType": incoming,
            "originalTransferMethod": "none", "homeTenantId": ground.tenant, "homeTenantName": "",
            "resourceTenantId": ground.tenant, "crossTenantAccessType": "none", "tokenIssuerType": "AzureAD",
            "isTenantRestricted": false, "flaggedForReview": false, "location": self.line.location(),
        })
    }

    fn outcome(&self, ground: &Ground) -> Value {
        let (code, reason) = self.proof.error();
        let moment = self.at.text();
        let steps: Vec<Value> = self
            .proof
            .steps()
            .into_iter()
            .map(|(method, detail, succeeded, words)| {
                json!({
                    "authenticationStepDateTime": moment, "authenticationMethod": method,
                    "authenticationMethodDetail": detail, "succeeded": succeeded,
                    "authenticationStepResultDetail": words, "authenticationStepRequirement": ""
                })
            })
            .collect();
        let last = self.proof.steps().last().map_or("", |step| step.3);
        let (policy, controls, verdict) = if self.proof == Proof::WrongPassword {
            // Conditional Access comes after the first factor.
            (json!([]), Vec::new(), "notApplied")
        } else if self.person.is_exempt {
            (
                json!([{ "id": ground.policy, "displayName": POLICY, "result": "notApplied",
                "enforcedGrantControls": [], "enforcedSessionControls": [] }]),
                Vec::new(),
                "notApplied",
            )
        } else {
            let result = if code == 0 { "success" } else { "failure" };
            let applied = json!([{ "id": ground.policy, "displayName": POLICY, "result": result,
                "enforcedGrantControls": ["Mfa"], "enforcedSessionControls": [] }]);
            let asked = vec![
                json!({ "requirementProvider": "multiConditionalAccess", "detail": "Conditional Access" }),
            ];
            (applied, asked, result)
        };
        let (level, kind) = self.risk.unwrap_or(("none", ""));
        let level = if self.risk.is_some() && !ground.shows_risk { "hidden" } else { level };
        let kinds = if kind.is_empty() || !ground.shows_risk { json!([]) } else { json!([kind]) };
        let at_office = self.line.ip == ground.office.0;
        json!({
            "riskDetail": "none", "riskLevelAggregated": level, "riskLevelDuringSignIn": level,
            "riskState": if self.risk.is_some() && ground.shows_risk { "atRisk" } else { "none" },
            "riskEventTypes_v2": kinds, "conditionalAccessStatus": verdict,
            "authenticationRequirement": if self.proof.is_multifactor() { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
            "authenticationRequirementPolicies": controls, "authenticationDetails": steps,
            "status": { "errorCode": code, "failureReason": reason, "additionalDetails": last },
            "deviceDetail": self.device.map_or_else(|| json!({
                "deviceId": "", "displayName": "", "operatingSystem": self.agent.system, "browser": self.agent.browser,
                "browserId": null, "isCompliant": false, "isManaged": false, "trustType": ""
            }), Device::detail),
            "networkLocationDetails": if at_office {
                json!([{ "networkType": "trustedNamedLocation", "networkNames": [ground.office.1] }])
            } else { json!([]) },
            "tokenProtectionStatusDetails": if self.device.is_some_and(|device| !device.is_phone()) {
                json!({ "signInSessionStatus": "bound", "signInSessionStatusCode": 0 })
            } else { json!({ "signInSessionStatus": "unbound", "signInSessionStatusCode": 1002 }) },
            "appliedConditionalAccessPolicies": policy
        })
    }
}
