//! The contract as an `OpenAPI` 3.1 document, made from the one table of routes.
//!
//! The schemas are those of the types that requests and answers are read and written with; here the
//! paths are put together, and what the server itself adds to an answer.

mod components;
mod contract;
mod operation;
mod parameters;
mod refusals;
pub(crate) mod routes;
mod tag;

use axum::{body::Bytes, routing::MethodFilter};
use schemars::JsonSchema;
use serde_json::Value;
use utoipa::openapi::{
    ComponentsBuilder, HttpMethod, InfoBuilder, OpenApiBuilder, Paths, ServerBuilder,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use components::Components;
pub(crate) use contract::{Contract, RouteFace};
use parameters::TRACE;
use refusals::{CLAIMS, CURSORS};
use tag::Tag;

/// The name of the one security scheme.
const BEARER: &str = "bearer";

/// The servers that the document names: the one that answered it, and the usual one.
const SERVERS: [[&str; 2]; 2] = [
    ["/", "The server that this document came from."],
    [
        "http://127.0.0.1:7171",
        "A server on this machine at its usual address.",
    ],
];

const ABOUT: &str = "Durable pools of agents: messages, wakes and one event stream.\n\n\
     Times are RFC 3339, spans are integers of milliseconds (`_ms`), sizes are bytes (`_bytes`), and a point of a \
     pool's journal is a cursor. A request may leave out a field that is not required, may say `null` where the \
     schema takes it, and is refused for a field that is unknown. An answer leaves out what is absent; readers skip \
     fields that they do not know. A refusal is a problem (RFC 9457): `x-problems` at a status lists the last parts \
     of its `type`. `x-exactly-one-of` at a schema lists fields of which a request has one, and `x-one-required` at \
     an operation the places of which one has to have a value.";

/// The schema of the document itself, which `OpenAPI` describes.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub(crate) struct Document {}

/// Returns the document of routes with these faces, as JSON.
pub(crate) fn document(routes: &[&RouteFace]) -> Bytes {
    let components = Components::of(routes.iter().map(|route| &route.contract));
    let mut paths = Paths::new();
    for route in routes {
        let operation = operation::of(route, &components);
        paths.add_path_operation(route.path, vec![method(route.filter)], operation);
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The operator's token, or the member token that joining gave.",
        ));
    let scheme = SecurityScheme::Http(bearer.build());
    let info = InfoBuilder::new()
        .title("Heronry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    let servers = SERVERS.map(|[url, about]| {
        let server = ServerBuilder::new().url(url);
        server.description(Some(about)).build()
    });
    let document = OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers))
        .tags(Some(tag::described()))
        .paths(paths)
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme(BEARER, scheme)
                .build(),
        ))
        .build();
    // Plain maps and texts: writing them as JSON cannot fail.
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    if let Some(Value::Object(all)) = document.get_mut("components") {
        all.insert("schemas".to_owned(), Value::Object(components.schemas));
    }
    Bytes::from(document.to_string())
}

/// The table has one method for each row.
fn method(filter: MethodFilter) -> HttpMethod {
    [
        (MethodFilter::PUT, HttpMethod::Put),
        (MethodFilter::POST, HttpMethod::Post),
        (MethodFilter::PATCH, HttpMethod::Patch),
        (MethodFilter::DELETE, HttpMethod::Delete),
    ]
    .into_iter()
    .find(|(known, _)| *known == filter)
    .map_or(HttpMethod::Get, |(_, method)| method)
}
