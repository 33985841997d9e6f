//! `block_ips`: adds the intruder's addresses to the location that the playbook names, and makes it bite. Others'
//! entries are kept as they stand.
//!
//! ```yaml
//! - step: block_ips
//!   needs: []
//!   with: { location: IP Blacklist, ips: evidence, ranges: proposed, enforce: enabled }
//! ```

mod by_hand;
mod ranges;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::ranges::Ranges;
use self::ranges::counted;
use super::Step;
use super::by_hand::ByHand;
use super::hardening::{EXCHANGE, spared};
use super::observe::{Attempt, Seen};
use super::planned::{Draft, Planned, Scope};
use super::policy_rollout::{self, Wanted, Words};
use crate::case::{Case, Hold, IndicatorKind, Look, SignIn};
use crate::domain::{ActionId, CidrBlock, GroupId, NamedLocationId, UserId};
use crate::graph::{self, GraphError, Licence, Reader, Reading, request};
use crate::guard::{
    RangeFacts, apply_overrides, judge_earlier, judge_location, judge_range, lint_policy, refusal,
};
use crate::investigate::{Crowd, count_others, read_neighbourhood};
use crate::plan::{Action, Object, Question, Undo};
use crate::policy::evaluate::{Account, blocks_location, enforces_block};
use crate::policy::{ConditionalAccessPolicy, NamedLocation, PolicyState};

/// A location is full at 2,000 ranges; from here on a new one is begun (policy-logs-auth.md 1.4).
const ROLL_OVER: usize = 1_800;
/// Over so many ranges in all, locations are no longer enforced in real time (1.3).
const REAL_TIME_LIMIT: usize = 5_000;
/// Days of the sign-in log that tell whether others come from an address.
const DAYS: i64 = 7;

/// Which addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "IpsWire")]
#[schemars(with = "IpsWire")]
pub enum Ips {
    /// Those of the case.
    #[default]
    Evidence,
    /// These.
    List {
        /// The ranges.
        blocks: Vec<CidrBlock>,
        /// What is to be said of them, such as masked host bits.
        notes: Vec<String>,
    },
}

/// Either the word `evidence` or a list: told apart by hand, for plain errors.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct IpsWire(#[schemars(schema_with = "ips_schema")] Value);

fn ips_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [
        { "const": "evidence", "description": "the addresses of the case" },
        { "type": "array", "items": { "type": "string" }, "description": "addresses and ranges" }
    ] })
}

impl Serialize for Ips {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Evidence => serializer.serialize_str("evidence"),
            Self::List { blocks, .. } => blocks.serialize(serializer),
        }
    }
}

impl TryFrom<IpsWire> for Ips {
    type Error = String;

    fn try_from(IpsWire(value): IpsWire) -> Result<Self, String> {
        match value {
            Value::String(word) if word == "evidence" => Ok(Self::Evidence),
            Value::Array(items) => {
                let (mut blocks, mut notes) = (Vec::new(), Vec::new());
                for item in &items {
                    let text =
                        item.as_str().ok_or_else(|| "expected addresses and ranges as text".to_owned())?;
                    let (block, masked) =
                        CidrBlock::parse_masking(text).map_err(|error| error.to_string())?;
                    if masked {
                        notes.push(format!("`{text}` has host bits set; it is read as `{block}`"));
                    }
                    blocks.push(block);
                }
                Ok(Self::List { blocks, notes })
            }
            _ => Err("expected `evidence`, or a list of addresses and ranges".to_owned()),
        }
    }
}

/// How far the block goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforce {
    /// An enabled policy blocks the location.
    #[default]
    Enabled,
    /// A policy reports it.
    ReportOnly,
    /// The addresses are recorded alone.
    Recorded,
}

/// For whom the block is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Users {
    /// Everyone but the emergency accounts.
    #[default]
    All,
    /// The compromised user.
    Subject,
}

fn default_location() -> String {
    "IP Blacklist".to_owned()
}

