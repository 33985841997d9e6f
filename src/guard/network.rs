//! Range guards: `special_purpose_range`, `too_wide`, `company_range`, `microsoft_range`, `trusted_location`,
//! `shared_address`, `crowded_address`.

use super::microsoft_range;
use super::rules::GuardRules;
use super::special_range::purpose;
use super::verdict::refusal;
use crate::case::Look;
use crate::domain::CidrBlock;
use crate::plan::GuardRefusal;
use crate::policy::{ConditionalAccessPolicy, NamedLocation, PolicyState};

/// From this many other users on, a block is refused for good.
const MANY: usize = 5;

/// What the range guards must know of the tenant.
#[derive(Clone, Copy, Debug)]
pub struct RangeFacts<'a> {
    /// The tenant's named locations.
    pub locations: &'a Look<Vec<NamedLocation>>,
    /// The tenant's policies: what an enabled one leaves out is trusted by somebody.
    pub policies: &'a Look<Vec<ConditionalAccessPolicy>>,
    /// How many other users signed in from the range lately.
    pub others: &'a Look<usize>,
}

/// Asks the guards that need nothing but the range and the settings. The first refusal is the one to show; every one
/// counts, as a person may set the first aside and not the next.
pub(super) fn judge_alone(block: &CidrBlock, rules: &GuardRules) -> Vec<GuardRefusal> {
    let object = block.to_string();
    let mut refused = Vec::new();
    let special = purpose(block);
    if let Some((_, purpose)) = special {
        refused.push(refusal(
            "special_purpose_range",
            &object,
            format!(
                "it shares addresses with a range for {purpose}: nobody signs in from there over the internet"
            ),
            "leave it out",
        ));
    }
    let widest = if block.is_ipv4() { rules.widest_ipv4 } else { rules.widest_ipv6 };
    if block.prefix() < widest {
        let too_wide = refusal(
            "too_wide",
            &object,
            format!("it is wider than /{widest}, the widest that the settings allow"),
            "name the addresses, or narrower ranges; or set `guards.widest_block`",
        );
        // Of the whole internet it is no news that private addresses are in it.
        let is_within = special.is_some_and(|(special, _)| special.covers(block));
        refused.insert(usize::from(is_within), too_wide);
    }
    refused.extend(judge_own(block, rules));
    refused
}

/// Asks the guards that keep the company itself from being locked out.
fn judge_own(block: &CidrBlock, rules: &GuardRules) -> Vec<GuardRefusal> {
    let mut refused = Vec::new();
    if let Some(company) = rules.company_ranges.iter().find(|company| company.overlaps(block)) {
        refused.push(refusal(
            "company_range",
            &block.to_string(),
            format!("it shares addresses with the company's own {company}"),
            "leave it out: the intruder comes through the company's own network, look there",
        ));
    }
    refused.extend(microsoft_range::judge(block));
    refused
}

/// Asks every range guard; the first refusal is the one to show.
pub fn judge_range(block: &CidrBlock, rules: &GuardRules, facts: &RangeFacts<'_>) -> Vec<GuardRefusal> {
    let mut refused = judge_alone(block, rules);
    refused.extend(judge_trusted(block, facts));
    refused.extend(judge_others(block, facts.others));
    refused
}

/// Asks about the entries that a list holds already: others put them there while it blocked nobody, and a policy makes
/// them bite. What locks the company out is refused as if it were new; the rest is theirs to know.
pub fn judge_earlier(list: &NamedLocation, rules: &GuardRules, facts: &RangeFacts<'_>) -> Vec<GuardRefusal> {
    let mut refused = Vec::new();
    for block in list.ranges.iter().filter_map(|range| range.block) {
        let mut own = judge_own(&block, rules);
        own.extend(judge_trusted(&block, facts).filter(|_| matches!(facts.locations, Look::Read(_))));
        refused.extend(own.into_iter().map(|refusal| GuardRefusal {
            why: format!(
                "it stands in `{}` already, which a policy would block: {}",
                list.display_name, refusal.why
            ),
            next: format!(
                "take it out of `{}` first, or name another list with `--set location=NAME`; then plan again",
                list.display_name
            ),
            ..refusal
        }));
    }
    refused
}

fn judge_trusted(block: &CidrBlock, facts: &RangeFacts<'_>) -> Option<GuardRefusal> {
    let object = block.to_string();
    let (locations, policies) = match (facts.locations, facts.policies) {
        (Look::Read(locations), Look::Read(policies)) => (locations, policies),
        (Look::Unread { why }, _) | (_, Look::Unread { why }) => {
            return Some(refusal(
                "trusted_location",
                &object,
                format!("whether it is trusted could not be read: {why}"),
                "grant the app `Policy.Read.All`, then plan again",
            ));
        }
    };
    let left_out = |location: &NamedLocation| {
        policies.iter().filter(|policy| policy.state == PolicyState::Enabled).any(|policy| {
            policy
                .conditions
                .locations
                .as_ref()
                .is_some_and(|own| own.exclude_locations.iter().any(|id| id == location.id.as_str()))
        })
    };
    let trusted =
        locations.iter().filter(|location| location.is_trusted || left_out(location)).find(|location| {
            location.ranges.iter().filter_map(|range| range.block).any(|own| own.overlaps(block))
        })?;
    Some(refusal(
        "trusted_location",
        &object,
        format!("it shares addresses with the trusted location `{}`", trusted.display_name),
        "leave it out, or take the address out of that location first",
    ))
}

