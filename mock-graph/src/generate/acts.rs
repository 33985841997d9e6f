//! What an intruder does once in: each act is a sign-in in the stolen session, then what it leaves.

use serde_json::json;

use super::audit;
use super::client::{App, Device, Model};
use super::intruder::{Hold, Intruder};
use super::moment::{DAY, HOUR, MINUTE, Moment};
use super::network::Line;
use super::objects::{Installed, Principal, folder};
use super::person::{Authenticator, OTHER_PHONE, Person, phone_method};
use super::row::{Proof, SignIn};
use super::story::{Hand, Story};
use super::twist::Twist;

const ROGUE_PHONES: [&str; 5] = ["Infinix X6525", "SM-A155F", "Redmi Note 12", "iPhone 11", "moto g24"];
const ROGUE_APPS: [&str; 5] =
    ["Mail Backup Assistant", "PDF Converter Pro", "O365 Sync Helper", "eM Migration", "SignDoc Online"];
const OUTSIDE: [&str; 6] = [
    "accounting@woodgrovebank.com",
    "purchasing@wingtiptoys.com",
    "billing@alpineskihouse.com",
    "ap@margiestravel.com",
    "finance@consolidatedmessenger.com",
    "office@lucernepublishing.com",
];
const SUBJECTS: [&str; 5] = [
    "Updated bank details",
    "Invoice 4471 overdue",
    "Re: outstanding payment",
    "ACH change form",
    "Shared document: Q3 remittance",
];
const ROGUE_SCOPES: [&str; 3] = [
    "Mail.ReadWrite Mail.Send MailboxSettings.ReadWrite offline_access User.Read",
    "Mail.Read Mail.Send Contacts.Read Files.Read.All offline_access openid profile",
    "Mail.ReadWrite Mail.Send People.Read offline_access User.ReadBasic.All",
];

/// The intruder in one account.
pub(super) struct Acting<'a> {
    pub(super) story: &'a mut Story,
    pub(super) intruder: &'a Intruder,
    pub(super) hold: &'a mut Hold,
}

