//! The rows and fields of the answer of each verb: `--field` is checked against them before
//! anything is asked.

use super::{
    Verb, ask,
    contents::ContentsVerb,
    dead_letters::DeadLettersVerb,
    effects::EffectsVerb,
    filter::FilterVerb,
    forget, journal,
    journal::JournalVerb,
    pool::{ARCHIVED_FIELDS, PoolVerb},
    serve,
    store::StoreVerb,
    token::{ROTATED_FIELDS, TokenVerb},
};
use crate::{bench::ROW_FIELDS, carry::CARRIED_FIELDS, fields::Answer, up::MEMBER_FIELDS};

impl Verb {
    /// Returns the parts of its answer.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Serve(_) => Answer::Own(&serve::READY_FIELDS),
            Self::Up(_) => Answer::Own(&MEMBER_FIELDS),
            Self::Pool(verb) => pool(verb),
            Self::Join(_) => Answer::One("Joined"),
            Self::Leave(_)
            | Self::Ack(_)
            | Self::Release(_)
            | Self::DeadLetters(DeadLettersVerb::Replay(_))
            | Self::Effects(EffectsVerb::Resolve(_)) => Answer::One("Changed"),
            Self::Heartbeat(_) => Answer::OneOf(&["Changed", "ClaimsExtended"]),
            Self::Extend(_) => Answer::One("ClaimsExtended"),
            Self::Status(_) => Answer::Each("ServerStatus", "pools"),
            Self::Ask(_) => Answer::Own(&ask::REPLY_FIELDS),
            Self::Forget(_) => Answer::Own(&forget::FILE_FIELDS),
            Self::Members(_) => Answer::Each("MemberList", "members"),
            Self::State(_) => Answer::One("StateChanged"),
            Self::Send(_) | Self::Receipt(_) | Self::Cancel(_) => Answer::One("Receipt"),
            Self::Contents(verb) => contents(verb),
            Self::Inbox(_) => Answer::Each("InboxPage", "items"),
            Self::DeadLetters(DeadLettersVerb::List(_)) => {
                Answer::Each("DeadLetterList", "dead_letters")
            }
            Self::Effects(EffectsVerb::List(_)) => Answer::Each("EffectList", "effects"),
            Self::Emit(_) => Answer::One("EventsAppended"),
            Self::Wait(_) => Answer::With("WakeView", &["early"]),
            // The list shows wakes as they stand, and ending one shows it, too.
            Self::Wakes(_) => Answer::One("WakeChanged"),
            Self::Explain(_) => Answer::One("WakeExplanation"),
            Self::Watch(_) => Answer::One("Event"),
            Self::Filter(FilterVerb::Check(_)) => Answer::One("CompiledFilter"),
            Self::Journal(verb) => journal_answer(verb),
            Self::Store(StoreVerb::Copy(_) | StoreVerb::Move(_)) => Answer::Own(&CARRIED_FIELDS),
            Self::Token(TokenVerb::Rotate(_)) => Answer::Own(&ROTATED_FIELDS),
            Self::Bench(_) => Answer::Own(&ROW_FIELDS),
            Self::Body(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Help(_)
            | Self::Shim { .. }
            | Self::Verify(_) => Answer::Nothing,
        }
    }
}

fn pool(verb: &PoolVerb) -> Answer {
    match verb {
        PoolVerb::Open(_) => Answer::One("PoolOpened"),
        PoolVerb::List(_) => Answer::Each("PoolList", "pools"),
        PoolVerb::Show(_) => Answer::One("PoolView"),
        PoolVerb::Set(_) => Answer::One("SettingsChanged"),
        PoolVerb::Archive(_) => Answer::Own(&ARCHIVED_FIELDS),
        PoolVerb::Delete(_) => Answer::One("PoolDeleted"),
    }
}

fn contents(verb: &ContentsVerb) -> Answer {
    match verb {
        ContentsVerb::Put(_) => Answer::One("ContentStored"),
        ContentsVerb::Get(_) => Answer::Nothing,
        ContentsVerb::Erase(_) => Answer::One("ContentErased"),
    }
}

fn journal_answer(verb: &JournalVerb) -> Answer {
    match verb {
        JournalVerb::Verify(_) => Answer::Own(&journal::verify::POOL_FIELDS),
        JournalVerb::Stats(_) => Answer::Own(&journal::stats::POOL_FIELDS),
        JournalVerb::Show(_) => Answer::Own(&journal::show::RECORD_FIELDS),
        JournalVerb::Import(_) => Answer::Own(&CARRIED_FIELDS),
        JournalVerb::Export(_) => Answer::Nothing,
    }
}
