//! How bad the sender says it is, in one scale.

use serde::{Deserialize, Serialize};

/// How bad the sender says it is. It is shown and decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing was said, or nothing that has a place in the scale.
    #[default]
    Unknown,
    /// For information.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Reads a sender's word. Numbers mean another thing with each sender, and are not read.
    pub fn read(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "critical" | "sev0" | "p1" => Self::Critical,
            "high" | "sev1" | "p2" => Self::High,
            "medium" | "moderate" | "warning" | "sev2" | "p3" => Self::Medium,
            "low" | "sev3" | "p4" => Self::Low,
            "info" | "informational" | "information" | "normal" | "sev4" | "p5" => Self::Info,
            _ => Self::Unknown,
        }
    }

    /// The word for people and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
