//! Ctrl-C: the first lets the request in flight end and starts no other; the second ends the program at once.

use tokio::task::JoinSet;

use super::failure::INTERRUPTED;
use crate::engine::StopSignal;

/// Listens for Ctrl-C for as long as what comes back first is held.
pub fn on_interrupt() -> (JoinSet<()>, StopSignal) {
    listen(interrupted, "\nstopping: what is in flight ends, nothing new is sent (again to quit at once)")
}

/// Listens for Ctrl-C and for the signal that service managers end a process by, for as long as what comes back first is
/// held.
pub fn on_end() -> (JoinSet<()>, StopSignal) {
    listen(asked_to_end, "stopping: the requests in flight end, nothing new is taken")
}

/// The first time that it is asked for, the stop is told and given; the second time ends the process.
fn listen<F>(asked: fn() -> F, told: &'static str) -> (JoinSet<()>, StopSignal)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, signal) = StopSignal::new();
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        asked().await;
        anstream::eprintln!("{told}");
        if sender.send(true).is_err() {
            return;
        }
        asked().await;
        leave();
    });
    (listening, signal)
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return interrupted().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    interrupted().await;
}

/// Waits for Ctrl-C; for ever where it cannot be listened for.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Ends the process. The journal holds an intent for whatever was in flight.
#[expect(
    clippy::disallowed_methods,
    reason = "the second Ctrl-C is the one place that ends the process by itself"
)]
fn leave() {
    std::process::exit(INTERRUPTED.into());
}
