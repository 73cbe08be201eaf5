//! Reading a line: an event as JSON, a `CloudEvent`, or a notice that the runtime lagged.

use heronry_runtime::{SourceEvent, SourceItem};
use heronry_types::{EventKind, NewEvent, RunId, SourcePosition};
use heronry_wire::Unreadable;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::LineFormat;

/// The reason why a line without a place is not taken: after a restart nobody could tell it from another.
const NO_PLACE: &str = "it says no position; --number-lines takes the number of each line, for a stream that always begins at its start";

/// Reads a line. `number` is the place of one that says none, where the numbers of lines are places.
///
/// # Errors
/// A short text that says why it cannot be read.
pub(super) fn item(
    bytes: &[u8],
    format: LineFormat,
    number: Option<u64>,
) -> Result<SourceItem, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    let Value::Object(mut fields) = value else {
        return Err("not a JSON object".to_owned());
    };
    if let (Some(missed), 1) = (fields.get("lagged"), fields.len()) {
        let missed = missed.as_u64().ok_or("lagged is not a number")?;
        return Ok(SourceItem::Lagged { missed });
    }
    let is_cloud = fields.contains_key("specversion");
    match (format, is_cloud) {
        (LineFormat::Auto | LineFormat::Cloudevents, true) => cloud_event(fields, number),
        (LineFormat::Auto | LineFormat::Lines, false) => {
            let position = take(&mut fields, "position")?;
            let run = take(&mut fields, "run")?;
            of_parts(fields, position, run, number)
        }
        (LineFormat::Cloudevents, false) => {
            Err("not a CloudEvent: it has no specversion".to_owned())
        }
        (LineFormat::Lines, true) => Err("a CloudEvent; say --format cloudevents".to_owned()),
    }
}

/// Reads a `CloudEvent`: its type ends with the kind, its data has the fields of the event.
fn cloud_event(mut fields: Map<String, Value>, number: Option<u64>) -> Result<SourceItem, String> {
    let kind: String = take(&mut fields, "type")?.ok_or("a CloudEvent without a type")?;
    let kind = kind.rsplit('.').next().unwrap_or_default();
    let kind: EventKind = kind.parse().map_err(|error| format!("type: {error}"))?;
    let id: Option<String> = take(&mut fields, "id")?;
    let sequence: Option<Value> = fields.remove("sequence");
    let run = take(&mut fields, "run")?;
    let time = fields.remove("time");
    let data = fields.remove("data").unwrap_or(Value::Null);
    let mut event = match data {
        Value::Null => Map::new(),
        Value::Object(data) => data,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("data is not an object with the fields of an event".to_owned());
        }
    };
    event.insert("kind".to_owned(), Value::from(kind.to_string()));
    time.map(|time| event.insert("occurred_at".to_owned(), time));
    let position = match (sequence, id) {
        (Some(sequence), _) => Some(sequence_of(&sequence)?),
        (None, Some(id)) => Some(SourcePosition::Id(
            id.parse().map_err(|error| format!("id: {error}"))?,
        )),
        (None, None) => None,
    };
    of_parts(event, position, run, number)
}

