//! The exhaustive walk: every order that the steps may run in, the intruder acting at every point between two of them.
//!
//! As more is never worse for an intruder, the worst at each point is to have made every move there is; so one position
//! for each order of what has run is enough, and orders that come to the same are walked once. A step that may fail
//! without holding the run back is, at the worst, one that takes nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::intruder::Move;
use super::position::{Holds, Position, Terrain};
use super::step::{OrderedStep, deciding, everything_before};

/// As many positions as are looked at; a playbook that comes near has dozens of steps that wait for nothing.
const MOST_POSITIONS: usize = 200_000;

/// There are more orders than are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooWide;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The step at this place has run.
    Step(usize),
    /// The intruder has moved.
    Move(Move),
}

/// What has run, as a mask, and where the intruder stands.
type Node = (u64, Position);

/// A step that changes something for an intruder.
struct Stride {
    place: usize,
    before: u64,
    takes: Holds,
    gives: Holds,
}

/// Which steps do what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All.
    All,
    /// The required ones alone.
    Required,
    /// The required ones but that at this place.
    Without(usize),
}

/// The steps of a playbook, ready to be walked.
pub(super) struct Walk {
    strides: Vec<Stride>,
    terrain: Terrain,
}

impl Walk {
    pub(super) fn new(steps: &[OrderedStep], outcome: Outcome, terrain: Terrain) -> Result<Self, TooWide> {
        let before = everything_before(steps);
        let mut chosen: Vec<(usize, Holds, Holds)> = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let happens = match outcome {
                Outcome::All => true,
                Outcome::Required => step.required,
                Outcome::Without(missing) => step.required && place != missing,
            };
            let takes = if happens { deciding(&step.takes) } else { Holds::default() };
            // What opens something is taken to open it.
            let gives = deciding(&step.gives);
            if !takes.is_empty() || !gives.is_empty() {
                chosen.push((place, takes, gives));
            }
        }
        if chosen.len() >= 64 {
            return Err(TooWide);
        }
        let bit_of = |place: usize| -> u64 {
            chosen.iter().position(|(own, ..)| *own == place).map_or(0, |index| 1 << index)
        };
        let strides = chosen
            .iter()
            .map(|&(place, takes, gives)| {
                let waited = before.get(place).map_or(&[][..], Vec::as_slice);
                let before = waited.iter().fold(0, |mask, own| mask | bit_of(*own));
                Stride { place, before, takes, gives }
            })
            .collect();
        Ok(Self { strides, terrain })
    }

    /// Everywhere that an intruder who starts here, and does all they can, may stand at the end.
    pub(super) fn ends(&self, start: Position) -> Result<Vec<Position>, TooWide> {
        let mut level: BTreeMap<u64, Vec<Position>> =
            BTreeMap::from([(0, vec![start.settled(self.terrain)])]);
        let mut seen = 0;
        for _ in &self.strides {
            let mut next: BTreeMap<u64, Vec<Position>> = BTreeMap::new();
            for (done, positions) in level {
                for (bit, stride) in self.ready(done) {
                    let there = next.entry(done | bit).or_default();
                    for position in &positions {
                        let after = position.after(stride.takes, stride.gives, self.terrain);
                        keep_worst(there, after.settled(self.terrain));
                    }
                }
            }
            seen += next.values().map(Vec::len).sum::<usize>();
            if seen > MOST_POSITIONS {
                return Err(TooWide);
            }
            level = next;
        }
        Ok(level.into_values().flatten().collect())
    }

    /// The fewest moves by which an intruder who starts here is inside at the end, among the steps as they ran.
    pub(super) fn shortest_way_in(&self, start: Position) -> Option<Vec<Event>> {
        let all = self.strides.iter().enumerate().fold(0, |mask, (index, _)| mask | 1_u64 << index);
        let first = (0_u64, start);
        let mut best: BTreeMap<Node, u32> = BTreeMap::from([(first, 0)]);
        let mut came: BTreeMap<Node, (Node, Event)> = BTreeMap::new();
        let mut queue = BinaryHeap::from([Reverse((0_u32, first))]);
        while let Some(Reverse((cost, here))) = queue.pop() {
            if best.get(&here).is_some_and(|known| *known < cost) {
                continue;
            }
            let (done, position) = here;
            if done == all && position.is_way_in(self.terrain) {
                return Some(way_back(&came, here));
            }
            if best.len() > MOST_POSITIONS {
                return None;
            }
            let steps = self.ready(done).map(|(bit, stride)| {
                let after = position.after(stride.takes, stride.gives, self.terrain);
                (0, Event::Step(stride.place), (done | bit, after))
            });
            let moves = Move::ALL.into_iter().filter(|own| own.leads_back()).filter_map(|own| {
                let after = position.made(own, self.terrain)?;
                // Of two stories with the same moves, the one that makes them earlier.
                Some((weight(own) + done.count_ones(), Event::Move(own), (done, after)))
            });
            for (more, event, there) in steps.chain(moves) {
                let cost = cost + more;
                if best.get(&there).is_none_or(|known| cost < *known) {
                    best.insert(there, cost);
                    came.insert(there, (here, event));
                    queue.push(Reverse((cost, there)));
                }
            }
        }
        None
    }

    fn ready(&self, done: u64) -> impl Iterator<Item = (u64, &Stride)> {
        self.strides
            .iter()
            .enumerate()
            .map(|(index, stride)| (1_u64 << index, stride))
            .filter(move |(bit, stride)| done & bit == 0 && stride.before & !done == 0)
    }
}

/// Adds a position unless somebody at another is at least as well off, and drops those whom it outdoes.
fn keep_worst(positions: &mut Vec<Position>, position: Position) {
    if !positions.iter().any(|other| position.is_within(*other)) {
        positions.retain(|other| !other.is_within(position));
        positions.push(position);
    }
}

/// The simpler of two moves makes the better story.
fn weight(own: Move) -> u32 {
    match own {
        Move::SignIn => 1_000,
        Move::ResetPassword => 1_100,
        _ => 1_200,
    }
}

fn way_back(came: &BTreeMap<Node, (Node, Event)>, end: Node) -> Vec<Event> {
    let mut events = Vec::new();
    let mut here = end;
    while let Some((from, event)) = came.get(&here) {
        events.push(*event);
        here = *from;
    }
    events.reverse();
    events
}
