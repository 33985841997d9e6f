//! Words of the commands that we print for copying: what a shell takes for one word, whatever is in it.

use super::inert::inert_whole;

/// Spells a text so that a shell takes it for one word: a user's name may hold `'` or `$`.
pub fn shell_word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./+,@%:=".contains(letter);
    let shown = inert_whole(text);
    if !shown.is_empty() && shown.chars().all(is_plain) {
        shown
    } else {
        format!("'{}'", shown.replace('\'', "'\\''"))
    }
}

/// Spells a file's name likewise, and so that no command takes it for an option.
pub fn shell_path(file: &str) -> String {
    if file.starts_with('-') { shell_word(&format!("./{file}")) } else { shell_word(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        assert_eq!(shell_word("lynne.robbins@contoso.com"), "lynne.robbins@contoso.com");
        assert_eq!(shell_word("o'neill@contoso.com"), "'o'\\''neill@contoso.com'");
        assert_eq!(shell_word("$(id)#x@contoso.com"), "'$(id)#x@contoso.com'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\u{1b}b"), "'a\\u{1b}b'");
    }

    #[test]
    fn a_files_name_is_no_option() {
        assert_eq!(shell_path("-o plan.json"), "'./-o plan.json'");
        assert_eq!(shell_path("plan.json"), "plan.json");
    }
}
