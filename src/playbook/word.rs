//! Words: which known one is nearest to what was written, and what may stand as a name.

use crate::domain;

/// Finds the known word that was most likely meant.
pub(super) fn nearest<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    domain::nearest(written, known).map(str::to_owned)
}

/// Tells whether the text is a playbook's name: `^[a-z0-9][a-z0-9-]{0,63}$`.
pub(super) fn is_name(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
        && letters.all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == b'-')
        && text.len() <= 64
}

/// Tells whether the text can be an id or an input's name: `^[a-z][a-z0-9_-]{0,63}$`.
pub(super) fn is_word(text: &str) -> bool {
    let mut letters = text.bytes();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters
            .all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || matches!(next, b'_' | b'-'))
        && text.len() <= 64
}

/// Puts words into backticks, separated by commas.
pub(super) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_way_to_be_a_path() {
        for good in ["bec", "token-theft", "0day", &"a".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-bec", "Bec", "../x", "..%2f", "a/b", "a\0", "a.yaml", "é", &"a".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
