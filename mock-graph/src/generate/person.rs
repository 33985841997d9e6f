//! People: users with their lines, devices and methods.

use serde_json::{Value, json};

use super::chance::Chance;
use super::client::{Device, Model};
use super::moment::{DAY, HOUR, Moment};
use super::network::{Addresses, City, Line};

/// The method that is the password, for everybody.
pub(super) const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";
pub(super) const MOBILE_PHONE: &str = "3179e48a-750b-4051-897c-87b9720928f7";
pub(super) const OTHER_PHONE: &str = "b6332ec1-7057-4abe-9331-3d72feddfe41";
pub(super) const EMAIL: &str = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f";

pub(super) const COMPANIES: [(&str, &str); 8] = [
    ("Contoso", "contoso.com"),
    ("Fabrikam", "fabrikam.com"),
    ("Adatum", "adatum.com"),
    ("Northwind Traders", "northwindtraders.com"),
    ("Tailspin Toys", "tailspintoys.com"),
    ("Litware", "litwareinc.com"),
    ("Proseware", "proseware.com"),
    ("Fourth Coffee", "fourthcoffee.com"),
];

pub(super) const NAMES: [(&str, &str); 28] = [
    ("Adele", "Vance"),
    ("Alex", "Wilber"),
    ("Debra", "Berger"),
    ("Diego", "Siciliani"),
    ("Grady", "Archie"),
    ("Henrietta", "Mueller"),
    ("Isaiah", "Langer"),
    ("Johanna", "Lorenz"),
    ("Joni", "Sherman"),
    ("Lee", "Gu"),
    ("Lidia", "Holloway"),
    ("Lynne", "Robbins"),
    ("Megan", "Bowen"),
    ("Miriam", "Graham"),
    ("Nestor", "Wilke"),
    ("Patti", "Fernandez"),
    ("Pradeep", "Gupta"),
    ("Allan", "Deyoung"),
    ("Christie", "Cline"),
    ("Irvin", "Sayers"),
    ("Maren", "Falk"),
    ("Victor", "Stone"),
    ("Ines", "Duarte"),
    ("Emily", "Braun"),
    ("Ben", "Walters"),
    ("Cameron", "White"),
    ("Delia", "Dennis"),
    ("Raul", "Razo"),
];

const TITLES: [(&str, &str); 7] = [
    ("Accounts Payable Clerk", "Finance"),
    ("Finance Manager", "Finance"),
    ("Sales Representative", "Sales"),
    ("Buyer", "Purchasing"),
    ("Marketing Assistant", "Marketing"),
    ("Recruiter", "Human Resources"),
    ("Project Manager", "Operations"),
];

const PHONES: [&str; 6] = ["iPhone 13", "iPhone 14", "iPhone 15", "Pixel 8", "SM-S911B", "SM-A546B"];

/// A registration of the Authenticator, or of an app that shows codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authenticator {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// Shows codes alone, so that Graph tells nothing but an id.
    pub(super) is_code_only: bool,
    /// Used without a password, so that Graph tells when it was made.
    pub(super) made: Option<Moment>,
    pub(super) token: String,
}

impl Authenticator {
    pub(super) fn make(chance: &mut Chance, name: &str) -> Self {
        let is_apple = name.starts_with("iPhone");
        let front = if is_apple { "apns2-" } else { "fcm-" };
        let version = if is_apple { "6.8.26" } else { "6.2505.3412" };
        Self {
            id: chance.guid(),
            name: name.to_owned(),
            version: version.to_owned(),
            is_code_only: false,
            made: None,
            token: format!("{front}{}", chance.hex(40)),
        }
    }

    pub(super) fn code_only(chance: &mut Chance) -> Self {
        Self {
            id: chance.guid(),
            name: "NO_DEVICE".to_owned(),
            version: "NO_PHONE_APP_VERSION".to_owned(),
            is_code_only: true,
            made: None,
            token: "NO_DEVICE_TOKEN".to_owned(),
        }
    }

    /// The method as Graph shows it.
    pub(super) fn method(&self) -> Value {
        if self.is_code_only {
            return json!({
                "@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod", "id": self.id,
                "createdDateTime": null, "secretKey": null
            });
        }
        json!({
            "@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod", "id": self.id,
            "displayName": self.name, "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": self.version,
            "createdDateTime": self.made.map(Moment::text)
        })
    }

    /// The element of `StrongAuthenticationPhoneAppDetail`.
    pub(super) fn detail(&self, last_used: Option<Moment>) -> Value {
        let (kind, notification) = match (self.is_code_only, self.token.starts_with("apns2-")) {
            (true, _) => (2, 1),
            (false, true) => (3, 2),
            (false, false) => (3, 4),
        };
        json!({
            "DeviceName": self.name, "DeviceToken": self.token, "DeviceTag": "SoftwareTokenActivated",
            "PhoneAppVersion": self.version, "OathTokenTimeDrift": 0,
            "DeviceId": "00000000-0000-0000-0000-000000000000", "Id": self.id, "TimeInterval": 0,
            "AuthenticationType": kind, "NotificationType": notification,
            "LastAuthenticatedTimestamp": last_used.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), Moment::text),
            "AuthenticatorFlavor": "Authenticator", "HashFunction": "hmacsha1", "TenantDeviceId": null,
            "SecuredPartitionId": 20166, "SecuredKeyId": 7
        })
    }
}