/// Its options.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockIps {
    /// Name of the named location.
    #[serde(default = "default_location")]
    pub location: String,
    /// Which addresses.
    #[serde(default)]
    pub ips: Ips,
    /// Whether ranges stand in for several addresses of the case.
    #[serde(default)]
    pub ranges: Ranges,
    /// How far the block goes.
    #[serde(default)]
    pub enforce: Enforce,
    /// For whom.
    #[serde(default)]
    pub users: Users,
}

/// What it must know.
#[derive(Clone, Debug)]
pub struct BlockFacts {
    locations: Look<Vec<NamedLocation>>,
    policies: Look<Vec<ConditionalAccessPolicy>>,
    others: BTreeMap<CidrBlock, Look<usize>>,
    groups: Look<Vec<GroupId>>,
    security_defaults: bool,
}

impl BlockIps {
    /// The addresses that are wanted, each once. One inside another stays: the wider one may be refused.
    fn candidates(&self, case: &Case) -> Vec<CidrBlock> {
        let mut blocks: Vec<CidrBlock> = match &self.ips {
            Ips::List { blocks, .. } => blocks.clone(),
            Ips::Evidence => case
                .indicators
                .iter()
                .filter(|own| own.is_certain())
                .filter(|own| matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range))
                .filter_map(|own| own.value.parse().ok())
                .collect(),
        };
        blocks.sort();
        blocks.dedup();
        blocks
    }
}

/// The policy that makes a location bite, state left out.
fn policy_body(location: &str, users: &Value, ids: &Value) -> Value {
    json!({
        "displayName": format!("stanch: block {location}"),
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": { "includeApplications": ["All"] },
            "users": users,
            "locations": { "includeLocations": ids }
        },
        "grantControls": { "operator": "OR", "builtInControls": ["block"] },
        "sessionControls": null
    })
}

/// The blocks that stand inside no other.
fn outermost(blocks: Vec<CidrBlock>) -> Vec<CidrBlock> {
    let all = blocks.clone();
    blocks
        .into_iter()
        .filter(|block| !all.iter().any(|other| other != block && other.covers(block)))
        .collect()
}

