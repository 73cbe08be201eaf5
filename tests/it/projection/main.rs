//! Golden files of the events that records become: one for every kind of record.
//!
//! The records are the golden files of the journal. The event of an earlier one is a snapshot beside this
//! test; that of a later one stands in the file itself, where `HERONRY_GOLDEN=add` writes it, never over
//! one.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{collections::BTreeSet, fs};

use heronry_event::Event;
use heronry_journal::{Body, Noun};
use heronry_pool::project;
use heronry_tests::Golden;
use heronry_types::Timelines;
use serde_json::Value;

/// Checks an event against the one in its golden file; adds it when there is none and that was asked for.
fn check_in_file(golden: &Golden, event: &Value) {
    let mut json = golden.json.clone();
    let add = std::env::var("HERONRY_GOLDEN").is_ok_and(|word| word == "add");
    if add && json.get("event").is_none() {
        let members = json.as_object_mut().unwrap();
        members.insert("event".to_owned(), event.clone());
        let text = serde_json::to_string_pretty(&json).unwrap();
        fs::write(&golden.path, text + "\n").unwrap();
    }
    let name = &golden.name;
    assert_eq!(json.get("event"), Some(event), "{name}; HERONRY_GOLDEN=add");
}

#[test]
fn every_kind_of_record_becomes_its_golden_event() {
    let mut numbers = BTreeSet::new();
    for golden in Golden::records() {
        let (name, chunk) = (golden.name.as_str(), golden.chunk());
        let record = chunk.record(chunk.first()).unwrap();
        let event = project(&Timelines::of(chunk.header().epoch), &record);
        assert_eq!(event.envelope.kind, record.kind());
        let json = serde_json::to_value(&event).unwrap();
        let read: Event = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(read, event, "{name}");
        if golden.holds_bytes() {
            check_in_file(&golden, &json);
        } else {
            insta::assert_json_snapshot!(name, json);
        }
        numbers.insert(record.entry.body.number());
    }
    let known: BTreeSet<u16> = Body::KINDS.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, known, "every kind of record has its golden file");
}

#[test]
fn o20_every_record_has_exactly_one_event() {
    for golden in Golden::all() {
        let chunk = golden.chunk();
        for record in chunk.records() {
            let record = record.unwrap();
            let event = project(&Timelines::of(chunk.header().epoch), &record);
            assert_eq!(event.envelope.id().position, record.position);
        }
    }
}

const FORMAT: &str = include_str!("../../../docs/FORMAT.md");

/// Returns true when a text of numbers and ranges (`1 to 9, 15`) holds a number.
fn holds(ranges: &str, number: u16) -> bool {
    let number_in = |text: &str| text.trim().parse::<u16>().unwrap();
    ranges.split(',').any(|part| {
        let (first, last) = part.split_once(" to ").unwrap_or((part, part));
        (number_in(first)..=number_in(last)).contains(&number)
    })
}

#[test]
fn the_format_page_says_what_every_number_is_about() {
    let (_, table) = FORMAT.split_once("| numbers | records about |").unwrap();
    let rows: Vec<_> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.split_once(" | "))
        .collect();
    for golden in Golden::records() {
        let chunk = golden.chunk();
        let body = chunk.record(chunk.first()).unwrap().entry.body;
        let about = match body.noun() {
            Noun::Pool(_) => "the pool",
            Noun::Member(_) => "members",
            Noun::Message(_) => "messages",
            Noun::Wake(_) => "wakes",
            Noun::Effect(_) => "effects",
            Noun::Content(_) => "bodies",
            Noun::Source(_) => "what is reported",
            Noun::Roster(_) => "the roster",
            Noun::Wiring(_) => "the wiring",
            Noun::Nothing(_) => "what is told to others",
        };
        let of_number = rows.iter().filter(|(list, _)| holds(list, body.number()));
        let said: Vec<_> = of_number.map(|(_, about)| *about).collect();
        assert_eq!(said.len(), 1, "{}: {said:?}", golden.name);
        let starts = said.iter().all(|said| said.starts_with(about));
        assert!(starts, "{}: {said:?}", golden.name);
    }
}
