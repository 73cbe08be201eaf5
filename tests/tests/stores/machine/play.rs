//! Plays a history on a store and on the model.

use std::fmt;

use heronry_store::{Arrival, FencingToken, Store, StoreErrorKind};
use heronry_testkit::sample;
use heronry_tests::StoreKind;
use heronry_types::{PoolId, Position};

use super::{
    compare::{look, refused, refused_by_store, refused_lease, same, see},
    make,
    model::{End, Model, Pool},
    ops::{Append, By, How, Op, Step, Token},
};
use crate::place::{Image, Place};

/// A store under test.
pub(crate) struct Subject {
    pub(crate) kind: StoreKind,
    /// What stands between the machine and the store.
    pub(crate) wrap: Box<dyn Fn(Store) -> Store>,
    /// Whether the last thing that was done is gone when the store is opened again.
    pub(crate) forgets: bool,
}

impl Subject {
    /// Returns a store as it is.
    pub(crate) fn honest(kind: StoreKind) -> Self {
        Self {
            kind,
            wrap: Box::new(|store| store),
            forgets: false,
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({:?})", self.kind)
    }
}

/// A store, and what it must show.
pub(crate) struct Play<'a> {
    subject: &'a Subject,
    place: Place,
    /// The store; nothing once it is sealed and closed.
    store: Option<Store>,
    model: Model,
    /// The files before the last step, for a store that forgets.
    before: Option<Image>,
}

