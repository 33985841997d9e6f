//! Lines of a given width: wrapped by what a terminal shows, not by bytes.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Wraps a paragraph at spaces; a word that is wider than a line is broken.
pub fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in paragraph.split(' ') {
        let wide = word.width();
        let gap = usize::from(!line.is_empty());
        if used + gap + wide <= width {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            used += gap + wide;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for piece in word.split_inclusive('/') {
            // A path breaks behind a slash where it can.
            if used > 0 && used + piece.width() > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for letter in piece.chars() {
                let wide = letter.width().unwrap_or(0);
                if used + wide > width {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(letter);
                used += wide;
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Writes a paragraph behind a mark, its further lines under its first.
pub fn block(out: &mut String, mark: &str, paragraph: &str, width: usize) {
    let indent = mark.width();
    for (index, line) in wrap(paragraph, width.saturating_sub(indent)).into_iter().enumerate() {
        if index == 0 {
            out.push_str(mark);
        } else {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line.trim_end());
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("", 20), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_nothing_is_lost(text in "[ -~é電話😀]{0,120}", width in 8usize..90) {
            let lines = wrap(&text, width);
            for line in &lines {
                prop_assert!(line.width() <= width, "{line:?}");
            }
            let plain = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
            prop_assert_eq!(plain(&lines.concat()), plain(&text));
        }
    }
}
