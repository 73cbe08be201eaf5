//! Random filters and envelopes from few values, and what filter text means, written a second time.

use std::fmt::Write;

use heronry_event::{Envelope, Identity, Stamp};
use heronry_types::{
    Cursor, DestinationKind, DestinationRef, EntityKind, EntityRef, Epoch, EventKind, Id, IdKind,
    Labels, Position, SourceKind, SourceRef, Timestamp, Vocabulary,
};
use proptest::prelude::*;

pub(crate) const KINDS: [EventKind; 4] = [
    EventKind::RunStarted,
    EventKind::RunCompleted,
    EventKind::RunMessageDelivered,
    EventKind::ToolFailed,
];
pub(crate) const ENTITIES: [EntityKind; 3] =
    [EntityKind::Run, EntityKind::Topic, EntityKind::Message];
pub(crate) const IDS: [&str; 5] = ["a", "ab", "abc", "b", "\"\\\u{1f}é"];
pub(crate) const FIELDS: [&str; 8] = [
    "run",
    "topic",
    "reply_to",
    "kind",
    "family",
    "subject.kind",
    "subject.id",
    "destination.id",
];

pub(crate) fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text.replace('\u{1f}', "?")).unwrap()
}

/// An expression of the language.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Truth(bool),
    Terminal,
    Equal(TextLocation, String),
    Unequal(TextLocation, String),
    OneOf(TextLocation, Vec<String>),
    Starts(TextLocation, String),
    HasKey(String),
    HasLabel(String),
    Recipient(String),
    Tag(String),
    Related(Vec<EntityKind>, Vec<String>),
    Position(&'static str, i64),
    Recorded(&'static str, i64),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

/// The place of a text in an envelope.
#[derive(Clone, Debug)]
pub(crate) enum TextLocation {
    Field(&'static str),
    Correlation(String),
    Label(String),
}

impl TextLocation {
    fn written(&self) -> String {
        match self {
            Self::Field(name) => (*name).to_owned(),
            Self::Correlation(key) => format!("correlation[{}]", quoted(key)),
            Self::Label(name) => format!("labels[{}]", quoted(name)),
        }
    }

    /// The field's text, or nothing for a missing key.
    pub(crate) fn read(&self, envelope: &Envelope) -> Option<String> {
        let json = serde_json::to_value(envelope).unwrap();
        match self {
            Self::Field(name) => {
                let path = format!("/{}", name.replace('.', "/"));
                let text = json.pointer(&path).and_then(|value| value.as_str());
                Some(text.unwrap_or("").to_owned())
            }
            Self::Correlation(key) => {
                let value = json.get("correlation").and_then(|c| c.get(key));
                value.and_then(|value| value.as_str()).map(str::to_owned)
            }
            Self::Label(name) => {
                let value = json.get("labels").and_then(|labels| labels.get(name));
                value.and_then(|value| value.as_str()).map(str::to_owned)
            }
        }
    }
}

/// The value of `PROPTEST_CASES` when nobody sets it.
const USUAL: u32 = 256;

/// Returns the number of cases of a property: the value of `PROPTEST_CASES`, and four times that where more than
/// usual are asked for.
pub(crate) fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: if config.cases > USUAL {
            config.cases.saturating_mul(4)
        } else {
            config.cases
        },
        ..config
    }
}

/// Returns the number of cases of a property whose every case has many filters: a quarter of the value of
/// `PROPTEST_CASES`.
pub(crate) fn few_cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: (config.cases / 4).max(1),
        ..config
    }
}

pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => write!(quoted, "\\x{:02x}", u32::from(c)).unwrap(),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

fn list(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<_> = texts.into_iter().collect();
    format!("[{}]", texts.join(","))
}

pub(crate) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Writes an expression as filter text.
pub(crate) fn written(expr: &Expr) -> String {
    let quotes = |texts: &[String]| list(texts.iter().map(|text| quoted(text)));
    match expr {
        Expr::Truth(value) => value.to_string(),
        Expr::Terminal => "terminal".to_owned(),
        Expr::Equal(place, text) => format!("{}=={}", place.written(), quoted(text)),
        Expr::Unequal(place, text) => format!("{}!={}", place.written(), quoted(text)),
        Expr::OneOf(place, texts) => format!("{} in {}", place.written(), quotes(texts)),
        Expr::Starts(place, text) => format!("{}.startsWith({})", place.written(), quoted(text)),
        Expr::HasKey(key) => format!("{} in correlation", quoted(key)),
        Expr::HasLabel(name) => format!("{} in labels", quoted(name)),
        Expr::Recipient(run) => format!("{} in recipients", quoted(run)),
        Expr::Tag(tag) => format!("{} in tags", quoted(tag)),
        Expr::Related(kinds, ids) => {
            let kinds = kinds.iter().map(|kind| quoted(kind.wire_name()));
            let kinds = (kinds.len() > 0).then(|| format!("x.kind in {}", list(kinds)));
            let ids = (!ids.is_empty()).then(|| format!("x.id in {}", quotes(ids)));
            let parts: Vec<_> = kinds.into_iter().chain(ids).collect();
            format!("related.exists(x, {})", parts.join(" && "))
        }
        Expr::Position(operator, number) => format!("position {operator} {number}"),
        Expr::Recorded(operator, millis) => {
            format!("recorded_at {operator} timestamp('{}')", time(*millis))
        }
        Expr::Not(inner) => format!("!({})", written(inner)),
        Expr::All(parts) => joined(parts, "&&"),
        Expr::Any(parts) => joined(parts, "||"),
    }
}

