//! The filter language: by example, by property, built, explained and indexed.

#![expect(clippy::unwrap_used, reason = "a test panics to fail")]

mod builder;
mod index;
mod language;
mod matching;
mod oracle;
mod properties;
mod support;
