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
