//! Questions about dead letters.

use heronry_types::{CopyState, Cursor, LimitName, Position, RunId};

use crate::{
    Caller, DeadLetterPage, DeadLetterView, Rejection, State,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::guard,
    state::DeadCopy,
};

/// Asks which copies are dead: a member its own, an operator all or those of one run. One page of
/// them, by recipient and then by the acceptance of their message.
#[derive(Clone, Debug)]
pub struct ListDeadLetters {
    /// The authenticated caller.
    pub caller: Caller,
    /// The recipient of the dead letters. `None`: the caller itself, or all recipients for an operator.
    pub run: Option<RunId>,
    /// Only those that come after this one; it need not be dead.
    pub after: Option<(RunId, Cursor)>,
    /// The highest number of dead letters in the answer.
    pub max: u64,
}

impl Command for ListDeadLetters {
    type Answer = DeadLetterPage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        if let Some((_, after)) = &self.after {
            state.locate(*after)?;
        }
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<DeadLetterPage, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let own = self.caller.run_or_own(self.run.as_ref());
        let after = self.after.as_ref();
        let start = after.map(|(run, after)| (run.clone(), after.position.next()));
        let start = start.max(own.map(|run| (run.clone(), Position::ZERO)));
        let (run, accepted) = start.unzip();
        let of_run = |run: &RunId| own.is_none_or(|own| own == run);
        let mut following: Box<dyn Iterator<Item = DeadCopy<'_>>> = match (run, accepted) {
            (Some(run), Some(accepted)) => Box::new(state.dead.from(run, accepted)),
            (None, _) | (_, None) => Box::new(state.dead.iter()),
        };
        let mut letters = Vec::new();
        let mut next = None;
        while let Some(dead) = following.next().filter(|dead| of_run(dead.run)) {
            if letters.len() == max {
                next = letters
                    .last()
                    .map(|last: &DeadLetterView| (last.run.clone(), last.cursor));
                break;
            }
            letters.extend(view(state, dead));
        }
        Ok(DeadLetterPage {
            letters,
            next,
            as_of: state.head_cursor(),
        })
    }
}

fn view(state: &State, dead: DeadCopy<'_>) -> Option<DeadLetterView> {
    let DeadCopy {
        run,
        accepted,
        letter,
    } = dead;
    let message = state.messages.get(accepted)?;
    let standing = message.copy_of(run)?.standing();
    debug_assert_eq!(standing.state, CopyState::Dead, "a dead letter is dead");
    Some(DeadLetterView {
        run: run.clone(),
        message_id: message.accepted.message_id.clone(),
        from: message.sender()?.clone(),
        cursor: state.cursor(accepted),
        attempt: standing.attempt,
        reason: letter.reason,
        dead_at: letter.at,
        dead_cursor: state.cursor(letter.position),
        content_ref: message.accepted.content_ref,
    })
}
