//! Reading large lists straight into their types: a value that is of another kind than it should be counts as not
//! there, so that one odd field costs its row nothing, and one odd row its page nothing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text, or nothing: empty text and null mean the same.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// A flag, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(pub(super) Option<bool>);

/// A number, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number(pub(super) Option<f64>);

/// A whole number, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whole(pub(super) Option<i64>);

/// An object, or its default.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

/// A list of what can be read of it.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Takes whatever comes; what is not of the kind is nothing.
struct Any<T>(PhantomData<T>);

/// What a kind makes of each form that a JSON value has.
trait Kind<'de>: Default {
    fn of_text(_: Cow<'de, str>) -> Self {
        Self::default()
    }
    fn of_flag(_: bool) -> Self {
        Self::default()
    }
    fn of_whole(_: i64) -> Self {
        Self::default()
    }
    fn of_number(_: f64) -> Self {
        Self::default()
    }
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'de, T: Kind<'de>> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<T, E> {
        Ok(T::of_flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::of_whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(i64::try_from(number).map_or_else(|_| T::default(), T::of_whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::of_number(number))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::of_object(object)
    }
}

macro_rules! lenient {
    ($($kind:ty),+) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Any(PhantomData))
            }
        }
    )+};
}

lenient!(Flag, Number, Whole);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de: 'a, 'a> Kind<'de> for Text<'a> {
    fn of_text(text: Cow<'de, str>) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()))
    }
}

impl Kind<'_> for Flag {
    fn of_flag(flag: bool) -> Self {
        Self(Some(flag))
    }
}

impl Kind<'_> for Number {
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "degrees are small")]
    fn of_whole(number: i64) -> Self {
        Self(Some(number as f64))
    }

    fn of_number(number: f64) -> Self {
        Self(Some(number))
    }
}

impl Kind<'_> for Whole {
    fn of_whole(number: i64) -> Self {
        Self(Some(number))
    }
}

impl<'de, T: Deserialize<'de> + Default> Kind<'de> for Object<T> {
    fn of_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Self)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Kind<'de> for List<T> {
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Self(items))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// Texts that are kept once each: a log says the same few things over and over.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    /// The text, shared with all who keep the same.
    pub(super) fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&new));
        new
    }

    /// The text, where there is one.
    pub(super) fn keep_if_any(&mut self, text: &Text<'_>) -> Option<Arc<str>> {
        text.0.as_deref().map(|text| self.keep(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner<'a> {
        #[serde(borrow)]
        word: Text<'a>,
        flag: Flag,
        number: Number,
        whole: Whole,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Outer<'a> {
        #[serde(borrow)]
        inner: Object<Inner<'a>>,
        list: List<Whole>,
    }

    #[test]
    fn what_is_of_another_kind_counts_as_not_there() {
        for odd in [
            r#"{"inner":{"word":7,"flag":"x","number":[1,{"a":2}],"whole":{"a":[1]}},"list":"x"}"#,
            r#"{"inner":null,"list":null}"#,
            r#"{"inner":[1,2],"list":{"a":1}}"#,
            r#"{"inner":{"word":"","flag":null,"whole":18446744073709551615},"more":[{"x":1}]}"#,
            "{}",
        ] {
            let read: Outer<'_> = serde_json::from_str(odd).unwrap();
            let inner = &read.inner.0;
            assert!(inner.word.0.is_none() && inner.flag.0.is_none(), "{odd}");
            assert!(inner.number.0.is_none() && inner.whole.0.is_none() && read.list.0.is_empty(), "{odd}");
        }
        let read: Outer<'_> = serde_json::from_str(
            r#"{"inner":{"word":"a\u0062","flag":true,"number":4,"whole":5},"list":[1,"x",2]}"#,
        )
        .unwrap();
        assert_eq!(read.inner.0.word.as_str(), "ab");
        assert_eq!((read.inner.0.flag.0, read.inner.0.whole.0), (Some(true), Some(5)));
        assert_eq!(read.list.0.iter().filter_map(|own| own.0).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn equal_texts_are_kept_once() {
        let mut words = Words::default();
        assert!(Arc::ptr_eq(&words.keep("a"), &words.keep("a")));
    }
}
