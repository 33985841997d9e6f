use super::*;
use crate::case::Hold;

/// Steps by what they take, each with the places of those it waits for: `("reset", &[Hold::Password], &[0])`.
fn steps(of: &[(&str, &[Hold], &[usize])]) -> Vec<OrderedStep> {
    of.iter()
        .map(|(id, takes, needs)| OrderedStep {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            needs: needs.iter().map(|place| of[*place].0.to_owned()).collect(),
            takes: takes.to_vec(),
            gives: if *id == "enable" { vec![Hold::Account] } else { Vec::new() },
            required: !id.ends_with('?'),
            part: if *id == "enable" {
                Part::WayIn
            } else if takes.contains(&Hold::Session) {
                Part::Revocation
            } else if takes.is_empty() || takes.contains(&Hold::Rule) {
                Part::Other
            } else {
                Part::Door
            },
        })
        .collect()
}

const DISABLE: &[Hold] = &[Hold::Account];
const RESET: &[Hold] = &[Hold::Password];
const METHODS: &[Hold] = &[Hold::Method, Hold::Pass];
const REVOKE: &[Hold] = &[Hold::Session];
const PROTECT: &[Hold] = &[Hold::Registration];

/// One after the other.
fn chain(of: &[(&str, &[Hold])]) -> Vec<OrderedStep> {
    let mut all = steps(&of.iter().map(|(id, takes)| (*id, *takes, &[][..])).collect::<Vec<_>>());
    for place in 1..all.len() {
        all[place].needs = vec![all[place - 1].id.clone()];
    }
    all
}

fn lines(story: Option<Story>) -> Vec<String> {
    story.map(|story| story.lines).unwrap_or_default()
}

fn end_of(outlook: &Outlook, hold: Hold) -> End {
    outlook.rows.iter().find(|row| row.hold == hold).unwrap().end
}

#[test]
fn with_the_account_shut_first_no_order_of_the_rest_leaves_a_way_in() {
    let evict = chain(&[("disable", DISABLE), ("reset", RESET), ("methods", METHODS), ("revoke", REVOKE)]);
    assert_eq!(check(&evict), Ok(()));
    let outlook = outlook(&evict).unwrap().unwrap();
    assert_eq!(outlook.way_in, None);
    for hold in [Hold::Session, Hold::Password, Hold::Method, Hold::Pass, Hold::Account] {
        assert_eq!(end_of(&outlook, hold), End::Gone, "{hold:?}");
    }
    assert_eq!(end_of(&outlook, Hold::Rule), End::Left);
    assert_eq!(end_of(&outlook, Hold::AccessToken), End::Expires);
}

#[test]
fn a_revocation_before_the_reset_is_refused_with_the_story() {
    let fault = check(&chain(&[("revoke", REVOKE), ("reset", RESET)])).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "`reset` may run after `revoke`, the last revocation: 1. `revoke` ends the sessions; 2. the intruder signs in anew with the password; 3. `reset` changes the password; 4. nothing ends the session of 2: it outlives the run"
    );
    let fault = check(&chain(&[("revoke", REVOKE), ("reset", RESET), ("methods", METHODS)])).unwrap_err();
    assert_eq!(lines(fault.story)[1], "the intruder signs in anew with the password and the method");
}

#[test]
fn where_the_account_is_shut_meanwhile_the_story_is_of_shutting_it_failing() {
    let fault = check(&chain(&[("disable", DISABLE), ("revoke", REVOKE), ("reset", RESET)])).unwrap_err();
    let story = lines(fault.story);
    assert_eq!(story[0], "`disable` fails, or somebody takes it back");
    assert!(story[2].contains("signs in anew"), "{story:?}");
}

#[test]
fn a_live_session_registers_a_method_between_the_removal_and_the_revocation() {
    let order = [("methods", METHODS), ("reset", RESET), ("revoke", REVOKE)];
    // No other order of these three is better: it is told, not refused.
    assert_eq!(check(&chain(&order)), Ok(()));
    let outlook = outlook(&chain(&order)).unwrap().unwrap();
    let story = lines(outlook.way_in.clone());
    assert!(story.iter().any(|line| line.contains("registers a new method in the session")), "{story:?}");
    assert_eq!(end_of(&outlook, Hold::Method), End::WayIn);
    // With security info protected first nothing can be registered, and the reset after the removal is for good.
    let good = chain(&[("protect", PROTECT), ("methods", METHODS), ("reset", RESET), ("revoke", REVOKE)]);
    assert_eq!(check(&good), Ok(()));
    assert_eq!(super::outlook(&good).unwrap().unwrap().way_in, None);
}

#[test]
fn a_reset_before_the_removal_is_undone_by_self_service() {
    let order = chain(&[("protect", PROTECT), ("reset", RESET), ("methods", METHODS), ("revoke", REVOKE)]);
    let fault = check(&order).unwrap_err();
    assert_eq!(fault.rule.step(), "reset");
    assert_eq!(
        fault.rule.hint().unwrap(),
        "one after the other in this order they leave none: `protect`, `methods`, `reset`, `revoke`"
    );
    let story = lines(fault.story);
    assert!(story.iter().any(|line| line.contains("self-service reset")), "{story:?}");
}

