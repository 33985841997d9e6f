//! The known word that was most likely meant.

/// Finds the known word nearest to the written one, if any is near.
pub(super) fn nearest<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let written: String = written.chars().take(80).flat_map(char::to_lowercase).collect();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written, word), word))
        // A third of the word may be wrong: more than that is another word.
        .filter(|(distance, word)| {
            *distance <= (written.chars().count().max(word.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
