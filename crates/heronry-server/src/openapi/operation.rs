//! One operation: what a route reads, answers and refuses.

use heronry_wire::{PROBLEM_MEDIA_TYPE, Problem, ProblemKind, UNREAD_HEADER};
use serde_json::{Value, json};
use utoipa::openapi::{
    Content as MediaType, ContentBuilder, HeaderBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema,
    extensions::ExtensionsBuilder,
    path::{Operation, OperationBuilder},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
    security::SecurityRequirement,
};

use super::{
    BEARER, Tag,
    components::{Components, Described},
    contract::{Answer, AnswerContent, KeyNeed, RequestForm},
    parameters, refusals,
};
use crate::{identity::OpenTo, routes::Route};

const JSON: &str = "application/json";

/// The media types under which bytes of any media type stand.
const BYTES: [&str; 2] = ["application/octet-stream", "*/*"];

/// The statuses at which an answer may say when to ask again.
const RETRIED: [u16; 2] = [429, 503];

/// The extension that lists the problems of a status.
const PROBLEMS: &str = "x-problems";

/// The extension that lists parameters and fields of which a request has one at the least.
const ONE_OF: &str = "x-one-required";

/// The extension that names the schema of each item of a row.
const ITEM: &str = "x-item-schema";

/// Returns the operation of a route.
pub(super) fn of(route: &Route, components: &Components) -> Operation {
    let contract = &route.contract;
    let mut operation = OperationBuilder::new()
        .summary(Some(contract.summary))
        .operation_id(Some(contract.operation_id))
        .tags(contract.tag.map(|tag| vec![Tag::name(tag)]))
        .parameters(Some(parameters::of(route.path, contract, components)));
    if let Some(body) = &contract.body {
        operation = operation.request_body(Some(request_body(body, components)));
    }
    if contract.key == KeyNeed::Required {
        let places = json!([
            {"in": "header", "name": heronry_wire::IDEMPOTENCY_HEADER},
            {"in": "body", "name": "idempotency_key"},
        ]);
        let extensions = ExtensionsBuilder::new().add(ONE_OF, places);
        operation = operation.extensions(Some(extensions.build()));
    }
    for answer in &contract.answers {
        let answered = answered(answer, route.open_to);
        operation = operation.response(answer.status.to_string(), answered);
    }
    for (status, kinds) in refusals::of(route) {
        operation = operation.response(status.to_string(), refused(status, &kinds));
    }
    match route.open_to {
        OpenTo::Everyone => operation.security(SecurityRequirement::default()).build(),
        OpenTo::Operators | OpenTo::Members => {
            let needed = SecurityRequirement::new(BEARER, Vec::<String>::new());
            operation.security(needed).build()
        }
    }
}

fn request_body(body: &RequestForm, components: &Components) -> RequestBody {
    let request = RequestBodyBuilder::new();
    match body {
        RequestForm::Json(of) => {
            let name = components.request(of);
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(&name)))
                .example(components.example(&name).cloned());
            // Nothing is read as an object without fields.
            let required = if components.needs_fields(&name) {
                Required::True
            } else {
                Required::False
            };
            let request = request.content(JSON, content.build());
            request.required(Some(required)).build()
        }
        RequestForm::Bytes => {
            let contents = BYTES.iter().map(|media_type| (*media_type, bytes()));
            let request = contents.fold(request, |request, (media_type, content)| {
                request.content(media_type, content)
            });
            request.required(Some(Required::False)).build()
        }
    }
}

fn answered(answer: &Answer, open_to: OpenTo) -> Response {
    let mut response = ResponseBuilder::new().description(answer.description);
    if open_to == OpenTo::Members {
        let unread = HeaderBuilder::new()
            .schema(Some(integer()))
            .description(Some(
                "To a member: the number of copies that wait in its inbox.",
            ));
        response = response.header(UNREAD_HEADER, unread.build());
    }
    for content in &answer.contents {
        response = match content {
            AnswerContent::Json(of) => response.content(JSON, MediaType::new(Some(named(of)))),
            AnswerContent::Text(media_type, description) => {
                response.content(*media_type, MediaType::new(Some(text(description))))
            }
            AnswerContent::Items(media_type, description, of) => {
                let item = named(of);
                let extensions = ExtensionsBuilder::new().add(ITEM, json!(item));
                let items = ContentBuilder::new()
                    .schema(Some(text(description)))
                    .extensions(Some(extensions.build()));
                response.content(*media_type, items.build())
            }
            AnswerContent::Bytes => BYTES.iter().fold(response, |response, media_type| {
                response.content(*media_type, bytes())
            }),
        };
    }
    response.build()
}

/// Says what is refused with a status, a line for each kind.
fn refused(status: u16, kinds: &[ProblemKind]) -> Response {
    let lines = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", kind.slug(), kind.title()));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let slugs: Vec<Value> = kinds.iter().map(|kind| Value::from(kind.slug())).collect();
    let extensions = ExtensionsBuilder::new().add(PROBLEMS, Value::from(slugs));
    let problem = <Problem as schemars::JsonSchema>::schema_name();
    let mut response = ResponseBuilder::new()
        .description(lines)
        .content(
            PROBLEM_MEDIA_TYPE,
            MediaType::new(Some(Ref::from_schema_name(problem))),
        )
        .extensions(Some(extensions.build()));
    if RETRIED.contains(&status) {
        let after = HeaderBuilder::new()
            .schema(Some(integer()))
            .description(Some(
                "When to ask again, in seconds, where the problem says it.",
            ));
        response = response.header("retry-after", after.build());
    }
    response.build()
}

fn named(of: &Described) -> Ref {
    Ref::from_schema_name(of.name())
}

fn text(description: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    text.description(Some(description)).into()
}

fn bytes() -> MediaType {
    let bytes = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    MediaType::new(Some(RefOr::<Schema>::from(bytes)))
}

fn integer() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .into()
}
