//! Pattern lists as `ssh_config(5)` has them: patterns with `*` and `?` behind commas; one behind `!` takes back.

use crate::domain::glob::{fits, fits_exactly};

/// A list of patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternList(String);

/// Whether `Dana` and `dana` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// They are: names of users have no case.
    Ignored,
    /// They are not.
    Kept,
}

impl PatternList {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is in the list: some pattern fits it, and none behind `!` does.
    pub(super) fn holds(&self, text: &str, case: Case) -> bool {
        let fit = |pattern: &str| match case {
            Case::Ignored => fits(pattern, text),
            Case::Kept => fits_exactly(pattern, text),
        };
        let mut is_in = false;
        for pattern in self.0.split(',') {
            match pattern.strip_prefix('!') {
                Some(taken_back) if fit(taken_back) => return false,
                Some(_) => {}
                None => is_in |= fit(pattern),
            }
        }
        is_in
    }

    /// The patterns that name one text and no other.
    pub(super) fn plain(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').filter(|pattern| !pattern.is_empty() && !pattern.contains(['*', '?', '!']))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(list: &str, text: &str) -> bool {
        PatternList::new(list).holds(text, Case::Kept)
    }

    #[test]
    fn a_list_holds_what_fits_and_is_not_taken_back() {
        for (list, text, wanted) in [
            ("dana@contoso.com", "dana@contoso.com", true),
            ("dana@contoso.com", "dana@contoso.co", false),
            ("*@contoso.com", "dana@contoso.com", true),
            ("*@contoso.com,!eve@contoso.com", "eve@contoso.com", false),
            ("!eve@contoso.com,*@contoso.com", "eve@contoso.com", false),
            ("!eve@contoso.com", "dana@contoso.com", false),
            ("a?@contoso.com,b*", "ab@contoso.com", true),
            ("a?@contoso.com", "abc@contoso.com", false),
            ("a,b,c", "b", true),
            ("a,b,c", "a,b", false),
            ("", "", true),
            ("Dana@contoso.com", "dana@contoso.com", false),
        ] {
            assert_eq!(holds(list, text), wanted, "{list} {text}");
        }
        assert!(PatternList::new("Dana@contoso.com").holds("dana@CONTOSO.com", Case::Ignored));
        assert!(!PatternList::new("*,!Eve@contoso.com").holds("EVE@contoso.com", Case::Ignored));
    }

    /// The rule said another way: a pattern as a choice of splits, slow and plain.
    fn fits_slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => (0..=text.len()).any(|taken| fits_slowly(rest, &text[taken..])),
            (Some(('?', rest)), Some((_, others))) => fits_slowly(rest, others),
            (Some((wanted, rest)), Some((letter, others))) => wanted == letter && fits_slowly(rest, others),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn one_pattern_fits_as_the_plain_rule_says(pattern in "[ab*?@.]{0,8}", text in "[ab@.]{0,8}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(holds(&pattern, &text), fits_slowly(&letters(&pattern), &letters(&text)));
        }

        #[test]
        fn what_is_taken_back_is_out_wherever_that_stands(
            patterns in proptest::collection::vec("[ab*?]{1,4}", 0..5), place in 0usize..6, text in "[ab]{1,5}",
        ) {
            let mut with: Vec<String> = patterns.clone();
            with.insert(place.min(patterns.len()), format!("!{text}"));
            prop_assert!(!holds(&with.join(","), &text));
        }

        #[test]
        fn another_pattern_never_puts_anybody_out(
            patterns in proptest::collection::vec("[ab*?]{1,4}", 1..5), more in "[ab*?]{1,4}", text in "[ab]{1,5}",
        ) {
            let list = patterns.join(",");
            let longer = format!("{list},{more}");
            prop_assert!(!holds(&list, &text) || holds(&longer, &text));
        }
    }
}
