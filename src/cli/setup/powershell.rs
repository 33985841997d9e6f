//! The lines for Graph `PowerShell` (7.3 or later, on any system).

use super::registration::{Registration, SetupLines};
use super::starter;
use crate::cli::args::SetupCredential;
use crate::graph::GRAPH_APP_ID;
use crate::steps::quoted;

/// All lines.
pub fn script(lines: &SetupLines) -> String {
    let mut script = lines.head();
    script.push_str(
        "# Needed once: Install-Module Microsoft.Graph.Authentication, Microsoft.Graph.Applications -Scope CurrentUser\n",
    );
    script.push_str(&format!("\n$tenant = {}", quoted(&lines.tenant)));
    if !lines.is_tenant_known {
        script.push_str("   # your tenant: its id, or one of its domains");
    }
    script.push_str(&format!(
        "\nConnect-MgGraph -TenantId $tenant -Environment {} -Scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All -NoWelcome\n$graph = Get-MgServicePrincipal -Filter \"appId eq '{GRAPH_APP_ID}'\"\n",
        lines.place.graph_environment()
    ));
    for (number, registration) in lines.registrations.iter().enumerate() {
        script.push_str(&one(lines, registration, number + 1));
    }
    script.push_str(&format!(
        "\n# 3. Settings to begin with; a stanch.toml that is there is left alone.\nif (-not (Test-Path stanch.toml)) {{ Set-Content stanch.toml -Value @'\n{}'@ }}\n",
        starter::settings(lines)
    ));
    script.push_str(&starter::advice());
    script.push_str(&format!(
        "\n# 4. Then look whether all is there.\nDisconnect-MgGraph | Out-Null\nstanch doctor {}\n",
        lines.named.iter().map(|name| word(name)).collect::<Vec<_>>().join(" ")
    ));
    script
}

fn one(lines: &SetupLines, app: &Registration, number: usize) -> String {
    let name = app.role.to_string();
    let mut text = format!("\n# {number}. The {name}: {}.\n$access = @(\n", app.duty());
    for (role, need) in &app.permissions {
        text.push_str(&format!(
            "    @{{ Id = '{}'; Type = 'Role' }}   # {} ({})\n",
            role.id,
            role.name,
            need.words()
        ));
    }
    text.push_str(&format!(
        ")\n${name} = New-MgApplication -DisplayName {} -SignInAudience AzureADMyOrg -RequiredResourceAccess @(@{{ ResourceAppId = '{GRAPH_APP_ID}'; ResourceAccess = $access }})\n$principal = New-MgServicePrincipal -AppId ${name}.AppId\n",
        quoted(&app.display_name())
    ));
    text.push_str(&credential(lines, app, &name));
    text.push_str(&format!(
        "# The administrator's consent, one permission at a time; or in a browser:\n# {}\nforeach ($role in $access) {{ New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -PrincipalId $principal.Id -ResourceId $graph.Id -AppRoleId $role.Id | Out-Null }}\n$env:AZURE_TENANT_ID = $tenant\n$env:{}CLIENT_ID = ${name}.AppId\n",
        lines.place.consent_address(&lines.tenant, "(its AppId)"),
        app.prefix()
    ));
    text
}

fn credential(lines: &SetupLines, app: &Registration, name: &str) -> String {
    let prefix = app.prefix();
    match lines.credential {
        SetupCredential::Certificate => format!(
            "$key = [System.Security.Cryptography.RSA]::Create(3072)\n$request = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new({}, $key, [System.Security.Cryptography.HashAlgorithmName]::SHA256, [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)\n$certificate = $request.CreateSelfSigned([DateTimeOffset]::UtcNow.AddMinutes(-5), [DateTimeOffset]::UtcNow.AddYears(1))\nSet-Content {name}.pem -Value ($key.ExportPkcs8PrivateKeyPem() + \"`n\" + $certificate.ExportCertificatePem())   # keep it to yourself: it signs in as the {name}\nif (-not $IsWindows) {{ chmod 600 {name}.pem }}\nUpdate-MgApplication -ApplicationId ${name}.Id -KeyCredentials @(@{{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $certificate.RawData }})\n$env:{prefix}CLIENT_CERTIFICATE_PATH = \"$PWD/{name}.pem\"\n",
            quoted(&format!("CN={}", app.display_name()))
        ),
        SetupCredential::Secret => format!(
            "$env:{prefix}CLIENT_SECRET = (Add-MgApplicationPassword -ApplicationId ${name}.Id -PasswordCredential @{{ DisplayName = 'stanch'; EndDateTime = [DateTime]::UtcNow.AddYears(1) }}).SecretText\n"
        ),
    }
}

/// A text as one argument of a program.
fn word(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'));
    if is_plain { text.to_owned() } else { quoted(text) }
}
