//! Secrets: text that is never shown, and the password that nobody gets to know.

use zeroize::Zeroize;

use super::random::Random;

pub use secrecy::{ExposeSecret, SecretString};

/// Length of a generated password, in characters. Entra accepts up to 256.
pub const PASSWORD_LENGTH: usize = 64;

const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGIT: &[u8] = b"23456789";
const SYMBOL: &[u8] = b"!#$%&()*+,-./:;<=>?@[]^_{|}~";

/// Makes a password of 64 characters with all four classes that Entra counts, without quotes and backslashes, which
/// people mistype, and without look-alikes.
pub fn generate_password(random: &dyn Random) -> SecretString {
    let alphabet: Vec<u8> = [LOWER, UPPER, DIGIT, SYMBOL].concat();
    loop {
        let mut text = String::with_capacity(PASSWORD_LENGTH);
        while text.len() < PASSWORD_LENGTH {
            text.push(draw(&alphabet, random));
        }
        let has = |class: &[u8]| text.bytes().any(|byte| class.contains(&byte));
        if has(LOWER) && has(UPPER) && has(DIGIT) && has(SYMBOL) {
            return SecretString::from(text);
        }
        text.zeroize();
    }
}

/// Draws one character without bias: bytes beyond the last whole multiple of the alphabet are thrown away.
fn draw(alphabet: &[u8], random: &dyn Random) -> char {
    let size = u8::try_from(alphabet.len()).unwrap_or(u8::MAX);
    let limit = u8::MAX - (u8::MAX % size);
    loop {
        let mut byte = [0u8; 1];
        random.fill(&mut byte);
        let [value] = byte;
        byte.zeroize();
        if value < limit
            && let Some(&letter) = alphabet.get(usize::from(value % size))
        {
            return char::from(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    struct Seeded(Mutex<rand::rngs::StdRng>);

    impl Random for Seeded {
        fn fill(&self, buffer: &mut [u8]) {
            self.0.lock().unwrap().fill_bytes(buffer);
        }
    }

    #[test]
    fn a_generated_password_has_all_four_classes_and_is_never_twice_the_same() {
        let random = Seeded(Mutex::new(rand::rngs::StdRng::seed_from_u64(7)));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let password = generate_password(&random);
            let text = password.expose_secret();
            assert_eq!(text.chars().count(), PASSWORD_LENGTH);
            assert!(
                [LOWER, UPPER, DIGIT, SYMBOL].iter().all(|class| text.bytes().any(|b| class.contains(&b)))
            );
            assert!(!text.contains(['"', '\\', '\'']));
            assert!(seen.insert(text.to_owned()));
        }
    }

    #[test]
    fn a_secret_does_not_show_in_debug() {
        let secret = SecretString::from("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
