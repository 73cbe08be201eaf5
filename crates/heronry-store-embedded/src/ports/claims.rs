//! Claims of a store over an embedded database.

use async_trait::async_trait;
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    claims::{self, ClaimsEdit, ClaimsEnd},
    job::Work,
};

use heronry_store::{
    Checkpoint, ClaimEntry, ClaimKey, Claims, FencingToken, NamedClaim, StoreError, StoreErrorKind,
    runs::NewRun,
};

impl<D: Database> Embedded<D> {
    async fn edit_claims(&self, pool: &PoolId, edit: ClaimsEdit) -> Result<ClaimsEnd, StoreError> {
        let op = edit.op();
        self.ask(pool, |reply| Work::Claims(edit, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed(op)))
    }

    async fn put_claims(
        &self,
        pool: &PoolId,
        run: &NewRun,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let op = "put claims";
        if let Some(moved_to) = self.readable.look(op, |view| view.moved_to.clone())? {
            return Err(StoreError::sealed(op, &moved_to));
        }
        loop {
            let view = self.readable.pool(op, pool)?;
            let view = view.ok_or_else(|| claims::unowned(op))?;
            let (before, database) = ((view.claims, view.no), self.database(op)?);
            let edit = ClaimsEdit::put(database, before, run, token)?;
            if self.edit_claims(pool, edit).await? == ClaimsEnd::Done {
                return Ok(());
            }
        }
    }

    async fn clear_claims(&self, pool: &PoolId) -> Result<(), StoreError> {
        loop {
            let view = self.readable.pool("clear claims", pool)?;
            let Some(claims) = view.and_then(|view| view.claims) else {
                return Ok(());
            };
            let edit = ClaimsEdit::clear(Some(claims));
            if self.edit_claims(pool, edit).await? == ClaimsEnd::Done {
                return Ok(());
            }
        }
    }

    /// Gives damaged claims up, so that they are folded again.
    async fn give_up_damaged<T>(
        &self,
        pool: &PoolId,
        end: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &end
            && error.kind() == StoreErrorKind::Corrupt
        {
            // What is reported is the damage; without it the next opening finds the same.
            drop(self.clear_claims(pool).await);
        }
        end
    }
}

#[async_trait]
impl<D: Database> Claims for Embedded<D> {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<NamedClaim>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let run = NewRun::new(&run, checkpoint);
        let end = self.put_claims(pool, &run, token).await;
        self.give_up_damaged(pool, end).await
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[ClaimKey],
    ) -> Result<Vec<Option<ClaimEntry>>, StoreError> {
        let database = || self.database("find claims");
        let found = claims::find(database, &self.readable, (pool, keys));
        self.give_up_damaged(pool, found).await
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let view = self.readable.pool("read the claims checkpoint", pool)?;
        let claims = view.and_then(|view| view.claims);
        Ok(claims.map(|claims| claims.checkpoint()))
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.clear_claims(pool).await
    }
}
