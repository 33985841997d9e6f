//! Puts a story together as a tenant file and its truth.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::moment::{DAY, HOUR};
use super::person::{self, EMAIL, MOBILE_PHONE, Person, password_method};
use super::row::POLICY;
use super::story::{Entry, Hand, Story};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const SYNC: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";

/// What reads.
const READS: [&str; 20] = [
    "AuditLog.Read.All",
    "AuditLogsQuery.Read.All",
    "Directory.Read.All",
    "Policy.Read.All",
    "Policy.Read.AuthenticationMethod",
    "User.Read.All",
    "UserAuthenticationMethod.Read.All",
    "RoleManagement.Read.Directory",
    "RoleEligibilitySchedule.Read.Directory",
    "RoleAssignmentSchedule.Read.Directory",
    "SecurityAlert.Read.All",
    "ThreatHunting.Read.All",
    "ExchangeMessageTrace.Read.All",
    "Application.Read.All",
    "Domain.Read.All",
    "Organization.Read.All",
    "IdentityRiskyUser.Read.All",
    "IdentityRiskEvent.Read.All",
    "MailboxSettings.Read",
    "Device.Read.All",
];

/// What writes beside that: nothing by which an app could make itself an administrator.
const WRITES: [&str; 12] = [
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "UserAuthenticationMethod.ReadWrite.All",
    "Policy.ReadWrite.ConditionalAccess",
    "IdentityRiskyUser.ReadWrite.All",
    "MailboxSettings.ReadWrite",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Device.ReadWrite.All",
    "Group.Create",
    "GroupMember.ReadWrite.All",
];

/// An account that is nobody's in particular.
struct Account {
    id: String,
    name: &'static str,
    nickname: &'static str,
    role: &'static str,
}

impl Story {
    /// Makes a role assignment.
    pub(super) fn add_role(&mut self, principal: &str, definition: &str) -> String {
        let id = format!("{}-1", self.chance.opaque(42));
        self.roles.push(json!({
            "id": id, "principalId": principal, "roleDefinitionId": definition, "directoryScopeId": "/",
            "appScopeId": null
        }));
        id
    }

    /// Drops what the logs do not reach back to, and reads the truth off what is left.
    pub(super) fn settle_truth(&mut self) {
        let begins = self.log_begins;
        self.sign_ins.retain(|entry| entry.at >= begins);
        self.audits.retain(|entry| entry.at >= begins);
        for entry in self.sign_ins.clone() {
            if let Some(upn) = self.credit(&entry) {
                let findings = self.truth.of(&upn);
                findings.session_ids.insert(entry.about);
                findings.user_agents.insert(entry.agent);
            }
        }
        for entry in self.audits.clone() {
            self.credit(&entry);
        }
        for entry in self.traces.clone() {
            if let Some(upn) = self.credit(&entry) {
                self.truth.of(&upn).recipients.insert(entry.about);
            }
        }
        let told: Vec<String> = self.audits.iter().map(|entry| entry.about.clone()).collect();
        for findings in self.truth.by_victim.values_mut() {
            // Nothing in the logs says when, and from where, such a method came.
            let untold: Vec<String> =
                findings.rogue_methods.iter().filter(|id| !told.contains(id)).cloned().collect();
            findings.rogue_methods.retain(|id| told.contains(id));
            self.truth.askable.extend(untold);
        }
        self.settle_what_is_kept();
    }

    /// Puts an address where it belongs; the victim, where the record is the intruder's.
    fn credit(&mut self, entry: &Entry) -> Option<String> {
        let ip = (!entry.ip.is_empty()).then(|| entry.ip.clone());
        match &entry.hand {
            Hand::Intruder(upn) if !upn.is_empty() => {
                let findings = self.truth.of(upn);
                findings.attacker_ips.extend(ip);
                findings.saw(entry.at);
                return Some(upn.clone());
            }
            // A try that failed, from where another did not.
            Hand::Intruder(_) => {}
            Hand::Owner => self.truth.benign_ips.extend(ip),
            Hand::Stranger => self.truth.tried_ips.extend(ip),
            Hand::Anybody => self.truth.askable.extend(ip),
        }
        None
    }

