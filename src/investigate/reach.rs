//! How far back a tenant's logs reach, whatever was asked for (policy-logs-auth.md 4.4).

use jiff::{SignedDuration, Timestamp};

use crate::case::{AuditRecord, Look, SignIn};
use crate::graph::Licence;

/// What P1 and P2 keep.
pub(super) const PREMIUM: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What is kept without them.
const FREE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// From when on a record that was made is still there: by the licence, or as far as what was read shows.
pub(super) fn reach(
    plans: &Look<Vec<String>>,
    sign_ins: &Look<Vec<SignIn>>,
    audits: &Look<Vec<AuditRecord>>,
    now: Timestamp,
) -> Timestamp {
    let is_premium = match plans {
        Look::Read(plans) => Licence::EntraP1.is_among(plans),
        // Without a licence Graph answers nobody who asks for sign-ins.
        Look::Unread { .. } => sign_ins.read().is_some(),
    };
    let kept = now.saturating_sub(if is_premium { PREMIUM } else { FREE }).unwrap_or(Timestamp::MIN);
    let rows = sign_ins.read().into_iter().flatten().map(|row| row.at);
    let records = audits.read().into_iter().flatten().map(|record| record.at);
    rows.chain(records).min().map_or(kept, |oldest| oldest.min(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_tells_how_far_the_logs_reach_and_what_was_read_shows_when_they_reach_further() {
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let day = |number: i64| now - SignedDuration::from_hours(24 * number);
        let plans = |names: &[&str]| Look::Read(names.iter().map(|&name| name.to_owned()).collect());
        let unread = || Look::Unread { why: "403".to_owned() };
        let rows = |at: Timestamp| Look::Read(vec![SignIn::bare("a", at)]);
        let none = Look::Read(Vec::new());
        let reach = |plans: &Look<Vec<String>>, rows: &Look<Vec<SignIn>>| reach(plans, rows, &none, now);
        assert_eq!(reach(&plans(&["AAD_PREMIUM"]), &rows(day(3))), day(30));
        assert_eq!(reach(&plans(&["AAD_PREMIUM_P2"]), &rows(day(44))), day(44));
        assert_eq!(
            reach(&plans(&["EXCHANGE_S_ENTERPRISE"]), &Look::Unread { why: "403".to_owned() }),
            day(7)
        );
        assert_eq!(reach(&unread(), &rows(day(3))), day(30));
        assert_eq!(reach(&unread(), &Look::Unread { why: "403".to_owned() }), day(7));
    }
}
