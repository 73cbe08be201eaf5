//! The schemas of the document: those of requests and those of answers, each type named once.
//!
//! A type that is both read and written may have two schemas: a request may leave out more than an answer
//! does. Then the one of requests has [`INPUT`] behind its name.

use std::collections::BTreeSet;

use heronry_types::schema;
use heronry_wire::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{
    contract::{Answer, AnswerContent, Contract, RequestForm},
    parameters,
};

/// The place of schemas in the document.
const PLACE: &str = "/components/schemas";

/// The end of the name of a schema of requests that differs from the one of answers.
const INPUT: &str = "Input";

/// The member of a schema that lists fields of which a request has exactly one.
const ONE_OF_FIELDS: &str = "x-exactly-one-of";

type Named = Map<String, Value>;

/// A type, and how it describes itself.
#[derive(Clone)]
pub(super) struct Described {
    name: String,
    describe: fn(&mut SchemaGenerator),
}

impl Described {
    /// Returns the name of its schema in answers.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the type.
    pub(super) fn of<T: JsonSchema>() -> Self {
        Self {
            name: T::schema_name().into_owned(),
            describe: |generator| {
                generator.subschema_for::<T>();
            },
        }
    }
}

/// The schemas of a document by their names.
pub(super) struct Components {
    /// Those of bodies, and of what stands in them.
    pub(super) schemas: Named,
    /// Those of queries, whose fields stand alone.
    queries: Named,
    /// The names of the requests that differ from answers of the same name.
    inputs: BTreeSet<String>,
}

impl Components {
    /// Describes every type of these contracts.
    pub(super) fn of<'a>(contracts: impl Iterator<Item = &'a Contract>) -> Self {
        let mut requests = generator(schema::requests());
        let mut answers = generator(schema::answers());
        let mut queries = BTreeSet::new();
        answers.subschema_for::<Problem>();
        for contract in contracts {
            let headers = contract.headers.iter().map(|header| &header.of);
            let body = contract.body.as_ref().and_then(RequestForm::json);
            let read = headers.chain(body).chain(&contract.query);
            read.for_each(|of| (of.describe)(&mut requests));
            queries.extend(contract.query.iter().map(|of| of.name.clone()));
            let contents = contract.answers.iter().flat_map(Answer::json);
            contents.for_each(|of| (of.describe)(&mut answers));
        }
        parameters::types().for_each(|of| (of.describe)(&mut requests));
        let requests = requests.take_definitions(true);
        let schemas = answers.take_definitions(true);
        let (queries, requests) = requests
            .into_iter()
            .partition(|(name, _)| queries.contains(name));
        Self::merged(queries, requests, schemas)
    }

    fn merged(queries: Named, requests: Named, mut schemas: Named) -> Self {
        let mut inputs: BTreeSet<String> = BTreeSet::new();
        // What refers to a schema that differs, differs.
        while let Some(name) = requests.iter().find_map(|(name, request)| {
            let answer = schemas.get(name)?;
            let differs = answer != request || refers_to(request, &inputs);
            (differs && !inputs.contains(name)).then(|| name.clone())
        }) {
            inputs.insert(name);
        }
        let renamed = |mut schema: Value| {
            rename(&mut schema, &inputs);
            schema
        };
        let requests = requests.into_iter().map(|(name, schema)| {
            let mut schema = renamed(schema);
            if !inputs.contains(&name) {
                return (name, schema);
            }
            retitle(&mut schema);
            (name + INPUT, schema)
        });
        schemas.extend(requests);
        let queries = queries.into_iter().map(|(name, schema)| {
            let mut schema = Schema::try_from(renamed(schema)).unwrap_or_default();
            // A parameter is there, or it is not.
            schema::absent_is_not_null(&mut schema);
            (name, schema.to_value())
        });
        Self {
            queries: queries.collect(),
            schemas,
            inputs,
        }
    }

    /// Returns the name of the schema of a request.
    pub(super) fn request(&self, of: &Described) -> String {
        if self.inputs.contains(&of.name) {
            format!("{}{INPUT}", of.name)
        } else {
            of.name.clone()
        }
    }

    /// Returns an example of a request.
    pub(super) fn example(&self, request: &str) -> Option<&Value> {
        self.schemas.get(request)?.get("examples")?.get(0)
    }

    /// Returns true when a request without any field is refused.
    pub(super) fn needs_fields(&self, request: &str) -> bool {
        let schema = self.schemas.get(request);
        let needs = |member: &str| schema.is_some_and(|it| it.get(member).is_some());
        needs("required") || needs(ONE_OF_FIELDS)
    }

    /// Returns the schema of a query.
    pub(super) fn query(&self, of: &Described) -> Option<&Value> {
        self.queries.get(&of.name)
    }
}

impl RequestForm {
    fn json(&self) -> Option<&Described> {
        match self {
            Self::Json(of) => Some(of),
            Self::Bytes => None,
        }
    }
}

impl Answer {
    fn json(&self) -> impl Iterator<Item = &Described> {
        self.contents.iter().filter_map(|content| match content {
            AnswerContent::Json(of) | AnswerContent::Items(_, _, of) => Some(of),
            AnswerContent::Text(..) | AnswerContent::Bytes => None,
        })
    }
}

fn generator(settings: SchemaSettings) -> SchemaGenerator {
    let with_place = settings.with(|settings| settings.definitions_path = PLACE.into());
    with_place.into_generator()
}

/// Returns the name in a reference to a schema.
fn name_of(reference: &str) -> Option<&str> {
    reference
        .strip_prefix('#')?
        .strip_prefix(PLACE)?
        .strip_prefix('/')
}

fn refers_to(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(field, value)| {
            let name = value.as_str().filter(|_| field == "$ref").and_then(name_of);
            name.is_some_and(|name| names.contains(name)) || refers_to(value, names)
        }),
        Value::Array(items) => items.iter().any(|item| refers_to(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = value.as_str().filter(|_| field == "$ref").and_then(name_of);
                match name.filter(|name| names.contains(*name)) {
                    Some(name) => *value = Value::from(format!("#{PLACE}/{name}{INPUT}")),
                    None => rename(value, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Names the forms of a schema of requests differently from those of answers.
fn retitle(schema: &mut Value) {
    for list in ["anyOf", "oneOf"] {
        let forms = schema.get_mut(list).and_then(Value::as_array_mut);
        for form in forms.into_iter().flatten() {
            if let Some(Value::String(title)) = form.get_mut("title") {
                title.push_str(INPUT);
            }
        }
    }
}
