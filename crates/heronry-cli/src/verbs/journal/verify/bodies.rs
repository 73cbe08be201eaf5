//! The bodies of a pool: each that a record names is there and has its digest, and so has each that is
//! there.

use std::collections::HashSet;

use heronry_journal::{Body, Record};
use heronry_store::{ContentPlace, StoreError, StoreErrorKind, Stored};
use heronry_types::{ContentRef, Digest, EpochReason, PoolId, Position, counted};

use super::{PoolFault, bad, read};
use crate::{
    host::store_failure,
    verbs::journal::{OpenedStore, PAGE_BYTES_MAX},
};

/// The findings about a pool's bodies, kept while its records are read.
pub(super) struct Bodies<'a> {
    opened: &'a OpenedStore,
    pool: &'a PoolId,
    /// The number of bodies that a record names and that were found.
    found: u64,
    /// The bodies that were found neither beside the record that names them nor by themselves.
    missing: Vec<(Position, ContentRef)>,
    /// The position of the pool's last import, and the number of bodies found before it.
    imported: Option<(Position, u64)>,
}

/// A body as a record names it.
struct NamedBody {
    at: Position,
    content_ref: ContentRef,
    /// The places where the body may be.
    places: Vec<ContentPlace>,
    digest: Option<Digest>,
    state: ExpectedBody,
}

/// The state in which a body must be found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ExpectedBody {
    /// The body, or the tombstone of an erased one.
    KeptOrErased,
    /// The tombstone of an erased body.
    Erased,
}

impl<'a> Bodies<'a> {
    pub(super) fn of(opened: &'a OpenedStore, pool: &'a PoolId) -> Self {
        Self {
            opened,
            pool,
            found: 0,
            missing: Vec::new(),
            imported: None,
        }
    }

    /// Checks the body that a record names, if it names one.
    pub(super) async fn check(&mut self, record: &Record) -> Result<(), PoolFault> {
        if let Body::EpochStarted(started) = &record.entry.body
            && started.reason == EpochReason::Import
        {
            self.imported = Some((record.position, self.found));
        }
        let Some(named) = NamedBody::by(record) else {
            return Ok(());
        };
        for place in &named.places {
            if let Some(stored) = self.get(named.at, named.content_ref, *place).await? {
                self.found += 1;
                return named.compare(self.pool, &stored);
            }
        }
        self.missing.push((named.at, named.content_ref));
        Ok(())
    }

    /// Looks for bodies that ride with an earlier message, and returns how many were left out of the
    /// export that the pool was imported from. Any other that is missing is damage.
    pub(super) async fn check_missing(&mut self, before: Position) -> Result<u64, PoolFault> {
        if !self.missing.is_empty() {
            self.look_with_earlier(before).await?;
        }
        let (imported, found) = self.imported.unwrap_or_default();
        let were_left_out = found == 0;
        let (left_out, missing): (Vec<_>, Vec<_>) = self
            .missing
            .iter()
            .partition(|(at, _)| were_left_out && *at < imported);
        let Some((at, content_ref)) = missing.first() else {
            return Ok(left_out.len() as u64);
        };
        let others = match missing.len() - 1 {
            0 => String::new(),
            count => format!(
                ", and so {} of later records",
                counted(count as u64, "body")
            ),
        };
        bad(
            self.pool,
            *at,
            &format!("its body {content_ref} is missing{others}"),
        )
    }

    /// Looks for missing bodies with the first message that names each.
    async fn look_with_earlier(&mut self, before: Position) -> Result<(), PoolFault> {
        let mut sought: HashSet<_> = self.missing.iter().map(|(_, sought)| *sought).collect();
        let mut after = before;
        loop {
            let chunks = read(self.opened, self.pool, after).await?;
            let Some(last) = chunks.last() else {
                return Ok(());
            };
            after = last.last();
            let records = chunks.iter().flat_map(|chunk| chunk.records());
            // Those that cannot be read were reported before.
            for record in records.filter_map(Result::ok) {
                self.look_with(&record, &mut sought).await?;
            }
        }
    }

    /// Takes the bodies that ride with a message out of the missing ones.
    async fn look_with(
        &mut self,
        record: &Record,
        sought: &mut HashSet<ContentRef>,
    ) -> Result<(), PoolFault> {
        let Body::MessageAccepted(accepted) = &record.entry.body else {
            return Ok(());
        };
        let content_ref = accepted.content_ref;
        let place = ContentPlace::With(record.position);
        if sought.contains(&content_ref)
            && self
                .get(record.position, content_ref, place)
                .await?
                .is_some()
        {
            sought.remove(&content_ref);
            self.missing.retain(|(_, missing)| *missing != content_ref);
        }
        Ok(())
    }

