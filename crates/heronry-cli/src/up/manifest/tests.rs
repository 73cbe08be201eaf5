use super::*;

const LEAD: &str = "pool = \"review\"\n[[member]]\nagent = \"lead\"\ncommand = [\"sh\"]\n";

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse(text, Path::new("/")).map_err(|(line, fault)| format!("{line}: {fault}"))
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = parse(text).unwrap_err();
    assert_eq!(error, expected);
}

#[test]
fn replicas_are_numbered_runs_of_their_agent() {
    let text = format!(
        "{LEAD}[[member]]\nagent = \"scanner\"\nreplicas = 2\ntopics = [\"scan\"]\n\
         until = \"stopped\"\nrestart = \"always\"\ncommand = [\"sh\", \"scanner.sh\"]\n\
         [limits]\ninbox_depth_max = 7\n"
    );
    let manifest = parse(&text).unwrap();
    let runs: Vec<&str> = manifest.members.iter().map(|m| m.run.as_str()).collect();
    assert_eq!(runs, ["lead", "scanner-1", "scanner-2"]);
    let [lead, scanner, _] = manifest.members.as_slice() else {
        panic!("three members");
    };
    assert_eq!(
        (lead.until, lead.restart),
        (Until::Exited, RestartWhen::OnFailure)
    );
    assert_eq!(
        (scanner.until, scanner.restart),
        (Until::Stopped, RestartWhen::Always)
    );
    assert_eq!(scanner.agent.as_str(), "scanner");
    assert_eq!(scanner.command.command, ["sh", "scanner.sh"]);
    assert_eq!((lead.line, scanner.line), (4, 11));
    assert!(manifest.limits.is_some());
}

#[test]
fn a_named_run_is_that_run() {
    let text = LEAD.replace("agent", "run = \"boss\"\nagent");
    assert_eq!(parse(&text).unwrap().members[0].run.as_str(), "boss");
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    check_refused(
        &format!("{LEAD}comand = []\n"),
        "5: unknown key \"comand\" in [[member]]; did you mean \"command\"?",
    );
    check_refused(
        &format!("colour = 1\n{LEAD}"),
        "1: unknown key \"colour\" in the manifest",
    );
    check_refused(
        &format!("{LEAD}[limits]\ninbox_dept_max = 1\n"),
        "6: unknown key \"inbox_dept_max\" in [limits]; did you mean \"inbox_depth_max\"?",
    );
}

#[test]
fn a_retention_says_what_is_trimmed() {
    let text = format!("{LEAD}[retention]\nage = \"1d 12h\"\nbytes = 5\nkeep_min = 3\n");
    let kept = parse(&text).unwrap().retention.unwrap();
    assert_eq!(kept.age_ms.unwrap().0, 36 * 3_600_000);
    assert_eq!((kept.bytes, kept.keep_min), (Some(5), Some(3)));
    check_refused(
        &format!("{LEAD}[retention]\nkeep_min = 3\n"),
        "5: keep_min limits what age and bytes trim, and neither is there; add one of them",
    );
    check_refused(
        &format!("{LEAD}[retention]\nage = \"soon\"\n"),
        "6: \"soon\" is not a span of time; write it as 500ms, 30s or 10m",
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    check_refused(
        "[[member]]\nagent = \"a\"\ncommand = [\"sh\"]\n",
        "1: pool: missing",
    );
    check_refused(
        "pool = \"p\"\n",
        "1: the manifest has no [[member]]; add at least one",
    );
    check_refused(
        &LEAD.replace("[\"sh\"]", "[]"),
        "2: command is empty; write [\"program\", \"argument\"]",
    );
    check_refused(
        &LEAD.replace("agent", "replicas = 0\nagent"),
        "2: replicas is 0; give 1 to 256",
    );
    check_refused(
        &LEAD.replace("agent", "replicas = 257\nagent"),
        "2: replicas is 257; give 1 to 256",
    );
    check_refused(
        &LEAD.replace("agent", "run = \"x\"\nreplicas = 2\nagent"),
        "2: run names one run, so it cannot stand beside replicas; remove one of them",
    );
    check_refused(
        &format!("{LEAD}[[member]]\nagent = \"lead\"\ncommand = [\"sh\"]\n"),
        "7: run \"lead\" is named twice; give each member its own run or agent",
    );
    check_refused(
        &format!("{LEAD}until = \"stopped\"\n"),
        "1: no member has until = \"exited\", so the job would end at once; give one",
    );
    check_refused(
        &format!("{LEAD}until = \"later\"\n"),
        "5: \"later\" is not known; known: exited, stopped",
    );
    check_refused(
        &LEAD.replace("\"lead\"", "\"\""),
        "3: id is empty; give 1 to 512 bytes",
    );
    for ids in ["run = \"..\"", "topics = [\"t\", \"..\"]"] {
        check_refused(
            &LEAD.replace("agent", &format!("{ids}\nagent")),
            "2: \"..\" cannot stand in a path; choose another id",
        );
    }
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let error = parse("pool = \"p\"\n[[member\n").unwrap_err();
    assert!(error.starts_with("2: "), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn the_largest_number_of_replicas_is_taken() {
    let text = LEAD.replace("agent", "replicas = 256\nagent");
    assert_eq!(parse(&text).unwrap().members.len(), 256);
}
