//! What a user agent says: whether a person's client or a program sent it, and which family of client it is, so that a
//! newer version is no newcomer.

/// Libraries and tools that programs send requests with. People's apps do not name them.
const PROGRAMS: [&str; 25] = [
    "node-fetch",
    "axios/",
    "undici",
    "got (",
    "python-requests",
    "python-urllib",
    "python-httpx",
    "python/",
    "aiohttp",
    "curl/",
    "wget/",
    "go-http-client",
    "go-resty",
    "java/",
    "apache-httpclient",
    "libwww-perl",
    "ruby",
    "php",
    "powershell/",
    "okhttp",
    "headlesschrome",
    "phantomjs",
    "selenium",
    "playwright",
    "puppeteer",
];

/// Old ways of signing in that ask for a password alone, by the agents that Entra ID logs for them: mail clients of old
/// by Exchange's own sign-in.
const PASSWORD_ALONE: [&str; 4] = ["bav2ropc", "cbainprod", "cbaintar", "msrpc"];

/// The name of the program behind an agent, where it is a program's.
pub(super) fn program(agent: &str) -> Option<&'static str> {
    let agent = agent.to_ascii_lowercase();
    let is_there = |name: &&&str| {
        agent.match_indices(**name).any(|(at, _)| {
            // A name within a word is another word.
            at == 0 || !agent.as_bytes().get(at - 1).is_some_and(u8::is_ascii_alphanumeric)
        })
    };
    PROGRAMS.iter().find(is_there).map(|name| name.trim_end_matches(['/', '(', ' ']))
}

/// Whether an agent stands for a sign-in with a password alone.
pub(super) fn is_password_alone(agent: &str) -> bool {
    PASSWORD_ALONE.iter().any(|name| agent.eq_ignore_ascii_case(name))
}

/// Whether an agent is a phone's or a tablet's.
pub(super) fn is_mobile(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    ["iphone", "ipad", "android", "mobile"].iter().any(|word| agent.contains(word))
}

/// The family of an agent: system and browser without their versions.
pub(super) fn family(agent: &str) -> String {
    let lower = agent.to_ascii_lowercase();
    let has = |word: &str| lower.contains(word);
    let first = |of: &[(&str, &'static str)]| of.iter().find(|(word, _)| has(word)).map(|(_, name)| *name);
    let system = first(&[
        ("iphone", "iPhone"),
        ("ipad", "iPad"),
        ("android", "Android"),
        ("cros", "ChromeOS"),
        ("windows", "Windows"),
        ("mac os", "macOS"),
        ("macintosh", "macOS"),
        ("linux", "Linux"),
    ]);
    let browser = first(&[
        ("headlesschrome", "headless Chrome"),
        ("edg", "Edge"),
        ("opr/", "Opera"),
        ("firefox/", "Firefox"),
        ("fxios", "Firefox"),
        ("crios", "Chrome"),
        ("chrome/", "Chrome"),
        ("safari/", "Safari"),
    ]);
    match (system, browser) {
        (Some(system), Some(browser)) => format!("{browser} on {system}"),
        (Some(system), None) => format!("{} on {system}", without_version(&lower)),
        _ => without_version(&lower),
    }
}

/// The product that an agent begins with, without its version.
fn without_version(agent: &str) -> String {
    agent.split(['/', ' ', '(']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_peoples_clients() {
        for agent in [
            "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
            "axios/1.7.2",
            "python-requests/2.32.3",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/127.0.6533.0 Safari/537.36",
            "Go-http-client/2.0",
            "curl/8.5.0",
        ] {
            assert!(program(agent).is_some(), "{agent}");
        }
        for agent in [
            "",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15",
            "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
            "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 8 Build/AP3A)",
            "JavaScript",
        ] {
            assert_eq!(program(agent), None, "{agent}");
        }
    }

    #[test]
    fn old_ways_of_signing_in_are_told_by_the_agents_that_are_logged_for_them() {
        for agent in ["BAV2ROPC", "CBAInPROD", "CBAinTAR", "MSRPC"] {
            assert!(is_password_alone(agent), "{agent}");
        }
        for agent in ["", "CBA", "CBAInPROD2", "Mozilla/5.0 CBAInPROD"] {
            assert!(!is_password_alone(agent), "{agent}");
        }
    }

    #[test]
    fn a_newer_version_is_of_the_same_family() {
        let edge = |version: u32| {
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0"
            )
        };
        assert_eq!(family(&edge(138)), family(&edge(139)));
        assert_eq!(family(&edge(139)), "Edge on Windows");
        assert_eq!(family("python-requests/2.32.3"), "python-requests");
        assert_ne!(family("Mozilla/5.0 (Linux; Android 15; Pixel 8) Chrome/1"), family(&edge(1)));
    }
}
