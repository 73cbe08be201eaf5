//! The contract document, held against what test servers answer.
//!
//! Every answer that a [`Server`](crate::server::Server) of the tests gets passes here: its status and its
//! media type stand in the document, its JSON is what the schema says and has no field that the schema does
//! not name, and a problem is one that the route says it refuses.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a helper of a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The contract of the server that the tests are built with.
pub static CONTRACT: LazyLock<ContractDocument> = LazyLock::new(ContractDocument::read);

/// The place of schemas in the document.
const PLACE: &str = "#/components/schemas/";

/// The media types that hold JSON.
const JSON: [&str; 2] = ["application/json", "application/problem+json"];

/// The schemas whose objects may have fields that they do not name, and the reason.
pub const FREE_FORM: [(&str, &str); 2] = [
    ("Document", "OpenAPI describes it"),
    ("Problem", "a newer server may say more"),
];

/// A contract document.
#[derive(Debug)]
pub struct ContractDocument {
    /// The document as it is served.
    pub document: Value,
    /// The schemas, each of which refuses fields that it does not name.
    closed: Map<String, Value>,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// An answer of a server.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The method of the request.
    pub method: &'a Method,
    /// The path of the request.
    pub path: &'a str,
    /// The status.
    pub status: u16,
    /// The media type; empty when there is none.
    pub media_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl ContractDocument {
    fn read() -> Self {
        let document: Value = serde_json::from_slice(&heronry_server::openapi_json()).unwrap();
        let mut closed = document["components"]["schemas"]
            .as_object()
            .unwrap()
            .clone();
        for (name, schema) in &mut closed {
            if !FREE_FORM.iter().any(|(free, _)| free == name) {
                close(schema);
            }
        }
        Self {
            document,
            closed,
            validators: Mutex::default(),
        }
    }

    /// Returns the operation of a request, when there is one.
    pub fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &&String| {
            let template: Vec<&str> = template.split('/').collect();
            template.len() == parts.len()
                && template
                    .iter()
                    .zip(&parts)
                    .all(|(known, part)| known == part || known.starts_with('{'))
        };
        // A part that is named goes before one that may be anything.
        let template = paths
            .keys()
            .filter(fits)
            .min_by_key(|it| it.matches('{').count())?;
        paths[template].get(method.as_str().to_lowercase())
    }

    /// Checks a value against a schema of the document.
    ///
    /// # Errors
    /// The faults of the value, each with its place.
    pub fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        let validator = self.validator(name);
        let faults = validator.iter_errors(value);
        let faults: Vec<String> = faults
            .map(|fault| format!("{} at {:?}", fault, fault.instance_path().as_str()))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        Err(format!("not a {name}: {}: {value}", faults.join("; ")))
    }

    fn validator(&self, name: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let made = validators.entry(name.to_owned()).or_insert_with(|| {
            let mut needed = BTreeSet::from([name.to_owned()]);
            let mut next = vec![name.to_owned()];
            while let Some(name) = next.pop() {
                let schema = self.closed.get(&name);
                let schema = schema.unwrap_or_else(|| panic!("no schema {name}"));
                next.extend(
                    references(schema)
                        .into_iter()
                        .filter(|it| needed.insert(it.clone())),
                );
            }
            let schemas: Map<String, Value> = needed
                .into_iter()
                .map(|name| (name.clone(), self.closed[&name].clone()))
                .collect();
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("{PLACE}{name}"),
                "components": {"schemas": schemas},
            });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&root).unwrap())
        });
        Arc::clone(made)
    }

    /// Checks an answer.
    #[track_caller]
    pub fn check_answer(&self, answered: Answered<'_>) {
        let Answered {
            method,
            path,
            status,
            media_type,
            body,
        } = answered;
        let shown = || {
            let body = String::from_utf8_lossy(body);
            format!("{method} {path}: {status} {media_type}: {body}")
        };
        let Some(operation) = self.operation(method, path) else {
            assert!(matches!(status, 400 | 403..=405 | 421 | 503), "{}", shown());
            return;
        };
        let response = operation["responses"].get(status.to_string());
        let response = response.unwrap_or_else(|| panic!("a status not said: {}", shown()));
        let essence = media_type.split(';').next().unwrap();
        let content = response["content"].as_object().unwrap();
        let known = |name: &&String| name.split(';').next().unwrap() == essence;
        let name = content.keys().find(known).map_or("*/*", String::as_str);
        let content = content.get(name);
        let content = content.unwrap_or_else(|| panic!("a media type not said: {}", shown()));
        if !JSON.contains(&essence) || name == "*/*" {
            return;
        }
        let value: Value = serde_json::from_slice(body).unwrap();
        let schema = content["schema"]["$ref"].as_str().unwrap();
        let schema = schema.strip_prefix(PLACE).unwrap();
        if let Err(fault) = self.check(schema, &value) {
            panic!("{method} {path}: {status}: {fault}");
        }
        if let Some(problems) = response["x-problems"].as_array() {
            self.check_problem(problems, &value, &shown());
        }
    }

    /// Checks that a problem is one of those that a status may have, and that its members are known.
    #[track_caller]
    fn check_problem(&self, problems: &[Value], value: &Value, shown: &str) {
        let slug = value["type"].as_str().unwrap();
        let slug = Value::from(slug.rsplit('/').next().unwrap());
        assert!(problems.contains(&slug), "a problem not said: {shown}");
        let known = self.closed["Problem"]["properties"].as_object().unwrap();
        let mut members = value.as_object().unwrap().keys();
        let unknown = members.find(|name| !known.contains_key(*name));
        assert_eq!(unknown, None, "a member not said: {shown}");
    }
}

/// Returns the names of the schemas that a schema refers to.
pub fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|it| it.strip_prefix(PLACE)).map(str::to_owned);
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Makes every object of a schema refuse fields that it does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("type")
            {
                fields
                    .entry("additionalProperties")
                    .or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
