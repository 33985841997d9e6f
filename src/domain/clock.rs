//! Time as an argument: the engine owns no clock, it is given one.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use jiff::Timestamp;

/// A moment for people: UTC, whole seconds.
pub fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Our own clock, for what we issue and expire. What is compared with the tenant uses Graph's `Date` instead.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// Waits. Under paused tokio time this takes no time at all.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// A moment as JSON has it, for schemas: the time library has none for its own type.
#[derive(Clone, Copy, Debug)]
pub struct Moment;

impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a moment in UTC, such as 2024-09-26T18:03:36Z",
            "type": "string",
            "format": "date-time",
        })
    }
}
