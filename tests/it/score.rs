//! The score over made cases: what is taken for the intruder's without a person, against the truth of each case. Nothing
//! of anybody else's is ever among it, and hardly anything of the intruder's is missing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use mock_graph::{Kind, generate};
use serde_json::Value;
use stanch::case::{MethodVerdict, PersistenceKind};
use stanch::engine::{Investigator, Question};
use stanch::investigate::intruder_addresses;
use stanch::report::InvestigationReport;

use crate::world::World;

/// Seeds of each kind: with eight kinds two hundred and eight cases.
const SEEDS: u64 = 26;
/// The least share of the intruder's that is found.
const RECALL: f64 = 0.98;

/// How often it was right, and where it was not.
#[derive(Default)]
struct Score {
    hits: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
}

impl Score {
    fn add(
        &mut self,
        case: &str,
        found: &BTreeSet<String>,
        truth: &BTreeSet<String>,
        harmless: &BTreeSet<String>,
    ) {
        self.hits += found.intersection(truth).count();
        self.missed.extend(truth.difference(found).map(|own| format!("{case} {own}")));
        let wrong = found.difference(truth).filter(|own| !harmless.contains(*own));
        self.wrong.extend(wrong.map(|own| format!("{case} {own}")));
    }

    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "there are some hundreds")]
    fn shares(&self) -> (f64, f64) {
        let share = |others: usize| {
            if others == 0 { 1.0 } else { self.hits as f64 / (self.hits + others) as f64 }
        };
        (share(self.wrong.len()), share(self.missed.len()))
    }

    fn line(&self, what: &str) -> String {
        let (precision, recall) = self.shares();
        format!("{what}: {} found, precision {precision:.3}, recall {recall:.3}\n", self.hits)
    }

    fn check(&self, what: &str, least: f64, table: &str) {
        assert!(self.hits > 0, "no case has {what}: the score says nothing\n{table}");
        assert!(
            self.wrong.is_empty(),
            "{what} of others were taken for the intruder's: {:#?}\n{table}",
            self.wrong
        );
        assert!(
            self.shares().1 >= least,
            "{what} of the intruder's were missed: {:#?}\n{table}",
            self.missed
        );
    }
}

fn words(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Addresses in the one spelling.
fn spelt(addresses: BTreeSet<String>) -> BTreeSet<String> {
    let spell =
        |text: String| text.parse::<IpAddr>().map_or(text, |address| address.to_canonical().to_string());
    addresses.into_iter().map(spell).collect()
}

async fn investigate(world: &World, user: &str) -> InvestigationReport {
    let investigator = Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    };
    let question = Question { user: user.to_owned(), ..Question::default() };
    investigator.report(&question).await.unwrap()
}

/// What is taken for the intruder's of one kind.
fn taken(found: &InvestigationReport, kind: PersistenceKind) -> BTreeSet<String> {
    found
        .persistence
        .iter()
        .filter(|own| own.kind == kind && own.verdict == MethodVerdict::Attacker)
        .map(|own| own.id.clone())
        .collect()
}

/// The scores of every kind of thing.
#[derive(Default)]
struct Scores {
    addresses: Score,
    methods: Score,
    rules: Score,
    grants: Score,
    devices: Score,
    roles: Score,
    others: Score,
}

impl Scores {
    /// Adds what an investigation of one victim says, against the truth.
    fn add(&mut self, case: &str, truth: &Value, victim: &str, found: &InvestigationReport) {
        let askable = words(&truth["askable"]);
        let own = &truth["byVictim"][victim];
        let decided =
            |key: &str| -> BTreeSet<String> { words(&own[key]).difference(&askable).cloned().collect() };
        let none = BTreeSet::new();
        let told = intruder_addresses(&found.indicators).iter().map(ToString::to_string).collect();
        // An address of another victim's intruder is the intruder's, too.
        let mut harmless = spelt(words(&truth["attackerIps"]));
        harmless.extend(spelt(words(&truth["triedIps"])));
        self.addresses.add(case, &told, &spelt(decided("attackerIps")), &harmless);
        let rogue = found
            .methods
            .iter()
            .filter(|own| own.verdict == MethodVerdict::Attacker)
            .map(|own| own.id.clone())
            .collect();
        self.methods.add(case, &rogue, &decided("rogueMethods"), &none);
        for (score, kind, key) in [
            (&mut self.rules, PersistenceKind::InboxRule, "rogueRules"),
            (&mut self.grants, PersistenceKind::Consent, "rogueGrants"),
            (&mut self.devices, PersistenceKind::Device, "rogueDevices"),
            (&mut self.roles, PersistenceKind::Role, "rogueRoles"),
        ] {
            score.add(case, &taken(found, kind), &decided(key), &none);
        }
        // Whom the intruder only tried is told with its failures; whom they got into is a victim.
        let others = found.others.iter().filter(|other| other.successes > 0).map(|other| other.upn.clone());
        let victims = words(&truth["victims"]).into_iter().filter(|upn| upn != victim).collect();
        self.others.add(case, &others.collect(), &victims, &none);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_anybody_elses_is_taken_for_the_intruders_and_hardly_anything_of_theirs_is_missed() {
    let mut scores = Scores::default();
    for kind in Kind::ALL {
        for seed in 0..SEEDS {
            let world = World::made(generate(kind, seed));
            let case = format!("{kind} {seed}");
            for victim in words(&world.truth["victims"]) {
                let found = investigate(&world, &victim).await;
                scores.add(&case, &world.truth, &victim, &found);
            }
        }
    }
    let all = [
        ("addresses", &scores.addresses),
        ("methods", &scores.methods),
        ("inbox rules", &scores.rules),
        ("consents", &scores.grants),
        ("devices", &scores.devices),
        ("directory roles", &scores.roles),
        ("other users", &scores.others),
    ];
    // All of them stand in what a failure prints.
    let table: String = all.iter().map(|(what, score)| score.line(what)).collect();
    println!("{table}");
    for (what, score) in all {
        // An app that the user was led to let in, of whose places none is certain, is asked about: that is no miss.
        score.check(what, if what == "consents" { 0.95 } else { RECALL }, &table);
    }
}
