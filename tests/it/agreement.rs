//! The order model and the mock's attacker were written apart: they are led through the same hundreds of orders, and must
//! say the same of every way in after every single thing that happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use mock_graph::attacker::{AttemptRequest, Door, Origin, attempt};
use mock_graph::tenant::{SessionClass, Tenant};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use stanch::case::Hold;
use stanch::order::{Holds, Move, OrderedStep, Part, Place, Position, Terrain, Way, outlook};

const ORDERS: u64 = 320;
const ADDRESS: &str = "89.187.164.77";

/// What a step may take of what both sides know.
const TAKEN: [Hold; 11] = [
    Hold::Session,
    Hold::Password,
    Hold::Method,
    Hold::Pass,
    Hold::Consent,
    Hold::Device,
    Hold::Rule,
    Hold::Account,
    Hold::Admission,
    Hold::Registration,
    Hold::AnyDevice,
];

fn name_of(way: Way) -> &'static str {
    match way {
        Way::Session => "refresh_token",
        Way::PasswordWithMethod => "password_with_method",
        Way::Passwordless => "passwordless",
        Way::PasswordAlone => "password_alone",
        Way::SelfServiceReset => "self_service_reset",
        Way::RegisterMethod => "register_method",
        Way::AppConsent => "app_consent",
        Way::RegisteredDevice => "registered_device",
        Way::InboxRule => "inbox_rule",
    }
}

/// The reference case with the victim alone in it, and no logs: what is not read need not be copied.
static SMALL: LazyLock<Tenant> = LazyLock::new(|| {
    let text = include_str!("../../mock-graph/cases/bec-node-fetch/tenant.json");
    let mut whole: Value = serde_json::from_str(text).unwrap();
    let victim = whole["attackers"][0]["userId"].clone();
    whole["users"].as_array_mut().unwrap().retain(|user| user["id"] == victim);
    for logs in ["signIns", "directoryAudits", "messageTraces", "devices", "groups", "riskyUsers"] {
        whole[logs] = json!([]);
    }
    Tenant::from_json(&whole.to_string()).unwrap()
});

/// A tenant with an attacker in it, and the clock that things happen by.
struct Stage {
    tenant: Tenant,
    user: String,
    now: Timestamp,
    terrain: Terrain,
    made: u32,
}

impl Stage {
    fn set(terrain: Terrain, start: Position) -> Self {
        let mut tenant = SMALL.clone();
        tenant.tenant.self_service_password_reset = terrain.self_service;
        if terrain.password_alone {
            tenant.conditional_access_policies.clear();
        }
        let user = tenant.attackers[0].user_id.clone();
        let rogue = tenant.attackers[0].method_ids[0].clone();
        let own = tenant.authentication_methods.get_mut(&user).unwrap();
        own.retain(|method| method["id"] != rogue.as_str());
        if terrain.no_other_factor {
            own.retain(|method| method["@odata.type"] == "#microsoft.graph.passwordAuthenticationMethod");
        }
        let attacker = &mut tenant.attackers[0];
        attacker.method_ids.clear();
        attacker.session_id = None;
        attacker.session =
            if terrain.session_ends_with_password { SessionClass::Password } else { SessionClass::Other };
        attacker.refresh_token_issued_at = None;
        attacker.knows_password = start.holds.contains(Hold::Password);
        attacker.device.is_compliant = terrain.device_passes;
        let now = "2024-10-04T15:00:00Z".parse().unwrap();
        let mut stage = Self { tenant, user, now, terrain, made: 0 };
        for hold in start.holds.iter() {
            match hold {
                Hold::Session => stage.tenant.attackers[0].refresh_token_issued_at = Some(now),
                Hold::Method => stage.add_method(false),
                Hold::Pass => stage.add_method(true),
                Hold::Consent => stage.consent(),
                Hold::Device => stage.register_device(),
                Hold::Rule => stage.make_rule(),
                _ => {}
            }
        }
        stage.tenant.settle();
        stage.pass_time();
        stage
    }

