//! The filter language by example: what compiles to what, and what is refused how.

use heronry_event::filter::{CompileErrors, ErrorKind, Filter, Limit};

fn check(text: &str, normal_form: &str) {
    let filter = Filter::compile(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    assert_eq!(filter.normal_form(), normal_form, "{text}");
}

fn refused(text: &str) -> CompileErrors {
    match Filter::compile(text) {
        Ok(filter) => panic!("{text} compiles to {filter}"),
        Err(errors) => errors,
    }
}

/// Each error as the text that it marks, its kind, and its suggestion.
fn check_refused(text: &str, expected: &[(&str, ErrorKind, Option<&str>)]) {
    let errors = refused(text);
    let found: Vec<_> = errors
        .iter()
        .map(|error| {
            let marked = &text[error.span.clone()];
            (marked, error.kind, error.suggestion.as_deref())
        })
        .collect();
    assert_eq!(found, expected, "{text}\n{errors}");
}

#[test]
fn sets_on_one_field_are_merged() {
    check(
        "run == 'a' || run == 'b' || run in ['c', 'a']",
        r#"run in ["a", "b", "c"]"#,
    );
    check("run in ['a', 'b'] && run != 'a'", r#"run == "b""#);
    check("run != 'a' && run != 'b'", r#"!(run in ["a", "b"])"#);
    check("run != 'a' || run != 'b'", "true");
    check("run == 'a' && run == 'b'", "false");
    check(
        "!(run == 'a' || kind == 'run_failed')",
        r#"kind != "run_failed" && run != "a""#,
    );
    check("run in []", "false");
    check("'a' == run", r#"run == "a""#);
}

#[test]
fn ids_have_the_names_of_requests_and_answers_too() {
    let page = include_str!("../../docs/FILTERS.md");
    for name in [
        "pool", "run", "agent", "session", "turn", "attempt", "message", "topic",
    ] {
        let [long, short] = [format!("{name}_id"), name.to_owned()]
            .map(|field| Filter::compile(&format!("{field} == 'a'")).unwrap());
        assert_eq!(long.normal_form(), format!("{name} == \"a\""));
        assert_eq!(long.fingerprint(), short.fingerprint());
        assert!(page.contains(&format!("`{name}_id`")), "{name}");
    }
    check_refused(
        "kind_id == 'a'",
        &[("kind_id", ErrorKind::UnknownField, None)],
    );
}

#[test]
fn prefixes_and_sets_are_merged() {
    check(
        "topic.startsWith('ab') && topic.startsWith('a')",
        r#"topic.startsWith("ab")"#,
    );
    check(
        "topic.startsWith('a') && topic in ['ab', 'b']",
        r#"topic == "ab""#,
    );
    check(
        "topic.startsWith('a') || topic == 'ab'",
        r#"topic.startsWith("a")"#,
    );
    check("topic.startsWith('a') && !topic.startsWith('a')", "false");
    check("topic.startsWith('')", "true");
    check(
        "topic.startsWith('a') && !topic.startsWith('b')",
        r#"topic.startsWith("a")"#,
    );
    check(
        "topic.startsWith('a') && topic != 'b'",
        r#"topic.startsWith("a")"#,
    );
    check("topic.startsWith('a') && topic.startsWith('b')", "false");
}

#[test]
fn numbers_and_times_are_bounded() {
    check(
        "position > 4 && position < 7",
        "position >= 5 && position <= 6",
    );
    check("position >= 5 && 5 >= position", "position == 5");
    check("position < 0 || position > 9223372036854775807", "false");
    check("position >= -3", "true");
    check(
        "position in [3, 0x2] || position == 1",
        "position in [1, 2, 3]",
    );
    check("position > 5 && position != 6", "position >= 7");
    check(
        "recorded_at < timestamp('2026-11-20T09:15:30+01:00')",
        r#"recorded_at <= timestamp("2026-11-20T08:15:29.999Z")"#,
    );
}

#[test]
fn collections_and_relations_are_merged() {
    check(
        "'b' in tags || 'a' in tags",
        r#"("a" in tags || "b" in tags)"#,
    );
    check(
        "!('a' in tags) && ('a' in tags || 'b' in tags)",
        r#""b" in tags && !("a" in tags)"#,
    );
    check(
        "related.exists(x, x.id == 'a' && (x.kind == 'run' || x.kind == 'topic'))",
        r#"related.exists(r, r.kind in ["run", "topic"] && r.id == "a")"#,
    );
    check(
        "related.exists(r, r.kind == 'run') && !related.exists(r, r.kind in ['run', 'turn'])",
        "false",
    );
    check("related.exists(r, r.id in [])", "false");
}

#[test]
fn r44_a_filter_that_asks_for_a_label_is_of_version_2_and_a_missing_label_compares_false() {
    use ErrorKind::{Mismatch, Unsupported};
    check("labels['k'] != 'v'", r#"labels["k"] != "v""#);
    check("!(labels['k'] == 'v')", r#"!(labels["k"] == "v")"#);
    check("labels['k'].startsWith('')", r#""k" in labels"#);
    check("!('k' in labels) && labels['k'] == 'v'", "false");
    let version = |text| Filter::compile(text).unwrap().language();
    assert_eq!(
        version("kind == 'run_message_acked' || 'k' in correlation"),
        1
    );
    assert_eq!(version("terminal || labels['k'] == 'v'"), 2);
    // What the normal form does not ask for needs no newer build.
    assert_eq!(version("terminal || terminal && labels['k'] == 'v'"), 1);
    check_refused(
        "labels.k == 'a'",
        &[("labels.k", Unsupported, Some("labels[\"k\"]"))],
    );
    check_refused("labels == 'a'", &[("labels == 'a'", Mismatch, None)]);
    check_refused("tags[\"k\"] == 'a'", &[("tags", Unsupported, None)]);
}

#[test]
fn a_missing_correlation_compares_false() {
    check("correlation['k'] != 'v'", r#"correlation["k"] != "v""#);
    check(
        "'k' in correlation && correlation['k'] != 'v'",
        r#"correlation["k"] != "v""#,
    );
    check(
        "!(correlation['k'] == 'v')",
        r#"!(correlation["k"] == "v")"#,
    );
    check(
        "'k' in correlation && !(correlation['k'] == 'v')",
        r#"correlation["k"] != "v""#,
    );
    check("correlation['k'].startsWith('')", r#""k" in correlation"#);
    check("!('k' in correlation) && correlation['k'] == 'v'", "false");
    check(
        "correlation['k'] == 'v' || !('k' in correlation)",
        r#"(!("k" in correlation) || correlation["k"] == "v")"#,
    );
}

#[test]
fn alternatives_that_add_nothing_are_dropped() {
    check("run == 'a' || run == 'a' && terminal", r#"run == "a""#);
    check(
        "terminal && (run == 'a' || topic == 't')",
        r#"terminal && run == "a" || terminal && topic == "t""#,
    );
    check("terminal == false || terminal", "true");
    check(
        "run == 'a' || (run == 'b' || topic == 't') && (run == 'b' || terminal)",
        r#"terminal && topic == "t" || run in ["a", "b"]"#,
    );
    check("terminal != true", "!terminal");
    check("run == 'a' && false || true && terminal", "terminal");
}

#[test]
fn literals_have_the_escapes_of_cel() {
    check(
        r#"run == 'a\'"\\\n\t\x41\u00e9\101'"#,
        r#"run == "a'\"\\\n\tAéA""#,
    );
    check("run == \"it's\" // and a comment", r#"run == "it's""#);
    check("run == '\\U0001F600'", "run == \"\u{1f600}\"");
    check("run == ''", r#"run == """#);
    check("subject.id == ''", "false");
}

#[test]
fn a38_misspelt_names_are_marked_and_a_suggestion_is_made() {
    use ErrorKind::{UnknownField, UnknownName};
    check_refused(
        "knd == 'run_strated' && kind == 'run_strated' && 'x' in reciepients",
        &[
            ("knd", UnknownField, Some("kind")),
            ("'run_strated'", UnknownName, Some("\"run_started\"")),
            ("reciepients", UnknownField, Some("recipients")),
        ],
    );
    check_refused(
        "kind in ['RunStarted']",
        &[("'RunStarted'", UnknownName, Some("\"run_started\""))],
    );
    check_refused(
        "family == 'agentpool'",
        &[("'agentpool'", UnknownName, Some("\"agent_pool\""))],
    );
    check_refused(
        "destination.kind == 'topics'",
        &[("'topics'", UnknownName, Some("\"topic\""))],
    );
    check_refused(
        "subject.knd == 'run'",
        &[("subject.knd", UnknownField, Some("subject.kind"))],
    );
    check_refused("kind == ''", &[("''", UnknownName, None)]);
    check_refused("kind.startsWith('zz')", &[("'zz'", UnknownName, None)]);
    check_refused("trace == 'x'", &[("trace", UnknownField, None)]);
    check_refused(
        "related.exists(r, r.kind == 'rum')",
        &[("'rum'", UnknownName, Some("\"run\""))],
    );
    check("destination.kind == ''", r#"destination.kind == """#);
}

#[test]
fn a38_unsupported_cel_is_refused_by_name() {
    let check = |text: &str, named: &str| {
        let errors = refused(text);
        let unsupported = errors.iter().find(|e| e.kind == ErrorKind::Unsupported);
        let message = &unsupported
            .unwrap_or_else(|| panic!("{text}: {errors}"))
            .message;
        assert!(message.contains(named), "{text}: {message}");
        assert!(message.contains("not supported"), "{text}: {message}");
    };
    check("size(tags) > 2", "`size()`");
    check("has(subject.id)", "`has()`");
    check("run.matches('a.*')", "`matches()`");
    check("run.contains('a')", "`contains()`");
    check("run.endsWith('a')", "`endsWith()`");
    check("related.all(r, r.id == 'a')", "`all()`");
    check("tags.map(t, t)", "`map()`");
    check("terminal ? true : false", "`?:`");
    check("position + 1 == 2", "`+`");
    check("position % 2 == 0", "`%`");
    check("-position == 2", "`-`");
    check("tags[0] == 'a'", "`tags[..]`");
    check("run == null", "`null`");
    check("{'a': 1} == 'a'", "map");
    check("position > 1.5", "decimal");
    check("position > 1u", "unsigned");
    check("run == r'a'", "raw");
    check("run == '''a'''", "triple");
}

#[test]
fn fields_are_compared_with_what_they_can_be() {
    use ErrorKind::Mismatch;
    check_refused("run == 5", &[("5", Mismatch, None)]);
    check_refused("position == '5'", &[("'5'", Mismatch, None)]);
    check_refused(
        "recorded_at > '2026-11-20'",
        &[("'2026-11-20'", Mismatch, None)],
    );
    check_refused(
        "recorded_at > timestamp('soon')",
        &[("'soon'", Mismatch, None)],
    );
    check_refused("run < 'a'", &[("run < 'a'", Mismatch, None)]);
    check_refused("run == agent", &[("run == agent", Mismatch, None)]);
    check_refused("'a' == 'a'", &[("'a' == 'a'", Mismatch, None)]);
    check_refused("run", &[("run", Mismatch, None)]);
    check_refused(
        "recipients == 'a'",
        &[("recipients == 'a'", Mismatch, None)],
    );
    check_refused("'a' in run", &[("run", Mismatch, None)]);
    check_refused(
        "correlation == 'a'",
        &[("correlation == 'a'", Mismatch, None)],
    );
    check_refused("correlation[5] == 'a'", &[("5", Mismatch, None)]);
    check_refused(
        "correlation.k == 'a'",
        &[(
            "correlation.k",
            ErrorKind::Unsupported,
            Some("correlation[\"k\"]"),
        )],
    );
    check_refused(
        "related.exists(r, r.id != 'a')",
        &[("r.id != 'a'", ErrorKind::Unsupported, None)],
    );
    check_refused("related.exists(r, r.id in 'a')", &[("'a'", Mismatch, None)]);
}

#[test]
fn a38_every_syntax_error_is_reported_at_once() {
    use ErrorKind::Syntax;
    check_refused("", &[("", Syntax, None)]);
    check_refused("run == ", &[("", Syntax, None)]);
    check_refused(
        "run = 'a' & terminal",
        &[("=", Syntax, None), ("&", Syntax, None)],
    );
    check_refused("(run == 'a'", &[("", Syntax, None)]);
    check_refused("run == 'a') || terminal", &[(")", Syntax, None)]);
    check_refused("run == 'a' topic == 'b'", &[("topic", Syntax, None)]);
    check_refused("run == 'a", &[("'a", Syntax, None)]);
    check_refused(
        "run == '\\q' && #",
        &[
            ("'\\q'", Syntax, None),
            ("#", Syntax, None),
            ("", Syntax, None),
        ],
    );
    check_refused(
        "&& run == 'a' || (knd == 'x' && )",
        &[
            ("&&", Syntax, None),
            ("knd", ErrorKind::UnknownField, Some("kind")),
            (")", Syntax, None),
        ],
    );
}

#[test]
fn errors_are_shown_one_per_line_and_travel_as_json() {
    let errors = refused("knd == 'x' || run == 5");
    assert_eq!(
        errors.to_string(),
        "an event has no field `knd`; did you mean kind? (bytes 0..3)\n\
         the field is a text, found a number (bytes 21..22)"
    );
    let json = serde_json::to_value(&errors).unwrap();
    let first = serde_json::json!({
        "span": {"start": 0, "end": 3},
        "kind": "unknown_field",
        "message": "an event has no field `knd`",
        "suggestion": "kind",
    });
    assert_eq!(json[0], first);
    assert_eq!(
        serde_json::from_value::<CompileErrors>(json).unwrap(),
        errors
    );
}

#[test]
fn a_filter_shows_its_fingerprint_and_not_its_ids() {
    let filter = Filter::compile("run == 'secret-id'").unwrap();
    let shown = format!("{filter:?}");
    assert_eq!(shown, format!("Filter({})", filter.fingerprint()));
    assert!(!shown.contains("secret-id"));
}

#[test]
fn fingerprints_stay_what_they_are() {
    let check = |text: &str, fingerprint: &str| {
        let filter = Filter::compile(text).unwrap();
        assert_eq!(
            filter.fingerprint().to_string(),
            format!("sha256:{fingerprint}"),
            "{text}"
        );
    };
    check(
        "true",
        "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b",
    );
    check(
        "false",
        "fcbcf165908dd18a9e49f7ff27810176db8e9f63b4352213741664245224f8aa",
    );
    assert_eq!(Filter::all(), Filter::compile("true").unwrap());
    assert_eq!(Filter::nothing(), Filter::compile("false").unwrap());
}

#[test]
fn a43_each_limit_is_named_when_it_is_exceeded() {
    let limited = |text: &str, limit: Limit, name: &str| {
        let errors = refused(text);
        assert_eq!(errors.limit(), Some(limit), "{errors}");
        assert!(errors.to_string().contains(name), "{errors}");
    };
    let repeated = |part: &str, joint: &str, count: usize| vec![part; count].join(joint);
    let nested = |count: usize| format!("{}terminal{}", "(".repeat(count), ")".repeat(count));
    assert!(Filter::compile(&nested(64)).is_ok());
    limited(&nested(65), Limit::DepthMax, "DEPTH_MAX");
    limited(&nested(8_000), Limit::DepthMax, "DEPTH_MAX");
    limited(&"!".repeat(16_000), Limit::DepthMax, "DEPTH_MAX");
    limited(
        &format!("a{}", ".a".repeat(8_000)),
        Limit::DepthMax,
        "DEPTH_MAX",
    );
    limited(&"[".repeat(16_000), Limit::DepthMax, "DEPTH_MAX");
    limited(
        &format!("run == 'a' {}", "? true : terminal ".repeat(700)),
        Limit::DepthMax,
        "DEPTH_MAX",
    );

    assert!(Filter::compile(&repeated("terminal", "||", 1024)).is_ok());
    limited(
        &repeated("terminal", "||", 1025),
        Limit::LiteralsMax,
        "LITERALS_MAX",
    );

    let term = |n: usize| format!("run=='{n}'&&topic=='{n}'");
    let terms = |count: usize| (0..count).map(term).collect::<Vec<_>>().join("||");
    assert_eq!(Filter::compile(&terms(64)).unwrap().cost().terms, 64);
    limited(&terms(65), Limit::TermsMax, "TERMS_MAX");

    let padded = |bytes: usize| format!("{:bytes$}", "true");
    assert!(Filter::compile(&padded(16 * 1024)).is_ok());
    limited(
        &padded(16 * 1024 + 1),
        Limit::TextBytesMax,
        "TEXT_BYTES_MAX",
    );
}

#[test]
fn a43_a_normal_form_beyond_a_limit_is_refused() {
    let list: Vec<_> = (0..1500).map(|n| format!("'{n:05}'")).collect();
    let text = format!("run in [{}] && (terminal || topic == 't')", list.join(","));
    assert_eq!(refused(&text).limit(), Some(Limit::TextBytesMax));

    let keys: Vec<_> = (0..20).map(|n| format!("'{n}' in correlation")).collect();
    let terms: Vec<_> = (0..60)
        .map(|n| format!("run=='{n}'&&topic=='{n}'"))
        .collect();
    let text = format!("{} && ({})", keys.join("&&"), terms.join("||"));
    assert_eq!(refused(&text).limit(), Some(Limit::LiteralsMax));
}

#[test]
fn a43_products_that_would_explode_are_refused() {
    let factor = |n: usize| format!("('{n}' in tags||'{n}' in recipients)");
    let text: Vec<_> = (0..300).map(factor).collect();
    assert_eq!(refused(&text.join("&&")).limit(), Some(Limit::TermsMax));
    let tags = |n: usize| format!("('{n}' in tags||topic!='{n}')");
    let text: Vec<_> = (0..400).map(tags).collect();
    assert_eq!(refused(&text.join("&&")).limit(), Some(Limit::TermsMax));
    let inner = |n: usize| format!("(r.id in ['{n}','x']||r.kind=='run'||r.id=='y{n}')");
    let text: Vec<_> = (0..200).map(inner).collect();
    let text = format!("related.exists(r, {})", text.join("&&"));
    assert!(
        Filter::compile(&text).is_ok_and(|f| f.cost().terms == 1)
            || refused(&text).limit().is_some()
    );
}

#[test]
fn a_filter_of_many_terms_is_compiled_in_many_slices_and_a_small_one_in_one() {
    let slices = |text: &str| {
        let mut pauses = 0;
        let filter = Filter::compile_in_slices(text, || pauses += 1).unwrap();
        assert_eq!(filter, Filter::compile(text).unwrap());
        pauses + 1
    };
    assert_eq!(slices("run == \"lead\" && \"urgent\" in tags"), 1);
    let term = |number| {
        let runs: Vec<_> = (0..6).map(|run| format!("\"r{number}-{run}\"")).collect();
        let tags = format!("\"t{number}\" in tags && \"u{number}\" in tags");
        format!("(run in [{}] && {tags})", runs.join(","))
    };
    let terms: Vec<_> = (0..64).map(term).collect();
    let count = slices(&terms.join(" || "));
    assert!(count >= 32, "{count} slices");
}

#[test]
fn the_reference_pages_examples_compile_to_themselves() {
    let page = include_str!("../../docs/FILTERS.md");
    let mut examples = 0;
    let blocks = page.split("```text\n").skip(1);
    for line in blocks
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
    {
        let filter = Filter::compile(line).unwrap_or_else(|errors| panic!("{line}: {errors}"));
        assert!(!filter.is_nothing(), "{line}");
        assert_eq!(Filter::compile(filter.normal_form()), Ok(filter), "{line}");
        examples += 1;
    }
    assert!(examples >= 14, "{examples} examples");
}
