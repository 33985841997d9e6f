//! Text from the tenant or from an alert, made harmless for a terminal: what the eye sees is what is there.

use std::fmt::Write as _;

/// Longest text shown, in characters; the rest is cut and marked.
const LONGEST: usize = 256;

/// Returns the text with control characters, bidirectional controls and invisible characters spelt out
/// (`\u{202e}`), and cut after 256 characters.
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if is_harmless(letter) {
            shown.push(letter);
        } else if write!(shown, "\\u{{{:x}}}", u32::from(letter)).is_err() {
            break;
        }
    }
    shown
}

fn is_harmless(letter: char) -> bool {
    !(letter.is_control()
        || matches!(u32::from(letter),
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
            | 0xFFA0 | 0xFFF9..=0xFFFB | 0xE0000..=0xE0FFF))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_reordering_are_spelt_out() {
        assert_eq!(inert("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(inert("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(inert("Zoë 電話 – ok"), "Zoë 電話 – ok");
        assert_eq!(inert("two\nlines"), "two\\u{a}lines");
    }

    #[test]
    fn long_text_is_cut_and_marked() {
        let shown = inert(&"x".repeat(300));
        assert_eq!(shown.chars().count(), 257);
        assert!(shown.ends_with('…'));
    }
}
