//! The reference page of manifests, compared with the keys that are read, and the example.

use std::{collections::BTreeMap, fmt};

use heronry_host::{BACKOFF, BACKOFF_MAX, HEALTHY_AFTER, RESTARTS_MAX, STOP_GRACE};
use heronry_host_process::{LINE_BYTES_MAX, LOG_BYTES_MAX, OWN_VARIABLES, SHOWN_BYTES_MAX};
use heronry_types::{LimitName, Vocabulary};
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, Visitor, value::Error},
    forward_to_deserialize_any,
};

use super::{EXAMPLE, Manifest, REFERENCE, REPLICAS_MAX, keys, raw, values};

/// Keeps the names of the fields that a type asks for.
struct AskedFields<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for AskedFields<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(fields);
        Err(de::Error::custom("only the fields were asked for"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("not a type with fields"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields_of<T: DeserializeOwned + fmt::Debug>() -> Vec<&'static str> {
    let mut fields = Vec::new();
    T::deserialize(AskedFields(&mut fields)).unwrap_err();
    fields.sort_unstable();
    fields
}

/// The rows of the table under a heading: their first cells, and the cell of the column `default`.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let part = REFERENCE.split(&format!("## {heading}\n")).nth(1).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let mut table = part.lines().filter(|line| line.starts_with("| "));
    let cells = |row: &str| -> Vec<String> {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let header = cells(table.next().unwrap());
    let place = header.iter().position(|name| name == "default").unwrap();
    let row = |row| {
        let cells = cells(row);
        (cells[0].trim_matches('`').to_owned(), cells[place].clone())
    };
    table.map(row).collect()
}

fn names(heading: &str) -> Vec<String> {
    rows(heading).into_keys().collect()
}

#[test]
fn every_key_is_in_the_page_and_every_key_of_the_page_is_one() {
    let sorted = |keys: &[&'static str]| {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys
    };
    assert_eq!(
        names("Keys of the manifest"),
        fields_of::<raw::ManifestFile>()
    );
    assert_eq!(names("Keys of a member"), fields_of::<raw::MemberTable>());
    assert_eq!(names("Retention"), fields_of::<raw::RetentionTable>());
    assert_eq!(names("Keys of a module"), fields_of::<raw::ModuleTable>());
    assert_eq!(sorted(&keys::MODULE_KEYS), fields_of::<raw::ModuleTable>());
    assert_eq!(names("Restarts"), fields_of::<values::RestartTable>());
    assert_eq!(
        sorted(&keys::RESTART_KEYS),
        fields_of::<values::RestartTable>()
    );
    assert_eq!(
        names("Rules of messages"),
        sorted(&keys::MESSAGE_POLICY_KEYS)
    );
    let mut limits: Vec<&str> = LimitName::ALL.iter().map(|it| it.wire_name()).collect();
    limits.sort_unstable();
    assert_eq!(names("Limits"), limits);
    assert_eq!(sorted(&keys::FILE_KEYS), fields_of::<raw::ManifestFile>());
    assert_eq!(sorted(&keys::MEMBER_KEYS), fields_of::<raw::MemberTable>());
}

#[test]
fn every_default_of_the_page_is_what_holds_without_the_key() {
    let parse = |key: &str| {
        let text = format!("pool = \"p\"\n[[member]]\nagent = \"a\"\ncommand = [\"sh\"]\n{key}");
        let manifest = Manifest::parse(&text, std::path::Path::new("/"));
        format!("{:?}", manifest.unwrap().members)
    };
    let mut checked = 0;
    for (key, default) in rows("Keys of a member") {
        if let Some(value) = default.strip_prefix('`') {
            let value = value.trim_end_matches('`');
            assert_eq!(parse(&format!("{key} = {value}\n")), parse(""), "{key}");
            checked += 1;
        }
    }
    assert_eq!(checked, 10, "the defaults that are values");
    for (key, default) in rows("Restarts") {
        let value = default.trim_matches('`');
        let table = format!("restart = {{ {key} = {value} }}\n");
        assert_eq!(parse(&table), parse(""), "{key}");
    }
    for (limit, default) in rows("Limits") {
        let value = LimitName::from_wire(&limit).unwrap().default_value();
        assert_eq!(default, format!("`{value}`"), "{limit}");
    }
}

#[test]
fn every_figure_of_the_page_is_that_of_the_code() {
    for figure in [
        format!("number, 1 to {REPLICAS_MAX} "),
        format!("after {} ms", BACKOFF.as_millis()),
        format!("{} s. After {RESTARTS_MAX} restarts", BACKOFF_MAX.as_secs()),
        format!("ran for {} s", HEALTHY_AFTER.as_secs()),
        format!("{} s later `SIGKILL`", STOP_GRACE.as_secs()),
        format!("longer than {} KiB", LINE_BYTES_MAX / 1024),
        format!("after {} MiB of one start", SHOWN_BYTES_MAX / (1024 * 1024)),
        format!("log of {} MiB", LOG_BYTES_MAX / (1024 * 1024)),
    ] {
        let page = REFERENCE.replace('\n', " ");
        assert!(page.contains(&figure), "no {figure:?}");
    }
}

#[test]
fn the_variables_that_members_do_not_get_are_in_the_page() {
    let page = REFERENCE.replace('\n', " ");
    let said = format!("No variable of `up` whose name begins with `{OWN_VARIABLES}` is among it");
    assert!(page.contains(&said));
}

#[test]
fn the_example_is_a_manifest() {
    let manifest = Manifest::parse(EXAMPLE, std::path::Path::new("/")).unwrap();
    let runs: Vec<&str> = manifest
        .members
        .iter()
        .map(|m| m.spec.run.as_str())
        .collect();
    assert_eq!(runs, ["asker", "worker-1", "worker-2"]);
    assert!(manifest.config.limits.is_some());
}
