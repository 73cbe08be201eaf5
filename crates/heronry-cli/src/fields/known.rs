//! The fields that an answer can have, as the contract of the server and our own types say.

use heronry_server::openapi_json;
use heronry_types::{by_nearness, nearest};
use serde_json::Value;

use super::{FieldPath, other_spelling};
use crate::failure::Failure;

/// The rows of an answer, and the source of their fields.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AnswerRows {
    /// One row: an object of the contract.
    One(&'static str),
    /// One row: an object of the contract with these fields beside its own.
    With(&'static str, &'static [&'static str]),
    /// One row: one of these objects of the contract.
    OneOf(&'static [&'static str]),
    /// A list under this name in an object of the contract.
    Each(&'static str, &'static str),
    /// Rows of this binary's own, with these fields.
    Own(&'static [&'static str]),
    /// There are no fields.
    Nothing,
}

/// Refuses a path that the answer never has, before anything is asked.
pub(crate) fn check(answer: AnswerRows, paths: &[FieldPath]) -> Result<(), Failure> {
    let contract = PublishedContract::read()?;
    let row = contract.row(answer);
    let beside: &[&str] = match answer {
        AnswerRows::With(_, names) => names,
        AnswerRows::One(_)
        | AnswerRows::OneOf(_)
        | AnswerRows::Each(..)
        | AnswerRows::Own(_)
        | AnswerRows::Nothing => &[],
    };
    let is_beside = |path: &FieldPath| {
        let first = path.0.first();
        first.is_some_and(|first| beside.contains(&first.as_str()))
    };
    let mut others = paths.iter().filter(|path| !is_beside(path));
    others.try_for_each(|path| contract.check(&row, path))
}

/// The values that can stand at a place of an answer.
#[derive(Clone, Debug)]
enum PossibleValues<'a> {
    /// One of these schemas.
    Of(Vec<&'a Value>),
    /// An object with these names, and any values.
    Names(Vec<&'a str>),
    /// Anything.
    Free,
}

/// The contract that the server publishes.
#[derive(Debug)]
struct PublishedContract(Value);

impl PublishedContract {
    fn read() -> Result<Self, Failure> {
        let document = serde_json::from_slice(&openapi_json());
        document.map(Self).map_err(Failure::failed)
    }

    fn row(&self, answer: AnswerRows) -> PossibleValues<'_> {
        match answer {
            AnswerRows::One(name) | AnswerRows::With(name, _) => {
                PossibleValues::Of(self.parts_of(self.schema(name)))
            }
            AnswerRows::OneOf(names) => {
                let parts = names.iter().flat_map(|it| self.parts_of(self.schema(it)));
                PossibleValues::Of(parts.collect())
            }
            AnswerRows::Each(name, list) => {
                let lists = self.parts_of(at(at(self.schema(name), "properties"), list));
                let items = lists.iter().flat_map(|it| self.parts_of(at(it, "items")));
                PossibleValues::Of(items.collect())
            }
            AnswerRows::Own(names) => PossibleValues::Names(names.to_vec()),
            AnswerRows::Nothing => PossibleValues::Names(Vec::new()),
        }
    }

    fn schema(&self, name: &str) -> &Value {
        at(at(at(&self.0, "components"), "schemas"), name)
    }

    /// Returns the schemas that one consists of, without references.
    fn parts_of<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(path) = at(schema, "$ref").as_str() {
            let name = path.rsplit('/').next().unwrap_or(path);
            return self.parts_of(self.schema(name));
        }
        let lists = ["allOf", "anyOf", "oneOf"].map(|list| at(schema, list).as_array());
        let parts = lists.into_iter().flatten().flatten();
        let parts = parts.flat_map(|part| self.parts_of(part));
        std::iter::once(schema).chain(parts).collect()
    }

    fn check(&self, row: &PossibleValues<'_>, path: &FieldPath) -> Result<(), Failure> {
        let mut place = row.clone();
        for (depth, step) in path.0.iter().enumerate() {
            place = match self.under(&place, step) {
                Some(under) => under,
                None => return Err(unknown(path, depth, &names_of(&place))),
            };
        }
        Ok(())
    }

    /// Returns the value under a name, or at a position of a list.
    fn under<'a>(&'a self, place: &PossibleValues<'a>, step: &str) -> Option<PossibleValues<'a>> {
        let schemas = match place {
            PossibleValues::Free => return Some(PossibleValues::Free),
            PossibleValues::Names(names) => {
                let spelt = [step.to_owned(), other_spelling(step)];
                let is_known = spelt.iter().any(|step| names.contains(&step.as_str()));
                return is_known.then_some(PossibleValues::Free);
            }
            PossibleValues::Of(schemas) => schemas,
        };
        if schemas.iter().any(|schema| is_free(schema)) {
            return Some(PossibleValues::Free);
        }
        let is_position = step.parse::<usize>().is_ok();
        let found = schemas.iter().filter_map(|schema| {
            let fields = at(schema, "properties");
            let named = fields.get(step);
            let named = named.or_else(|| fields.get(other_spelling(step)));
            named.or_else(|| schema.get("items").filter(|_| is_position))
        });
        let parts: Vec<&Value> = found.flat_map(|it| self.parts_of(it)).collect();
        (!parts.is_empty()).then_some(PossibleValues::Of(parts))
    }
}

