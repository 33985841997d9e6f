//! Text that stands as itself in Markdown: nothing from the tenant makes a link, a heading or markup.

use crate::domain::{inert, inert_whole};

/// A text that stands as itself in Markdown, in a table cell too.
pub fn markdown_text(text: &str) -> String {
    escaped(&inert(text))
}

/// The same for a text that is shown whole, however long it is.
pub(super) fn markdown_whole(text: &str) -> String {
    escaped(&inert_whole(text))
}

/// It is escaped at once: what a letter may begin is seen by what stands around it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut before, mut letters) = (None, text.chars().peekable());
    let mut ws = 0;
    while let Some(letter) = letters.next() {
        let is_digit = |other: Option<char>| other.is_some_and(|own| own.is_ascii_digit());
        let after = letters.peek().copied();
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            // No link begins so: a time of day, the end of a clause.
            ':' if after.is_none_or(|own| own == ' ') || (is_digit(before) && is_digit(after)) => {
                out.push(letter);
            }
            // A bare address becomes a link in some renderers.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            // `www.` begins a link on GitHub.
            '.' if ws >= 3 => out.push_str("&#46;"),
            _ => out.push(letter),
        }
        before = Some(letter);
        ws = if letter.eq_ignore_ascii_case(&'w') { ws + 1 } else { 0 };
    }
    out
}

/// The same for a text of several lines, each on a line of its own in its table cell.
pub fn markdown_lines(text: &str) -> String {
    text.lines().map(markdown_text).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_from_the_tenant_stands_as_itself() {
        assert_eq!(markdown_text("<b>|`x`[a](http://b)"), "&lt;b&gt;\\|\\`x\\`\\[a\\]\\(http&#58;//b\\)");
        assert_eq!(markdown_lines("one\n<b>"), "one<br>&lt;b&gt;");
        assert_eq!(markdown_text("at 18:03:36Z: mailto:a"), "at 18:03:36Z: mailto&#58;a");
        assert_eq!(markdown_text("www.evil.example WwW.x ww.y"), "www&#46;evil.example WwW&#46;x ww.y");
        assert_eq!(markdown_text("two\nlines"), "two\\\\u\\{a\\}lines");
    }

    #[test]
    fn a_link_in_a_long_text_is_none_wherever_it_stands() {
        for before in 0..450 {
            let shown =
                markdown_whole(&format!("{}http://evil.example www.evil.example", "x".repeat(before)));
            assert!(shown.ends_with("http&#58;//evil.example www&#46;evil.example"), "{before}: {shown}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_cell(text in any::<String>()) {
            let shown = markdown_text(&text);
            let breaks_out = shown.contains(['<', '>', '\n', '\r', '\u{1b}', '\u{202e}']);
            prop_assert!(!breaks_out);
            let letters: Vec<char> = shown.chars().collect();
            for (index, letter) in letters.iter().enumerate() {
                if matches!(letter, '|' | '`' | '[' | '*') {
                    let slashes = letters[..index].iter().rev().take_while(|own| **own == '\\').count();
                    prop_assert_eq!(slashes % 2, 1, "{}", &shown);
                }
            }
        }
    }
}