impl<'a> Play<'a> {
    /// Returns an empty store with an owner of every pool but the last.
    pub(crate) async fn start(subject: &'a Subject) -> End<Self> {
        let place = Place::new(subject.kind);
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

    fn pool(&mut self, name: &PoolId) -> &mut Pool {
        self.model.pools.entry(name.clone()).or_default()
    }

    /// Takes a step, and compares what can be seen then.
    pub(crate) async fn take(&mut self, step: &Step) -> End<()> {
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

    async fn work(&mut self, op: &Op) -> End<()> {
        match op {
            Op::Acquire(pool) => self.own(&make::name(*pool), By::Asking).await.map(drop),
            Op::Seize(pool) => self.own(&make::name(*pool), By::Force).await.map(drop),
            Op::Release(pool, token) => self.release(&make::name(*pool), *token).await,
            Op::Append(append) => self.append(append).await,
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
            Op::Claim { .. } => self.claim(op).await,
            Op::ClearClaims(pool) => {
                let name = make::name(*pool);
                let cleared = self.store().claims.clear(&name).await;
                self.pool(&name).claims.clear();
                self.pool(&name).checkpoint = None;
                cleared.map_err(|error| refused_by_store(&error))
            }
            Op::Seal(number) => {
                let moved_to = format!("place {number}");
                let sealed = self.store().journal.seal(&moved_to).await;
                self.model.moved_to = Some(moved_to);
                sealed.map_err(|error| refused_by_store(&error))
            }
            Op::Unseal => {
                self.model.moved_to = None;
                let unsealed = self.store().journal.unseal().await;
                unsealed.map_err(|error| refused_by_store(&error))
            }
            Op::Reopen | Op::Crash(..) => Ok(()),
        }
    }

    /// Becomes the owner; returns the token when that was given.
    async fn own(&mut self, name: &PoolId, by: By) -> End<Option<FencingToken>> {
        let (leases, now) = (self.store().leases, sample::time(0));
        let owned = if by == By::Force {
            leases.seize(name, "a machine", now).await
        } else {
            leases.acquire(name, "a machine", now).await
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
        pool.is_owned = true;
        Ok(Some(token))
    }

    async fn release(&mut self, name: &PoolId, token: Token) -> End<()> {
        let shown = make::token(self.pool(name), token);
        let released = self.store().leases.release(name, shown).await;
        self.pool(name).is_owned &= shown.0 != self.pool(name).token;
        released.map_err(|error| refused_by_store(&error))
    }

    async fn append(&mut self, append: &Append) -> End<()> {
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

    async fn trim(&mut self, name: &PoolId, before: u16, token: Token) -> End<()> {
        let end = self.pool(name).end().map_or(0, |end| end.head.0);
        let before = Position(u64::from(before) % (end + 3));
        let token = make::token(self.pool(name), token);
        let expected = self.model.trim(name, before, token.0);
        let found = self.store().journal.trim(name, before, token).await;
        let what = format!("a trim before {before}");
        same(&what, &found.map_err(|error| refused(&error)), &expected)
    }

    async fn put(&mut self, name: &PoolId, number: u8, token: Token) -> End<()> {
        let token = make::token(self.pool(name), token);
        let content = make::alone(number);
        let expected = self.model.put(name, content.clone(), token.0);
        let contents = self.store().contents;
        let found = contents
            .put(name, content.content_ref, content.body, token)
            .await;
        same(
            "a put",
            &found.map_err(|error| refused_by_store(&error)),
            &expected,
        )
    }

    async fn claim(&mut self, op: &Op) -> End<()> {
        let Op::Claim {
            pool,
            keys,
            number,
            token,
        } = op
        else {
            return Ok(());
        };
        let name = make::name(*pool);
        let token = make::token(self.pool(&name), *token);
        let (entry, checkpoint) = make::decided(*number);
        let run: Vec<_> = keys.iter().map(|key| (make::key(*key), entry)).collect();
        let expected = self.model.claim(&name, run.clone(), checkpoint, token.0);
        let found = self
            .store()
            .claims
            .put_run(&name, run, checkpoint, token)
            .await;
        same(
            "claims",
            &found.map_err(|error| refused_by_store(&error)),
            &expected,
        )
    }

    async fn reopen(&mut self) -> End<()> {
        self.store = None;
        if let Some(image) = self.before.take() {
            self.place = Place::of(self.subject.kind, &image);
        }
        let kept = self.model.clone();
        self.open_again(vec![kept]).await
    }

    /// Does something, and goes on with what the files were at some moment within it.
    async fn crash(&mut self, op: &Op, at: u8) -> End<()> {
        let before = self.model.clone();
        self.place.take_image_after(at);
        self.work(op).await?;
        let (image, is_within) = self.place.taken();
        self.store = None;
        self.place = Place::of(self.subject.kind, &image);
        let mut kept = vec![self.model.clone()];
        if is_within {
            kept.push(before);
        }
        self.open_again(kept).await
    }

    /// Opens the store, which must be as one of these say.
    async fn open_again(&mut self, mut kept: Vec<Model>) -> End<()> {
        if self.subject.kind == StoreKind::Memory {
            kept = vec![Model::default()];
        }
        kept.iter_mut().for_each(Model::close);
        let store = match self.place.open() {
            Ok(store) => (self.subject.wrap)(store),
            Err(error) if error.kind() == StoreErrorKind::Sealed => {
                let store = self.place.open_to_read();
                let store = store.map_err(|error| refused_by_store(&error))?;
                return recognise(&store, &kept).await.map(drop);
            }
            Err(error) => return Err(format!("opening: {error:?}")),
        };
        self.model = recognise(&store, &kept).await?;
        if self.model.moved_to.is_some() {
            return Err("a sealed store was opened".to_owned());
        }
        self.store = Some(store);
        self.own_again(&kept).await?;
        self.start_arrivals_over(&kept).await
    }

    /// Nobody sees how much of a pool had arrived before a crash, so its writer starts over.
    async fn start_arrivals_over(&mut self, kept: &[Model]) -> End<()> {
        for number in 0..make::POOLS {
            let name = make::name(number);
            let mut known = kept.iter().filter_map(|model| model.pools.get(&name));
            let is_certain = kept.len() == 1 || !known.any(|pool| pool.arrival == Arrival::Part);
            if is_certain || self.pool(&name).head().is_some() {
                continue;
            }
            self.pool(&name).chunks.clear();
            self.pool(&name).packs.clear();
            self.pool(&name).arrival = Arrival::Whole;
            self.append(&Append {
                pool: number,
                chunks: vec![2, 1],
                bodies: 1,
                how: How::FromNothing,
                is_part: true,
            })
            .await?;
        }
        Ok(())
    }

    /// Owns every pool anew that had an owner. Tokens rise above those that were handed out.
    async fn own_again(&mut self, kept: &[Model]) -> End<()> {
        for (name, pool) in self.model.pools.clone() {
            if pool.token == 0 {
                continue;
            }
            let tokens = kept
                .iter()
                .map(|model| model.pools.get(&name).map_or(0, |it| it.token));
            self.pool(&name).token = tokens.min().unwrap_or(0);
            self.own(&name, By::Asking).await?;
        }
        Ok(())
    }
}

/// Returns which of these a store is.
async fn recognise(store: &Store, kept: &[Model]) -> End<Model> {
    let mut why = String::new();
    for model in kept {
        let mut model = model.clone();
        for (name, pool) in &mut model.pools {
            let at = store.claims.checkpoint(name).await;
            // Claims can be folded again, so a store may drop them.
            if at.map_err(|error| refused_by_store(&error))?.is_none() {
                pool.claims.clear();
                pool.checkpoint = None;
            }
        }
        match see(store, &model).await {
            Ok(()) => return Ok(model),
            Err(other) => why = format!("{why}after opening: {other}; "),
        }
    }
    Err(why)
}
