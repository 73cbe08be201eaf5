//! Effects: an intent before, an attempt, and a result afterwards.

use heronry_journal::{
    Body, EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused,
    RequestHash,
};
use heronry_types::{
    Cursor, EffectFault, EffectResult, EffectStanding, EffectView, Epoch, IdempotencyKey,
    LimitName, Position, RunId,
};

use crate::{
    Caller, Done, EffectPage, EffectReport, EffectStarted, Minter, Rejection, State, answer,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Profile,
        Speaker,
    },
    decide::guard,
    hash::RequestHasher,
    rejection::ConflictField,
    state::{Effect, EffectAt},
};

/// Intends an effect, and attempts it for the first time in the same append. An effect with a key
/// that was intended before is the one of then.
#[derive(Clone, Debug)]
pub struct IntendEffect {
    caller: Caller,
    run: RunId,
    what: String,
    key: Option<IdempotencyKey>,
    hash: RequestHash,
}

impl IntendEffect {
    /// Returns the command; hashes the request, so call it on the caller's side of the queue.
    pub fn new(caller: Caller, run: RunId, what: String, key: Option<IdempotencyKey>) -> Self {
        let mut hasher = RequestHasher::new("effect/1");
        hasher.put(&what);
        Self {
            caller,
            run,
            what,
            key,
            hash: hasher.finish(),
        }
    }
}

