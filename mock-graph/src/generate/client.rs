//! What signs in: user agents, devices, apps.

use serde_json::{Value, json};

use super::chance::Chance;
use super::moment::Moment;

/// A client as the log sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) text: String,
    pub(super) system: &'static str,
    pub(super) browser: &'static str,
}

impl Agent {
    fn of((text, system, browser): (&str, &'static str, &'static str)) -> Self {
        Self { text: text.to_owned(), system, browser }
    }

    /// A browser as anybody has it.
    pub(super) fn browser(chance: &mut Chance) -> Self {
        Self::of(chance.pick(&BROWSERS))
    }

    /// A program that makes no secret of it.
    pub(super) fn script(chance: &mut Chance) -> Self {
        Self::of(chance.pick(&SCRIPTS))
    }

    /// `python-requests`, which honest and dishonest people use.
    pub(super) fn python() -> Self {
        Self::of(("python-requests/2.32.3", "", "Python Requests 2.32"))
    }

    /// The platform as a policy names it.
    pub(super) fn platform(&self) -> &'static str {
        match self.system {
            "MacOs" => "macOS",
            "Linux" => "linux",
            _ => "windows",
        }
    }
}

const BROWSERS: [(&str, &str, &str); 4] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
        "Windows10",
        "Chrome 138.0.0",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
        "Windows10",
        "Edge 138.0.0",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
        "MacOs",
        "Chrome 138.0.0",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Windows10",
        "Firefox 140.0",
    ),
];

const SCRIPTS: [(&str, &str, &str); 6] = [
    ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "", ""),
    ("axios/1.7.9", "", "Rich Client"),
    ("python-requests/2.31.0", "", "Python Requests 2.31"),
    ("Go-http-client/2.0", "", ""),
    ("okhttp/4.12.0", "", ""),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/127.0.6533.0 Safari/537.36",
        "Linux",
        "Chrome Headless 127.0.6533",
    ),
];

/// A kind of device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Model {
    #[default]
    Laptop,
    Mac,
    Iphone,
    Pixel,
}

/// A device that the directory knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    /// Object id.
    pub(super) id: String,
    /// The device's own GUID, as sign-ins name it.
    pub(super) guid: String,
    pub(super) name: String,
    pub(super) model: Model,
    /// Joined, managed and compliant; else registered alone.
    pub(super) is_managed: bool,
    pub(super) registered: Moment,
}

impl Device {
    pub(super) fn make(chance: &mut Chance, model: Model, is_managed: bool, registered: Moment) -> Self {
        let guid = chance.guid();
        let tail = chance.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 7);
        let name = match (model, is_managed) {
            (Model::Laptop, true) => format!("LT-{tail}"),
            (Model::Laptop, false) => format!("DESKTOP-{tail}"),
            (Model::Mac, _) => format!("MacBook-{}", tail.get(..4).unwrap_or_default()),
            (Model::Iphone, _) => "iPhone 15".to_owned(),
            (Model::Pixel, _) => "Pixel 8".to_owned(),
        };
        Self { id: chance.guid(), guid, name, model, is_managed, registered }
    }

    /// What it signs in with.
    pub(super) fn agent(&self) -> Agent {
        match self.model {
            Model::Laptop => Agent::of((
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
                "Windows10",
                "Edge 138.0.0",
            )),
            Model::Mac => Agent::of((
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "MacOs",
                "Safari 18.5",
            )),
            Model::Iphone => Agent::of((
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 PKeyAuth/1.0",
                "Ios",
                "Mobile Safari",
            )),
            Model::Pixel => Agent::of((
                "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/137.0.0.0 Mobile Safari/537.36 PKeyAuth/1.0",
                "Android",
                "Chrome Mobile WebView 137.0.0",
            )),
        }
    }

    pub(super) const fn is_phone(&self) -> bool {
        matches!(self.model, Model::Iphone | Model::Pixel)
    }

    const fn trust(&self) -> (&'static str, &'static str) {
        match (self.model, self.is_managed) {
            (Model::Laptop, true) => ("AzureAd", "Azure AD joined"),
            _ => ("Workplace", "Azure AD registered"),
        }
    }

    /// `deviceDetail` of a row.
    pub(super) fn detail(&self) -> Value {
        let agent = self.agent();
        json!({
            "deviceId": self.guid, "displayName": self.name, "operatingSystem": agent.system,
            "browser": agent.browser, "browserId": null, "isCompliant": self.is_managed,
            "isManaged": self.is_managed, "trustType": self.trust().1
        })
    }

    /// The object in the directory.
    pub(super) fn object(&self, owner: &str, last_seen: Moment) -> Value {
        let (system, version, maker, model) = match self.model {
            Model::Laptop => ("Windows", "10.0.26100.4652", "LENOVO", "21HMCTO1WW"),
            Model::Mac => ("MacMDM", "15.5", "Apple", "MacBook Air"),
            Model::Iphone => ("iOS", "18.5", "Apple", "iPhone 15"),
            Model::Pixel => ("Android", "15", "Google", "Pixel 8"),
        };
        json!({
            "id": self.id, "deviceId": self.guid, "displayName": self.name, "accountEnabled": true,
            "operatingSystem": system, "operatingSystemVersion": version, "trustType": self.trust().0,
            "profileType": "RegisteredDevice", "isCompliant": if self.is_managed { json!(true) } else { json!(null) },
            "isManaged": if self.is_managed { json!(true) } else { json!(null) },
            "managementType": if self.is_managed { json!("MDM") } else { json!(null) },
            "deviceOwnership": if self.is_managed && !self.is_phone() { json!("Company") } else { json!("Personal") },
            "manufacturer": maker, "model": model, "onPremisesSyncEnabled": null,
            "registrationDateTime": self.registered.text(), "approximateLastSignInDateTime": last_seen.text(),
            "registeredOwners": [owner], "registeredUsers": [owner]
        })
    }
}