impl Step for BlockIps {
    const NAME: &'static str = "block_ips";
    const SUMMARY: &'static str = "adds the intruder's addresses to a blocklist and makes it bite";
    const PERMISSIONS: &'static [&'static str] =
        &["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"];
    const READS: &'static [Reading] = &[Reading::NamedLocations, Reading::Policies];
    const LICENCES: &'static [Licence] = &[Licence::EntraP1];
    const TAKES: &'static [Hold] = &[Hold::Network];
    const IS_DOOR: bool = true;
    type Facts = BlockFacts;

    async fn look(&self, case: &Case, graph: &Reader) -> Result<BlockFacts, GraphError> {
        let candidates = self.candidates(case);
        let others = async {
            if candidates.is_empty() {
                return Ok(BTreeMap::new());
            }
            let span = jiff::SignedDuration::from_hours(24 * DAYS);
            let before = |moment: Timestamp| moment.saturating_sub(span).unwrap_or(moment);
            let lately = before(case.evidence.window.to);
            // Whether a range is the intruder's alone is asked of all the time that the intruder was there.
            let from =
                case.since.map_or(lately, |since| before(since).max(case.evidence.window.from).min(lately));
            let rows = read_neighbourhood(graph, &candidates, from).await?;
            let ranges: Vec<CidrBlock> = self.crowds(case).iter().map(|own| own.range).collect();
            let mut others = others_of(&ranges, &rows, &case.subject.id, from);
            others.extend(others_of(&candidates, &rows, &case.subject.id, lately));
            Ok::<_, GraphError>(others)
        };
        let (locations, policies, others, groups, security_defaults) = tokio::join!(
            graph.named_locations(),
            graph.policies(),
            others,
            graph.groups_of(&case.subject.id),
            graph.security_defaults_on()
        );
        Ok(BlockFacts {
            locations: graph::look(locations)?,
            policies: graph::look(policies)?,
            others: others?,
            groups: graph::look(groups)?,
            security_defaults: graph::look(security_defaults)?.read().copied().unwrap_or(false),
        })
    }

    fn takes(&self) -> Vec<Hold> {
        if self.enforce == Enforce::Enabled { Self::TAKES.to_vec() } else { Vec::new() }
    }

    fn plan(&self, case: &Case, facts: &BlockFacts, scope: &Scope<'_>) -> Planned {
        let candidates = self.candidates(case);
        let mut planned = Planned::default();
        if let Ips::List { notes, .. } = &self.ips {
            planned.warnings.extend(notes.iter().cloned());
        }
        if candidates.is_empty() {
            planned.unchanged =
                Some("no address of the intruder's is known: give `--ip` or `--user-agent`".to_owned());
            return planned;
        }
        let (candidates, crowds) = self.fold(candidates, case, facts, scope);
        let accepted = outermost(judge(&candidates, facts, scope, &mut planned));
        let (Look::Read(locations), Look::Read(policies)) = (&facts.locations, &facts.policies) else {
            // Every candidate was refused for it, and the refusals say so.
            return planned;
        };
        if accepted.is_empty() {
            return planned;
        }
        let Some(place) = find_place(&self.location, &accepted, locations, scope, &mut planned) else {
            return planned;
        };
        let new: Vec<CidrBlock> = accepted
            .iter()
            .filter(|block| {
                let held = |location: &&NamedLocation| {
                    location.ranges.iter().filter_map(|own| own.block).any(|own| own.covers(block))
                };
                !place.all.iter().any(held)
            })
            .copied()
            .collect();
        let mut behind = Vec::new();
        if !new.is_empty() {
            let action = addition(case, &place, &new, &crowds, scope);
            behind.extend(action.as_ref().map(|action| action.id.clone()));
            planned.push(action, scope);
            let total: usize = locations.iter().map(|own| own.ranges.len()).sum::<usize>() + new.len();
            if total > REAL_TIME_LIMIT {
                planned.warnings.push(format!(
                    "the tenant's locations will hold {total} ranges: over {REAL_TIME_LIMIT} they are no longer enforced in real time"
                ));
            }
        }
        let unchanged =
            self.make_it_bite(case, &place, policies, facts, &accepted, &behind, scope, &mut planned);
        if planned.actions.is_empty() && planned.refused.is_empty() {
            planned.unchanged =
                Some(unchanged.unwrap_or_else(|| format!("`{}` holds every address already", self.location)));
        }
        planned
    }

    fn by_hand(&self, user: &str) -> ByHand {
        by_hand::by_hand(self, user)
    }
}

/// The other users who signed in from each candidate since a moment.
fn others_of(
    candidates: &[CidrBlock],
    rows: &Look<Vec<SignIn>>,
    subject: &UserId,
    since: Timestamp,
) -> BTreeMap<CidrBlock, Look<usize>> {
    let count = |block: &CidrBlock| {
        rows.as_ref().map(|rows| count_others(block, rows.iter().filter(|row| row.at >= since), subject))
    };
    candidates.iter().map(|block| (*block, count(block))).collect()
}

/// Asks the guards about each candidate.
fn judge(
    candidates: &[CidrBlock],
    facts: &BlockFacts,
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Vec<CidrBlock> {
    let none = Look::Unread { why: "the sign-in log was not read".to_owned() };
    let mut accepted = Vec::new();
    for block in candidates {
        let others = facts.others.get(block).unwrap_or(&none);
        let about = RangeFacts { locations: &facts.locations, policies: &facts.policies, others };
        let (standing, overridden) = apply_overrides(judge_range(block, scope.rules, &about), scope.rules);
        if let Some(refusal) = standing.into_iter().next() {
            // What was set aside for a range that is not blocked has changed nothing.
            planned.refused.push(refusal);
        } else {
            accepted.push(*block);
            planned.overridden.extend(overridden);
        }
    }
    accepted
}

/// Where new ranges go.
struct Place<'a> {
    /// Name of the location that takes them.
    name: String,
    /// That location, where it is there.
    location: Option<&'a NamedLocation>,
    /// Every location of the list: the named one and those that were begun when it was full.
    all: Vec<&'a NamedLocation>,
}

