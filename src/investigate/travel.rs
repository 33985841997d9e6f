//! Whether one person can have been in two places.

use jiff::Timestamp;

use crate::case::Position;

/// Nearer than this nothing is concluded: mobile networks are placed hundreds of kilometres away.
const LEAST_KM: f64 = 500.0;
/// Faster than this nobody travels (km/h).
const FASTEST: f64 = 1_000.0;

/// How far two places are apart (km), over the globe.
pub(super) fn distance(one: Position, other: Position) -> f64 {
    let radians = |thousandths: i32| (f64::from(thousandths) / 1000.0).to_radians();
    let (lat1, lat2) = (radians(one.latitude), radians(other.latitude));
    let (dlat, dlon) = (lat2 - lat1, radians(other.longitude) - radians(one.longitude));
    let half = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
    2.0 * 6_371.0 * half.sqrt().min(1.0).asin()
}

/// The speed (km/h) and the distance (km) that it would have taken, where nobody travels so fast.
pub(super) fn impossible(one: (Timestamp, Position), other: (Timestamp, Position)) -> Option<(f64, f64)> {
    let far = distance(one.1, other.1);
    if far < LEAST_KM {
        return None;
    }
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a log spans days")]
    let hours = (one.0.duration_since(other.0).abs().as_secs() as f64 / 3_600.0).max(1.0 / 60.0);
    let speed = far / hours;
    (speed > FASTEST).then_some((speed, far))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENO: Position = Position { latitude: 39_530, longitude: -119_810 };
    const DALLAS: Position = Position { latitude: 32_780, longitude: -96_800 };

    #[test]
    fn nobody_is_in_two_far_places_within_an_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!((distance(RENO, DALLAS) - 2_190.0).abs() < 60.0, "{}", distance(RENO, DALLAS));
        let morning = at("2026-03-02T08:00:00Z");
        assert!(impossible((morning, RENO), (at("2026-03-02T09:00:00Z"), DALLAS)).is_some());
        assert!(impossible((at("2026-03-02T09:00:00Z"), DALLAS), (morning, RENO)).is_some());
        assert!(impossible((morning, RENO), (at("2026-03-02T13:00:00Z"), DALLAS)).is_none());
        assert!(impossible((morning, RENO), (morning, RENO)).is_none());
    }
}
