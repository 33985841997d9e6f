//! The score over made cases: what is taken for the intruder's without a person, against the truth of each case. Nothing
//! of anybody else's is ever among it, and hardly anything of the intruder's is missing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use mock_graph::{Kind, generate};
use serde_json::Value;
use stanch::case::{Investigation, Look, MethodVerdict};
use stanch::engine::{Investigator, Question};
use stanch::investigate::intruder_addresses;

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
    fn check(&self, what: &str) {
        let share = |of: usize, all: usize| if all == 0 { 1.0 } else { of as f64 / all as f64 };
        let precision = share(self.hits, self.hits + self.wrong.len());
        let recall = share(self.hits, self.hits + self.missed.len());
        println!("{what}: {} found, precision {precision:.3}, recall {recall:.3}", self.hits);
        assert!(self.wrong.is_empty(), "{what} of others were taken for the intruder's: {:#?}", self.wrong);
        assert!(recall >= RECALL, "{what} of the intruder's were missed: {:#?}", self.missed);
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

async fn investigate(world: &World, user: &str) -> Investigation {
    let investigator = Investigator {
        reader: world.connection(&world.observer).reader(),
        clock: Arc::clone(&world.clock),
        guards: world.guards.clone(),
        skew_stops: false,
    };
    let question = Question { user: user.to_owned(), ..Question::default() };
    investigator.investigate(&question).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_of_anybody_elses_is_taken_for_the_intruders_and_hardly_anything_of_theirs_is_missed() {
    let (mut addresses, mut methods) = (Score::default(), Score::default());
    for kind in Kind::ALL {
        for seed in 0..SEEDS {
            let world = World::made(generate(kind, seed));
            let case = format!("{kind} {seed}");
            let askable = words(&world.truth["askable"]);
            for victim in words(&world.truth["victims"]) {
                let truth = &world.truth["byVictim"][&victim];
                let decided = |key: &str| -> BTreeSet<String> {
                    words(&truth[key]).difference(&askable).cloned().collect()
                };
                let found = investigate(&world, &victim).await;
                let told =
                    intruder_addresses(&found.case.indicators).iter().map(ToString::to_string).collect();
                // An address of another victim's intruder is the intruder's, too.
                let mut harmless = spelt(words(&world.truth["attackerIps"]));
                harmless.extend(spelt(words(&world.truth["triedIps"])));
                addresses.add(&case, &told, &spelt(decided("attackerIps")), &harmless);
                let Look::Read(judged) = &found.case.evidence.methods else { panic!("{case}: no methods") };
                let rogue = judged
                    .iter()
                    .filter(|own| own.verdict == MethodVerdict::Attacker)
                    .map(|own| own.method.id.to_string())
                    .collect();
                methods.add(&case, &rogue, &decided("rogueMethods"), &BTreeSet::new());
            }
        }
    }
    addresses.check("addresses");
    methods.check("methods");
}