fn joined(parts: &[Expr], operator: &str) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| format!("({})", written(part)))
        .collect();
    parts.join(operator)
}

fn compare(value: i64, operator: &str, with: i64) -> bool {
    match operator {
        "==" => value == with,
        "!=" => value != with,
        "<" => value < with,
        "<=" => value <= with,
        ">" => value > with,
        ">=" => value >= with,
        other => panic!("no operator {other}"),
    }
}

/// Says what an expression means, straight from the reference page.
pub(crate) fn meaning(expr: &Expr, envelope: &Envelope) -> bool {
    match expr {
        Expr::Truth(value) => *value,
        Expr::Terminal => envelope.kind.is_terminal(),
        Expr::Equal(place, text) => place.read(envelope).is_some_and(|seen| seen == *text),
        Expr::Unequal(place, text) => place.read(envelope).is_some_and(|seen| seen != *text),
        Expr::OneOf(place, texts) => place.read(envelope).is_some_and(|s| texts.contains(&s)),
        Expr::Starts(place, text) => place.read(envelope).is_some_and(|s| s.starts_with(text)),
        Expr::HasKey(key) => TextLocation::Correlation(key.clone())
            .read(envelope)
            .is_some(),
        Expr::HasLabel(name) => TextLocation::Label(name.clone()).read(envelope).is_some(),
        Expr::Recipient(run) => envelope
            .exchange
            .recipients
            .iter()
            .any(|r| r.as_str() == run),
        Expr::Tag(tag) => envelope.about.tags.iter().any(|t| t.as_str() == tag),
        Expr::Related(kinds, ids) => envelope.about.related.iter().any(|entity| {
            (kinds.is_empty() || kinds.contains(&entity.kind))
                && (ids.is_empty() || ids.iter().any(|id| id == entity.id.as_str()))
        }),
        Expr::Position(operator, number) => {
            let position = i64::try_from(envelope.stamp.cursor.position.0).unwrap();
            compare(position, operator, *number)
        }
        Expr::Recorded(operator, millis) => {
            compare(envelope.stamp.recorded_at.as_millis(), operator, *millis)
        }
        Expr::Not(inner) => !meaning(inner, envelope),
        Expr::All(parts) => parts.iter().all(|part| meaning(part, envelope)),
        Expr::Any(parts) => parts.iter().any(|part| meaning(part, envelope)),
    }
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="])
}

pub(crate) fn any_id() -> impl Strategy<Value = String> {
    prop::sample::select(IDS.to_vec()).prop_map(|id| id.replace('\u{1f}', "?"))
}

fn texts_of(field: &'static str) -> Vec<String> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match field {
        "kind" => KINDS.iter().map(ToString::to_string).collect(),
        "family" => names(&["run", "agent_pool", "tool"]),
        "subject.kind" => ENTITIES.iter().map(ToString::to_string).collect(),
        "subject.id" => names(&["a", "ab", "b", "\u{1f}"]),
        _ => names(&["", "a", "ab", "b", "\"\\?é"]),
    }
}

fn prefixes_of(field: &'static str) -> Vec<String> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match field {
        "kind" => names(&["", "run_", "run_c", "t"]),
        "family" => names(&["", "r", "tool"]),
        "subject.kind" => names(&["", "r", "m"]),
        _ => names(&["", "a", "ab", "b", "\"\\"]),
    }
}

/// A place and the texts that it is compared with.
fn place() -> impl Strategy<Value = (TextLocation, Vec<String>, Vec<String>)> {
    let field = prop::sample::select(FIELDS.to_vec()).prop_map(|field| {
        (
            TextLocation::Field(field),
            texts_of(field),
            prefixes_of(field),
        )
    });
    let key = prop::sample::select(vec!["k", "l"]).prop_map(|key| {
        let place = TextLocation::Correlation(key.to_owned());
        (place, texts_of("run"), prefixes_of("run"))
    });
    let label = prop::sample::select(vec!["k", "l"]).prop_map(|name| {
        let place = TextLocation::Label(name.to_owned());
        (place, texts_of("run"), prefixes_of("run"))
    });
    prop_oneof![3 => field, 1 => key, 1 => label]
}

