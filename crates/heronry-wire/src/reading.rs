//! The errors of texts that cannot be read, in the words of the contract. The readers of JSON, queries
//! and manifests speak of their own types, and nobody who wrote a request knows those.

use heronry_types::{choices, quoted};

/// The beginnings of the faults of a text that is not even JSON; the place of such a fault is what helps.
const SYNTAX: [&str; 8] = [
    "EOF while",
    "expected ",
    "invalid ",
    "trailing ",
    "key must",
    "control character",
    "lone leading",
    "number out of range",
];

/// The reason why a request, a manifest or another text in its form cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable {
    /// The field that it names itself, when it names one.
    pub field: Option<String>,
    /// The fault, in words.
    pub why: String,
}

impl Unreadable {
    /// Returns an error of `serde` in the words of whoever writes the text.
    pub fn of(message: &str) -> Self {
        let fault = without_place(message);
        about_field(fault).unwrap_or_else(|| Self {
            field: None,
            why: about_value(fault).unwrap_or_else(|| {
                let is_syntax = SYNTAX.iter().any(|lead| message.starts_with(lead));
                if is_syntax { message } else { fault }.to_owned()
            }),
        })
    }

    /// Returns the sentence: the field, when one is named, and what is wrong with it.
    pub fn sentence(&self) -> String {
        match &self.field {
            Some(field) => format!("{}: {}", field.escape_debug(), self.why),
            None => self.why.clone(),
        }
    }
}

/// Cuts off where in the text it happened; the field says that better.
fn without_place(message: &str) -> &str {
    let cut = message.rsplit_once(" at line ").filter(|(_, place)| {
        let known = |c: char| c.is_ascii_digit() || " column".contains(c);
        place.chars().all(known)
    });
    cut.map_or(message, |(message, _)| message)
}

fn about_field(message: &str) -> Option<Unreadable> {
    let (name, why) = if let Some(name) = named(message, "missing field `") {
        (name, "missing".to_owned())
    } else if let Some(name) = named(message, "duplicate field `") {
        (name, "given twice; give it once".to_owned())
    } else {
        let (name, known) = unknown(message, "unknown field `")?;
        (name, format!("no such field; {}", choices(name, known)))
    };
    let field = Some(name.chars().take(64).collect());
    Some(Unreadable { field, why })
}

fn about_value(message: &str) -> Option<String> {
    if let Some((name, known)) = unknown(message, "unknown variant `") {
        return Some(format!(
            "{} is not known; {}",
            quoted(name),
            choices(name, known)
        ));
    }
    if message.starts_with("data did not match any variant") {
        return Some("not of any form that it may have".to_owned());
    }
    for lead in ["invalid type: ", "invalid value: ", "invalid length "] {
        let Some(rest) = message.strip_prefix(lead) else {
            continue;
        };
        if let Some((found, wanted)) = rest.rsplit_once(", expected ") {
            let found = match lead {
                "invalid length " => String::new(),
                _ => format!(", not {}", found_value(found)),
            };
            return Some(format!("has to be {}{found}", wanted_value(wanted)));
        }
    }
    number_or_truth(message).map(str::to_owned)
}

/// Returns the meaning of what readers of queries say of texts that are no numbers and no truth values.
fn number_or_truth(message: &str) -> Option<&'static str> {
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            Some("has to be a whole number, 0 or more")
        }
        "number too large to fit in target type" | "number too small to fit in target type" => {
            Some("has to be a smaller number")
        }
        "provided string was not `true` or `false`" => Some("has to be true or false"),
        _ => None,
    }
}

/// Returns the name that a message puts in backticks behind its lead.
fn named<'a>(message: &'a str, lead: &str) -> Option<&'a str> {
    message.strip_prefix(lead)?.strip_suffix('`')
}

/// Returns the unknown name behind a lead, and the known ones.
fn unknown<'a>(message: &'a str, lead: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = message.strip_prefix(lead)?;
    let (name, known) = rest
        .rsplit_once("`, expected ")
        .or_else(|| rest.rsplit_once("`, there are no "))?;
    Some((name, known.split('`').skip(1).step_by(2).collect()))
}

/// Returns a name for the value that was found; the reader puts numbers into backticks, and texts into
/// quotes.
fn found_value(found: &str) -> String {
    let simple = match found {
        "map" | "newtype struct" | "struct variant" => "an object",
        "sequence" | "tuple variant" => "a list",
        "null" | "unit" | "unit value" | "Option value" => "null",
        "byte array" => "bytes",
        _ => "",
    };
    if !simple.is_empty() {
        return simple.to_owned();
    }
    if let Some(text) = found.strip_prefix("string ") {
        let text = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        return format!("the text {}", text.map_or_else(|| quoted(found), cut));
    }
    let inner = found.split('`').nth(1).unwrap_or(found);
    inner.chars().take(64).collect()
}

