//! Vocabulary enums: each exists once, with its wire name and a stable number.

mod consumer;
mod effect;
mod entity;
mod event;
mod outcome;
mod policy;
mod roster;
mod source;

use crate::suggest::{choices, quoted};

pub use consumer::{ConsumerRecovery, ConsumerStaleness};
pub use effect::{EffectFault, EffectOutcome, EffectStanding};
pub use entity::{DestinationKind, EntityKind, SourceKind};
pub use event::{EventFamily, EventKind, EventSemantics, Progress};
pub use outcome::{
    AckOutcome, ChosenBy, CopyState, DeadReason, Durability, EpochReason, Importance,
    MessageStatus, ReleaseReason, ResumeCause, ResumeWith, ResumedBy, RunEnd, RunState, SuspendFor,
    WakeStatus,
};
pub use policy::{
    ContentCapture, OverflowPolicy, PolicyKind, PrivacyClass, RetentionClass, TrustClass,
    WakePayload,
};
pub use roster::{
    EdgeStanding, ManagedBy, MemberStanding, ModuleStanding, Peering, ReadyWhen, ReconcileStage,
    RestartPolicy, RosterLayer, RunsUntil, RuntimeErrorCategory, StartWhen,
};
pub use source::{OnAttached, SourceGapReason};

/// A name that is not in a vocabulary.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} is no {}; {}", quoted(found), noun(vocabulary), choices(found, known.iter().copied()))]
#[non_exhaustive]
pub struct UnknownName {
    /// The name of the vocabulary that was asked.
    pub vocabulary: &'static str,
    /// The name that was found.
    pub found: String,
    /// Every wire name of the vocabulary.
    pub known: Vec<&'static str>,
}

/// Returns the name of a vocabulary as a noun: `EventKind` is an event kind.
fn noun(vocabulary: &str) -> String {
    let mut noun = String::with_capacity(vocabulary.len() + 2);
    for c in vocabulary.chars() {
        if c.is_uppercase() && !noun.is_empty() {
            noun.push(' ');
        }
        noun.extend(c.to_lowercase());
    }
    noun
}

/// A closed set of names with one wire spelling each.
pub trait Vocabulary: Copy + Sized + 'static {
    /// Name of the vocabulary, for errors.
    const NAME: &'static str;
    /// Every variant, in stable order: numbers on disk follow it, so it only grows at the end.
    const ALL: &'static [Self];

    /// Returns the wire name (`snake_case`).
    fn wire_name(self) -> &'static str;

    /// Returns the variant with this wire name.
    ///
    /// # Errors
    /// [`UnknownName`] with the list of known names.
    fn from_wire(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .iter()
            .copied()
            .find(|v| v.wire_name() == name)
            .ok_or_else(|| UnknownName {
                vocabulary: Self::NAME,
                found: name.to_owned(),
                known: Self::ALL.iter().map(|v| v.wire_name()).collect(),
            })
    }
}

/// A number that stands for no word of its vocabulary in this build. Words are only ever added, so a
/// newer build wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{vocabulary} has no word {number} in this build; use a newer build")]
#[non_exhaustive]
pub struct UnknownNumber {
    /// The name of the vocabulary.
    pub vocabulary: &'static str,
    /// The number.
    pub number: u16,
}

