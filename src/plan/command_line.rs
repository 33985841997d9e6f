//! Lines for a person: which of them are commands, to be copied whole.

/// Whether a line is a command: PowerShell's `Verb-Noun`, or a program that such lines name.
pub fn is_command(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    let is_capitalized = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_uppercase())
            && part.chars().all(|letter| letter.is_ascii_alphanumeric())
    };
    let is_cmdlet =
        word.split_once('-').is_some_and(|(verb, noun)| is_capitalized(verb) && is_capitalized(noun));
    is_cmdlet || matches!(word, "stanch" | "az" | "curl" | "dsregcmd" | "repadmin")
}