/// Finds the location by its name; where it is full, the next one: `NAME 2`, `NAME 3`, …
fn find_place<'a>(
    name: &str,
    accepted: &[CidrBlock],
    locations: &'a [NamedLocation],
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> Option<Place<'a>> {
    let mut all = Vec::new();
    for number in 1u32.. {
        let own_name = if number == 1 { name.to_owned() } else { format!("{name} {number}") };
        let found: Vec<&NamedLocation> =
            locations.iter().filter(|own| own.display_name == own_name).collect();
        let refusal = match found.as_slice() {
            [] => {
                if number > 1 {
                    planned.warnings.push(format!("`{name}` is nearly full: `{own_name}` is begun"));
                }
                return Some(Place { name: own_name, location: None, all });
            }
            [own] => match judge_location(own) {
                Ok(()) => {
                    all.push(*own);
                    if own.ranges.len() + accepted.len() <= ROLL_OVER {
                        return Some(Place { name: own_name, location: Some(*own), all });
                    }
                    continue;
                }
                Err(refusal) => refusal,
            },
            _ => refusal(
                "location_ambiguous",
                &own_name,
                format!("{} locations are called so", found.len()),
                "rename all but one, or name another with `--set location=NAME`",
            ),
        };
        let (refused, overridden) = apply_overrides(vec![refusal], scope.rules);
        planned.refused.extend(refused);
        planned.overridden.extend(overridden);
        return None;
    }
    None
}

/// Plans the new ranges: into the location that is there, or into one that is made for them.
fn addition(
    case: &Case,
    place: &Place<'_>,
    new: &[CidrBlock],
    crowds: &[Crowd],
    scope: &Scope<'_>,
) -> Option<Action> {
    let texts: Vec<String> = new.iter().map(ToString::to_string).collect();
    let evidence = evidence_for(case, new, crowds);
    let count = counted(new);
    let id = scope.action_id("")?;
    let (summary, object_id, before, undo, sent) = match place.location {
        Some(location) => (
            format!("Add {count} to the named location `{}`", place.name),
            Some(location.id.to_string()),
            json!({ "contains": [] }),
            Undo::Requests(vec![request::remove_ranges(&location.id, new)]),
            request::add_ranges(location.id.as_str(), new),
        ),
        None => (
            format!("Create the named location `{}` with {count}", place.name),
            None,
            Value::Null,
            Undo::Requests(vec![request::delete_location(&format!("${{actions.{id}.id}}"))]),
            request::create_location(&place.name, new),
        ),
    };
    let draft = Draft {
        key: "",
        summary,
        object: Object { kind: "named location".to_owned(), id: object_id, name: place.name.clone() },
        before,
        after: json!({ "contains": texts }),
        undo,
        reason: "the intruder came from there".to_owned(),
        evidence,
        requests: vec![sent],
    };
    Some(draft.with_id(id, BlockIps::NAME, scope))
}

