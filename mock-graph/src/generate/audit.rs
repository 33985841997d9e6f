//! Records of the directory's audit log, as Entra writes them: two for a method, several for a consent or a device.

use serde_json::{Value, json};

use super::chance::Chance;
use super::moment::Moment;
use super::person::{Authenticator, Person};

/// Addresses that Core Directory's records name as the actor's: Microsoft's own.
const SERVICE_ADDRESSES: [&str; 4] = ["20.190.160.14", "40.126.32.134", "20.190.151.68", "40.126.29.9"];

/// Who did something, as a record says it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actor<'a> {
    /// A person; the address is the person's in `Authentication Methods` alone.
    Person(&'a Person, Option<&'a str>),
    /// A service of Entra's.
    Service(&'a str),
}

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) at: Moment,
    pub(super) service: &'a str,
    pub(super) category: &'a str,
    pub(super) activity: &'a str,
    pub(super) operation: &'a str,
    pub(super) reason: &'a str,
    pub(super) actor: Actor<'a>,
    pub(super) targets: Vec<Value>,
}

impl Record<'_> {
    pub(super) fn value(self, chance: &mut Chance) -> Value {
        let correlation = chance.guid();
        let prefix = if self.service == "Core Directory" { "Directory" } else { self.service };
        let tail = chance.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 5);
        let number = chance.between(10_000_000, 99_999_999);
        let actor = match self.actor {
            Actor::Person(person, ip) => json!({ "app": null, "user": {
                "id": person.id, "displayName": person.name(), "userPrincipalName": person.upn, "ipAddress": ip,
                "userType": null, "homeTenantId": null, "homeTenantName": null
            } }),
            Actor::Service(name) => json!({ "user": null, "app": {
                "appId": null, "displayName": name, "servicePrincipalId": "b339297a-ab05-4a89-bd9e-0dd411ac5adc",
                "servicePrincipalName": null
            } }),
        };
        json!({
            "id": format!("{prefix}_{correlation}_{tail}_{number}"), "category": self.category,
            "correlationId": correlation, "result": "success", "resultReason": self.reason,
            "activityDisplayName": self.activity, "activityDateTime": self.at.text(), "loggedByService": self.service,
            "operationType": self.operation, "initiatedBy": actor, "targetResources": self.targets,
            "additionalDetails": if self.service == "Core Directory" { json!([{ "key": "UserType", "value": "Member" }]) } else { json!([]) }
        })
    }
}

/// An address of Microsoft's, as Core Directory names one.
pub(super) fn service_address(chance: &mut Chance) -> &'static str {
    chance.pick(&SERVICE_ADDRESSES)
}

fn user_target(person: &Person, modified: &[Value]) -> Value {
    json!({
        "id": person.id, "displayName": person.name(), "type": "User", "userPrincipalName": person.upn,
        "groupType": null, "modifiedProperties": modified
    })
}

fn other_target(id: &str, name: &str, kind: &str, modified: &[Value]) -> Value {
    json!({
        "id": id, "displayName": name, "type": kind, "userPrincipalName": null, "groupType": null,
        "modifiedProperties": modified
    })
}

fn change(name: &str, old: Option<&str>, new: Option<&str>) -> Value {
    json!({ "displayName": name, "oldValue": old, "newValue": new })
}

/// JSON as text within JSON, which is how scalars arrive as well.
fn encoded(value: &Value) -> String {
    value.to_string()
}

/// Record A of a method: a person did something, from an address.
pub(super) fn security_info(
    chance: &mut Chance,
    at: Moment,
    person: &Person,
    ip: &str,
    activity: &str,
    reason: &str,
) -> Value {
    let operation = if activity.contains("registered") { "Add" } else { "Delete" };
    Record {
        at,
        service: "Authentication Methods",
        category: "UserManagement",
        activity,
        operation,
        reason,
        actor: Actor::Person(person, Some(ip)),
        targets: vec![user_target(person, &[])],
    }
    .value(chance)
}

/// Record B: the lists of registrations before and after.
pub(super) fn phone_apps(
    chance: &mut Chance,
    at: Moment,
    person: &Person,
    before: &[(&Authenticator, Option<Moment>)],
    after: &[(&Authenticator, Option<Moment>)],
) -> Value {
    let list = |apps: &[(&Authenticator, Option<Moment>)]| {
        encoded(&Value::Array(apps.iter().map(|(app, used)| app.detail(*used)).collect()))
    };
    update_user(chance, at, person, "StrongAuthenticationPhoneAppDetail", &list(before), &list(after))
}

/// Record B of a phone number.
pub(super) fn phone_numbers(
    chance: &mut Chance,
    at: Moment,
    person: &Person,
    before: [Option<&str>; 2],
    after: [Option<&str>; 2],
) -> Value {
    let list = |numbers: [Option<&str>; 2]| {
        encoded(&json!([{ "PhoneNumber": numbers[0], "AlternativePhoneNumber": numbers[1], "Email": null,
            "VoiceOnlyPhoneNumber": null }]))
    };
    update_user(chance, at, person, "StrongAuthenticationUserDetails", &list(before), &list(after))
}