    fn settle_what_is_kept(&mut self) {
        for person in self.people.iter().take(self.victims) {
            let devices = self.devices.iter().filter(|(_, owner)| *owner == person.id);
            let ids: Vec<String> = devices.map(|(device, _)| device.id.clone()).collect();
            let findings = self.truth.of(&person.upn);
            let rogue = findings.rogue_devices.clone();
            findings.keep_devices.extend(ids.into_iter().filter(|id| !rogue.contains(id)));
            let methods = person.apps.iter().map(|app| app.id.clone());
            let phone = person.has_phone_number.then(|| MOBILE_PHONE.to_owned());
            let email = person.is_exempt.then(|| EMAIL.to_owned());
            let own: Vec<String> = methods.chain(phone).chain(email).collect();
            let undecided = self.truth.askable.clone();
            let findings = self.truth.of(&person.upn);
            let rogue = findings.rogue_methods.clone();
            findings
                .keep_methods
                .extend(own.into_iter().filter(|id| !rogue.contains(id) && !undecided.contains(id)));
        }
    }

    fn accounts(&mut self) -> Vec<Account> {
        [
            ("Emergency Access One", "emergency.access.one", GLOBAL_ADMINISTRATOR),
            ("Emergency Access Two", "emergency.access.two", GLOBAL_ADMINISTRATOR),
            ("Tenant Administrator", "tenant.administrator", GLOBAL_ADMINISTRATOR),
            ("Service Desk", "service.desk", HELPDESK),
            ("On-Premises Directory Synchronization Service Account", "sync_srv01", SYNC),
        ]
        .into_iter()
        .map(|(name, nickname, role)| {
            let id = self.chance.guid();
            self.add_role(&id, role);
            Account { id, name, nickname, role }
        })
        .collect()
    }

    /// The tenant file.
    pub(super) fn tenant(&mut self) -> Value {
        let accounts = self.accounts();
        let exceptions = self.chance.guid();
        let mut licences = vec!["AAD_PREMIUM", "EXCHANGE_S_ENTERPRISE", "INTUNE_A"];
        if self.ground.shows_risk {
            licences.push("AAD_PREMIUM_P2");
        }
        let (users, passwords, methods) = self.users(&accounts);
        let emergency: Vec<&str> = accounts.iter().take(2).map(|account| account.id.as_str()).collect();
        let mut members: Vec<&str> = accounts
            .iter()
            .filter(|account| account.role == SYNC)
            .map(|account| account.id.as_str())
            .collect();
        members.extend(self.people.iter().filter(|person| person.is_exempt).map(|person| person.id.as_str()));
        let made = self.now.day(500).text();
        let values = |entries: &[Entry]| entries.iter().map(|entry| entry.value.clone()).collect::<Vec<_>>();
        let devices: Vec<Value> = self
            .devices
            .iter()
            .map(|(device, owner)| device.object(owner, self.last_seen(&device.guid, device.registered)))
            .collect();
        json!({
            "format": crate::tenant::FORMAT, "clock": self.now.text(),
            "tenant": { "id": self.ground.tenant, "displayName": self.company, "defaultDomain": self.domain,
                "licences": licences },
            "applications": applications(), "users": users, "passwords": passwords,
            "authenticationMethods": methods, "roleAssignments": self.roles,
            "groups": [{ "id": exceptions, "displayName": "MFA exceptions", "description": null, "mailEnabled": false,
                "mailNickname": "mfa-exceptions", "securityEnabled": true, "groupTypes": [], "visibility": null,
                "createdDateTime": made, "onPremisesSyncEnabled": null, "isAssignableToRole": null,
                "membershipRule": null }],
            "groupMembers": { (exceptions.clone()): members },
            "devices": devices, "namedLocations": self.named_locations(&made),
            "conditionalAccessPolicies": [policy(&self.ground.policy, &made, &emergency, &exceptions)],
            "servicePrincipals": self.principals, "oauth2PermissionGrants": self.grants, "messageRules": self.rules,
            "messageTraces": values(&self.traces), "auditLogRecords": self.audit_log,
            "riskDetections": self.risk_detections, "riskyUsers": self.risky_users, "attackers": self.attackers,
            "directoryAudits": values(&self.audits), "signIns": values(&self.sign_ins)
        })
    }