impl Command for IntendEffect {
    type Answer = EffectStarted;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        let key = self.key.clone()?;
        Some(Names::new(&self.run, Some(key), None))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.run)?;
        if let Some(first) =
            command::repeat(state, cx.prior, self.hash, ConflictField::IdempotencyKey)?
        {
            return Ok(Decision::Repeat(first));
        }
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::limit(state, LimitName::NoteBytesMax, self.what.len() as u64)?;
        let pending = state.effects.pending_of(&self.run) as u64 + 1;
        guard::limit(state, LimitName::PendingEffectsPerRunMax, pending)?;
        let author = Author::member(state, &self.caller, member);
        let key = self.key.clone().map(|idempotency_key| EffectKey {
            idempotency_key,
            request_hash: self.hash,
        });
        let intended = author.entry(Body::EffectIntended(EffectIntended {
            what: self.what.clone(),
            generation: member.generation,
            key,
        }));
        let position = state.head.next();
        let body = EffectAttempted {
            intended: position,
            attempt: 1,
            generation: member.generation,
        };
        let author = author.caused_by(position);
        let attempted = author.last_entry(Body::EffectAttempted(body));
        Ok(Decision::Write(Draft::of(vec![intended, attempted])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<EffectStarted, Rejection> {
        let effect = state.effects.get(applied.first);
        let effect = effect.ok_or(Rejection::EffectNotFound)?;
        Ok(EffectStarted {
            effect: answer::effect_view(state, applied.first, effect),
            repeated: applied.how == How::Repeated,
        })
    }
}

/// Attempts an effect with a key once more: one of the caller's own generation, or an orphan, which
/// the caller's generation takes over.
#[derive(Clone, Debug)]
pub struct AttemptEffect {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that has the effect.
    pub run: RunId,
    /// Its intent.
    pub effect: Cursor,
    /// The number of attempts that the caller knows of. The command is refused when the effect has
    /// another number.
    pub after: u32,
}

impl Command for AttemptEffect {
    type Answer = EffectView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let generation = match &self.caller {
            Caller::Operator => None,
            Caller::Member { .. } => {
                Some(guard::standing(state, &self.caller, &self.run)?.generation)
            }
        };
        let EffectAt { intended, effect } =
            find(state, self.effect, &self.run).ok_or(Rejection::EffectNotFound)?;
        match effect.standing(&state.members) {
            EffectStanding::Finished => return Err(Rejection::EffectFinished),
            EffectStanding::UnsafePending => return Err(Rejection::EffectUnsafe),
            EffectStanding::Pending if effect.intended.key.is_none() => {
                return Err(Rejection::EffectUnsafe);
            }
            EffectStanding::Pending | EffectStanding::RetrySafe => {}
        }
        if effect.attempts != self.after {
            return Err(Rejection::EffectStale);
        }
        let author = Author::of_run(state, &self.caller, &self.run).caused_by(intended);
        let body = Body::EffectAttempted(EffectAttempted {
            intended,
            attempt: effect.attempts.saturating_add(1),
            generation: generation.unwrap_or(effect.generation),
        });
        Ok(Decision::Write(Draft::of(vec![author.last_entry(body)])))
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<EffectView, Rejection> {
        let EffectAt { intended, effect } =
            find(state, self.effect, &self.run).ok_or(Rejection::EffectNotFound)?;
        Ok(answer::effect_view(state, intended, effect))
    }
}

/// Says how an effect ended. What cannot be its result is refused, and that is recorded; the same
/// result of the same attempt again is a repeat, and records nothing.
#[derive(Clone, Debug)]
pub struct ReportEffect {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that has the effect. `None`: an operator leaves it to the effect.
    pub run: Option<RunId>,
    /// Its intent.
    pub effect: Cursor,
    /// The attempt whose result it is; absent: an operator resolves it from outside.
    pub attempt: Option<u32>,
    /// The result that is reported.
    pub result: EffectResult,
}

impl ReportEffect {
    fn whose<'a>(&'a self, state: &'a State) -> Option<&'a RunId> {
        let stored = || Some(&state.effects.get(self.effect.position)?.run);
        self.run.as_ref().or_else(stored)
    }

    /// Returns the reason why it is not the result of the effect. `None` when it is.
    fn fault(&self, state: &State, effect: Option<&Effect>) -> Option<EffectFault> {
        let Some(effect) = effect else {
            return Some(EffectFault::Unknown);
        };
        let is_owner = match &self.caller {
            Caller::Operator => true,
            Caller::Member { generation, run } => {
                let member = state.members.get(run);
                *generation == effect.generation
                    && member.is_some_and(|member| member.generation == *generation)
            }
        };
        let is_last = self
            .attempt
            .is_none_or(|attempt| attempt == effect.attempts);
        if effect.end.is_some() {
            Some(EffectFault::Finished)
        } else if is_owner && is_last {
            None
        } else {
            Some(EffectFault::Stale)
        }
    }

    fn is_repeat(&self, effect: Option<&Effect>) -> bool {
        let end = effect.and_then(|effect| effect.end.as_ref());
        end.is_some_and(|end| end.attempt == self.attempt && end.result == self.result)
    }
}

impl Command for ReportEffect {
    type Answer = EffectReport;

    fn profile(&self) -> Profile<'_> {
        // An operator who resolves an effect by hand does not say that its run is there.
        let speaker = match (&self.run, self.attempt) {
            (Some(run), Some(_)) => Speaker::Acting(&self.caller, run),
            (None, _) | (_, None) => Speaker::Asking(&self.caller),
        };
        Profile::new(AboutWakes::Nothing)
            .reserved_for(self.run.as_ref())
            .spoken_by(speaker)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        if self.attempt.is_none() {
            guard::operator(&self.caller)?;
        }
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        guard::note(state, self.result.note.as_ref())?;
        let whose = self.whose(state);
        let found = whose.and_then(|run| find(state, self.effect, run));
        let effect = found.map(|found| found.effect);
        if self.is_repeat(effect) {
            return Ok(Decision::Nothing);
        }
        let author = match whose {
            Some(run) => Author::of_run(state, &self.caller, run),
            None => Author::operator(state),
        };
        let (attempt, result) = (self.attempt, self.result.clone());
        let intended = self.effect.position;
        let entry = match self.fault(state, effect) {
            None => author
                .caused_by(intended)
                .last_entry(Body::EffectCompleted(EffectCompleted {
                    intended,
                    attempt,
                    result,
                })),
            Some(fault) => author.last_entry(Body::EffectResultRefused(EffectResultRefused {
                intended,
                attempt,
                result,
                fault,
            })),
        };
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<EffectReport, Rejection> {
        let done = Done::at(state, applied);
        let found = self
            .whose(state)
            .and_then(|run| find(state, self.effect, run));
        let Some(EffectAt { intended, effect }) = found else {
            return Ok(EffectReport::Refused(EffectFault::Unknown, done));
        };
        let is_its_end = match (&effect.end, applied.how) {
            (Some(end), How::Written) => end.at == applied.first,
            (Some(_), How::Unchanged | How::Repeated) => true,
            (None, _) => false,
        };
        Ok(if is_its_end {
            EffectReport::Completed(answer::effect_view(state, intended, effect), done)
        } else if effect.end.is_some() {
            EffectReport::Refused(EffectFault::Finished, done)
        } else {
            EffectReport::Refused(EffectFault::Stale, done)
        })
    }
}

/// Asks which effects have no result: a member its own, an operator all or those of one run.
#[derive(Clone, Debug)]
pub struct ListEffects {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run whose effects are listed. `None`: the caller's own, or all for an operator.
    pub run: Option<RunId>,
    /// Only effects after this one.
    pub after: Option<Cursor>,
    /// The highest number of effects in the answer.
    pub max: u64,
}

impl Command for ListEffects {
    /// The effects, oldest first.
    type Answer = EffectPage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        if let Some(after) = self.after {
            state.locate(after)?;
        }
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<EffectPage, Rejection> {
        let run = self.caller.run_or_own(self.run.as_ref());
        let after = self.after.map_or(Position::ZERO, |after| after.position);
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut pending = state.effects.pending_after(after, run);
        let shown = pending.by_ref().take(max);
        let effects: Vec<_> = shown
            .map(|it| answer::effect_view(state, it.intended, it.effect))
            .collect();
        let last = effects.last().map(|effect| effect.effect);
        Ok(EffectPage {
            next: pending.next().and(last),
            effects,
            as_of: state.head_cursor(),
        })
    }
}

/// Returns the effect of this run whose intent stands there.
fn find<'a>(state: &'a State, effect: Cursor, run: &RunId) -> Option<EffectAt<'a>> {
    let intended = effect.position;
    let found = state.effects.get(intended)?;
    let is_it = found.run == *run && state.cursor(intended) == effect;
    is_it.then_some(EffectAt {
        intended,
        effect: found,
    })
}
