//! Tree to types: a serde deserializer over the tree, whose errors know the key path and the spot.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::document::{Document, Entry, Node, Spot, Value};
use super::explain;
use super::wrong::{At, Cause, ONE_CHOICE, Wrong};
use crate::diagnostic::Diagnostic;

/// Reads the document as `T`.
pub(super) fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Diagnostic> {
    let root = Reader { node: &document.root, named: document.root.spot, path: String::new() };
    T::deserialize(root).map_err(|wrong| explain::explain(document, &wrong))
}

/// One node, on its way into a type.
struct Reader<'a> {
    node: &'a Node,
    /// The scalar's spot, or the key of a list or mapping.
    named: Spot,
    /// Key path from the root, `sweep.epochs`; empty at the root.
    path: String,
}

impl Reader<'_> {
    fn locate(&self, mut wrong: Wrong) -> Wrong {
        if wrong.at.is_none() {
            wrong.at = Some(At { path: self.path.clone(), spot: self.named, value: self.node.value.clone() });
        }
        wrong
    }

    fn step(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn visit_integer<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Wrong> {
    if let Ok(value) = u64::try_from(value) {
        visitor.visit_u64(value)
    } else if let Ok(value) = i64::try_from(value) {
        visitor.visit_i64(value)
    } else {
        visitor.visit_i128(value)
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let result = match &self.node.value {
            Value::Null => Err(Cause::NoValue.into()),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visit_integer(*value, visitor),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { reader: &self, items: items.iter().enumerate() }),
            Value::Map(entries) => visitor.visit_map(Entries { reader: &self, rest: entries.iter(), current: None }),
        };
        result.map_err(|wrong| self.locate(wrong))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        // A key without a value is refused, not taken for an absent key.
        visitor.visit_some(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.value {
            Value::Map(_) | Value::Null => self.deserialize_any(visitor),
            // serde would take a list for a struct's fields in order.
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
                Err(self.locate(Cause::Type { expected: "a map".to_owned() }.into()))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let result = match &self.node.value {
            Value::Text(text) => {
                let name: StrDeserializer<'_, Wrong> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            Value::Map(entries) => match entries.as_slice() {
                [choice] => visitor.visit_enum(Choice { reader: &self, entry: choice }),
                _ => Err(Cause::Type { expected: ONE_CHOICE.to_owned() }.into()),
            },
            Value::Null => Err(Cause::NoValue.into()),
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::List(_) => {
                Err(Cause::Type { expected: "a name".to_owned() }.into())
            }
        };
        result.map_err(|wrong| self.locate(wrong))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct identifier ignored_any
    }
}

/// A mapping of one entry: the name of a choice, and its settings.
struct Choice<'a, 'r> {
    reader: &'r Reader<'a>,
    entry: &'a Entry,
}

impl<'a> Choice<'a, '_> {
    fn settings(&self) -> Reader<'a> {
        Reader { node: &self.entry.node, named: self.entry.named_spot(), path: self.reader.step(&self.entry.key) }
    }
}

impl<'de> EnumAccess<'de> for Choice<'_, '_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Wrong> {
        let name: StrDeserializer<'_, Wrong> = self.entry.key.as_str().into_deserializer();
        let variant = seed.deserialize(name).map_err(|mut wrong| {
            let value = Value::Text(self.entry.key.clone());
            wrong.at = Some(At { path: self.reader.path.clone(), spot: self.entry.key_spot, value });
            wrong
        })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_, '_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Err(Cause::Type { expected: "a name".to_owned() }.into())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self.settings())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_seq(self.settings(), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        de::Deserializer::deserialize_map(self.settings(), visitor)
    }
}

struct Items<'a, 'r> {
    reader: &'r Reader<'a>,
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let path = self.reader.step(&index.to_string());
        seed.deserialize(Reader { node, named: node.spot, path }).map(Some)
    }
}

struct Entries<'a, 'r> {
    reader: &'r Reader<'a>,
    rest: std::slice::Iter<'a, Entry>,
    current: Option<&'a Entry>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.current = self.rest.next();
        let Some(entry) = self.current else { return Ok(None) };
        let name: StrDeserializer<'_, Wrong> = entry.key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|mut wrong| {
            let value = Value::Text(entry.key.clone());
            wrong.at = Some(At { path: self.reader.path.clone(), spot: entry.key_spot, value });
            wrong
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some(entry) = self.current.take() else {
            return Err(Cause::Other("a value was asked for before its key".to_owned()).into());
        };
        let path = self.reader.step(&entry.key);
        seed.deserialize(Reader { node: &entry.node, named: entry.named_spot(), path })
    }
}
