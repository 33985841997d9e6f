//! What a handler gets and gives: a parsed call, and a reply or a failure in Graph's shape. No sockets here.

use jiff::Timestamp;
use serde_json::Value;

use crate::tenant::Tenant;

/// The API version in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `/v1.0`
    V1,
    /// `/beta`
    Beta,
}

impl Version {
    /// As it stands in a path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// Who calls, as the access token says.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The app's client id.
    pub app_id: String,
    /// Permissions in the token: an app's own from `roles`, a person's from `scp`.
    pub roles: Vec<String>,
    /// Directory roles of the service principal, or of the person, by display name.
    pub directory_roles: Vec<String>,
    /// The person who signed in; none where the app speaks for itself.
    pub user_id: Option<String>,
}

impl Caller {
    /// Whether the token carries this permission.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| role == permission)
    }
}

/// One call to a Graph endpoint, routed and authorized.
#[derive(Clone, Debug)]
pub struct Call {
    /// `/v1.0` or `/beta`.
    pub version: Version,
    /// The variable segments of the path, decoded, in order.
    pub segments: Vec<String>,
    /// Query options, decoded, in order; names as they came (`$filter`).
    pub query: Vec<(String, String)>,
    /// Request headers that matter (`consistencylevel`, `prefer`), names in lower case.
    pub headers: Vec<(String, String)>,
    /// The JSON body; `Null` where there is none.
    pub body: Value,
    /// Who calls.
    pub caller: Caller,
    /// The tenant's time.
    pub now: Timestamp,
    /// The base address the call came to, for `@odata.nextLink` and `@odata.context`: `http://127.0.0.1:1234`.
    pub base: String,
    /// Path of the call with its version, without query: `/v1.0/users/…`.
    pub path: String,
    /// A fresh id for an object that this call makes (seeded, so runs repeat).
    pub new_id: String,
}

impl Call {
    /// The value of a query option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it has `ConsistencyLevel: eventual`.
    #[must_use]
    pub fn is_eventual(&self) -> bool {
        self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("consistencylevel") && value.eq_ignore_ascii_case("eventual")
        })
    }

    /// A variable segment of the path; empty where the route has fewer.
    #[must_use]
    pub fn segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }
}

/// A success.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Extra headers.
    pub headers: Vec<(String, String)>,
    /// JSON body; `None` for 204.
    pub body: Option<Value>,
}

impl Reply {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: Some(body) }
    }

    /// 201 with the object made.
    #[must_use]
    pub fn created(body: Value) -> Self {
        Self { status: 201, headers: Vec::new(), body: Some(body) }
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: None }
    }
}

/// A refusal, which becomes Graph's error envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fail {
    /// HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: String,
    /// `error.message`.
    pub message: String,
    /// `error.innerError.message`, where the service puts the useful text one level deeper.
    pub inner: Option<String>,
    /// Extra headers.
    pub headers: Vec<(String, String)>,
}

impl Fail {
    /// A refusal without an inner message.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), inner: None, headers: Vec::new() }
    }

    /// The same with `innerError.message`.
    #[must_use]
    pub fn with_inner(mut self, message: impl Into<String>) -> Self {
        self.inner = Some(message.into());
        self
    }
}

/// What a route runs. Reads may be given an earlier state of the tenant; writes always get the present one.
#[derive(Clone, Copy)]
pub enum Handler {
    /// A read (a GET, or a POST that only reads).
    Read(fn(&Tenant, &Call) -> Result<Reply, Fail>),
    /// A write.
    Write(fn(&mut Tenant, &Call) -> Result<Reply, Fail>),
}
