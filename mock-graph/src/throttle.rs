//! The published limits (policy-logs-auth.md 7.1, 7.2): which requests count against which, what a reply tells of them,
//! and what a refusal says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::Fail;

/// Which limits a route counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// Users, groups, devices, apps, grants, roles: resource units, and writes.
    Directory,
    /// Conditional Access and Identity Protection: one a second for the whole tenant, and no word of when.
    Policy,
    /// Sign-ins, audits, registration reports and authentication methods: five in ten seconds for each app.
    Reports,
    /// Mailboxes, for each app.
    Outlook,
    /// Message traces.
    MessageTrace,
    /// Hunting queries.
    Hunting,
    /// Searches of the unified audit log: the number under way is limited, by the searches themselves.
    AuditSearch,
}

/// How big a tenant is, which decides its resource units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Under 50 users.
    Small,
    /// 50 to 500.
    Medium,
    /// More.
    Large,
}

impl Size {
    /// The size of a tenant with so many users.
    #[must_use]
    pub fn of(users: usize) -> Self {
        match users {
            0..50 => Self::Small,
            50..=500 => Self::Medium,
            _ => Self::Large,
        }
    }

    fn units(self) -> u32 {
        match self {
            Self::Small => 3_500,
            Self::Medium => 5_000,
            Self::Large => 8_000,
        }
    }
}

/// One request, as it counts.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its limits.
    pub bucket: Bucket,
    /// The app that asks.
    pub app_id: &'a str,
    /// The tenant that it asks of.
    pub tenant_id: &'a str,
    /// The mailbox, where it is one.
    pub mailbox: &'a str,
    /// Resource units, of the directory.
    pub units: u32,
    /// Whether it writes.
    pub write: bool,
    /// Size of the tenant.
    pub size: Size,
}

/// Who shares a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Tenant,
    App,
    AppInTenant,
    Mailbox,
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    name: &'static str,
    quota: u32,
    window: Duration,
    scope: Scope,
    /// What `x-ms-throttle-information` says; the directory alone says anything.
    information: Option<&'static str>,
}

const fn limit(name: &'static str, quota: u32, seconds: u64, scope: Scope) -> Limit {
    Limit { name, quota, window: Duration::from_secs(seconds), scope, information: None }
}

const GLOBAL: Limit = limit("global", 130_000, 10, Scope::App);
const POLICY: Limit = limit("policy", 1, 1, Scope::Tenant);
const REPORTS: Limit = limit("reports", 5, 10, Scope::AppInTenant);
const OUTLOOK: Limit = limit("outlook", 10_000, 600, Scope::Mailbox);
const MESSAGE_TRACE: Limit = limit("message trace", 100, 300, Scope::Tenant);
const HUNTING: Limit = limit("hunting", 45, 60, Scope::Tenant);
const UNITS_OF_APP: Limit = Limit {
    information: Some("ResourceUnitLimitExceeded"),
    ..limit("units of the app everywhere", 150_000, 20, Scope::App)
};
const WRITES: Limit =
    Limit { information: Some("WriteLimitExceeded"), ..limit("writes", 3_000, 150, Scope::AppInTenant) };
const WRITES_OF_APP: Limit = Limit {
    information: Some("WriteLimitExceeded"),
    ..limit("writes of the app everywhere", 70_000, 300, Scope::App)
};
const WRITES_OF_TENANT: Limit = Limit {
    information: Some("WriteLimitExceeded"),
    ..limit("writes of the tenant", 18_000, 300, Scope::Tenant)
};

/// Requests of one app to mailboxes that may be open at once.
pub const MOST_AT_ONCE: usize = 4;

/// The limits of a request, each with what it costs.
fn limits(asked: &Asked<'_>) -> Vec<(Limit, u32)> {
    let mut limits = vec![(GLOBAL, 1)];
    match asked.bucket {
        Bucket::Directory => {
            let units = Limit {
                information: Some("ResourceUnitLimitExceeded"),
                ..limit("units", asked.size.units(), 10, Scope::AppInTenant)
            };
            limits.extend([(units, asked.units), (UNITS_OF_APP, asked.units)]);
            if asked.write {
                limits.extend([(WRITES, 1), (WRITES_OF_APP, 1), (WRITES_OF_TENANT, 1)]);
            }
        }
        Bucket::Policy => limits.push((POLICY, 1)),
        Bucket::Reports => limits.push((REPORTS, 1)),
        Bucket::Outlook => limits.push((OUTLOOK, 1)),
        Bucket::MessageTrace => limits.push((MESSAGE_TRACE, 1)),
        Bucket::Hunting => limits.push((HUNTING, 1)),
        Bucket::AuditSearch => {}
    }
    limits
}