/// Cuts a text that is escaped already.
fn cut(escaped: &str) -> String {
    let kept: String = escaped.chars().take(64).collect();
    let dots = if kept.len() < escaped.len() { ".." } else { "" };
    format!("\"{kept}\"{dots}")
}

/// Returns a name for the value that was expected, without the names of types.
fn wanted_value(wanted: &str) -> &str {
    let starts = |leads: &[&str]| leads.iter().any(|lead| wanted.starts_with(lead));
    if starts(&["a nonzero"]) {
        "a whole number, 1 or more"
    } else if matches!(wanted, "u8" | "u16" | "u32" | "u64" | "u128" | "usize") {
        "a whole number, 0 or more"
    } else if matches!(wanted, "i8" | "i16" | "i32" | "i64" | "i128" | "isize") {
        "a whole number"
    } else if matches!(wanted, "f32" | "f64") {
        "a number"
    } else if wanted == "a boolean" {
        "true or false"
    } else if starts(&["a string", "a borrowed string", "str", "a character"])
        && !wanted.starts_with("struct")
    {
        "a text"
    } else if starts(&["a sequence", "sequence", "tuple", "a tuple"]) {
        "a list"
    } else if starts(&[
        "struct ",
        "internally tagged enum",
        "adjacently tagged enum",
        "a map",
        "map",
    ]) {
        "an object"
    } else if starts(&[
        "enum ",
        "variant identifier",
        "string or map",
        "field identifier",
    ]) {
        "one of its names"
    } else {
        wanted
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{AppendEvents, Join, RegisterWake, SendMessage, SetState};

    /// Words that only those who know our types understand.
    const INNER: [&str; 9] = [
        "enum", "struct", "variant", "untagged", "u64", "u32", "sequence", "serde", "`",
    ];

    fn why<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err();
        let sentence = Unreadable::of(&error.to_string()).sentence();
        assert!(sentence.len() < 300, "{sentence}");
        for word in INNER {
            assert!(!sentence.contains(word), "{word}: {sentence}");
        }
        sentence
    }

    #[test]
    fn what_is_wrong_is_said_in_words_of_the_contract() {
        let send = why::<SendMessage>;
        assert_eq!(send("{}"), "to: missing");
        assert_eq!(send(r#"{"to":7}"#), "has to be an object, not 7");
        assert_eq!(
            send(r#"{"to":{"type":"room"}}"#),
            r#""room" is not known; known: pool, run, topic, agent, alias"#
        );
        assert_eq!(
            send(r#"{"bodi":1}"#),
            "bodi: no such field; the nearest are body, to, from"
        );
        assert_eq!(
            send(r#"{"expires_in_ms":-1}"#),
            "has to be a whole number, 0 or more, not -1"
        );
        assert_eq!(
            send(r#"{"ordered":"yes"}"#),
            r#"has to be true or false, not the text "yes""#
        );
        assert_eq!(
            send(r#"{"from":null,"from":null}"#),
            "from: given twice; give it once"
        );
        assert_eq!(
            send(r#"{"response_contract":{"expected_responses":0}}"#),
            "has to be a whole number, 1 or more, not 0"
        );
        assert_eq!(
            why::<Join>(r#"{"topics":"t"}"#),
            r#"has to be a list, not the text "t""#
        );
        assert_eq!(why::<Join>("7"), "has to be an object, not 7");
    }

    #[test]
    fn an_unknown_kind_shows_the_nearest_three() {
        let events = why::<AppendEvents>;
        let wrong = events(r#"{"events":[{"kind":"tool_complete"}]}"#);
        assert_eq!(
            wrong,
            r#""tool_complete" is no event kind; the nearest are tool_completed, hook_completed, turn_completed"#
        );
        assert_eq!(
            why::<SetState>(r#"{"state":"done"}"#),
            r#""done" is no run state; known: active, failed, cancelled, completed, suspended"#
        );
        assert!(why::<RegisterWake>(r#"{"any_of":[7]}"#).contains("the text of a filter"));
        let huge = format!(r#"{{"events":[{{"kind":"{}"}}]}}"#, "x".repeat(100_000));
        assert!(events(&huge).len() < 200);
    }

    #[test]
    fn what_a_query_says_of_numbers_is_said_for_people() {
        let check = |message: &str, expected: &str| {
            assert_eq!(Unreadable::of(message).why, expected);
        };
        check(
            "invalid digit found in string",
            "has to be a whole number, 0 or more",
        );
        check(
            "provided string was not `true` or `false`",
            "has to be true or false",
        );
        let cut_off = "EOF while parsing an object at line 1 column 3";
        check(cut_off, cut_off);
        check("key must be a string", "key must be a string");
    }
}
