//! Plays a history on a store and on the model.

use std::fmt;

use heronry_store::{FencingToken, KeyedEntry, Store};
use heronry_testkit::sample;
use heronry_tests::StoreKind;
use heronry_types::{PoolId, Position};

use super::{
    compare::{ends_as, look, refused, refused_by_store, refused_commit, refused_lease, same, see},
    make,
    model::{Model, OpEnd, Owner, Pool},
    ops::{AppendOp, By, MachineStep, Op, Token},
};
use heronry_tests::store_folder::{Image, StoreFolder};

/// A store under test.
pub(crate) struct StoreUnderTest {
    pub(crate) kind: StoreKind,
    /// The layer between the machine and the store.
    pub(crate) wrap: Box<dyn Fn(Store) -> Store>,
    /// True when the last operation is gone after the store is opened again.
    pub(crate) forgets: bool,
}

impl StoreUnderTest {
    /// Returns a store as it is.
    pub(crate) fn honest(kind: StoreKind) -> Self {
        Self {
            kind,
            wrap: Box::new(|store| store),
            forgets: false,
        }
    }
}

impl fmt::Debug for StoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({:?})", self.kind)
    }
}

/// A store, and what it must show.
pub(crate) struct Play<'a> {
    pub(super) subject: &'a StoreUnderTest,
    pub(super) place: StoreFolder,
    /// The store; nothing once it is sealed and closed.
    pub(super) store: Option<Store>,
    pub(super) model: Model,
    /// The files before the last step, for a store that forgets.
    pub(super) before: Option<Image>,
}

impl<'a> Play<'a> {
    /// Returns an empty store with an owner of every pool but the last.
    pub(crate) async fn start(subject: &'a StoreUnderTest) -> OpEnd<Self> {
        let place = StoreFolder::new(subject.kind);
        let store = place.open().map_err(|error| refused_by_store(&error))?;
        let mut play = Self {
            subject,
            place,
            store: Some((subject.wrap)(store)),
            model: Model::default(),
            before: None,
        };
        for pool in 1..make::POOLS {
            play.own(&make::name(pool - 1), By::Asking).await?;
        }
        Ok(play)
    }

    /// Returns true when the store was sealed and closed: it is not written any more.
    pub(crate) fn is_over(&self) -> bool {
        self.store.is_none()
    }

    fn store(&self) -> Store {
        self.store.clone().unwrap()
    }

    pub(super) fn pool(&mut self, name: &PoolId) -> &mut Pool {
        self.model.pools.entry(name.clone()).or_default()
    }

    /// Takes a step, and compares what can be seen then.
    pub(crate) async fn take(&mut self, step: &MachineStep) -> OpEnd<()> {
        match &step.op {
            Op::Reopen => self.reopen().await?,
            Op::Crash(op, at) => self.crash(op, *at).await?,
            op => {
                if self.subject.forgets {
                    self.before = Some(self.place.image());
                }
                self.work(op).await?;
            }
        }
        if let Some(store) = &self.store {
            see(store, &self.model).await?;
            look(store, &self.model, &step.look).await?;
        }
        Ok(())
    }

    pub(super) async fn work(&mut self, op: &Op) -> OpEnd<()> {
        match op {
            Op::Acquire(pool) => self.own(&make::name(*pool), By::Asking).await.map(drop),
            Op::Seize(pool) => self.own(&make::name(*pool), By::Force).await.map(drop),
            Op::Release(pool, token) => self.release(&make::name(*pool), *token).await,
            Op::Append(append) => self.append(append).await,
            Op::Delete(pool, token) => self.delete(&make::name(*pool), *token).await,
            Op::Trim {
                pool,
                before,
                token,
            } => self.trim(&make::name(*pool), *before, *token).await,
            Op::Put {
                pool,
                number,
                token,
            } => self.put(&make::name(*pool), *number, *token).await,
            Op::PutKeys { .. } | Op::ClearKeys(_) => self.put_or_clear_keys(op).await,
            Op::Snapshot { .. } | Op::DeleteSnapshot(..) => self.snapshot(op).await,
            Op::Commit { .. } | Op::DeleteConsumer(..) => self.consume(op).await,
            Op::Seal(number) => {
                let moved_to = format!("place {number}");
                let sealed = self.store().custody.seal(&moved_to).await;
                self.model.moved_to = Some(moved_to);
                sealed.map_err(|error| refused_by_store(&error))
            }
            Op::Unseal => {
                self.model.moved_to = None;
                let unsealed = self.store().custody.unseal().await;
                unsealed.map_err(|error| refused_by_store(&error))
            }
            Op::Reopen | Op::Crash(..) => Ok(()),
        }
    }

