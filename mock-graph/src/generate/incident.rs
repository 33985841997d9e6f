//! How each kind of case begins, and what the intruder then does.

use super::acts::{Acting, install};
use super::client::App;
use super::intruder::{Hold, Intruder, arrive};
use super::kind::Kind;
use super::moment::{DAY, HOUR, MINUTE, Moment};
use super::network::Line;
use super::person::Person;
use super::row::{Proof, SignIn};
use super::story::{Hand, Story};
use super::twist::Twist;

/// Lets the intruder of the case break in, where it has one.
pub(super) fn happen(story: &mut Story) {
    let Some(victim) = story.person(0) else { return };
    if !story.kind.has_intruder() {
        let _: &mut _ = story.truth.of(&victim.upn);
        return;
    }
    let entry_may_be_near = matches!(story.kind, Kind::Bec | Kind::Mass | Kind::MfaFatigue);
    let intruder = arrive(story, &victim, entry_may_be_near);
    let days = story.chance.between(3, 7);
    let start =
        story.now.day(days).plus(story.chance.between(1, 22) * HOUR + story.chance.between(0, 59) * MINUTE);
    match story.kind {
        Kind::Aitm => phish(story, &intruder, &victim, start),
        Kind::Spray => spray(story, &intruder, &victim, start),
        Kind::MfaFatigue => wear_down(story, &intruder, &victim, start),
        Kind::MaliciousConsent => lure(story, &intruder, &victim, start),
        Kind::Mass => take_several(story, &intruder, start),
        Kind::Bec | Kind::Leaver | Kind::Benign => {
            let hold = steal(story, &intruder, &victim, start);
            go_on(story, &intruder, hold, start, "intruder");
        }
    }
    settle_next_door(story, &intruder);
}

/// A colleague works from an address beside the intruder's.
fn settle_next_door(story: &mut Story, intruder: &Intruder) {
    let neighbour = intruder.lines.iter().rev().find_map(|line| {
        let (front, last) = line.ip.rsplit_once('.')?;
        let last: u8 = last.parse().ok()?;
        let taken = |ip: &str| intruder.lines.iter().any(|own| own.ip == ip);
        let ip = (1..250)
            .map(|step| format!("{front}.{}", 2 + (i64::from(last) + step) % 250))
            .find(|ip| !taken(ip))?;
        Some(Line { ip, ..line.clone() })
    });
    let Some(line) = neighbour else { return };
    let Some(colleague) = story.colleagues().last().cloned() else { return };
    if !story.has(Twist::NeighbourInBlock) {
        return;
    }
    for days_ago in [12, 8, 5, 4, 2] {
        let at = story.local(&colleague, days_ago, 9, 16);
        story.own_sign_in(&colleague, at, &line, &colleague.computer, Proof::Claim);
    }
}

/// A stolen token: by a file that malware took, or the very cookie of the user's browser.
fn steal(story: &mut Story, intruder: &Intruder, victim: &Person, at: Moment) -> Hold {
    let mut hold = Hold::of(story, victim, Some(at.plus(-5 * MINUTE)));
    hold.knows_password = story.chance.percent(50);
    if story.has(Twist::SharedSession) {
        hold.session.clone_from(&victim.session);
        // The user goes on working in it meanwhile.
        for hours in [-20, -1, 2, 26] {
            let at = at.plus(hours * HOUR);
            story.own_sign_in(victim, at, &victim.home, &victim.computer, Proof::Claim);
        }
    }
    let mut acting = Acting { story, intruder, hold: &mut hold };
    let line = first(&mut acting);
    let office = App::office(&mut acting.story.chance);
    acting.enter(at, &line, office, Proof::ClaimOnPage);
    acting.enter(at.plus(40), &line, App::outlook(), Proof::Claim);
    hold
}

fn first(acting: &mut Acting<'_>) -> Line {
    acting.intruder.lines.first().cloned().unwrap_or_else(|| acting.story.office.clone())
}

