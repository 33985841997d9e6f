//! The drawing of the timeline: a lane for each kind of event, from the first of them to the end of the answer. Numbers
//! alone are reckoned here; the template draws.

use jiff::{SignedDuration, Timestamp};

use super::document::{IncidentReport, Lane, TimelineEntry};
use crate::domain::shown;
use crate::report::Who;

const WIDTH: i64 = 960;
const LEFT: i64 = 110;
const RIGHT: i64 = WIDTH - 24;
const TOP: i64 = 48;
const LANE: i64 = 36;
/// So many ticks at most.
const TICKS: i64 = 9;
/// Lengths between two ticks, in seconds: from five minutes to a year.
const STEPS: [i64; 14] = [
    300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 7_776_000,
    31_536_000,
];
const DAY: i64 = 86_400;

/// A mark on a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub x: i64,
    pub class: &'static str,
    pub told: String,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DrawnLane {
    pub y: i64,
    pub label: &'static str,
    pub marks: Vec<Mark>,
}

/// A tick of the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub x: i64,
    pub label: String,
}

/// A moment that stands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub x: i64,
    pub class: &'static str,
    pub label: &'static str,
    pub anchor: &'static str,
}

/// The drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    pub width: i64,
    pub height: i64,
    pub left: i64,
    pub right: i64,
    pub told: String,
    pub lanes: Vec<DrawnLane>,
    pub ticks: Vec<Tick>,
    pub lines: Vec<Line>,
}

impl Drawing {
    /// Draws a report's timeline; nothing where there is no time to draw.
    pub fn of(report: &IncidentReport) -> Option<Self> {
        let first = report.timeline.first()?.at;
        let last = report.timeline.iter().map(|own| own.until.unwrap_or(own.at)).max()?;
        let axis = Axis { first, seconds: last.duration_since(first).as_secs().max(60) };
        let lanes: Vec<DrawnLane> = [
            (Lane::SignIn, "sign-ins"),
            (Lane::Mail, "mail"),
            (Lane::Account, "account"),
            (Lane::Response, "response"),
        ]
        .into_iter()
        .zip(0..)
        .map(|((lane, label), place)| DrawnLane {
            y: TOP + LANE * place,
            label,
            marks: report.timeline.iter().filter(|own| own.lane == lane).map(|own| axis.mark(own)).collect(),
        })
        .collect();
        let times = &report.times;
        let moments = [
            (times.first_access, "first", "first access"),
            (times.reported_at, "reported", "reported"),
            (times.contained_at, "contained", "contained"),
        ]
        .into_iter()
        .filter_map(|(at, class, label)| {
            let x = axis.x(at?);
            // At an edge the label goes to the inside.
            let anchor = if x > RIGHT - 60 {
                "end"
            } else if x < LEFT + 60 {
                "start"
            } else {
                "middle"
            };
            Some(Line { x, class, label, anchor })
        })
        .collect();
        let count = i64::try_from(lanes.len()).unwrap_or(0);
        Some(Self {
            width: WIDTH,
            height: TOP + LANE * count + 16,
            left: LEFT,
            right: RIGHT,
            told: format!(
                "{} events from {} to {}, in lanes for sign-ins, mail, the account, and the response.",
                report.timeline.len(),
                shown(first),
                shown(last)
            ),
            ticks: axis.ticks(),
            lanes,
            lines: moments,
        })
    }
}

/// From moments to places.
struct Axis {
    first: Timestamp,
    seconds: i64,
}

impl Axis {
    fn x(&self, at: Timestamp) -> i64 {
        let passed = at.duration_since(self.first).as_secs().clamp(0, self.seconds);
        LEFT + passed.saturating_mul(RIGHT - LEFT) / self.seconds
    }

    fn mark(&self, own: &TimelineEntry) -> Mark {
        let class = match (own.lane, own.who) {
            (Lane::Response, _) => "response",
            (_, Some(Who::Intruder)) => "intruder",
            _ => "other",
        };
        Mark { x: self.x(own.at), class, told: format!("{} {}", shown(own.at), own.what) }
    }

    fn ticks(&self) -> Vec<Tick> {
        let step = STEPS.into_iter().find(|step| self.seconds / step < TICKS).unwrap_or(DAY * 365);
        let begin = self.first.as_second();
        // Ticks stand at whole steps of the day.
        let mut at = begin - begin.rem_euclid(step) + step;
        let mut ticks = Vec::new();
        while at <= begin + self.seconds {
            let moment = self.first.checked_add(SignedDuration::from_secs(at - begin)).unwrap_or(self.first);
            let format = if step < DAY { "%d %H:%M" } else { "%m-%d" };
            ticks.push(Tick { x: self.x(moment), label: moment.strftime(format).to_string() });
            at += step;
        }
        ticks
    }
}
