//! Commands of scenarios about messages, copies, claims and dead letters.

use heronry_journal::Claim;
use heronry_pool::decide::{
    AckCopies, CancelMessage, ClaimSet, Content, Expiry, ExtendClaims, FetchMessages, FindMessage,
    ListDeadLetters, PeekInbox, ReleaseClaims, ReleaseUnanswered, ReplayCopy, Select, SendMessage,
    SendRequest,
};
use heronry_types::{AckOutcome, Body, Digest, Millis, Timestamp};

use super::{
    Letter, Scenario, Step, Take, answers,
    notation::{Enclosed, Expires, address, id, policies},
    record_text::{list, or_nothing},
};

impl Scenario {
    /// Returns the claims that a run got: `m1` its last one of that message, `m1 of r1` that of a receive,
    /// `5@8` whatever it says.
    pub(super) fn claims_of(&self, run: &str, texts: &str) -> Vec<Claim> {
        let texts = texts
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty());
        texts.map(|text| self.claim_of(run, text)).collect()
    }

    fn claim_of(&self, run: &str, text: &str) -> Claim {
        if let Ok(claim) = text.parse() {
            return claim;
        }
        let (message, receive) = text.split_once(" of ").unwrap_or((text, ""));
        let mut held = self.claims.iter().rev();
        let found = held.find(|held| {
            let is_of = receive.is_empty() || held.receive == receive;
            held.run == run && held.message == message && is_of
        });
        found.unwrap().claim
    }

    fn enclosed(&self, letter: &Letter) -> Content {
        let stored = |name: &String, erased_at| Content::Stored {
            content_ref: self.contents[name],
            media_type: letter.media_type.clone(),
            bytes: 1,
            digest: Digest([1; 32]),
            erased_at,
        };
        match &letter.body {
            Enclosed::Text(text) => {
                Content::Inline(Body::new(letter.media_type.as_str(), text.as_bytes()))
            }
            Enclosed::Stored(name) => stored(name, None),
            Enclosed::Erased(name) => stored(name, Some(self.now())),
        }
    }

    fn requested(&self, letter: &Letter) -> SendRequest {
        let mut request =
            SendRequest::new(address(&letter.to), self.enclosed(letter), id(&letter.key));
        request.message_id = letter.id.as_deref().map(id);
        request.correlation = letter.correlation.clone();
        request.reply_to = letter.reply_to.as_deref().map(id);
        request.contract.clone_from(&letter.contract);
        request.expiry = letter.expires.map(|expires| match expires {
            Expires::In(millis) => Expiry::In(Millis(millis)),
            Expires::At(millis) => Expiry::At(Timestamp::from_millis(millis.try_into().unwrap())),
        });
        request.options = letter.options;
        request.policies = policies(&letter.policies);
        request
    }

    pub(crate) fn send(&mut self, by: &str, letter: &Letter) -> Step {
        let (caller, run) = self.speaker(by);
        let send = SendMessage::new(caller, run, self.requested(letter));
        self.step(&send, |it| answers::sent(&it))
    }

    /// Sends a message to an address.
    pub(crate) fn say(&mut self, by: &str, to: &str, message: &str) -> Step {
        self.send(by, &Letter::to(to, message))
    }

    pub(crate) fn receive(&mut self, by: &str, take: impl Into<Take>) -> Step {
        let take = take.into();
        let (caller, run) = self.speaker(by);
        let these = take.these.map(|these| {
            let cursors = these.iter().map(|at| self.cursor(&at.to_string()));
            cursors.collect()
        });
        let fetch = FetchMessages {
            caller,
            run,
            receive_id: id(&take.receive),
            max: take.max,
            claim_ms: take.claim,
            select: these.map_or(Select::Any, Select::These),
        };
        self.step(&fetch, |it| answers::received(&it))
    }

    pub(crate) fn peek(&mut self, by: &str, max: u64) -> Step {
        let (caller, run) = self.speaker(by);
        self.step(&PeekInbox { caller, run, max }, |it| answers::received(&it))
    }

    fn acked(
        &mut self,
        by: &str,
        (claims, outcome): (ClaimSet, AckOutcome),
        note: Option<String>,
    ) -> Step {
        let (caller, run) = self.speaker(by);
        let ack = AckCopies {
            caller,
            run,
            claims,
            outcome,
            note,
        };
        self.step(&ack, answers::done)
    }

    pub(crate) fn ack(&mut self, by: &str, claims: &str) -> Step {
        self.ack_as(by, claims, AckOutcome::Done)
    }

    pub(crate) fn ack_as(&mut self, by: &str, claims: &str, outcome: AckOutcome) -> Step {
        let run = self.speaker(by).1;
        let claims = self.claims_of(run.as_str(), claims);
        self.acked(by, (ClaimSet::These(claims), outcome), None)
    }

    pub(crate) fn ack_with(&mut self, by: &str, claims: &str, note: &str) -> Step {
        let run = self.speaker(by).1;
        let claims = self.claims_of(run.as_str(), claims);
        let asked = (ClaimSet::These(claims), AckOutcome::Done);
        self.acked(by, asked, Some(note.to_owned()))
    }

    pub(crate) fn ack_up_to(&mut self, by: &str, claim: &str) -> Step {
        let run = self.speaker(by).1;
        let claim = self.claim_of(run.as_str(), claim);
        self.acked(by, (ClaimSet::UpTo(claim), AckOutcome::Done), None)
    }

    pub(crate) fn release(&mut self, by: &str, claims: &str) -> Step {
        self.release_for(by, claims, 0)
    }

    pub(crate) fn release_for(&mut self, by: &str, claims: &str, delay: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let release = ReleaseClaims {
            claims: self.claims_of(run.as_str(), claims),
            caller,
            run,
            delay: Some(Millis(delay)),
        };
        self.step(&release, answers::done)
    }

    pub(crate) fn extend(&mut self, by: &str, claims: &str, millis: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let extend = ExtendClaims {
            claims: self.claims_of(run.as_str(), claims),
            caller,
            run,
            claim_ms: Millis(millis),
        };
        let held = |it: heronry_pool::Extended| {
            let held = or_nothing(list(it.held.iter().map(ToString::to_string)));
            format!("holds {held} {}", answers::done(it.done))
        };
        self.step(&extend, held)
    }

    /// Says that nobody took the answer to a receive.
    pub(crate) fn unanswered(&mut self, run: &str, receive: &str) -> Step {
        let mut held = self.claims.iter();
        let fetched = held.find(|it| it.run == run && it.receive == receive);
        let release = ReleaseUnanswered {
            run: id(run),
            fetched: fetched.unwrap().claim.fetched,
        };
        self.step(&release, |()| "released".to_owned())
    }

    pub(crate) fn cancel(&mut self, by: &str, message: &str) -> Step {
        let (caller, from) = self.speaker(by);
        let cancel = CancelMessage {
            caller,
            from,
            message_id: id(message),
        };
        self.step(&cancel, |it| answers::receipt(&it))
    }

    pub(crate) fn replay(&mut self, by: &str, accepted: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let replay = ReplayCopy {
            caller,
            run,
            accepted: self.cursor(accepted),
        };
        self.step(&replay, answers::done)
    }

    fn find(&self, by: &str, message: &str) -> FindMessage {
        let (caller, from) = self.speaker(by);
        FindMessage {
            caller,
            from,
            message_id: id(message),
        }
    }

    pub(crate) fn receipt(&mut self, by: &str, message: &str) -> Step {
        let find = self.find(by, message);
        self.step(&find, |it| answers::receipt(&it))
    }

    pub(crate) fn timeline(&mut self, by: &str, message: &str) -> Step {
        let find = self.find(by, message);
        self.step(&find, |it| answers::timeline(&it))
    }

    /// Lists dead letters, of one run or of all, after one.
    pub(crate) fn dead_letters(
        &mut self,
        by: &str,
        run: Option<&str>,
        page: (Option<(&str, &str)>, u64),
    ) -> Step {
        let (after, max) = page;
        let dead = ListDeadLetters {
            caller: self.speaker(by).0,
            run: run.map(id),
            after: after.map(|(run, at)| (id(run), self.cursor(at))),
            max,
        };
        self.step(&dead, |it| {
            let next = it
                .next
                .map(|(run, at)| format!(" next {run} {}", at.position));
            format!(
                "{}{}",
                list(it.letters.iter().map(answers::dead)),
                next.unwrap_or_default()
            )
        })
    }
}
