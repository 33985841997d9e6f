//! Twists in which somebody honest looks like an intruder.

use serde_json::json;

use super::audit;
use super::client::{Agent, App, Device, Model};
use super::moment::{DAY, HOUR, MINUTE, Moment};
use super::network::AWAY;
use super::objects::Principal;
use super::person::{Authenticator, Person};
use super::row::{Proof, SignIn};
use super::story::{Hand, Story};
use super::twist::Twist;

/// One of them happening to somebody.
type Act = fn(&mut Story, &Person);

/// What lies before the incident, and is read by it: which phones are registered.
pub(super) fn prepare(story: &mut Story) {
    if story.twists.contains(&Twist::NewPhone)
        && story.chance.percent(50)
        && let Some(victim) = story.person(0)
        && story.has(Twist::NewPhone)
    {
        let days_ago = story.chance.between(8, 10);
        change_phone(story, &victim, days_ago);
    }
}

/// Lets happen what the case has of them.
pub(super) fn live(story: &mut Story) {
    let Some(victim) = story.person(0) else { return };
    if story.twists.contains(&Twist::NewPhone) && !story.truth.twists.contains(&Twist::NewPhone) {
        // After the incident began, and before it was reported.
        story.truth.twists.insert(Twist::NewPhone);
        change_phone(story, &victim, 1);
    }
    let acts: [(Twist, Act); 13] = [
        (Twist::Travels, travel),
        (Twist::Vpn, hide_behind_vpn),
        (Twist::ColleagueScript, run_colleagues_script),
        (Twist::OwnScript, run_own_script),
        (Twist::OfficeSpray, guess_from_office),
        (Twist::PrivateComputer, use_private_computer),
        (Twist::NewComputer, enrol_computer),
        (Twist::AppServer, let_app_refresh),
        (Twist::OpaqueRule, keep_opaque_rule),
        (Twist::PrivateForward, forward_to_home),
        (Twist::BorrowedComputer, borrow_computer),
        (Twist::UnverifiedApp, try_unverified_app),
        (Twist::BackgroundGuesses, be_guessed_at),
    ];
    for (twist, act) in acts {
        if story.has(twist) {
            act(story, &victim);
        }
    }
}

fn travel(story: &mut Story, victim: &Person) {
    let away: Vec<_> =
        AWAY.into_iter().filter(|(place, _)| place.country != victim.city.place.country).collect();
    let (place, provider) = story.chance.pick(&away);
    let hotel = story.addresses.line(&mut story.chance, provider, place);
    let from = story.chance.between(3, 9);
    for days_ago in (from - 2..=from).rev() {
        for hour in [8, 19] {
            let at =
                story.now.day(days_ago).plus((hour - place.offset) * HOUR + story.chance.between(0, 3000));
            let proof = if hour == 8 { Proof::ClaimOnPage } else { Proof::Claim };
            story.own_sign_in(victim, at, &hotel, &victim.computer, proof);
        }
    }
    if story.ground.shows_risk && story.chance.percent(50) {
        let at = story.now.day(from).plus(9 * HOUR);
        story.notice_risk(victim, at, "low", "unlikelyTravel", &hotel);
    }
}

fn change_phone(story: &mut Story, victim: &Person, days_ago: i64) {
    let at = story.local(victim, days_ago, 10, 16);
    // At the usual computer at home, with a fresh prompt on the old phone.
    let proof = SignIn {
        at: at.plus(-90),
        person: victim,
        line: &victim.home,
        agent: &victim.computer.agent(),
        device: Some(&victim.computer),
        app: App::security_info(),
        session: &victim.session,
        proof: Proof::PasswordAndPush,
        risk: None,
    };
    story.sign_in(Hand::Owner, &proof);
    let name = story.chance.pick(&["iPhone 16", "Pixel 9", "SM-S921B"]);
    let name = story.chosen(name);
    let new = Authenticator::make(&mut story.chance, &name);
    let Some(person) = story.people.first_mut() else { return };
    let before = person.apps.clone();
    person.apps.insert(0, new.clone());
    let old: Vec<_> = before.iter().map(|app| (app, Some(at.plus(-DAY)))).collect();
    let all: Vec<_> = [(&new, None)].into_iter().chain(old.iter().copied()).collect();
    let record = audit::phone_apps(&mut story.chance, at.plus(-1), victim, &old, &all);
    let named = audit::security_info(
        &mut story.chance,
        at,
        victim,
        &victim.home.ip,
        "User registered security info",
        "User registered Authenticator App with Notification and Code",
    );
    story.audit(&Hand::Owner, at, "", &victim.home.ip, vec![record, named]);
}

fn hide_behind_vpn(story: &mut Story, victim: &Person) {
    let exit = story.addresses.hosted(&mut story.chance);
    for days_ago in [24, 18, 12, 7, 5, 2] {
        let at = story.local(victim, days_ago, 19, 22);
        story.own_sign_in(victim, at, &exit, &victim.computer, Proof::Claim);
    }
}