fn judge_others(block: &CidrBlock, others: &Look<usize>) -> Option<GuardRefusal> {
    let object = block.to_string();
    Some(match others {
        Look::Read(0) => return None,
        Look::Read(count) if *count >= MANY => refusal(
            "crowded_address",
            &object,
            format!("{count} other users signed in from it lately: a block would lock them out"),
            "find out whose address it is; a single address instead of a range may do",
        ),
        Look::Read(count) => refusal(
            "shared_address",
            &object,
            format!("{count} other user{} signed in from it lately", if *count == 1 { "" } else { "s" }),
            "find out whose address it is; a single address instead of a range may do; or plan with `--override shared_address`",
        ),
        Look::Unread { why } => refusal(
            "shared_address",
            &object,
            format!("whether other users sign in from it could not be read: {why}"),
            "mend that and plan again; or find out whose address it is, then plan with `--override shared_address`",
        ),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> GuardRules {
        GuardRules {
            emergency_accounts: Vec::new(),
            unresolved_emergency: Vec::new(),
            no_emergency_accounts: true,
            protected_groups: Vec::new(),
            company_ranges: vec!["45.83.220.0/24".parse().unwrap()],
            accepted_permissions: Vec::new(),
            widest_ipv4: 24,
            widest_ipv6: 48,
            overrides: Vec::new(),
            own_apps: Vec::new(),
        }
    }

    fn guard_of(text: &str, others: &Look<usize>) -> Option<String> {
        let office = serde_json::json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "e4cd6075-2055-4f5f-8b22-20a49a15a311",
            "displayName": "Office", "isTrusted": true,
            "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "93.184.216.34/28" }]
        });
        let locations = Look::Read(vec![NamedLocation::from_graph(office).unwrap()]);
        let policies = Look::Read(Vec::new());
        let facts = RangeFacts { locations: &locations, policies: &policies, others };
        judge_range(&text.parse().unwrap(), &rules(), &facts).first().map(|refusal| refusal.guard.clone())
    }

    #[test]
    fn each_range_guard_refuses_and_lets_pass() {
        let none = Look::Read(0);
        for (text, guard) in [
            ("10.0.0.7/32", Some("special_purpose_range")),
            ("93.0.0.0/12", Some("too_wide")),
            ("2a0b:f4c2::/32", Some("too_wide")),
            ("45.83.220.128/25", Some("company_range")),
            ("93.184.216.40/32", Some("trusted_location")),
            ("52.96.12.0/24", Some("microsoft_range")),
            ("89.187.164.0/24", None),
            ("2a0b:f4c2:1::/64", None),
        ] {
            assert_eq!(guard_of(text, &none).as_deref(), guard, "{text}");
        }
        assert_eq!(guard_of("89.187.164.77/32", &Look::Read(1)).as_deref(), Some("shared_address"));
        assert_eq!(guard_of("89.187.164.77/32", &Look::Read(5)).as_deref(), Some("crowded_address"));
        let unread = Look::Unread { why: "no licence".to_owned() };
        assert_eq!(guard_of("89.187.164.77/32", &unread).as_deref(), Some("shared_address"));
    }

    #[test]
    fn locations_that_were_not_read_refuse() {
        let unread = Look::Unread { why: "403".to_owned() };
        let facts =
            RangeFacts { locations: &unread, policies: &Look::Read(Vec::new()), others: &Look::Read(0) };
        let refused = judge_range(&"89.187.164.77".parse().unwrap(), &rules(), &facts);
        assert_eq!(refused[0].guard, "trusted_location");
    }

    #[test]
    fn of_the_whole_internet_its_width_is_told_and_of_a_private_range_what_it_is_for() {
        let first = |text: &str| judge_alone(&text.parse().unwrap(), &rules()).remove(0).guard;
        assert_eq!(first("0.0.0.0/0"), "too_wide");
        assert_eq!(first("::/0"), "too_wide");
        assert_eq!(first("10.0.0.0/8"), "special_purpose_range");
    }

    #[test]
    fn behind_a_guard_that_was_set_aside_the_next_one_is_still_asked() {
        let rules = GuardRules { overrides: vec!["too_wide".to_owned()], ..rules() };
        let refused = judge_alone(&"45.83.0.0/16".parse().unwrap(), &rules);
        let (standing, aside) = crate::guard::apply_overrides(refused, &rules);
        assert_eq!(aside[0].guard, "too_wide");
        assert_eq!(standing[0].guard, "company_range", "the company was locked out");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn overlap_is_that_of_the_address_sets(a in 0u32..256, b in 0u32..256, pa in 24u8..=32, pb in 24u8..=32) {
            let base = 0x5BBB_A400u32;
            let block = |low: u32, prefix: u8| -> CidrBlock {
                CidrBlock::parse_masking(&format!("{}/{prefix}", std::net::Ipv4Addr::from(base + low))).unwrap().0
            };
            let (one, other) = (block(a, pa), block(b, pb));
            let members = |block: CidrBlock| -> std::collections::HashSet<u32> {
                (base..base + 256).filter(|ip| block.contains(std::net::Ipv4Addr::from(*ip).into())).collect()
            };
            prop_assert_eq!(one.overlaps(&other), !members(one).is_disjoint(&members(other)));
        }
    }
}
