//! Waits as agents have them, of two to four sets each, and events that come near to some.

use heronry_event::{
    Envelope, Filter, Identity, Stamp,
    filter::{CorrelationEntry, FilterBuilder},
};
use heronry_types::{
    CorrelationKey, Cursor, EntityKind, EntityRef, Epoch, EventKind, Id, IdKind, Position,
    SourceKind, SourceRef, Timestamp, Vocabulary,
};

use crate::dice::Dice;

/// The number of different runs, tickets and messages.
pub(crate) const NARROW: usize = 1_250;
/// The number of different topics.
const TOPICS: usize = 200;
/// The number of different agents.
const AGENTS: usize = 100;

/// The shape of a filter's narrowest set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// A few of many ids, which many other filters name too.
    Shared,
    /// One id that no other filter names.
    Own,
}

pub(crate) fn id<K: IdKind>(kind: &str, number: usize) -> Id<K> {
    Id::parse(format!("{kind}-{number:07}")).unwrap()
}

fn ids<K: IdKind>(kind: &str, numbers: &[usize]) -> Vec<Id<K>> {
    numbers.iter().map(|number| id(kind, *number)).collect()
}

pub(crate) fn ticket() -> CorrelationKey {
    CorrelationKey::parse("ticket").unwrap()
}

/// Returns the filter of the wait with this number.
pub(crate) fn filter(shape: Shape, number: usize, dice: &mut Dice) -> Filter {
    let mut builder = narrow(shape, number, dice);
    let others = 1 + dice.below(3);
    let first = dice.below(3);
    for other in 0..others {
        builder = match (first + other) % 3 {
            0 => builder.kinds(kinds(&dice.few(EventKind::ALL.len()))),
            1 => builder.topics(ids("topic", &dice.few(TOPICS))),
            _ => builder.agents(ids("agent", &dice.few(AGENTS))),
        };
    }
    builder.build().unwrap()
}

/// Returns a filter that comes as near to the sends of a benchmark as others, and never keeps one:
/// they go to no topic.
pub(crate) fn filter_of_others(number: usize, dice: &mut Dice) -> Filter {
    let builder = narrow(Shape::Shared, number, dice)
        .kinds(kinds(&dice.few(EventKind::ALL.len())))
        .topics(ids("topic", &dice.few(TOPICS)));
    builder.build().unwrap()
}

fn narrow(shape: Shape, number: usize, dice: &mut Dice) -> FilterBuilder {
    let builder = Filter::builder();
    if shape == Shape::Own {
        return builder.replies_to([id("message", number)]);
    }
    let few = dice.few(NARROW);
    match number % 4 {
        0 => builder.runs(ids("run", &few)),
        1 => builder.recipients(ids("run", &few)),
        2 => builder.replies_to(ids("message", &few)),
        _ => {
            let values = few.iter().map(|number| CorrelationEntry {
                key: ticket(),
                value: id("value", *number),
            });
            builder.correlations(values)
        }
    }
}

fn kinds(numbers: &[usize]) -> Vec<EventKind> {
    let nth = |number: &usize| *EventKind::ALL.get(*number).unwrap();
    numbers.iter().map(nth).collect()
}

/// Returns an event that every fourth of the filters may come near to.
pub(crate) fn event(replies: usize, dice: &mut Dice) -> Envelope {
    let kind = *EventKind::ALL
        .get(dice.below(EventKind::ALL.len()))
        .unwrap();
    let mut envelope = Envelope::new(
        Stamp::new(
            Cursor::new(Epoch::default(), Position(7)),
            Timestamp::from_millis(1_795_161_600_000),
        ),
        kind,
        Identity::new(id("pool", 1)),
        EntityRef::new(EntityKind::Message, id("subject", dice.below(NARROW))),
        SourceRef::new(SourceKind::Sdk, id("engine", 1)),
    );
    envelope.identity.run = Some(id("run", dice.below(NARROW)));
    envelope.identity.agent = Some(id("agent", dice.below(AGENTS)));
    envelope.identity.session = Some(id("session", dice.below(NARROW)));
    envelope.exchange.message = Some(id("message", dice.below(NARROW)));
    envelope.exchange.reply_to = Some(id("message", dice.below(replies)));
    envelope.exchange.topic = Some(id("topic", dice.below(TOPICS)));
    envelope.exchange.recipients = [id("run", dice.below(NARROW))].into_iter().collect();
    let value = id("value", dice.below(NARROW));
    envelope.about.correlation.insert(ticket(), value);
    envelope
}