/// A program of the company's own, under somebody's account.
fn run_script(story: &mut Story, person: &Person, name: &str, days: &[i64]) {
    let made = story.now.day(260);
    let name = format!("{} {name}", story.company);
    let app = story.add_principal(&Principal::own(&name, made));
    let grant = story.add_grant(&app, Some(&person.id), "Mail.Read Files.Read.All offline_access");
    if story.truth.by_victim.contains_key(&person.upn) {
        story.truth.of(&person.upn).keep_grants.insert(grant);
    }
    let machine = if story.chance.percent(50) {
        story.office.clone()
    } else {
        story.addresses.hosted(&mut story.chance)
    };
    let session = story.chance.guid();
    for days_ago in days {
        let at = story.now.day(*days_ago).plus(5 * HOUR + story.chance.between(0, 60));
        let proof = if person.is_exempt { Proof::PasswordClaim } else { Proof::Claim };
        let app = App::own(&app.app_id, &app.name);
        story.bare_sign_in(Hand::Owner, (person, at, &machine), &Agent::python(), (app, &session), proof);
    }
}

fn run_colleagues_script(story: &mut Story, _: &Person) {
    if let Some(colleague) = story.colleagues().first().cloned() {
        run_script(story, &colleague, "Invoice Export", &[30, 23, 16, 9, 6, 4, 2]);
    }
}

fn run_own_script(story: &mut Story, victim: &Person) {
    run_script(story, victim, "Report Mailer", &[33, 30, 26, 23, 19, 16, 12, 9, 6, 4, 2, 1]);
}

fn guess_from_office(story: &mut Story, victim: &Person) {
    let days_ago = story.chance.between(2, 6);
    let mut targets = story.colleagues();
    targets.truncate(4);
    targets.push(victim.clone());
    let office = story.office.clone();
    for (index, person) in targets.iter().enumerate() {
        let at = story.now.day(days_ago).plus(3 * HOUR + i64::try_from(index).unwrap_or(0) * 90);
        let session = story.chance.guid();
        let app = App::office(&mut story.chance);
        story.bare_sign_in(
            Hand::Owner,
            (person, at, &office),
            &Agent::python(),
            (app, &session),
            Proof::WrongPassword,
        );
    }
}

fn use_private_computer(story: &mut Story, victim: &Person) {
    let agent = Agent::browser(&mut story.chance);
    let session = story.chance.guid();
    for (index, days_ago) in [34, 29, 22, 15, 8, 3].into_iter().enumerate() {
        let at = story.local(victim, days_ago, 19, 22);
        let proof = match (index, victim.is_exempt) {
            (0, false) => Proof::PasswordAndPush,
            (0, true) => Proof::Password,
            (_, true) => Proof::PasswordClaim,
            _ => Proof::Claim,
        };
        let app = App::everyday(&mut story.chance);
        // It is the line that the own computer uses, too.
        story.bare_sign_in(Hand::Owner, (victim, at, &victim.home), &agent, (app, &session), proof);
    }
}

fn enrol_computer(story: &mut Story, victim: &Person) {
    let days_ago = story.chance.between(1, 6);
    let at = story.local(victim, days_ago, 9, 15);
    let line = if victim.city == story.city { story.office.clone() } else { victim.home.clone() };
    let mut device = Device::make(&mut story.chance, Model::Laptop, true, at);
    device.name = story.chosen(&device.name);
    let session = story.chance.guid();
    let proof = if victim.is_exempt { Proof::Password } else { Proof::PasswordAndPush };
    story.bare_sign_in(
        Hand::Owner,
        (victim, at.plus(-60), &line),
        &device.agent(),
        (App::broker(), &session),
        proof,
    );
    let records = audit::device(&mut story.chance, at, victim, &device.id, &device.name);
    story.audit(&Hand::Owner, at, "", "", records);
    for hours in [2, 5] {
        story.own_sign_in(victim, at.plus(hours * HOUR), &line, &device, Proof::Claim);
    }
    story.devices.push((device, victim.id.clone()));
}

fn let_app_refresh(story: &mut Story, victim: &Person) {
    let app =
        story.add_principal(&Principal::verified("Relecloud Signatures", "Relecloud", story.now.day(340)));
    let server = story.addresses.hosted(&mut story.chance);
    let agent = Agent { text: "axios/1.8.4".to_owned(), system: "", browser: "Rich Client" };
    let mut users = story.colleagues();
    users.truncate(2);
    users.push(victim.clone());
    for person in &users {
        let grant = story.add_grant(&app, Some(&person.id), "Mail.ReadWrite offline_access User.Read");
        if story.truth.by_victim.contains_key(&person.upn) {
            story.truth.of(&person.upn).keep_grants.insert(grant);
        }
        let session = story.chance.guid();
        for days_ago in [33, 26, 19, 12, 5] {
            let at = story.now.day(days_ago).plus(2 * HOUR + story.chance.between(0, 4 * HOUR));
            let proof = if person.is_exempt { Proof::PasswordClaim } else { Proof::Claim };
            let app = App::own(&app.app_id, &app.name);
            story.bare_sign_in(Hand::Owner, (person, at, &server), &agent, (app, &session), proof);
        }
    }
}

