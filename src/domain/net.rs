//! Addresses and ranges: an IP network with no host bits set.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Why a text is no range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CidrError {
    /// Bits behind the prefix are set; the masked network is given, for a caller who may take it and must say so.
    #[error("`{text}` has host bits set: its network is `{network}`")]
    HostBits {
        /// The text.
        text: String,
        /// The network that it lies in.
        network: CidrBlock,
    },
    /// A digit of the address is masked in the log (`203.0.113.XXX`).
    #[error("`{text}` is masked: the log hides part of it, so it names no address")]
    Masked {
        /// The text.
        text: String,
    },
    /// Not an address and not a range.
    #[error(
        "`{text}` is no address and no range: expected such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48"
    )]
    Malformed {
        /// The text.
        text: String,
    },
}

/// An IPv4 or IPv6 network. A single address is a network with a full prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct CidrBlock(IpNet);

impl CidrBlock {
    /// The network of one address alone. An IPv4 address in IPv6 clothes (`::ffff:…`) is taken as IPv4.
    pub fn single(address: IpAddr) -> Self {
        Self(IpNet::from(address.to_canonical()))
    }

    /// Parses, and where host bits are set masks them: the second value then tells that it did.
    ///
    /// # Errors
    /// When the text is no address and no range.
    pub fn parse_masking(text: &str) -> Result<(Self, bool), CidrError> {
        match text.parse() {
            Ok(block) => Ok((block, false)),
            Err(CidrError::HostBits { network, .. }) => Ok((network, true)),
            Err(other) => Err(other),
        }
    }

    /// Where an address of a log lies: alone, or in its /24 where the log hides the last part (`203.0.113.XXX`).
    pub fn of_log(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Some(Self::single(address));
        }
        let (front, hidden) = text.rsplit_once('.')?;
        let is_hidden = !hidden.is_empty() && hidden.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'));
        if is_hidden { format!("{front}.0/24").parse().ok() } else { None }
    }

    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether the other network lies wholly in this one.
    pub fn covers(&self, other: &CidrBlock) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether the two share any address.
    pub fn overlaps(&self, other: &CidrBlock) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The prefix length: how many bits are fixed.
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether this is IPv4.
    pub fn is_ipv4(&self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }

    /// Whether the network is one address.
    pub fn is_single(&self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }

    /// The first address.
    pub fn network(&self) -> IpAddr {
        self.0.network()
    }

    /// The last address.
    pub fn last(&self) -> IpAddr {
        self.0.broadcast()
    }

    /// `@odata.type` of the range in a named location (policy-logs-auth.md 1.2).
    pub fn odata_type(&self) -> &'static str {
        if self.is_ipv4() { "#microsoft.graph.iPv4CidrRange" } else { "#microsoft.graph.iPv6CidrRange" }
    }
}

impl FromStr for CidrBlock {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let text = text.trim();
        let malformed = || CidrError::Malformed { text: text.to_owned() };
        if text.to_ascii_lowercase().contains("xxx") {
            return Err(CidrError::Masked { text: text.to_owned() });
        }
        let Some((address, prefix)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::single).map_err(|_| malformed());
        };
        let has_plain_prefix = !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_digit())
            && (prefix.len() == 1 || !prefix.starts_with('0'));
        if !has_plain_prefix {
            return Err(malformed());
        }
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
        let (address, prefix) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) if prefix >= 96 => (IpAddr::V4(mapped), prefix - 96),
            _ => (address, prefix),
        };
        let given = IpNet::new(address, prefix).map_err(|_| malformed())?;
        let network = Self(given.trunc());
        if given == network.0 {
            Ok(network)
        } else {
            Err(CidrError::HostBits { text: text.to_owned(), network })
        }
    }
}

impl TryFrom<String> for CidrBlock {
    type Error = CidrError;

    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse()
    }
}

impl From<CidrBlock> for String {
    fn from(block: CidrBlock) -> Self {
        block.to_string()
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl fmt::Debug for CidrBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Tells whether a host is this machine or on its own link, by its address: where a mock and a platform's own endpoints
/// are, and no proxy stands between.
pub fn is_nearby(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| match address {
            IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
        })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn host_bits_are_named_with_the_network_that_was_meant() {
        let error = "89.187.164.82/24".parse::<CidrBlock>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`89.187.164.82/24` has host bits set: its network is `89.187.164.0/24`"
        );
        let (block, masked) = CidrBlock::parse_masking("89.187.164.82/24").unwrap();
        assert_eq!((block.to_string(), masked), ("89.187.164.0/24".to_owned(), true));
    }

    #[test]
    fn an_address_of_a_log_is_its_network_where_the_log_hides_the_last_part() {
        for (text, wanted) in [
            (" 203.0.113.7", Some("203.0.113.7/32")),
            ("203.0.113.XXX", Some("203.0.113.0/24")),
            ("203.0.113.xxx", Some("203.0.113.0/24")),
            ("203.0.XXX", None),
            ("203.0.113.", None),
            ("mail.contoso.com", None),
            ("", None),
        ] {
            assert_eq!(CidrBlock::of_log(text), wanted.map(|own| own.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for wrong in [
            "",
            "1.2.3",
            "1.2.3.4/033",
            "1.2.3.4/",
            "0x7f.1",
            "010.0.0.1",
            "1.2.3.4/33",
            "fe80::1%eth0",
            "::/129",
            "1.2.3.4 /24",
            "１.2.3.4",
            "203.0.113.XXX",
        ] {
            assert!(wrong.parse::<CidrBlock>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ipv4_in_ipv6_clothes_is_ipv4() {
        assert_eq!("::ffff:10.0.0.1".parse::<CidrBlock>().unwrap().to_string(), "10.0.0.1/32");
        assert_eq!("::ffff:10.0.0.0/104".parse::<CidrBlock>().unwrap().to_string(), "10.0.0.0/8");
    }

    proptest! {
        #[test]
        fn a_range_round_trips_through_text(bits in any::<u32>(), wide in any::<u128>(), v4 in 0u8..=32, v6 in 0u8..=128) {
            for given in [format!("{}/{v4}", Ipv4Addr::from(bits)), format!("{}/{v6}", Ipv6Addr::from(wide | (1 << 127)))] {
                let (block, _) = CidrBlock::parse_masking(&given).unwrap();
                prop_assert_eq!(block.to_string().parse::<CidrBlock>().unwrap(), block);
            }
        }
    }
}
