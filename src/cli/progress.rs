//! Progress on standard error, where that is a terminal: one line that moves for what is under way, and a line that
//! stays for each thing that is done. Invariant: it holds words from the tenant inert, and nothing of it is left on the
//! screen when somebody is asked, or shown a secret.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Format;
use super::terminal;
use crate::domain::{ActionId, inert};
use crate::engine::{Notice, PlanPhase, Watcher};
use crate::run::ActionState;

/// How often the moving line turns.
const TURN: Duration = Duration::from_millis(120);

/// Tells progress. Its clones tell on the same line.
#[derive(Clone)]
pub struct Progress {
    target: Arc<dyn Fn() -> ProgressDrawTarget + Send + Sync>,
    line: Arc<Mutex<Line>>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// The moving line, while there is one, and the actions that it tells of.
#[derive(Default)]
struct Line {
    bar: Option<ProgressBar>,
    under_way: Vec<(ActionId, String)>,
}

impl Progress {
    /// Tells on standard error where that is a terminal, nobody asked for quiet, and no program reads along.
    pub fn new(is_quiet: bool, format: Format) -> Self {
        let is_told = !is_quiet && format != Format::Json && terminal::tells_to_terminal();
        Self::on(move || if is_told { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() })
    }

    fn on(target: impl Fn() -> ProgressDrawTarget + Send + Sync + 'static) -> Self {
        Self { target: Arc::new(target), line: Arc::default() }
    }

    /// Does something with the screen to itself: what is written meanwhile stays whole.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        let bar = self.line.lock().unwrap_or_else(PoisonError::into_inner).bar.clone();
        match bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// Takes the moving line away; what was done stays.
    pub fn end(&self) {
        let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(bar) = line.bar {
            bar.finish_and_clear();
        }
    }

    fn begin(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, (self.target)());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TURN);
        }
        bar
    }
}

impl Watcher for Progress {
    fn notice(&self, notice: &Notice) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = line.bar.get_or_insert_with(|| self.begin()).clone();
        match notice {
            Notice::Planning(phase) => bar.set_message(phase_words(*phase)),
            Notice::Sending { action, summary } => {
                if !line.under_way.iter().any(|(own, _)| own == action) {
                    line.under_way.push((action.clone(), inert(summary)));
                }
                bar.set_message(under_way_words(&line.under_way));
            }
            Notice::Reached { action, summary, state, detail } => {
                line.under_way.retain(|(own, _)| own != action);
                let mark = mark(*state);
                bar.println(format!("  {mark} {} ({}: {})", inert(summary), state.as_str(), inert(detail)));
                bar.set_message(under_way_words(&line.under_way));
            }
            Notice::Proving => bar.set_message("reading everything back"),
        }
    }
}

fn phase_words(phase: PlanPhase) -> String {
    match phase {
        PlanPhase::Account => "looking up the account".to_owned(),
        PlanPhase::Evidence => "reading sign-ins, audits and methods".to_owned(),
        PlanPhase::Steps { done, all } => {
            format!("asking the steps what would have to change: {done} of {all}")
        }
    }
}

fn under_way_words(under_way: &[(ActionId, String)]) -> String {
    match under_way {
        [] => "waiting for what was accepted to show".to_owned(),
        [(_, only)] => only.clone(),
        [(_, first), rest @ ..] => format!("{first}, and {} more", rest.len()),
    }
}

fn mark(state: ActionState) -> &'static str {
    match state {
        ActionState::Verified | ActionState::AlreadySo | ActionState::Confirmed => "ok",
        ActionState::WaitingForPerson => "..",
        ActionState::AcceptedUnverified | ActionState::Ambiguous => "??",
        ActionState::NotStarted | ActionState::Failed | ActionState::Refused | ActionState::Stale => "!!",
    }
}

#[cfg(test)]
mod tests {
    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what is written on it.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn write(&self, text: &str) {
            self.0.lock().unwrap().push_str(text);
        }

        fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write(&format!("{text}\n"));
            Ok(())
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.write(text);
            Ok(())
        }
        fn clear_line(&self) -> std::io::Result<()> {
            self.write("<cleared>");
            Ok(())
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn over(screen: &Screen) -> Progress {
        let screen = screen.clone();
        Progress::on(move || ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255))
    }

    fn reached(summary: &str, state: ActionState) -> Notice {
        let (action, detail) = ("evict".parse().unwrap(), "read back".to_owned());
        Notice::Reached { action, summary: summary.to_owned(), state, detail }
    }

    #[test]
    fn what_is_done_stays_on_the_screen_and_names_are_inert() {
        let screen = Screen::default();
        let progress = over(&screen);
        let summary = "Revoke \u{202e}sessions\u{1b}[2J".to_owned();
        progress.notice(&Notice::Sending { action: "evict".parse().unwrap(), summary: summary.clone() });
        progress.notice(&reached(&summary, ActionState::Verified));
        progress.end();
        let text = screen.text();
        assert!(text.contains("ok Revoke \\u{202e}sessions\\u{1b}[2J (verified: read back)"), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text:?}");
        assert!(text.ends_with("<cleared>") || text.ends_with('\n'), "{text:?}");
    }

    #[test]
    fn a_secret_is_shown_with_the_screen_to_itself() {
        let screen = Screen::default();
        let progress = over(&screen);
        progress.notice(&Notice::Planning(PlanPhase::Account));
        let seen = progress.aside(|| screen.text().rfind("<cleared>"));
        assert!(seen.is_some(), "the moving line was not taken away first: {:?}", screen.text());
    }

    #[test]
    fn many_at_once_are_told_by_the_first_and_a_number() {
        let own = |id: &str| (id.parse().unwrap(), format!("do {id}"));
        assert_eq!(under_way_words(&[own("a")]), "do a");
        assert_eq!(under_way_words(&[own("a"), own("b"), own("c")]), "do a, and 2 more");
        assert!(phase_words(PlanPhase::Steps { done: 2, all: 9 }).ends_with("2 of 9"));
    }

    #[test]
    fn where_there_is_no_terminal_nothing_is_told() {
        let progress = Progress::new(false, Format::Text);
        progress.notice(&Notice::Proving);
        let is_hidden = progress.line.lock().unwrap().bar.as_ref().unwrap().is_hidden();
        assert_eq!(is_hidden, !terminal::tells_to_terminal());
        for quiet in [Progress::new(true, Format::Text), Progress::new(false, Format::Json)] {
            quiet.notice(&Notice::Proving);
            assert!(quiet.line.lock().unwrap().bar.as_ref().unwrap().is_hidden());
        }
    }
}
