//! Filters built from sets instead of text.

use std::{
    collections::BTreeSet,
    fmt,
    ops::{Bound, RangeBounds},
};

use heronry_types::{
    AgentId, CorrelationKey, CorrelationValue, DestinationId, DestinationKind, EntityId,
    EntityKind, EventFamily, EventKind, EventSemantics, EventTag, MessageId, PoolId, Position,
    PrivacyClass, RunId, SessionId, SourceKind, Timestamp, TopicId, TurnId, Vocabulary,
};

use super::{
    CompileError, CompileErrors, ErrorKind, Filter,
    error::{Faults, exceeded},
    field::{MembersField, NumberField, Text, TextField},
    formula::Formula,
    literal::{Literal, Sign, TextPlace},
    members::MembersTest,
    numbers::NumberTest,
    related::{Pattern, Region, RelatedTest},
    texts::{TextTest, Values},
};

/// Builds a filter from sets of values; an event must pass every set that is named.
///
/// A set over a field that may be absent wants it present; a set over a collection wants at least
/// one of its values. A set without values is refused when the filter is built: ask for
/// [`FilterBuilder::nothing`] by name.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct FilterBuilder {
    parts: Vec<Formula>,
    empty: Vec<&'static str>,
}

/// An entity that an event is related to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RelatedEntity {
    /// The kind of the entity.
    pub kind: EntityKind,
    /// The id of the entity.
    pub id: EntityId,
}

/// A correlation that an event has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CorrelationEntry {
    /// The key of the correlation.
    pub key: CorrelationKey,
    /// The value that stands under the key.
    pub value: CorrelationValue,
}

impl FilterBuilder {
    /// Keeps events of these pools.
    pub fn pools(self, pools: impl IntoIterator<Item = PoolId>) -> Self {
        self.texts(TextField::Pool, pools)
    }

    /// Keeps events of these runs.
    pub fn runs(self, runs: impl IntoIterator<Item = RunId>) -> Self {
        self.texts(TextField::Run, runs)
    }

    /// Keeps events of runs of these agents.
    pub fn agents(self, agents: impl IntoIterator<Item = AgentId>) -> Self {
        self.texts(TextField::Agent, agents)
    }

    /// Keeps events of these sessions.
    pub fn sessions(self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        self.texts(TextField::Session, sessions)
    }

    /// Keeps events of these turns.
    pub fn turns(self, turns: impl IntoIterator<Item = TurnId>) -> Self {
        self.texts(TextField::Turn, turns)
    }

    /// Keeps events about these messages.
    pub fn messages(self, messages: impl IntoIterator<Item = MessageId>) -> Self {
        self.texts(TextField::Message, messages)
    }

    /// Keeps events about replies to these messages.
    pub fn replies_to(self, messages: impl IntoIterator<Item = MessageId>) -> Self {
        self.texts(TextField::ReplyTo, messages)
    }

    /// Keeps events addressed to these topics.
    pub fn topics(self, topics: impl IntoIterator<Item = TopicId>) -> Self {
        self.texts(TextField::Topic, topics)
    }

    /// Keeps events of these families.
    pub fn families(self, families: impl IntoIterator<Item = EventFamily>) -> Self {
        self.names(TextField::Family, families)
    }

    /// Keeps events of these kinds.
    pub fn kinds(self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.names(TextField::Kind, kinds)
    }

    /// Keeps events from sources of these kinds.
    pub fn source_kinds(self, kinds: impl IntoIterator<Item = SourceKind>) -> Self {
        self.names(TextField::SourceKind, kinds)
    }

    /// Keeps events that go to destinations of these kinds.
    pub fn destination_kinds(self, kinds: impl IntoIterator<Item = DestinationKind>) -> Self {
        self.names(TextField::DestinationKind, kinds)
    }

    /// Keeps events that go to these destinations.
    pub fn destination_ids(self, ids: impl IntoIterator<Item = DestinationId>) -> Self {
        self.texts(TextField::DestinationId, ids)
    }

