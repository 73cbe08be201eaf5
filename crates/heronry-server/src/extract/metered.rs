//! Metered reading: it stops where the values would cost too much.
//!
//! The meter stands between the reader of JSON and the types of requests, and knows the size of
//! each element before the element is made.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{
    meter::{Excess, Meter, TextSource},
    short::Short,
};

/// The number of entries that fit into the smallest allocation of a list.
const LIST_FIRST: u64 = 4;
/// The number of entries that take as much room as a node of a sorted map with its links.
const NODE: u64 = 12;
/// The least number of entries of a node of a sorted map, once there are several nodes.
const NODE_ENTRIES: u64 = 5;

/// A reader whose cost is metered.
pub(super) struct Metered<'m, D> {
    reader: D,
    meter: &'m Meter,
    /// The cost of what is read with it, before anything in it.
    cost: u64,
}

/// The form that the entries of an object take.
#[derive(Clone, Copy)]
enum Entries {
    /// Fields of something whose size is known.
    Fields,
    /// Entries of a sorted map.
    Nodes,
    /// Whatever is asked for later.
    Any,
}

impl<'m, D> Metered<'m, D> {
    /// Meters what is read with a reader.
    pub(super) fn new(reader: D, meter: &'m Meter) -> Self {
        Self {
            reader,
            meter,
            cost: 0,
        }
    }

    fn start<'de, V>(self, visitor: V, entries: Entries) -> Result<(D, Visit<'m, V>), D::Error>
    where
        D: Deserializer<'de>,
    {
        self.meter.keep(self.cost).map_err(refused)?;
        let visit = Visit {
            visitor,
            meter: self.meter,
            entries,
        };
        Ok((self.reader, visit))
    }
}

fn refused<E: de::Error>(excess: Excess) -> E {
    E::custom(excess)
}

/// Reads by what stands there: the visitor then sees a text of the wrong kind, and not the reader,
/// whose errors repeat all of it.
macro_rules! by_what_is_there {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let (reader, visit) = self.start(visitor, Entries::Any)?;
            reader.deserialize_any(visit)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Metered<'_, D> {
    type Error = D::Error;

    by_what_is_there! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32
        deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_unit deserialize_seq deserialize_bytes
        deserialize_byte_buf
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        NameReader {
            reader: self.reader,
            meter: self.meter,
            cost: self.cost,
        }
        .deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (reader, visit) = self.start(visitor, Entries::Any)?;
        reader.deserialize_option(visit)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (reader, visit) = self.start(visitor, Entries::Any)?;
        reader.deserialize_newtype_struct(name, visit)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (reader, visit) = self.start(visitor, Entries::Nodes)?;
        reader.deserialize_any(visit)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (reader, visit) = self.start(visitor, Entries::Fields)?;
        reader.deserialize_any(visit)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (reader, visit) = self.start(visitor, Entries::Any)?;
        reader.deserialize_enum(name, variants, visit)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // Nothing of it is kept, and the reader does not look into it.
        self.reader.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.reader.is_human_readable()
    }
}

/// A visitor of what is read.
struct Visit<'m, V> {
    visitor: V,
    meter: &'m Meter,
    entries: Entries,
}

