//! The parameters of an operation: in the path, the query and headers.

use heronry_store::ConsumerId;
use heronry_types::{
    ChannelId, ContentRef, Cursor, IdempotencyKey, MessageId, PoolId, RunId, SourceId, WakeId,
};
use heronry_wire::IDEMPOTENCY_HEADER;
use serde_json::Value;
use utoipa::openapi::{
    Ref, RefOr, Required, Schema,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::{
    components::{Components, Described},
    contract::{Contract, KeyNeed},
};

/// A header that may stand in a request.
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) of: Described,
}

/// The description of the header `traceparent`.
pub(super) const TRACE: &str =
    "The W3C trace that the request belongs to; it is kept with what is recorded.";

/// A part of a path that names something.
struct PathPart {
    /// The part of the path before it, which says what it names.
    after: &'static str,
    name: &'static str,
    description: &'static str,
    example: &'static str,
    of: fn() -> Described,
}

/// Every part of a path that names something. Ids are percent-encoded there.
const PARTS: [PathPart; 14] = [
    PathPart {
        after: "pools",
        name: "pool",
        description: "The pool.",
        example: "review",
        of: Described::of::<PoolId>,
    },
    PathPart {
        after: "members",
        name: "run",
        description: "The run; a member token may name its own.",
        example: "scanner",
        of: Described::of::<RunId>,
    },
    PathPart {
        after: "edges",
        name: "a",
        description: "The run at one end.",
        example: "lead",
        of: Described::of::<RunId>,
    },
    PathPart {
        after: "edges",
        name: "b",
        description: "The run at the other end.",
        example: "scanner",
        of: Described::of::<RunId>,
    },
    PathPart {
        after: "aliases",
        name: "recipient",
        description: "The recipient that the alias stands for; `*` is any.",
        example: "member.lead",
        of: Described::of::<RunId>,
    },
    PathPart {
        after: "aliases",
        name: "channel",
        description: "The channel of that recipient; `*` is any.",
        example: "*",
        of: Described::of::<ChannelId>,
    },
    PathPart {
        after: "messages",
        name: "id",
        description: "The message.",
        example: "question-1",
        of: Described::of::<MessageId>,
    },
    PathPart {
        after: "wakes",
        name: "id",
        description: "The wake.",
        example: "answered",
        of: Described::of::<WakeId>,
    },
    PathPart {
        after: "effects",
        name: "id",
        description: "The effect: the cursor of its intent.",
        example: "07070707070707070707070707070707-12",
        of: Described::of::<Cursor>,
    },
    PathPart {
        after: "consumers",
        name: "name",
        description: "The name of the consumer.",
        example: "audit",
        of: Described::of::<ConsumerId>,
    },
    PathPart {
        after: "dead-letters",
        name: "cursor",
        description: "The cursor of the message's acceptance.",
        example: "07070707070707070707070707070707-12",
        of: Described::of::<Cursor>,
    },
    PathPart {
        after: "dead-letters",
        name: "run",
        description: "The recipient of the copy.",
        example: "scanner",
        of: Described::of::<RunId>,
    },
    PathPart {
        after: "sources",
        name: "source",
        description: "The foreign source of events.",
        example: "runtime-7",
        of: Described::of::<SourceId>,
    },
    PathPart {
        after: "contents",
        name: "ref",
        description: "The reference of the body.",
        example: "content:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
        of: Described::of::<ContentRef>,
    },
];

/// Returns the types that paths and headers name.
pub(super) fn types() -> impl Iterator<Item = Described> {
    let parts = PARTS.iter().map(|part| (part.of)());
    parts.chain([Described::of::<IdempotencyKey>()])
}

/// Returns every parameter of an operation.
pub(super) fn of(path: &str, contract: &Contract, components: &Components) -> Vec<Parameter> {
    let mut parameters = of_path(path, components);
    if let Some(query) = contract.query.as_ref().and_then(|of| components.query(of)) {
        parameters.extend(of_query(query));
    }
    let key = key_header(contract.key);
    let headers = contract.headers.iter().chain(&key).map(|header| {
        let schema = Some(reference(&header.of, components));
        let parameter = of_place(header.name, ParameterIn::Header, schema);
        parameter.description(Some(header.description)).build()
    });
    parameters.extend(headers);
    parameters
}

fn of_path(path: &str, components: &Components) -> Vec<Parameter> {
    let mut fixed = "";
    let mut parameters = Vec::new();
    for segment in path.split('/') {
        let Some(name) = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'))
        else {
            fixed = segment;
            continue;
        };
        let known = PARTS
            .iter()
            .find(|part| part.after == fixed && part.name == name);
        let Some(part) = known else {
            continue;
        };
        let schema = Some(reference(&(part.of)(), components));
        let parameter = of_place(name, ParameterIn::Path, schema)
            .description(Some(part.description))
            .example(Some(Value::from(part.example)));
        parameters.push(parameter.build());
    }
    parameters
}

/// The fields of the type of a query, which `null` never stands for. The examples are those of the type.
fn of_query(query: &Value) -> Vec<Parameter> {
    let member = |name: &str| query.get(name);
    let required = member("required").and_then(Value::as_array);
    let examples = member("examples").and_then(|all| all.get(0));
    let fields = member("properties").and_then(Value::as_object);
    let fields = fields.into_iter().flatten().map(|(name, field)| {
        let mut field = field.clone();
        let described = field
            .as_object_mut()
            .and_then(|it| it.remove("description"));
        let is_required = required.is_some_and(|all| all.contains(&Value::from(name.as_str())));
        let parameter = of_place(name, ParameterIn::Query, schema(field))
            .required(if is_required {
                Required::True
            } else {
                Required::False
            })
            .description(described.as_ref().and_then(Value::as_str));
        let example = examples.and_then(|all| all.get(name));
        parameter.example(example.cloned()).build()
    });
    fields.collect()
}

/// Reads a schema that is no more than a type, its bounds and its names.
fn schema(field: Value) -> Option<RefOr<Schema>> {
    serde_json::from_value(field).ok()
}

fn key_header(key: KeyNeed) -> Option<Header> {
    let description = match key {
        KeyNeed::None => return None,
        KeyNeed::Optional => {
            "The idempotency key, unless the query has it: the same key with the same request has the same outcome."
        }
        KeyNeed::Required => {
            "The idempotency key, unless the field `idempotency_key` of the body has it: a request has one. The same key with the same request has the same outcome."
        }
    };
    Some(Header {
        name: IDEMPOTENCY_HEADER,
        description,
        of: Described::of::<IdempotencyKey>(),
    })
}

fn reference(of: &Described, components: &Components) -> RefOr<Schema> {
    Ref::from_schema_name(components.request(of)).into()
}

fn of_place(name: &str, place: ParameterIn, schema: Option<RefOr<Schema>>) -> ParameterBuilder {
    let required = match place {
        ParameterIn::Path => Required::True,
        ParameterIn::Query
        | ParameterIn::QueryString
        | ParameterIn::Header
        | ParameterIn::Cookie => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(schema)
}
