//! `remove_auth_methods`: removes the methods that the intruder registered, and those alone, of every kind that Graph
//! can remove (identity.md 5.2). Hardly a removal can be undone, so what is not certain is shown to a person.
//!
//! ```yaml
//! - step: remove_auth_methods
//!   with: { kinds: [all], which: unrecognized, undecided: ask }
//! ```

mod removals;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Step;
use super::by_hand::ByHand;
use super::decision::{Undecided, Which};
use super::observe::Seen;
use super::planned::{Planned, Scope};
use crate::case::{AuthMethod, Case, Hold, JudgedMethod, Look, MethodKind, MethodVerdict};
use crate::domain::UserId;
use crate::graph::{self, GraphError, Licence, Reader, Reading};
use crate::plan::{Action, LeftObject};

/// A kind of method that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Every kind.
    All,
    /// Microsoft Authenticator.
    Authenticator,
    /// Authenticator for phone sign-in alone, as older tenants list it.
    PasswordlessAuthenticator,
    /// A code app.
    CodeApp,
    /// A hardware token that shows codes.
    HardwareToken,
    /// A phone number.
    Phone,
    /// A passkey or FIDO2 security key.
    Passkey,
    /// Windows Hello for Business.
    WindowsHello,
    /// A platform credential, such as macOS keeps one.
    PlatformCredential,
    /// An e-mail address for self-service reset.
    Email,
    /// A Temporary Access Pass.
    TemporaryAccessPass,
    /// A method of another provider.
    External,
    /// A QR code with its PIN.
    QrCode,
}

impl Kind {
    /// Whether a method is of the kind.
    fn takes(self, kind: &MethodKind) -> bool {
        match self {
            Self::All => true,
            Self::Authenticator => *kind == MethodKind::Authenticator,
            Self::PasswordlessAuthenticator => *kind == MethodKind::PasswordlessAuthenticator,
            Self::CodeApp => *kind == MethodKind::CodeApp,
            Self::HardwareToken => *kind == MethodKind::HardwareToken,
            Self::Phone => *kind == MethodKind::Phone,
            Self::Passkey => *kind == MethodKind::Passkey,
            Self::WindowsHello => *kind == MethodKind::WindowsHello,
            Self::PlatformCredential => *kind == MethodKind::PlatformCredential,
            Self::Email => *kind == MethodKind::Email,
            Self::TemporaryAccessPass => *kind == MethodKind::TemporaryAccessPass,
            Self::External => *kind == MethodKind::External,
            Self::QrCode => *kind == MethodKind::QrCode,
        }
    }
}

/// How a person removes a method of each kind. What only beta has is called by its path.
const CMDLETS: [(MethodKind, &str); 12] = [
    (
        MethodKind::Authenticator,
        "Remove-MgUserAuthenticationMicrosoftAuthenticatorMethod -UserId $id -MicrosoftAuthenticatorAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::CodeApp,
        "Remove-MgUserAuthenticationSoftwareOathMethod -UserId $id -SoftwareOathAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::Phone,
        "Remove-MgUserAuthenticationPhoneMethod -UserId $id -PhoneAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::Passkey,
        "Remove-MgUserAuthenticationFido2Method -UserId $id -Fido2AuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::WindowsHello,
        "Remove-MgUserAuthenticationWindowsHelloForBusinessMethod -UserId $id -WindowsHelloForBusinessAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::PlatformCredential,
        "Remove-MgUserAuthenticationPlatformCredentialMethod -UserId $id -PlatformCredentialAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::Email,
        "Remove-MgUserAuthenticationEmailMethod -UserId $id -EmailAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::TemporaryAccessPass,
        "Remove-MgUserAuthenticationTemporaryAccessPassMethod -UserId $id -TemporaryAccessPassAuthenticationMethodId 'ID'",
    ),
    (
        MethodKind::External,
        "Invoke-MgGraphRequest -Method DELETE -Uri \"https://graph.microsoft.com/v1.0/users/$id/authentication/externalAuthenticationMethods/ID\"",
    ),
    (
        MethodKind::HardwareToken,
        "Invoke-MgGraphRequest -Method DELETE -Uri \"https://graph.microsoft.com/beta/users/$id/authentication/hardwareOathMethods/ID\"",
    ),
    (
        MethodKind::QrCode,
        "Invoke-MgGraphRequest -Method DELETE -Uri \"https://graph.microsoft.com/beta/users/$id/authentication/qrCodePinMethod\"",
    ),
    (
        MethodKind::PasswordlessAuthenticator,
        "Invoke-MgGraphRequest -Method DELETE -Uri \"https://graph.microsoft.com/beta/users/$id/authentication/passwordlessMicrosoftAuthenticatorMethods/ID\"",
    ),
];

