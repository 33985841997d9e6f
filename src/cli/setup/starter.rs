//! A `stanch.toml` to begin with, and what to do about emergency accounts.

use super::registration::SetupLines;
use crate::config::Cloud;

/// The settings, as a file.
pub fn settings(lines: &SetupLines) -> String {
    let tenant = lines.tenant.as_str();
    let cloud = match lines.place.cloud {
        Cloud::Global => String::new(),
        other => format!("# Which of Microsoft's clouds the tenant is in.\ncloud = \"{}\"\n\n", other.word()),
    };
    let domain = if tenant.ends_with(".onmicrosoft.com") { tenant } else { "contoso.onmicrosoft.com" };
    let own = if tenant.contains('.') { tenant } else { "contoso.com" };
    format!(
        r#"{cloud}# Who asks for plans: your own user name in the tenant.
[operator]
user = "you@{own}"

[guards]
# Accounts that get you back in. They are never contained, and stay outside every policy that stanch makes.
emergency_accounts = [
    "emergency.access.one@{domain}",
    "emergency.access.two@{domain}",
]
# Object ids of groups whose members are not contained without an override.
protected_groups = []
# The company's own addresses: never blocked.
company_ranges = []

[approval]
# true: an apply needs the signature of a second person; see docs/approvals.md.
required = false
"#
    )
}

/// The advice on emergency accounts, as comments of either shell.
pub fn advice() -> String {
    "\
# Emergency accounts: before anything else, have two. Cloud-only, of the .onmicrosoft.com domain, Global
# Administrator for good (active, not eligible), with a FIDO2 key each that lies in a safe, excluded from every
# Conditional Access policy, in a restricted management administrative unit so that no app can change them.
# Name them in stanch.toml: without them stanch creates no policy, and blocks no address.
"
    .to_owned()
}