/// Defines a vocabulary enum with serde (wire name) and CBOR (number) encodings.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $wire:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(
            feature = "schema",
            derive(schemars::JsonSchema),
            schemars(transform = crate::schema::names)
        )]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[doc = concat!("`", $wire, "` on the wire.")]
                #[cfg_attr(feature = "schema", schemars(rename = $wire))]
                $variant,
            )*
        }

        impl crate::vocab::Vocabulary for $name {
            const NAME: &'static str = stringify!($name);
            const ALL: &'static [Self] = &[$(Self::$variant,)*];
            fn wire_name(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(crate::vocab::Vocabulary::wire_name(*self))
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::vocab::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                crate::vocab::Vocabulary::from_wire(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(crate::vocab::Vocabulary::wire_name(*self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                crate::vocab::Vocabulary::from_wire(&text).map_err(serde::de::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                encoder.u16(*self as u16)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let number = decoder.u16()?;
                <Self as crate::vocab::Vocabulary>::ALL.get(usize::from(number)).copied().ok_or_else(
                    || minicbor::decode::Error::custom(crate::vocab::UnknownNumber {
                        vocabulary: stringify!($name),
                        number,
                    }),
                )
            }
        }
    };
}
pub(crate) use vocabulary;

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        ChosenBy, DeadReason, DistinctBy, LimitName, MessageFailure, OnFull, ReceiptUntil,
        ReplyStanding, TimelineState, Undeliverable, WakeFailure, WakeReason,
    };

    fn check<V: Vocabulary + std::fmt::Debug + PartialEq>() {
        assert!(!V::ALL.is_empty());
        for variant in V::ALL {
            let name = variant.wire_name();
            assert_eq!(V::from_wire(name).unwrap(), *variant);
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert_eq!(
                V::ALL.iter().filter(|v| v.wire_name() == name).count(),
                1,
                "{name} twice"
            );
        }
        let error = V::from_wire("no_such_name").unwrap_err();
        assert_eq!(error.known.len(), V::ALL.len());
    }

    /// Checks vocabularies, and returns their names.
    macro_rules! check_each {
        ($($name:ident),* $(,)?) => {{
            $(check::<$name>();)*
            vec![$(stringify!($name)),*]
        }};
    }

    /// Checks each vocabulary, and returns their names.
    fn check_all() -> Vec<&'static str> {
        check_each![
            AckOutcome,
            ChosenBy,
            ConsumerRecovery,
            ConsumerStaleness,
            ContentCapture,
            CopyState,
            DeadReason,
            DestinationKind,
            DistinctBy,
            Durability,
            EdgeStanding,
            EffectFault,
            EffectOutcome,
            EffectStanding,
            EntityKind,
            EpochReason,
            EventFamily,
            EventKind,
            EventSemantics,
            Importance,
            LimitName,
            ManagedBy,
            MemberStanding,
            MessageFailure,
            MessageStatus,
            ModuleStanding,
            OnAttached,
            OnFull,
            OverflowPolicy,
            Peering,
            PolicyKind,
            PrivacyClass,
            ReadyWhen,
            ReceiptUntil,
            ReconcileStage,
            ReleaseReason,
            ReplyStanding,
            RestartPolicy,
            ResumeCause,
            ResumeWith,
            ResumedBy,
            RetentionClass,
            RosterLayer,
            RunEnd,
            RunState,
            RunsUntil,
            RuntimeErrorCategory,
            SourceGapReason,
            SourceKind,
            StartWhen,
            SuspendFor,
            TimelineState,
            TrustClass,
            Undeliverable,
            WakeFailure,
            WakePayload,
            WakeReason,
            WakeStatus,
        ]
    }

    #[test]
    fn a3_every_vocabulary_round_trips_and_refuses_unknown_names() {
        let mut there_are = Vec::new();
        collect(
            &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut there_are,
        );
        there_are.sort_unstable();
        assert_eq!(
            there_are,
            check_all(),
            "each vocabulary is checked, in order"
        );
    }

    /// Collects the names of the vocabularies in the sources of a folder.
    fn collect(folder: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, names);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let declared = source.split("vocabulary! {\n").skip(1).filter_map(|body| {
                let mut lines = body.lines().map(str::trim_start);
                let name = lines.find(|line| !line.starts_with(['/', '#']))?;
                let name = name.strip_suffix(" {")?;
                name.starts_with(|first: char| first.is_ascii_uppercase())
                    .then(|| name.to_owned())
            });
            names.extend(declared);
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_ones() {
        let check = |error: UnknownName, expected: &str| assert_eq!(error.to_string(), expected);
        check(
            RunEnd::from_wire("canceled").unwrap_err(),
            "\"canceled\" is no run end; known: cancelled, failed, completed",
        );
        let error = EventKind::from_wire("run_strated").unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("\"run_strated\" is no event kind; the nearest are run_started, ")
        );
        assert!(text.len() < 120, "{text}");
    }

    #[test]
    fn a3_vocabularies_have_the_promised_sizes() {
        assert_eq!(EntityKind::ALL.len(), 31);
        assert_eq!(SourceKind::ALL.len(), 15);
        assert_eq!(DestinationKind::ALL.len(), 17);
        assert_eq!(PolicyKind::ALL.len(), 9);
        assert_eq!(EventFamily::ALL.len(), 20);
    }

    #[test]
    fn classes_are_ordered_from_open_to_closed() {
        assert!(PrivacyClass::Public < PrivacyClass::Internal);
        assert!(PrivacyClass::Sensitive < PrivacyClass::Secret);
        assert_eq!(PrivacyClass::default(), PrivacyClass::ContentRefsOnly);
    }
}