fn all_kinds() -> Vec<Kind> {
    vec![Kind::All]
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAuthMethods {
    /// Kinds that are looked at.
    #[serde(default = "all_kinds")]
    pub kinds: Vec<Kind>,
    /// Which are removed.
    #[serde(default)]
    pub which: Which,
    /// What becomes of the undecided.
    #[serde(default)]
    pub undecided: Undecided,
}

impl Step for RemoveAuthMethods {
    const NAME: &'static str = "remove_auth_methods";
    const SUMMARY: &'static str = "removes authentication methods that the intruder registered";
    const PERMISSIONS: &'static [&'static str] = &["UserAuthenticationMethod.ReadWrite.All"];
    const READS: &'static [Reading] = &[];
    const LICENCES: &'static [Licence] = &[];
    const TAKES: &'static [Hold] = &[Hold::Method, Hold::Pass];
    const IS_DOOR: bool = true;
    /// The default second factor, as `signInPreferences` names it.
    type Facts = Look<Option<String>>;

    fn takes(&self) -> Vec<Hold> {
        let is_pass = |kind: &&Kind| **kind == Kind::TemporaryAccessPass;
        let is_all = self.kinds.contains(&Kind::All);
        let methods = is_all || self.kinds.iter().any(|kind| !is_pass(&kind));
        let passes = is_all || self.kinds.iter().any(|kind| is_pass(&kind));
        [(methods, Hold::Method), (passes, Hold::Pass)]
            .into_iter()
            .filter_map(|(is_taken, hold)| is_taken.then_some(hold))
            .collect()
    }

    async fn look(&self, case: &Case, graph: &Reader) -> Result<Self::Facts, GraphError> {
        graph::look(graph.default_method(&case.subject.id).await)
    }

    fn plan(&self, case: &Case, facts: &Self::Facts, scope: &Scope<'_>) -> Planned {
        let mut planned = Planned::default();
        let methods = match &case.evidence.methods {
            Look::Read(methods) => methods,
            Look::Unread { why } => {
                planned.left.push(LeftObject {
                    step: scope.step_id.to_owned(),
                    kind: None,
                    object: "every authentication method".to_owned(),
                    why: vec![format!("the methods could not be read: {why}")],
                    holds_back: true,
                    decided: false,
                    next: Some(format!(
                        "mend what keeps them from being read, then plan again; until then look at Users, {}, Authentication methods in the Entra admin center",
                        case.subject.upn
                    )),
                });
                return planned;
            }
        };
        planned.knows.extend(methods.iter().map(|own| own.method.id.to_string()));
        let mut goes: Vec<&JudgedMethod> = Vec::new();
        for judged in methods.iter().filter(|own| own.method.kind != MethodKind::Password) {
            match self.decide(judged, scope) {
                Decision::Remove => goes.push(judged),
                Decision::Leave(left) => planned.left.push(left),
            }
        }
        for (asked, flag) in [(scope.keep, "--keep"), (scope.remove, "--remove")] {
            for id in asked {
                let is_password = |own: &JudgedMethod| own.method.kind == MethodKind::Password;
                if methods.iter().any(|own| own.method.id == *id && is_password(own)) {
                    planned.warnings.push(format!(
                        "{flag} {id}: that is the password, which nobody can remove: `reset_password` sets another"
                    ));
                }
            }
        }
        if goes.is_empty() {
            let why = match self.which {
                Which::Unrecognized => "no method is the intruder's by the evidence",
                Which::All => "no method is there that could be removed",
            };
            planned.unchanged = Some(why.to_owned());
            return planned;
        }
        removals::plan(case, facts, (goes, methods), self.which, scope, &mut planned);
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        let (note, which, each) = match self.which {
            Which::Unrecognized => (
                ", and ask the user which are theirs, by telephone",
                "Delete those that are not",
                "each method that is not the user's",
            ),
            Which::All => ("", "Delete every one but the password", "each method"),
        };
        let mut own = ByHand::new(
            &[
                &format!("Users > All users > {user} > Authentication methods: note every method{note}"),
                &format!(
                    "{which} (`...` > Delete). If one is the default, choose another default first. If an alternate telephone number is there, delete it before the mobile one"
                ),
            ],
            &[
                "Get-MgUserAuthenticationMethod -UserId $id | ForEach-Object { $_.Id; $_.AdditionalProperties | Format-Table }",
                &format!("# One of these for {each}; put its id in the place of ID:"),
            ],
        );
        let kinds = CMDLETS.iter().filter(|(kind, _)| self.kinds.iter().any(|own| own.takes(kind)));
        own.powershell.extend(kinds.map(|(_, line)| (*line).to_owned()));
        own
    }
}

