//! The notation of scenarios: short words for members, messages, wakes and conditions.
//!
//! Addresses are `scout` (a run), `agent:scout`, `topic:news`, `alias:scout/news` and `pool:p`. Lists of ids stand in one text with spaces
//! between. Ids of messages and wakes are their keys as well, unless something else is said. Policies are of the
//! kind `host`.

use std::num::NonZeroU32;

use heronry_event::filter::Filter;
use heronry_types::{
    Address, Correlation, Count, DeliveryOptions, DistinctBy, EntityId, EntityKind, EntityRef,
    EventKind, EventTag, Id, IdKind, Importance, LimitName, Limits, Millis, NewEvent, OnFull,
    Payload, Policies, PolicyId, PolicyKind, PolicyRef, PoolSpec, ResponseContract, ResumeWith,
    Timestamp,
};

/// The condition of a wake.
pub(crate) type Condition = heronry_types::Condition<Filter>;

/// Parses an id.
pub(crate) fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text).unwrap()
}

/// Parses ids that stand in one text.
pub(crate) fn ids<K: IdKind>(texts: &str) -> Vec<Id<K>> {
    texts.split_whitespace().map(id).collect()
}

/// Returns policies by their ids.
pub(crate) fn policies(texts: &str) -> Policies {
    let ids = texts.split_whitespace().map(PolicyId::parse);
    ids.map(|id| PolicyRef::new(PolicyKind::Host, id.unwrap()))
        .collect()
}

/// Returns what a pool is created with, where limits have other values.
pub(crate) fn limited(limits: &[(LimitName, u64)]) -> PoolSpec {
    PoolSpec {
        limits: Some(limits_of(limits)),
        ..PoolSpec::default()
    }
}

/// Returns limits with these values.
pub(crate) fn limits_of(values: &[(LimitName, u64)]) -> Limits {
    let mut limits = Limits::default();
    for (limit, value) in values {
        limits.set(*limit, *value);
    }
    limits
}

/// Parses an address.
pub(super) fn address(text: &str) -> Address {
    match text.split_once(':') {
        None => Address::Run { run_id: id(text) },
        Some(("agent", name)) => Address::Agent { agent_id: id(name) },
        Some(("topic", name)) => Address::Topic { topic_id: id(name) },
        Some(("pool", name)) => Address::Pool { pool_id: id(name) },
        Some(("alias", name)) => {
            let (recipient, channel) = name.split_once('/').unwrap_or((name, ""));
            Address::Alias {
                recipient: id(recipient),
                channel: (!channel.is_empty()).then(|| id(channel)),
            }
        }
        Some((kind, _)) => panic!("there is no address of the kind {kind}"),
    }
}

/// Somebody who joins, for an agent of the same name, as the instance `i1`.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    pub(super) by: String,
    pub(super) run: String,
    pub(super) agent: String,
    pub(super) session: Option<String>,
    pub(super) instance: String,
    pub(super) topics: String,
    pub(super) policies: Option<String>,
    pub(super) lease: Option<Millis>,
}

impl From<&str> for Joining {
    fn from(run: &str) -> Self {
        Self {
            by: "operator".to_owned(),
            run: run.to_owned(),
            agent: run.to_owned(),
            session: None,
            instance: "i1".to_owned(),
            topics: String::new(),
            policies: None,
            lease: None,
        }
    }
}

impl Joining {
    pub(crate) fn of(run: &str) -> Self {
        Self::from(run)
    }

    pub(crate) fn by(mut self, caller: &str) -> Self {
        caller.clone_into(&mut self.by);
        self
    }

    pub(crate) fn agent(mut self, agent: &str) -> Self {
        agent.clone_into(&mut self.agent);
        self
    }

    pub(crate) fn session(mut self, session: &str) -> Self {
        self.session = Some(session.to_owned());
        self
    }

    pub(crate) fn instance(mut self, instance: &str) -> Self {
        instance.clone_into(&mut self.instance);
        self
    }

    pub(crate) fn topics(mut self, topics: &str) -> Self {
        topics.clone_into(&mut self.topics);
        self
    }

    pub(crate) fn policies(mut self, policies: &str) -> Self {
        self.policies = Some(policies.to_owned());
        self
    }

    pub(crate) fn lease(mut self, millis: u64) -> Self {
        self.lease = Some(Millis(millis));
        self
    }
}

/// The body of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Enclosed {
    Text(String),
    /// The body of an earlier message or a stored one, by its name.
    Stored(String),
    /// The same after it was erased.
    Erased(String),
}

/// The expiry of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Expires {
    In(u64),
    At(u64),
}

/// A message: its address, and its id, which is its key and its body as well.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(super) to: String,
    pub(super) id: Option<String>,
    pub(super) key: String,
    pub(super) body: Enclosed,
    pub(super) media_type: String,
    pub(super) correlation: Correlation,
    pub(super) reply_to: Option<String>,
    pub(super) contract: Option<ResponseContract>,
    pub(super) expires: Option<Expires>,
    pub(super) options: DeliveryOptions,
    pub(super) policies: String,
}