impl<V> Visit<'_, V> {
    fn text<'de, E: de::Error>(
        self,
        (text, shown): (TextSource, &str),
        visit: impl FnOnce(V) -> Result<V::Value, Short>,
    ) -> Result<V::Value, E>
    where
        V: Visitor<'de>,
    {
        self.meter.keep_text(text, shown.len()).map_err(refused)?;
        visit(self.visitor).map_err(E::custom)
    }

    fn inside<'de, E: de::Error>(
        self,
        visit: impl FnOnce(V, &Meter) -> Result<V::Value, E>,
    ) -> Result<V::Value, E>
    where
        V: Visitor<'de>,
    {
        self.meter.enter().map_err(refused)?;
        let value = visit(self.visitor, self.meter)?;
        self.meter.leave();
        Ok(value)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.visitor.visit_bool(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.visitor.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.visitor.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.visitor.visit_f64(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<V::Value, E> {
        let visit = |visitor: V| visitor.visit_str(value);
        self.text((TextSource::Unescaped, value), visit)
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        let visit = |visitor: V| visitor.visit_borrowed_str(value);
        self.text((TextSource::OfBody, value), visit)
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Metered::new(reader, self.meter))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, reader: D) -> Result<V::Value, D::Error> {
        let reader = Metered::new(reader, self.meter);
        self.visitor.visit_newtype_struct(reader)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.inside(|visitor, meter| {
            visitor.visit_seq(MeteredList {
                inner: list,
                meter,
                read: 0,
            })
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let entries = self.entries;
        self.inside(|visitor, meter| {
            visitor.visit_map(MeteredMap {
                inner: map,
                meter,
                entries,
                read: 0,
            })
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        self.inside(|visitor, meter| {
            visitor.visit_enum(Choice {
                inner: choice,
                meter,
            })
        })
    }
}

/// A seed whose value has a cost before anything in it.
struct Seed<'m, S> {
    inner: S,
    meter: &'m Meter,
    cost: u64,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<S::Value, D::Error> {
        // Taken when the reading begins, so that a refusal names this element.
        self.inner.deserialize(Metered {
            reader,
            meter: self.meter,
            cost: self.cost,
        })
    }
}

/// Returns what the next element of a list costs. Its room doubles as it grows, and the old one is
/// there as well while that happens.
fn of_list<T>(read: u64) -> u64 {
    let times = if read == 0 { LIST_FIRST } else { 3 };
    times.saturating_mul(size_of::<T>() as u64)
}

struct MeteredList<'m, A> {
    inner: A,
    meter: &'m Meter,
    read: u64,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for MeteredList<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let cost = of_list::<S::Value>(self.read);
        self.read = self.read.saturating_add(1);
        let meter = self.meter;
        self.inner.next_element_seed(Seed {
            inner: seed,
            meter,
            cost,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct MeteredMap<'m, A> {
    inner: A,
    meter: &'m Meter,
    entries: Entries,
    read: u64,
}

impl<A> MeteredMap<'_, A> {
    /// Returns what the key or the value of the present entry costs.
    fn cost<T>(&self) -> u64 {
        match self.entries {
            Entries::Any => of_list::<T>(self.read),
            Entries::Nodes if self.read.is_multiple_of(NODE_ENTRIES) => {
                NODE.saturating_mul(size_of::<T>() as u64)
            }
            Entries::Fields | Entries::Nodes => 0,
        }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for MeteredMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let (meter, cost) = (self.meter, self.cost::<S::Value>());
        self.inner.next_key_seed(Name {
            inner: seed,
            meter,
            cost,
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let (meter, cost) = (self.meter, self.cost::<S::Value>());
        self.read = self.read.saturating_add(1);
        self.inner.next_value_seed(Seed {
            inner: seed,
            meter,
            cost,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct Choice<'m, A> {
    inner: A,
    meter: &'m Meter,
}

impl<'de, 'm, A: EnumAccess<'de>> EnumAccess<'de> for Choice<'m, A> {
    type Error = A::Error;
    type Variant = Choice<'m, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (meter, cost) = (self.meter, 0);
        let (value, choice) = self.inner.variant_seed(Name {
            inner: seed,
            meter,
            cost,
        })?;
        Ok((
            value,
            Choice {
                inner: choice,
                meter,
            },
        ))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Choice<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let (meter, cost) = (self.meter, 0);
        self.inner.newtype_variant_seed(Seed {
            inner: seed,
            meter,
            cost,
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visit = Visit {
            visitor,
            meter: self.meter,
            entries: Entries::Any,
        };
        self.inner.tuple_variant(len, visit)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visit = Visit {
            visitor,
            meter: self.meter,
            entries: Entries::Fields,
        };
        self.inner.struct_variant(fields, visit)
    }
}

/// The name of a field, a key or a variant.
struct Name<'m, S> {
    inner: S,
    meter: &'m Meter,
    cost: u64,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(NameReader {
            reader,
            meter: self.meter,
            cost: self.cost,
        })
    }
}

struct NameReader<'m, D> {
    reader: D,
    meter: &'m Meter,
    cost: u64,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for NameReader<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.meter.keep(self.cost).map_err(refused)?;
        let meter = self.meter;
        self.reader.deserialize_any(VisitName { visitor, meter })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let meter = self.meter;
        let visit = VisitName { visitor, meter };
        self.reader.deserialize_enum(name, variants, visit)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct VisitName<'m, V> {
    visitor: V,
    meter: &'m Meter,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for VisitName<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.meter.check_name(name.len()).map_err(refused)?;
        let kept = self.meter.keep_text(TextSource::Unescaped, name.len());
        kept.map_err(refused)?;
        self.visitor.visit_str::<Short>(name).map_err(E::custom)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, choice: A) -> Result<V::Value, A::Error> {
        let meter = self.meter;
        self.visitor.visit_enum(Choice {
            inner: choice,
            meter,
        })
    }
}