    fn pass_time(&mut self) {
        self.now = self.now.checked_add(SignedDuration::from_mins(1)).unwrap();
    }

    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("00000000-0000-4000-8000-{:012}", self.made)
    }

    fn victim(&mut self) -> &mut Value {
        let user = self.user.clone();
        self.tenant.users.iter_mut().find(|own| own["id"] == user.as_str()).unwrap()
    }

    fn change_password(&mut self) -> String {
        let (new, now) = (self.fresh(), self.now.to_string());
        self.victim()["lastPasswordChangeDateTime"] = now.into();
        self.tenant.passwords.insert(self.user.clone(), new.clone());
        new
    }

    fn add_method(&mut self, is_pass: bool) {
        let (id, now) = (self.fresh(), self.now.to_string());
        let signs_in = is_pass || self.terrain.passwordless;
        let kind = match (is_pass, signs_in, self.terrain.self_service) {
            (true, ..) => "temporaryAccessPass",
            (_, true, false) => "fido2",
            _ => "microsoftAuthenticator",
        };
        let method = json!({
            "@odata.type": format!("#microsoft.graph.{kind}AuthenticationMethod"),
            "id": id, "displayName": if is_pass { "Pass" } else { "Rogue" },
            // An Authenticator with a date is one with phone sign-in.
            "createdDateTime": if signs_in { json!(now) } else { Value::Null },
        });
        self.tenant.authentication_methods.entry(self.user.clone()).or_default().push(method);
        self.tenant.attackers[0].method_ids.push(id.clone());
        if let Some(holdings) = &mut self.tenant.attackers[0].holdings {
            holdings.passwordless.extend(signs_in.then(|| id.clone()));
            holdings.self_service.extend((kind == "microsoftAuthenticator").then_some(id));
        }
    }

    fn consent(&mut self) {
        let (app, grant, now) = (self.fresh(), self.fresh(), self.now.to_string());
        self.tenant.service_principals.push(json!({
            "id": app, "appId": app, "displayName": "Mail Sync", "accountEnabled": true, "createdDateTime": now,
        }));
        self.tenant.oauth2_permission_grants.push(json!({
            "id": grant, "clientId": app, "principalId": self.user, "consentType": "Principal",
            "scope": "Mail.Read", "startTime": now,
        }));
        self.tenant.attackers[0].grant_ids = vec![grant];
    }

    fn register_device(&mut self) {
        let (device, now) = (self.fresh(), self.now.to_string());
        self.tenant.devices.push(json!({
            "id": device, "deviceId": device, "displayName": "PC", "accountEnabled": true, "operatingSystem": "Windows",
            "trustType": "Workplace", "isCompliant": self.terrain.device_passes, "registrationDateTime": now,
            "registeredOwners": [self.user], "registeredUsers": [self.user],
        }));
        self.tenant.attackers[0].device_id = Some(device);
    }

    fn make_rule(&mut self) {
        let rule = self.fresh();
        let made = json!({ "id": rule, "displayName": ".", "sequence": 1, "isEnabled": true });
        self.tenant.message_rules.entry(self.user.clone()).or_default().push(made);
        self.tenant.attackers[0].rule_ids = vec![rule];
    }

    fn make(&mut self, own: Move) {
        match own {
            Move::SignIn => self.tenant.attackers[0].refresh_token_issued_at = Some(self.now),
            Move::ResetPassword => {
                let new = self.change_password();
                let now = self.now.to_string();
                let attacker = &mut self.tenant.attackers[0];
                attacker.knows_password = true;
                let holdings = attacker.holdings.as_mut().unwrap();
                (holdings.password, holdings.password_set) = (Some(new), Some(now));
            }
            Move::RegisterMethod => self.add_method(false),
            Move::Consent => self.consent(),
            Move::RegisterDevice => self.register_device(),
            Move::MakeRule => self.make_rule(),
        }
        self.pass_time();
    }

    /// A policy of everything that the victim signs in to, or of registering security info.
    fn add_policy(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut policy = json!({
            "id": self.fresh(), "displayName": name, "state": "enabled",
            "conditions": {
                "clientAppTypes": ["all"], "applications": { "includeApplications": ["All"] },
                "users": { "includeUsers": [self.user], "excludeUsers": [] },
                "locations": null, "platforms": null, "devices": null,
            },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] }, "sessionControls": null,
        });
        change(&mut policy);
        self.tenant.conditional_access_policies.push(policy);
    }

    fn take(&mut self, hold: Hold) {
        let now = self.now.to_string();
        let ids = |list: &[String], object: &Value| list.iter().any(|id| object["id"] == id.as_str());
        match hold {
            Hold::Session => self.victim()["signInSessionsValidFromDateTime"] = now.into(),
            Hold::Password => drop(self.change_password()),
            Hold::Method | Hold::Pass => {
                let is_pass = |method: &Value| method["@odata.type"].as_str().unwrap().contains("AccessPass");
                let own = self.tenant.attackers[0].method_ids.clone();
                let methods = self.tenant.authentication_methods.get_mut(&self.user).unwrap();
                methods.retain(|method| !(ids(&own, method) && is_pass(method) == (hold == Hold::Pass)));
            }
            Hold::Consent => {
                let own = self.tenant.attackers[0].grant_ids.clone();
                self.tenant.oauth2_permission_grants.retain(|grant| !ids(&own, grant));
            }
            Hold::Device => {
                let own = self.tenant.attackers[0].device_id.clone().unwrap_or_default();
                for device in self.tenant.devices.iter_mut().filter(|device| device["id"] == own.as_str()) {
                    device["accountEnabled"] = false.into();
                }
            }
            Hold::Rule => {
                for rule in self.tenant.message_rules.values_mut().flatten() {
                    rule["isEnabled"] = false.into();
                }
            }
            Hold::Account => self.victim()["accountEnabled"] = false.into(),
            Hold::Admission => self.add_policy("quarantine", |_| {}),
            Hold::Registration => self.add_policy("registration", |policy| {
                policy["conditions"]["applications"] =
                    json!({ "includeUserActions": ["urn:user:registersecurityinfo"] });
            }),
            Hold::AnyDevice => self.add_policy("devices", |policy| {
                policy["grantControls"]["builtInControls"] = json!(["compliantDevice"]);
            }),
            Hold::Network => {
                let id = self.fresh();
                self.tenant.named_locations.push(json!({
                    "@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": "blocked",
                    "isTrusted": false,
                    "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "89.187.164.0/24" }],
                }));
                self.add_policy("block", |policy| {
                    policy["conditions"]["locations"] =
                        json!({ "includeLocations": [id], "excludeLocations": [] });
                });
            }
            Hold::AccessToken | Hold::Role => {}
        }
        self.pass_time();
    }

    fn give_account(&mut self) {
        self.victim()["accountEnabled"] = true.into();
        self.pass_time();
    }

    fn open(&self, place: Place) -> BTreeSet<String> {
        let from = match place {
            Place::Known => Origin::Address(ADDRESS.parse().unwrap()),
            Place::New => Origin::Unseen,
        };
        let request = AttemptRequest {
            from: Some(vec![from]),
            // It is played on a copy, and writes no rows.
            assume: Some(serde_json::Map::new()),
        };
        let outcome = attempt(&self.tenant, &self.tenant.attackers[0], &request, self.now).unwrap();
        let open = outcome.paths.into_iter().filter(|path| path.outcome == Door::Open);
        open.map(|path| path.path).collect()
    }
}