enum Decision {
    Remove,
    Leave(LeftObject),
}

impl RemoveAuthMethods {
    fn decide(&self, judged: &JudgedMethod, scope: &Scope<'_>) -> Decision {
        let leave = |why: Option<String>, holds_back| Decision::Leave(left(judged, why, holds_back, scope));
        let keep = |why: &str| {
            Decision::Leave(LeftObject { decided: true, ..left(judged, Some(why.to_owned()), false, scope) })
        };
        if scope.keep.contains(&judged.method.id) {
            return keep("kept by --keep");
        }
        let is_asked = scope.remove.contains(&judged.method.id);
        let is_looked_at = self.kinds.iter().any(|kind| kind.takes(&judged.method.kind));
        let is_wanted = self.which == Which::All || judged.verdict == MethodVerdict::Attacker;
        if is_asked || (is_wanted && is_looked_at) {
            if judged.method.kind.collection().is_some() {
                return Decision::Remove;
            }
            let why = "Graph has no way for an app to remove a method of this kind".to_owned();
            let Decision::Leave(mut left) = leave(Some(why), true) else { return Decision::Remove };
            left.next = Some(
                "remove it in the Entra admin center: Users, the user, Authentication methods; then plan again"
                    .to_owned(),
            );
            return Decision::Leave(left);
        }
        match judged.verdict {
            MethodVerdict::Owner | MethodVerdict::UnknownOld => leave(None, false),
            MethodVerdict::Attacker => {
                leave(Some("the playbook does not look at this kind of method".to_owned()), true)
            }
            MethodVerdict::Unknown => match self.undecided {
                Undecided::Ask => {
                    leave(Some(format!("say `--keep {id}` or `--remove {id}`", id = judged.method.id)), true)
                }
                Undecided::Keep => keep("kept, as the playbook says of the undecided"),
            },
        }
    }
}

/// A method that stays, with why.
fn left(judged: &JudgedMethod, why: Option<String>, holds_back: bool, scope: &Scope<'_>) -> LeftObject {
    let verdict = format!("{}: {}", judged.verdict.label(), judged.reasons.join("; "));
    LeftObject {
        step: scope.step_id.to_owned(),
        kind: None,
        object: named(&judged.method),
        why: std::iter::once(verdict).chain(why).collect(),
        holds_back,
        decided: false,
        next: None,
    }
}

fn named(method: &AuthMethod) -> String {
    if method.name.is_empty() {
        format!("{} ({})", method.kind.label(), method.id)
    } else {
        format!("{} `{}` ({})", method.kind.label(), method.name, method.id)
    }
}

/// What the plan shows of a method: what drift is told by.
fn projection(method: &AuthMethod) -> Value {
    json!({ "id": method.id, "kind": method.kind.label(), "name": method.name })
}

/// Reads an action's object: the method that goes or gets another number, or the default.
pub(super) async fn see(
    action: &Action,
    is_sent: bool,
    subject: &UserId,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    const PREFERENCE: &str = "userPreferredMethodForSecondaryAuthentication";
    if let Some(wanted) = action.after.get(PREFERENCE).and_then(Value::as_str) {
        let now = graph.default_method(subject).await?;
        let before = action.before.get(PREFERENCE).and_then(Value::as_str);
        return Ok(match now.as_deref() {
            // Setting the kind that is set already takes the name off one registration: it is sent.
            Some(own) if own == wanted && (is_sent || before != Some(wanted)) => Seen::AsAfter,
            now if now == before => Seen::AsBefore,
            Some(other) => Seen::Differs { what: format!("the default is now `{other}`") },
            None => Seen::Differs { what: "there is no default any more".to_owned() },
        });
    }
    let methods = graph.methods(subject).await?;
    let now = methods.iter().find(|own| action.object.id.as_deref() == Some(own.id.as_str()));
    Ok(match now {
        None if action.after.is_null() => Seen::AsAfter,
        None => Seen::Differs { what: "it is gone".to_owned() },
        Some(method) if projection(method) == action.after => Seen::AsAfter,
        Some(method) if projection(method) == action.before => Seen::AsBefore,
        Some(method) => Seen::Differs { what: format!("it is now {}", named(method)) },
    })
}