impl Letter {
    pub(crate) fn to(to: &str, id: &str) -> Self {
        Self {
            to: to.to_owned(),
            id: Some(id.to_owned()),
            key: id.to_owned(),
            body: Enclosed::Text(id.to_owned()),
            media_type: heronry_types::Body::TEXT.to_owned(),
            correlation: Correlation::new(),
            reply_to: None,
            contract: None,
            expires: None,
            options: DeliveryOptions::default(),
            policies: String::new(),
        }
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    pub(crate) fn without_id(mut self) -> Self {
        self.id = None;
        self
    }

    pub(crate) fn body(mut self, text: &str) -> Self {
        self.body = Enclosed::Text(text.to_owned());
        self
    }

    pub(crate) fn media_type(mut self, text: &str) -> Self {
        text.clone_into(&mut self.media_type);
        self
    }

    pub(crate) fn naming(mut self, content: &str) -> Self {
        self.body = Enclosed::Stored(content.to_owned());
        self
    }

    pub(crate) fn naming_erased(mut self, content: &str) -> Self {
        self.body = Enclosed::Erased(content.to_owned());
        self
    }

    pub(crate) fn correlation(mut self, key: &str, value: &str) -> Self {
        self.correlation.insert(id(key), id(value));
        self
    }

    pub(crate) fn reply_to(mut self, message: &str) -> Self {
        self.reply_to = Some(message.to_owned());
        self
    }

    pub(crate) fn asks(mut self, expected: u32) -> Self {
        self.contract = Some(ResponseContract::new(NonZeroU32::new(expected).unwrap()));
        self
    }

    pub(crate) fn of(mut self, runs: &str) -> Self {
        let contract = self.contract.as_mut().unwrap();
        contract.from = Some(ids(runs).into_iter().collect());
        self
    }

    pub(crate) fn within(mut self, millis: u64) -> Self {
        self.contract.as_mut().unwrap().timeout_ms = Some(Millis(millis));
        self
    }

    pub(crate) fn expires_in(mut self, millis: u64) -> Self {
        self.expires = Some(Expires::In(millis));
        self
    }

    pub(crate) fn expires_at(mut self, millis: u64) -> Self {
        self.expires = Some(Expires::At(millis));
        self
    }

    pub(crate) fn after(mut self, millis: u64) -> Self {
        self.options.deliver_after = Some(Millis(millis));
        self
    }

    pub(crate) fn steer(mut self) -> Self {
        self.options.importance = Importance::Steer;
        self
    }

    pub(crate) fn interrupt(mut self) -> Self {
        self.options.importance = Importance::Interrupt;
        self
    }

    pub(crate) fn ordered(mut self) -> Self {
        self.options.ordered = true;
        self
    }

    pub(crate) fn skip_when_full(mut self) -> Self {
        self.options.on_full = Some(OnFull::Skip);
        self
    }

    pub(crate) fn refuse_when_full(mut self) -> Self {
        self.options.on_full = Some(OnFull::Refuse);
        self
    }

    pub(crate) fn policies(mut self, policies: &str) -> Self {
        policies.clone_into(&mut self.policies);
        self
    }
}

/// A receive: ten copies at the most, for a minute, unless something else is said.
#[derive(Clone, Debug)]
pub(crate) struct Take {
    pub(super) receive: String,
    pub(super) max: u64,
    pub(super) claim: Millis,
    pub(super) these: Option<Vec<u64>>,
}

impl From<&str> for Take {
    fn from(receive: &str) -> Self {
        Self {
            receive: receive.to_owned(),
            max: 10,
            claim: Millis(60_000),
            these: None,
        }
    }
}

impl Take {
    pub(crate) fn by(receive: &str) -> Self {
        Self::from(receive)
    }

    pub(crate) fn max(mut self, max: u64) -> Self {
        self.max = max;
        self
    }

    pub(crate) fn held_for(mut self, millis: u64) -> Self {
        self.claim = Millis(millis);
        self
    }

    /// Takes only the messages with these acceptances.
    pub(crate) fn these(mut self, accepted: &[u64]) -> Self {
        self.these = Some(accepted.to_vec());
        self
    }
}

/// Returns the condition of one event that a filter keeps.
pub(crate) fn one(filter: &str) -> Condition {
    Condition::Filter(Filter::compile(filter).unwrap())
}

/// Returns the condition of several events that a filter keeps.
pub(crate) fn count(n: u32, by: DistinctBy, filter: &str) -> Condition {
    Condition::Count(Count {
        n,
        filter: Filter::compile(filter).unwrap(),
        distinct_by: by,
    })
}

/// Returns the condition that one of the parts holds.
pub(crate) fn any(parts: &[&str]) -> Condition {
    Condition::AnyOf(parts.iter().map(|part| one(part)).collect())
}

/// Returns the condition that all of the parts hold.
pub(crate) fn all(parts: &[&str]) -> Condition {
    Condition::AllOf(parts.iter().map(|part| one(part)).collect())
}

/// The time for which a wake suspends its run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lasts {
    Timeout,
    Forever,
}