impl BlockIps {
    /// Plans the policy that makes the list bite, unless one does already. Returns why there is nothing to do.
    #[expect(clippy::too_many_arguments, reason = "one decision, over all that was found")]
    fn make_it_bite(
        &self,
        case: &Case,
        place: &Place<'_>,
        policies: &[ConditionalAccessPolicy],
        facts: &BlockFacts,
        accepted: &[CidrBlock],
        behind: &[ActionId],
        scope: &Scope<'_>,
        planned: &mut Planned,
    ) -> Option<String> {
        let mut open: Vec<&NamedLocation> = place
            .all
            .iter()
            .copied()
            .filter(|location| !policies.iter().any(|policy| bites(policy, location, case, facts)))
            .collect();
        // A location that nothing new goes into, and that is not the list itself, is not ours to enforce.
        open.retain(|location| {
            place.all.first().is_some_and(|first| first.id == location.id)
                || Some(location.id.clone()) == place.location.map(|own| own.id.clone())
        });
        let is_new = place.location.is_none();
        if open.is_empty() && !is_new {
            return Some(format!(
                "`{}` holds every address already, and an enabled policy blocks it",
                place.name
            ));
        }
        let not_enforced =
            |why: &str| format!("`{}`: the addresses are recorded, NOT enforced: {why}", place.name);
        if self.enforce == Enforce::Recorded {
            planned.warnings.push(not_enforced("the playbook says `enforce: recorded`"));
            return None;
        }
        let mut ids: Vec<String> = open.iter().map(|location| location.id.to_string()).collect();
        if is_new {
            let maker = behind.first().map(|id| format!("${{actions.{id}.id}}"));
            ids.extend(maker);
        }
        let users = match self.users {
            Users::All => json!(["All"]),
            Users::Subject => json!([case.subject.id]),
        };
        let users = json!({ "includeUsers": users, "excludeUsers": scope.rules.emergency_accounts });
        let body = policy_body(&place.name, &users, &json!(ids));
        let (refused, overridden) = apply_overrides(lint_policy(&body, scope.rules), scope.rules);
        planned.overridden.extend(overridden);
        if !refused.is_empty() {
            planned.warnings.push(not_enforced("a guard refused the policy, see below"));
            planned.refused.extend(refused);
            return None;
        }
        let enforce = self.enforce == Enforce::Enabled;
        if !enforce {
            planned.warnings.push(not_enforced("the playbook says `enforce: report_only`"));
        }
        if enforce && facts.security_defaults {
            planned.warnings.push(not_enforced(
                "security defaults are on, and Graph refuses enforced policies beside them",
            ));
        }
        if enforce {
            let begins_to_bite = beginning_to_bite(&open, policies);
            if refuse_earlier(&begins_to_bite, facts, scope, planned) {
                planned.warnings.push(not_enforced("a guard refused what the list holds already, see below"));
                return None;
            }
            warn_of_earlier(&begins_to_bite, planned);
        }
        let wanted = Wanted {
            body,
            enforce,
            rehearsal: PolicyState::ReportOnly,
            question: Question {
                applies_to: case.subject.id.clone(),
                spares: scope.rules.emergency_accounts.clone(),
                from: accepted.first().map(|block| block.network().to_string()),
                app: Some(EXCHANGE.to_owned()),
                client: "browser".to_owned(),
            },
            words: Words {
                whom: match self.users {
                    Users::All => spared("everyone", scope),
                    Users::Subject => spared(case.subject.upn.as_str(), scope),
                },
                when: format!("every sign-in to every app from the named location `{}`", place.name),
                effect: "blocks the sign-in",
            },
            reason: "a named location blocks nothing by itself".to_owned(),
            evidence: Vec::new(),
        };
        let place_of_first = planned.actions.len();
        let refusals = planned.refused.len();
        let nothing = policy_rollout::plan(&wanted, policies, behind, Self::NAME, scope, planned);
        if planned.refused.len() > refusals {
            planned.warnings.push(not_enforced("the policy of that name is not taken up, see below"));
        }
        // Without new ranges the policy is the step's first action, and has its plain id.
        if place_of_first == 0
            && let Some(first) = planned.actions.first_mut()
        {
            first.needs.clear();
        }
        nothing
    }
}

/// Whether a policy blocks a list for the subject. One that may leave the subject out, by a group or role that is not
/// known of, does not count.
fn bites(
    policy: &ConditionalAccessPolicy,
    location: &NamedLocation,
    case: &Case,
    facts: &BlockFacts,
) -> bool {
    let roles = case.subject.active_roles();
    let users = &policy.conditions.users;
    let is_known = |unread: Option<&str>, excluded: &[String]| unread.is_none() || excluded.is_empty();
    let account = Account {
        user: &case.subject.id,
        groups: facts.groups.read().map(Vec::as_slice).unwrap_or_default(),
        roles: roles.read().map(Vec::as_slice).unwrap_or_default(),
    };
    is_known(facts.groups.unread(), &users.exclude_groups)
        && is_known(roles.unread(), &users.exclude_roles)
        && enforces_block(policy, &location.id, &account)
}

