//! The intruder: addresses, client, and what is held of each victim.

use serde_json::{Value, json};

use super::client::Agent;
use super::moment::Moment;
use super::network::{Addresses, HOSTS, Line};
use super::person::Person;
use super::story::Story;
use super::twist::Twist;

/// Somebody who breaks in.
#[derive(Clone, Debug)]
pub(super) struct Intruder {
    /// Where the first entry comes from, then the others.
    pub(super) lines: Vec<Line>,
    pub(super) agent: Agent,
}

/// What the intruder holds of one victim.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) victim: Person,
    pub(super) session: String,
    /// When the session was stolen; none where there is none.
    pub(super) since: Option<Moment>,
    pub(super) knows_password: bool,
    pub(super) methods: Vec<String>,
    pub(super) grants: Vec<String>,
    pub(super) rules: Vec<String>,
    pub(super) device: Option<String>,
    /// A password reset ends the session.
    pub(super) ends_with_password: bool,
}

impl Hold {
    pub(super) fn of(story: &mut Story, victim: &Person, since: Option<Moment>) -> Self {
        Self {
            victim: victim.clone(),
            session: story.chance.guid(),
            since,
            knows_password: false,
            methods: Vec::new(),
            grants: Vec::new(),
            rules: Vec::new(),
            device: None,
            ends_with_password: false,
        }
    }

    /// As the tenant file names an attacker.
    pub(super) fn attacker(&self, name: &str, intruder: &Intruder) -> Value {
        let ips: Vec<&str> = intruder.lines.iter().map(|line| line.ip.as_str()).collect();
        let mut attacker = json!({
            "name": name, "userId": self.victim.id, "userAgent": intruder.agent.text, "ips": ips,
            "session": if self.ends_with_password { "password" } else { "other" },
            "knowsPassword": self.knows_password, "methodIds": self.methods, "grantIds": self.grants,
            "ruleIds": self.rules,
            "device": { "isCompliant": false, "isRegistered": self.device.is_some(), "platform": intruder.agent.platform() }
        });
        if let Some(entries) = attacker.as_object_mut() {
            if let Some(since) = self.since {
                entries.insert("sessionId".to_owned(), json!(self.session));
                entries.insert("refreshTokenIssuedAt".to_owned(), json!(since.text()));
            }
            if let Some(device) = &self.device {
                entries.insert("deviceId".to_owned(), json!(device));
            }
        }
        attacker
    }
}

/// The intruder of a case. `next_door` tells whether the entry itself may come from a home line.
pub(super) fn arrive(story: &mut Story, victim: &Person, entry_may_be_near: bool) -> Intruder {
    let plain = story.has(Twist::PlainBrowser);
    let agent = if plain { Agent::browser(&mut story.chance) } else { Agent::script(&mut story.chance) };
    let agent = if plain { agent } else { Agent { text: story.chosen(&agent.text), ..agent } };
    let mut lines = vec![story.addresses.hosted(&mut story.chance)];
    if story.has(Twist::OneBlock) {
        let (place, provider) = story.chance.pick(&HOSTS);
        lines.extend(story.addresses.lines(&mut story.chance, provider, place, 3));
    } else {
        for _ in 0..story.chance.between(1, 2) {
            lines.push(story.addresses.hosted(&mut story.chance));
        }
    }
    if story.has(Twist::IntruderIpv6) {
        lines.push(Addresses::hosted_six(&mut story.chance));
    }
    if story.has(Twist::IntruderNextDoor) {
        // By the provider that the victim does not have.
        let provider = victim.city.homes.into_iter().find(|own| own.0 != victim.home.asn).unwrap_or_default();
        let near = story.addresses.line(&mut story.chance, provider, victim.city.place);
        if entry_may_be_near {
            lines.insert(0, near);
        } else {
            lines.push(near);
        }
    }
    Intruder { lines, agent }
}