fn keep_opaque_rule(story: &mut Story, victim: &Person) {
    let name = story.chosen("Before 2025 to archive");
    // Graph cannot express its condition, so it shows neither conditions nor actions.
    let id = story.add_rule(&victim.id, json!({ "displayName": name, "isReadOnly": true }));
    story.truth.askable.insert(id);
}

fn forward_to_home(story: &mut Story, victim: &Person) {
    let address =
        format!("{}.{}@lucernepublishing.com", victim.first.to_lowercase(), victim.last.to_lowercase());
    let id = story.add_rule(
        &victim.id,
        json!({
            "displayName": "Copy to home", "conditions": { "sentToMe": true },
            "actions": { "forwardTo": [{ "emailAddress": { "name": victim.name(), "address": address } }] },
            "exceptions": null
        }),
    );
    story.truth.askable.insert(id);
}

fn borrow_computer(story: &mut Story, victim: &Person) {
    let (place, provider) = story.chance.pick(&AWAY);
    let line = story.addresses.line(&mut story.chance, provider, place);
    let agent = Agent::browser(&mut story.chance);
    let days_ago = story.chance.between(2, 8);
    let at = story.now.day(days_ago).plus(story.chance.between(7, 20) * HOUR);
    let session = story.chance.guid();
    let proof = if victim.is_exempt { Proof::Password } else { Proof::PasswordAndPush };
    story.bare_sign_in(Hand::Anybody, (victim, at, &line), &agent, (App::home(), &session), proof);
}

fn try_unverified_app(story: &mut Story, victim: &Person) {
    let days_ago = story.chance.between(3, 14);
    let at = story.local(victim, days_ago, 9, 16);
    let name = story.chosen("Inbox Zero Notes");
    let app = story.add_principal(&Principal::unverified(&name, at));
    story.consent_page(victim, &app, at);
    let scope = "Mail.Read User.Read offline_access";
    let grant = story.add_grant(&app, Some(&victim.id), scope);
    let records = story.consent_records(at, victim, &app, &grant, scope);
    story.audit(&Hand::Owner, at, "", "", records);
    story.truth.askable.insert(grant);
    story.truth.askable.insert(app.id);
}

fn be_guessed_at(story: &mut Story, victim: &Person) {
    let mut targets = story.colleagues();
    targets.truncate(2);
    targets.push(victim.clone());
    for person in &targets {
        for _ in 0..2 {
            let line = story.addresses.hosted(&mut story.chance);
            let agent = Agent::browser(&mut story.chance);
            let days_ago = story.chance.between(1, 20);
            let at = story.now.day(days_ago).plus(story.chance.between(0, DAY - MINUTE));
            let session = story.chance.guid();
            story.bare_sign_in(
                Hand::Stranger,
                (person, at, &line),
                &agent,
                (App::home(), &session),
                Proof::WrongPassword,
            );
        }
    }
}

impl Story {
    /// Identity Protection takes notice.
    pub(super) fn notice_risk(
        &mut self,
        person: &Person,
        at: Moment,
        level: &str,
        kind: &str,
        line: &super::network::Line,
    ) {
        self.risk_detections.push(json!({
            "id": self.chance.hex(32), "riskEventType": kind, "riskLevel": level, "riskState": "atRisk",
            "riskDetail": "none", "source": "IdentityProtection", "detectionTimingType": "offline", "activity": "signin",
            "ipAddress": line.ip, "location": line.location(), "activityDateTime": at.text(),
            "detectedDateTime": at.plus(40 * MINUTE).text(), "lastUpdatedDateTime": at.plus(HOUR).text(),
            "requestId": self.chance.guid(), "correlationId": self.chance.guid(), "tokenIssuerType": "AzureAD",
            "userId": person.id, "userPrincipalName": person.upn, "userDisplayName": person.name(),
            "additionalInfo": "[]"
        }));
        // The higher of two findings is the user's.
        let known = self.risky_users.iter().position(|row| row.get("id") == Some(&json!(person.id)));
        if known.is_some() && level == "low" {
            return;
        }
        if let Some(index) = known {
            self.risky_users.remove(index);
        }
        self.risky_users.push(json!({
            "id": person.id, "userPrincipalName": person.upn, "userDisplayName": person.name(), "isDeleted": false,
            "isProcessing": false, "riskLevel": level, "riskState": "atRisk", "riskDetail": "none",
            "riskLastUpdatedDateTime": at.plus(HOUR).text()
        }));
    }
}
