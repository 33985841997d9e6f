//! Indicators as CSV (RFC 4180), for whoever works in a spreadsheet.

use jiff::Timestamp;

use super::document::InvestigationReport;
use crate::domain::inert_whole;

const HEADER: [&str; 6] = ["kind", "value", "first_seen", "last_seen", "confidence", "reasons"];

/// Spells the indicators as CSV. No cell is read as a formula by a spreadsheet, and none acts on a screen.
///
/// # Errors
/// When the writer refuses: a fault of ours.
pub fn indicators_csv(report: &InvestigationReport) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER)?;
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    for own in &report.indicators {
        let confidence = serde_json::to_value(own.confidence).unwrap_or_default();
        writer.write_record([
            cell(own.kind.label()),
            cell(&own.value),
            moment(own.first_seen),
            moment(own.last_seen),
            cell(confidence.as_str().unwrap_or_default()),
            cell(&own.reasons.join("; ")),
        ])?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = inert_whole(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']);
    if is_formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1"] {
            let shown = cell(text);
            assert!(shown.starts_with('\'') || shown.starts_with('\\'), "{text:?} became {shown:?}");
        }
        assert_eq!(cell("198.51.100.7"), "198.51.100.7");
        assert_eq!(cell("node-fetch/1.0"), "node-fetch/1.0");
    }
}
