//! Text from the tenant or from an alert, made harmless for a terminal: what the eye sees is what is there.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Longest text shown, in characters; the rest is cut and marked.
const LONGEST: usize = 256;
/// How many letters without a width of their own may follow one another: scripts need three, a smear needs more.
const MOST_STACKED: usize = 3;

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

/// Makes a text inert without cutting it, and spells out what piles up.
pub fn inert_whole(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let shown: String =
        letters.chunks(LONGEST).map(|chunk| inert(&chunk.iter().collect::<String>())).collect();
    spell_stacked(&shown)
}

/// Spells out marks that pile up on one letter, as they would be drawn over the lines above and below.
pub fn spell_stacked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut stacked = 0;
    for letter in text.chars() {
        stacked = if letter.width() == Some(0) { stacked + 1 } else { 0 };
        if stacked > MOST_STACKED {
            if write!(shown, "\\u{{{:x}}}", u32::from(letter)).is_err() {
                break;
            }
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Spells JSON so that it is as harmless on a screen: what would act there is escaped as `\\uXXXX`, which every reader
/// of JSON takes for the letter itself. JSON has such letters within strings only, so the document stays the same.
pub fn inert_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if is_harmless(letter) || letter == '\n' {
            shown.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            if write!(shown, "\\u{unit:04x}").is_err() {
                return shown;
            }
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
    fn json_means_the_same_and_acts_on_no_screen() {
        let text = "a\u{1b}[31m\u{202e}\u{9b}\u{200b}\u{e0041}\n電話\"";
        let json = serde_json::to_string_pretty(&vec![text]).unwrap();
        let shown = inert_json(&json);
        assert!(shown.chars().all(|letter| letter == '\n' || is_harmless(letter)), "{shown}");
        assert!(
            shown.contains("\\u202e") && shown.contains("\\udb40\\udc41") && shown.contains("電話"),
            "{shown}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [text]);
    }

    #[test]
    fn long_text_is_cut_and_marked() {
        let shown = inert(&"x".repeat(300));
        assert_eq!(shown.chars().count(), 257);
        assert!(shown.ends_with('…'));
    }
}
