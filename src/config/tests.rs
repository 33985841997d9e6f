use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

const SAMPLE: &str = r#"
store = "sqlite://stanch.db"            # default: in the user's state directory
[operator]
user = "you@contoso.com"                # who asks, for four_eyes and the record
[approval]
required = false
approvers = "allowed_signers"
four_eyes = true
approve_within = "1h"
[guards]
emergency_accounts = ["<object id or UPN>", "..."]
no_emergency_accounts = false
protected_groups = []
company_ranges = ["198.51.100.0/24"]
widest_block = { ipv4 = 24, ipv6 = 48 }
max_subjects_per_hour = 20
[secrets]
recipients = ["ssh-ed25519 AAAA...", "age1..."]
[webhooks.siem]
source = "insightidr"
auth = { kind = "standard-webhooks", secrets = ["file:siem.key", "env:STANCH_HOOK_SIEM_OLD"] }
playbook = "bec"
mode = "plan"
when = { user_agents = ["node-fetch*"] }
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn with(text: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.0.path().join("stanch.toml"), text).unwrap();
        place
    }

    fn sources(&self) -> Sources {
        Sources { directory: self.0.path().to_path_buf(), ..Sources::default() }
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        Config::load(&variables.iter().copied().collect(), &self.sources())
    }

    fn faults(&self, variables: &[(&str, &str)]) -> String {
        let shown = self.load(variables).unwrap_err().to_string();
        shown.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

#[test]
fn the_documented_sample_parses() {
    let place = Place::with(SAMPLE);
    let config = place.load(&[]).unwrap();
    assert_eq!(config.file, Some(place.0.path().join("stanch.toml")));
    assert_eq!(config.store, Some(StoreUrl::Sqlite(place.0.path().join("stanch.db"))));
    assert_eq!(config.operator.user.as_deref(), Some("you@contoso.com"));
    assert_eq!(config.approval.approvers, Some(place.0.path().join("allowed_signers")));
    assert_eq!(config.guards.company_ranges, ["198.51.100.0/24".parse().unwrap()]);
    assert_eq!(config.secrets.recipients.len(), 2);
    let siem = &config.webhooks["siem"];
    assert_eq!((siem.source.as_str(), siem.mode), ("insightidr", Mode::Plan));
    assert_eq!(siem.auth.secrets, ["file:siem.key", "env:STANCH_HOOK_SIEM_OLD"]);
    assert_eq!(siem.when["user_agents"], ["node-fetch*"]);
}

#[test]
fn the_pointers_of_a_generic_webhook_parse() {
    let text = r#"
[webhooks.siem]
source = "generic"
auth = { kind = "standard-webhooks", secrets = ["env:STANCH_HOOK_SIEM"] }
id = "/id"
time = "/when"
user = ["/actor/oid", "/actor/upn"]
ips = ["/src/*/addr"]
user_agents = ["/ua"]
ignore_when = { "/state" = ["resolved"] }
playbook = "bec"
"#;
    let siem = &Place::with(text).load(&[]).unwrap().webhooks["siem"];
    assert_eq!(siem.pointers.user, ["/actor/oid", "/actor/upn"]);
    assert_eq!(siem.ignore_when["/state"], ["resolved"]);
    assert_eq!(siem.mode, Mode::Plan);
}

#[test]
fn without_anything_the_defaults_are_the_safe_ones() {
    let nowhere = tempfile::tempdir().unwrap();
    let sources = Sources { directory: nowhere.path().to_path_buf(), ..Sources::default() };
    let config = Config::load(&environment(&[("HOME", "/nonexistent")]), &sources).unwrap();
    assert_eq!(config, Config::default());
    assert!(config.approval.four_eyes && !config.approval.required);
    assert_eq!(config.approval.approve_within, Duration::from_hours(1));
    assert_eq!(config.guards.widest_block, WidestBlock { ipv4: 24, ipv6: 48 });
    assert_eq!(config.guards.max_subjects_per_hour, 20);
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let place = Place::with("store = \"sqlite://file.db\"\n[guards]\nmax_subjects_per_hour = 5\n");
    let here = |name: &str| Some(StoreUrl::Sqlite(place.0.path().join(name)));
    assert_eq!(place.load(&[]).unwrap().store, here("file.db"));
    let variables = [("STANCH_STORE", "sqlite://variable.db"), ("STANCH_GUARDS__WIDEST_BLOCK__IPV4", "28")];
    let config = place.load(&variables).unwrap();
    assert_eq!(config.store, here("variable.db"));
    assert_eq!(config.guards.widest_block, WidestBlock { ipv4: 28, ipv6: 48 });
    assert_eq!(config.guards.max_subjects_per_hour, 5);
    let mut sources = place.sources();
    sources.flags.push(Flag { flag: "--store", key: "store", value: "sqlite:///flag.db".to_owned() });
    let config = Config::load(&environment(&variables), &sources).unwrap();
    assert_eq!(config.store, Some(StoreUrl::Sqlite(PathBuf::from("/flag.db"))));
}

#[test]
fn the_file_here_comes_before_the_users_and_the_named_one_before_both() {
    let users = tempfile::tempdir().unwrap();
    std::fs::create_dir(users.path().join("stanch")).unwrap();
    let users_file = users.path().join("stanch/stanch.toml");
    std::fs::write(&users_file, "[operator]\nuser = \"user@contoso.com\"\n").unwrap();
    let variables = [("XDG_CONFIG_HOME", users.path().to_str().unwrap())];
    let empty = tempfile::tempdir().unwrap();
    let mut sources = Sources { directory: empty.path().to_path_buf(), ..Sources::default() };
    let who =
        |sources: &Sources| Config::load(&environment(&variables), sources).unwrap().operator.user.unwrap();
    assert_eq!(who(&sources), "user@contoso.com");
    let here = Place::with("[operator]\nuser = \"here@contoso.com\"\n");
    sources.directory = here.0.path().to_path_buf();
    assert_eq!(who(&sources), "here@contoso.com");
    sources.config_file = Some(users_file);
    assert_eq!(who(&sources), "user@contoso.com");
    sources.config_file = Some(empty.path().join("gone.toml"));
    let errors = Config::load(&environment(&variables), &sources).unwrap_err();
    assert_eq!(errors.0[0].code(), "config_unreadable");
}

#[test]
fn every_fault_of_a_file_is_told_with_its_place() {
    let place = Place::with(
        "stroe = 1
[guards]
emergncy_accounts = []
company_ranges = \"198.51.100.0/24\"
widest_block = { ipv4 = 33, ipv8 = 1 }
max_subjects_per_hour = \"20\"
no_emergency_accounts = 1
[gaurds]
[operator]
four_eyes = true
[[webhooks]]
[approval]
required = \"yes\"
",
    );
    insta::assert_snapshot!(place.faults(&[]), @r#"
    stanch.toml:1:1: unknown key `stroe`
      hint: did you mean `store`?
    stanch.toml:3:1: unknown key `guards.emergncy_accounts`
      hint: did you mean `guards.emergency_accounts`?
    stanch.toml:4:18: `guards.company_ranges` takes a list of texts, found text
    stanch.toml:5:25: `guards.widest_block.ipv4` takes an integer from 1 to 32, found `33`
    stanch.toml:5:29: unknown key `guards.widest_block.ipv8`
      hint: did you mean `guards.widest_block.ipv4`?
    stanch.toml:6:25: `guards.max_subjects_per_hour` takes an integer from 1 to 10000, found the text `20`
    stanch.toml:7:25: `guards.no_emergency_accounts` takes `true` or `false`, found `1`
    stanch.toml:8:2: unknown key `gaurds`
      hint: did you mean `guards`?
    stanch.toml:10:1: unknown key `operator.four_eyes`
      hint: did you mean `approval.four_eyes`?
    stanch.toml:11:1: `webhooks` takes a section, found a list
    stanch.toml:13:12: `approval.required` takes `true` or `false`, found the text `yes`
    "#);
}

#[test]
fn what_is_of_its_type_and_cannot_be_is_told_with_the_repair() {
    let place = Place::with(
        "store = \"postgres://user:hunter2@db/stanch\"
[approval]
approve_within = \"1 hour\"
[guards]
emergency_accounts = [\"a\"]
no_emergency_accounts = true
company_ranges = [\"198.51.100.7/24\", \"everywhere\"]
[secrets]
recipients = [\"-----BEGIN OPENSSH PRIVATE KEY-----\"]
[webhooks.siem]
auth = { kind = \"bearer\", secrets = [\"hunter2\"] }
[webhooks.\"../x\"]
mode = \"record\"
",
    );
    let shown = place.faults(&[]);
    insta::assert_snapshot!(shown, @r#"
    stanch.toml:1:9: `store`: PostgreSQL is not supported in this version
      hint: write `sqlite://relative.db` or `sqlite:///absolute.db`
    stanch.toml:3:18: `approval.approve_within`: `1 hour` is no span of time: write `90s`, `15m`, `1h` or `2d`
    stanch.toml:6:25: `guards.no_emergency_accounts`: it says that there are none, and `guards.emergency_accounts` names some
      hint: keep one of the two
    stanch.toml:7:18: `guards.company_ranges`: `198.51.100.7/24` has host bits set
      hint: the range is `198.51.100.0/24`
    stanch.toml:7:18: `guards.company_ranges`: `everywhere` is no range of addresses
      hint: write `198.51.100.0/24`
    stanch.toml:9:14: `secrets.recipients`: one of these is no public key of age or SSH
      hint: a recipient begins with `age1`, `ssh-ed25519` or `ssh-rsa`
    stanch.toml:11:17: `webhooks.siem`: `source` is missing
    stanch.toml:11:17: `webhooks.siem`: `playbook` is missing
    stanch.toml:11:37: `webhooks.siem.auth.secrets`: one of these says not where the secret is
      hint: name where it is: `file:PATH` or `env:VARIABLE`
    stanch.toml:13:8: `webhooks.../x`: the name cannot be part of an address
      hint: a name is up to 64 small letters, digits, `-` and `_`
    stanch.toml:13:8: `webhooks.../x`: `source` is missing
    stanch.toml:13:8: `webhooks.../x`: `auth.kind` is missing
    stanch.toml:13:8: `webhooks.../x`: `auth.secrets` is missing
    "#);
    assert!(!shown.contains("hunter2") && !shown.contains("PRIVATE"), "a secret is not shown");
}

#[test]
fn a_secret_in_the_wrong_form_is_not_shown() {
    for text in [
        "[webhooks.siem.auth]\nsecrets = \"hunter2\"\n",
        "[webhooks.siem.auth]\nsecrets = [\"env:X\", 73313370]\n",
        "[webhooks.siem]\nauth = \"hunter2\"\n",
        "[secrets]\nrecipients = \"hunter2\"\n",
    ] {
        let shown = Place::with(text).faults(&[]);
        assert!(!shown.contains("hunter2") && !shown.contains("73313370"), "{shown}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_place() {
    let place = Place::with("[guards\nmax = = 1\n");
    insta::assert_snapshot!(place.faults(&[]), @r#"
    stanch.toml:1:8: unclosed table, expected `]`
      hint: the file is TOML: `key = "text"` under `[section]`, one a line
    stanch.toml:2:7: extra `=`, expected nothing
      hint: the file is TOML: `key = "text"` under `[section]`, one a line
    stanch.toml:2:9: unexpected key or value, expected newline, `#`
      hint: the file is TOML: `key = "text"` under `[section]`, one a line
    "#);
}

#[test]
fn columns_count_letters_and_not_bytes() {
    let shown = Place::with("operator = { user = \"Jörg Müller\", usr = 1 }\n").faults(&[]);
    assert!(shown.starts_with("stanch.toml:1:36: unknown key `operator.usr`"), "{shown}");
}

#[test]
fn a_variable_of_a_section_that_is_not_known_is_an_error_and_others_are_left_alone() {
    let place = Place::with("");
    let known = [
        ("STANCH_GRAPH_URL", "http://127.0.0.1:9"),
        ("STANCH_OBSERVER_CLIENT_ID", "x"),
        ("STANCH_HOOK_SIEM_OLD", "x"),
        ("OTHER__GUARDS", "x"),
    ];
    assert!(place.load(&known).is_ok());
    let wrong = [
        ("STANCH_GUARDS__WIDEST_BLOK__IPV4", "24"),
        ("STANCH_GARDS__WIDEST_BLOCK__IPV6", "48"),
        ("STANCH_GUARDS__WIDEST_BLOCK", "24"),
        ("STANCH_GUARDS__MAX_SUBJECTS_PER_HOUR", "0"),
        ("STANCH_APPROVAL__REQUIRED", "yes"),
        ("STANCH_OPERATOR__USER", ""),
        ("STANCH_NOWHERE__AT_ALL", "1"),
    ];
    insta::assert_snapshot!(place.faults(&wrong), @r#"
    STANCH_APPROVAL__REQUIRED: `approval.required` takes `true` or `false`, found `yes`
    STANCH_GARDS__WIDEST_BLOCK__IPV6: unknown key `gards.widest_block.ipv6`
      hint: did you mean `STANCH_GUARDS__WIDEST_BLOCK__IPV6`?
    STANCH_GUARDS__MAX_SUBJECTS_PER_HOUR: `guards.max_subjects_per_hour` takes an integer from 1 to 10000, found `0`
    STANCH_GUARDS__WIDEST_BLOCK: `guards.widest_block`: this is a section
      hint: set one of its keys, such as `STANCH_GUARDS__WIDEST_BLOCK__KEY`
    STANCH_GUARDS__WIDEST_BLOK__IPV4: unknown key `guards.widest_blok.ipv4`
      hint: did you mean `STANCH_GUARDS__WIDEST_BLOCK__IPV4`?
    STANCH_NOWHERE__AT_ALL: unknown key `nowhere.at_all`
      hint: there are `store`, `cloud`, `stop_on_skew`, `operator`, `approval`, `guards`, `secrets`, `webhooks`
    STANCH_OPERATOR__USER: `operator.user` takes text, found nothing
    "#);
}

#[test]
fn variables_make_lists_and_reach_into_webhooks() {
    let place = Place::with(SAMPLE);
    let config = place
        .load(&[
            ("STANCH_GUARDS__COMPANY_RANGES", "2001:db8::/48, 192.0.2.7,"),
            (
                "STANCH_GUARDS__EMERGENCY_ACCOUNTS",
                "[\"b@contoso.com\", \"a@contoso.com\", \"b@contoso.com\"]",
            ),
            ("STANCH_GUARDS__PROTECTED_GROUPS", ""),
            ("STANCH_WEBHOOKS__SIEM__MODE", "record"),
            ("STANCH_APPROVAL__FOUR_EYES", "false"),
        ])
        .unwrap();
    assert_eq!(
        config.guards.company_ranges,
        ["192.0.2.7/32".parse().unwrap(), "2001:db8::/48".parse().unwrap()]
    );
    assert_eq!(config.guards.emergency_accounts, ["a@contoso.com", "b@contoso.com"]);
    assert_eq!(config.webhooks["siem"].mode, Mode::Record);
    assert!(!config.approval.four_eyes);
}

#[test]
fn the_same_guards_in_another_order_have_one_form() {
    let one = "[guards]\nemergency_accounts = [\"a\", \"b\"]\ncompany_ranges = [\"192.0.2.0/24\", \"198.51.100.0/24\"]\n";
    let other = "[guards]\ncompany_ranges = [\"198.51.100.0/24\", \"192.0.2.0/24\"]\nemergency_accounts = [\"b\", \"a\", \"a\"]\n";
    let form = |text| serde_json::to_string(&Place::with(text).load(&[]).unwrap().guards).unwrap();
    assert_eq!(form(one), form(other));
    assert_ne!(form(one), form("[guards]\nemergency_accounts = [\"a\"]\n"));
}

#[test]
fn our_own_apps_are_known_whichever_of_them_can_sign_in() {
    let place = Place::with("[operator]\nclient_id = \"app-of-people\"\n");
    let variables = [("AZURE_CLIENT_ID", "responder"), ("STANCH_OBSERVER_CLIENT_ID", "observer")];
    let config = place.load(&variables).unwrap();
    assert_eq!(config.guards.own_apps, ["observer", "responder", "app-of-people"]);
}

#[test]
fn the_store_is_in_the_users_state_directory_unless_set() {
    let config = Config::default();
    let store = |variables: &[(&str, &str)]| config.store_or_default(&environment(variables));
    let at = |path: &str| StoreUrl::Sqlite(PathBuf::from(path));
    assert_eq!(store(&[("HOME", "/home/dana")]).unwrap(), at("/home/dana/.local/state/stanch/stanch.db"));
    let xdg = [("HOME", "/home/dana"), ("XDG_STATE_HOME", "/var/state")];
    assert_eq!(store(&xdg).unwrap(), at("/var/state/stanch/stanch.db"));
    assert_eq!(store(&[]).unwrap_err().code(), "config_no_state_directory");
    assert_eq!(StoreUrl::parse("sqlite:///a/b.db", Path::new("here")), Ok(at("/a/b.db")));
    assert_eq!(StoreUrl::parse("sqlite://b.db", Path::new("here")), Ok(at("here/b.db")));
    assert_eq!(StoreUrl::parse("postgresql://db/x", Path::new("")), Err(StoreUrlError::Postgres));
    assert_eq!(StoreUrl::parse("sqlite://", Path::new("")), Err(StoreUrlError::NoPath));
    assert_eq!(StoreUrl::parse("stanch.db", Path::new("")), Err(StoreUrlError::UnknownScheme));
}

#[test]
fn plain_http_is_for_loopback_only() {
    let base = |text: &str| graph_base(&environment(&[("STANCH_GRAPH_URL", text)]), Cloud::Global);
    assert_eq!(graph_base(&environment(&[]), Cloud::Global).unwrap().as_str(), "https://graph.microsoft.com");
    for loopback in
        ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080", "http://127.9.9.9"]
    {
        assert!(base(loopback).unwrap().is_loopback(), "{loopback}");
    }
    assert_eq!(base("https://Graph.Microsoft.US/").unwrap().as_str(), "https://graph.microsoft.us");
    for off in [
        "http://graph.microsoft.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        assert!(matches!(base(off), Err(EndpointError::PlainHttp { .. })), "{off}");
    }
    let error = base("http://graph.microsoft.com").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`STANCH_GRAPH_URL` is plain http to `graph.microsoft.com`, and that is allowed for loopback only"
    );
    for (text, part) in [
        ("https://graph.microsoft.com/v1.0", "path"),
        ("https://graph.microsoft.com?x=1", "query"),
        ("https://user:hunter2@graph.microsoft.com", "user name"),
        ("https://graph.microsoft.com#x", "fragment"),
    ] {
        let error = base(text).unwrap_err();
        assert_eq!(error, EndpointError::TooMuch { variable: "STANCH_GRAPH_URL".into(), part });
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    for text in ["graph.microsoft.com", "ftp://graph.microsoft.com", "/v1.0", "https://", "https:// x"] {
        assert!(matches!(base(text), Err(EndpointError::NotAnAddress { .. })), "{text}");
    }
}

const RESPONDER: [(&str, &str); 3] = [
    ("AZURE_TENANT_ID", "contoso.com"),
    ("AZURE_CLIENT_ID", "responder"),
    ("AZURE_CLIENT_SECRET", "hunter2"),
];

fn with(more: &[(&str, &str)]) -> Environment {
    RESPONDER.iter().chain(more).copied().collect()
}

#[test]
fn the_observer_plans_and_the_responder_does_when_there_is_none() {
    let (role, alone) = Credentials::for_planning(&with(&[]), Cloud::Global).unwrap();
    assert_eq!((role, alone.client_id.as_str()), (Role::Responder, "responder"));
    assert_eq!(alone.authority.as_str(), "https://login.microsoftonline.com");
    let both = with(&[
        ("STANCH_OBSERVER_CLIENT_ID", "observer"),
        ("STANCH_OBSERVER_CLIENT_SECRET", "other"),
        ("AZURE_AUTHORITY_HOST", "http://127.0.0.1:7000/"),
    ]);
    let (role, observer) = Credentials::for_planning(&both, Cloud::Global).unwrap();
    assert_eq!((role, observer.client_id.as_str()), (Role::Observer, "observer"));
    assert_eq!(observer.tenant_id, "contoso.com", "the tenant is the responder's");
    assert_eq!(secret_of(&observer), "other");
    assert_eq!(observer.authority.as_str(), "http://127.0.0.1:7000");
    assert_eq!(secret_of(&Credentials::responder(&both, Cloud::Global).unwrap()), "hunter2");
}

#[test]
fn a_secret_is_not_shown() {
    let environment = with(&[]);
    let shown = format!("{:?} {environment:?}", Credentials::responder(&environment, Cloud::Global).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("AZURE_CLIENT_SECRET"), "{shown}");
}

#[test]
fn a_missing_credential_names_its_variable_and_what_to_do() {
    let nothing = environment(&[]);
    let error = Credentials::responder(&nothing, Cloud::Global).unwrap_err();
    assert_eq!(error.to_string(), "the responder cannot sign in: `AZURE_TENANT_ID` is not set");
    assert!(error.hint().unwrap().contains("stanch setup"));
    assert!(Credentials::observer(&nothing, Cloud::Global).unwrap().is_none());
    let part = with(&[("STANCH_OBSERVER_CLIENT_ID", "observer")]);
    let error = Credentials::for_planning(&part, Cloud::Global).unwrap_err();
    assert_eq!(error.to_string(), "the observer cannot sign in: `STANCH_OBSERVER_CLIENT_SECRET` is not set");
    let blank = with(&[("AZURE_CLIENT_SECRET", "")]);
    let error = Credentials::responder(&blank, Cloud::Global).unwrap_err();
    assert_eq!(error.to_string(), "the responder cannot sign in: `AZURE_CLIENT_SECRET` is not set");
}

fn secret_of(credentials: &Credentials) -> String {
    match &credentials.way {
        SignInWay::Secret(secret) => secret.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_ways_to_sign_in_are_one_too_many() {
    let ways = [
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_MANAGED_IDENTITY",
        "AZURE_CLIENT_SECRET_FILE",
    ];
    for way in ways {
        let error = Credentials::responder(&with(&[(way, "x")]), Cloud::Global).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the responder has two ways to sign in: both `{way}` and `AZURE_CLIENT_SECRET` are set")
        );
    }
}

#[test]
fn each_way_to_sign_in_is_read_for_either_app() {
    let alone = |more: &[(&str, &str)]| {
        let environment = with(more).iter().filter(|(name, _)| *name != "AZURE_CLIENT_SECRET").collect();
        Credentials::responder(&environment, Cloud::Global)
    };
    let certificate = alone(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/key.pem")]).unwrap();
    assert!(matches!(certificate.way, SignInWay::Certificate(path) if path == Path::new("/key.pem")));
    let federated =
        with(&[("STANCH_OBSERVER_FEDERATED_TOKEN_FILE", "/token"), ("STANCH_OBSERVER_CLIENT_ID", "o")]);
    let observer = Credentials::observer(&federated, Cloud::Global).unwrap().unwrap();
    assert!(matches!(observer.way, SignInWay::FederatedToken(path) if path == Path::new("/token")));
    let Ok(Credentials { way: SignInWay::ManagedIdentity(machine), .. }) =
        alone(&[("AZURE_MANAGED_IDENTITY", "true")])
    else {
        panic!("no managed identity");
    };
    assert_eq!(machine.endpoint, "http://169.254.169.254/metadata/identity/oauth2/token");
    assert_eq!(machine.client_id.as_deref(), Some("responder"));
    let service = [
        ("AZURE_MANAGED_IDENTITY", "true"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token"),
        ("IDENTITY_HEADER", "hunter2"),
    ];
    let Ok(Credentials { way: SignInWay::ManagedIdentity(service), .. }) = alone(&service) else {
        panic!("no managed identity");
    };
    assert!(service.header.is_some() && !format!("{service:?}").contains("hunter2"));
    let far = [
        ("AZURE_MANAGED_IDENTITY", "true"),
        ("IDENTITY_ENDPOINT", "http://example.com/msi/token"),
        ("IDENTITY_HEADER", "hunter2"),
    ];
    assert_eq!(alone(&far).unwrap_err().to_string(), "`IDENTITY_ENDPOINT` is no address of this machine");
    assert_eq!(alone(&[("AZURE_MANAGED_IDENTITY", "1")]).unwrap_err().code(), "credentials_malformed");
    let none = alone(&[]).unwrap_err();
    assert_eq!(none.to_string(), "the responder cannot sign in: `AZURE_CLIENT_SECRET` is not set");
    assert!(none.hint().unwrap().contains("`AZURE_CLIENT_CERTIFICATE_PATH`"), "{:?}", none.hint());
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let variables = [
            ("AZURE_TENANT_ID", "contoso.com"),
            ("AZURE_CLIENT_ID", "responder"),
            ("AZURE_CLIENT_SECRET_FILE", path.to_str().unwrap()),
        ];
        Credentials::responder(&environment(&variables), Cloud::Global)
    };
    assert_eq!(secret_of(&read("hunter2\n").unwrap()), "hunter2");
    assert_eq!(read("\n").unwrap_err().to_string(), "`AZURE_CLIENT_SECRET_FILE` is empty");
    assert_eq!(read(" hunter2").unwrap_err().code(), "credentials_malformed");
    std::fs::remove_file(&path).unwrap();
    let gone = environment(&[
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "responder"),
        ("AZURE_CLIENT_SECRET_FILE", path.to_str().unwrap()),
    ]);
    let error = Credentials::responder(&gone, Cloud::Global).unwrap_err();
    assert!(
        error.to_string().contains("cannot be read") && error.hint().unwrap().contains("no file"),
        "{error}"
    );
}

#[test]
fn one_setting_names_the_cloud_and_a_named_host_still_wins() {
    let cloud = |name: &str| {
        let variables = environment(&[("STANCH_CLOUD", name)]);
        Config::load(&variables, &Sources { directory: "/nowhere".into(), ..Sources::default() })
    };
    for (name, authority, graph) in [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("us-gov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("us-gov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    ] {
        let cloud = cloud(name).unwrap().cloud;
        assert_eq!(Credentials::responder(&with(&[]), cloud).unwrap().authority.as_str(), authority);
        assert_eq!(graph_base(&with(&[]), cloud).unwrap().as_str(), graph);
    }
    let named =
        with(&[("STANCH_GRAPH_URL", "http://127.0.0.1:1"), ("AZURE_AUTHORITY_HOST", "http://127.0.0.1:2")]);
    assert_eq!(graph_base(&named, Cloud::China).unwrap().as_str(), "http://127.0.0.1:1");
    let credentials = Credentials::responder(&named, Cloud::China).unwrap();
    assert_eq!(credentials.authority.as_str(), "http://127.0.0.1:2");
    let error = cloud("mars").unwrap_err().to_string();
    assert!(error.contains("`global`, `us-gov`, `us-gov-dod`, `china`"), "{error}");
}

#[test]
fn ids_that_would_change_the_address_are_refused() {
    for tenant in ["../common", "contoso.com/x", "common", "a b", "?", "..", "contoso.com#"] {
        let error = Credentials::responder(&with(&[("AZURE_TENANT_ID", tenant)]), Cloud::Global).unwrap_err();
        assert_eq!(error.code(), "credentials_malformed", "{tenant}");
    }
    let padded =
        Credentials::responder(&with(&[("AZURE_CLIENT_SECRET", "hunter2\n")]), Cloud::Global).unwrap_err();
    assert_eq!(padded.to_string(), "`AZURE_CLIENT_SECRET` has white space around it");
    let clear =
        Credentials::responder(&with(&[("AZURE_AUTHORITY_HOST", "http://login.example.com")]), Cloud::Global);
    assert_eq!(clear.unwrap_err().code(), "endpoint_plain_http");
}