/// Which ways were seen open, and which were seen shut.
#[derive(Default)]
struct Seen(BTreeMap<Way, [u32; 2]>);

impl Seen {
    fn compare(&mut self, stage: &Stage, position: Position, told: &[String]) {
        for place in [Place::Known, Place::New] {
            let model: BTreeSet<String> =
                position.ways(stage.terrain, place).into_iter().map(|way| name_of(way).to_owned()).collect();
            let mock = stage.open(place);
            assert_eq!(
                model,
                mock,
                "left: the model, right: the mock, from {place:?}, after:\n{}\n{position:?}\n{:?}",
                told.join("\n"),
                stage.terrain
            );
            for way in Way::ALL {
                self.0.entry(way).or_default()[usize::from(model.contains(name_of(way)))] += 1;
            }
        }
    }
}

fn terrain_of(random: &mut StdRng) -> Terrain {
    Terrain {
        passwordless: random.random(),
        self_service: random.random(),
        password_alone: random.random(),
        no_other_factor: random.random(),
        device_passes: random.random(),
        session_ends_with_password: random.random(),
    }
}

fn start_of(random: &mut StdRng) -> Position {
    let mut holds = Position::worst().holds;
    for hold in
        [Hold::Session, Hold::Password, Hold::Method, Hold::Pass, Hold::Consent, Hold::Device, Hold::Rule]
    {
        if random.random_bool(0.4) {
            holds = holds.without(hold);
        }
    }
    let (app_token, device_token) = (holds.contains(Hold::Consent), holds.contains(Hold::Device));
    Position { holds, app_token, device_token }
}

#[test]
fn the_model_and_the_mocks_attacker_agree_on_every_way_after_every_event() {
    let mut seen = Seen::default();
    let mut events = 0;
    for seed in 0..ORDERS {
        let mut random = StdRng::seed_from_u64(seed);
        let (terrain, mut position) = (terrain_of(&mut random), start_of(&mut random));
        let mut stage = Stage::set(terrain, position);
        let mut told = vec![format!("seed {seed}: {position:?}")];
        seen.compare(&stage, position, &told);
        for _ in 0..random.random_range(4..12) {
            let moves: Vec<(Move, Position)> =
                Move::ALL.into_iter().filter_map(|own| Some((own, position.made(own, terrain)?))).collect();
            if !moves.is_empty() && random.random_bool(0.5) {
                let (own, next) = moves[random.random_range(0..moves.len())];
                told.push(format!("the intruder: {own:?}"));
                stage.make(own);
                position = next;
            } else if !position.holds.contains(Hold::Account) && random.random_bool(0.5) {
                told.push("the account is opened".to_owned());
                stage.give_account();
                position = position.after(Holds::default(), Holds::of(&[Hold::Account]), terrain);
            } else {
                let all = [&TAKEN[..], &[Hold::Network]].concat();
                let hold = all[random.random_range(0..all.len())];
                told.push(format!("taken: {hold:?}"));
                stage.take(hold);
                position = position.after(Holds::of(&[hold]), Holds::default(), terrain);
            }
            events += 1;
            seen.compare(&stage, position, &told);
        }
    }
    println!("{ORDERS} orders, {events} events, each seen from two places:");
    for (way, [shut, open]) in &seen.0 {
        println!("  {:22}{open:>6} open {shut:>6} shut", name_of(*way));
        assert!(*open > 100 && *shut > 100, "{way:?} is hardly tried: {open} open, {shut} shut");
    }
}

