//! Holding claims for longer.

use heronry_journal::{Body, Claim, MessageExtended};
use heronry_types::{LimitName, Millis, RunId, Timestamp};

use crate::{
    Caller, Done, Extended, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{
        ClaimSet, guard,
        message::ack::{self, ClaimHold, HeldClaims},
    },
    state::CopySlot,
};

/// Holds claims for this long from now on, but not past the expiry of their messages.
#[derive(Clone, Debug)]
pub struct ExtendClaims {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The claims.
    pub claims: Vec<Claim>,
    /// The time for which the claims are held, from now on.
    pub claim_ms: Millis,
}

impl ExtendClaims {
    /// Not past the expiry of the message, but never shorter than the claim is because of it.
    fn until(&self, state: &State, cx: &Cx<'_>, claim: Claim) -> Timestamp {
        let until = cx.now.after(self.claim_ms);
        let message = state.messages.get(claim.accepted);
        let slot = message.and_then(|m| m.copy_of(&self.run)).map(|c| c.slot);
        let held = match slot {
            Some(CopySlot::Claimed { until, .. }) if until < Timestamp::LAST => until,
            None | Some(_) => cx.now,
        };
        let expires = message.and_then(|m| m.accepted.expires_at);
        expires.map_or(until, |expires| until.min(expires.max(held)))
    }
}

impl Command for ExtendClaims {
    type Answer = Extended;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::limit(state, LimitName::ClaimMsMax, self.claim_ms.0)?;
        let HeldClaims(held) =
            ack::held_claims(state, member, &ClaimSet::These(self.claims.clone()))?;
        if held.is_empty() {
            return Ok(Decision::Nothing);
        }
        let until = |(claim, id)| (claim, id, self.until(state, cx, claim));
        let claims = held.into_iter().map(until).collect();
        let author = Author::member(state, &self.caller, member);
        let body = Body::MessageExtended(MessageExtended { claims });
        Ok(Decision::Write(Draft::of(vec![author.entry(body)])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Extended, Rejection> {
        let mut held = Vec::with_capacity(self.claims.len());
        for claim in &self.claims {
            // What was acknowledged is not held any more, and needs nothing.
            if ack::hold(state, &self.run, *claim)?.hold == ClaimHold::Held {
                held.push(*claim);
            }
        }
        Ok(Extended {
            done: Done::at(state, applied),
            held,
        })
    }
}
