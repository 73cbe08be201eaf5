//! A word that stands in every body, and nowhere else: who finds it elsewhere has found a leak.

use std::{
    fmt::Debug,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use heronry_journal::Record;
use heronry_runtime::Pool;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Stands in every body that a [`World`](crate::World) sends.
pub const CANARY: &str = "canary-4f1d0c9b";

/// The most records of a journal that are looked at.
const LOOKED_AT: usize = 8_192;

/// The word as text, as what `Debug` and JSON make of its bytes, in hex, and in base64 wherever it
/// begins there.
static SPELLINGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let numbers = format!("{:?}", CANARY.as_bytes());
    let numbers = numbers.trim_matches(['[', ']']);
    let hex = |digit: fn(&u8) -> String| CANARY.as_bytes().iter().map(digit).collect();
    let mut spellings = vec![
        CANARY.into(),
        numbers.into(),
        numbers.replace(' ', ""),
        hex(|byte| format!("{byte:02x}")),
        hex(|byte| format!("{byte:02X}")),
    ];
    spellings.extend((0..3).flat_map(in_base64));
    spellings
});

/// Returns the base64 that a text with the word always contains, in both alphabets. The word begins
/// this many bytes behind a group of three; the text around it does not matter.
fn in_base64(before: usize) -> [String; 2] {
    let text = ["\0".repeat(before).as_bytes(), CANARY.as_bytes()].concat();
    // The first characters depend on what comes before the word, the last one on what follows it.
    let (skipped, whole) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    let own = |said: String| said.chars().take(whole).skip(skipped).collect();
    [STANDARD.encode(&text), URL_SAFE.encode(&text)].map(own)
}

/// Lines of the log that had the word.
static LEAKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WATCHED: OnceLock<()> = OnceLock::new();

/// Returns what a body says that says this.
pub fn said(text: &str) -> String {
    format!("{text} {CANARY}")
}

fn has_word(text: &str) -> bool {
    SPELLINGS.iter().any(|word| text.contains(word))
}

/// Checks that the word does not stand in bytes.
///
/// # Panics
/// Panics when the word does.
#[track_caller]
pub fn check_bytes(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!has_word(&text), "a body in {what}: {text}");
}

/// Checks that the word does not stand in the debug output of a value.
///
/// # Panics
/// Panics when the word does.
#[track_caller]
pub fn check(what: &str, shown: &impl Debug) {
    check_bytes(what, format!("{shown:?}").as_bytes());
}

/// Checks that the word does not stand in records, nor in the events that are made of them; of very many
/// it looks at some.
///
/// # Panics
/// Panics when the word does.
pub fn check_records(pool: &Pool, records: &[Record]) {
    let step = records.len().div_ceil(LOOKED_AT).max(1);
    for record in records.iter().step_by(step) {
        check_record(pool, record);
    }
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
fn check_record(pool: &Pool, record: &Record) {
    check_bytes("a record", &record.entry.to_bytes());
    check("what a record shows", record);
    let json = serde_json::to_vec(record).unwrap();
    check_bytes("the JSON of a record", &json);
    let event = heronry_pool::project(pool.timelines(), record);
    check("what an event shows", &event);
    let json = serde_json::to_vec(&event).unwrap();
    check_bytes("the JSON of an event", &json);
}

/// Has every line of the log looked at, from here on to the end of the process.
///
/// # Panics
/// Panics when something else has the log already.
#[expect(
    clippy::expect_used,
    reason = "a log that is not looked at hides leaks"
)]
pub fn watch() {
    WATCHED.get_or_init(|| {
        tracing::subscriber::set_global_default(Log).expect("the log is somebody else's");
    });
}

/// Checks that no line of the log had the word.
///
/// # Panics
/// Panics when a line had the word.
#[track_caller]
pub fn check_log() {
    let leaked = LEAKED.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(leaked.is_empty(), "a body in the log: {leaked:?}");
}

/// Everything that is logged, at every level.
struct Log;

/// The fields of a line of the log, or of a span.
#[derive(Default)]
struct LogFields(Vec<String>);

impl LogFields {
    fn keep_if_leaked(self) {
        if self.0.iter().any(|value| has_word(value)) {
            let mut leaked = LEAKED.lock().unwrap_or_else(PoisonError::into_inner);
            leaked.push(self.0.join(", "));
        }
    }
}

impl Visit for LogFields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push(format!("{field}={value:?}"));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.record_debug(field, &value);
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = LogFields::default();
        span.record(&mut line);
        line.keep_if_leaked();
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = LogFields::default();
        values.record(&mut line);
        line.keep_if_leaked();
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = LogFields::default();
        event.record(&mut line);
        line.keep_if_leaked();
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_is_found(text: &[u8]) {
        let hex = |digit: fn(&u8) -> String| text.iter().map(digit).collect::<String>();
        for said in [
            String::from_utf8(text.to_vec()).unwrap(),
            format!("{text:?}"),
            hex(|byte| format!("{byte:02x}")),
            hex(|byte| format!("{byte:02X}")),
            STANDARD.encode(text),
            URL_SAFE.encode(text),
        ] {
            assert!(has_word(&said), "{said}");
            assert!(has_word(&format!(r#"{{"body":"{said}"}}"#)), "{said}");
        }
    }

    #[test]
    fn the_word_is_found_however_it_is_spelt_and_wherever_it_stands() {
        for before in 0..7 {
            for after in 0..7 {
                let (before, after) = (&b"secret-"[..before], &b"?tail~>"[..after]);
                check_is_found(&[before, CANARY.as_bytes(), after].concat());
            }
        }
    }

    #[test]
    fn another_word_is_none_however_it_is_spelt() {
        let text = CANARY.replace('-', "_");
        for said in [
            text.clone(),
            STANDARD.encode(&text),
            format!("{:?}", text.as_bytes()),
        ] {
            assert!(!has_word(&said), "{said}");
        }
    }
}