/// Resource units of a directory request: a GET by its path and options, a write one.
#[must_use]
pub fn units(method: &str, path: &str, query: &[(String, String)]) -> u32 {
    if method != "GET" {
        return 1;
    }
    let base: i32 = match path {
        "/users"
        | "/servicePrincipals/{}/appRoleAssignments"
        | "/users/{}/memberOf"
        | "/users/{}/transitiveMemberOf" => 2,
        "/groups/{}/members" | "/subscribedSkus" => 3,
        _ if path.contains("/transitiveMembers") => 5,
        _ if path.contains("oauth2PermissionGrants") || path.contains("/transitiveMemberOf/") => 2,
        _ => 1,
    };
    let option =
        |name: &str| query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let is_short = option("$top").and_then(|top| top.parse::<u32>().ok()).is_some_and(|top| top < 20);
    let cost = base - i32::from(option("$select").is_some()) + i32::from(option("$expand").is_some())
        - i32::from(is_short);
    u32::try_from(cost.max(1)).unwrap_or(1)
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Throttle {
    seen: BTreeMap<(&'static str, String), Window>,
}

#[derive(Debug, Default)]
struct Window {
    entries: VecDeque<(Instant, u32)>,
    sum: u32,
}

impl Window {
    fn forget(&mut self, before: Duration, now: Instant) {
        while let Some((at, cost)) = self.entries.front().copied()
            && now.duration_since(at) >= before
        {
            self.sum -= cost;
            self.entries.pop_front();
        }
    }
}

impl Throttle {
    /// Counts a request. A reply carries the headers given; a refusal is the service's own.
    ///
    /// # Errors
    /// 429 where a limit is reached. Refused requests count as well: retrying at once only makes it longer.
    pub fn count(&mut self, asked: &Asked<'_>, now: Instant) -> Result<Vec<(String, String)>, Fail> {
        let mut refusal = None;
        let mut fullest = 0.0_f64;
        for (limit, cost) in limits(asked) {
            let shared_by = match limit.scope {
                Scope::Tenant => String::new(),
                Scope::App | Scope::AppInTenant => asked.app_id.to_owned(),
                Scope::Mailbox => format!("{} {}", asked.app_id, asked.mailbox),
            };
            let window = self.seen.entry((limit.name, shared_by)).or_default();
            window.forget(limit.window, now);
            let is_over = window.sum.saturating_add(cost) > limit.quota;
            let wait = window
                .entries
                .front()
                .map_or(limit.window, |(at, _)| limit.window.saturating_sub(now.duration_since(*at)));
            window.entries.push_back((now, cost));
            window.sum = window.sum.saturating_add(cost);
            if limit.information.is_some() {
                fullest = fullest.max(f64::from(window.sum) / f64::from(limit.quota));
            }
            if is_over && refusal.is_none() {
                refusal = Some(refuse(asked, &limit, wait));
            }
        }
        match refusal {
            Some(fail) => Err(fail),
            None if fullest >= 0.8 => {
                Ok(vec![("x-ms-throttle-limit-percentage".to_owned(), format!("{:.1}", fullest.min(1.8)))])
            }
            None => Ok(Vec::new()),
        }
    }
}

fn refuse(asked: &Asked<'_>, limit: &Limit, wait: Duration) -> Fail {
    let mut fail = match asked.bucket {
        Bucket::Outlook => {
            Fail::new(429, "ApplicationThrottled", "Application is over its RequestCount limit.")
        }
        _ => Fail::new(429, "TooManyRequests", "Too many requests.").with_inner("Please retry after"),
    };
    // Conditional Access tells no time.
    if asked.bucket != Bucket::Policy {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        fail.headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    if let Some(information) = limit.information {
        let (scope, side) = match limit.scope {
            Scope::Tenant => ("Tenant", "Write"),
            Scope::App => ("Application", "ReadWrite"),
            Scope::AppInTenant | Scope::Mailbox => ("Tenant_Application", "ReadWrite"),
        };
        let value = format!("{scope}/{side}/{}/{}", asked.app_id, asked.tenant_id);
        fail.headers.push(("x-ms-throttle-scope".to_owned(), value));
        fail.headers.push(("x-ms-throttle-information".to_owned(), information.to_owned()));
    }
    fail
}

/// The refusal of one request too many that is open at a mailbox.
#[must_use]
pub fn too_many_at_once() -> Fail {
    Fail::new(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(bucket: Bucket, app_id: &str) -> Asked<'_> {
        Asked { bucket, app_id, tenant_id: "t", mailbox: "m", units: 1, write: false, size: Size::Small }
    }

    fn header<'a>(fail: &'a Fail, name: &str) -> Option<&'a str> {
        fail.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    #[tokio::test(start_paused = true)]
    async fn the_policy_bucket_takes_one_a_second_and_tells_no_time() {
        let mut throttle = Throttle::default();
        assert!(throttle.count(&asked(Bucket::Policy, "a"), Instant::now()).is_ok());
        let refusal = throttle.count(&asked(Bucket::Policy, "b"), Instant::now()).unwrap_err();
        assert_eq!((refusal.status, header(&refusal, "retry-after")), (429, None));
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert!(throttle.count(&asked(Bucket::Policy, "a"), Instant::now()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_an_app_leaves_the_others_alone_and_says_when() {
        let mut throttle = Throttle::default();
        for (bucket, quota, window) in [(Bucket::Reports, 5, 10), (Bucket::Outlook, 10_000, 600)] {
            for _ in 0..quota {
                assert!(throttle.count(&asked(bucket, "a"), Instant::now()).is_ok());
            }
            tokio::time::advance(Duration::from_secs(2)).await;
            let refusal = throttle.count(&asked(bucket, "a"), Instant::now()).unwrap_err();
            assert_eq!(header(&refusal, "retry-after"), Some((window - 2).to_string().as_str()));
            assert!(throttle.count(&asked(bucket, "b"), Instant::now()).is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_of_the_tenant_is_shared_by_all_apps() {
        let mut throttle = Throttle::default();
        for (bucket, quota) in [(Bucket::MessageTrace, 100), (Bucket::Hunting, 45)] {
            for _ in 0..quota {
                assert!(throttle.count(&asked(bucket, "a"), Instant::now()).is_ok());
            }
            assert!(throttle.count(&asked(bucket, "b"), Instant::now()).is_err(), "{bucket:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_directory_counts_units_and_writes_apart_and_warns_before_it_refuses() {
        let mut throttle = Throttle::default();
        let read = Asked { units: 5, ..asked(Bucket::Directory, "a") };
        let answers: Vec<_> = (0..701).map(|_| throttle.count(&read, Instant::now())).collect();
        assert_eq!(answers[0], Ok(Vec::new()));
        let warned = answers[600].as_ref().unwrap();
        assert_eq!(warned[0], ("x-ms-throttle-limit-percentage".to_owned(), "0.9".to_owned()));
        let refusal = answers[700].as_ref().unwrap_err();
        assert_eq!(header(refusal, "x-ms-throttle-information"), Some("ResourceUnitLimitExceeded"));
        assert_eq!(header(refusal, "x-ms-throttle-scope"), Some("Tenant_Application/ReadWrite/a/t"));
        assert_eq!(header(refusal, "retry-after"), Some("10"));
        let write = Asked { write: true, ..asked(Bucket::Directory, "w") };
        let mut last = Ok(Vec::new());
        for _ in 0..3_001 {
            tokio::time::advance(Duration::from_millis(40)).await;
            last = throttle.count(&write, Instant::now());
        }
        assert_eq!(header(&last.unwrap_err(), "x-ms-throttle-information"), Some("WriteLimitExceeded"));
    }

    #[test]
    fn units_are_those_of_the_table() {
        let select = [("$select".to_owned(), "id".to_owned())];
        let top = [("$top".to_owned(), "5".to_owned()), ("$expand".to_owned(), "x".to_owned())];
        assert_eq!(units("GET", "/users", &[]), 2);
        assert_eq!(units("GET", "/users", &select), 1);
        assert_eq!(units("GET", "/users/{}", &select), 1);
        assert_eq!(units("GET", "/groups/{}/transitiveMembers", &top), 5);
        assert_eq!(units("GET", "/subscribedSkus", &[]), 3);
        assert_eq!(units("PATCH", "/users/{}", &[]), 1);
        assert_eq!((Size::of(49), Size::of(500), Size::of(501)), (Size::Small, Size::Medium, Size::Large));
    }
}
