//! Records of pools and members.

use heronry_journal::{
    MemberChanged, MemberJoined, MemberLeft, MemberTakenOver, PoolConfigured, PoolCreated,
    PoolResumed, RunEnded, RunLost, RunResumed, RunSuspended,
};

use heronry_types::{Limits, Millis, PoolConfig, TopicId};

use super::{Tell, list, note, policies, span, time};

impl Tell for PoolCreated {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!(
            "created{}{}",
            config(&it.config),
            limits(&it.settings.limits)
        )
    }
}

impl Tell for PoolConfigured {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let peering = it.settings.peering;
        let peering = peering.map_or(String::new(), |it| format!(", {it}"));
        let limits = limits(&it.settings.limits);
        format!("configured {}{limits}{peering}", it.version)
    }
}

impl Tell for PoolResumed {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("resumed {} since {}", it.cause, time(it.since))
    }
}

impl Tell for MemberJoined {
    fn tell(&self, run: &str) -> String {
        let it = self;
        joined(run, it)
    }
}

impl Tell for MemberTakenOver {
    fn tell(&self, run: &str) -> String {
        let it = self;
        taken_over(run, it)
    }
}

impl Tell for MemberChanged {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!("{run} changed{}{}", topics(&it.topics), lease(it.lease_ms))
    }
}

impl Tell for MemberLeft {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run}/{} left: {}, {} there",
            it.generation, it.reason, it.members
        )
    }
}

impl Tell for RunEnded {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run}/{} ended: {}{}, {} there",
            it.generation,
            it.end,
            note(it.note.as_ref()),
            it.members
        )
    }
}

impl Tell for RunLost {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run}/{} lost, kept until {}",
            it.generation,
            time(it.kept_until)
        )
    }
}

impl Tell for RunResumed {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let by = it.by.map_or("heard of".to_owned(), |by| by.to_string());
        format!("{run}/{} is back: {by}", it.generation)
    }
}

impl Tell for RunSuspended {
    fn tell(&self, run: &str) -> String {
        let it = self;
        suspended(run, it)
    }
}

fn joined(run: &str, body: &MemberJoined) -> String {
    format!(
        "{run} joined as {}{}{}{}, {} there",
        body.instance,
        topics(&body.topics),
        policies(&body.policies),
        lease(body.lease_ms),
        body.members
    )
}

fn taken_over(run: &str, body: &MemberTakenOver) -> String {
    format!(
        "{run}/{} taken over by {}{}{}{}, {} there",
        body.predecessor,
        body.instance,
        topics(&body.topics),
        policies(&body.policies),
        lease(body.lease_ms),
        body.members
    )
}

fn suspended(run: &str, body: &RunSuspended) -> String {
    let wakes = list(
        body.wakes
            .iter()
            .map(|it| format!("{}@{}", it.wake_id, it.registered)),
    );
    let until = body
        .until
        .map_or(String::new(), |it| format!(" until {}", time(it)));
    let wakes = if wakes.is_empty() {
        wakes
    } else {
        format!(" for {wakes}")
    };
    format!("{run}/{} suspended{wakes}{until}", body.generation)
}

fn config(config: &PoolConfig) -> String {
    let mut text = policies(&config.policies);
    let required = &config.message_policy.required_policies;
    if !required.is_empty() {
        text.extend([format!(" requires{}", policies(required))]);
    }
    text
}

fn limits(limits: &Limits) -> String {
    let limits = limits.iter();
    let limits = limits.map(|(limit, value)| format!(" {limit}={value}"));
    limits.collect::<Vec<_>>().concat()
}

fn topics(topics: &[TopicId]) -> String {
    let topics = topics.iter().map(|topic| format!(" #{topic}"));
    topics.collect::<Vec<_>>().concat()
}

fn lease(lease: Option<Millis>) -> String {
    lease.map_or(String::new(), |lease| format!(" lease {}", span(lease)))
}
