//! Apps of Microsoft's own, by their ids: a name can be anybody's. What is not here is taken for somebody else's app,
//! which signs in from its own servers and in its own words.

use crate::case::is_microsofts_tenant;

/// What kind of client an app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppKind {
    /// It runs in a browser and nowhere else: a program has no business with its name.
    Browser,
    /// Microsoft's own, in a browser or on a device.
    Microsoft,
    /// Microsoft's own for the command line: programs are what it is for.
    CommandLine,
    /// Somebody else's, or not known.
    Other,
}

const BROWSER: [&str; 12] = [
    "9199bf20-a13f-4107-85dc-02114787ef48", // One Outlook Web
    "4765445b-32c6-49b0-83e6-1d93765276ca", // OfficeHome
    "5e3ce6c0-2b1f-4285-8d4b-75ee78787346", // Microsoft Teams Web Client
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", // Azure Portal
    "00000006-0000-0ff1-ce00-000000000000", // Microsoft Office 365 Portal
    "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7", // Office365 Shell WCSS-Client
    "19db86c3-b2b9-44cc-b339-36da233a3be2", // My Signins
    "0000000c-0000-0000-c000-000000000000", // Microsoft App Access Panel
    "8c59ead7-d703-4a27-9e55-c96a0054c8d2", // My Profile
    "2793995e-0a7d-40d7-bd35-6968ba142197", // My Apps
    "08e18876-6177-487e-b8b5-cf950c1e598c", // SharePoint Online Web Client Extensibility
    "243c63a3-247d-41c5-9d83-7788c43f1c43", // Office Online Core SSO
];

const COMMAND_LINE: [&str; 8] = [
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46", // Microsoft Azure CLI
    "1950a258-227b-4e31-a9cf-717495945fc2", // Microsoft Azure PowerShell
    "14d82eec-204b-4c2f-b7e8-296a70dab67e", // Microsoft Graph Command Line Tools
    "1b730954-1685-4b74-9bfd-dac224a7b894", // Azure Active Directory PowerShell
    "fb78d390-0c51-40cd-8e17-fdbfab77341b", // Exchange REST API based PowerShell
    "a0c73c16-a7e3-4564-9a95-2bdf47383716", // Exchange Online remote PowerShell
    "12128f48-ec9e-42f0-b203-ea49fb6af367", // Teams PowerShell
    "9bc3ab49-b65d-410a-85ad-de819febfddc", // SharePoint Online Management Shell
];

const MICROSOFT: [&str; 27] = [
    "d3590ed6-52b3-4102-aeff-aad2292ab01c", // Microsoft Office
    "1fec8e78-bce4-4aaf-ab1b-5451cc387264", // Microsoft Teams
    "27922004-5251-4030-b22d-91ecd9a37ea4", // Outlook Mobile
    "5d661950-3475-41cd-a2c3-d671a3162bc1", // Microsoft Outlook
    "29d9ed98-a469-4536-ade2-f981bc1d605e", // Microsoft Authentication Broker
    "ab9b8c07-8f02-4f72-87fa-80105867a763", // OneDrive SyncEngine
    "b26aadf8-566f-4478-926f-589f601d9c74", // OneDrive
    "af124e86-4e96-495a-b70a-90f90ab96707", // OneDrive iOS App
    "872cd9fa-d31f-45e0-9eab-6e460a02d1f1", // Visual Studio
    "26a7ee05-5602-4d76-a7ba-eae8b7b67941", // Windows Search
    "0ec893e0-5785-4de6-99da-4ed124e5296c", // Office UWP PWA
    "57fb890c-0dab-4253-a5e0-7188c88b2bb4", // SharePoint Online Client
    "d326c1ce-6cc6-4de2-bebc-4591e5e13ef0", // SharePoint
    "f05ff7c9-f75a-4acd-a3b5-f4b6a870245d", // SharePoint Android
    "e9c51622-460d-4d3d-952d-966a5b1da34c", // Microsoft Edge
    "ecd6b820-32c2-49b6-98a6-444530e5a77a", // Edge
    "c0d2a505-13b8-4ae0-aa9e-cddd5eab0b12", // Microsoft Power BI
    "66375f6b-983f-4c2c-9701-d680650f588f", // Microsoft Planner
    "22098786-6e16-43cc-a27d-191a01a1e3b5", // Microsoft To-Do client
    "4813382a-8fa7-425e-ab75-3b753aab3abb", // Microsoft Authenticator App
    "9ba1a5c7-f17a-4de9-a1f1-6178c8d51223", // Microsoft Intune Company Portal
    "b23dd4db-9142-4734-867f-3577f640ad0c", // Office Online Loader
    "93d53678-613d-4013-afc1-62e9e444a0a5", // Office Online Add-in SSO
    "2d4d3d8e-2be3-4bef-9f87-7875a61c29de", // OneNote
    "268761a2-03f3-40df-8a8b-c3db24145b6b", // Universal Store Native Client
    "60c8bde5-3167-4f92-8fdb-059f6176dc0f", // Enterprise Roaming and Backup
    "38aa3b87-a06d-4817-b275-7a316988d93b", // Windows Sign In
];

/// The kind of an app, by its id and the tenant that it is of.
pub(super) fn kind_of(app: Option<&str>, owner: Option<&str>) -> AppKind {
    let is_in = |list: &[&str]| app.is_some_and(|app| list.iter().any(|own| own.eq_ignore_ascii_case(app)));
    if is_in(&BROWSER) {
        AppKind::Browser
    } else if is_in(&COMMAND_LINE) {
        AppKind::CommandLine
    } else if is_in(&MICROSOFT) || owner.is_some_and(is_microsofts_tenant) {
        AppKind::Microsoft
    } else {
        AppKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_goes_by_its_id_or_its_owner_and_never_by_its_name() {
        assert_eq!(kind_of(Some("9199BF20-a13f-4107-85dc-02114787ef48"), None), AppKind::Browser);
        assert_eq!(kind_of(Some("04b07795-8ddb-461a-bbee-02f9e1bf7b46"), None), AppKind::CommandLine);
        assert_eq!(kind_of(None, Some("f8cdef31-a31e-4b4a-93e4-5f571e91255a")), AppKind::Microsoft);
        assert_eq!(kind_of(Some("One Outlook Web"), None), AppKind::Other);
        assert_eq!(kind_of(None, None), AppKind::Other);
    }
}
