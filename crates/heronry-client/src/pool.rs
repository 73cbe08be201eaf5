//! The requests that are about one pool.

use std::time::Duration;

use heronry_types::{Cursor, Limits, PoolId};
use heronry_wire::{
    DeletePoolQuery, EXPORT_MEDIA_TYPE, ExportQuery, JournalTrimmed, PatchSettings, PoolBody,
    PoolDeleted, PoolOpened, PoolView, SettingsChanged, SnapshotTaken, Trim,
};
use http::Method;

use crate::{
    ClientError, Patience,
    exchange::Request,
    server::{LocatedServer, ServerAnswer},
};

/// The time that the client gives a pool to stop before it is deleted.
const DELETION_TIME: Duration = Duration::from_secs(300);
/// The time that a trim or a snapshot of a large pool may take, beside that of any answer.
const KEEPING_TIME: Duration = Duration::from_secs(15 * 60);

/// A client of one pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PoolClient {
    pub(crate) server: LocatedServer,
    pool: PoolId,
}

impl PoolClient {
    pub(crate) fn new(server: LocatedServer, pool: PoolId) -> Self {
        Self { server, pool }
    }

    /// Sets the time for which calls go on while no server answers.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self {
            server: self.server.with_patience(patience),
            pool: self.pool,
        }
    }

    /// Returns the pool's id.
    pub fn id(&self) -> &PoolId {
        &self.pool
    }

    /// Returns a request to a path under the pool's own.
    pub(crate) fn request(&self, method: Method, under: &[&str]) -> Result<Request, ClientError> {
        let mut segments = vec!["v1", "pools", self.pool.as_str()];
        segments.extend(under);
        Request::new(method, &segments)
    }

    /// Creates the pool, or opens an existing one when its configuration agrees with the named
    /// parts of `config`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `config-conflict` names the fields that differ.
    pub async fn open(&self, config: &PoolBody) -> Result<PoolOpened, ClientError> {
        let request = self.request(Method::PUT, &[])?.json(config)?;
        self.server.json(request.repeatable()).await
    }

    /// Returns the pool as it stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn view(&self) -> Result<PoolView, ClientError> {
        self.server.json(self.request(Method::GET, &[])?).await
    }

    /// Drops records at the start of the journal. It is not tried again after a lost answer; a repeat drops
    /// nothing more.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `trim-held` when something still needs the records (members `held_by`,
    /// `floor`).
    pub async fn trim(&self, trim: &Trim) -> Result<JournalTrimmed, ClientError> {
        let request = self.request(Method::POST, &["trim"])?.json(trim)?;
        self.server.json(request.held_for(Some(KEEPING_TIME))).await
    }

    /// Takes a snapshot at the head, so that the pool opens quickly the next time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn snapshot(&self) -> Result<SnapshotTaken, ClientError> {
        let request = self.request(Method::POST, &["snapshot"])?;
        self.server
            .json(request.repeatable().held_for(Some(KEEPING_TIME)))
            .await
    }

    /// Deletes the pool with everything in it; nobody may be a member.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `pool-has-members` (member `members`), and with `pool-changed`
    /// (member `head`) when the head is not the expected one. It is not tried again after a lost
    /// answer: the pool may be gone then.
    pub async fn delete(&self, expected_head: Option<Cursor>) -> Result<PoolDeleted, ClientError> {
        let query = DeletePoolQuery { expected_head };
        let request = self.request(Method::DELETE, &[])?.query(&query)?;
        self.server
            .json(request.held_for(Some(DELETION_TIME)))
            .await
    }

    /// Begins to export the pool with its bodies, as `heronry journal export` writes it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export(&self) -> Result<Export, ClientError> {
        self.exported(ExportQuery::default()).await
    }

    /// Begins to export the pool with its bodies and where its consumers stand, as a backup needs it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export_whole(&self) -> Result<Export, ClientError> {
        let consumers = Some(true);
        self.exported(ExportQuery { consumers }).await
    }

    async fn exported(&self, query: ExportQuery) -> Result<Export, ClientError> {
        let request = self.request(Method::GET, &["export"])?.query(&query)?;
        let request = request.accept(EXPORT_MEDIA_TYPE);
        let answer = self.server.send(&request).await?;
        Ok(Export { answer })
    }

    /// Changes limits, if the settings still have the version that the caller has seen.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `settings-conflict` when they were changed meanwhile.
    pub async fn set_limits(
        &self,
        expected_version: u64,
        limits: Limits,
    ) -> Result<SettingsChanged, ClientError> {
        self.set(PatchSettings {
            expected_version,
            limits: Some(limits),
            retention: None,
            peering: None,
        })
        .await
    }

    /// Changes settings, if they still have the version that the caller has seen.
    ///
    /// # Errors
    /// As [`set_limits`](Self::set_limits).
    pub async fn set(&self, patch: PatchSettings) -> Result<SettingsChanged, ClientError> {
        let request = self.request(Method::PATCH, &["settings"])?;
        self.server.json(request.json(&patch)?).await
    }
}

/// The lines of an export, as they come. The last line says that the export is whole: whoever keeps
/// the lines verifies them.
#[derive(Debug)]
pub struct Export {
    answer: ServerAnswer,
}

impl Export {
    /// Returns the next bytes; nothing at the end.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when the answer breaks off.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.answer.part().await?.map(Into::into))
    }
}
