//! `when` and `ignore_when`: which alerts of a sender are acted on.

use std::collections::BTreeMap;

use crate::alert::{Pointer, PointerError, Severity, Trigger};
use crate::domain::CidrBlock;
use crate::domain::glob::fits;

/// What `when` may ask for.
const KEYS: [&str; 4] = ["user_agents", "ips", "severities", "titles"];

/// Why a condition cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConditionError {
    /// No such key.
    #[error("`when` knows no `{key}`: it knows `{}`", KEYS.join("`, `"))]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// Not a range of addresses.
    #[error("`{text}` in `when.ips` is no address and no range")]
    Range {
        /// The text.
        text: String,
    },
    /// Not a severity.
    #[error("`{text}` in `when.severities` is none of `critical`, `high`, `medium`, `low`, `info`")]
    Severity {
        /// The text.
        text: String,
    },
    /// Not a pointer.
    #[error("`ignore_when` has a key that cannot be followed")]
    Pointer(#[source] PointerError),
}

/// Which alerts are acted on.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    user_agents: Option<Vec<String>>,
    ips: Option<Vec<CidrBlock>>,
    severities: Option<Vec<Severity>>,
    titles: Option<Vec<String>>,
    ignored: Vec<(Pointer, Vec<String>)>,
}

impl Condition {
    /// Reads the settings' conditions.
    ///
    /// # Errors
    /// When one of them says nothing that could be checked.
    pub fn new(
        when: &BTreeMap<String, Vec<String>>,
        ignore_when: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, ConditionError> {
        let mut condition = Self::default();
        for (key, wanted) in when {
            match key.as_str() {
                "user_agents" => condition.user_agents = Some(wanted.clone()),
                "titles" => condition.titles = Some(wanted.clone()),
                "ips" => {
                    let range = |text: &String| {
                        text.parse().map_err(|_| ConditionError::Range { text: text.clone() })
                    };
                    condition.ips = Some(wanted.iter().map(range).collect::<Result<_, _>>()?);
                }
                "severities" => {
                    let severity = |text: &String| match Severity::read(text) {
                        Severity::Unknown => Err(ConditionError::Severity { text: text.clone() }),
                        known => Ok(known),
                    };
                    condition.severities = Some(wanted.iter().map(severity).collect::<Result<_, _>>()?);
                }
                _ => return Err(ConditionError::UnknownKey { key: key.clone() }),
            }
        }
        for (pointer, values) in ignore_when {
            let pointer = Pointer::parse(pointer).map_err(ConditionError::Pointer)?;
            condition.ignored.push((pointer, values.clone()));
        }
        Ok(condition)
    }

    /// Whether an alert is acted on: it has something of everything that is asked for, and nothing that is ignored.
    pub fn takes(&self, trigger: &Trigger, body: &serde_json::Value) -> bool {
        let hints = &trigger.hints;
        let any_fits = |globs: &Option<Vec<String>>, texts: &[String]| {
            globs
                .as_ref()
                .is_none_or(|globs| globs.iter().any(|glob| texts.iter().any(|text| fits(glob, text))))
        };
        let is_wanted = any_fits(&self.user_agents, &hints.user_agents)
            && any_fits(&self.titles, std::slice::from_ref(&trigger.title))
            && self.severities.as_ref().is_none_or(|own| own.contains(&trigger.severity))
            && self.ips.as_ref().is_none_or(|own| {
                own.iter().any(|range| hints.addresses.iter().any(|one| range.overlaps(one)))
            });
        let is_ignored = self.ignored.iter().any(|(pointer, values)| {
            pointer.values(body).iter().any(|found| {
                let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                values.iter().any(|value| value.eq_ignore_ascii_case(&text))
            })
        });
        is_wanted && !is_ignored
    }
}
