//! Ranges in the place of single addresses, where the evidence carries them: the same rule as `investigate` proposes by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BlockFacts, BlockIps, Ips};
use crate::case::{Case, Look};
use crate::domain::CidrBlock;
use crate::guard::{RangeFacts, judge_range};
use crate::investigate::{Crowd, crowds, is_users_too};
use crate::steps::planned::Scope;

/// Whether ranges stand in for addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ranges {
    /// A /24 (IPv6: /48) is blocked whole where three or more of the intruder's addresses lie in it and nobody else, the
    /// user neither, signs in from there.
    #[default]
    Proposed,
    /// Single addresses alone.
    Never,
}

impl BlockIps {
    /// The ranges in which several addresses of the case lie.
    pub(super) fn crowds(&self, case: &Case) -> Vec<Crowd> {
        if self.ranges == Ranges::Never || self.ips != Ips::Evidence {
            return Vec::new();
        }
        crowds(&case.indicators)
    }

    /// Puts each range that the evidence carries in the place of the candidates in it.
    pub(super) fn fold(
        &self,
        candidates: Vec<CidrBlock>,
        case: &Case,
        facts: &BlockFacts,
        scope: &Scope<'_>,
    ) -> (Vec<CidrBlock>, Vec<Crowd>) {
        let is_carried = |crowd: &Crowd| {
            let Some(others @ Look::Read(0)) = facts.others.get(&crowd.range) else { return false };
            let about = RangeFacts { locations: &facts.locations, policies: &facts.policies, others };
            // Nobody sets a guard aside for a range that nobody named.
            !is_users_too(&crowd.range, &case.evidence)
                && judge_range(&crowd.range, scope.rules, &about).is_empty()
        };
        let carried: Vec<Crowd> = self.crowds(case).into_iter().filter(is_carried).collect();
        let mut blocks = candidates;
        blocks.retain(|own| !carried.iter().any(|crowd| crowd.range.covers(own)));
        blocks.extend(carried.iter().map(|crowd| crowd.range));
        blocks.sort();
        (blocks, carried)
    }
}

/// How many addresses and ranges there are, in words.
pub(super) fn counted(blocks: &[CidrBlock]) -> String {
    let ranges = blocks.iter().filter(|block| !block.is_single()).count();
    let addresses = blocks.len().saturating_sub(ranges);
    let words = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{number} {many}")),
    };
    let parts = [words(ranges, "range", "ranges"), words(addresses, "address", "addresses")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
