//! Erasing a body.

use heronry_journal::{Body, ContentErased, CopyName};
use heronry_store::{ContentPlace, Tombstone};
use heronry_types::{ContentRef, Position};

use crate::{
    Caller, Minter, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::guard,
    state::MessageAt,
};

/// Asks whether the caller may erase a body, and where to look for it.
#[derive(Clone, Debug)]
pub struct ErasureAccess {
    /// The authenticated caller: the first sender of the body, the one that stored it, or an operator.
    pub caller: Caller,
    /// The body.
    pub content_ref: ContentRef,
    /// Knows for whom a body was stored.
    pub minter: Minter,
}

impl Command for ErasureAccess {
    /// The acceptance of the first message that refers to it, as in
    /// [`ContentAccess`](crate::decide::ContentAccess).
    type Answer = Option<Position>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        check_owner(state, &self.caller, &self.minter, self.content_ref)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Option<Position>, Rejection> {
        Ok(first_message(state, self.content_ref).map(|first| first.accepted))
    }
}

/// Erases a body that is stored: its bytes go with the append that records this.
#[derive(Clone, Debug)]
pub struct EraseContent {
    /// The authenticated caller: the first sender of the body, the one that stored it, or an operator.
    pub caller: Caller,
    /// The body.
    pub content_ref: ContentRef,
    /// The place of the body.
    pub place: ContentPlace,
    /// The tombstone that is left of it; its time is that of the record.
    pub left: Tombstone,
}

impl Command for EraseContent {
    /// The tombstone that is left of the body.
    type Answer = Tombstone;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        check_owner(state, &self.caller, cx.minter, self.content_ref)?;
        let first = first_message(state, self.content_ref);
        let body = ContentErased {
            content_ref: self.content_ref,
            digest: self.left.digest,
            media_type: (&*self.left.media_type).into(),
            body_bytes: self.left.bytes,
            message: first.map(|first| CopyName {
                accepted: first.accepted,
                message_id: first.message.accepted.message_id.clone(),
            }),
            stored_with: match self.place {
                ContentPlace::Alone => None,
                ContentPlace::With(position) => Some(position),
            },
        };
        let entry = self
            .author(state)
            .last_entry(Body::ContentErased(Box::new(body)));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, _: &State, applied: Applied<'_>) -> Result<Tombstone, Rejection> {
        let mut left = self.left.clone();
        left.erased_at = applied.now;
        Ok(left)
    }
}

impl EraseContent {
    fn author(&self, state: &State) -> Author {
        if let Some(MessageAt { accepted, message }) = first_message(state, self.content_ref) {
            return Author::of_message(state, &self.caller, message).caused_by(accepted);
        }
        let run = self.caller.run_or_own(None);
        match run.and_then(|run| state.members.get(run)) {
            Some(member) => Author::member(state, &self.caller, member),
            None => Author::operator(state),
        }
    }
}

/// Returns the first message that refers to a body.
fn first_message(state: &State, content_ref: ContentRef) -> Option<MessageAt<'_>> {
    state.messages.of_content(content_ref).into_iter().next()
}

/// Checks that the caller may erase a body. Who may not is told nothing of it.
fn check_owner(
    state: &State,
    caller: &Caller,
    minter: &Minter,
    content_ref: ContentRef,
) -> Result<(), Rejection> {
    let Caller::Member { run, .. } = caller else {
        return Ok(());
    };
    let first = first_message(state, content_ref);
    let sent = first.is_some_and(|first| first.message.sender() == Some(run));
    if sent || minter.stores(Some(run), content_ref) {
        Ok(())
    } else {
        Err(Rejection::ContentMissing)
    }
}