/// A user with what belongs to one.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) upn: String,
    title: (&'static str, &'static str),
    pub(super) created: Moment,
    pub(super) password_changed: Moment,
    pub(super) city: City,
    pub(super) home: Line,
    pub(super) mobile: Line,
    pub(super) computer: Device,
    pub(super) phone: Option<Device>,
    /// The session of the computer, and of the phone.
    pub(super) session: String,
    pub(super) phone_session: String,
    pub(super) apps: Vec<Authenticator>,
    pub(super) has_phone_number: bool,
    /// Signs in with the password alone: the policy excepts the account.
    pub(super) is_exempt: bool,
}

impl Person {
    pub(super) fn make(
        chance: &mut Chance,
        addresses: &mut Addresses,
        (first, last): (&'static str, &'static str),
        domain: &str,
        city: City,
        now: Moment,
    ) -> Self {
        let created = now.day(chance.between(420, 1600)).plus(chance.between(8, 17) * HOUR);
        let password_changed = now.day(chance.between(60, 300)).plus(chance.between(8, 17) * HOUR);
        let model = if chance.percent(75) { Model::Laptop } else { Model::Mac };
        let registered = created.plus(chance.between(1, 200) * DAY);
        let computer = Device::make(chance, model, true, registered);
        let model = chance.pick(&[Model::Iphone, Model::Pixel]);
        let registered = created.plus(chance.between(2, 300) * DAY);
        let phone = chance.percent(60).then(|| Device::make(chance, model, true, registered));
        let provider = chance.pick(&city.homes);
        let name = chance.pick(&PHONES);
        let mut apps = vec![Authenticator::make(chance, name)];
        if chance.percent(30) {
            let name = chance.pick(&PHONES);
            apps.push(Authenticator::make(chance, name));
        }
        Self {
            id: chance.guid(),
            first,
            last,
            upn: format!("{}.{}@{domain}", first.to_lowercase(), last.to_lowercase()),
            title: chance.pick(&TITLES),
            created,
            password_changed,
            city,
            home: addresses.line(chance, provider, city.place),
            mobile: addresses.line(chance, city.mobile, city.place),
            computer,
            phone,
            session: chance.guid(),
            phone_session: chance.guid(),
            apps,
            has_phone_number: chance.percent(50),
            is_exempt: false,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// The user object.
    pub(super) fn object(&self, domain: &str) -> Value {
        let nickname = format!("{}.{}", self.first.to_lowercase(), self.last.to_lowercase());
        let mut user = user(&self.id, &self.name(), &nickname, domain, self.created);
        if let Some(entries) = user.as_object_mut() {
            let own = [
                ("givenName", json!(self.first)),
                ("surname", json!(self.last)),
                ("jobTitle", json!(self.title.0)),
                ("department", json!(self.title.1)),
                ("usageLocation", json!(self.city.place.country)),
                ("lastPasswordChangeDateTime", json!(self.password_changed.text())),
                ("signInSessionsValidFromDateTime", json!(self.password_changed.text())),
            ];
            entries.extend(own.map(|(key, value)| (key.to_owned(), value)));
        }
        user
    }

    /// The methods, the password among them.
    pub(super) fn methods(&self) -> Vec<Value> {
        let mut methods = vec![password_method(self.password_changed)];
        methods.extend(self.apps.iter().map(Authenticator::method));
        if self.has_phone_number {
            methods.push(phone_method(MOBILE_PHONE, "mobile", "+1 4255550142"));
        }
        if self.is_exempt {
            methods.push(json!({
                "@odata.type": "#microsoft.graph.emailAuthenticationMethod", "id": EMAIL, "createdDateTime": null,
                "emailAddress": format!("{}.{}@wingtiptoys.com", self.first.to_lowercase(), self.last.to_lowercase())
            }));
        }
        methods
    }
}

/// A user object with every property that a whole one has.
pub(super) fn user(id: &str, name: &str, nickname: &str, domain: &str, created: Moment) -> Value {
    let upn = format!("{nickname}@{domain}");
    let mut proxies = vec![format!("SMTP:{upn}")];
    if let Some(tail) = domain.split('.').next().filter(|_| !domain.ends_with("onmicrosoft.com")) {
        proxies.push(format!("smtp:{nickname}@{tail}.onmicrosoft.com"));
    }
    json!({
        "id": id, "displayName": name, "givenName": null, "surname": null, "userPrincipalName": upn, "mail": upn,
        "mailNickname": nickname, "userType": "Member", "accountEnabled": true, "createdDateTime": created.text(),
        "jobTitle": null, "department": null, "usageLocation": "US", "businessPhones": [], "mobilePhone": null,
        "officeLocation": null, "preferredLanguage": null, "otherMails": [], "passwordPolicies": null,
        "externalUserState": null, "isManagementRestricted": null, "isResourceAccount": null,
        "assignedLicenses": [{ "disabledPlans": [], "skuId": "06ebc4ee-1bb5-47dd-8120-11324bc54e06" }],
        "identities": [{ "signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": upn }],
        "proxyAddresses": proxies,
        "onPremisesSyncEnabled": null, "onPremisesLastSyncDateTime": null, "onPremisesImmutableId": null,
        "onPremisesDistinguishedName": null, "onPremisesDomainName": null, "onPremisesSamAccountName": null,
        "onPremisesSecurityIdentifier": null, "onPremisesUserPrincipalName": null,
        "lastPasswordChangeDateTime": created.text(), "signInSessionsValidFromDateTime": created.text()
    })
}

pub(super) fn password_method(changed: Moment) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": PASSWORD_METHOD,
        "createdDateTime": changed.text(), "password": null
    })
}

pub(super) fn phone_method(id: &str, kind: &str, number: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": id, "createdDateTime": null,
        "phoneNumber": number, "phoneType": kind, "smsSignInState": "notSupported"
    })
}
