//! Closing, killing and opening again: what was acknowledged is there, what was under way is there
//! whole or not at all.

use heronry_store::{Arrival, Store, StoreErrorKind};
use heronry_tests::StoreKind;

use super::{
    compare::{refused_by_store, see},
    make,
    model::{Model, OpEnd},
    ops::{AppendOp, By, How, Op},
    play::Play,
};
use heronry_tests::store_folder::StoreFolder;

impl Play<'_> {
    pub(super) async fn reopen(&mut self) -> OpEnd<()> {
        self.store = None;
        if let Some(image) = self.before.take() {
            self.place = StoreFolder::of(self.subject.kind, &image);
        }
        let kept = self.model.clone();
        self.open_again(vec![kept]).await
    }

    /// Does something, and goes on with what the files were at some moment within it.
    pub(super) async fn crash(&mut self, op: &Op, at: u8) -> OpEnd<()> {
        let before = self.model.clone();
        self.place.take_image_after(at);
        self.work(op).await?;
        let (image, is_within) = self.place.taken();
        self.store = None;
        self.place = StoreFolder::of(self.subject.kind, &image);
        let mut kept = vec![self.model.clone()];
        if is_within {
            kept.push(before);
        }
        self.open_again(kept).await
    }

    /// Opens the store, which must be as one of these say.
    async fn open_again(&mut self, mut kept: Vec<Model>) -> OpEnd<()> {
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
    async fn start_arrivals_over(&mut self, kept: &[Model]) -> OpEnd<()> {
        for number in 0..make::POOLS {
            let name = make::name(number);
            let mut known = kept.iter().filter_map(|model| model.pools.get(&name));
            let is_certain = kept.len() == 1 || !known.any(|pool| pool.arrival == Arrival::Part);
            if is_certain || self.pool(&name).head().is_some() {
                continue;
            }
            self.pool(&name).chunks.clear();
            self.pool(&name).packs.clear();
            self.pool(&name).ends.clear();
            self.pool(&name).arrival = Arrival::Whole;
            self.append(&AppendOp {
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
    async fn own_again(&mut self, kept: &[Model]) -> OpEnd<()> {
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
async fn recognise(store: &Store, kept: &[Model]) -> OpEnd<Model> {
    let mut why = String::new();
    for model in kept {
        let mut model = model.clone();
        for (name, pool) in &mut model.pools {
            let at = store.keys.checkpoint(name).await;
            // Keys can be folded again, so a store may drop them.
            if at.map_err(|error| refused_by_store(&error))?.is_none() {
                pool.keys.clear();
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
