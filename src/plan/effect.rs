//! Effect classes: what a write really is, and so what may be done when its answer never came (SAFETY.md 2.2).

use super::request::{PlannedRequest, Verb};

/// What repeating a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectClass {
    /// Sets a value: repeating it changes nothing.
    Set,
    /// The last writer wins: repeating it makes an earlier secret worthless.
    LastWriterWins,
    /// Repeatable, though the user sees it.
    Repeatable,
    /// Deletes: the second answer is 404.
    Delete,
    /// Replaces a whole list: repeating it with a stale list loses others' entries.
    ReplaceSet,
    /// Creates: repeating it makes a second object.
    Create,
}

/// The effect class of a request, by its method, path and body.
pub fn effect_of(request: &PlannedRequest) -> EffectClass {
    match request.method {
        Verb::Delete => EffectClass::Delete,
        Verb::Patch | Verb::Put if request.body.get("passwordProfile").is_some() => {
            EffectClass::LastWriterWins
        }
        Verb::Patch | Verb::Put if request.body.get("ipRanges").is_some() => EffectClass::ReplaceSet,
        Verb::Patch | Verb::Put => EffectClass::Set,
        Verb::Post if request.path.ends_with("/revokeSignInSessions") => EffectClass::Repeatable,
        Verb::Post if request.path.ends_with("/resetPassword") => EffectClass::LastWriterWins,
        Verb::Post if request.path.ends_with("/riskyUsers/confirmCompromised") => EffectClass::Set,
        // The newest pass ends the one before, and only its own answer tells its code.
        Verb::Post if request.path.ends_with("/temporaryAccessPassMethods") => EffectClass::LastWriterWins,
        // It makes nothing that has an id.
        Verb::Post if request.path.ends_with("/members/$ref") => EffectClass::Set,
        Verb::Post => EffectClass::Create,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_write_that_we_plan_has_its_class() {
        let class =
            |method, path: &str, body| effect_of(&PlannedRequest { method, path: path.to_owned(), body });
        assert_eq!(class(Verb::Patch, "/v1.0/users/x", json!({"accountEnabled": false})), EffectClass::Set);
        assert_eq!(
            class(Verb::Patch, "/v1.0/users/x", json!({"passwordProfile": {}})),
            EffectClass::LastWriterWins
        );
        assert_eq!(
            class(Verb::Post, "/v1.0/users/x/revokeSignInSessions", json!({})),
            EffectClass::Repeatable
        );
        assert_eq!(
            class(Verb::Post, "/v1.0/identityProtection/riskyUsers/confirmCompromised", json!({})),
            EffectClass::Set
        );
        assert_eq!(
            class(Verb::Post, "/v1.0/users/x/authentication/temporaryAccessPassMethods", json!({})),
            EffectClass::LastWriterWins
        );
        assert_eq!(
            class(Verb::Post, "/v1.0/users/x/authentication/methods/y/resetPassword", json!({})),
            EffectClass::LastWriterWins
        );
        assert_eq!(class(Verb::Post, "/v1.0/groups/x/members/$ref", json!({})), EffectClass::Set);
        assert_eq!(class(Verb::Post, "/v1.0/groups", json!({})), EffectClass::Create);
        assert_eq!(class(Verb::Delete, "/v1.0/users/x/authentication/y", json!(null)), EffectClass::Delete);
        assert_eq!(class(Verb::Patch, "/v1.0/identity/x", json!({"ipRanges": []})), EffectClass::ReplaceSet);
        assert_eq!(
            class(Verb::Post, "/v1.0/identity/conditionalAccess/policies", json!({})),
            EffectClass::Create
        );
    }
}
