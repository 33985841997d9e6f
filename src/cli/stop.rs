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

/// Ends the process. The journal holds an intent for whatever was in flight.
#[expect(
    clippy::disallowed_methods,
    reason = "the second Ctrl-C is the one place that ends the process by itself"
)]
fn leave() {
    std::process::exit(130);
}
