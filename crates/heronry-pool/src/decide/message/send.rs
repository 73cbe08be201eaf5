//! Sending a message.

use std::sync::Arc;

use heronry_journal::{
    Body as RecordBody, CopyName, MessageAccepted, MessageDelivered, MessageExpired, MessageFailed,
    RequestHash,
};
use heronry_store::{KeyName, NewContent, Stored, StoredContent};
use heronry_types::{
    Address, AliasName, Body, ContentRef, Correlation, DeliveryOptions, Digest, Epoch,
    IdempotencyKey, LimitName, MediaType, MessageFailure, MessageId, Millis, Peering, Policies,
    ResponseContract, RunId, Timestamp, Trace,
};

use crate::{
    Caller, Minter, Rejection, Sent, State, answer,
    command::{
        self, AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Names, Needs,
        Profile, Speaker,
    },
    decide::{
        guard,
        message::{
            delivery,
            reply::{self, Outlook},
            resolve::{self, Parcel, Reached},
        },
    },
    hash::RequestHasher,
    mint::Minted,
    rejection::{ConflictField, PolicyNeed},
    state::Among,
};

/// The body of a message to be sent.
#[derive(Clone, Debug)]
pub enum Content {
    /// It comes with the message, and is stored in the same append.
    Inline(Body),
    /// It was stored before.
    Stored {
        /// The reference.
        content_ref: ContentRef,
        /// The media type.
        media_type: String,
        /// The size in bytes.
        bytes: u64,
        /// The digest.
        digest: Digest,
        /// The time of its erasure. When it was erased, only a repeat of an earlier message is answered.
        erased_at: Option<Timestamp>,
    },
}

/// The expiry of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// At this time.
    At(Timestamp),
    /// This long after its acceptance.
    In(Millis),
}

/// A message as its sender asks for it.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// Its id; absent: derived from the key.
    pub message_id: Option<MessageId>,
    /// The address that it goes to.
    pub to: Address,
    /// Its body.
    pub content: Content,
    /// Its correlations.
    pub correlation: Correlation,
    /// The message it replies to.
    pub reply_to: Option<MessageId>,
    /// The replies that it asks for.
    pub contract: Option<ResponseContract>,
    /// The expiry of the message.
    pub expiry: Option<Expiry>,
    /// The options of its delivery.
    pub options: DeliveryOptions,
    /// The policies that it carries.
    pub policies: Policies,
    /// The key under which a repeat has the same outcome.
    pub key: IdempotencyKey,
    /// The trace that the request belongs to.
    pub trace: Option<Trace>,
}

impl SendRequest {
    /// Returns a message with nothing but its required parts.
    pub fn new(to: Address, content: Content, key: IdempotencyKey) -> Self {
        Self {
            message_id: None,
            to,
            content,
            correlation: Correlation::new(),
            reply_to: None,
            contract: None,
            expiry: None,
            options: DeliveryOptions::default(),
            policies: Policies::default(),
            key,
            trace: None,
        }
    }
}

/// The acceptance of a message, and the body that rides with it.
struct Acceptance {
    accepted: MessageAccepted,
    contents: Vec<NewContent>,
}

/// Sends a message.
#[derive(Clone, Debug)]
pub struct SendMessage {
    caller: Caller,
    run: RunId,
    request: SendRequest,
    digest: Digest,
    hash: RequestHash,
}

impl SendMessage {
    /// Returns the command; hashes the request and its body, so call it on the caller's side of the
    /// queue.
    pub fn new(caller: Caller, run: RunId, mut request: SendRequest) -> Self {
        request.options = delivery::asked(request.options, &request.to);
        let digest = match &request.content {
            Content::Inline(body) => Digest(*blake3::hash(&body.bytes).as_bytes()),
            Content::Stored { digest, .. } => *digest,
        };
        let hash = request_hash(&request, digest);
        Self {
            caller,
            run,
            request,
            digest,
            hash,
        }
    }

    fn message_id(&self, minted: Minted) -> MessageId {
        self.request
            .message_id
            .clone()
            .unwrap_or_else(|| minted.message_id())
    }

    fn mint(&self, epoch: Epoch, minter: &Minter) -> Minted {
        minter.mint(epoch, &self.run, &self.request.key)
    }

    fn check_limits(&self, state: &State) -> Result<(), Rejection> {
        let (request, limits) = (&self.request, &state.settings.limits);
        guard::policies(state, &request.policies)?;
        limits.check(LimitName::CorrelationEntriesMax, request.correlation.len())?;
        let (media_type, body_bytes) = match &request.content {
            Content::Inline(body) => (&*body.media_type, body.bytes.len()),
            Content::Stored {
                erased_at: Some(erased_at),
                ..
            } => {
                let erased_at = *erased_at;
                return Err(Rejection::ContentErased { erased_at });
            }
            Content::Stored { media_type, .. } => (media_type.as_str(), 0),
        };
        limits.check(LimitName::BodyInlineBytesMax, body_bytes)?;
        guard::media_type(media_type)
    }