/// The user signs in through the intruder's proxy.
fn phish(story: &mut Story, intruder: &Intruder, victim: &Person, at: Moment) {
    let mut hold = Hold::of(story, victim, Some(at));
    hold.knows_password = true;
    let mut acting = Acting { story, intruder, hold: &mut hold };
    let line = first(&mut acting);
    // The proxy shows the user's own browser.
    let agent = victim.computer.agent();
    let sign_in = SignIn {
        at,
        person: victim,
        line: &line,
        agent: &agent,
        device: None,
        app: App::home(),
        session: &acting.hold.session.clone(),
        proof: Proof::PasswordAndPush,
        risk: Some(("high", "attackerinTheMiddle")),
    };
    acting.story.sign_in(Hand::Intruder(victim.upn.clone()), &sign_in);
    acting.enter(at.plus(3 * MINUTE), &line, App::outlook(), Proof::Claim);
    go_on(story, intruder, hold, at, "intruder");
}

/// One password for many.
fn spray(story: &mut Story, intruder: &Intruder, victim: &Person, at: Moment) {
    let mut targets = story.colleagues();
    targets.truncate(4);
    targets.push(victim.clone());
    let others: Vec<Line> = (0..2).map(|_| story.addresses.hosted(&mut story.chance)).collect();
    let winner = intruder.lines.first().cloned();
    for (round, line) in others.iter().chain(&winner).enumerate() {
        for (index, person) in targets.iter().enumerate() {
            let minutes = i64::try_from(round * 17 + index * 2).unwrap_or(0);
            let session = story.chance.guid();
            let app = App::office(&mut story.chance);
            let hand = if round < others.len() { Hand::Stranger } else { Hand::Intruder(String::new()) };
            let at = at.plus(minutes * MINUTE);
            story.bare_sign_in(
                hand,
                (person, at, line),
                &intruder.agent,
                (app, &session),
                Proof::WrongPassword,
            );
        }
    }
    let entry = at.plus(HOUR);
    let mut hold = Hold::of(story, victim, Some(entry));
    hold.knows_password = true;
    hold.ends_with_password = true;
    let mut acting = Acting { story, intruder, hold: &mut hold };
    let line = first(&mut acting);
    acting.enter(entry, &line, App::home(), Proof::ClaimOnPage);
    acting.enter(entry.plus(MINUTE), &line, App::outlook(), Proof::Claim);
    go_on(story, intruder, hold, entry, "intruder");
}

/// Prompt after prompt, until the user says yes.
fn wear_down(story: &mut Story, intruder: &Intruder, victim: &Person, at: Moment) {
    let mut hold = Hold::of(story, victim, None);
    hold.knows_password = true;
    hold.ends_with_password = true;
    let prompts = story.chance.between(4, 9);
    let mut acting = Acting { story, intruder, hold: &mut hold };
    let line = first(&mut acting);
    for prompt in 0..prompts {
        let proof = if acting.story.chance.percent(50) { Proof::Declined } else { Proof::Unanswered };
        acting.enter(at.plus(prompt * 3 * MINUTE), &line, App::home(), proof);
    }
    let entry = at.plus(prompts * 3 * MINUTE);
    acting.enter(entry, &line, App::home(), Proof::PasswordAndPush);
    acting.enter(entry.plus(MINUTE), &line, App::outlook(), Proof::Claim);
    hold.since = Some(entry);
    go_on(story, intruder, hold, entry, "intruder");
}

/// The user consents, at the own device, to an app that is the intruder's.
fn lure(story: &mut Story, intruder: &Intruder, victim: &Person, at: Moment) {
    let mut hold = Hold::of(story, victim, None);
    let app = install(story, at);
    story.consent_page(victim, &app, at);
    let mut acting = Acting { story, intruder, hold: &mut hold };
    acting.grant(at, &app, &Hand::Owner);
    acting.story.truth.of(&victim.upn).saw(at);
    let lines = intruder.lines.clone();
    for round in 0..2 {
        for (index, line) in lines.iter().enumerate() {
            let hours = round * 21 + 2 * i64::try_from(index).unwrap_or(0);
            acting.use_app(at.plus(hours * HOUR + 5 * MINUTE), &app, line);
        }
    }
    let line = first(&mut acting);
    acting.use_app(at.plus(9 * HOUR), &app, &line);
    acting.write(at.plus(9 * HOUR + MINUTE), &line);
    if acting.story.chance.percent(60) {
        acting.plant_rule_by_app(at.plus(7 * HOUR), &app, &line);
    }
    conclude(story, intruder, &hold, "intruder");
}

