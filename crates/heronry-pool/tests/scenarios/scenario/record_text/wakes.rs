//! Records of wakes, effects and reported events.

use heronry_journal::{
    ApplicationEvent, ConditionRegistered, DeadlockSuspected, EffectAttempted, EffectCompleted,
    EffectIntended, EffectResultRefused, WakeCancelled, WakeFailed, WakeOrphaned, WakeRegistered,
    WakeScanned, WakeTimedOut, WakeTriggered, WakeTriggeredBy,
};

use super::{Tell, list, note, or_nothing, policies, time};

impl Tell for WakeRegistered {
    fn tell(&self, run: &str) -> String {
        let it = self;
        registered(run, it)
    }
}

impl Tell for ConditionRegistered {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let counted = it
            .counted
            .iter()
            .map(|event| format!("{}@{}", event.clause, event.by.position));
        let counted = list(counted);
        let counted = if counted.is_empty() {
            counted
        } else {
            format!(", counts {counted}")
        };
        format!("{}{counted}", registered(run, &it.wake))
    }
}

impl Tell for WakeScanned {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let counted = it
            .counted
            .iter()
            .map(|event| format!("{}@{}", event.clause, event.by.position));
        let counted = or_nothing(list(counted));
        format!("{}@{} looked back: {counted}", it.wake_id, it.registered)
    }
}

impl Tell for WakeFailed {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{}@{} failed: {}", it.wake_id, it.registered, it.why)
    }
}

impl Tell for WakeTriggered {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let more = if it.more_follow { ", more follow" } else { "" };
        format!(
            "{}@{} triggered by {}{more}",
            it.wake_id,
            it.registered,
            list(it.matches.iter().map(by))
        )
    }
}

impl Tell for WakeTimedOut {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{}@{} timed out", it.wake_id, it.registered)
    }
}

impl Tell for WakeCancelled {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{}@{} cancelled: {}", it.wake_id, it.registered, it.reason)
    }
}

impl Tell for DeadlockSuspected {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let wakes = it.wakes.iter().map(|wake| wake.wake_id.to_string());
        format!(
            "deadlock of {} in {}",
            list(it.runs.iter().map(ToString::to_string)),
            list(wakes)
        )
    }
}

impl Tell for WakeOrphaned {
    fn tell(&self, _: &str) -> String {
        let it = self;
        format!("{}@{} orphaned", it.wake_id, it.registered)
    }
}

impl Tell for ApplicationEvent {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let batch = it.batch.as_ref();
        let batch = batch.map_or(String::new(), |it| {
            format!(", {} under {}", it.count, it.idempotency_key)
        });
        let from = it.from.as_ref();
        let from = from.map_or(String::new(), |it| {
            format!(" at {}/{}", it.source, it.position)
        });
        format!(
            "{run} reported {} of {} {}{from}{batch}",
            it.kind, it.subject.kind, it.subject.id
        )
    }
}

impl Tell for EffectIntended {
    fn tell(&self, run: &str) -> String {
        let it = self;
        let key = it.key.as_ref();
        let key = key.map_or(String::new(), |it| format!(" under {}", it.idempotency_key));
        format!("{run}/{} intends {}{key}", it.generation, it.what)
    }
}

impl Tell for EffectAttempted {
    fn tell(&self, run: &str) -> String {
        let it = self;
        format!(
            "{run}/{} attempts {} #{}",
            it.generation, it.intended, it.attempt
        )
    }
}

impl Tell for EffectCompleted {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let result = format!("{}{}", it.result.outcome, note(it.result.note.as_ref()));
        format!("effect {}{} {result}", it.intended, attempt(it.attempt))
    }
}

impl Tell for EffectResultRefused {
    fn tell(&self, _: &str) -> String {
        let it = self;
        let result = format!("{}{}", it.result.outcome, note(it.result.note.as_ref()));
        format!(
            "effect {}{} {result} refused: {}",
            it.intended,
            attempt(it.attempt),
            it.fault
        )
    }
}

fn registered(run: &str, body: &WakeRegistered) -> String {
    let mut text = format!(
        "{run} waits {} for {} since {}",
        body.wake_id, body.filter, body.since
    );
    text.push_str(&policies(
        &body.policies.as_deref().cloned().unwrap_or_default(),
    ));
    if let Some(at) = body.deadline {
        text.extend([format!(", until {}", time(at))]);
    }
    if body.include_wakes {
        text.push_str(", wakes too");
    }
    if let Some(to) = body.scan_to {
        text.extend([format!(", looks back to {to}")]);
    }
    if let Some(lasts) = body.suspends {
        text.extend([format!(", suspends for {lasts}")]);
    }
    text
}

fn by(event: &WakeTriggeredBy) -> String {
    event.position.to_string()
}

fn attempt(attempt: Option<u32>) -> String {
    attempt.map_or(String::new(), |attempt| format!(" #{attempt}"))
}
