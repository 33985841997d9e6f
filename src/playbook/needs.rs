//! What waits for what: `needs` to ids, and the circles in it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::model::StepCall;
use super::word;

/// What `needs` and diagnostics have to know of one step.
pub(super) struct Waiting {
    pub(super) call: StepCall,
    /// The bytes that name the step: its `id`, or else its `step`.
    pub(super) named_at: Range<usize>,
    /// The bytes of each word in `needs`.
    pub(super) needs_at: Vec<Range<usize>>,
}

/// Fills in what each step waits for.
pub(super) fn resolve(steps: &mut [Waiting], found: &mut Vec<Diagnostic>) {
    let names = Names::new(steps);
    let mut before: Option<String> = None;
    for step in steps.iter_mut() {
        let own = step.call.id.clone();
        step.call.waits_for = match &step.call.needs {
            None => before.into_iter().collect(),
            Some(needs) => {
                let mut ids: Vec<String> = Vec::new();
                for (need, at) in needs.iter().zip(&step.needs_at) {
                    match names.find(need) {
                        Ok(id) if *id == own => {
                            found.push(Diagnostic::beyond_schema(
                                at.clone(),
                                format!("`{own}` waits for itself"),
                            ));
                        }
                        Ok(id) if ids.contains(id) => {
                            found.push(Diagnostic::beyond_schema(
                                at.clone(),
                                format!("`{need}` stands twice in `needs`"),
                            ));
                        }
                        Ok(id) => ids.push(id.clone()),
                        Err(fault) => found.push(fault.into_diagnostic(need, at.clone())),
                    }
                }
                ids
            }
        };
        before = Some(own);
    }
    // Where two steps share an id, which one is waited for is anybody's guess.
    let unique = names
        .ids
        .iter()
        .enumerate()
        .all(|(index, id)| !names.ids.iter().take(index).any(|other| other == id));
    if unique {
        find_circles(steps, found);
    }
}

enum Unfound {
    /// The step of this name stands more than once, under these ids.
    Several(Vec<String>),
    Unknown {
        nearest: Option<String>,
        known: Vec<String>,
    },
}

impl Unfound {
    fn into_diagnostic(self, need: &str, at: Range<usize>) -> Diagnostic {
        match self {
            Self::Several(ids) => {
                Diagnostic::beyond_schema(at, format!("`{need}` stands more than once in this playbook"))
                    .help(format!("name one by its id: {}", word::listed(ids.iter().map(String::as_str))))
            }
            Self::Unknown { nearest, known } => {
                let diagnostic = Diagnostic::beyond_schema(at, format!("no step here is called `{need}`"));
                if nearest.is_some() {
                    diagnostic.nearest(nearest)
                } else {
                    diagnostic.help(format!("there are {}", word::listed(known.iter().map(String::as_str))))
                }
            }
        }
    }
}

struct Names {
    ids: Vec<String>,
    by_step: BTreeMap<String, Vec<String>>,
}

impl Names {
    fn new(steps: &[Waiting]) -> Self {
        let mut by_step: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in steps {
            by_step.entry(step.call.step.clone()).or_default().push(step.call.id.clone());
        }
        Self { ids: steps.iter().map(|step| step.call.id.clone()).collect(), by_step }
    }

    /// Finds the id that a word in `needs` means: an id, or a step that stands once.
    fn find(&self, need: &str) -> Result<&String, Unfound> {
        if let Some(id) = self.ids.iter().find(|id| *id == need) {
            return Ok(id);
        }
        match self.by_step.get(need).map(Vec::as_slice) {
            Some([only]) => Ok(only),
            Some(several) => Err(Unfound::Several(several.to_vec())),
            None => Err(Unfound::Unknown {
                nearest: word::nearest(need, self.ids.iter().chain(self.by_step.keys()).map(String::as_str)),
                known: self.ids.clone(),
            }),
        }
    }
}

/// Complains of each circle once, naming the way around it.
fn find_circles(steps: &[Waiting], found: &mut Vec<Diagnostic>) {
    let waits: BTreeMap<&str, &Waiting> = steps.iter().map(|step| (step.call.id.as_str(), step)).collect();
    let mut done: Vec<&str> = Vec::new();
    for step in steps {
        // The way from `step` to where we stand, each with the number of its next need to follow.
        let mut way: Vec<(&str, usize)> = vec![(&step.call.id, 0)];
        while let Some((id, next)) = way.last_mut() {
            let (here, index) = (*id, *next);
            *next += 1;
            let need = waits.get(here).and_then(|step| step.call.waits_for.get(index)).map(String::as_str);
            let Some(need) = need.filter(|_| !done.contains(&here)) else {
                done.push(here);
                way.pop();
                continue;
            };
            if let Some(begin) = way.iter().position(|(id, _)| *id == need) {
                let circle: Vec<&str> = way.iter().skip(begin).map(|(id, _)| *id).chain([need]).collect();
                let at = waits.get(here).map_or(0..0, |step| step.named_at.clone());
                found.push(
                    Diagnostic::beyond_schema(
                        at,
                        format!("these steps wait for each other: {}", circle.join(" → ")),
                    )
                    .label(format!("waits for `{need}`"))
                    .help(
                        "take one of them out of `needs`; a step without `needs` waits for the one before it",
                    ),
                );
            } else {
                way.push((need, 0));
            }
        }
    }
}
