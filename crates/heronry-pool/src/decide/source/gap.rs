//! Recording that events of a source are missing.

use heronry_journal::{Body, RequestHash, SourceGap};
use heronry_types::{Epoch, IdempotencyKey, LimitName, NewSourceGap, RunId, SourcePosition};

use crate::{
    Caller, Done, EventFault, GapRecorded, Minter, Rejection, State,
    command::{
        self, AboutWakes, Applied, Command, Cx, Decision, Draft, How, Names, Profile, Speaker,
    },
    decide::{
        guard,
        source::{SourceClaim, admit, admit_claim, author, check_position},
    },
    hash::RequestHasher,
    rejection::ConflictField,
    state::ForeignSource,
};

/// Records that events of a source are missing, for an operator or for the member that reports from it.
/// Of what is known to be missing, a repeat records nothing.
#[derive(Clone, Debug)]
pub struct RecordSourceGap {
    caller: Caller,
    run: Option<RunId>,
    claim: SourceClaim,
    gap: NewSourceGap,
    key: IdempotencyKey,
    hash: RequestHash,
}

impl RecordSourceGap {
    /// Returns the command, under a key among those of the source; `run` is the run that the gap is
    /// about, which need not be a member any more.
    pub fn new(
        caller: Caller,
        run: Option<RunId>,
        claim: SourceClaim,
        gap: NewSourceGap,
        key: IdempotencyKey,
    ) -> Self {
        let mut hasher = RequestHasher::new("source-gap/1");
        hasher.put((&run, &claim.source));
        hasher.put(&gap);
        Self {
            hash: hasher.finish(),
            caller,
            run,
            claim,
            gap,
            key,
        }
    }

    /// Returns true when what the gap covers was taken, or is known to be missing.
    fn is_known(&self, source: Option<&ForeignSource>) -> bool {
        let through = self.gap.through.as_ref();
        source.is_some_and(|source| through.is_some_and(|through| source.has_taken(through)))
    }

    fn check_places(&self, source: Option<&ForeignSource>) -> Result<(), Rejection> {
        let of_gap = |fault| Rejection::Event { index: 0, fault };
        let places = [&self.gap.after, &self.gap.through];
        let places = || places.into_iter().flatten();
        places()
            .try_for_each(|place| check_position(source, place))
            .map_err(of_gap)?;
        let are_numbers = places().map(|place| matches!(place, SourcePosition::Number(_)));
        let are_numbers: Vec<bool> = are_numbers.collect();
        if let [after, through] = are_numbers.as_slice()
            && after != through
        {
            return Err(of_gap(EventFault::OtherPositions));
        }
        Ok(())
    }
}

impl Command for RecordSourceGap {
    type Answer = GapRecorded;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        Some(Names::of_source(&self.claim.source, &self.key))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        if let Some(run) = &self.run {
            guard::identity(&self.caller, run)?;
        }
        // Who may not speak of the source learns nothing of its keys.
        admit(state, &self.caller, &self.claim.source)?;
        if let Some(first) =
            command::repeat(state, cx.prior, self.hash, ConflictField::IdempotencyKey)?
        {
            return Ok(Decision::Repeat(first));
        }
        guard::present(state, &self.caller)?;
        let source = admit_claim(state, &self.caller, &self.claim)?;
        self.check_places(source)?;
        let note = self.gap.note.as_ref().map_or(0, String::len);
        guard::limit(state, LimitName::NoteBytesMax, note as u64)?;
        if self.is_known(source) {
            return Ok(Decision::Nothing);
        }
        let last = || {
            let last = source.and_then(ForeignSource::last_number);
            last.map(SourcePosition::Number)
        };
        let gap = self.gap.clone();
        let body = SourceGap {
            source: self.claim.source.clone(),
            after: gap.after.or_else(last),
            through: gap.through,
            missed: gap.missed,
            reason: gap.reason,
            note: gap.note,
            idempotency_key: self.key.clone(),
            request_hash: self.hash,
        };
        let author = author(state, &self.caller, self.run.as_ref());
        let entry = author.last_entry(Body::SourceGap(Box::new(body)));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<GapRecorded, Rejection> {
        Ok(GapRecorded {
            done: Done::at(state, applied),
            repeated: applied.how != How::Written,
        })
    }
}
