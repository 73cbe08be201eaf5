//! Giving claims back.

use heronry_journal::{Body, Claim, Entry, MessageReleased};
use heronry_types::{LimitName, Millis, Position, ReleaseReason, RunId, Timestamp};

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{
        ClaimSet, guard,
        message::{
            ack::{self, HeldClaims},
            dead::{self, Dying},
            delivery,
        },
    },
    state::{Member, MessageAt},
};

/// Gives claimed copies back, at once or after a delay. It counts as an attempt.
#[derive(Clone, Debug)]
pub struct ReleaseClaims {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The claims.
    pub claims: Vec<Claim>,
    /// The time during which the copies cannot be claimed. `None`: they can be claimed at once.
    pub delay: Option<Millis>,
}

impl Command for ReleaseClaims {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        let delay = self.delay.filter(|delay| delay.0 > 0);
        guard::limit(
            state,
            LimitName::ClaimMsMax,
            delay.map_or(0, |delay| delay.0),
        )?;
        let author = Author::member(state, &self.caller, member);
        let claims = self.claims.clone();
        let entries = Giving {
            author: &author,
            member,
            claims,
            delay,
        }
        .entries(state, cx.now)?;
        if entries.is_empty() {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}

/// A member that gives claims back.
pub(in crate::decide) struct Giving<'a> {
    /// The author of the records: the member, or an operator for it.
    pub(in crate::decide) author: &'a Author,
    /// The member.
    pub(in crate::decide) member: &'a Member,
    /// The claims.
    pub(in crate::decide) claims: Vec<Claim>,
    /// The time for which the copies cannot be claimed; absent: none.
    pub(in crate::decide) delay: Option<Millis>,
}

impl Giving<'_> {
    /// Returns the records; none when it names no claims.
    pub(in crate::decide) fn entries(
        self,
        state: &State,
        now: Timestamp,
    ) -> Result<Vec<Entry>, Rejection> {
        let Self {
            author,
            member,
            claims,
            delay,
        } = self;
        let HeldClaims(mut claims) = ack::held_claims(state, member, &ClaimSet::These(claims))?;
        delivery::check_delay(state, claims.iter().map(|(claim, _)| claim), delay)?;
        let mut dying = Dying::default();
        claims.retain(|(claim, _)| {
            let Some(message) = state.messages.get(claim.accepted) else {
                return true;
            };
            let why = ReleaseReason::Released;
            let reason = dead::dies(state, message, &member.run, now, why);
            if let Some(reason) = reason {
                let accepted = claim.accepted;
                dying.add(MessageAt { accepted, message }, &member.run, reason);
            }
            reason.is_none()
        });
        let mut entries = Vec::new();
        if !claims.is_empty() {
            let body = MessageReleased {
                claims,
                reason: ReleaseReason::Released,
                visible_at: delay.map(|delay| now.after(delay)),
            };
            entries.push(author.entry(Body::MessageReleased(body)));
        }
        entries.extend(dying.entries(state));
        Ok(entries)
    }
}

/// Gives back, uncounted, the claims of a receive whose answer could not be handed over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReleaseUnanswered {
    /// The member.
    pub run: RunId,
    /// The record that claimed them.
    pub fetched: Position,
}

impl Command for ReleaseUnanswered {
    type Answer = ();

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).owed()
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let Some(member) = state.members.get(&self.run) else {
            return Ok(Decision::Nothing);
        };
        let claims = member.inbox.claims_of(self.fetched);
        let named = claims.into_iter().filter_map(|claim| {
            Some((
                claim,
                state
                    .messages
                    .get(claim.accepted)?
                    .accepted
                    .message_id
                    .clone(),
            ))
        });
        let claims: Vec<_> = named.collect();
        if claims.is_empty() {
            return Ok(Decision::Nothing);
        }
        let reason = ReleaseReason::Unanswered;
        let body = MessageReleased {
            claims,
            reason,
            visible_at: None,
        };
        let author = Author::engine(state.lineage_of(&self.run));
        Ok(Decision::Write(Draft::of(vec![
            author.entry(Body::MessageReleased(body)),
        ])))
    }

    fn answer(&self, _: &State, _: Applied<'_>) -> Result<(), Rejection> {
        Ok(())
    }
}
