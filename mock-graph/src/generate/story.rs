//! A case in the making: the tenant's lists as they fill, and whose doing each record is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::audit::{self, Consent};
use super::chance::Chance;
use super::client::{Agent, App, Device, SERVICES};
use super::kind::Kind;
use super::moment::{DAY, HOUR, MINUTE, Moment};
use super::network::{Addresses, CITIES, City, Line};
use super::objects::Installed;
use super::person::{COMPANIES, NAMES, Person};
use super::row::{Ground, Proof, SignIn};
use super::truth::Truth;
use super::twist::{self, Twist};

/// How far back the past of a case goes.
pub(super) const PAST: i64 = 35;

/// Whose doing a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// Somebody's own.
    Owner,
    /// The intruder's, in the account of this user.
    Intruder(String),
    /// Somebody's who never got in.
    Stranger,
    /// The records do not tell.
    Anybody,
}

/// A row of a log with whose doing it is.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Moment,
    pub(super) hand: Hand,
    /// The address that it tells, before anything masks it.
    pub(super) ip: String,
    /// The session, in the sign-in log; the method that it is about, in the audit log.
    pub(super) about: String,
    pub(super) agent: String,
    pub(super) value: Value,
}

/// A case in the making.
pub(super) struct Story {
    pub(super) kind: Kind,
    pub(super) chance: Chance,
    pub(super) addresses: Addresses,
    pub(super) twists: BTreeSet<Twist>,
    pub(super) now: Moment,
    /// Where the sign-in and audit logs begin.
    pub(super) log_begins: Moment,
    pub(super) company: &'static str,
    pub(super) domain: &'static str,
    pub(super) city: City,
    pub(super) office: Line,
    pub(super) ground: Ground,
    /// Victims first.
    pub(super) people: Vec<Person>,
    pub(super) victims: usize,
    pub(super) sign_ins: Vec<Entry>,
    pub(super) audits: Vec<Entry>,
    pub(super) traces: Vec<Entry>,
    /// Methods beside those that each person has, by user id.
    pub(super) more_methods: BTreeMap<String, Vec<Value>>,
    /// Devices with the id of the owner.
    pub(super) devices: Vec<(Device, String)>,
    pub(super) principals: Vec<Value>,
    pub(super) graph_principal: String,
    pub(super) grants: Vec<Value>,
    pub(super) rules: BTreeMap<String, Vec<Value>>,
    pub(super) roles: Vec<Value>,
    pub(super) audit_log: Vec<Value>,
    pub(super) risky_users: Vec<Value>,
    pub(super) risk_detections: Vec<Value>,
    pub(super) attackers: Vec<Value>,
    pub(super) truth: Truth,
}

