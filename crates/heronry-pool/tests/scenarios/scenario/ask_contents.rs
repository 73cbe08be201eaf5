//! Commands of scenarios about bodies.

use std::sync::Arc;

use heronry_pool::decide::{
    AdmitBody, ContentAccess, ContentShare, EraseContent, ErasureAccess, ReferenceAccess,
    StoreContent,
};
use heronry_store::{ContentPlace, Tombstone};
use heronry_types::{Digest, Millis, Position};

use super::{Scenario, Step, minter, notation::id, record_text::time};

impl Scenario {
    /// Asks whether a body of this size may be stored, while others are under way.
    pub(crate) fn admit(&mut self, by: &str, bytes: u64, under_way: u64) -> Step {
        let (caller, _) = self.speaker(by);
        let admit = AdmitBody {
            caller,
            media_type: "text/plain".into(),
            bytes,
            share: ContentShare {
                run: None,
                under_way_of_run: under_way,
                under_way,
            },
        };
        self.step(&admit, |()| "admitted".to_owned())
    }

    /// Says that a body is stored under a name, which is its key, for the run that speaks.
    pub(crate) fn store(&mut self, by: &str, name: &str, bytes: u64) -> Step {
        self.store_seen(by, (name, bytes), None)
    }

    /// Says that a body is stored that was seen in the store at a head.
    pub(crate) fn store_seen(
        &mut self,
        by: &str,
        (name, bytes): (&str, u64),
        seen_at: Option<u64>,
    ) -> Step {
        let (caller, run) = self.speaker(by);
        let run = (by != "operator").then_some(run);
        let epoch = self.engine.state().epoch();
        let content_ref = minter().content_ref(epoch, run.as_ref(), &id(name));
        self.contents.insert(name.to_owned(), content_ref);
        let store = StoreContent {
            caller,
            run,
            content_ref,
            digest: Digest([1; 32]),
            media_type: "text/plain".into(),
            bytes,
            seen_at: seen_at.map(Position),
        };
        self.step(&store, |it| {
            it.map_or("look again".to_owned(), super::answers::done)
        })
    }

    /// Asks whether a body may be fetched.
    pub(crate) fn fetch_content(&mut self, by: &str, name: &str) -> Step {
        let access = ContentAccess {
            caller: self.speaker(by).0,
            content_ref: self.contents[name],
        };
        self.step(&access, |it| {
            it.map_or("of no message".to_owned(), |it| {
                format!("with {}", it.accepted)
            })
        })
    }

    /// Asks whether a body may be named in a message.
    pub(crate) fn name_content(&mut self, by: &str, name: &str) -> Step {
        let access = ReferenceAccess {
            caller: self.speaker(by).0,
            content_ref: self.contents[name],
            minter: minter(),
        };
        self.step(&access, |it| {
            it.map_or("of no message".to_owned(), |it| {
                format!("with {}", it.accepted)
            })
        })
    }

    /// Asks whether a body may be erased.
    pub(crate) fn may_erase(&mut self, by: &str, name: &str) -> Step {
        let access = ErasureAccess {
            caller: self.speaker(by).0,
            content_ref: self.contents[name],
            minter: minter(),
        };
        self.step(&access, |it| {
            it.map_or("of no message".to_owned(), |it| format!("with {it}"))
        })
    }

    /// Erases a body that is stored with an append, or alone.
    pub(crate) fn erase(&mut self, by: &str, name: &str, with: Option<u64>) -> Step {
        let erase = EraseContent {
            caller: self.speaker(by).0,
            content_ref: self.contents[name],
            place: with.map_or(ContentPlace::Alone, |at| ContentPlace::With(Position(at))),
            left: Tombstone {
                media_type: Arc::from("text/plain"),
                bytes: 2,
                digest: Digest([1; 32]),
                erased_at: self.now().after(Millis(5)),
            },
        };
        self.step(&erase, |it| format!("erased at {}", time(it.erased_at)))
    }
}
