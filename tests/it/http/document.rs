//! The contract document: valid, complete to its leaves, and with a name, a noun, an example and its
//! refusals at every operation.

use std::collections::{BTreeMap, BTreeSet};

use heronry_event::{CloseReason, GapReason};
use heronry_tests::contract::{CONTRACT, FREE_FORM, references};
use heronry_types::{
    AckOutcome, ContentCapture, CopyState, DeadReason, DestinationKind, DistinctBy, Durability,
    EffectOutcome, EffectStanding, EntityKind, EventFamily, EventKind, EventSemantics, Importance,
    LimitName, MessageFailure, MessageStatus, OnFull, PolicyKind, PrivacyClass, ReceiptUntil,
    ResumeWith, RetentionClass, RunState, SourceKind, TimelineState, TrustClass, Undeliverable,
    Vocabulary, WakeFailure, WakePayload, WakeReason, WakeStatus,
};
use heronry_wire::ProblemKind;
use serde_json::{Map, Value, json};

/// The schema of `OpenAPI` 3.1 documents, as spec.openapis.org publishes it (2022-10-07, Apache-2.0).
const OPENAPI: &str = include_str!("document/openapi-3.1.schema.json");

/// The objects whose fields are not named, by the place of their schema, and the reason.
const MAPS: [(&str, &str); 6] = [
    ("Correlation", "a host chooses the keys"),
    ("Document", "OpenAPI describes it"),
    ("Labels", "whoever sets labels chooses their names"),
    ("PoolBody.grants", "agents are the keys"),
    ("PoolOpened.limits", "a newer server has more limits"),
    ("PoolView.limits", "a newer server has more limits"),
];

/// One operation of the document.
struct Operation {
    line: String,
    path: &'static str,
    of: &'static Value,
}

fn operations() -> Vec<Operation> {
    let paths = CONTRACT.document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, of)| Operation {
            line: format!("{} {path}", method.to_uppercase()),
            path,
            of,
        })
    });
    all.collect()
}

fn schemas() -> &'static Map<String, Value> {
    let schemas = &CONTRACT.document["components"]["schemas"];
    schemas.as_object().unwrap()
}

#[test]
fn the_document_is_valid_openapi_and_its_schemas_are_valid() {
    let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
    let validator = jsonschema::validator_for(&openapi).unwrap();
    let faults = validator.iter_errors(&CONTRACT.document);
    let faults: Vec<String> = faults.map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    for (name, schema) in schemas() {
        let valid = jsonschema::draft202012::meta::validate(schema);
        assert!(valid.is_ok(), "{name}: {valid:?}");
    }
    // The check can fail.
    let mut broken = CONTRACT.document.clone();
    broken["paths"]["/healthz"]["get"]["responses"]["200"] = json!({});
    assert!(!validator.is_valid(&broken));
}