    /// Becomes the owner; returns the token when that was given.
    pub(super) async fn own(&mut self, name: &PoolId, by: By) -> OpEnd<Option<FencingToken>> {
        let (leases, now) = (self.store().leases, sample::time(0));
        let owned = if by == By::Force {
            leases
                .seize(name, "a machine", now, heronry_store::LEASE_TERM)
                .await
        } else {
            leases
                .acquire(name, "a machine", now, heronry_store::LEASE_TERM)
                .await
        };
        let may = self.model.may_own(name, by);
        let found = owned.as_ref().map(drop).map_err(refused_lease);
        same("owning a pool", &found, &may)?;
        let Ok(token) = owned else { return Ok(None) };
        let pool = self.pool(name);
        if token.0 <= pool.token {
            return Err(format!(
                "token {} does not rise from {}",
                token.0, pool.token
            ));
        }
        pool.token = token.0;
        pool.owner = Owner::Somebody;
        Ok(Some(token))
    }

    async fn release(&mut self, name: &PoolId, token: Token) -> OpEnd<()> {
        let shown = make::token(self.pool(name), token);
        let released = self.store().leases.release(name, shown).await;
        let pool = self.pool(name);
        if pool.owner == Owner::Somebody && shown.0 == pool.token {
            pool.owner = Owner::Nobody;
        }
        released.map_err(|error| refused_by_store(&error))
    }

    pub(super) async fn append(&mut self, append: &AppendOp) -> OpEnd<()> {
        let name = make::name(append.pool);
        let (commit, guard) = make::append(self.pool(&name), append);
        let expected = self.model.append(&name, commit.clone(), guard);
        let found = self.store().journal.append(&name, commit, guard).await;
        same(
            "an append",
            &found.map_err(|error| refused(&error)),
            &expected,
        )
    }

    async fn trim(&mut self, name: &PoolId, before: u16, token: Token) -> OpEnd<()> {
        let end = self.pool(name).end().map_or(0, |end| end.head.0);
        let before = Position(u64::from(before) % (end + 3));
        let token = make::token(self.pool(name), token);
        let expected = self.model.trim(name, before, token.0);
        let found = sample::trim(&*self.store().journal, name, before, token).await;
        let what = format!("a trim before {before}");
        same(&what, &found.map_err(|error| refused(&error)), &expected)
    }

    async fn delete(&mut self, name: &PoolId, token: Token) -> OpEnd<()> {
        let token = make::token(self.pool(name), token);
        let expected = self.model.delete(name, token.0);
        let store = self.store();
        let found = store.journal.delete(name, token).await;
        same(
            "a deletion",
            &found.map_err(|error| refused(&error)),
            &expected,
        )?;
        // What is left is removed between other things, so that the files rest when these are done.
        for _ in 0..5 {
            let released = store.leases.release(name, FencingToken(0)).await;
            released.map_err(|error| refused_by_store(&error))?;
        }
        Ok(())
    }