/// Returns a member of an object; null when there is none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Returns true when an object may have any names: a map, or an object whose fields the contract does
/// not list.
fn is_free(schema: &Value) -> bool {
    let is_map = schema
        .get("additionalProperties")
        .is_some_and(|it| *it != Value::Bool(false));
    let types = at(schema, "type");
    let is_object = |it: &Value| it == "object";
    let is_object = is_object(types) || types.as_array().is_some_and(|it| it.iter().any(is_object));
    is_map || (is_object && schema.get("properties").is_none())
}

fn names_of<'a>(place: &PossibleValues<'a>) -> Vec<&'a str> {
    match place {
        PossibleValues::Free => Vec::new(),
        PossibleValues::Names(names) => names.clone(),
        PossibleValues::Of(schemas) => {
            let objects = schemas
                .iter()
                .filter_map(|it| at(it, "properties").as_object());
            let mut names: Vec<&str> = objects
                .flat_map(|it| it.keys())
                .map(String::as_str)
                .collect();
            if schemas.iter().any(|it| it.get("items").is_some()) {
                names.push("0, 1, ..");
            }
            names
        }
    }
}

/// Says which name of a path is unknown, and the known ones, nearest first.
fn unknown(path: &FieldPath, depth: usize, known: &[&str]) -> Failure {
    let name = path.0.get(depth).map_or("", String::as_str);
    let place = match path.0.get(..depth) {
        None | Some([]) => "this answer".to_owned(),
        Some(above) => above.join("."),
    };
    if known.is_empty() {
        return Failure::usage(format_args!(
            "--field: {place} has no field {name:?}, nor any other"
        ));
    }
    let meant = nearest(name, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    let known = by_nearness(name, known.iter().copied()).join(", ");
    Failure::usage(format_args!(
        "--field: {place} has no field {name:?}{meant}; it has: {known}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(answer: AnswerRows, fields: &str) -> Result<(), String> {
        let paths: Vec<FieldPath> = fields.split(',').map(|it| it.parse().unwrap()).collect();
        check(answer, &paths).map_err(|failure| failure.to_string())
    }

    const MEMBERS: AnswerRows = AnswerRows::Each("MemberList", "members");

    #[test]
    fn a_field_that_an_answer_may_have_is_known_in_both_spellings() {
        for (answer, fields) in [
            (
                MEMBERS,
                "run_id,run,agent,lost_until,topics.0,suspended.wakes.0",
            ),
            (
                AnswerRows::One("Receipt"),
                "message,recipients.0.run,responses.3.message_id",
            ),
            (
                AnswerRows::One("Event"),
                "run_id,run,message_id,correlation.any.thing,subject.kind",
            ),
            (
                AnswerRows::One("PoolOpened"),
                "pool,cursor,settings.limits.claim_ms_max",
            ),
            (
                AnswerRows::One("WakeChanged"),
                "wake,wake_id,durability,matches.0.kind",
            ),
            (
                AnswerRows::Own(&["pool", "kinds"]),
                "pool_id,kinds.run_joined",
            ),
            (
                AnswerRows::With("WakeView", &["early"]),
                "status,early.kind",
            ),
            (AnswerRows::OneOf(&["Changed", "Joined"]), "cursor,unread"),
        ] {
            assert_eq!(checked(answer, fields), Ok(()), "{fields}");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_known_ones_nearest_first() {
        let wrong = checked(MEMBERS, "run_id,agnet_id").unwrap_err();
        let start = "--field: this answer has no field \"agnet_id\"; did you mean agent_id?; it has: agent_id, ";
        assert!(wrong.starts_with(start), "{wrong}");
        assert!(wrong.contains(", suspended"), "{wrong}");
        let deep = checked(MEMBERS, "suspended.wakse").unwrap_err();
        assert!(
            deep.contains("suspended has no field \"wakse\"; did you mean wakes?"),
            "{deep}"
        );
        for (answer, fields) in [
            (MEMBERS, "topics.first"),
            (MEMBERS, "generation.x"),
            (MEMBERS, "members"),
            (AnswerRows::Own(&["pool"]), "poll"),
            (AnswerRows::Nothing, "a"),
        ] {
            let wrong = checked(answer, fields).unwrap_err();
            assert!(wrong.starts_with("--field: "), "{wrong}");
        }
    }
}