impl Story {
    pub(super) fn begin(kind: Kind, seed: u64) -> Self {
        let seeded = |word: &str| Chance::seeded(seed, &format!("{kind} {word}"));
        let twists = twist::choose(kind, &mut seeded("twists"));
        let mut chance = seeded("tenant");
        let mut addresses = Addresses::default();
        // A working day of 2026, in the afternoon.
        let mut day = Moment(1_769_990_400).plus(chance.between(0, 240) * DAY);
        while !day.day(0).is_workday() {
            day = day.plus(DAY);
        }
        let now = day.day(0).plus(chance.between(13, 17) * HOUR + chance.between(0, 59) * MINUTE);
        let (company, domain) = chance.pick(&COMPANIES);
        let city = chance.pick(&CITIES);
        let office = addresses.line(&mut chance, city.business, city.place);
        let victims = if kind == Kind::Mass { 2 + chance.below(3) } else { 1 };
        let count = victims + 5 + chance.below(3);
        let mut names = NAMES.to_vec();
        chance.shuffle(&mut names);
        let people: Vec<Person> = names
            .into_iter()
            .take(count)
            .map(|name| {
                let city = if chance.percent(85) { city } else { chance.pick(&CITIES) };
                Person::make(&mut chance, &mut addresses, name, domain, city, now)
            })
            .collect();
        let ground = Ground {
            tenant: chance.guid(),
            policy: chance.guid(),
            office: (office.ip.clone(), "Head office"),
            shows_risk: !twists.contains(&Twist::HiddenRisk),
        };
        let mut story = Self {
            kind,
            addresses,
            now,
            log_begins: now.day(PAST),
            company,
            domain,
            city,
            office,
            ground,
            people,
            victims,
            sign_ins: Vec::new(),
            audits: Vec::new(),
            traces: Vec::new(),
            more_methods: BTreeMap::new(),
            devices: Vec::new(),
            principals: Vec::new(),
            graph_principal: chance.guid(),
            grants: Vec::new(),
            rules: BTreeMap::new(),
            roles: Vec::new(),
            audit_log: Vec::new(),
            risky_users: Vec::new(),
            risk_detections: Vec::new(),
            attackers: Vec::new(),
            truth: Truth { twists: BTreeSet::new(), ..Truth::default() },
            twists,
            chance,
        };
        story.has(Twist::HiddenRisk);
        if kind == Kind::Spray
            && let Some(victim) = story.people.first_mut()
        {
            victim.is_exempt = true;
            victim.apps.clear();
            victim.has_phone_number = false;
        }
        for person in story.people.clone() {
            let phone = person.phone.clone();
            story.devices.extend(
                [Some(person.computer), phone]
                    .into_iter()
                    .flatten()
                    .map(|device| (device, person.id.clone())),
            );
        }
        for (id, name) in SERVICES {
            let object =
                if name == "Microsoft Graph" { story.graph_principal.clone() } else { story.chance.guid() };
            story.principals.push(microsoft_principal(&object, id, name));
        }
        for index in 0..story.victims {
            let upn = story.person(index).map(|victim| victim.upn).unwrap_or_default();
            story.truth.victims.push(upn.clone());
            story.truth.of(&upn);
        }
        story
    }

    /// Whether the case has a twist; asking for it notes that it is told.
    pub(super) fn has(&mut self, twist: Twist) -> bool {
        let has = self.twists.contains(&twist);
        if has {
            self.truth.twists.insert(twist);
        }
        has
    }

    pub(super) fn person(&self, index: usize) -> Option<Person> {
        self.people.get(index).cloned()
    }

    /// Everybody who is no victim.
    pub(super) fn colleagues(&self) -> Vec<Person> {
        self.people.iter().skip(self.victims).cloned().collect()
    }

    /// A text that somebody could choose freely.
    pub(super) fn chosen(&mut self, text: &str) -> String {
        const HOSTILE: [&str; 7] = [
            "\u{1b}[2J\u{1b}[31m",
            "\u{202e}",
            "<img src=x onerror=alert(1)>",
            "=HYPERLINK(\"http://phish.example\",\"x\")",
            "\u{7}\r\n",
            "@SUM(1+1)",
            "\u{200b}\u{2066}",
        ];
        if !self.has(Twist::HostileText) {
            return text.to_owned();
        }
        let hostile = self.chance.pick(&HOSTILE);
        // A formula is one at the beginning alone.
        if hostile.starts_with(['=', '@']) { format!("{hostile}{text}") } else { format!("{text}{hostile}") }
    }

    /// Puts a sign-in into the log.
    pub(super) fn sign_in(&mut self, hand: Hand, sign_in: &SignIn<'_>) {
        if sign_in.at > self.now {
            return;
        }
        let value = sign_in.row(&self.ground, &mut self.chance);
        self.sign_ins.push(Entry {
            at: sign_in.at,
            hand,
            ip: sign_in.line.ip.clone(),
            about: sign_in.session.to_owned(),
            agent: sign_in.agent.text.clone(),
            value,
        });
    }

    /// Puts records into the audit log: all are about one method, app or device.
    pub(super) fn audit(&mut self, hand: &Hand, at: Moment, about: &str, ip: &str, values: Vec<Value>) {
        self.audits.extend(values.into_iter().map(|value| Entry {
            at,
            hand: hand.clone(),
            ip: ip.to_owned(),
            about: about.to_owned(),
            agent: String::new(),
            value,
        }));
    }

