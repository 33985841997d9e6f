//! Words: which known one is nearest to what was written, and what may stand as a name.

/// Finds the known word that was most likely meant.
pub(super) fn nearest<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let written = fold(written);
    let mut best: Option<(usize, &str)> = None;
    for word in known {
        let folded = fold(word);
        let distance = strsim::damerau_levenshtein(&written, &folded);
        // A third of the word may be wrong: more than that is another word, and a wrong hint is worse than none.
        let allowed = (written.chars().count().max(folded.chars().count()) / 3).max(1);
        let begun = written.len() >= 4 && (folded.starts_with(&written) || written.starts_with(&folded));
        if (distance <= allowed || begun) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word.to_owned())
}

fn fold(word: &str) -> String {
    word.chars()
        .take(80)
        .map(|letter| if letter == '-' { '_' } else { letter.to_ascii_lowercase() })
        .collect()
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
    fn a_slip_finds_its_word_and_another_word_finds_none() {
        let known = ["revoke_sessions", "reset_password", "block_ips"];
        assert_eq!(nearest("revoke_sesions", known).as_deref(), Some("revoke_sessions"));
        assert_eq!(nearest("Reset-Password", known).as_deref(), Some("reset_password"));
        assert_eq!(nearest("block_ip", known).as_deref(), Some("block_ips"));
        assert_eq!(nearest("revoke", known).as_deref(), Some("revoke_sessions"));
        assert_eq!(nearest("delete_mailbox", known), None);
    }

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
