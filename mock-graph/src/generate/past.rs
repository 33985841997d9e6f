//! The ordinary past of everybody: where people work, what they consented to, the rules they made.

use serde_json::json;

use super::audit;
use super::moment::{DAY, HOUR, MINUTE, Moment};
use super::network::Line;
use super::objects::{Principal, folder};
use super::person::Person;
use super::row::Proof;
use super::story::{Hand, PAST, Story};
use super::twist::Twist;

/// How much of somebody's past is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Every working day.
    Daily,
    /// Every other day.
    Often,
    /// A day now and then.
    Some,
}

/// Fills in what would have been there without any incident.
pub(super) fn tell(story: &mut Story) {
    let people = story.people.clone();
    for (index, person) in people.iter().enumerate() {
        let detail = match index {
            0 => Detail::Daily,
            index if index < story.victims => Detail::Often,
            _ => Detail::Some,
        };
        live(story, person, detail, index == 0);
        if index < story.victims {
            refresh_registrations(story, person);
            ordinary_rules(story, person);
        }
    }
    ordinary_apps(story);
    ordinary_mail(story);
}

fn live(story: &mut Story, person: &Person, detail: Detail, is_subject: bool) {
    let moves = is_subject && story.has(Twist::NewProvider);
    let days_there = story.chance.between(10, 20);
    let other = person.city.homes.into_iter().find(|provider| provider.0 != person.home.asn);
    let new_home = other.map(|provider| story.addresses.line(&mut story.chance, provider, person.city.place));
    let works_here = person.city == story.city;
    let office = story.office.clone();
    for days_ago in (0..PAST).rev() {
        let day = story.now.day(days_ago);
        let told = match detail {
            // Several pasts are much to read: each is shorter then.
            Detail::Daily if story.victims > 1 => day.is_workday() && story.chance.percent(60),
            Detail::Daily => day.is_workday() || story.chance.percent(10),
            Detail::Often => day.is_workday() && story.chance.percent(30),
            Detail::Some => day.is_workday() && story.chance.percent(15),
        };
        if !told {
            continue;
        }
        let home: &Line = match &new_home {
            Some(line) if moves && days_ago < days_there => line,
            _ => &person.home,
        };
        let at_office = works_here && day.is_workday() && story.chance.percent(45);
        let line = if at_office { &office } else { home };
        let proof = if story.chance.percent(30) { Proof::ClaimOnPage } else { Proof::Claim };
        let at = story.local(person, days_ago, 8, 17);
        story.own_sign_in(person, at, line, &person.computer, proof);
        if let Some(phone) = &person.phone
            && story.chance.percent(18)
        {
            let line = if story.chance.percent(60) { &person.mobile } else { home };
            let at = story.local(person, days_ago, 7, 21);
            story.own_sign_in(person, at, line, phone, Proof::Claim);
        }
    }
    let at = story.local(person, PAST - 1, 8, 9);
    story.own_sign_in(person, at, &person.home, &person.computer, Proof::PasswordAndPush);
}

/// Every push rewrites the list of registrations, and changes nothing.
fn refresh_registrations(story: &mut Story, person: &Person) {
    if person.apps.is_empty() {
        return;
    }
    for days_ago in [26, 17, 11] {
        let at = story.local(person, days_ago, 8, 17);
        let list = |used: Moment| person.apps.iter().map(move |app| (app, Some(used))).collect::<Vec<_>>();
        let record = audit::phone_apps(&mut story.chance, at, person, &list(at.plus(-6 * DAY)), &list(at));
        story.audit(&Hand::Owner, at, "", "", vec![record]);
    }
}

fn ordinary_rules(story: &mut Story, person: &Person) {
    let newsletter = story.chosen("Newsletters");
    let invoices = story.chosen("Invoices to folder");
    let mut rules = vec![json!({
        "displayName": newsletter, "conditions": { "senderContains": ["newsletter@", "news@"] },
        "actions": { "moveToFolder": folder(&mut story.chance), "stopProcessingRules": true }, "exceptions": null
    })];
    if story.chance.percent(60) {
        rules.push(json!({
            "displayName": invoices, "conditions": { "subjectContains": ["invoice"], "fromAddresses": [
                { "emailAddress": { "name": "Billing", "address": "billing@woodgrovebank.com" } }
            ] },
            "actions": { "copyToFolder": folder(&mut story.chance) }, "exceptions": null
        }));
    }
    if story.chance.percent(40)
        && let Some(assistant) = story.colleagues().first().cloned()
    {
        rules.push(json!({
            "displayName": "Meeting requests to assistant", "conditions": { "isMeetingRequest": true },
            "actions": { "forwardTo": [{ "emailAddress": { "name": assistant.name(), "address": assistant.upn } }] },
            "exceptions": null
        }));
    }
    for rule in rules {
        let id = story.add_rule(&person.id, rule);
        story.truth.of(&person.upn).keep_rules.insert(id);
    }
}

fn ordinary_apps(story: &mut Story) {
    let (publisher, made) = ("Relecloud", story.now.day(400));
    let everyone = Principal::verified("Relecloud Travel", publisher, made);
    let company_wide = story.add_principal(&everyone);
    let for_all =
        story.add_grant(&company_wide, None, "User.Read openid profile offline_access Calendars.Read");
    for index in 0..story.victims {
        let Some(person) = story.person(index) else { continue };
        story.truth.of(&person.upn).keep_grants.insert(for_all.clone());
        let calendar = Principal::verified("Woodgrove Scheduler", "Woodgrove", story.now.day(300));
        let calendar = story.add_principal(&calendar);
        let own =
            story.add_grant(&calendar, Some(&person.id), "Calendars.ReadWrite User.Read offline_access");
        story.truth.of(&person.upn).keep_grants.insert(own);
    }
}

fn ordinary_mail(story: &mut Story) {
    let people = story.people.clone();
    for index in 0..story.victims {
        let Some(person) = story.person(index) else { continue };
        for days_ago in [9, 6, 3, 1] {
            let Some(to) = people.get(index + 1 + story.chance.below(people.len() - 1 - index)) else {
                continue;
            };
            let subject =
                story.chance.pick(&["Minutes", "Question on the order", "Lunch?", "Draft for review"]);
            let at = story.local(&person, days_ago, 9, 16);
            // Mail leaves from where its sender sits.
            story.own_sign_in(&person, at.plus(-2 * MINUTE), &person.home, &person.computer, Proof::Claim);
            story.mail(&Hand::Owner, at, &person.upn, &to.upn, subject, &person.home.ip);
        }
        let at = story.now.day(2).plus(10 * HOUR);
        let outside = story.addresses.hosted(&mut story.chance);
        story.mail(&Hand::Owner, at, "billing@woodgrovebank.com", &person.upn, "Statement", &outside.ip);
    }
}
