//! Sending, receipts and bodies.

use std::fmt;

use heronry_types::{ContentRef, IdempotencyKey, MessageId, Millis, Receipt, RunId};
use heronry_wire::{
    CancelMessage, ContentErased, ContentQuery, ContentStored, ReceiptQuery, SendMessage,
};
use http::Method;

use crate::{ClientError, PoolClient};

/// A body with its media type. `Debug` shows only its size.
#[derive(Clone, Eq, PartialEq)]
pub struct Content {
    /// The media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.bytes.len())
    }
}

impl PoolClient {
    /// Sends a message and returns its receipt; a repeat under the same key returns the original one,
    /// as it stands now. With `wait_ms` the receipt comes when the message is over, or the time is up.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the rules refuse it; nothing was sent then.
    pub async fn send(&self, send: &SendMessage) -> Result<Receipt, ClientError> {
        let wait = send.wait_ms.map(Millis::into);
        let mut request = self.request(Method::POST, &["messages"])?.json(send)?;
        if send.idempotency_key.is_some() {
            request = request.repeatable();
        }
        self.server.json(request.held_for(wait)).await
    }

    /// Returns the receipt of a message; an operator names who sent it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn receipt(
        &self,
        message: &MessageId,
        from: Option<&RunId>,
    ) -> Result<Receipt, ClientError> {
        let query = ReceiptQuery {
            from: from.cloned(),
            ..ReceiptQuery::default()
        };
        self.wait_receipt(message, &query).await
    }

    /// Returns the receipt of a message, after waiting for a change as long as the query says.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wait_receipt(
        &self,
        message: &MessageId,
        query: &ReceiptQuery,
    ) -> Result<Receipt, ClientError> {
        let request = self.request(Method::GET, &["messages", message.as_str()])?;
        let wait = query.wait_ms.map(Millis::into);
        self.server.json(request.query(query)?.held_for(wait)).await
    }

    /// Cancels a message: copies that nobody holds are not handed over any more. A message that is
    /// over stays as it ended; the receipt says how.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_message(
        &self,
        message: &MessageId,
        from: Option<&RunId>,
    ) -> Result<Receipt, ClientError> {
        let cancel = CancelMessage {
            from: from.cloned(),
        };
        let request = self.request(Method::POST, &["messages", message.as_str(), "cancel"])?;
        self.server.json(request.json(&cancel)?.repeatable()).await
    }

    /// Stores a body by itself, for a message that will refer to it.
    ///
    /// A key makes every repeat return the same reference; it is the key of the run that an operator
    /// names, or of the token's run. Without a key a repeat stores the body once more.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `too-large` above the pool's limit, and with
    /// `idempotency-conflict` when the key was used for another body.
    pub async fn put_content(
        &self,
        content: Content,
        key: Option<&IdempotencyKey>,
        run: Option<&RunId>,
    ) -> Result<ContentStored, ClientError> {
        let query = ContentQuery {
            idempotency_key: key.cloned(),
            run: run.cloned(),
        };
        let request = self.request(Method::PUT, &["contents"])?.query(&query)?;
        let request = request.bytes(&content.media_type, content.bytes);
        self.server.json(request.repeatable()).await
    }

    /// Erases a body, and returns what is left of it. A repeat returns the same.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `content-missing` when there is none, or none that is this
    /// caller's to erase.
    pub async fn erase_content(
        &self,
        content_ref: ContentRef,
    ) -> Result<ContentErased, ClientError> {
        let name = content_ref.to_string();
        let request = self.request(Method::DELETE, &["contents", &name])?;
        self.server.json(request.repeatable()).await
    }

    /// Fetches a body.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `content-missing` when there is none, or none for this reader,
    /// and with `content-erased` when there was one for it.
    pub async fn content(&self, content_ref: ContentRef) -> Result<Content, ClientError> {
        let name = content_ref.to_string();
        let request = self
            .request(Method::GET, &["contents", &name])?
            .accept("*/*");
        let answer = self.server.send(&request).await?;
        let media_type = answer.media_type().unwrap_or("application/octet-stream");
        Ok(Content {
            media_type: media_type.to_owned(),
            bytes: answer.bytes().await?.into(),
        })
    }
}
