//! What Identity Protection says of the user, line by line.

use super::document::InvestigationReport;
use crate::domain::{inert, shown};

/// So many detections are told, the newest; all are in the JSON.
const MOST: usize = 10;

/// The lines; none where it says nothing, or was not read.
pub(super) fn lines(report: &InvestigationReport) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(own) = &report.user_risk {
        lines.push(inert(&format!("the user: risk {}, {}", own.level, own.state)));
    }
    let rest = report.detections.len().saturating_sub(MOST);
    if rest > 0 {
        lines.push(format!("{rest} earlier detections; `--format json` has them"));
    }
    lines.extend(report.detections.iter().skip(rest).map(|own| {
        let from = own.address.as_ref().map_or_else(String::new, |address| format!(" from {address}"));
        let about = if own.sign_in.is_some() { "a sign-in" } else { "the user" };
        let words = format!("{about}{from}: {}, risk {}, {}", own.kind, own.level, own.state);
        format!("{} {}", shown(own.at), inert(&words))
    }));
    lines
}