impl Acting<'_> {
    fn hand(&self) -> Hand {
        Hand::Intruder(self.hold.victim.upn.clone())
    }

    /// A line of the intruder's.
    pub(super) fn line(&mut self) -> Line {
        let index = self.story.chance.below(self.intruder.lines.len());
        self.intruder.lines.get(index).cloned().unwrap_or_else(|| self.story.office.clone())
    }

    /// A sign-in in the stolen session.
    pub(super) fn enter(&mut self, at: Moment, line: &Line, app: App, proof: Proof) {
        let victim = self.hold.victim.clone();
        let proof = match proof {
            Proof::Claim if victim.is_exempt => Proof::PasswordClaim,
            Proof::ClaimOnPage if victim.is_exempt => Proof::Password,
            proof => proof,
        };
        let hand = self.hand();
        let risk = self.story.chance.percent(25).then_some(("medium", "anomalousToken"));
        let session = self.hold.session.clone();
        let sign_in = SignIn {
            at,
            person: &victim,
            line,
            agent: &self.intruder.agent,
            device: None,
            app,
            session: &session,
            proof,
            risk,
        };
        self.story.sign_in(hand, &sign_in);
    }

    /// Comes back by every line over the days that are left.
    pub(super) fn linger(&mut self, from: Moment) {
        let lines = self.intruder.lines.clone();
        let left = (self.story.now.0 - from.0 - 3 * HOUR).max(HOUR);
        let count = i64::try_from(lines.len()).unwrap_or(1);
        for (index, line) in lines.iter().enumerate() {
            let share = left / count * i64::try_from(index).unwrap_or(0);
            let at = from.plus(share + self.story.chance.between(2 * MINUTE, 40 * MINUTE));
            let office = App::office(&mut self.story.chance);
            self.enter(at, line, office, Proof::Claim);
            if self.story.chance.percent(50) {
                self.enter(at.plus(7 * MINUTE), line, App::outlook(), Proof::ClaimOnPage);
            }
        }
    }

    /// Registers a method, and signs in by it later where the password is known.
    pub(super) fn register_method(&mut self, at: Moment, line: &Line) {
        self.enter(at.plus(-70), line, App::security_info(), Proof::ClaimOnPage);
        let victim = self.hold.victim.clone();
        let story = &mut *self.story;
        let by_phone = story.has(Twist::RoguePhoneNumber);
        let (id, reason, record, proof) = if by_phone {
            let own = victim.has_phone_number.then_some("+1 4255550142");
            let number = "+1 2065550177";
            story.more_methods.entry(victim.id.clone()).or_default().push(phone_method(
                OTHER_PHONE,
                "alternateMobile",
                number,
            ));
            let record = audit::phone_numbers(
                &mut story.chance,
                at.plus(-1),
                &victim,
                [own, None],
                [own, Some(number)],
            );
            (
                OTHER_PHONE.to_owned(),
                "User registered Alternative Mobile Phone",
                record,
                Proof::PasswordAndPush,
            )
        } else {
            let app = rogue_app(story, &victim);
            let registered = story.people.iter_mut().find(|person| person.id == victim.id);
            let before = registered.as_ref().map(|person| person.apps.clone()).unwrap_or_default();
            if let Some(person) = registered {
                person.apps.insert(0, app.clone());
            }
            let old: Vec<_> = before.iter().map(|own| (own, Some(at.plus(-2 * DAY)))).collect();
            let new: Vec<_> = [(&app, None)].into_iter().chain(old.iter().copied()).collect();
            let record = audit::phone_apps(&mut story.chance, at.plus(-1), &victim, &old, &new);
            let (reason, proof) = if app.is_code_only {
                ("User registered Authenticator App with Code", Proof::PasswordAndCode)
            } else {
                ("User registered Authenticator App with Notification and Code", Proof::PasswordAndPush)
            };
            (app.id, reason, record, proof)
        };
        let hand = Hand::Intruder(victim.upn.clone());
        let record = if story.has(Twist::CutOffAudit) { cut_off(record) } else { record };
        story.audit(&hand, at, &id, "", vec![record]);
        if !story.has(Twist::RegistrationWithoutAddress) {
            let named = audit::security_info(
                &mut story.chance,
                at,
                &victim,
                &line.ip,
                "User registered security info",
                reason,
            );
            story.audit(&hand, at, &id, &line.ip, vec![named]);
        }
        story.truth.of(&victim.upn).rogue_methods.insert(id.clone());
        self.hold.methods.push(id);
        if self.hold.knows_password {
            self.sign_in_again(at.plus(3 * HOUR), line, proof);
        }
    }

    /// A session of its own, by password and the new method.
    fn sign_in_again(&mut self, at: Moment, line: &Line, proof: Proof) {
        let victim = self.hold.victim.clone();
        let session = self.story.chance.guid();
        let hand = self.hand();
        // An excepted account is asked for no second factor, whoever has registered one.
        let proof = if victim.is_exempt { Proof::Password } else { proof };
        self.story.bare_sign_in(
            hand,
            (&victim, at, line),
            &self.intruder.agent,
            (App::home(), &session),
            proof,
        );
        // The stolen session goes on from the same place.
        self.enter(at.plus(4 * MINUTE), line, App::outlook(), Proof::Claim);
    }

    /// Plants an inbox rule.
    pub(super) fn plant_rule(&mut self, at: Moment, line: &Line) {
        self.enter(at.plus(-50), line, App::outlook(), Proof::Claim);
        self.leave_rule(at, line);
    }

    /// The same by an app that may change settings.
    pub(super) fn plant_rule_by_app(&mut self, at: Moment, app: &Installed, line: &Line) {
        self.use_app(at.plus(-50), app, line);
        self.leave_rule(at, line);
    }

    fn leave_rule(&mut self, at: Moment, line: &Line) {
        let story = &mut *self.story;
        let victim = self.hold.victim.clone();
        let name = story.chance.pick(&[".", "..", "a", ",,", "rss"]);
        let name = story.chosen(name);
        let rule = match story.chance.below(3) {
            0 => json!({
                "displayName": name, "conditions": null,
                "actions": { "forwardTo": [{ "emailAddress": { "name": "m", "address": "m.archive.77@box-mail.example" } }],
                    "markAsRead": true, "delete": true, "stopProcessingRules": true },
                "exceptions": null
            }),
            1 => json!({
                "displayName": name,
                "conditions": { "subjectContains": ["invoice", "payment", "wire", "bank details", "remittance"] },
                "actions": { "moveToFolder": folder(&mut story.chance), "markAsRead": true, "stopProcessingRules": true,
                    "redirectTo": [{ "emailAddress": { "name": "x", "address": "pay.desk@outlet-post.example" } }] },
                "exceptions": null
            }),
            _ => json!({
                "displayName": name,
                "conditions": { "bodyOrSubjectContains": ["phish", "hacked", "suspicious", "did you send", "fraud", "compromised"] },
                "actions": { "delete": true, "markAsRead": true, "stopProcessingRules": true }, "exceptions": null
            }),
        };
        let id = story.add_rule(&victim.id, rule);
        story.note_rule(at, &victim, &name, &line.ip);
        story.truth.of(&victim.upn).rogue_rules.insert(id.clone());
        self.hold.rules.push(id);
    }

    /// Consents to an app of the intruder's, in the user's name.
    pub(super) fn consent(&mut self, at: Moment, line: &Line) {
        let app = install(self.story, at);
        self.enter(at.plus(-20), line, App::own(&app.app_id, &app.name), Proof::ClaimOnPage);
        let hand = self.hand();
        self.grant(at, &app, &hand);
        for hours in [5, 29] {
            let line = self.line();
            self.use_app(at.plus(hours * HOUR), &app, &line);
        }
    }

    /// The grant with its records.
    pub(super) fn grant(&mut self, at: Moment, app: &Installed, hand: &Hand) {
        let story = &mut *self.story;
        let victim = self.hold.victim.clone();
        let scope = story.chance.pick(&ROGUE_SCOPES);
        let grant = story.add_grant(app, Some(&victim.id), scope);
        let records = story.consent_records(at, &victim, app, &grant, scope);
        story.audit(hand, at, &grant, "", records);
        let findings = story.truth.of(&victim.upn);
        findings.rogue_grants.insert(grant.clone());
        findings.rogue_apps.insert(app.id.clone());
        self.hold.grants.push(grant);
    }

    /// The app works by itself, from the intruder's machine.
    pub(super) fn use_app(&mut self, at: Moment, app: &Installed, line: &Line) {
        let victim = self.hold.victim.clone();
        let session = self.story.chance.guid();
        let hand = self.hand();
        let proof = if victim.is_exempt { Proof::PasswordClaim } else { Proof::Claim };
        let app = App::own(&app.app_id, &app.name);
        self.story.bare_sign_in(hand, (&victim, at, line), &self.intruder.agent, (app, &session), proof);
    }

    /// Registers a device, and comes back by it.
    pub(super) fn register_device(&mut self, at: Moment, line: &Line) {
        self.enter(at.plus(-30), line, App::broker(), Proof::ClaimOnPage);
        let story = &mut *self.story;
        let victim = self.hold.victim.clone();
        let mut device = Device::make(&mut story.chance, Model::Laptop, false, at);
        device.name = story.chosen(&device.name);
        let records = audit::device(&mut story.chance, at, &victim, &device.id, &device.name);
        let hand = Hand::Intruder(victim.upn.clone());
        story.audit(&hand, at, &device.id, "", records);
        story.truth.of(&victim.upn).rogue_devices.insert(device.id.clone());
        let session = story.chance.guid();
        let agent = device.agent();
        let sign_in = SignIn {
            at: at.plus(2 * HOUR),
            person: &victim,
            line,
            agent: &agent,
            device: Some(&device),
            app: App::outlook(),
            session: &session,
            proof: Proof::Claim,
            risk: None,
        };
        story.sign_in(hand, &sign_in);
        self.hold.device = Some(device.id.clone());
        story.devices.push((device, victim.id));
    }

    /// Writes to people in the user's name.
    pub(super) fn send_mail(&mut self, at: Moment, line: &Line) {
        self.enter(at.plus(-2 * MINUTE), line, App::outlook(), Proof::Claim);
        self.write(at, line);
    }

    /// The mail itself.
    pub(super) fn write(&mut self, at: Moment, line: &Line) {
        let hand = self.hand();
        let from = self.hold.victim.upn.clone();
        let story = &mut *self.story;
        let subject = story.chance.pick(&SUBJECTS);
        let subject = story.chosen(subject);
        let mut to: Vec<String> = OUTSIDE.iter().map(|address| (*address).to_owned()).collect();
        story.chance.shuffle(&mut to);
        to.truncate(2 + story.chance.below(3));
        to.extend(story.colleagues().into_iter().take(1 + story.chance.below(2)).map(|person| person.upn));
        for (index, recipient) in to.iter().enumerate() {
            let at = at.plus(i64::try_from(index).unwrap_or(0) * 11);
            story.mail(&hand, at, &from, recipient, &subject, &line.ip);
        }
    }

    /// An administrator's account gives somebody a role.
    pub(super) fn give_role(&mut self, at: Moment, line: &Line, to: &Person) {
        let portal = App::own("c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal");
        self.enter(at.plus(-40), line, portal, Proof::ClaimOnPage);
        let hand = self.hand();
        let story = &mut *self.story;
        let role = story.chance.pick(&[
            ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
            ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
            ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader"),
        ]);
        let assignment = story.add_role(&to.id, role.0);
        let record = audit::role(&mut story.chance, at, &self.hold.victim, to, role);
        story.audit(&hand, at, &assignment, "", vec![record]);
        story.truth.of(&to.upn).rogue_roles.insert(assignment);
    }
}

