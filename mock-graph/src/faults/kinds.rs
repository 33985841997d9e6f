//! The kinds of faults, with their parameters.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What goes wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// 429.
    Throttle {
        /// Seconds, or text as it stands; left out: no header.
        #[serde(default)]
        retry_after: Option<Value>,
    },
    /// Some status and code.
    Status {
        /// HTTP status.
        status: u16,
        /// `error.code`; at the token endpoint `error`.
        #[serde(default)]
        code: Option<String>,
        /// `error.message`; at the token endpoint `error_description`.
        #[serde(default)]
        message: Option<String>,
        /// Seconds, or text as it stands; left out: no header.
        #[serde(default)]
        retry_after: Option<Value>,
        /// Whether what was asked for is done all the same.
        #[serde(default)]
        committed: bool,
        /// What the body is.
        #[serde(default)]
        body: ErrorBody,
    },
    /// A success with another status than the documented one.
    OtherStatus {
        /// HTTP status; 204 has no body.
        status: u16,
    },
    /// The connection is reset; nothing is done.
    ResetBeforeCommit {},
    /// The connection is reset after it was done.
    ResetAfterCommit {
        /// How far the answer came.
        #[serde(default)]
        at: ResetPoint,
    },
    /// Nothing is ever answered.
    Timeout {
        /// Whether what was asked for is done all the same.
        #[serde(default)]
        committed: bool,
    },
    /// The answer comes late.
    Delay {
        /// By how many milliseconds.
        ms: u64,
    },
    /// The headers come at once, the body drop by drop.
    SlowBody {
        /// How fast.
        bytes_per_second: usize,
    },
    /// The body is cut off.
    Truncate {
        /// Bytes that are left.
        bytes: usize,
    },
    /// `Content-Length` is not the body's.
    WrongContentLength {
        /// How much more it says than there is; negative: less.
        by: i64,
    },
    /// An HTML page with 200, as a proxy sends; what was asked for was done.
    WrongContentType {},
    /// No body where there should be one; what was asked for was done.
    EmptyBody {},
    /// A byte order mark stands in front of the body.
    ByteOrderMark {},
    /// A property is not what the schema says: of every element of a collection, else of the object.
    Drift {
        /// The property.
        field: String,
        /// What it is instead; left out: it is missing.
        #[serde(default, deserialize_with = "given")]
        to: Option<Value>,
    },
    /// The answer is huge.
    HugeResponse {
        /// Bytes of the whole body, filled up with white space.
        #[serde(default)]
        bytes: Option<usize>,
        /// Elements of the collection, made of those that are there.
        #[serde(default)]
        items: Option<usize>,
    },
    /// 401, expired.
    ExpireToken {},
    /// 401 with a claims challenge.
    ClaimsChallenge {},
    /// Reads see the state before the matched write for a while.
    StaleReads {
        /// For how many seconds.
        seconds: u64,
    },
    /// Reads see the new state and the one before the matched write in turn, for a while.
    FlappingReads {
        /// For how many seconds.
        seconds: u64,
    },
    /// Lists show the state before the matched write for a while; single objects are fresh.
    StaleLists {
        /// For how many seconds.
        seconds: u64,
    },
    /// Single objects show the state before the matched write for a while; lists are fresh.
    StaleItems {
        /// For how many seconds.
        seconds: u64,
    },
    /// The object that the matched request makes is 404 for a while; lists show it.
    NotFoundYet {
        /// For how many seconds.
        seconds: u64,
    },
    /// The matched write is done, and undone later, as by a sync.
    RevertLater {
        /// After how many seconds.
        seconds: u64,
    },
    /// Somebody else changes an object.
    ForeignEdit(ForeignEdit),
    /// The answer's page comes a second time, behind its own next link.
    RepeatPage {},
    /// The next link leads to the same page for ever.
    LoopNextLink {},
    /// The next page begins with the last element of this one.
    OverlapPages {},
    /// The next page leaves out the element that it should begin with.
    SkipItem {},
    /// The elements of the page come the other way round.
    ReorderPage {},
    /// The page is empty and has a next link; behind it is what it should have held.
    EmptyPage {},
    /// The next link leads to another host.
    ForeignNextLink {
        /// Which.
        #[serde(default = "elsewhere")]
        host: String,
    },
    /// The next link leads to the other version of the API.
    OtherVersionNextLink {},
    /// The next link's token has expired: following it is 400.
    ExpiredSkipToken {},
    /// The `Date` header is wrong.
    DateSkew {
        /// By how many seconds; negative: behind.
        seconds: i64,
    },
    /// There is no `Date` header.
    DateAbsent {},
    /// The token that is issued says something else, well signed.
    TokenClaims {
        /// Claims in place of its own; null takes one away.
        set: Map<String, Value>,
    },
    /// From here on writes are 503 for a while, and reads show the state before the last write.
    Failover {
        /// For how many seconds.
        seconds: u64,
    },
    /// The service principal of who asks is disabled from here on.
    DisablePrincipal {
        /// Whether its tokens end with it, as under continuous access evaluation.
        #[serde(default = "yes")]
        ends_tokens: bool,
    },
}

fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    // Null is a value here, and not the same as left out.
    Value::deserialize(value).map(Some)
}

fn elsewhere() -> String {
    "graph.attacker.example".to_owned()
}

fn yes() -> bool {
    true
}

/// What the body of an error is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// Graph's envelope.
    #[default]
    Json,
    /// A gateway's page.
    Html,
    /// Nothing.
    Empty,
}

/// How far an answer came before the connection was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetPoint {
    /// Nothing came.
    #[default]
    BeforeHeaders,
    /// Status and headers came.
    AfterHeaders,
    /// Half of the body came.
    MidBody,
}

/// When somebody else is at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Before the request is looked at: between a read and the write that is matched.
    #[default]
    Before,
    /// After it was answered.
    After,
}

/// A change that somebody else makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForeignEdit {
    /// Before or after the matched request.
    #[serde(default)]
    pub when: When,
    /// The list of the tenant file.
    pub list: EditedList,
    /// The user, where it is a list of a user's.
    #[serde(default)]
    pub user: Option<String>,
    /// Id of the object. One that is not there is made.
    pub id: String,
    /// Properties that are set.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Elements put at the end of lists.
    #[serde(default)]
    pub append: Map<String, Value>,
    /// Whether the object is removed.
    #[serde(default)]
    pub remove: bool,
}

/// What somebody else can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EditedList {
    /// Users.
    Users,
    /// Devices.
    Devices,
    /// Named locations.
    NamedLocations,
    /// Conditional Access policies.
    ConditionalAccessPolicies,
    /// Role assignments.
    RoleAssignments,
    /// Service principals.
    ServicePrincipals,
    /// Delegated grants.
    Oauth2PermissionGrants,
    /// Risky users.
    RiskyUsers,
    /// A user's authentication methods.
    AuthenticationMethods,
    /// A user's inbox rules.
    MessageRules,
}
