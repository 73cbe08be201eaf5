//! Samples of records about a pool as a whole.

use heronry_types::{
    AgentId, Broadcast, Cursor, Epoch, EpochReason, LimitName, Limits, MessagePolicy, Millis,
    Peering, PoolConfig, Position, ResumeCause, Retention, Settings, Timestamp, WakePayload,
};
use proptest::{option, prelude::*};

use super::{EpochStarted, PoolConfigured, PoolCreated, PoolResumed};
use crate::samples::{
    self, EPOCH, Sample,
    arbitrary::{epoch, few, id, policies, time, word},
};

impl Sample for PoolCreated {
    /// The first one has another configuration than the usual one.
    fn samples() -> Vec<Self> {
        let configs = [config()].into_iter();
        let configs = configs.chain(std::iter::repeat_with(PoolConfig::default));
        let created = configs.zip(every_settings());
        created
            .map(|(config, settings)| Self { config, settings })
            .collect()
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any_config(), any_settings())
            .prop_map(|(config, settings)| Self { config, settings })
            .boxed()
    }
}

impl Sample for PoolConfigured {
    fn samples() -> Vec<Self> {
        (2..)
            .zip(every_settings())
            .map(|(version, settings)| Self { version, settings })
            .collect()
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any::<u64>(), any_settings())
            .prop_map(|(version, settings)| Self { version, settings })
            .boxed()
    }
}

/// Settings for each version, each with something that the one before does not know.
fn every_settings() -> Vec<Settings> {
    let mebibyte = 1024 * 1024;
    let added: [&[(LimitName, u64)]; 7] = [
        &[(LimitName::MembersMax, 500), (LimitName::NoteBytesMax, 256)],
        &[(LimitName::AttemptsMax, 3)],
        &[(LimitName::LostKeepMsMax, 3_600_000)],
        &[(LimitName::PendingEffectsPerRunMax, 7)],
        &[
            (LimitName::SubscriptionsPerRunMax, 3),
            (LimitName::LongPollsMax, 40),
            (LimitName::LongPollsPerRunMax, 4),
            (LimitName::BytesUnderWayMax, 8 * mebibyte),
            (LimitName::BytesUnderWayPerRunMax, mebibyte),
        ],
        &[
            (LimitName::WakeCostPerRunMax, 5),
            (LimitName::WakeCostPerPoolMax, 50),
        ],
        &[
            (LimitName::UnnamedContentBytesPerRunMax, mebibyte),
            (LimitName::UnnamedContentBytesMax, 8 * mebibyte),
            (LimitName::UnnamedContentKeepMsMax, 3_600_000),
        ],
    ];
    let mut limits = Limits::default();
    let mut every: Vec<_> = added
        .iter()
        .map(|added| {
            for (name, value) in *added {
                limits.set(*name, *value);
            }
            Settings {
                limits: limits.clone(),
                ..Settings::default()
            }
        })
        .collect();
    let retention = Retention {
        age_ms: Some(Millis::from_secs(86_400)),
        bytes: Some(64 * mebibyte),
        keep_min: Some(1_000),
    };
    let retaining = Settings {
        limits,
        retention: Some(retention),
        peering: None,
    };
    every.push(retaining.clone());
    every.push(Settings {
        peering: Some(Peering::Wired),
        ..retaining
    });
    every
}

fn config() -> PoolConfig {
    let grants = [(AgentId::parse("lead").unwrap(), samples::policies())];
    PoolConfig {
        message_policy: MessagePolicy {
            required_policies: samples::policies(),
            broadcast: Broadcast::IncludeSender,
        },
        wake_payload: WakePayload::Summary,
        policies: samples::policies(),
        grants: Some(grants.into_iter().collect()),
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let limits = few((word::<LimitName>(), any::<u64>())).prop_map(|entries| {
        let mut limits = Limits::default();
        for (name, value) in entries {
            limits.set(name, value);
        }
        limits
    });
    let number = || any::<Option<u64>>();
    let retention = (number(), number(), number()).prop_map(|(age, bytes, keep_min)| Retention {
        age_ms: age.map(Millis),
        bytes,
        keep_min,
    });
    let peering = option::of(Just(Peering::Wired));
    (limits, option::of(retention), peering).prop_map(|(limits, retention, peering)| Settings {
        limits,
        retention,
        peering,
    })
}

fn any_config() -> impl Strategy<Value = PoolConfig> {
    let broadcast = prop_oneof![
        Just(Broadcast::ExcludeSender),
        Just(Broadcast::IncludeSender)
    ];
    let grants = option::of(few((id(), policies())));
    (policies(), broadcast, word(), policies(), grants).prop_map(
        |(required_policies, broadcast, wake_payload, policies, grants)| PoolConfig {
            message_policy: MessagePolicy {
                required_policies,
                broadcast,
            },
            wake_payload,
            policies,
            grants: grants.map(|grants| grants.into_iter().collect()),
        },
    )
}

impl Sample for EpochStarted {
    fn samples() -> Vec<Self> {
        let previous = Epoch(*b"what was before!");
        let imported = Self {
            reason: EpochReason::Import,
            epoch: EPOCH,
            previous,
            lost: None,
        };
        let rolled_back = Self {
            reason: EpochReason::TailLost,
            lost: Some(Cursor::new(previous, Position(317))),
            ..imported
        };
        vec![imported, rolled_back]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let lost = (epoch(), any::<u64>());
        let lost = lost.prop_map(|(epoch, at)| Cursor::new(epoch, Position(at)));
        (word(), epoch(), epoch(), option::of(lost))
            .prop_map(|(reason, epoch, previous, lost)| Self {
                reason,
                epoch,
                previous,
                lost,
            })
            .boxed()
    }
}

impl Sample for PoolResumed {
    fn samples() -> Vec<Self> {
        vec![Self {
            cause: ResumeCause::Paused,
            since: Timestamp::from_millis(1_795_162_500_125),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (word(), time())
            .prop_map(|(cause, since)| Self { cause, since })
            .boxed()
    }
}
