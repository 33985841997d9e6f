//! Globs: `*` any text, `?` any one character.

/// Whether a glob fits the whole text, whatever the case.
pub fn fits(glob: &str, text: &str) -> bool {
    fits_exactly(&glob.to_lowercase(), &text.to_lowercase())
}

/// Whether a glob fits the whole text, letter by letter.
pub fn fits_exactly(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at_glob, mut at_text) = (0, 0);
    // Where the last star stood, and how much text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match (glob.get(at_glob), text.get(at_text)) {
            (Some('*'), _) => {
                star = Some((at_glob, at_text));
                at_glob += 1;
            }
            (Some('?'), _) => {
                at_glob += 1;
                at_text += 1;
            }
            (Some(wanted), Some(letter)) if wanted == letter => {
                at_glob += 1;
                at_text += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at_glob = place + 1;
                    at_text = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob.iter().skip(at_glob).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_what_they_say() {
        assert!(fits("node-fetch*", "Node-Fetch/1.0 (+https://github.com/bitinn/node-fetch)"));
        assert!(fits("*headless?hrome*", "Mozilla/5.0 HeadlessChrome/127"));
        assert!(fits("", ""));
        assert!(!fits("", "x"));
        assert!(!fits("node-fetch", "node-fetch/1.0"));
        assert!(fits("a*b*c", "a1b2b3c"));
        assert!(!fits("a*b*c", "a1c2b"));
        assert!(fits("Stanch", "stanch") && !fits_exactly("Stanch", "stanch"));
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_any_star_around_it(text in "[a-z/. ]{0,20}") {
            prop_assert!(fits(&text, &text));
            let around = format!("*{text}*");
            let longer = format!("x{text}y");
            prop_assert!(fits(&around, &longer));
        }
    }
}
