//! Garbage for everything that reads text: refused, or read to what it is written as.

use std::{fmt::Display, str::FromStr};

use heronry_event::{Filter, filter::Fingerprint};
use heronry_journal::Claim;
use heronry_types::{
    AckOutcome, AgentId, ContentRef, CorrelationKey, Cursor, DestinationKind, Digest, EntityKind,
    Epoch, EventFamily, EventKind, PoolId, PrivacyClass, RunId, SourceKind, Timestamp, Trace,
    TrustClass,
};
use heronry_wire::SinceText;
use proptest::test_runner::TestRunner;

use heronry_tests::garbage::garbage;
use heronry_tests::tries::cases;

/// The relation of a text to the written form of the value that was read from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// The written form is the text: there is one way to write the value.
    Only,
    /// The written form is read to the same value.
    Equal,
}

/// Reads garbage near these texts.
fn check<T: FromStr + Display>(valid: &[&str], form: Form) {
    for text in valid {
        assert!(text.parse::<T>().is_ok(), "{text}");
    }
    let read = TestRunner::new(cases(120)).run(&garbage(valid), |text| {
        let Ok(value) = text.parse::<T>() else {
            return Ok(());
        };
        let written = value.to_string();
        if form == Form::Only {
            assert_eq!(written, text, "there is another way to write it");
        }
        let again = written.parse::<T>().map(|value| value.to_string());
        assert_eq!(again.ok().as_ref(), Some(&written), "{text:?}");
        Ok(())
    });
    read.unwrap();
}

const HEX: &str = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f";

#[test]
fn ids_are_refused_or_kept_as_they_are() {
    check::<RunId>(&["scan-1", "é", "a b"], Form::Only);
    check::<PoolId>(&["review.1"], Form::Only);
    check::<AgentId>(&[&"x".repeat(512)], Form::Only);
    check::<CorrelationKey>(&["job"], Form::Only);
}

#[test]
fn cursors_epochs_and_references_have_one_form() {
    let cursors = ["0", "1", "42", "18446744073709551615"].map(|at| format!("{HEX}-{at}"));
    let cursors: Vec<&str> = cursors.iter().map(String::as_str).collect();
    check::<Cursor>(&cursors, Form::Only);
    check::<Epoch>(&[HEX], Form::Only);
    check::<ContentRef>(&[&format!("content:{HEX}")], Form::Only);
    check::<Digest>(&[&HEX.repeat(2)], Form::Only);
    check::<Fingerprint>(&[&format!("sha256:{}", HEX.repeat(2))], Form::Only);
    check::<Claim>(&["1@2", "18446744073709551615@0"], Form::Only);
    check::<SinceText>(&["start", "head", cursors[2]], Form::Only);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    check::<Trace>(&[trace], Form::Only);
}

#[test]
fn words_of_a_vocabulary_have_one_form() {
    check::<EventKind>(&["run_started", "run_message_accepted"], Form::Only);
    check::<EventFamily>(&["agent_pool"], Form::Only);
    check::<EntityKind>(&["message"], Form::Only);
    check::<SourceKind>(&["sdk"], Form::Only);
    check::<DestinationKind>(&["agent_pool"], Form::Only);
    check::<PrivacyClass>(&["content_refs_only"], Form::Only);
    check::<TrustClass>(&["host_provided"], Form::Only);
    check::<AckOutcome>(&["done"], Form::Only);
}

#[test]
fn times_are_refused_or_read_to_what_they_are_written_as() {
    let times = [
        "2026-11-20T08:15:30.125Z",
        "2026-11-20T09:15:30+01:00",
        "0000-01-01T00:00:00Z",
        "9999-12-30T21:59:59.999Z",
    ];
    check::<Timestamp>(&times, Form::Equal);
}

#[test]
fn a_claim_has_one_name() {
    for text in [
        "01@2",
        "1@02",
        "+1@2",
        "1@2 ",
        "1@",
        "@",
        "1@2@3",
        "1@18446744073709551616",
    ] {
        assert!(text.parse::<Claim>().is_err(), "{text}");
    }
}

const FILTERS: [&str; 6] = [
    r#"kind == "run_completed" && run in ["a", "b"]"#,
    r#"!(correlation["k"] != "v") || "t" in tags"#,
    r#"related.exists(r, r.kind == "run" && r.id == 'a')"#,
    r#"position > 42 && recorded_at < timestamp("2026-11-20T08:00:00Z")"#,
    r#"destination.id.startsWith("scan") && terminal"#,
    r#"family == "agent_pool" && (topic != "" || "r" in recipients)"#,
];

#[test]
fn a43_a_spoilt_filter_is_refused_or_compiles_to_what_its_normal_form_compiles_to() {
    let read = TestRunner::new(cases(400)).run(&garbage(&FILTERS), |text| {
        match Filter::compile(&text) {
            Ok(filter) => {
                let again = Filter::compile(filter.normal_form()).unwrap();
                assert_eq!(filter.fingerprint(), again.fingerprint(), "{text}");
                assert_eq!(filter.normal_form(), again.normal_form(), "{text}");
            }
            Err(errors) => {
                assert!(!errors.as_slice().is_empty());
                for error in &errors {
                    assert!(
                        text.get(error.span.clone()).is_some(),
                        "{text:?}: {error:?}"
                    );
                }
            }
        }
        Ok(())
    });
    read.unwrap();
}

#[test]
fn a43_filters_of_any_size_end_in_a_filter_or_a_limit() {
    for count in [10, 100, 1_000, 20_000] {
        for text in [
            "(".repeat(count),
            "!".repeat(count),
            format!("{}terminal{}", "(".repeat(count), ")".repeat(count)),
            vec![r#"run == "a""#; count].join(" && "),
            vec![r#"(run == "a" || topic == "b")"#; count].join(" && "),
            format!("run in [{}]", vec![r#""a""#; count].join(",")),
            format!("run == \"{}", "a".repeat(count)),
        ] {
            if let Err(errors) = Filter::compile(&text) {
                assert!(!errors.as_slice().is_empty());
            }
        }
    }
}
