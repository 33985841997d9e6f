//! Refuses Microsoft's own addresses: the log shows them for sign-ins that the service makes for its users, so that
//! blocking one stops the tenant's own traffic.

use super::verdict::refusal;
use crate::domain::CidrBlock;
use crate::plan::GuardRefusal;

/// The day of the published list that most of the table was taken from; such ranges are given up rarely, and added to.
/// A range that is missing here may still be Microsoft's.
pub(super) const AS_OF: &str = "2022-07-28";

/// Microsoft's "Office 365 URLs and IP address ranges", worldwide, version 2022072800, and the two ranges that its
/// sign-in service got since. Single addresses within Azure are left out: they move.
const RANGES: &[(&str, &str)] = &[
    ("20.20.32.0/19", "Entra ID"),
    ("20.190.128.0/18", "Entra ID"),
    ("20.231.128.0/19", "Entra ID"),
    ("40.126.0.0/18", "Entra ID"),
    ("2603:1006:2000::/48", "Entra ID"),
    ("2603:1007:200::/48", "Entra ID"),
    ("2603:1016:1400::/48", "Entra ID"),
    ("2603:1017::/48", "Entra ID"),
    ("2603:1026:3000::/48", "Entra ID"),
    ("2603:1027:1::/48", "Entra ID"),
    ("2603:1036:3000::/48", "Entra ID"),
    ("2603:1037:1::/48", "Entra ID"),
    ("2603:1046:2000::/48", "Entra ID"),
    ("2603:1047:1::/48", "Entra ID"),
    ("2603:1056:2000::/48", "Entra ID"),
    ("2603:1057:2::/48", "Entra ID"),
    ("13.107.6.152/31", "Exchange Online"),
    ("13.107.18.10/31", "Exchange Online"),
    ("13.107.128.0/22", "Exchange Online"),
    ("23.103.160.0/20", "Exchange Online"),
    ("40.92.0.0/15", "Exchange Online"),
    ("40.96.0.0/13", "Exchange Online"),
    ("40.104.0.0/15", "Exchange Online"),
    ("40.107.0.0/16", "Exchange Online"),
    ("52.96.0.0/14", "Exchange Online"),
    ("52.100.0.0/14", "Exchange Online"),
    ("104.47.0.0/17", "Exchange Online"),
    ("131.253.33.215/32", "Exchange Online"),
    ("132.245.0.0/16", "Exchange Online"),
    ("150.171.32.0/22", "Exchange Online"),
    ("204.79.197.215/32", "Exchange Online"),
    ("2603:1006::/40", "Exchange Online"),
    ("2603:1016::/36", "Exchange Online"),
    ("2603:1026::/36", "Exchange Online"),
    ("2603:1036::/36", "Exchange Online"),
    ("2603:1046::/36", "Exchange Online"),
    ("2603:1056::/36", "Exchange Online"),
    ("2620:1ec:8f0::/46", "Exchange Online"),
    ("2620:1ec:900::/46", "Exchange Online"),
    ("2a01:111:f400::/48", "Exchange Online"),
    ("2a01:111:f403::/48", "Exchange Online"),
    ("13.107.136.0/22", "SharePoint Online"),
    ("40.108.128.0/17", "SharePoint Online"),
    ("52.104.0.0/14", "SharePoint Online"),
    ("104.146.128.0/17", "SharePoint Online"),
    ("150.171.40.0/22", "SharePoint Online"),
    ("2603:1061:1300::/40", "SharePoint Online"),
    ("2620:1ec:8f8::/46", "SharePoint Online"),
    ("2620:1ec:908::/46", "SharePoint Online"),
    ("2a01:111:f402::/48", "SharePoint Online"),
    ("13.107.64.0/18", "Teams"),
    ("52.112.0.0/14", "Teams"),
    ("52.120.0.0/14", "Teams"),
    ("2603:1027::/48", "Teams"),
    ("2603:1037::/48", "Teams"),
    ("2603:1047::/48", "Teams"),
    ("2603:1057::/48", "Teams"),
    ("2603:1063::/38", "Teams"),
    ("2620:1ec:6::/48", "Teams"),
    ("2620:1ec:40::/42", "Teams"),
    ("52.108.0.0/14", "Office on the web"),
];

pub(super) fn judge(block: &CidrBlock) -> Option<GuardRefusal> {
    let (range, service) = RANGES.iter().find_map(|(text, service)| {
        // The published list writes some ranges with host bits set.
        let (range, _) = CidrBlock::parse_masking(text).ok()?;
        range.overlaps(block).then_some((range, service))
    })?;
    Some(refusal(
        "microsoft_range",
        &block.to_string(),
        format!("it shares addresses with {range}, Microsoft's own for {service} (list of {AS_OF})"),
        "look for the address that the service acted for, or plan again with `--override microsoft_range`",
    ))
}

/// Whether addresses are Microsoft's own, as far as the list has them: then they are nobody's whom it acted for.
pub fn is_microsofts(block: &CidrBlock) -> bool {
    judge(block).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_range_and_is_refused() {
        for (text, service) in RANGES {
            let (block, _) = CidrBlock::parse_masking(text).unwrap();
            let refused = judge(&CidrBlock::single(block.last())).unwrap();
            assert!(refused.why.contains(AS_OF), "{text} {service}");
        }
        assert!(judge(&"40.96.0.0/12".parse().unwrap()).unwrap().why.contains("Exchange Online"));
    }

    #[test]
    fn addresses_of_others_pass() {
        for text in ["89.187.164.82", "181.214.107.0/24", "40.127.255.255", "2a00:1450::/48"] {
            assert_eq!(judge(&text.parse().unwrap()), None, "{text}");
        }
    }
}
