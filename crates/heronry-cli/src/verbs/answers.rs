//! The rows and fields of the answer of each verb: `--field` is checked against them before
//! anything is asked.

use super::{
    Verb,
    aliases::AliasesVerb,
    ask, bridge,
    consumers::ConsumersVerb,
    contents::ContentsVerb,
    dead_letters::DeadLettersVerb,
    edges::EdgesVerb,
    effects::EffectsVerb,
    export,
    filter::FilterVerb,
    forget, journal,
    journal::JournalVerb,
    labels::LabelsVerb,
    pool::{ARCHIVED_FIELDS, PoolVerb},
    roster::RosterVerb,
    serve,
    store::StoreVerb,
    token::{ROTATED_FIELDS, TokenVerb},
};
use crate::{bench::ROW_FIELDS, carry::CARRIED_FIELDS, fields::AnswerRows, up::MEMBER_FIELDS};

impl Verb {
    /// Returns the parts of its answer.
    pub(crate) fn answer(&self) -> AnswerRows {
        match self {
            Self::Serve(_) => AnswerRows::Own(&serve::READY_FIELDS),
            Self::Up(_) => AnswerRows::Own(&MEMBER_FIELDS),
            Self::Pool(verb) => pool(verb),
            Self::Join(_) => AnswerRows::One("Joined"),
            Self::Leave(_)
            | Self::Ack(_)
            | Self::Release(_)
            | Self::Edges(EdgesVerb::Wire(_) | EdgesVerb::Unwire(_))
            | Self::Aliases(AliasesVerb::Set(_) | AliasesVerb::Remove(_))
            | Self::Labels(LabelsVerb::Set(_) | LabelsVerb::Clear(_))
            | Self::DeadLetters(DeadLettersVerb::Replay(_))
            | Self::Effects(EffectsVerb::Resolve(_)) => AnswerRows::One("Changed"),
            Self::Heartbeat(_) => AnswerRows::OneOf(&["Changed", "ClaimsExtended"]),
            Self::Extend(_) => AnswerRows::One("ClaimsExtended"),
            Self::Status(_) => AnswerRows::Each("ServerStatus", "pools"),
            Self::Ask(_) => AnswerRows::Own(&ask::REPLY_FIELDS),
            Self::Forget(_) => AnswerRows::Own(&forget::FILE_FIELDS),
            Self::Members(_) => AnswerRows::Each("MemberList", "members"),
            Self::Edges(EdgesVerb::List(_)) => AnswerRows::Each("EdgeList", "edges"),
            Self::Aliases(AliasesVerb::List(_)) => AnswerRows::Each("AliasList", "aliases"),
            Self::Labels(LabelsVerb::Show(_)) => AnswerRows::One("LabelsShown"),
            Self::Roster(RosterVerb::Show(_)) => AnswerRows::Each("RosterList", "members"),
            Self::Modules(_) => AnswerRows::Each("ModuleList", "modules"),
            Self::State(_) => AnswerRows::One("StateChanged"),
            Self::Send(_) | Self::Receipt(_) | Self::Cancel(_) => AnswerRows::One("Receipt"),
            Self::Contents(verb) => contents(verb),
            Self::Inbox(_) => AnswerRows::Each("InboxPage", "items"),
            Self::DeadLetters(DeadLettersVerb::List(_)) => {
                AnswerRows::Each("DeadLetterList", "dead_letters")
            }
            Self::Effects(EffectsVerb::List(_)) => AnswerRows::Each("EffectList", "effects"),
            Self::Emit(_) => AnswerRows::One("EventsAppended"),
            Self::Bridge(_) => AnswerRows::Own(&bridge::BRIDGE_FIELDS),
            Self::Wait(_) => AnswerRows::With("WakeView", &["early"]),
            // The list shows wakes as they stand, and ending one shows it, too.
            Self::Wakes(_) => AnswerRows::One("WakeChanged"),
            Self::Explain(_) => AnswerRows::One("WakeExplanation"),
            Self::Watch(_) => AnswerRows::One("Event"),
            Self::Export(_) => AnswerRows::Own(&export::EXPORT_FIELDS),
            Self::Consumers(verb) => consumers(verb),
            Self::Filter(FilterVerb::Check(_)) => AnswerRows::One("CompiledFilter"),
            Self::Journal(verb) => journal_answer(verb),
            Self::Store(StoreVerb::Copy(_) | StoreVerb::Move(_)) => {
                AnswerRows::Own(&CARRIED_FIELDS)
            }
            Self::Backup(_) => AnswerRows::Own(&journal::verify::POOL_FIELDS),
            Self::Restore(_) => AnswerRows::Own(&CARRIED_FIELDS),
            Self::Token(TokenVerb::Rotate(_)) => AnswerRows::Own(&ROTATED_FIELDS),
            Self::Bench(_) => AnswerRows::Own(&ROW_FIELDS),
            Self::Body(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Help(_)
            | Self::Shim { .. }
            | Self::Verify(_) => AnswerRows::Nothing,
        }
    }
}

fn consumers(verb: &ConsumersVerb) -> AnswerRows {
    match verb {
        ConsumersVerb::List(_) => AnswerRows::Each("ConsumerList", "consumers"),
        ConsumersVerb::Resume(_) => AnswerRows::One("ConsumerResumed"),
        ConsumersVerb::Forget(_) => AnswerRows::One("ConsumerForgotten"),
    }
}

fn pool(verb: &PoolVerb) -> AnswerRows {
    match verb {
        PoolVerb::Open(_) => AnswerRows::One("PoolOpened"),
        PoolVerb::List(_) => AnswerRows::Each("PoolList", "pools"),
        PoolVerb::Show(_) => AnswerRows::One("PoolView"),
        PoolVerb::Set(_) => AnswerRows::One("SettingsChanged"),
        PoolVerb::Archive(_) => AnswerRows::Own(&ARCHIVED_FIELDS),
        PoolVerb::Delete(_) => AnswerRows::One("PoolDeleted"),
    }
}

fn contents(verb: &ContentsVerb) -> AnswerRows {
    match verb {
        ContentsVerb::Put(_) => AnswerRows::One("ContentStored"),
        ContentsVerb::Get(_) => AnswerRows::Nothing,
        ContentsVerb::Erase(_) => AnswerRows::One("ContentErased"),
    }
}

fn journal_answer(verb: &JournalVerb) -> AnswerRows {
    match verb {
        JournalVerb::Verify(_) => AnswerRows::Own(&journal::verify::POOL_FIELDS),
        JournalVerb::Stats(_) => AnswerRows::Own(&journal::stats::POOL_FIELDS),
        JournalVerb::Show(_) => AnswerRows::Own(&journal::show::RECORD_FIELDS),
        JournalVerb::Import(_) => AnswerRows::Own(&CARRIED_FIELDS),
        JournalVerb::Export(_) => AnswerRows::Nothing,
        JournalVerb::Trim(_) => AnswerRows::One("JournalTrimmed"),
        JournalVerb::Snapshot(_) => AnswerRows::One("SnapshotTaken"),
    }
}
