//! The way from a kind and a seed to a case.

use serde_json::Value;

use super::kind::Kind;
use super::story::Story;
use super::{incident, log, owners, past};

/// A tenant, and the truth of what happened in it.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedCase {
    /// A tenant file.
    pub tenant: Value,
    /// What a perfect responder finds.
    pub truth: Value,
}

/// Makes the case of a kind and a seed: always the same.
#[must_use]
pub fn generate(kind: Kind, seed: u64) -> GeneratedCase {
    let mut story = Story::begin(kind, seed);
    past::tell(&mut story);
    owners::prepare(&mut story);
    incident::happen(&mut story);
    owners::live(&mut story);
    story.settle_truth();
    log::spoil(&mut story);
    let truth = story.truth.value(kind.name(), seed);
    GeneratedCase { tenant: story.tenant(), truth }
}