    /// Checks every body that is stored, whether a record names it or not, and returns how many there
    /// are.
    pub(super) async fn check_rows(&self) -> Result<u64, PoolFault> {
        let contents = &self.opened.store.contents;
        let mut count = 0;
        let mut after = Position::ZERO;
        loop {
            let packs = contents.list_with(self.pool, after, PAGE_BYTES_MAX).await;
            let packs = packs.map_err(|error| self.fault(None, &error))?;
            let Some(last) = packs.last() else {
                break;
            };
            after = last.last;
            let stored = packs.iter().flat_map(|pack| &pack.contents);
            count += kept(stored.map(|content| &content.stored));
        }
        let mut after = None;
        loop {
            let alone = contents.list_alone(self.pool, after, PAGE_BYTES_MAX).await;
            let alone = alone.map_err(|error| self.fault(None, &error))?;
            let Some(last) = alone.last() else {
                return Ok(count);
            };
            after = Some(last.content_ref);
            count += kept(alone.iter().map(|content| &content.stored));
        }
    }

    async fn get(
        &self,
        at: Position,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, PoolFault> {
        let contents = &self.opened.store.contents;
        let found = contents.get(self.pool, content_ref, place).await;
        found.map_err(|error| self.fault(Some(at), &error))
    }

    /// Tells damage from a device that failed.
    fn fault(&self, at: Option<Position>, error: &StoreError) -> PoolFault {
        if error.kind() == StoreErrorKind::Corrupt {
            return PoolFault::Bad(super::Bad {
                pool: Some(self.pool.clone()),
                position: at,
                what: error.to_string(),
            });
        }
        PoolFault::Other(store_failure(error))
    }
}

impl NamedBody {
    /// Returns the body that a record names.
    fn by(record: &Record) -> Option<Self> {
        Self::by_message(record)
            .or_else(|| Self::by_storing(record))
            .or_else(|| Self::by_erasure(record))
    }

    fn by_message(record: &Record) -> Option<Self> {
        let Body::MessageAccepted(accepted) = &record.entry.body else {
            return None;
        };
        Some(Self {
            at: record.position,
            content_ref: accepted.content_ref,
            places: vec![ContentPlace::With(record.position), ContentPlace::Alone],
            digest: None,
            state: ExpectedBody::KeptOrErased,
        })
    }

    fn by_storing(record: &Record) -> Option<Self> {
        let Body::ContentStored(stored) = &record.entry.body else {
            return None;
        };
        Some(Self {
            at: record.position,
            content_ref: stored.content_ref,
            places: vec![ContentPlace::Alone],
            digest: Some(stored.digest),
            state: ExpectedBody::KeptOrErased,
        })
    }

    fn by_erasure(record: &Record) -> Option<Self> {
        let Body::ContentErased(erased) = &record.entry.body else {
            return None;
        };
        let place = erased
            .stored_with
            .map_or(ContentPlace::Alone, ContentPlace::With);
        Some(Self {
            at: record.position,
            content_ref: erased.content_ref,
            places: vec![place],
            digest: Some(erased.digest),
            state: ExpectedBody::Erased,
        })
    }

    /// Compares a body as a record names it with the stored one.
    fn compare(&self, pool: &PoolId, stored: &Stored) -> Result<(), PoolFault> {
        let name = self.content_ref;
        if self.digest.is_some_and(|digest| digest != stored.digest()) {
            let what = format!("its body {name} has another digest than the record says");
            return bad(pool, self.at, &what);
        }
        match (self.state, stored) {
            (ExpectedBody::Erased, Stored::Kept(_)) => {
                let what = format!("the body {name} was erased, and is still there");
                bad(pool, self.at, &what)
            }
            (ExpectedBody::Erased, Stored::Erased(_)) | (ExpectedBody::KeptOrErased, _) => Ok(()),
        }
    }
}

/// Returns how many bodies were not erased.
fn kept<'a>(stored: impl Iterator<Item = &'a Stored>) -> u64 {
    let kept = stored.filter(|stored| matches!(stored, Stored::Kept(_)));
    kept.count() as u64
}
