//! The part of the contract that one route describes.

use axum::routing::MethodFilter;
use heronry_wire::ProblemKind;
use schemars::JsonSchema;

use super::{Tag, components::Described, parameters::Header};
use crate::identity::OpenTo;

/// The face of a route: all that a caller sees of it.
pub(crate) struct RouteFace {
    pub(crate) filter: MethodFilter,
    pub(crate) path: &'static str,
    pub(crate) open_to: OpenTo,
    pub(crate) contract: Contract,
}

impl RouteFace {
    /// Returns true when nothing can be sent to the route.
    pub(super) fn only_reads(&self) -> bool {
        self.filter == MethodFilter::GET
    }
}

/// The part of the contract that one route describes.
#[derive(Default)]
pub(crate) struct Contract {
    pub(super) summary: &'static str,
    pub(super) operation_id: &'static str,
    pub(super) tag: Option<Tag>,
    pub(super) headers: Vec<Header>,
    pub(super) query: Option<Described>,
    pub(super) body: Option<RequestForm>,
    pub(super) key: KeyNeed,
    pub(super) answers: Vec<Answer>,
    pub(super) refusals: Vec<(u16, ProblemKind)>,
}

/// The body that a route reads.
pub(super) enum RequestForm {
    /// JSON of this type.
    Json(Described),
    /// Bytes of any media type.
    Bytes,
}

/// The need of a request for an idempotency key, which a header or a field has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum KeyNeed {
    /// There is none.
    #[default]
    None,
    /// A request may have one.
    Optional,
    /// A request has one.
    Required,
}

/// An answer that is no refusal.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) contents: Vec<AnswerContent>,
}

/// The content of an answer in one media type.
pub(super) enum AnswerContent {
    /// JSON of this type.
    Json(Described),
    /// A text of this media type.
    Text(&'static str, &'static str),
    /// A row of items, each of which is JSON of the named type.
    Items(&'static str, &'static str, Described),
    /// Bytes of any media type.
    Bytes,
}

impl Contract {
    /// Returns a contract without parameters, body and named answers.
    pub(crate) fn new(summary: &'static str) -> Self {
        Self {
            summary,
            ..Self::default()
        }
    }

    /// Names the operation, and the noun that it is about.
    pub(crate) fn named(mut self, operation_id: &'static str, tag: Tag) -> Self {
        self.operation_id = operation_id;
        self.tag = Some(tag);
        self
    }

    /// Says that the route reads a body of this type.
    pub(crate) fn reads<T: JsonSchema>(mut self) -> Self {
        self.body = Some(RequestForm::Json(Described::of::<T>()));
        self
    }

    /// Says that the route reads bytes of any media type.
    pub(crate) fn reads_bytes(mut self) -> Self {
        self.body = Some(RequestForm::Bytes);
        self
    }

    /// Says that every field of this type may stand in the query.
    pub(crate) fn queries<T: JsonSchema>(mut self) -> Self {
        self.query = Some(Described::of::<T>());
        self
    }

    /// Says that a header may stand in the request.
    pub(crate) fn header<T: JsonSchema>(
        mut self,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        let of = Described::of::<T>();
        self.headers.push(Header {
            name,
            description,
            of,
        });
        self
    }

    /// Says that a request has an idempotency key, in a header or a field.
    pub(crate) fn keyed(mut self) -> Self {
        self.key = KeyNeed::Required;
        self
    }

    /// Says that a request may have an idempotency key, in a header or a field.
    pub(crate) fn may_be_keyed(mut self) -> Self {
        self.key = KeyNeed::Optional;
        self
    }

    /// Says that the route answers with this status and type.
    pub(crate) fn answers<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answer(
            status,
            description,
            AnswerContent::Json(Described::of::<T>()),
        )
    }

    /// Says that the route answers with a text of this media type.
    pub(crate) fn answers_text(self, media_type: &'static str, description: &'static str) -> Self {
        self.answer(
            200,
            description,
            AnswerContent::Text(media_type, description),
        )
    }

    /// Says that the route answers with items of this type, in the form of this media type.
    pub(crate) fn answers_items<T: JsonSchema>(
        self,
        media_type: &'static str,
        description: &'static str,
    ) -> Self {
        let of = Described::of::<T>();
        self.answer(
            200,
            "Items.",
            AnswerContent::Items(media_type, description, of),
        )
    }

    /// Says that the route answers with bytes of any media type.
    pub(crate) fn answers_bytes(self, description: &'static str) -> Self {
        self.answer(200, description, AnswerContent::Bytes)
    }

    /// Says what the route refuses beside what every route of its kind does.
    pub(crate) fn refuses(mut self, kinds: &[ProblemKind]) -> Self {
        self.refusals
            .extend(kinds.iter().map(|kind| (kind.status(), *kind)));
        self
    }

    /// Says that the route refuses this with another status than the usual one.
    pub(crate) fn refuses_with(mut self, status: u16, kind: ProblemKind) -> Self {
        self.refusals.push((status, kind));
        self
    }

    /// An answer of a status that is there already has one more media type.
    fn answer(mut self, status: u16, description: &'static str, content: AnswerContent) -> Self {
        let known = self.answers.iter_mut().find(|it| it.status == status);
        match known {
            Some(answer) => answer.contents.push(content),
            None => self.answers.push(Answer {
                status,
                description,
                contents: vec![content],
            }),
        }
        self
    }
}
