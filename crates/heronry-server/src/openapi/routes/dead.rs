//! Dead letters.

use heronry_wire::{Changed, DeadLetterList, DeadLettersQuery, ProblemKind};

use crate::openapi::{CURSORS, Contract, Tag};

pub(crate) fn list_dead_letters(contract: Contract) -> Contract {
    contract
        .named("listDeadLetters", Tag::DeadLetters)
        .queries::<DeadLettersQuery>()
        .answers::<DeadLetterList>(200, "A page of the dead letters.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch])
}

pub(crate) fn replay_dead_letter(contract: Contract) -> Contract {
    contract
        .named("replayDeadLetter", Tag::DeadLetters)
        .answers::<Changed>(200, "The run has a new copy.")
        .refuses(&CURSORS)
        .refuses(&[
            ProblemKind::DeadLetterNotFound,
            ProblemKind::NotDead,
            ProblemKind::MessageOver,
        ])
}
