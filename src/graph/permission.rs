//! Which permission a call needs at least (identity.md 0.1, policy-logs-auth.md 1.1, 2.1, 4.1): for the hint of a 403.

use serde_json::Value;

/// The least application permissions of a call; none where it is not known.
pub(crate) fn least(method: &str, path: &str, body: &Value) -> &'static [&'static str] {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(1).collect();
    let is_read = method == "GET";
    let has = |name: &str| segments.iter().any(|segment| *segment == name || segment.starts_with(name));
    match segments.first().copied().unwrap_or_default() {
        "policies" if has("authenticationMethodsPolicy") => &["Policy.Read.AuthenticationMethod"],
        "identityProtection" if has("riskDetections") => &["IdentityRiskEvent.Read.All"],
        "identityProtection" if is_read => &["IdentityRiskyUser.Read.All"],
        "identityProtection" => &["IdentityRiskyUser.ReadWrite.All"],
        "identity" if has("evaluate") => &["Policy.Read.ConditionalAccess"],
        "identity" | "policies" if is_read => &["Policy.Read.All"],
        "identity" if has("namedLocations") || method == "DELETE" => {
            &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]
        }
        "identity" => &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"],
        "auditLogs" | "reports" => &["AuditLog.Read.All"],
        "roleManagement" if is_read => &["RoleManagement.Read.Directory"],
        "roleManagement" => &["RoleManagement.ReadWrite.Directory"],
        "domains" => &["Domain.Read.All"],
        "admin" if has("messageTraces") => &["ExchangeMessageTrace.Read.All"],
        "subscribedSkus" => &["LicenseAssignment.Read.All"],
        "servicePrincipals" if is_read => &["Application.Read.All"],
        "servicePrincipals" => &["Application.ReadWrite.All"],
        "oauth2PermissionGrants" if is_read => &["Directory.Read.All"],
        "oauth2PermissionGrants" => &["DelegatedPermissionGrant.ReadWrite.All"],
        "devices" if is_read => &["Device.Read.All"],
        "devices" => &["Device.ReadWrite.All"],
        "groups" if is_read => &["GroupMember.Read.All"],
        "groups" if has("members") => &["GroupMember.ReadWrite.All"],
        "groups" => &["Group.Create"],
        // The organization opens for whoever may read users (identity.md 0.1).
        "directory" if has("onPremisesSynchronization") => &["OnPremDirectorySynchronization.Read.All"],
        "directory" | "organization" => &["User.Read.All"],
        first if first.starts_with("users") => of_user(&segments, is_read, body),
        _ => &[],
    }
}

fn of_user(segments: &[&str], is_read: bool, body: &Value) -> &'static [&'static str] {
    let has = |name: &str| segments.contains(&name);
    if has("authentication") {
        return if is_read {
            &["UserAuthenticationMethod.Read.All"]
        } else {
            &["UserAuthenticationMethod.ReadWrite.All"]
        };
    }
    if has("revokeSignInSessions") {
        return &["User.RevokeSessions.All"];
    }
    if has("registeredDevices") || has("ownedDevices") {
        return &["User.Read.All", "Device.Read.All"];
    }
    if has("mailFolders") && !has("messageRules") {
        return &["Mail.ReadBasic.All"];
    }
    if has("mailFolders") || has("mailboxSettings") {
        return if is_read { &["MailboxSettings.Read"] } else { &["MailboxSettings.ReadWrite"] };
    }
    if has("oauth2PermissionGrants") {
        return &["Directory.Read.All"];
    }
    if is_read {
        return &["User.Read.All"];
    }
    if body.get("passwordProfile").is_some() {
        return &["User-PasswordProfile.ReadWrite.All"];
    }
    if body.get("accountEnabled").is_some() {
        return &["User.EnableDisableAccount.All", "User.Read.All"];
    }
    &[]
}