/// Reads the `sequence` of a `CloudEvent`: a number, or digits.
fn sequence_of(sequence: &Value) -> Result<SourcePosition, String> {
    let number = match sequence {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let number = number.ok_or("sequence is not a whole number")?;
    Ok(SourcePosition::Number(number))
}

fn of_parts(
    mut fields: Map<String, Value>,
    position: Option<SourcePosition>,
    run: Option<RunId>,
    number: Option<u64>,
) -> Result<SourceItem, String> {
    if let Some(summary) = take::<String>(&mut fields, "summary")? {
        let payload = json!({"type": "summary", "summary": summary});
        if fields.insert("payload".to_owned(), payload).is_some() {
            return Err("summary and payload: say one of them".to_owned());
        }
    }
    let event: NewEvent =
        serde_json::from_value(Value::Object(fields)).map_err(|error| unreadable(&error))?;
    let said = position.or_else(|| event.source_position.clone());
    Ok(SourceItem::Event(Box::new(SourceEvent {
        position: said
            .or(number.map(SourcePosition::Number))
            .ok_or(NO_PLACE)?,
        run,
        event,
    })))
}

/// Takes a field out of an object, when it is there.
fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, String> {
    let Some(value) = fields.remove(name) else {
        return Ok(None);
    };
    let read = serde_json::from_value(value);
    read.map(Some)
        .map_err(|error| format!("{name}: {}", unreadable(&error)))
}

fn unreadable(error: &serde_json::Error) -> String {
    Unreadable::of(&error.to_string()).sentence()
}

#[cfg(test)]
mod tests {
    use heronry_types::Payload;

    use super::*;

    fn check(line: &str, expected: &str) {
        let found = match item(line.as_bytes(), LineFormat::Auto, Some(9)) {
            Ok(SourceItem::Event(event)) => {
                let run = event.run.map_or("-".to_owned(), |run| run.to_string());
                let at = serde_json::to_string(&event.position).unwrap();
                format!("{} at {at} of {run}", event.event.kind)
            }
            Ok(SourceItem::Lagged { missed }) => format!("lagged {missed}"),
            Ok(SourceItem::Missing(_)) => panic!("a line says that of itself"),
            Err(why) => format!("error: {why}"),
        };
        assert!(found.starts_with(expected), "{line}: {found}");
    }

    #[test]
    fn a_line_says_its_place_or_has_its_number() {
        check(r#"{"kind":"tool_started"}"#, "tool_started at 9 of -");
        check(
            r#"{"kind":"tool_started","position":4,"run":"r"}"#,
            "tool_started at 4 of r",
        );
        check(
            r#"{"kind":"tool_started","position":"x"}"#,
            r#"tool_started at "x" of -"#,
        );
        check(
            r#"{"kind":"tool_started","source_position":5}"#,
            "tool_started at 5 of -",
        );
        check(r#"{"lagged":7}"#, "lagged 7");
        check(
            r#"{"kind":"tool_started","position":-1}"#,
            "error: position: ",
        );
        check(r#"{"kind":"nothing"}"#, "error: ");
        check(r#"{"kind":"tool_started","body":"x"}"#, "error: ");
        check("[]", "error: not a JSON object");
        let line = br#"{"kind":"tool_started"}"#;
        let unplaced = item(line, LineFormat::Auto, None);
        assert_eq!(unplaced.unwrap_err(), NO_PLACE);
    }

    #[test]
    fn a_line_may_say_a_summary_as_emit_does() {
        let lines = [
            r#"{"kind":"tool_started","summary":"12 findings"}"#,
            r#"{"specversion":"1.0","type":"tool_started","id":"a","data":{"summary":"12 findings"}}"#,
        ];
        for line in lines {
            let Ok(SourceItem::Event(event)) = item(line.as_bytes(), LineFormat::Auto, Some(1))
            else {
                panic!("{line}")
            };
            let Payload::Summary { summary, refs } = &event.event.payload else {
                panic!("{line}: {event:?}")
            };
            assert_eq!((summary.as_str(), refs.len()), ("12 findings", 0));
        }
        check(
            r#"{"kind":"tool_started","summary":"a","payload":{"type":"envelope_only"}}"#,
            "error: summary and payload",
        );
        check(r#"{"kind":"tool_started","summary":1}"#, "error: summary: ");
    }

    #[test]
    fn a_cloud_event_has_its_place_in_its_sequence_or_its_id() {
        let cloud = |more: &str| {
            format!(
                r#"{{"specversion":"1.0","type":"org.example.tool_started","source":"/s",{more}}}"#
            )
        };
        check(&cloud(r#""id":"a""#), r#"tool_started at "a" of -"#);
        check(
            &cloud(r#""id":"a","sequence":"12","run":"r""#),
            "tool_started at 12 of r",
        );
        check(
            &cloud(r#""id":"a","sequence":12,"data":{"tags":["t"]}"#),
            "tool_started at 12",
        );
        check(
            &cloud(r#""id":"a","time":"2026-01-01T00:00:00Z""#),
            r#"tool_started at "a""#,
        );
        check(&cloud(r#""id":"a","sequence":"first""#), "error: sequence");
        check(&cloud(r#""id":"a","data":"text""#), "error: data");
        check(
            &cloud(r#""id":"a","tracestate":"x""#),
            r#"tool_started at "a""#,
        );
        check(
            r#"{"specversion":"1.0","type":"org.example.said","id":"a"}"#,
            "error: type: ",
        );
    }
}
