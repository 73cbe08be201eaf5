//! Asking: a message, its replies, and the copies of them in the asker's inbox.

use heronry_types::{LimitName, Millis, Receipt, ReceiptUntil, ReceiveId, Response, RunId};
use heronry_wire::{Ack, ProblemKind, ReceiptQuery, Receive, SendMessage};

use crate::{ClientError, Content, PoolClient, WaitPieces};

/// The longest time that one request waits.
const POLL: Millis = Millis(25_000);
/// The largest number of replies that are acknowledged at once.
const REPLIES_AT_ONCE: usize = 100;

/// A question that is over, and the replies to it that count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The receipt of the question: its outcome.
    pub receipt: Receipt,
    /// The replies, oldest first; there may be some also when it timed out.
    pub replies: Vec<Reply>,
}

/// A reply that counts, with its body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The run that replied, and the message that it replied with.
    pub response: Response,
    /// The body; absent when it is gone.
    pub content: Option<Content>,
}

impl PoolClient {
    /// Asks: sends a message that asks for replies, waits until it is over, and fetches the replies.
    ///
    /// The contract's timeout bounds the time that this takes; the call may be dropped before. A repeat
    /// under the same key goes on with the same question. The replies stay in the asker's inbox until
    /// [`ack_replies`](Self::ack_replies), so that none is lost with who asked.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the rules refuse the question; nothing was sent then.
    pub async fn ask(&self, question: &SendMessage) -> Result<Asked, ClientError> {
        let mut pieces = WaitPieces::of(None, POLL);
        let mut receipt = self.send_waiting(question, &mut pieces).await?;
        let mut query = ReceiptQuery {
            from: question.from.clone(),
            until: Some(ReceiptUntil::Ended),
            ..ReceiptQuery::default()
        };
        while !receipt.is_over() {
            pieces.passed().await;
            query.wait_ms = pieces.next();
            match self.wait_receipt(&receipt.message_id, &query).await {
                Ok(again) => receipt = again,
                Err(error) => pieces.fit(error)?,
            }
        }
        let mut replies = Vec::with_capacity(receipt.responses.len());
        for response in receipt.responses.clone() {
            let content = self.content_if_kept(&response).await?;
            replies.push(Reply { response, content });
        }
        Ok(Asked { receipt, replies })
    }

    /// Sends a question, and waits with the same request as long as the pool allows it.
    async fn send_waiting(
        &self,
        question: &SendMessage,
        pieces: &mut WaitPieces,
    ) -> Result<Receipt, ClientError> {
        let mut send = question.clone();
        loop {
            send.wait_ms = pieces.next();
            match self.send(&send).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => pieces.fit(error)?,
            }
        }
    }

    async fn content_if_kept(&self, response: &Response) -> Result<Option<Content>, ClientError> {
        match self.content(response.content_ref).await {
            Ok(content) => Ok(Some(content)),
            Err(error)
                if error.is(ProblemKind::ContentErased)
                    || error.is(ProblemKind::ContentMissing) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Acknowledges the copies of replies that are in the asker's inbox, and of no other message. What
    /// was acknowledged before, or is claimed by somebody else, is left alone. Returns how many were.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ack_replies(&self, asked: &Asked) -> Result<usize, ClientError> {
        let mut count = 0;
        for (number, replies) in asked.replies.chunks(REPLIES_AT_ONCE).enumerate() {
            // A repeat gets the claims of a call that was cut off before it acknowledged them.
            let name = format!("replies-{}-{number}", asked.receipt.cursor);
            let mut receive = Receive {
                // It is an id; without one a lost answer would only not be asked for again.
                receive_id: ReceiveId::parse(name).ok(),
                max: Some(replies.len() as u64),
                only: Some(replies.iter().map(|it| it.response.cursor).collect()),
                ..Receive::default()
            };
            count += self.ack_all_of(&asked.receipt.from, &mut receive).await?;
        }
        Ok(count)
    }

    async fn ack_all_of(&self, run: &RunId, receive: &mut Receive) -> Result<usize, ClientError> {
        let mut all = 0;
        loop {
            match self.ack_received(run, receive).await {
                Ok(0) => return Ok(all),
                Ok(count) => all += count,
                // How many at once is our choice, and the pool may allow fewer.
                Err(error) => match error.crossed(LimitName::PageItemsMax) {
                    Some(max) if receive.max > Some(max) && max > 0 => receive.max = Some(max),
                    Some(_) | None => return Err(error),
                },
            }
        }
    }

    async fn ack_received(&self, run: &RunId, receive: &Receive) -> Result<usize, ClientError> {
        let items = self.receive(run, receive).await?.items;
        let claims: Vec<_> = items.into_iter().filter_map(|item| item.claim).collect();
        let count = claims.len();
        if count > 0 {
            let ack = Ack {
                claims: Some(claims),
                ..Ack::default()
            };
            self.ack(run, &ack).await?;
        }
        Ok(count)
    }
}