/// A wake: what it waits for, and its id, which is its key as well.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(super) condition: Condition,
    pub(super) id: Option<String>,
    pub(super) key: String,
    pub(super) since: String,
    pub(super) timeout: Option<Millis>,
    pub(super) resume_with: ResumeWith,
    pub(super) includes_wakes: bool,
    pub(super) lasts: Option<Lasts>,
    pub(super) release: String,
    pub(super) policies: String,
}

impl Wait {
    pub(crate) fn for_one(filter: &str, id: &str) -> Self {
        Self::on(one(filter), id)
    }

    pub(crate) fn on(condition: Condition, id: &str) -> Self {
        Self {
            condition,
            id: Some(id.to_owned()),
            key: id.to_owned(),
            since: "head".to_owned(),
            timeout: None,
            resume_with: ResumeWith::default(),
            includes_wakes: false,
            lasts: None,
            release: String::new(),
            policies: String::new(),
        }
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    pub(crate) fn without_id(mut self) -> Self {
        self.id = None;
        self
    }

    /// Since `start`, `head` or a cursor.
    pub(crate) fn since(mut self, since: &str) -> Self {
        since.clone_into(&mut self.since);
        self
    }

    pub(crate) fn timeout(mut self, millis: u64) -> Self {
        self.timeout = Some(Millis(millis));
        self
    }

    pub(crate) fn resume_with(mut self, resume_with: ResumeWith) -> Self {
        self.resume_with = resume_with;
        self
    }

    pub(crate) fn wakes_too(mut self) -> Self {
        self.includes_wakes = true;
        self
    }

    pub(crate) fn suspends(mut self) -> Self {
        self.lasts = Some(Lasts::Timeout);
        self
    }

    pub(crate) fn suspends_forever(mut self) -> Self {
        self.lasts = Some(Lasts::Forever);
        self
    }

    pub(crate) fn releasing(mut self, claims: &str) -> Self {
        claims.clone_into(&mut self.release);
        self
    }

    pub(crate) fn policies(mut self, policies: &str) -> Self {
        policies.clone_into(&mut self.policies);
        self
    }
}

/// A suspension of a run by itself: for wakes, for a time, or forever.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sleep {
    pub(super) wakes: String,
    pub(super) timeout: Option<Millis>,
    pub(super) release: String,
}

impl Sleep {
    pub(crate) fn on(wakes: &str) -> Self {
        Self {
            wakes: wakes.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn timeout(mut self, millis: u64) -> Self {
        self.timeout = Some(Millis(millis));
        self
    }

    pub(crate) fn releasing(mut self, claims: &str) -> Self {
        claims.clone_into(&mut self.release);
        self
    }
}

/// An event that a member reports.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(super) reported: NewEvent,
    pub(super) caused_by: Option<String>,
    pub(super) causal: String,
}

impl Event {
    pub(crate) fn of(kind: EventKind) -> Self {
        Self {
            reported: NewEvent::new(kind),
            caused_by: None,
            causal: String::new(),
        }
    }

    pub(crate) fn about(mut self, kind: EntityKind, name: &str) -> Self {
        let name = EntityId::parse(name).unwrap();
        self.reported.subject = Some(EntityRef::new(kind, name));
        self
    }

    pub(crate) fn policies(mut self, texts: &str) -> Self {
        self.reported.policies = policies(texts);
        self
    }

    pub(crate) fn tags(mut self, count: usize) -> Self {
        let tags = (0..count).map(|number| EventTag::parse(format!("tag-{number}")).unwrap());
        self.reported.tags = tags.collect();
        self
    }

    pub(crate) fn occurred_at(mut self, millis: i64) -> Self {
        self.reported.occurred_at = Some(Timestamp::from_millis(millis));
        self
    }

    pub(crate) fn correlation(mut self, key: &str, value: &str) -> Self {
        self.reported.correlation.insert(id(key), id(value));
        self
    }

    pub(crate) fn summary(mut self, text: &str) -> Self {
        self.reported.payload = Payload::Summary {
            summary: text.to_owned(),
            refs: Vec::new(),
        };
        self
    }

    pub(crate) fn caused_by(mut self, cursor: &str) -> Self {
        self.caused_by = Some(cursor.to_owned());
        self
    }

    pub(crate) fn causal(mut self, cursors: &str) -> Self {
        cursors.clone_into(&mut self.causal);
        self
    }
}