/// Puts an app of nobody's into the tenant.
pub(super) fn install(story: &mut Story, at: Moment) -> Installed {
    let name = story.chance.pick(&ROGUE_APPS);
    let name = story.chosen(name);
    story.add_principal(&Principal::unverified(&name, at))
}

fn rogue_app(story: &mut Story, victim: &Person) -> Authenticator {
    if story.has(Twist::RogueCodeApp) {
        return Authenticator::code_only(&mut story.chance);
    }
    let own = victim.apps.first().cloned();
    if let Some(own) = own.filter(|own| !own.is_code_only)
        && story.has(Twist::SamePhoneName)
    {
        return Authenticator { version: own.version, ..Authenticator::make(&mut story.chance, &own.name) };
    }
    let name = story.chance.pick(&ROGUE_PHONES);
    let name = story.chosen(name);
    Authenticator::make(&mut story.chance, &name)
}

/// The values as the portal cuts them off: the old one all of it known devices, the new one begins with the new one.
fn cut_off(mut record: serde_json::Value) -> serde_json::Value {
    let properties = record.pointer_mut("/targetResources/0/modifiedProperties");
    let property = properties.and_then(serde_json::Value::as_array_mut).and_then(|all| all.first_mut());
    let Some(property) = property.and_then(serde_json::Value::as_object_mut) else { return record };
    for key in ["oldValue", "newValue"] {
        let Some(value) = property.get(key).and_then(serde_json::Value::as_str) else { continue };
        let elements = value.trim_start_matches('[').trim_end_matches(']');
        if elements.is_empty() {
            continue;
        }
        // Whole elements first, then the same again until it is cut: so each that there is can be read.
        let kept = format!("[{elements},{elements}");
        let end = kept.char_indices().map(|(index, _)| index).nth(kept.chars().count() - 40);
        let cut = kept.get(..end.unwrap_or(kept.len())).unwrap_or_default().to_owned();
        property.insert(key.to_owned(), json!(cut));
    }
    record
}
