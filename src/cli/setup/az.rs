//! The lines for Azure CLI, in a POSIX shell.

use super::registration::{Registration, SetupLines};
use super::starter;
use crate::cli::args::SetupCredential;
use crate::graph::GRAPH_APP_ID;

/// All lines.
pub fn script(lines: &SetupLines) -> String {
    let mut script = lines.head();
    script.push_str(&format!("\nTENANT={}", quoted(&lines.tenant)));
    if !lines.is_tenant_known {
        script.push_str("   # your tenant: its id, or one of its domains");
    }
    script.push_str(&format!("\nGRAPH={GRAPH_APP_ID}\n"));
    if let Some(name) = lines.place.azure() {
        script.push_str(&format!("az cloud set --name {name}\n"));
    }
    script.push_str("az login --tenant \"$TENANT\" --allow-no-subscriptions --output none\n");
    for (number, registration) in lines.registrations.iter().enumerate() {
        script.push_str(&one(lines, registration, number + 1));
    }
    script.push_str(&format!(
        "\n# 3. Settings to begin with; a stanch.toml that is there is left alone.\n[ -e stanch.toml ] || cat > stanch.toml <<'END'\n{}END\n",
        starter::settings(lines)
    ));
    script.push_str(&starter::advice());
    script.push_str(&format!(
        "\n# 4. Then look whether all is there.\nstanch doctor {}\n",
        lines.named.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" ")
    ));
    script
}

fn one(lines: &SetupLines, app: &Registration, number: usize) -> String {
    let name = app.role.to_string();
    let variable = name.to_uppercase();
    let mut text = format!(
        "\n# {number}. The {name}: {}.\n{variable}=$(az ad app create --display-name {} --sign-in-audience AzureADMyOrg --query appId --output tsv)\naz ad sp create --id \"${variable}\" --output none\n",
        app.duty(),
        quoted(&app.display_name())
    );
    for (role, need) in &app.permissions {
        text.push_str(&format!(
            "# {} ({})\naz ad app permission add --id \"${variable}\" --api \"$GRAPH\" --api-permissions {}=Role --only-show-errors\n",
            role.name,
            need.words(),
            role.id
        ));
    }
    text.push_str(&credential(lines, app, &name, &variable));
    text.push_str(&format!(
        "az ad app permission admin-consent --id \"${variable}\"   # \"not found\"? Wait half a minute, run it again\necho \"or consent in a browser: {}\"\nexport AZURE_TENANT_ID=\"$TENANT\" {}CLIENT_ID=\"${variable}\"\n",
        lines.place.consent_address("$TENANT", &format!("${variable}")),
        app.prefix()
    ));
    text
}

fn credential(lines: &SetupLines, app: &Registration, name: &str, variable: &str) -> String {
    let prefix = app.prefix();
    match lines.credential {
        SetupCredential::Certificate => format!(
            "(umask 077 && openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -nodes -subj {} -keyout {name}.key -out {name}.crt && cat {name}.key {name}.crt > {name}.pem && rm {name}.key)\naz ad app credential reset --id \"${variable}\" --cert @{name}.crt --append --output none\nexport {prefix}CLIENT_CERTIFICATE_PATH=\"$PWD/{name}.pem\"\n",
            quoted(&format!("/CN={}", app.display_name()))
        ),
        SetupCredential::Secret => format!(
            "export {prefix}CLIENT_SECRET=\"$(az ad app credential reset --id \"${variable}\" --display-name stanch --years 1 --append --query password --output tsv)\"\n"
        ),
    }
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