fn update_user(
    chance: &mut Chance,
    at: Moment,
    person: &Person,
    property: &str,
    old: &str,
    new: &str,
) -> Value {
    let modified = [
        change(property, Some(old), Some(new)),
        change("Included Updated Properties", None, Some(&encoded(&json!(property)))),
        change("TargetId.UserType", None, Some(&encoded(&json!("Member")))),
        change(
            "ActorId.ServicePrincipalNames",
            None,
            Some(&encoded(&json!("b5a60e17-278b-4c92-a4e2-b9262e66bb28"))),
        ),
        change("SPN", None, Some(&encoded(&json!("b5a60e17-278b-4c92-a4e2-b9262e66bb28")))),
    ];
    Record {
        at,
        service: "Core Directory",
        category: "UserManagement",
        activity: "Update user",
        operation: "Update",
        reason: "",
        actor: Actor::Service("Azure MFA StrongAuthenticationService"),
        targets: vec![user_target(person, &modified)],
    }
    .value(chance)
}

/// A consent: what was granted, to which app, by whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consent<'a> {
    pub(super) app_id: &'a str,
    /// Object id and name of the app's service principal, and the object id of Microsoft Graph's.
    pub(super) client: &'a str,
    pub(super) name: &'a str,
    pub(super) graph: &'a str,
    pub(super) grant: &'a str,
    pub(super) scope: &'a str,
    pub(super) is_first: bool,
}

/// The records of a consent. Their addresses are Microsoft's.
pub(super) fn consent(chance: &mut Chance, at: Moment, person: &Person, consent: &Consent<'_>) -> Vec<Value> {
    let address = service_address(chance);
    let record = |activity, operation, targets| Record {
        at,
        service: "Core Directory",
        category: "ApplicationManagement",
        activity,
        operation,
        reason: "",
        actor: Actor::Person(person, Some(address)),
        targets,
    };
    let permissions = format!(
        "[] => [[Id: {}, ClientId: {}, PrincipalId: {}, ResourceId: {}, ConsentType: Principal, Scope: {}, CreatedDateTime: , LastModifiedDateTime ]]; ",
        consent.grant, consent.client, person.id, consent.graph, consent.scope
    );
    let mut records = Vec::new();
    if consent.is_first {
        let modified = [
            change("AccountEnabled", Some("[]"), Some("[true]")),
            change("AppPrincipalId", Some("[]"), Some(&encoded(&json!([consent.app_id])))),
        ];
        let target = other_target(consent.client, consent.name, "ServicePrincipal", &modified);
        records.push(record("Add service principal", "Add", vec![target]));
    }
    let modified = [
        change("DelegatedPermissionGrant.Scope", None, Some(&encoded(&json!(consent.scope)))),
        change("DelegatedPermissionGrant.ConsentType", None, Some(&encoded(&json!("Principal")))),
        change("ServicePrincipal.ObjectID", None, Some(&encoded(&json!(consent.client)))),
        change("ServicePrincipal.AppId", None, Some(&encoded(&json!(consent.app_id)))),
    ];
    let target = other_target(consent.graph, "Microsoft Graph", "ServicePrincipal", &modified);
    records.push(record("Add delegated permission grant", "Assign", vec![target]));
    let modified = [
        change("ConsentContext.IsAdminConsent", None, Some(&encoded(&json!("False")))),
        change("ConsentContext.IsAppOnly", None, Some(&encoded(&json!("False")))),
        change("ConsentContext.OnBehalfOfAll", None, Some(&encoded(&json!("False")))),
        change("ConsentAction.Permissions", None, Some(&encoded(&json!(permissions)))),
    ];
    let target = other_target(consent.client, consent.name, "ServicePrincipal", &modified);
    records.push(record("Consent to application", "Assign", vec![target]));
    records.into_iter().map(|record| record.value(chance)).collect()
}

/// The records of a device's registration: by the service, and by the directory for its owner.
pub(super) fn device(chance: &mut Chance, at: Moment, person: &Person, id: &str, name: &str) -> Vec<Value> {
    let modified = [
        change("Device.ObjectID", None, Some(&encoded(&json!(id)))),
        change("Device.DisplayName", None, Some(&encoded(&json!(name)))),
    ];
    let service = Record {
        at,
        service: "Device Registration Service",
        category: "Device",
        activity: "Register device",
        operation: "Add",
        reason: "",
        actor: Actor::Service("Device Registration Service"),
        targets: vec![other_target(id, name, "Device", &[])],
    };
    let owner = |activity| Record {
        at: at.plus(1),
        service: "Core Directory",
        category: "Device",
        activity,
        operation: "Assign",
        reason: "",
        actor: Actor::Person(person, None),
        targets: vec![user_target(person, &modified), other_target(id, name, "Device", &[])],
    };
    let records = [service, owner("Add registered owner to device"), owner("Add registered users to device")];
    records.into_iter().map(|record| record.value(chance)).collect()
}

/// The record of a role that somebody was given.
pub(super) fn role(
    chance: &mut Chance,
    at: Moment,
    by: &Person,
    to: &Person,
    definition: (&str, &str),
) -> Value {
    let (id, name) = definition;
    let modified = [
        change("Role.ObjectID", None, Some(&encoded(&json!(chance.guid())))),
        change("Role.DisplayName", None, Some(&encoded(&json!(name)))),
        change("Role.TemplateId", None, Some(&encoded(&json!(id)))),
    ];
    let address = service_address(chance);
    Record {
        at,
        service: "Core Directory",
        category: "RoleManagement",
        activity: "Add member to role",
        operation: "Assign",
        reason: "",
        actor: Actor::Person(by, Some(address)),
        targets: vec![user_target(to, &modified), other_target(id, name, "Role", &[])],
    }
    .value(chance)
}