/// An app that signs in, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct App {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) resource_id: &'static str,
    pub(super) resource: &'static str,
    pub(super) is_browser: bool,
}

pub(super) const GRAPH: (&str, &str) = ("00000003-0000-0000-c000-000000000000", "Microsoft Graph");
const EXCHANGE: (&str, &str) = ("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online");
const SHAREPOINT: (&str, &str) = ("00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online");
const TEAMS: (&str, &str) = ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams Services");
const DIRECTORY: (&str, &str) = ("00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory");
const REGISTRATION: (&str, &str) = ("01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9", "Device Registration Service");
/// Microsoft's own services that the tenant has: appId and name.
pub(super) const SERVICES: [(&str, &str); 7] = [
    GRAPH,
    EXCHANGE,
    SHAREPOINT,
    TEAMS,
    DIRECTORY,
    REGISTRATION,
    ("8bd644d1-64a1-4d4b-ae52-2e0cbf64e373", "Exchange Message Trace"),
];

const OUTLOOK: (&str, &str) = ("9199bf20-a13f-4107-85dc-02114787ef48", "One Outlook Web");
const HOME: (&str, &str) = ("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome");
const TEAMS_WEB: (&str, &str) = ("5e3ce6c0-2b1f-4285-8d4b-75ee78787346", "Microsoft Teams Web Client");
const SITES: (&str, &str) =
    ("08e18876-6177-487e-b8b5-cf950c1e598c", "SharePoint Online Web Client Extensibility");

impl App {
    fn of(client: (&str, &str), resource: (&'static str, &'static str), is_browser: bool) -> Self {
        Self {
            id: client.0.to_owned(),
            name: client.1.to_owned(),
            resource_id: resource.0,
            resource: resource.1,
            is_browser,
        }
    }

    /// What people open all day.
    pub(super) fn everyday(chance: &mut Chance) -> Self {
        let (client, resource) =
            chance.pick(&[(OUTLOOK, EXCHANGE), (HOME, GRAPH), (TEAMS_WEB, TEAMS), (SITES, SHAREPOINT)]);
        Self::of(client, resource, true)
    }

    /// Mail in a browser.
    pub(super) fn outlook() -> Self {
        Self::of(OUTLOOK, EXCHANGE, true)
    }

    /// Mail on a phone.
    pub(super) fn outlook_mobile() -> Self {
        Self::of(("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile"), EXCHANGE, false)
    }

    /// The native client, which programs pretend to be.
    pub(super) fn office(chance: &mut Chance) -> Self {
        Self::of(
            ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office"),
            chance.pick(&[GRAPH, EXCHANGE]),
            false,
        )
    }

    /// The start page.
    pub(super) fn home() -> Self {
        Self::of(HOME, GRAPH, true)
    }

    /// Where people see and change their methods.
    pub(super) fn security_info() -> Self {
        Self::of(("19db86c3-b2b9-44cc-b339-36da233a3be2", "My Signins"), DIRECTORY, true)
    }

    /// What a device registers through.
    pub(super) fn broker() -> Self {
        Self::of(
            ("29d9ed98-a469-4536-ade2-f981bc1d605e", "Microsoft Authentication Broker"),
            REGISTRATION,
            false,
        )
    }

    /// An app of the company's own, or of somebody else's.
    pub(super) fn own(id: &str, name: &str) -> Self {
        Self::of((id, name), GRAPH, false)
    }
}
