//! Special-purpose addresses (IANA registries for IPv4 and IPv6, as of 2026): nobody on the internet comes from them.
//! IPv4-mapped addresses have no row: a `CidrBlock` holds them as IPv4.

use crate::domain::CidrBlock;

const TABLE: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private use"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/96", "unspecified, loopback and IPv4-compatible"),
    ("64:ff9b::/96", "IPv4/IPv6 translation"),
    ("64:ff9b:1::/48", "IPv4/IPv6 translation"),
    ("100::/64", "discard"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
];

/// The special-purpose range that a range shares an address with, and what it is for.
pub(super) fn purpose(block: &CidrBlock) -> Option<(CidrBlock, &'static str)> {
    TABLE.iter().find_map(|(text, purpose)| {
        let special: CidrBlock = CidrBlock::parse_masking(text).ok()?.0;
        special.overlaps(block).then_some((special, *purpose))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_address_of_every_row_are_special() {
        for (text, _) in TABLE {
            let block: CidrBlock = text.parse().unwrap();
            assert!(purpose(&CidrBlock::single(block.network())).is_some(), "{text}");
            assert!(purpose(&CidrBlock::single(block.last())).is_some(), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for text in ["89.187.164.77", "181.214.107.0/24", "2a0b:f4c2:1::/64", "8.8.8.8"] {
            assert_eq!(purpose(&text.parse().unwrap()), None, "{text}");
        }
    }
}
