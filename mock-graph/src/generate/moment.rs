//! Times of a case, in whole seconds as Graph's logs mostly have them.

use jiff::Timestamp;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) i64);

impl Moment {
    pub(super) const fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// Midnight (UTC) so many days before the day of this moment.
    pub(super) const fn day(self, days_before: i64) -> Self {
        Self(self.0 - self.0 % DAY - days_before * DAY)
    }

    /// Whether it lies on a working day.
    pub(super) const fn is_workday(self) -> bool {
        !matches!((self.0 / DAY + 4) % 7, 0 | 6)
    }

    /// As Graph writes it.
    pub(super) fn text(self) -> String {
        Timestamp::from_second(self.0).unwrap_or_default().to_string()
    }
}
