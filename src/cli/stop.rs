//! Ctrl-C: the first lets the request in flight end and starts no other; the second ends the program at once.

use tokio::task::JoinSet;

use crate::engine::StopSignal;

/// Listens for Ctrl-C for as long as what comes back first is held.
pub fn on_interrupt() -> (JoinSet<()>, StopSignal) {
    let (sender, signal) = StopSignal::new();
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        anstream::eprintln!(
            "\nstopping: what is in flight ends, nothing new is sent (again to quit at once)"
        );
        if sender.send(true).is_err() {
            return;
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            leave();
        }
    });
    (listening, signal)
}

/// Listens for Ctrl-C and for the signal that service managers end a process by, for as long as what comes back first is
/// held.
pub fn on_end() -> (JoinSet<()>, StopSignal) {
    let (sender, signal) = StopSignal::new();
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        asked_to_end().await;
        anstream::eprintln!("stopping: the requests in flight end, nothing new is taken");
        if sender.send(true).is_err() {
            return;
        }
        asked_to_end().await;
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
    std::process::exit(130);
}