    fn check_policies(&self, state: &State, held: &Policies) -> Result<(), Rejection> {
        let missing = |policy: &heronry_types::PolicyRef, need| {
            Err(Rejection::Policy {
                policy: policy.clone(),
                need,
            })
        };
        let (carried, required) = (
            &self.request.policies,
            &state.config.message_policy.required_policies,
        );
        if let Some(policy) = carried.first_missing(required) {
            return missing(policy, PolicyNeed::MessageCarries);
        }
        if let Some(policy) = held.first_missing(carried) {
            return missing(policy, PolicyNeed::SenderHolds);
        }
        Ok(())
    }

    fn accepted(&self, state: &State, cx: &Cx<'_>) -> Result<Acceptance, Rejection> {
        let request = &self.request;
        let to = resolve::address(state, &request.to)?;
        let names = cx.names;
        let minted = names
            .and_then(Names::minted)
            .unwrap_or_else(|| self.mint(state.epoch(), cx.minter));
        let claimed = names.and_then(Names::message_id).cloned();
        let (content_ref, media_type, body_bytes, contents) = match &request.content {
            Content::Inline(body) => {
                let content_ref = minted.content_ref();
                let stored = StoredContent {
                    body: body.clone(),
                    digest: self.digest,
                };
                let content = NewContent::of(content_ref, Stored::Kept(stored));
                (
                    content_ref,
                    MediaType(Arc::clone(&body.media_type)),
                    body.bytes.len() as u64,
                    vec![content],
                )
            }
            Content::Stored {
                content_ref,
                media_type,
                bytes,
                ..
            } => (*content_ref, media_type.as_str().into(), *bytes, Vec::new()),
        };
        let accepted = MessageAccepted {
            message_id: claimed.unwrap_or_else(|| self.message_id(minted)),
            to: to.clone(),
            content_ref,
            media_type,
            body_bytes,
            reply_to: request.reply_to.clone(),
            expires_at: request.expiry.map(|expiry| match expiry {
                Expiry::At(at) => at,
                Expiry::In(span) => cx.now.after(span),
            }),
            policies: request.policies.clone(),
            idempotency_key: request.key.clone(),
            request_hash: self.hash,
            options: delivery::recorded(request.options),
            thread: None,
            alias: alias_of(&request.to).map(Box::new),
        };
        Ok(Acceptance { accepted, contents })
    }

    /// Returns the runs that the message may reach, in a pool that is wired.
    fn among(&self, state: &State, cx: &Cx<'_>, parcel: Parcel<'_>) -> Among {
        match (state.settings.peering(), &self.request.reply_to) {
            (Peering::Open, _) | (Peering::Wired, None) => resolve::among(state, &self.run, None),
            (Peering::Wired, Some(id)) => {
                let requester = reply::requester(state, cx, parcel, id);
                resolve::among(state, &self.run, requester.as_ref())
            }
        }
    }

    /// Returns true when it has to do with another message: it replies, or asks for replies.
    fn is_tied(&self) -> bool {
        self.request.reply_to.is_some() || self.request.contract.is_some()
    }

    /// Returns the body of the record that follows the acceptance in the same append.
    fn outcome(
        &self,
        state: &State,
        accepted: &MessageAccepted,
        now: Timestamp,
        reached: Result<Reached<'_>, MessageFailure>,
    ) -> RecordBody {
        let position = state.head.next();
        let message = CopyName {
            accepted: position,
            message_id: accepted.message_id.clone(),
        };
        if is_past(accepted, now) {
            let expired = MessageExpired {
                message,
                copies: Vec::new(),
            };
            return RecordBody::MessageExpired(expired);
        }
        match reached {
            Err(reason) => RecordBody::MessageFailed(MessageFailed { message, reason }),
            Ok(reached) => RecordBody::MessageDelivered(MessageDelivered {
                accepted: position,
                message_id: message.message_id,
                reply_to: self.request.reply_to.clone(),
                topic: accepted.to.topic().cloned(),
                recipients: reached.runs().clone(),
                skipped: None,
                not_peered: reached.not_peered().cloned(),
            }),
        }
    }
}

/// Returns the alias that a message is sent to; nothing when it is sent to an address itself.
fn alias_of(to: &Address) -> Option<AliasName> {
    match to {
        Address::Run { .. }
        | Address::Agent { .. }
        | Address::Topic { .. }
        | Address::Pool { .. } => None,
        Address::Alias { recipient, channel } => Some(AliasName {
            recipient: Some(recipient.clone()),
            channel: channel.clone(),
        }),
    }
}