    /// Keeps events about subjects of these kinds.
    pub fn subject_kinds(self, kinds: impl IntoIterator<Item = EntityKind>) -> Self {
        self.names(TextField::SubjectKind, kinds)
    }

    /// Keeps events about these subjects.
    pub fn subject_ids(self, ids: impl IntoIterator<Item = EntityId>) -> Self {
        self.texts(TextField::SubjectId, ids)
    }

    /// Keeps events of these privacy classes.
    pub fn privacy(self, classes: impl IntoIterator<Item = PrivacyClass>) -> Self {
        self.names(TextField::Privacy, classes)
    }

    /// Keeps events that promise this much.
    pub fn semantics(self, semantics: impl IntoIterator<Item = EventSemantics>) -> Self {
        self.names(TextField::Semantics, semantics)
    }

    /// Keeps events that one of these runs receives.
    pub fn recipients(self, runs: impl IntoIterator<Item = RunId>) -> Self {
        self.members(MembersField::Recipients, runs)
    }

    /// Keeps events with one of these tags.
    pub fn tags(self, tags: impl IntoIterator<Item = EventTag>) -> Self {
        self.members(MembersField::Tags, tags)
    }

    /// Keeps events with a related entity of one of these kinds.
    pub fn related_kinds(self, kinds: impl IntoIterator<Item = EntityKind>) -> Self {
        let kinds: BTreeSet<_> = kinds.into_iter().collect();
        let is_empty = kinds.is_empty();
        let pattern = Pattern {
            kinds: Some(kinds),
            ids: None,
        };
        self.unless_empty("related_kinds", (!is_empty).then(|| related([pattern])))
    }

    /// Keeps events with one of these related entities, of whatever kind.
    pub fn related_ids(self, ids: impl IntoIterator<Item = EntityId>) -> Self {
        let ids = shared(ids);
        let is_empty = ids.is_empty();
        let pattern = Pattern {
            kinds: None,
            ids: Some(ids),
        };
        self.unless_empty("related_ids", (!is_empty).then(|| related([pattern])))
    }

    /// Keeps events with one of these related entities.
    pub fn related(self, entities: impl IntoIterator<Item = RelatedEntity>) -> Self {
        let patterns: Vec<_> = entities
            .into_iter()
            .map(|RelatedEntity { kind, id }| Pattern {
                kinds: Some([kind].into()),
                ids: Some([Text::from(id.as_str())].into()),
            })
            .collect();
        self.unless_empty("related", (!patterns.is_empty()).then(|| related(patterns)))
    }

    /// Keeps events that have one of these correlations, whatever its value.
    pub fn correlation_keys(self, keys: impl IntoIterator<Item = CorrelationKey>) -> Self {
        let tests: Vec<_> = keys
            .into_iter()
            .map(|key| correlation(&key, TextTest::NotIn(Values::absent())))
            .collect();
        self.unless_empty("correlation_keys", any(tests))
    }

    /// Keeps events that have one of these correlations with its value.
    pub fn correlations(self, entries: impl IntoIterator<Item = CorrelationEntry>) -> Self {
        let tests: Vec<_> = entries
            .into_iter()
            .map(|CorrelationEntry { key, value }| {
                let values = Values::of([Text::from(value.as_str())]);
                correlation(&key, TextTest::In(values))
            })
            .collect();
        self.unless_empty("correlations", any(tests))
    }

    /// Keeps events whose kind is terminal.
    pub fn terminal_only(self) -> Self {
        self.with(Formula::literal(Literal::Terminal(Sign::Plus)))
    }

    /// Keeps events at these positions.
    pub fn positions(self, range: impl RangeBounds<Position>) -> Self {
        self.range(NumberField::Position, &range, |position| {
            i64::try_from(position.0).unwrap_or(i64::MAX)
        })
    }

    /// Keeps events that happened at these times, as their sources claim.
    pub fn occurred(self, range: impl RangeBounds<Timestamp>) -> Self {
        self.range(NumberField::OccurredAt, &range, |time| time.as_millis())
    }

