//! Answers as texts.

use heronry_pool::{
    Appended, DeadLetterView, Done, EffectReport, Item, Joined, MemberView, PoolView, Received,
    Sent, Stood,
};
use heronry_types::{EffectView, Receipt, RecipientStanding, WakeView};

use super::record_text::{list, or_nothing, policies, reply, span, time};

/// The end of an answer that was given before.
pub(super) const REPEATED: &str = ", repeated";

pub(super) fn joined(it: &Joined) -> String {
    let mut text = format!(
        "{}/{} at {}, {} unread",
        it.run, it.generation, it.cursor.position, it.unread
    );
    if let Some(over) = it.taken_over {
        let seen = over.last_seen.map_or("not since".to_owned(), time);
        text.extend([format!(", from {} seen {seen}", over.generation)]);
    }
    text + if it.repeated { REPEATED } else { "" }
}

pub(super) fn done(it: Done) -> String {
    format!("at {}", it.cursor.position)
}

pub(super) fn stood(it: Stood) -> String {
    format!("{} {}", it.state, done(it.done))
}

pub(super) fn sent(it: &Sent) -> String {
    receipt(&it.receipt) + if it.repeated { REPEATED } else { "" }
}

pub(super) fn receipt(it: &Receipt) -> String {
    let reason = it.reason.map_or(String::new(), |why| format!(" {why}"));
    let copies = or_nothing(list(it.recipients.iter().map(recipient)));
    let mut text = format!(
        "{} {}{reason} at {}: {copies}",
        it.message_id, it.status, it.cursor.position
    );
    if !it.not_peered.is_empty() {
        let runs = list(it.not_peered.iter().map(ToString::to_string));
        text.extend([format!("; not to {runs}")]);
    }
    if let Some(at) = it.deadline {
        text.extend([format!("; by {}", time(at))]);
    }
    if !it.responses.is_empty() {
        let replies = it.responses.iter();
        let replies =
            replies.map(|it| format!("{} {}@{}", it.run_id, it.message_id, it.cursor.position));
        text.extend([format!("; {}", list(replies))]);
    }
    text
}

fn recipient(it: &RecipientStanding) -> String {
    let mut text = format!("{} {}#{}", it.run_id, it.state, it.attempt);
    if let Some(why) = it.why {
        text.extend([format!(" {why}")]);
    }
    if let Some(outcome) = it.outcome {
        text.extend([format!(" {outcome}")]);
    }
    text
}

/// Returns the steps of a receipt.
pub(super) fn timeline(it: &Receipt) -> String {
    let steps = it.timeline.iter().map(|step| {
        let run = step
            .run_id
            .as_ref()
            .map_or(String::new(), |run| format!(" {run}"));
        format!(
            "{} {}{run} {}",
            step.cursor.position,
            step.state,
            time(step.at)
        )
    });
    format!(
        "{} as of {}, {}",
        list(steps),
        it.as_of.position,
        it.durability
    )
}

pub(super) fn received(it: &Received) -> String {
    format!(
        "{} | {} unread",
        or_nothing(list(it.items.iter().map(item))),
        it.unread
    )
}

fn item(it: &Item) -> String {
    let mut text = format!("{}#{}", it.message_id, it.attempt);
    if let Some((claim, until)) = it.claim {
        text.extend([format!(" {claim} until {}", time(until))]);
    }
    if let Some(reply_to) = &it.reply_to {
        text.extend([format!(" to {reply_to}{}", reply(it.reply))]);
    }
    text
}

pub(super) fn member(it: &MemberView) -> String {
    let mut text = format!("{}/{}{}", it.run, it.generation, policies(&it.policies));
    text.extend(it.topics.iter().map(|topic| format!(" #{topic}")));
    if let Some(lease) = it.lease {
        text.extend([format!(" lease {}", span(lease))]);
    }
    text.extend([format!(", {} unread, {} wakes", it.unread, it.live_wakes)]);
    if let Some(at) = it.last_seen {
        text.extend([format!(", seen {}", time(at))]);
    }
    if let Some(until) = it.lost_until {
        text.extend([format!(", lost until {}", time(until))]);
    }
    if let Some(standing) = it.standing {
        text.extend([format!(", {standing}")]);
    }
    if let Some(asleep) = &it.suspended {
        let wakes = list(asleep.wakes.iter().map(ToString::to_string));
        let until = asleep
            .until
            .map_or(String::new(), |at| format!(" until {}", time(at)));
        text.extend([format!(
            ", asleep since {} for [{wakes}]{until}",
            asleep.cursor.position
        )]);
    }
    text
}

pub(super) fn pool(it: &PoolView) -> String {
    format!(
        "head {}, floor {}, version {}, {} members, {} lost, {} asleep, {} messages, {} wakes, {} dead",
        it.head.position,
        it.floor.position,
        it.settings_version,
        it.members,
        it.lost_members,
        it.suspended_members,
        it.live_messages,
        it.live_wakes,
        it.dead_letters
    )
}

pub(super) fn dead(it: &DeadLetterView) -> String {
    format!(
        "{} {}@{}#{} {} at {} by {}",
        it.run,
        it.message_id,
        it.cursor.position,
        it.attempt,
        it.reason,
        time(it.dead_at),
        it.dead_cursor.position
    )
}

pub(super) fn wake(it: &WakeView) -> String {
    let reason = it.reason.map_or(String::new(), |why| format!(" {why}"));
    let mut text = format!(
        "{} of {} {}{reason} at {}",
        it.wake_id, it.run_id, it.status, it.cursor.position
    );
    text.push_str(&policies(&it.policies));
    if !it.matches.is_empty() {
        let matches = it.matches.iter().map(|it| it.cursor.position.to_string());
        text.extend([format!(" by {}", list(matches))]);
    }
    if let Some(at) = it.deadline {
        text.extend([format!(", until {}", time(at))]);
    }
    if let Some(state) = it.run_state {
        text.extend([format!(", run {state}")]);
    }
    if it.summary.is_some() {
        text.push_str(", summed up");
    }
    text
}

pub(super) fn effect(it: &EffectView) -> String {
    let key = it
        .key
        .as_ref()
        .map_or(String::new(), |key| format!(" under {key}"));
    let result = it
        .result
        .as_ref()
        .map_or(String::new(), |it| format!(" {}", it.outcome));
    format!(
        "{} {} of {}{key} {} #{}{result}",
        it.effect.position, it.what, it.run_id, it.standing, it.attempts
    )
}

pub(super) fn report(it: &EffectReport) -> String {
    match it {
        EffectReport::Completed(view, at) => format!("{} {}", effect(view), done(*at)),
        EffectReport::Refused(fault, at) => format!("refused: {fault} {}", done(*at)),
    }
}

pub(super) fn appended(it: &Appended) -> String {
    let range = format!("{}..{} {}", it.first.position, it.last.position, it.count);
    let range = range + if it.repeated { REPEATED } else { "" };
    match it.already_taken {
        0 => range,
        taken => format!("{range}, {taken} taken before"),
    }
}