fn take_several(story: &mut Story, intruder: &Intruder, start: Moment) {
    let victims: Vec<Person> = story.people.iter().take(story.victims).cloned().collect();
    let subject = victims.first().cloned();
    for (index, victim) in victims.iter().enumerate() {
        let at = start.plus(i64::try_from(index).unwrap_or(0) * 5 * HOUR);
        let hold = steal(story, intruder, victim, at);
        let name = if index == 0 { "intruder".to_owned() } else { format!("intruder-{}", index + 1) };
        let mut hold = go_on_without_end(story, intruder, hold, at);
        // Only an administrator can give roles.
        if index == 1
            && let Some(subject) = &subject
            && story.has(Twist::RoleGiven)
        {
            story.add_role(&victim.id, "e8611ab8-c189-46e8-94e1-60213ab1f814");
            let mut acting = Acting { story, intruder, hold: &mut hold };
            let line = first(&mut acting);
            acting.give_role(at.plus(2 * HOUR), &line, subject);
        }
        conclude(story, intruder, &hold, &name);
    }
}

fn go_on(story: &mut Story, intruder: &Intruder, hold: Hold, entry: Moment, name: &str) {
    let hold = go_on_without_end(story, intruder, hold, entry);
    conclude(story, intruder, &hold, name);
}

/// What follows the entry: acts in some order, and visits by every line.
fn go_on_without_end(story: &mut Story, intruder: &Intruder, mut hold: Hold, entry: Moment) -> Hold {
    let late = story.has(Twist::LogBeginsLate);
    let about_methods = [
        Twist::SamePhoneName,
        Twist::RogueCodeApp,
        Twist::RoguePhoneNumber,
        Twist::CutOffAudit,
        Twist::RegistrationWithoutAddress,
    ];
    let method = late
        || about_methods.iter().any(|twist| story.twists.contains(twist))
        || hold.victim.is_exempt
        || story.chance.percent(70);
    let (rule, consent, device) =
        (story.chance.percent(65), story.chance.percent(35), story.chance.percent(30));
    let mut acting = Acting { story, intruder, hold: &mut hold };
    if method {
        let line = first(&mut acting);
        acting.register_method(entry.plus(12 * MINUTE), &line);
    }
    if late {
        acting.story.log_begins = entry.plus(30 * MINUTE);
    }
    let mut at = entry.plus(HOUR);
    let mut next = |acting: &mut Acting<'_>| {
        at = at.plus(acting.story.chance.between(HOUR, 7 * HOUR));
        (at, acting.line())
    };
    let (when, line) = next(&mut acting);
    acting.send_mail(when, &line);
    if rule {
        let (when, line) = next(&mut acting);
        acting.plant_rule(when, &line);
    }
    if consent {
        let (when, line) = next(&mut acting);
        acting.consent(when, &line);
    }
    if device {
        let (when, line) = next(&mut acting);
        acting.register_device(when, &line);
    }
    acting.linger(entry.plus(35 * MINUTE));
    hold
}

/// Names the attacker, and lets Identity Protection notice.
fn conclude(story: &mut Story, intruder: &Intruder, hold: &Hold, name: &str) {
    story.attackers.push(hold.attacker(name, intruder));
    let line = intruder.lines.first().cloned();
    if let Some(line) = line
        && story.ground.shows_risk
        && story.chance.percent(60)
    {
        let at = hold.since.unwrap_or(story.now.day(2)).plus(DAY / 4);
        let level = story.chance.pick(&["medium", "high"]);
        story.notice_risk(&hold.victim, at, level, "unfamiliarFeatures", &line);
    }
}