#[test]
fn every_name_that_the_document_refers_to_is_described_and_no_other() {
    let named: BTreeSet<String> = references(&CONTRACT.document).into_iter().collect();
    let described: BTreeSet<String> = schemas().keys().cloned().collect();
    // A server-sent event is said in words; its data is this.
    assert!(named.contains("StreamItem"), "{named:?}");
    let missing: Vec<_> = named.symmetric_difference(&described).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Returns true when a schema says nothing of a value, or of an object's fields.
fn is_bare(schema: &Value) -> bool {
    let Some(said) = schema.as_object() else {
        return schema.as_bool() == Some(true);
    };
    let says = ["$ref", "type", "enum", "const", "anyOf", "oneOf", "allOf"];
    if !says.iter().any(|name| said.contains_key(*name)) {
        return true;
    }
    let types = &schema["type"];
    let is_object = *types == "object"
        || types
            .as_array()
            .is_some_and(|it| it.contains(&json!("object")));
    let is_list = *types == "array"
        || types
            .as_array()
            .is_some_and(|it| it.contains(&json!("array")));
    (is_object && !said.contains_key("properties")) || (is_list && !said.contains_key("items"))
}

/// Walks every schema within a schema, each with its place.
fn walk(place: &str, schema: &Value, found: &mut Vec<(String, bool)>) {
    found.push((place.to_owned(), is_bare(schema)));
    let members = |name: &str| schema[name].as_object().into_iter().flatten();
    for (name, field) in members("properties") {
        walk(&format!("{place}.{name}"), field, found);
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        for form in schema[list].as_array().into_iter().flatten() {
            walk(place, form, found);
        }
    }
    for name in ["items", "additionalProperties"] {
        if let Some(within) = schema.get(name).filter(|within| **within != json!(false)) {
            walk(&format!("{place}.{name}"), within, found);
        }
    }
}

#[test]
fn every_body_is_described_to_its_leaves_except_what_is_free_by_purpose() {
    let mut found = Vec::new();
    for (name, schema) in schemas() {
        walk(name, schema, &mut found);
    }
    assert!(found.len() > 500, "{}", found.len());
    let bare = found.iter().filter(|(_, is_bare)| *is_bare);
    let bare: BTreeSet<String> = bare
        .map(|(place, _)| place.replace("Input", ""))
        .map(|place| place.trim_end_matches(".additionalProperties").to_owned())
        .collect();
    let free: BTreeSet<String> = MAPS.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(bare, free);
    for (name, reason) in MAPS {
        assert!(!reason.is_empty());
        let mut place = name.split('.');
        let schema = &schemas()[place.next().unwrap()];
        let schema = place.fold(schema, |schema, field| &schema["properties"][field]);
        let values = &schema["additionalProperties"];
        // The values of a map are typed, and what is free says so.
        let is_free = FREE_FORM.iter().any(|(free, _)| *free == name);
        assert!(values.is_object() || is_free, "{name}: {schema}");
    }
}

/// Checks that a schema has the wire names of a vocabulary, all of them and in order.
fn check_names<V: Vocabulary>() {
    let names: Vec<&str> = V::ALL.iter().map(|it| it.wire_name()).collect();
    let schema = &schemas()[V::NAME];
    assert_eq!(schema["enum"], json!(names), "{}", V::NAME);
    assert_eq!(schema["type"], "string", "{}", V::NAME);
}

#[test]
fn every_closed_set_of_names_is_an_enum_of_its_wire_names() {
    check_names::<AckOutcome>();
    check_names::<CloseReason>();
    check_names::<ContentCapture>();
    check_names::<CopyState>();
    check_names::<DeadReason>();
    check_names::<DestinationKind>();
    check_names::<DistinctBy>();
    check_names::<Durability>();
    check_names::<EffectOutcome>();
    check_names::<EffectStanding>();
    check_names::<EntityKind>();
    check_names::<EventFamily>();
    check_names::<EventKind>();
    check_names::<EventSemantics>();
    check_names::<GapReason>();
    check_names::<Importance>();
    check_names::<MessageFailure>();
    check_names::<MessageStatus>();
    check_names::<OnFull>();
    check_names::<PolicyKind>();
    check_names::<PrivacyClass>();
    check_names::<ReceiptUntil>();
    check_names::<ResumeWith>();
    check_names::<RetentionClass>();
    check_names::<RunState>();
    check_names::<SourceKind>();
    check_names::<TimelineState>();
    check_names::<TrustClass>();
    check_names::<Undeliverable>();
    check_names::<WakeFailure>();
    check_names::<WakePayload>();
    check_names::<WakeReason>();
    check_names::<WakeStatus>();
    let limits = schemas()["Limits"]["properties"].as_object().unwrap();
    let names: BTreeSet<&str> = limits.keys().map(String::as_str).collect();
    let known: BTreeSet<&str> = LimitName::ALL.iter().map(|it| it.wire_name()).collect();
    assert_eq!(names, known);
}

#[test]
fn every_operation_has_a_name_a_noun_a_summary_and_an_example() {
    let tags = CONTRACT.document["tags"].as_array().unwrap();
    let tags: BTreeSet<&str> = tags
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for Operation { line, of, .. } in operations() {
        let id = of["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        let is_word = id.bytes().all(|byte| byte.is_ascii_alphabetic());
        assert!(
            is_word && id.starts_with(|c: char| c.is_lowercase()),
            "{id}"
        );
        let [tag] = of["tags"].as_array().unwrap().as_slice() else {
            panic!("{line}: one tag");
        };
        used.insert(tag.as_str().unwrap());
        assert!(of["summary"].as_str().unwrap().ends_with('.'), "{line}");
        let body = &of["requestBody"]["content"]["application/json"];
        assert!(
            body.is_null() || body["example"].is_object(),
            "{line}: no example"
        );
        let parameters = of["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            assert!(
                !parameter["description"].as_str().unwrap().is_empty(),
                "{line}: {name}"
            );
            let schema = &parameter["schema"];
            assert!(schema.is_object() && !is_bare(schema), "{line}: {name}");
            let is_path = parameter["in"] == "path";
            assert!(
                !is_path || parameter["example"].is_string(),
                "{line}: {name}"
            );
            assert_eq!(parameter["required"], is_path, "{line}: {name}");
        }
    }
    assert_eq!(ids.len(), 69);
    assert_eq!(used, tags);
}

#[test]
fn no_schema_speaks_of_one_surface() {
    // A problem is of HTTP; another surface has refusals of its own.
    let all = schemas().iter().filter(|(name, _)| *name != "Problem");
    for (name, schema) in all {
        let text = schema.to_string();
        for word in ["POST ", "GET ", "PUT ", "HTTP", " header", "Debug", "[`"] {
            assert!(!text.contains(word), "{name}: {word} in {text}");
        }
    }
}

#[test]
fn every_operation_says_what_it_refuses_by_status() {
    let statuses: BTreeMap<&str, u16> = ProblemKind::ALL
        .iter()
        .map(|kind| (kind.slug(), kind.status()))
        .collect();
    for Operation { line, path, of } in operations() {
        let responses = of["responses"].as_object().unwrap();
        let says = |status: u16| responses.contains_key(&status.to_string());
        let mut needed = vec![400, 403, 421, 500, 503];
        if of["security"][0]["bearer"].is_array() {
            needed.extend([401, 429]);
        }
        if path.contains("{pool}") {
            needed.push(404);
        }
        if of["requestBody"].is_object() {
            needed.extend([408, 413, 415, 429]);
        }
        for status in needed {
            assert!(says(status), "{line}: {status}");
        }
        assert!(says(200), "{line}");
        for (status, response) in responses {
            let Some(problems) = response["x-problems"].as_array() else {
                assert!(status.starts_with('2'), "{line}: {status}");
                continue;
            };
            for problem in problems {
                let slug = problem.as_str().unwrap();
                let usual = statuses[slug].to_string();
                assert!(
                    *status == usual || slug == "content-missing",
                    "{line}: {slug}"
                );
                let text = response["description"].as_str().unwrap();
                assert!(text.contains(&format!("- `{slug}`: ")), "{line}: {text}");
            }
        }
    }
}