    async fn put(&mut self, name: &PoolId, number: u8, token: Token) -> OpEnd<()> {
        let token = make::token(self.pool(name), token);
        let content = make::alone(number);
        let expected = self.model.put(name, content.clone(), token.0);
        let contents = self.store().contents;
        let found = contents
            .put(
                name,
                content.content_ref,
                content.stored.body().unwrap(),
                token,
            )
            .await;
        same(
            "a put",
            &found.map_err(|error| refused_by_store(&error)),
            &expected,
        )
    }

    async fn put_or_clear_keys(&mut self, op: &Op) -> OpEnd<()> {
        let port = self.store().keys;
        match op {
            Op::PutKeys {
                pool,
                keys,
                number,
                token,
            } => {
                let name = make::name(*pool);
                let token = make::token(self.pool(&name), *token);
                let (entry, checkpoint) = make::decided(*number);
                let run = keys.iter();
                let run = run.map(|key| KeyedEntry::new(make::key(*key), entry));
                let run: Vec<_> = run.collect();
                let expected = self.model.put_keys(&name, run.clone(), checkpoint, token.0);
                let found = port.put_run(&name, run, checkpoint, token).await;
                let found = found.map_err(|error| refused_by_store(&error));
                same("keys", &found, &expected)
            }
            Op::ClearKeys(pool) => {
                let name = make::name(*pool);
                self.pool(&name).keys.clear();
                self.pool(&name).checkpoint = None;
                let cleared = port.clear(&name).await;
                cleared.map_err(|error| refused_by_store(&error))
            }
            _ => Ok(()),
        }
    }

    async fn snapshot(&mut self, op: &Op) -> OpEnd<()> {
        let snapshots = self.store().snapshots;
        let (name, right, snapshot, found) = match op {
            Op::Snapshot {
                pool,
                at,
                version,
                point,
                token,
            } => {
                let name = make::name(*pool);
                let token = make::token(self.pool(&name), *token);
                let snapshot = make::snapshot(self.pool(&name), (*at, *version), *point);
                let right = self.model.refuse_snapshot(&name, snapshot.at, token.0);
                let found = snapshots.put(&name, snapshot.clone(), token).await;
                (name, right, Some(snapshot), found)
            }
            Op::DeleteSnapshot(pool, token) => {
                let name = make::name(*pool);
                let token = make::token(self.pool(&name), *token);
                let right = self.model.refuse_token(&name, token.0);
                let found = snapshots.delete(&name, token).await;
                (name, right, None, found)
            }
            _ => return Ok(()),
        };
        let found = found.map_err(|error| refused_by_store(&error));
        ends_as("a snapshot", found, &right)?;
        if right.is_empty() {
            self.pool(&name).snapshot = snapshot;
        }
        Ok(())
    }

    async fn consume(&mut self, op: &Op) -> OpEnd<()> {
        let cursors = self.store().cursors;
        match op {
            Op::Commit {
                pool,
                consumer,
                at,
                expects,
            } => {
                let (name, consumer) = (make::name(*pool), make::consumer(*consumer));
                let (expected, next) =
                    make::commit_of(self.pool(&name), &consumer, (*at, *expects));
                let right = self.model.refuse_commit(&name, &consumer, (expected, next));
                let found = cursors.commit(&name, &consumer, expected, next).await;
                let found = found.map_err(|error| refused_commit(&error));
                ends_as("a commit of a consumer", found, &right)?;
                if right.is_empty() {
                    self.pool(&name).consumers.insert(consumer, next);
                }
                Ok(())
            }
            Op::DeleteConsumer(pool, consumer) => {
                let (name, consumer) = (make::name(*pool), make::consumer(*consumer));
                let found = cursors.delete(&name, &consumer).await;
                let found = found.map_err(|error| refused_by_store(&error));
                let sealed = self.model.moved_to.as_ref().map(|_| "sealed".to_owned());
                let right: Vec<_> = sealed.into_iter().collect();
                ends_as("deleting a consumer", found, &right)?;
                if right.is_empty() {
                    self.pool(&name).consumers.remove(&consumer);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