    fn last_seen(&self, device: &str, registered: super::moment::Moment) -> super::moment::Moment {
        let seen = self.sign_ins.iter().filter(|entry| {
            entry.value.pointer("/deviceDetail/deviceId").and_then(Value::as_str) == Some(device)
        });
        seen.map(|entry| entry.at).max().unwrap_or(registered)
    }

    fn users(&mut self, accounts: &[Account]) -> (Vec<Value>, Map<String, Value>, Map<String, Value>) {
        let mut users = Vec::new();
        let mut passwords = Map::new();
        let mut methods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let people: Vec<Person> = self.people.clone();
        for person in &people {
            users.push(person.object(self.domain));
            let mut own = person.methods();
            own.extend(self.more_methods.get(&person.id).into_iter().flatten().cloned());
            methods.insert(person.id.clone(), own);
            passwords.insert(person.id.clone(), json!(format!("Correct-{}", self.chance.hex(10))));
        }
        // What has to work when the company's own domain does not is in the tenant's first one.
        let cloud = format!("{}.onmicrosoft.com", self.domain.split('.').next().unwrap_or_default());
        for account in accounts {
            let made = self.now.day(700).plus(9 * HOUR);
            users.push(person::user(&account.id, account.name, account.nickname, &cloud, made));
            let mut own = vec![password_method(made)];
            if account.role != SYNC {
                own.push(json!({
                    "@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": self.chance.opaque(24),
                    "displayName": "Security key", "model": "YubiKey 5 NFC", "aaGuid": "2fc0579f-8113-47ea-b116-bb5a8db9202a",
                    "attestationCertificates": [], "attestationLevel": "attested", "passkeyType": "deviceBound",
                    "createdDateTime": made.plus(DAY).text()
                }));
            }
            methods.insert(account.id.clone(), own);
            passwords.insert(account.id.clone(), json!(format!("Correct-{}", self.chance.hex(10))));
        }
        (users, passwords, methods.into_iter().map(|(id, own)| (id, Value::Array(own))).collect())
    }

    fn named_locations(&mut self, made: &str) -> Vec<Value> {
        let mut location = |name: &str, trusted: bool, range: String| {
            json!({
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": self.chance.guid(), "displayName": name,
                "isTrusted": trusted, "createdDateTime": made, "modifiedDateTime": made,
                "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range }]
            })
        };
        let (name, office) = (self.ground.office.1, format!("{}/32", self.ground.office.0));
        vec![location(name, true, office), location("IP Blacklist", false, "194.165.16.0/24".to_owned())]
    }
}

fn applications() -> Value {
    let mut writes = READS.to_vec();
    writes.extend(WRITES);
    json!([
        { "appId": "11111111-aaaa-4bbb-8ccc-000000000001", "displayName": "Incident responder",
            "clientSecret": "responder-secret", "roles": writes,
            "directoryRoles": ["Privileged Authentication Administrator"] },
        { "appId": "11111111-aaaa-4bbb-8ccc-000000000002", "displayName": "Incident observer",
            "clientSecret": "observer-secret", "roles": READS }
    ])
}

fn policy(id: &str, made: &str, emergency: &[&str], exceptions: &str) -> Value {
    json!({
        "id": id, "displayName": POLICY, "description": null, "state": "enabled", "templateId": null,
        "createdDateTime": made, "modifiedDateTime": null, "deletedDateTime": null,
        "conditions": {
            "clientAppTypes": ["all"], "userRiskLevels": [], "signInRiskLevels": [], "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": null, "authenticationFlows": null, "platforms": null, "devices": null,
            "clientApplications": null, "locations": null,
            "applications": { "includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [], "applicationFilter": null },
            "users": { "includeUsers": ["All"], "excludeUsers": emergency, "includeGroups": [],
                "excludeGroups": [exceptions], "includeRoles": [], "excludeRoles": [],
                "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null }
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"], "customAuthenticationFactors": [],
            "termsOfUse": [], "authenticationStrength": null },
        "sessionControls": null
    })
}