fn is_past(accepted: &MessageAccepted, now: Timestamp) -> bool {
    accepted.expires_at.is_some_and(|at| at <= now)
}

fn request_hash(request: &SendRequest, digest: Digest) -> RequestHash {
    let mut hasher = RequestHasher::new("send/1");
    hasher.put((
        &request.message_id,
        &request.to,
        &request.correlation,
        &request.reply_to,
    ));
    let media_type = match &request.content {
        Content::Inline(body) => &*body.media_type,
        Content::Stored { media_type, .. } => media_type.as_str(),
    };
    hasher.put((0_u8, media_type, digest));
    match request.expiry {
        None => hasher.put(0_u8),
        Some(Expiry::At(at)) => hasher.put((1_u8, at)),
        Some(Expiry::In(span)) => hasher.put((2_u8, span)),
    }
    hasher.put(&request.policies);
    if let Some(contract) = &request.contract {
        hasher.put(("response_contract", contract));
    }
    if !request.options.is_usual() {
        hasher.put(("delivery", request.options));
    }
    hasher.finish()
}

impl Command for SendMessage {
    type Answer = Sent;

    fn profile(&self) -> Profile<'_> {
        let bytes = match &self.request.content {
            Content::Inline(body) => body.bytes.len(),
            Content::Stored { .. } => 0,
        };
        Profile::new(AboutWakes::Nothing)
            .with_bytes(bytes)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn names(&self, epoch: Epoch, minter: &Minter) -> Option<Names> {
        let derived = self.mint(epoch, minter);
        let id = KeyName::Message(self.message_id(derived));
        let names = Names::new(&self.run, Some(self.request.key.clone()), Some(id));
        Some(names.with_minted(derived))
    }

    fn needs(&self, state: &State) -> Result<Needs, Rejection> {
        let request = &self.request;
        let Some(id) = &request.reply_to else {
            return Ok(Needs::default());
        };
        Ok(Needs {
            names: reply::asks(state, &self.run, request, id),
            ..Needs::default()
        })
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::identity(&self.caller, &self.run)?;
        if let Some(first) = command::repeat(state, cx.prior, self.hash, ConflictField::MessageId)?
        {
            return Ok(Decision::Repeat(first));
        }
        let member = guard::standing(state, &self.caller, &self.run)?;
        self.check_limits(state)?;
        if let Some(Expiry::In(span)) = self.request.expiry {
            guard::span(cx.now, "expires_in_ms", Some(span))?;
        }
        let delay = self.request.options.deliver_after;
        guard::span(cx.now, "deliver_after_ms", delay)?;
        if let Some(contract) = &self.request.contract {
            reply::check_limits(state, cx.now, contract)?;
        }
        self.check_policies(state, &member.policies)?;
        let Acceptance {
            mut accepted,
            contents,
        } = self.accepted(state, cx)?;
        let parcel = Parcel {
            sender: &self.run,
            to: &accepted.to,
            policies: &accepted.policies,
        };
        let reached = resolve::recipients(state, parcel, self.among(state, cx, parcel));
        let mut skipped = None;
        if let Ok(reached) = &reached {
            skipped = delivery::room(state, parcel, &self.request, reached)?;
        }
        if self.is_tied() {
            let outlook = Outlook {
                is_past: is_past(&accepted, cx.now),
                recipients: reached.as_ref().ok().map(|reached| &*reached.runs().0),
                skipped: skipped.as_ref(),
            };
            accepted.thread = reply::thread(state, cx, &self.run, &self.request, outlook)?;
        }
        let mut author = Author::member(state, &self.caller, member);
        author.lineage.correlation = self.request.correlation.clone();
        author.lineage.trace = self.request.trace;
        let mut outcome = self.outcome(state, &accepted, cx.now, reached);
        if let RecordBody::MessageDelivered(delivered) = &mut outcome {
            delivered.skipped = skipped;
        }
        let follows = reply::follows(state, &self.run, &accepted, &outcome);
        let settled = delivery::settled(&author, &outcome);
        let accepted = author.entry(RecordBody::MessageAccepted(Box::new(accepted)));
        let outcome = author.caused_by(state.head.next()).last_entry(outcome);
        let mut entries = vec![accepted, outcome];
        entries.extend(settled);
        entries.extend(follows);
        Ok(Decision::Write(Draft { entries, contents }))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Sent, Rejection> {
        let receipt = answer::receipt(state, applied.first, applied.durability)
            .ok_or_else(|| state.no_message(applied.first))?;
        Ok(Sent {
            receipt,
            repeated: applied.how == How::Repeated,
        })
    }
}
