//! The port [`Contents`](heronry_store::Contents) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{
    ContentPack, ContentPlace, ContentsLayer, FencingToken, NewContent, StoreError, Stored,
};
use heronry_types::{Body, ContentRef, PoolId, Position};

use crate::layers::{
    observe::{Observed, Observer, StoreCall, StoreOperation},
    ports::Size,
};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "contents",
        name,
    }
}

#[async_trait]
impl<O: Observer> ContentsLayer for Observed<O> {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("put"),
            pool: Some(pool),
            size: self.size(|| Size::of_bytes(body.bytes.len())),
        };
        self.call(
            call,
            self.inner.contents.put(pool, content_ref, body, token),
        )
        .await
    }

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        let call = StoreCall {
            operation: of("get"),
            pool: Some(pool),
            size: None,
        };
        let run = self.inner.contents.get(pool, content_ref, place);
        self.read(call, run, |found| Size::of_stored(found.iter()))
            .await
    }

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        let call = StoreCall {
            operation: of("list_with"),
            pool: Some(pool),
            size: None,
        };
        let run = self.inner.contents.list_with(pool, after, bytes_max);
        self.read(call, run, |packs| {
            Size::of_stored(
                packs
                    .iter()
                    .flat_map(|pack| &pack.contents)
                    .map(|content| &content.stored),
            )
        })
        .await
    }

    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError> {
        let call = StoreCall {
            operation: of("list_alone"),
            pool: Some(pool),
            size: None,
        };
        let run = self.inner.contents.list_alone(pool, after, bytes_max);
        self.read(call, run, |contents| {
            Size::of_stored(contents.iter().map(|content| &content.stored))
        })
        .await
    }
}