    /// Keeps events that were recorded at these times.
    pub fn recorded(self, range: impl RangeBounds<Timestamp>) -> Self {
        self.range(NumberField::RecordedAt, &range, |time| time.as_millis())
    }

    /// Keeps no event at all.
    pub fn nothing(self) -> Self {
        self.with(Formula::FALSE)
    }

    /// Builds the filter.
    ///
    /// # Errors
    /// [`CompileErrors`] when a set was empty or the filter exceeds a limit.
    pub fn build(self) -> Result<Filter, CompileErrors> {
        let mut faults = Faults::default();
        for name in &self.empty {
            faults.add(CompileError {
                span: 0..0,
                kind: ErrorKind::EmptySet,
                message: format!("the set of {name} is empty; leave it out, or ask for nothing()"),
                suggestion: None,
            });
        }
        match faults.into_errors() {
            Some(errors) => Err(errors),
            None => Filter::of(&Formula::all(self.parts), None, &mut || {})
                .map_err(|limit| exceeded(limit, 0..0).into()),
        }
    }

    fn with(mut self, part: Formula) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds the formula of a set. A set without values has none, and its name is noted as empty.
    fn unless_empty(mut self, name: &'static str, part: Option<Formula>) -> Self {
        match part {
            Some(part) => self.parts.push(part),
            None => self.empty.push(name),
        }
        self
    }

    fn texts<T: AsRef<str>>(self, field: TextField, texts: impl IntoIterator<Item = T>) -> Self {
        let texts = shared(texts);
        let part = (!texts.is_empty()).then(|| {
            let test = TextTest::In(Values::of(texts));
            Formula::literal(Literal::Text(TextPlace::Field(field), test))
        });
        self.unless_empty(field.name(), part)
    }

    fn names<V: Vocabulary>(self, field: TextField, names: impl IntoIterator<Item = V>) -> Self {
        self.texts(field, names.into_iter().map(V::wire_name))
    }

    fn members<T: AsRef<str>>(
        self,
        field: MembersField,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let texts = shared(texts);
        let part = (!texts.is_empty())
            .then(|| Formula::literal(Literal::Members(field, MembersTest::AnyOf(texts))));
        self.unless_empty(field.name(), part)
    }

    fn range<T>(
        self,
        field: NumberField,
        range: &impl RangeBounds<T>,
        number: impl Fn(&T) -> i64,
    ) -> Self {
        let low = match range.start_bound() {
            Bound::Included(low) => NumberTest::AtLeast(number(low)),
            Bound::Excluded(low) => NumberTest::AtLeast(number(low).saturating_add(1)),
            Bound::Unbounded => NumberTest::AtLeast(i64::MIN),
        };
        let high = match range.end_bound() {
            Bound::Included(high) => NumberTest::AtMost(number(high)),
            Bound::Excluded(high) => NumberTest::AtMost(number(high).saturating_sub(1)),
            Bound::Unbounded => NumberTest::AtMost(i64::MAX),
        };
        let bounds = [low, high].map(|test| Formula::Literal(Literal::Number(field, test)));
        self.with(Formula::all(bounds))
    }
}

impl fmt::Debug for FilterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterBuilder({} parts)", self.parts.len())
    }
}

fn shared<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> BTreeSet<Text> {
    texts
        .into_iter()
        .map(|text| Text::from(text.as_ref()))
        .collect()
}

fn any(parts: Vec<Formula>) -> Option<Formula> {
    (!parts.is_empty()).then(|| Formula::any(parts))
}

fn related(patterns: impl IntoIterator<Item = Pattern>) -> Formula {
    Formula::literal(Literal::Related(RelatedTest::AnyIn(Region::of(patterns))))
}

fn correlation(key: &CorrelationKey, test: TextTest) -> Formula {
    let place = TextPlace::Correlation(Text::from(key.as_str()));
    Formula::literal(Literal::Text(place, test))
}
