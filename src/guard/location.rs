//! Location guards: an attacker's address in a trusted location would be trusted instead of blocked.

use super::verdict::refusal;
use crate::plan::GuardRefusal;
use crate::policy::NamedLocation;

/// Asks whether addresses may be added to a location.
///
/// # Errors
/// When it is no list of addresses, or trusted.
pub fn judge_location(location: &NamedLocation) -> Result<(), GuardRefusal> {
    if !location.is_ip {
        return Err(refusal(
            "location_not_ip",
            &location.display_name,
            "it is a list of countries, not of addresses",
            "name another location with `--set location=NAME`",
        ));
    }
    if location.is_trusted {
        return Err(refusal(
            "location_trusted",
            &location.display_name,
            "it is trusted: an address in it would be let in, not kept out",
            "name another location with `--set location=NAME`",
        ));
    }
    Ok(())
}
