//! The known word that was most likely meant. It is only ever suggested: nothing acts on it.

/// Finds the known word nearest to the written one, if any is near. Case counts for nothing, and `-` for `_`.
pub fn nearest<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
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
    best.map(|(_, word)| word)
}

/// Finds the id whose beginning is nearest to what was written as the beginning of one.
pub fn nearest_beginning<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let length = written.chars().count();
    // One slip in four letters, two in eight: ids made in the same hour begin alike.
    let allowed = (length / 4).clamp(1, 3);
    known
        .into_iter()
        .map(|id| {
            let beginning: String = id.chars().take(length).collect();
            (strsim::damerau_levenshtein(&written.to_lowercase(), &beginning.to_lowercase()), id)
        })
        .filter(|(distance, _)| length >= 4 && *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, id)| id)
}

fn fold(word: &str) -> String {
    word.chars()
        .take(80)
        .map(|letter| if letter == '-' { '_' } else { letter.to_ascii_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_finds_none() {
        let known = ["revoke_sessions", "reset_password", "block_ips"];
        assert_eq!(nearest("revoke_sesions", known), Some("revoke_sessions"));
        assert_eq!(nearest("Reset-Password", known), Some("reset_password"));
        assert_eq!(nearest("block_ip", known), Some("block_ips"));
        assert_eq!(nearest("revoke", known), Some("revoke_sessions"));
        assert_eq!(nearest("delete_mailbox", known), None);
    }

    #[test]
    fn a_slip_in_the_beginning_of_an_id_finds_it() {
        let ids = ["01a20e3a-1119-74f7", "01a20f77-2a40-7c11"];
        assert_eq!(nearest_beginning("01a2oe3a", ids), Some(ids[0]));
        assert_eq!(nearest_beginning("01a20f77-2b", ids), Some(ids[1]));
        assert_eq!(nearest_beginning("7f3a", ids), None);
        assert_eq!(nearest_beginning("", ids), None);
    }
}
