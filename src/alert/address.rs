//! Addresses, as senders write them: with a port, in brackets, several in one text. What nobody can come from over the
//! internet, and what is too wide to be one intruder's, is refused here already.

use std::net::IpAddr;

use crate::config::WidestBlock;
use crate::domain::CidrBlock;

/// What senders write where they know no address.
const PLACEHOLDERS: [&str; 6] = ["", "-", "n/a", "none", "null", "unknown"];

/// Reads every address and range in a text, with what is to be said of each that was masked or refused.
pub fn read_addresses(text: &str, widest: WidestBlock) -> (Vec<CidrBlock>, Vec<String>) {
    let (mut blocks, mut notes) = (Vec::new(), Vec::new());
    for part in text.split(',').map(str::trim) {
        if PLACEHOLDERS.contains(&part.to_lowercase().as_str()) {
            continue;
        }
        match read(part, widest) {
            Ok((block, is_masked)) => {
                if is_masked {
                    notes.push(format!(
                        "the alert's address `{part}` has host bits set; it is read as `{block}`"
                    ));
                }
                if !blocks.contains(&block) {
                    blocks.push(block);
                }
            }
            Err(why) => notes.push(format!("the alert's address `{part}` is left out: {why}")),
        }
    }
    (blocks, notes)
}

fn read(text: &str, widest: WidestBlock) -> Result<(CidrBlock, bool), String> {
    let (block, is_masked) = CidrBlock::parse_masking(without_port(text))
        .map_err(|_| "it is no address and no range".to_owned())?;
    if [block.network(), block.last()].into_iter().any(is_inside) {
        return Err("nobody comes from there over the internet".to_owned());
    }
    let limit = if block.is_ipv4() { widest.ipv4 } else { widest.ipv6 };
    if block.prefix() < limit {
        return Err(format!("it is wider than /{limit}, the widest that the settings allow"));
    }
    Ok((block, is_masked))
}

/// The Office 365 audit log has the port behind the address, and IPv6 in brackets then.
fn without_port(text: &str) -> &str {
    let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((address, port)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let ends_well = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return if ends_well { address } else { text };
    }
    match text.split_once(':') {
        Some((address, port)) if address.contains('.') && is_port(port) => address,
        _ => text,
    }
}

fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets().first().is_some_and(|first| *first == 0)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDEST: WidestBlock = WidestBlock { ipv4: 24, ipv6: 48 };

    #[test]
    fn a_port_is_taken_off_where_it_is_one_and_nowhere_else() {
        for (text, block) in [
            ("[2001:db8::1]", Some("2001:db8::1/128")),
            ("[2001:db8::1]:99999", None),
            ("203.0.113.45:", None),
            ("203.0.113.45:80:80", None),
            ("2001:db8::1:80", Some("2001:db8::1:80/128")),
        ] {
            let (blocks, notes) = read_addresses(text, WIDEST);
            assert_eq!(blocks.first().map(ToString::to_string).as_deref(), block, "{text}");
            assert_eq!(notes.is_empty(), block.is_some(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_inside_and_nothing_too_wide_ever_comes_out(bits in any::<u32>(), prefix in 0u8..=32, text in "[0-9a-f.:/, \\[\\]]{0,40}") {
            for text in [format!("{}/{prefix}", std::net::Ipv4Addr::from(bits)), text] {
                for block in read_addresses(&text, WIDEST).0 {
                    prop_assert!(!is_inside(block.network()) && !is_inside(block.last()));
                    let limit = if block.is_ipv4() { 24 } else { 48 };
                    prop_assert!(block.prefix() >= limit);
                }
            }
        }
    }
}
