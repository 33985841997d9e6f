//! `application/x-www-form-urlencoded` with one `payload` field, as Rapid7 sends it. Strict: a field that stands twice
//! and an escape that is none are refused.

/// The field that holds the alert.
const PAYLOAD: &str = "payload";

/// Why a form cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A `%` without two hexadecimal digits.
    #[error("a `%` is not followed by two hexadecimal digits")]
    Escape,
    /// What the escapes stand for is no text.
    #[error("a field is no UTF-8")]
    NotText,
    /// The field is not there.
    #[error("there is no `{PAYLOAD}`")]
    NoPayload,
    /// The field stands twice.
    #[error("`{PAYLOAD}` stands twice")]
    Twice,
}

/// Gives what the one `payload` field holds.
///
/// # Errors
/// When there is none or more than one, or it cannot be read.
pub(super) fn payload(body: &[u8]) -> Result<String, FormError> {
    let mut found = None;
    for field in body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
        let (name, value) = match field.iter().position(|byte| *byte == b'=') {
            Some(at) => (field.get(..at).unwrap_or_default(), field.get(at + 1..).unwrap_or_default()),
            None => (field, [].as_slice()),
        };
        if decode(name)? != PAYLOAD {
            continue;
        }
        if found.replace(decode(value)?).is_some() {
            return Err(FormError::Twice);
        }
    }
    found.ok_or(FormError::NoPayload)
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut read = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => read.push(b' '),
            b'%' => {
                let mut digit = || {
                    let digit = char::from(*bytes.next()?).to_digit(16)?;
                    u8::try_from(digit).ok()
                };
                let (high, low) = digit().zip(digit()).ok_or(FormError::Escape)?;
                read.push(high << 4 | low);
            }
            other => read.push(*other),
        }
    }
    String::from_utf8(read).map_err(|_| FormError::NotText)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_payload_is_read_and_anything_else_is_refused() {
        assert_eq!(payload(b"a=1&payload=%7B%22k%22%3A+%22%C3%A9%22%7D&b").unwrap(), "{\"k\": \"é\"}");
        for (body, error) in [
            ("", FormError::NoPayload),
            ("{}", FormError::NoPayload),
            ("payload=1&payload=1", FormError::Twice),
            ("payload=1&p%61yload=2", FormError::Twice),
            ("payload=%7", FormError::Escape),
            ("payload=%zz", FormError::Escape),
            ("payload=%ff", FormError::NotText),
        ] {
            assert_eq!(payload(body.as_bytes()).unwrap_err(), error, "{body}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(payload(format!("payload={escaped}").as_bytes()).unwrap(), text);
            // Whatever comes, it is read or refused.
            let _read = payload(&bytes);
        }
    }
}