/// The lists that hold entries and that no enforced policy blocks for anybody yet.
fn beginning_to_bite<'a>(
    open: &[&'a NamedLocation],
    policies: &[ConditionalAccessPolicy],
) -> Vec<&'a NamedLocation> {
    let is_blocked_for_some = |location: &NamedLocation| {
        policies.iter().any(|policy| {
            policy.state == crate::policy::PolicyState::Enabled && blocks_location(policy, &location.id)
        })
    };
    open.iter()
        .copied()
        .filter(|location| !location.ranges.is_empty() && !is_blocked_for_some(location))
        .collect()
}

/// Asks the guards about what the lists hold already; tells whether one stands in the way.
fn refuse_earlier(
    begins_to_bite: &[&NamedLocation],
    facts: &BlockFacts,
    scope: &Scope<'_>,
    planned: &mut Planned,
) -> bool {
    let about = RangeFacts { locations: &facts.locations, policies: &facts.policies, others: &Look::Read(0) };
    let earlier = begins_to_bite.iter().flat_map(|list| judge_earlier(list, scope.rules, &about)).collect();
    let (refused, overridden) = apply_overrides(earlier, scope.rules);
    planned.overridden.extend(overridden);
    let is_refused = !refused.is_empty();
    planned.refused.extend(refused);
    is_refused
}

/// Entries that are there already and bite from now on are named: others put them there.
fn warn_of_earlier(begins_to_bite: &[&NamedLocation], planned: &mut Planned) {
    for location in begins_to_bite {
        let shown: Vec<&str> = location.ranges.iter().take(10).map(|own| own.text.as_str()).collect();
        let more = location.ranges.len().saturating_sub(shown.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        planned.warnings.push(format!(
            "earlier entries of `{}` begin to bite with it, for everyone: {}{more}",
            location.display_name,
            shown.join(", ")
        ));
    }
}

/// What the new ranges rest on: a whole range on what lies in it.
fn evidence_for(case: &Case, new: &[CidrBlock], crowds: &[Crowd]) -> Vec<String> {
    let whole = crowds.iter().filter(|crowd| new.contains(&crowd.range));
    let whole = whole.map(|crowd| format!("{}: {}", crowd.range, crowd.reason()));
    let single = case
        .indicators
        .iter()
        .filter(|own| matches!(own.kind, IndicatorKind::Address | IndicatorKind::Range))
        .filter(|own| {
            own.value.parse::<CidrBlock>().is_ok_and(|block| {
                new.contains(&block) || (own.is_certain() && new.iter().any(|range| range.covers(&block)))
            })
        })
        .map(|own| format!("{}: {}", own.value, own.reasons.join("; ")));
    whole.chain(single).collect()
}

/// Reads an action's object: the location, or the policy.
pub(super) async fn see(
    action: &Action,
    sent: Option<&Attempt>,
    made: &Attempt,
    graph: &Reader,
) -> Result<Seen, GraphError> {
    if action.object.kind == "policy" {
        return policy_rollout::see(action, sent, made, graph).await;
    }
    let id = action.object.id.as_deref().or_else(|| sent.and_then(|sent| sent.made_id.as_deref()));
    let Some(id) = id.and_then(|id| id.parse::<NamedLocationId>().ok()) else {
        let twin =
            graph.named_locations().await?.into_iter().find(|own| own.display_name == action.object.name);
        return Ok(match twin {
            None => Seen::AsBefore,
            Some(_) => Seen::Differs { what: format!("there is a location `{}` now", action.object.name) },
        });
    };
    let Some(location) = graph.named_location(&id).await? else {
        let what = "the location is not there".to_owned();
        return Ok(if sent.is_some() && action.object.id.is_none() {
            Seen::AsBefore
        } else {
            Seen::Differs { what }
        });
    };
    if let Err(refusal) = judge_location(&location) {
        return Ok(Seen::Differs { what: refusal.why });
    }
    let held: Vec<CidrBlock> = location.ranges.iter().filter_map(|own| own.block).collect();
    let wanted = action.after.get("contains").and_then(Value::as_array).into_iter().flatten();
    let is_whole = wanted
        .filter_map(|text| text.as_str()?.parse::<CidrBlock>().ok())
        .all(|block| held.iter().any(|own| own.covers(&block)));
    Ok(if is_whole { Seen::AsAfter } else { Seen::AsBefore })
}