/// The permission that writes this kind of authentication method alone, by the collection in the path (identity.md
/// 5.2): less than [`least`] asks for, and not yet offered by every tenant's portal.
pub(crate) fn of_method_kind(path: &str) -> Option<&'static str> {
    let (_, collection) = path.split_once("/authentication/")?;
    Some(match collection.split('/').next()? {
        "microsoftAuthenticatorMethods" | "passwordlessMicrosoftAuthenticatorMethods" => {
            "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All"
        }
        "softwareOathMethods" => "UserAuthMethod-SoftwareOATH.ReadWrite.All",
        "hardwareOathMethods" => "UserAuthMethod-HardwareOATH.ReadWrite.All",
        "phoneMethods" => "UserAuthMethod-Phone.ReadWrite.All",
        "fido2Methods" => "UserAuthMethod-Passkey.ReadWrite.All",
        "windowsHelloForBusinessMethods" => "UserAuthMethod-WindowsHello.ReadWrite.All",
        "platformCredentialMethods" => "UserAuthMethod-PlatformCred.ReadWrite.All",
        "emailMethods" => "UserAuthMethod-Email.ReadWrite.All",
        "temporaryAccessPassMethods" => "UserAuthMethod-TAP.ReadWrite.All",
        "externalAuthenticationMethods" => "UserAuthMethod-External.ReadWrite.All",
        "qrCodePinMethod" => "UserAuthMethod-QR.ReadWrite.All",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_call_has_its_least_permission() {
        let none = Value::Null;
        for (method, path, body, wanted) in [
            ("GET", "/v1.0/users/x?$select=id", &none, &["User.Read.All"][..]),
            (
                "PATCH",
                "/v1.0/users/x",
                &json!({"passwordProfile": {}}),
                &["User-PasswordProfile.ReadWrite.All"],
            ),
            (
                "PATCH",
                "/v1.0/users/x",
                &json!({"accountEnabled": false}),
                &["User.EnableDisableAccount.All", "User.Read.All"],
            ),
            ("POST", "/v1.0/users/x/revokeSignInSessions", &none, &["User.RevokeSessions.All"]),
            (
                "DELETE",
                "/v1.0/users/x/authentication/phoneMethods/y",
                &none,
                &["UserAuthenticationMethod.ReadWrite.All"],
            ),
            ("GET", "/beta/users/x/authentication/methods", &none, &["UserAuthenticationMethod.Read.All"]),
            ("GET", "/v1.0/identity/conditionalAccess/policies", &none, &["Policy.Read.All"]),
            (
                "POST",
                "/v1.0/identity/conditionalAccess/policies",
                &none,
                &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"],
            ),
            (
                "PATCH",
                "/v1.0/identity/conditionalAccess/namedLocations/y",
                &none,
                &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"],
            ),
            ("POST", "/v1.0/identity/conditionalAccess/evaluate", &none, &["Policy.Read.ConditionalAccess"]),
            ("GET", "/beta/auditLogs/signIns?$filter=x", &none, &["AuditLog.Read.All"]),
            (
                "GET",
                "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass",
                &none,
                &["Policy.Read.AuthenticationMethod"],
            ),
            ("GET", "/v1.0/identityProtection/riskyUsers/x", &none, &["IdentityRiskyUser.Read.All"]),
            (
                "POST",
                "/v1.0/identityProtection/riskyUsers/confirmCompromised",
                &none,
                &["IdentityRiskyUser.ReadWrite.All"],
            ),
            (
                "GET",
                "/v1.0/admin/exchange/tracing/messageTraces?$filter=x",
                &none,
                &["ExchangeMessageTrace.Read.All"],
            ),
            ("GET", "/v1.0/users/x/mailFolders/inbox/messageRules", &none, &["MailboxSettings.Read"]),
            ("GET", "/v1.0/users/x/mailFolders/y?$select=displayName", &none, &["Mail.ReadBasic.All"]),
            (
                "GET",
                "/v1.0/identityProtection/riskDetections?$filter=x",
                &none,
                &["IdentityRiskEvent.Read.All"],
            ),
            (
                "PATCH",
                "/v1.0/users/x/mailFolders/inbox/messageRules/y",
                &none,
                &["MailboxSettings.ReadWrite"],
            ),
            ("GET", "/v1.0/users/x/oauth2PermissionGrants", &none, &["Directory.Read.All"]),
            ("DELETE", "/v1.0/oauth2PermissionGrants/y", &none, &["DelegatedPermissionGrant.ReadWrite.All"]),
            ("PATCH", "/v1.0/devices/y", &none, &["Device.ReadWrite.All"]),
            ("GET", "/v1.0/servicePrincipals/y", &none, &["Application.Read.All"]),
            ("PATCH", "/v1.0/servicePrincipals/y", &none, &["Application.ReadWrite.All"]),
            (
                "DELETE",
                "/v1.0/roleManagement/directory/roleAssignments/y",
                &none,
                &["RoleManagement.ReadWrite.Directory"],
            ),
            ("POST", "/v1.0/groups", &none, &["Group.Create"]),
            ("POST", "/v1.0/groups/y/members/$ref", &none, &["GroupMember.ReadWrite.All"]),
            ("GET", "/v1.0/unheardOf", &none, &[]),
        ] {
            assert_eq!(least(method, path, body), wanted, "{method} {path}");
        }
    }
}