/// Steps that each wait for the one before.
fn chain(order: &[Hold]) -> Vec<OrderedStep> {
    let id = |place: usize| format!("step{place}");
    order
        .iter()
        .enumerate()
        .map(|(place, hold)| OrderedStep {
            id: id(place),
            name: id(place),
            needs: place.checked_sub(1).map(id).into_iter().collect(),
            takes: vec![*hold],
            gives: Vec::new(),
            required: true,
            part: if *hold == Hold::Session { Part::Revocation } else { Part::Door },
        })
        .collect()
}

#[test]
fn the_walk_finds_a_way_back_in_just_where_an_intruder_who_does_everything_is_in() {
    let (mut ins, mut outs) = (0, 0);
    for seed in 0..ORDERS {
        let mut random = StdRng::seed_from_u64(1_000_000 + seed);
        let mut order: Vec<Hold> = Vec::new();
        // Half begin by shutting the account or by protecting security info: few others end well.
        if random.random_bool(0.7) {
            order.push([Hold::Account, Hold::Registration, Hold::Admission][random.random_range(0..3)]);
        }
        let mut rest =
            vec![Hold::Session, Hold::Password, Hold::Method, Hold::Pass, Hold::Registration, Hold::Consent];
        while !rest.is_empty() && (rest.len() > 3 || random.random_bool(0.8)) {
            order.push(rest.remove(random.random_range(0..rest.len())));
        }
        if random.random_bool(0.7) {
            order.push(Hold::Session);
        }
        let mut stage = Stage::set(Terrain::WORST, Position::worst());
        let mut told: Vec<String> = Vec::new();
        for hold in &order {
            do_everything(&mut stage, &mut told);
            told.push(format!("taken: {hold:?}"));
            stage.take(*hold);
        }
        do_everything(&mut stage, &mut told);
        let is_in = stage.open(Place::New).iter().any(|way| way != "inbox_rule");
        let found = outlook(&chain(&order)).unwrap().unwrap().way_in;
        assert_eq!(found.is_some(), is_in, "seed {seed}: {found:?}\n{}", told.join("\n"));
        if is_in { ins += 1 } else { outs += 1 }
    }
    println!("{ORDERS} orders: the intruder is in after {ins} and out after {outs}");
    assert!(ins > 100 && outs > 100, "{ins} in, {outs} out: too much of one kind");
}

/// What an intruder does whom the mock lets: asked of the mock alone.
fn do_everything(stage: &mut Stage, told: &mut Vec<String>) {
    for _ in 0..6 {
        let before = told.len();
        let open = stage.open(Place::New);
        let is_open = |way: &str| open.contains(way);
        let own = stage.tenant.attackers[0].method_ids.clone();
        let is_there = |method: &Value| {
            own.iter().any(|id| method["id"] == id.as_str()) && method["displayName"] == "Rogue"
        };
        let has_method = stage.tenant.authentication_methods[&stage.user].iter().any(is_there);
        if !is_open("password_alone") && is_open("self_service_reset") {
            told.push("the intruder: resets the password".to_owned());
            stage.make(Move::ResetPassword);
        }
        if is_open("register_method") && !has_method {
            told.push("the intruder: registers a method".to_owned());
            stage.make(Move::RegisterMethod);
        }
        let fresh = ["password_with_method", "passwordless", "password_alone", "registered_device"];
        if !is_open("refresh_token") && fresh.into_iter().any(is_open) {
            told.push("the intruder: signs in".to_owned());
            stage.make(Move::SignIn);
        }
        let more = [("app_consent", Move::Consent), ("registered_device", Move::RegisterDevice)];
        for (way, own) in more.into_iter().filter(|(way, _)| is_open("refresh_token") && !is_open(way)) {
            told.push(format!("the intruder: {way}"));
            stage.make(own);
        }
        if told.len() == before {
            return;
        }
    }
}
