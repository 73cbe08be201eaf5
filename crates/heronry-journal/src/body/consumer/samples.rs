//! Samples of records about named consumers.

use heronry_types::{ConsumerId, ConsumerRecovery, ConsumerStaleness, Cursor, Position};
use proptest::{option, prelude::*};

use super::ConsumerReset;
use crate::samples::{
    EPOCH, Sample,
    arbitrary::{epoch, id, position, word},
};

impl Sample for ConsumerReset {
    fn samples() -> Vec<Self> {
        vec![Self {
            consumer: ConsumerId::parse("audit").unwrap(),
            from: Cursor::new(EPOCH, Position(7)),
            to: Some(Cursor::new(EPOCH, Position(300))),
            reason: ConsumerStaleness::Trimmed,
            recovery: ConsumerRecovery::RestartAtFloor,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let cursor = || (epoch(), position()).prop_map(|(epoch, at)| Cursor::new(epoch, at));
        (id(), cursor(), option::of(cursor()), word(), word())
            .prop_map(|(consumer, from, to, reason, recovery)| Self {
                consumer,
                from,
                to,
                reason,
                recovery,
            })
            .boxed()
    }
}