fn comparison() -> impl Strategy<Value = Expr> {
    let text = place().prop_flat_map(|(place, texts, prefixes)| {
        let (one, other, starts) = (place.clone(), place.clone(), place.clone());
        let text = prop::sample::select(texts.clone());
        let some = prop::sample::subsequence(texts, 0..=3);
        prop_oneof![
            3 => text.clone().prop_map(move |text| Expr::Equal(place.clone(), text)),
            2 => text.prop_map(move |text| Expr::Unequal(one.clone(), text)),
            2 => some.prop_map(move |texts| Expr::OneOf(other.clone(), texts)),
            2 => prop::sample::select(prefixes)
                .prop_map(move |prefix| Expr::Starts(starts.clone(), prefix)),
        ]
    });
    let related = (
        prop::sample::subsequence(ENTITIES.to_vec(), 0..=2),
        prop::collection::vec(any_id(), 0..3),
    )
        .prop_filter("names something", |(kinds, ids)| {
            kinds.len() + ids.len() > 0
        })
        .prop_map(|(kinds, ids)| Expr::Related(kinds, ids));
    prop_oneof![
        8 => text,
        1 => any::<bool>().prop_map(Expr::Truth),
        1 => Just(Expr::Terminal),
        1 => prop::sample::select(vec!["k", "l"]).prop_map(|key| Expr::HasKey(key.to_owned())),
        1 => prop::sample::select(vec!["k", "l"]).prop_map(|name| Expr::HasLabel(name.to_owned())),
        2 => any_id().prop_map(Expr::Recipient),
        2 => any_id().prop_map(Expr::Tag),
        3 => related,
        2 => (operator(), -1..6_i64).prop_map(|(operator, n)| Expr::Position(operator, n)),
        1 => (operator(), 0..4_i64).prop_map(|(operator, n)| Expr::Recorded(operator, n)),
    ]
}

/// Random expressions.
pub(crate) fn expr() -> impl Strategy<Value = Expr> {
    comparison().prop_recursive(4, 14, 4, |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            1 => inner.prop_map(|inner| Expr::Not(Box::new(inner))),
            2 => parts.clone().prop_map(Expr::All),
            2 => parts.prop_map(Expr::Any),
        ]
    })
}

type Texts = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Random envelopes.
pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let optional = || prop::option::of(any_id());
    let texts = (optional(), optional(), optional(), optional());
    let entity = || (prop::sample::select(ENTITIES.to_vec()), any_id());
    let sets = (
        prop::collection::vec(any_id(), 0..3),
        prop::collection::vec(any_id(), 0..3),
        prop::collection::vec(entity(), 0..3),
        prop::collection::btree_map(prop::sample::select(vec!["k", "l"]), any_id(), 0..3),
        labels(),
    );
    let numbers = (1..6_u64, 0..4_i64);
    let kind = prop::sample::select(KINDS.to_vec());
    (kind, entity(), texts, sets, numbers).prop_map(
        |(kind, (subject_kind, subject), texts, sets, (position, millis))| {
            let cursor = Cursor::new(Epoch::default(), Position(position));
            let mut envelope = Envelope::new(
                Stamp::new(cursor, time(millis)),
                kind,
                Identity::new(id("pool")),
                EntityRef::new(subject_kind, id(&subject)),
                SourceRef::new(SourceKind::Sdk, id("engine")),
            );
            set_texts(&mut envelope, &texts);
            let (recipients, tags, related, correlation, labels) = sets;
            envelope.exchange.recipients = recipients.iter().map(|run| id(run)).collect();
            envelope.about.tags = tags.iter().map(|tag| id(tag)).collect();
            let related = related
                .iter()
                .map(|(kind, text)| EntityRef::new(*kind, id(text)));
            envelope.about.related = related.collect();
            let entries = correlation.iter().map(|(key, value)| (id(key), id(value)));
            envelope.about.correlation = entries.collect();
            envelope.about.labels = labels;
            envelope
        },
    )
}

/// Random labels; a value may be empty, which is not absent.
fn labels() -> impl Strategy<Value = Labels> {
    let value = prop_oneof![Just(String::new()), any_id()];
    let some = prop::collection::btree_map(prop::sample::select(vec!["k", "l"]), value, 0..3);
    some.prop_map(|some| {
        let mut labels = Labels::new();
        for (name, value) in some {
            labels.add(name, value).unwrap();
        }
        labels
    })
}

fn set_texts(envelope: &mut Envelope, (run, topic, reply_to, destination): &Texts) {
    envelope.identity.run = run.as_deref().map(id);
    envelope.exchange.topic = topic.as_deref().map(id);
    envelope.exchange.reply_to = reply_to.as_deref().map(id);
    let destination = destination.as_deref().map(id);
    let to_topic = |id| DestinationRef::new(DestinationKind::Topic, id);
    envelope.route.destination = destination.map(to_topic);
}
