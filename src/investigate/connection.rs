//! What is connected with something certain: the same session, address, program or network, until nothing new comes.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::known_app::AppKind;
use super::past::{Past, Standing};
use super::signals::{Kind, Scene, Signal};
use super::strand::Strand;
use crate::case::SecondFactor;
use crate::domain::CidrBlock;

/// What is certainly the intruder's so far.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    sessions: HashMap<&'a str, HashSet<String>>,
    addresses: HashSet<IpAddr>,
    programs: HashSet<(&'a str, bool)>,
    networks: HashSet<CidrBlock>,
    systems: HashSet<i64>,
    /// Apps whose own servers are the intruder's.
    apps: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Takes in a strand that is certain. What the user's own device shares with it ties nothing to the intruder.
    pub fn add(&mut self, strand: &Strand<'a>, past: &Past<'_>) {
        if let Some(session) = strand.session {
            self.sessions.entry(session).or_default().insert(strand.client.family.clone());
        }
        if strand.program.is_some() {
            self.programs.insert((strand.agent, strand.app == AppKind::Other));
        }
        if strand.is_app_server() {
            self.apps.extend(strand.app_id);
        }
        if past.standing(strand) == Standing::Own {
            return;
        }
        self.addresses.extend(strand.address);
        self.networks.extend(strand.network);
        self.systems.extend(strand.asn);
    }

    /// What ties a strand to what is certain.
    pub fn ties(&self, index: usize, scene: &Scene<'_, 'a>, past: &Past<'a>) -> Vec<Signal> {
        let Some(strand) = scene.strands.get(index) else { return Vec::new() };
        // The user's own device, and what is where the user is known, is the user's also in a session that was stolen.
        if strand.is_own_device || past.standing(strand) != Standing::New {
            return Vec::new();
        }
        let mut ties = Vec::new();
        let mut tie = |kind, weight, reason: String| ties.push(Signal { kind, weight, reason });
        let is_known_client = past.knows_client(&strand.client);
        if let Some((session, clients)) = strand.session.and_then(|own| self.sessions.get_key_value(own)) {
            let weight = match (is_known_client, strand.second_factor) {
                (true, _) => 4,
                // Whoever gave a second factor here may be the user, whose session was stolen afterwards.
                (false, SecondFactor::Fresh) => 3,
                (false, _) => 6,
            };
            tie(Kind::Session, weight, format!("is in the intruder's session {session}"));
            if clients.contains(&strand.client.family) {
                tie(Kind::Tool, 2, "is by the intruder's client in that session".to_owned());
            }
        }
        if strand.address.is_some_and(|address| self.addresses.contains(&address)) {
            tie(
                Kind::Address,
                if is_known_client { 3 } else { 6 },
                format!("is from {}, where the intruder's other sign-ins are from", strand.ip),
            );
        } else if strand.network.is_some_and(|network| self.networks.contains(&network)) {
            tie(Kind::Network, 2, "is from a neighbour of an address of the intruder's".to_owned());
        } else if strand.asn.is_some_and(|asn| self.systems.contains(&asn)) {
            tie(Kind::Network, 1, "is from a network that the intruder uses".to_owned());
        }
        if strand.program.is_some() && self.programs.contains(&(strand.agent, strand.app == AppKind::Other)) {
            tie(Kind::Tool, 4, format!("is by the intruder's program `{}`", strand.agent));
        }
        if strand.is_app_server() && strand.app_id.is_some_and(|app| self.apps.contains(app)) {
            tie(Kind::Tool, 6, "is of a server of an app that is the intruder's".to_owned());
        }
        ties
    }
}
