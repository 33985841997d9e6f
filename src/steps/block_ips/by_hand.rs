//! The blocklist by a person's hand.

use serde_json::json;

use super::{BlockIps, Enforce, Ips, Ranges, Users, policy_body};
use crate::steps::by_hand::{ByHand, policy, quoted};
use crate::steps::target::Rollout;

/// Tells how a person adds the addresses and blocks them.
pub(super) fn by_hand(step: &BlockIps, user: &str) -> ByHand {
    let name = quoted(&step.location);
    let ranges = match &step.ips {
        Ips::List { blocks, .. } => {
            blocks.iter().map(|block| quoted(&block.to_string())).collect::<Vec<_>>().join(", ")
        }
        Ips::Evidence => "'ADDRESS/32'".to_owned(),
    };
    let whom = match step.users {
        Users::All => "everyone",
        Users::Subject => user,
    };
    let mut portal = vec![format!(
        "Protection > Conditional Access > Named locations > `{}` (new: IP ranges location, not trusted): add each address of the intruder's with /32, an IPv6 one with /128; keep what is there; never the company's own",
        step.location
    )];
    if step.ranges == Ranges::Proposed && step.ips == Ips::Evidence {
        portal.push(
            "Where three or more of them lie in one /24 (IPv6: /48), and the sign-in log shows nobody else's sign-ins from there, the user's neither: add the range in their place"
                .to_owned(),
        );
    }
    let mut lines = vec![
        "# The intruder's addresses, IPv4 with /32, IPv6 with /128; never the company's own:".to_owned(),
        format!("$blocked = @({ranges})"),
        "$ranges = @($blocked | ForEach-Object { @{ '@odata.type' = $(if ($_ -like '*:*') { '#microsoft.graph.iPv6CidrRange' } else { '#microsoft.graph.iPv4CidrRange' }); cidrAddress = $_ } })".to_owned(),
        format!("$location = Get-MgIdentityConditionalAccessNamedLocation -All | Where-Object DisplayName -eq {name}"),
        "# Graph replaces the whole list: what is there goes along.".to_owned(),
        "if ($location) { Update-MgIdentityConditionalAccessNamedLocation -NamedLocationId $location.Id -BodyParameter @{ '@odata.type' = '#microsoft.graph.ipNamedLocation'; ipRanges = @($location.AdditionalProperties.ipRanges) + $ranges } }".to_owned(),
        format!("else {{ $location = New-MgIdentityConditionalAccessNamedLocation -BodyParameter @{{ '@odata.type' = '#microsoft.graph.ipNamedLocation'; displayName = {name}; isTrusted = $false; ipRanges = $ranges }} }}"),
    ];
    let state = match step.enforce {
        Enforce::Enabled => Rollout::Enabled,
        Enforce::ReportOnly => Rollout::ReportOnly,
        Enforce::Recorded => return ByHand { portal, powershell: lines },
    };
    portal.push(format!(
        "Policies: where no policy blocks that location, New policy, `stanch: block {}`: users {whom}, exclude the emergency accounts; all resources; Conditions, Locations: include `{}`; Grant: block access; Enable policy: {}",
        step.location,
        step.location,
        state.in_portal()
    ));
    let included = match step.users {
        Users::All => "All",
        Users::Subject => "$id",
    };
    let users = json!({ "includeUsers": [included], "excludeUsers": ["$emergency"] });
    lines.push("# Where no policy blocks that location yet:".to_owned());
    let body = policy_body(&step.location, &users, &json!(["$location.Id"]));
    lines.extend(policy(&[], &body, state.state().as_graph()).powershell);
    ByHand { portal, powershell: lines }
}