#[test]
fn what_is_protected_only_perhaps_counts_as_open() {
    let order = chain(&[("protect?", PROTECT), ("methods", METHODS), ("reset", RESET), ("revoke", REVOKE)]);
    let outlook = outlook(&order).unwrap().unwrap();
    assert!(outlook.way_in.is_some());
    assert_eq!(end_of(&outlook, Hold::Registration), End::GoneIfAll);
}

#[test]
fn steps_side_by_side_are_walked_in_every_order() {
    let beside = steps(&[
        ("disable", DISABLE, &[]),
        ("reset", RESET, &[0]),
        ("methods", METHODS, &[]),
        ("revoke", REVOKE, &[1, 2]),
    ]);
    // The removal may run before the account is shut: a method registered in between stays for the day it opens.
    let outlook = outlook(&beside).unwrap().unwrap();
    assert_eq!(outlook.way_in, None);
    assert_eq!(end_of(&outlook, Hold::Method), End::OnceEnabled);
    assert_eq!(end_of(&outlook, Hold::Password), End::Gone);
}

#[test]
fn somebody_let_in_at_the_end_lets_the_intruder_in_with_what_is_left() {
    let whole = chain(&[
        ("disable", DISABLE),
        ("reset", RESET),
        ("methods", METHODS),
        ("revoke", REVOKE),
        ("enable", &[]),
    ]);
    assert_eq!(check(&whole), Ok(()));
    assert_eq!(outlook(&whole).unwrap().unwrap().way_in, None);
    let half = chain(&[("disable", DISABLE), ("methods", METHODS), ("revoke", REVOKE), ("enable", &[])]);
    let story = lines(outlook(&half).unwrap().unwrap().way_in);
    assert!(story.last().unwrap().contains("signs in with the password"), "{story:?}");
}

#[test]
fn a_playbook_that_takes_nothing_says_nothing_about_an_intruder() {
    assert_eq!(outlook(&chain(&[("enable", &[]), ("watch", &[])])), Ok(None));
}

#[test]
fn a_step_that_fails_leaves_what_it_would_have_taken() {
    let evict = chain(&[("disable", DISABLE), ("reset", RESET), ("methods", METHODS), ("revoke", REVOKE)]);
    let failing = outlook(&evict).unwrap().unwrap().failing;
    let of = |id: &str| failing.iter().find(|own| own.step == id).unwrap();
    assert_eq!((of("reset").left.as_slice(), &of("reset").way_in), (&[Hold::Password][..], &None));
    assert!(of("disable").way_in.is_some());
    assert_eq!(of("revoke").left, [Hold::Session]);
}

#[test]
fn fifteen_steps_side_by_side_are_walked() {
    let kinds: [&[Hold]; 15] = [
        RESET,
        METHODS,
        PROTECT,
        REVOKE,
        DISABLE,
        &[Hold::Consent],
        &[Hold::Device],
        &[Hold::Rule],
        &[Hold::Role],
        &[Hold::Pass],
        &[Hold::Admission],
        &[Hold::AnyDevice],
        &[Hold::Network],
        &[],
        REVOKE,
    ];
    let names: Vec<String> = (0..15).map(|number| format!("step{number}")).collect();
    let wide: Vec<(&str, &[Hold], &[usize])> =
        names.iter().zip(kinds).map(|(name, takes)| (name.as_str(), takes, &[][..])).collect();
    assert!(outlook(&steps(&wide)).unwrap().is_some());
    assert!(check(&steps(&wide)).is_err());
}

#[test]
fn more_orders_than_can_be_walked_are_said_to_be() {
    let names: Vec<String> = (0..70).map(|number| format!("step{number}")).collect();
    let wide: Vec<(&str, &[Hold], &[usize])> =
        names.iter().map(|name| (name.as_str(), RESET, &[][..])).collect();
    assert_eq!(outlook(&steps(&wide)), Err(TooWide));
    assert!(check(&steps(&wide)).is_err());
}

/// Numbers that look like chance, the same each time.
fn chance(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

#[test]
fn the_walk_that_prunes_and_the_search_that_does_not_find_the_same_ways_in() {
    let kinds =
        [DISABLE, RESET, METHODS, REVOKE, PROTECT, &[Hold::Method], &[Hold::Admission], &[Hold::AnyDevice]];
    let names: Vec<String> = (0..7).map(|number| format!("step{number}")).collect();
    let (mut state, mut ins) = (7, 0);
    for _ in 0..400 {
        let mut needs: Vec<Vec<usize>> = Vec::new();
        for place in 0..names.len() {
            needs.push((0..place).filter(|_| chance(&mut state, 3) == 0).collect());
        }
        let mut all: Vec<OrderedStep> = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let takes = kinds[chance(&mut state, kinds.len())];
            let gives = chance(&mut state, 12) == 0;
            let mut step = chain(&[(name, takes)]).remove(0);
            step.needs = needs[place].iter().map(|need| names[*need].clone()).collect();
            step.gives = if gives { vec![Hold::Account] } else { Vec::new() };
            all.push(step);
        }
        let walk = super::walk::Walk::new(&all, super::walk::Outcome::Required, Terrain::WORST).unwrap();
        let start = Position::worst();
        let pruned = walk.ends(start).unwrap().iter().any(|end| end.is_way_in(Terrain::WORST));
        assert_eq!(walk.shortest_way_in(start).is_some(), pruned, "{all:?}");
        ins += usize::from(pruned);
    }
    assert!((50..350).contains(&ins), "{ins} of 400 leave a way in: too much of one kind");
}
