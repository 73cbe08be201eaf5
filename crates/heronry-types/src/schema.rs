//! JSON schemas of what appears on the wire: the settings with which every document of them is made.
//!
//! Each type has its schema beside its JSON. A request may leave out what has a usual value, or say
//! `null`; an answer leaves out what is absent, and never says `null`. So each side has its settings.

use schemars::{Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

/// The text with which the doc line of a wire name ends; a schema says the name itself.
const ON_THE_WIRE: &str = "` on the wire.";

/// Returns the settings for schemas of what is read: JSON Schema 2020-12.
pub fn requests() -> SchemaSettings {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(RecursiveTransform(plain_words))
}

/// Returns the settings for schemas of what is written: JSON Schema 2020-12.
pub fn answers() -> SchemaSettings {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(plain_words))
        .with_transform(RecursiveTransform(absent_is_not_null))
}

/// Makes the schema of an enum without fields a list of its wire names. The description gets a line
/// for each name that has a doc line of its own.
pub fn names(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else {
        return;
    };
    let mut names = Vec::new();
    let mut lines = Vec::new();
    for variant in &variants {
        let Some(name) = variant.get("const") else {
            names.extend(variant.get("enum").and_then(Value::as_array).cloned());
            continue;
        };
        let said = variant.get("description").and_then(Value::as_str);
        if let (Some(name), Some(said)) = (name.as_str(), said.and_then(own_words)) {
            lines.push(format!("- `{name}`: {said}"));
        }
        names.push(vec![name.clone()]);
    }
    if !lines.is_empty() {
        let about = schema.get("description").and_then(Value::as_str);
        let about = format!("{}\n\n{}", about.unwrap_or_default(), lines.join("\n"));
        schema.insert("description".to_owned(), Value::from(about));
    }
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), Value::from(names.concat()));
}

/// Returns the description of a name as one line; nothing when it says the wire name alone.
fn own_words(description: &str) -> Option<String> {
    let lines = description
        .lines()
        .filter(|line| !(line.starts_with('`') && line.ends_with(ON_THE_WIRE)));
    let words = lines.collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// The beginnings of sentences for readers of Rust, or of one surface alone. A schema is of every surface.
const LEFT_OUT: [&str; 5] = [
    "The body of `",
    "The answer of `",
    "The query of `",
    "The idempotency key may come as a header",
    "`Debug` ",
];

/// Writes a doc comment as a text: without links into Rust, one line for each paragraph, and without
/// what is for other readers.
fn plain_words(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let words = text.replace("[`", "`").replace("`]", "`");
        let paragraphs = words.split("\n\n").map(plain_paragraph);
        let paragraphs = paragraphs.filter(|paragraph| !paragraph.is_empty());
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

fn plain_paragraph(paragraph: &str) -> String {
    if paragraph.starts_with("- ") {
        return paragraph.to_owned();
    }
    let line = paragraph.lines().collect::<Vec<_>>().join(" ");
    let is_kept = |sentence: &&str| {
        !LEFT_OUT
            .iter()
            .any(|left_out| sentence.starts_with(left_out))
    };
    let sentences = line.split_inclusive(". ").filter(is_kept);
    sentences.collect::<String>().trim_end().to_owned()
}

/// Takes `null` out of every field that may be absent: an answer leaves such a field out.
pub fn absent_is_not_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let required = object.get("required").and_then(Value::as_array).cloned();
    let required = required.unwrap_or_default();
    let Some(Value::Object(fields)) = object.get_mut("properties") else {
        return;
    };
    let may_be_absent = |(name, _): &(&String, &mut Value)| {
        let name = Value::from(name.as_str());
        !required.contains(&name)
    };
    for (_, field) in fields.iter_mut().filter(may_be_absent) {
        if let Value::Object(field) = field {
            take_null_out(field);
        }
    }
}

fn take_null_out(field: &mut Map<String, Value>) {
    let null = Value::from("null");
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|it| *it != null);
        if let [one] = types.as_slice() {
            let one = one.clone();
            field.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(mut forms)) = field.remove("anyOf") else {
        return;
    };
    forms.retain(|form| form.get("type") != Some(&null));
    match forms.as_mut_slice() {
        [Value::Object(one)] => {
            // What is said of the field stands before what is said of its type.
            std::mem::swap(one, field);
            let said = std::mem::take(one);
            field.extend(said);
        }
        _ => {
            field.insert("anyOf".to_owned(), Value::from(forms));
        }
    }
}

/// Removes the list of fields that are always there: each may be absent.
pub fn all_may_be_absent(schema: &mut Schema) {
    schema.remove("required");
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::{OnFull, RunId, WakeReason};

    /// Says something of a [`RunId`],
    /// in two lines. The body of `POST …/samples`.
    ///
    /// The body of nothing. `Debug` shows it.
    #[derive(Deserialize, JsonSchema, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        run: RunId,
        /// Another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<RunId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        #[serde(default)]
        full: bool,
    }

    fn of<T: JsonSchema>(settings: SchemaSettings) -> Value {
        settings
            .into_generator()
            .into_root_schema_for::<T>()
            .to_value()
    }

    #[test]
    fn a_request_may_say_null_and_leave_out_what_has_a_usual_value() {
        let schema = of::<Sample>(requests());
        assert_eq!(schema["required"], json!(["run"]));
        assert_eq!(schema["additionalProperties"], false);
        let either = json!([{"$ref": "#/$defs/RunId"}, {"type": "null"}]);
        assert_eq!(schema["properties"]["other"]["anyOf"], either);
        assert_eq!(
            schema["properties"]["count"]["type"],
            json!(["integer", "null"])
        );
    }

    #[test]
    fn an_answer_leaves_out_what_is_absent_and_never_says_null() {
        let schema = of::<Sample>(answers());
        assert_eq!(schema["required"], json!(["run", "full"]));
        let other = json!({"$ref": "#/$defs/RunId", "description": "Another one."});
        assert_eq!(schema["properties"]["other"], other);
        assert_eq!(schema["properties"]["count"]["type"], "integer");
    }

    #[test]
    fn a_doc_comment_is_a_text_for_every_surface() {
        let schema = of::<Sample>(answers());
        assert_eq!(
            schema["description"],
            "Says something of a `RunId`, in two lines.\n\nThe body of nothing."
        );
    }

    #[test]
    fn an_enum_is_its_wire_names_and_what_they_say_of_themselves() {
        let schema = of::<OnFull>(requests());
        assert_eq!(schema["enum"], json!(["refuse", "skip"]));
        let text = schema["description"].as_str().unwrap();
        assert!(
            text.ends_with("\n- `skip`: The recipient gets no copy; the others do."),
            "{text}"
        );
        let schema = of::<WakeReason>(requests());
        assert_eq!(
            schema["enum"],
            json!(["requested", "left", "run_ended", "policy"])
        );
        assert_eq!(
            schema["description"],
            "The reason why a wake was cancelled."
        );
    }
}
