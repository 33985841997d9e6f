//! JSON that can be read in one way only: every key once, a bounded depth, numbers that are numbers. A sender's parser
//! and ours must not see two alerts in one body.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::AlertError;

/// How many containers may stand within one another.
pub const MOST_DEPTH: usize = 64;

/// Reads JSON strictly.
///
/// # Errors
/// When it is no JSON, has a key twice in one object, or is deeper than [`MOST_DEPTH`].
pub fn read_json(bytes: &[u8]) -> Result<Value, AlertError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(AlertError::Empty);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict { levels_left: MOST_DEPTH }.deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|source| AlertError::NotJson { source })
}

#[derive(Clone, Copy)]
struct Strict {
    levels_left: usize,
}

impl Strict {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left }),
            None => Err(E::custom(format_args!("it is nested deeper than {MOST_DEPTH} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut read = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(below)?;
            if read.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands twice in one object")));
            }
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        for (levels, is_read) in [(1, true), (64, true), (65, false), (200, false)] {
            let text = "[".repeat(levels) + &"]".repeat(levels);
            assert_eq!(read_json(text.as_bytes()).is_ok(), is_read, "{levels}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_named_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":null,"b":0,"\u0061":2}}]"#] {
            let AlertError::NotJson { source } = read_json(text.as_bytes()).unwrap_err() else {
                panic!("{text}")
            };
            assert!(source.to_string().contains("`a` stands twice"), "{source}");
        }
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_read_back_the_same(keys in proptest::collection::btree_map("[a-z\"\\\\]{0,6}", any::<i64>(), 0..8), text in any::<String>()) {
            let value = serde_json::json!({ "keys": keys, "text": text, "list": [text, null, true, 0.5] });
            prop_assert_eq!(read_json(value.to_string().as_bytes()).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_or_refused_and_never_more_than_serde_reads(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = read_json(&bytes) {
                prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), value);
            }
        }
    }
}
