//! Objects of the directory and of mailboxes that a case adds: apps, grants, rules, records of the unified log.

use serde_json::{Value, json};

use super::chance::Chance;
use super::moment::Moment;
use super::person::Person;
use super::story::Story;

/// An app as the tenant sees it.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub(super) name: String,
    pub(super) publisher: Option<String>,
    pub(super) made: Moment,
    /// Registered in this tenant.
    pub(super) is_own: bool,
}

impl Principal {
    /// One of a publisher that Microsoft knows.
    pub(super) fn verified(name: &str, publisher: &str, made: Moment) -> Self {
        Self { name: name.to_owned(), publisher: Some(publisher.to_owned()), made, is_own: false }
    }

    /// One of nobody's.
    pub(super) fn unverified(name: &str, made: Moment) -> Self {
        Self { name: name.to_owned(), publisher: None, made, is_own: false }
    }

    /// One of the company's own.
    pub(super) fn own(name: &str, made: Moment) -> Self {
        Self { name: name.to_owned(), publisher: None, made, is_own: true }
    }
}

/// An app that is in the tenant: object id, client id, name.
#[derive(Clone, Debug)]
pub(super) struct Installed {
    pub(super) id: String,
    pub(super) app_id: String,
    pub(super) name: String,
}

/// The id of a mail folder.
pub(super) fn folder(chance: &mut Chance) -> String {
    format!("AAMkA{}AAA=", chance.opaque(40))
}

impl Story {
    pub(super) fn add_principal(&mut self, principal: &Principal) -> Installed {
        let installed =
            Installed { id: self.chance.guid(), app_id: self.chance.guid(), name: principal.name.clone() };
        let owner = if principal.is_own { self.ground.tenant.clone() } else { self.chance.guid() };
        let publisher =
            if principal.is_own { Some(self.company.to_owned()) } else { principal.publisher.clone() };
        let verified = principal.publisher.as_ref().map_or_else(
            || json!({ "displayName": null, "verifiedPublisherId": null, "addedDateTime": null }),
            |name| {
                json!({ "displayName": name, "verifiedPublisherId": self.chance.hex(8),
                "addedDateTime": principal.made.text() })
            },
        );
        self.principals.push(json!({
            "id": installed.id, "appId": installed.app_id, "displayName": principal.name,
            "appDisplayName": principal.name, "appOwnerOrganizationId": owner, "createdDateTime": principal.made.text(),
            "publisherName": publisher, "accountEnabled": true, "servicePrincipalType": "Application",
            "servicePrincipalNames": [installed.app_id],
            "signInAudience": if principal.is_own { "AzureADMyOrg" } else { "AzureADMultipleOrgs" },
            "tags": ["WindowsAzureActiveDirectoryIntegratedApp"], "verifiedPublisher": verified
        }));
        installed
    }

    /// Grants scopes of Microsoft Graph to an app: by one user, or for all.
    pub(super) fn add_grant(&mut self, app: &Installed, user: Option<&str>, scope: &str) -> String {
        let id = self.chance.opaque(43);
        self.grants.push(json!({
            "id": id, "clientId": app.id, "consentType": if user.is_some() { "Principal" } else { "AllPrincipals" },
            "principalId": user, "resourceId": self.graph_principal, "scope": format!(" {scope}")
        }));
        id
    }

    /// Puts a rule into an inbox, in the order of making.
    pub(super) fn add_rule(&mut self, user: &str, mut rule: Value) -> String {
        let id = format!("AQAA{}=", self.chance.opaque(7));
        let rules = self.rules.entry(user.to_owned()).or_default();
        if let Some(entries) = rule.as_object_mut() {
            let own = [
                ("id", json!(id)),
                ("sequence", json!(rules.len() + 1)),
                ("isEnabled", json!(true)),
                ("hasError", json!(false)),
            ];
            entries.extend(own.map(|(key, value)| (key.to_owned(), value)));
            entries.entry("isReadOnly").or_insert(json!(false));
        }
        rules.push(rule);
        id
    }

    /// What Exchange notes of a rule that somebody made.
    pub(super) fn note_rule(&mut self, at: Moment, person: &Person, name: &str, ip: &str) {
        let id = self.chance.guid();
        self.audit_log.push(json!({
            "id": id, "createdDateTime": at.text(), "auditLogRecordType": "exchangeAdmin", "operation": "New-InboxRule",
            "service": "Exchange", "userId": person.upn, "userPrincipalName": person.upn, "userType": "regular",
            "clientIp": ip, "objectId": format!("{}\\{name}", person.upn), "organizationId": self.ground.tenant,
            "administrativeUnits": [],
            "auditData": { "CreationTime": at.text(), "Id": id, "Operation": "New-InboxRule", "RecordType": 1,
                "ResultStatus": "True", "UserId": person.upn, "ClientIP": format!("{ip}:51234"), "Workload": "Exchange",
                "Parameters": [{ "Name": "Name", "Value": name }] }
        }));
    }
}