    /// A mail in the message trace.
    pub(super) fn mail(&mut self, hand: &Hand, at: Moment, from: &str, to: &str, subject: &str, ip: &str) {
        let value = json!({
            "id": self.chance.guid(), "senderAddress": from, "recipientAddress": to, "subject": subject,
            "receivedDateTime": at.text(), "fromIP": ip, "toIP": "", "status": "delivered",
            "size": self.chance.between(6_000, 80_000), "messageId": format!("<{}@{}>", self.chance.guid(), self.domain)
        });
        self.traces.push(Entry {
            at,
            hand: hand.clone(),
            ip: ip.to_owned(),
            about: to.to_owned(),
            agent: String::new(),
            value,
        });
    }

    /// A sign-in of somebody at the own device.
    pub(super) fn own_sign_in(
        &mut self,
        person: &Person,
        at: Moment,
        line: &Line,
        device: &Device,
        proof: Proof,
    ) {
        let app = if device.is_phone() { App::outlook_mobile() } else { App::everyday(&mut self.chance) };
        let session = if device.is_phone() { &person.phone_session } else { &person.session };
        let proof = match proof {
            Proof::Claim if person.is_exempt => Proof::PasswordClaim,
            Proof::ClaimOnPage | Proof::PasswordAndPush if person.is_exempt => Proof::Password,
            proof => proof,
        };
        let agent = device.agent();
        self.sign_in(
            Hand::Owner,
            &SignIn {
                at,
                person,
                line,
                agent: &agent,
                device: Some(device),
                app,
                session,
                proof,
                risk: None,
            },
        );
    }

    /// A sign-in without a device that the directory knows.
    pub(super) fn bare_sign_in(
        &mut self,
        hand: Hand,
        (person, at, line): (&Person, Moment, &Line),
        agent: &Agent,
        (app, session): (App, &str),
        proof: Proof,
    ) {
        self.sign_in(
            hand,
            &SignIn { at, person, line, agent, device: None, app, session, proof, risk: None },
        );
    }

    /// The user is at the page that asks for consent to an app, at the own device.
    pub(super) fn consent_page(&mut self, person: &Person, app: &Installed, at: Moment) {
        let page = SignIn {
            at: at.plus(-15),
            person,
            line: &person.home,
            agent: &person.computer.agent(),
            device: Some(&person.computer),
            app: App::own(&app.app_id, &app.name),
            session: &person.session,
            proof: Proof::ClaimOnPage,
            risk: None,
        };
        self.sign_in(Hand::Owner, &page);
    }

    /// The records of the first consent to an app.
    pub(super) fn consent_records(
        &mut self,
        at: Moment,
        person: &Person,
        app: &Installed,
        grant: &str,
        scope: &str,
    ) -> Vec<Value> {
        let consent = Consent {
            app_id: &app.app_id,
            client: &app.id,
            name: &app.name,
            graph: &self.graph_principal,
            grant,
            scope,
            is_first: true,
        };
        audit::consent(&mut self.chance, at, person, &consent)
    }

    /// A time of day at somebody's place, so many days ago.
    pub(super) fn local(&mut self, person: &Person, days_ago: i64, from: i64, to: i64) -> Moment {
        let hour = self.chance.between(from, to) - person.city.place.offset;
        self.now.day(days_ago).plus(hour * HOUR + self.chance.between(0, HOUR - 1))
    }
}

fn microsoft_principal(object: &str, app: &str, name: &str) -> Value {
    json!({
        "id": object, "appId": app, "displayName": name, "appDisplayName": name,
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a", "createdDateTime": "2021-03-02T18:11:09Z",
        "publisherName": "Microsoft Services", "accountEnabled": true, "servicePrincipalType": "Application",
        "servicePrincipalNames": [app], "signInAudience": "AzureADMultipleOrgs", "tags": [],
        "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null }
    })
}
