//! The contract as an `OpenAPI` 3.1 document, made from the one table of routes.

mod engine;

use axum::{body::Bytes, routing::MethodFilter};
use heronry_wire::{
    EVENT_STREAM, EXPORT_MEDIA_TYPE, IDEMPOTENCY_HEADER, PROBLEM_MEDIA_TYPE, Problem,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, Content, HttpMethod, InfoBuilder, OpenApiBuilder, Paths, Ref, RefOr,
        Required, Response, ResponseBuilder, Schema,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    identity::Access,
    routes::{self, Route},
};

/// The name of the one security scheme.
const BEARER: &str = "bearer";

type Schemas = Vec<(String, RefOr<Schema>)>;

/// The part of the contract that one route describes.
#[derive(Default)]
pub(crate) struct Contract {
    summary: &'static str,
    parameters: Vec<Parameter>,
    body: Option<String>,
    answers: Vec<(u16, String)>,
    stream: Option<&'static str>,
    lines: Option<&'static str>,
    schemas: Schemas,
}

impl Contract {
    /// Returns a contract without parameters, body and named answers.
    pub(crate) fn new(summary: &'static str) -> Self {
        Self {
            summary,
            ..Self::default()
        }
    }

    /// Says that the route reads a body of this type.
    pub(crate) fn reads<T: ToSchema>(mut self) -> Self {
        self.body = Some(self.learn::<T>());
        self
    }

    /// Says that the route answers with this status and type.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        let name = self.learn::<T>();
        self.answers.push((status, name));
        self
    }

    /// Says that the route answers with this status and type of the engine.
    pub(crate) fn answers_with(mut self, engine_type: &'static str, status: u16) -> Self {
        self.answers.push((status, engine_type.to_owned()));
        self
    }

    /// Says that the route answers with a stream of events, too, when it is asked for one.
    pub(crate) fn streams(mut self, description: &'static str) -> Self {
        self.stream = Some(description);
        self
    }

    /// Says that the route answers with lines of JSON, which are these.
    pub(crate) fn answers_lines(mut self, description: &'static str) -> Self {
        self.lines = Some(description);
        self
    }

    /// Says that a header may stand in the request.
    pub(crate) fn header(mut self, name: &str) -> Self {
        self.parameters
            .push(parameter(name, ParameterIn::Header, text()));
        self
    }

    /// Says that every field of this type may stand in the query.
    pub(crate) fn queries<T: ToSchema>(mut self) -> Self {
        T::schemas(&mut self.schemas);
        if let RefOr::T(Schema::Object(object)) = T::schema() {
            for (name, schema) in object.properties {
                self.parameters
                    .push(parameter(&name, ParameterIn::Query, schema));
            }
        }
        self
    }

    /// Says that the idempotency key may stand in a header.
    pub(crate) fn keyed(self) -> Self {
        self.header(IDEMPOTENCY_HEADER)
    }

    fn learn<T: ToSchema>(&mut self) -> String {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        name
    }
}

/// Returns the `OpenAPI` document that the server answers at `/openapi.json`, as JSON.
pub fn openapi_json() -> Bytes {
    document(&routes::table())
}

/// Writes the document.
pub(crate) fn document(table: &[Route]) -> Bytes {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    components = components.schema(Problem::name(), <Problem as PartialSchema>::schema());
    for route in table {
        components = components.schemas_from_iter(route.contract.schemas.iter().cloned());
        paths.add_path_operation(route.path, vec![method(route.filter)], operation(route));
    }
    // After those of the routes, which name some of them without saying what they are.
    components = components.schemas_from_iter(engine::schemas());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The operator's token, or the member token that joining gave.",
        ));
    let components = components.security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let info = InfoBuilder::new()
        .title("Heronry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Durable pools of agents: messages, wakes and one event stream.",
        ));
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .build();
    // Plain maps and texts: writing them as JSON cannot fail.
    Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
}

fn operation(route: &Route) -> Operation {
    let contract = &route.contract;
    let mut operation = OperationBuilder::new()
        .summary(Some(contract.summary))
        .operation_id(Some(operation_id(route)))
        .parameters(Some(path_parameters(route.path)))
        .parameters(Some(contract.parameters.clone()));
    if let Some(body) = &contract.body {
        let content = Content::new(Some(Ref::from_schema_name(body)));
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    for (status, name) in &contract.answers {
        let mut answer = answer("application/json", name);
        if let Some(description) = contract.stream {
            let whole = described(description);
            answer.content.insert(EVENT_STREAM.to_owned(), whole.into());
        }
        operation = operation.response(status.to_string(), answer);
    }
    if let Some(description) = contract.lines {
        let lines = ResponseBuilder::new()
            .description("Lines")
            .content(EXPORT_MEDIA_TYPE, described(description));
        operation = operation.response("200", lines.build());
    } else if contract.answers.is_empty() {
        let done = ResponseBuilder::new().description("Done.");
        operation = operation.response("200", done.build());
    }
    operation = operation.response("default", answer(PROBLEM_MEDIA_TYPE, "Problem"));
    match route.access {
        Access::Open => operation.build(),
        Access::Operator | Access::Member => {
            let needed = SecurityRequirement::new(BEARER, Vec::<String>::new());
            operation.security(needed).build()
        }
    }
}

/// A text that is described in words.
fn described(description: &str) -> Content {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description));
    Content::new(Some(RefOr::<Schema>::from(text)))
}

fn answer(media_type: &str, name: &str) -> Response {
    ResponseBuilder::new()
        .description(name)
        .content(media_type, Content::new(Some(Ref::from_schema_name(name))))
        .build()
}

/// The method and the fixed parts of the path: unique, because the table has each pair once.
fn operation_id(route: &Route) -> String {
    let parts = route.path.split('/').filter(|part| !part.is_empty());
    let words = parts.map(|part| part.trim_matches(['{', '}']).replace(['-', '.'], "_"));
    let method = match method(route.filter) {
        HttpMethod::Put => "put",
        HttpMethod::Post => "post",
        HttpMethod::Patch => "patch",
        HttpMethod::Delete => "delete",
        HttpMethod::Get | HttpMethod::Options | HttpMethod::Head | HttpMethod::Trace => "get",
    };
    words.fold(method.to_owned(), |id, word| id + "_" + &word)
}

fn path_parameters(path: &str) -> Vec<Parameter> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, ParameterIn::Path, text()))
        .collect()
}

fn parameter(name: &str, place: ParameterIn, schema: RefOr<Schema>) -> Parameter {
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
        .schema(Some(schema))
        .build()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
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
