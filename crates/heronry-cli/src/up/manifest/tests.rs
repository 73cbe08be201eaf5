use heronry_host::RestartRule;
use heronry_types::{ReadyWhen, RestartPolicy};

use super::*;

const LEAD: &str = "pool = \"review\"\n[[member]]\nagent = \"lead\"\ncommand = [\"sh\"]\n";

fn parse(text: &str) -> Result<Manifest, String> {
    let shown = |FaultInLine { line, fault }: &FaultInLine| format!("{line}: {fault}");
    let parsed = Manifest::parse(text, Path::new("/"));
    parsed.map_err(|faults| faults.iter().map(shown).collect::<Vec<_>>().join("; "))
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
    let runs: Vec<&str> = manifest
        .members
        .iter()
        .map(|m| m.spec.run.as_str())
        .collect();
    assert_eq!(runs, ["lead", "scanner-1", "scanner-2"]);
    let [lead, scanner, _] = manifest.members.as_slice() else {
        panic!("three members");
    };
    assert_eq!(
        (lead.spec.until, lead.spec.restart),
        (RunsUntil::Exited, RestartRule::default())
    );
    assert_eq!(
        (scanner.spec.until, scanner.spec.restart),
        (RunsUntil::Stopped, RestartRule::of(RestartPolicy::Always))
    );
    assert_eq!(scanner.spec.agent.as_str(), "scanner");
    assert_eq!(
        scanner.spec.launch,
        serde_json::json!({"command": ["sh", "scanner.sh"]})
    );
    assert_eq!((lead.line, scanner.line), (4, 11));
    assert!(manifest.config.limits.is_some());
}

#[test]
fn a_named_run_is_that_run() {
    let text = LEAD.replace("agent", "run = \"boss\"\nagent");
    assert_eq!(parse(&text).unwrap().members[0].spec.run.as_str(), "boss");
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
    let kept = parse(&text).unwrap().config.retention.unwrap();
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

fn member(keys: &str) -> Result<MemberSpec, String> {
    parse(&format!("{LEAD}{keys}\n")).map(|manifest| manifest.members[0].spec.clone())
}

#[test]
fn restart_is_a_policy_in_either_spelling_or_a_table() {
    let rule = |keys: &str| member(keys).map(|spec| spec.restart);
    let on_failure = RestartRule::of(RestartPolicy::OnFailure);
    assert_eq!(rule("restart = \"on-failure\""), Ok(on_failure));
    assert_eq!(rule("restart = \"on_failure\""), Ok(on_failure));
    let never = rule("restart = { policy = \"never\" }");
    assert_eq!(never, Ok(RestartRule::of(RestartPolicy::Never)));
    let whole = "restart = { policy = \"always\", budget = 2, backoff = \"1s\", window = \"5m\" }";
    let expected = RestartRule {
        policy: RestartPolicy::Always,
        budget: 2,
        backoff: std::time::Duration::from_secs(1),
        window: std::time::Duration::from_secs(300),
    };
    assert_eq!(rule(whole), Ok(expected));
    let refused = rule("restart = \"sometimes\"").unwrap_err();
    let why = "5: \"sometimes\" is not known; known: never, on_failure, always";
    assert_eq!(refused, why);
    let refused = rule("restart = { buget = 1 }").unwrap_err();
    let why = "5: unknown key \"buget\" in restart; did you mean \"budget\"?";
    assert_eq!(refused, why);
    assert!(rule("restart = 3").unwrap_err().starts_with("5: "));
}

#[test]
fn times_and_signs_of_a_member_are_read() {
    let spec = member(
        "ready = \"line\"\nready_within = \"2s\"\nstop_grace = \"0s\"\nlease = \"1m\"\n\
         timeout = \"1h\"\ncwd = \"work\"\nhost = \"process\"\nsession = \"s\"\n\
         policies = [{ kind = \"privacy\", id = \"p\" }]",
    );
    let spec = spec.unwrap();
    assert_eq!(spec.ready.when, ReadyWhen::Line);
    assert_eq!(spec.ready.within.as_secs(), 2);
    assert_eq!(spec.stop_grace.as_secs(), 0);
    assert_eq!(spec.lease.map(|it| it.0), Some(60_000));
    assert_eq!(spec.timeout.map(|it| it.as_secs()), Some(3_600));
    assert_eq!(spec.session.unwrap().as_str(), "s");
    let launch = serde_json::json!({"command": ["sh"], "cwd": "work"});
    assert_eq!(spec.launch, launch);
    let why = "5: \"sign\" is not known; known: none, first_command, line";
    assert_eq!(member("ready = \"sign\"").unwrap_err(), why);
    let why = "2: there is no host \"tasks\" here; write \"process\"";
    assert_eq!(member("host = \"tasks\"").unwrap_err(), why);
}

#[test]
fn r20_every_fault_is_told_at_once_with_its_line() {
    let text = format!(
        "{LEAD}env = {{ HERONRY_TOKEN = \"x\", \"1\" = \"y\" }}\n\
         [[member]]\nagent = \"a\"\ncommand = []\nreplicas = 0\nhost = \"moon\"\n"
    );
    check_refused(
        &text,
        "2: \"1\" cannot name a variable; use letters, digits and _, a letter or _ first; \
         2: variables that begin with HERONRY_ are given by the pool; rename \"HERONRY_TOKEN\"; \
         6: replicas is 0; give 1 to 256; \
         6: command is empty; write [\"program\", \"argument\"]; \
         6: there is no host \"moon\" here; write \"process\"",
    );
    let text = format!("colour = 1\n{LEAD}comand = []\n");
    check_refused(
        &text,
        "1: unknown key \"colour\" in the manifest; \
         6: unknown key \"comand\" in [[member]]; did you mean \"command\"?",
    );
}

#[test]
fn r15a_no_error_and_no_debug_text_shows_the_value_of_a_variable() {
    for value in [
        "471147114711",
        "4711.4711",
        "true",
        "[\"canary\"]",
        "{ a = \"canary\" }",
    ] {
        let error = member(&format!("env = {{ KEY = {value} }}")).unwrap_err();
        assert!(
            error.contains("a text as the value of a variable"),
            "{error}"
        );
        assert!(
            !error.contains("4711") && !error.contains("canary"),
            "{error}"
        );
    }
    let text = format!("{LEAD}env = {{ KEY = \"canary\" }}\n");
    let raw = format!("{:?}", raw::parse(&text).unwrap());
    let read = format!("{:?}", parse(&text).unwrap());
    for shown in [raw, read] {
        assert!(
            shown.contains("KEY") && !shown.contains("canary"),
            "{shown}"
        );
    }
}

#[test]
fn variables_of_a_member_come_before_those_of_its_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = crate::files::private_temp();
    let file = folder.path().join("team.env");
    std::fs::write(&file, "# keys\nA=file\n\n B=x=y \n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let read = |keys: &str| {
        let text = format!("{LEAD}{keys}\n");
        let read = Manifest::parse(&text, folder.path());
        read.map(|it| it.members[0].spec.environment.clone())
            .map_err(|faults| faults[0].fault.to_string())
    };
    let keys = "env_file = \"team.env\"\nenv_from = [\"PATH\"]\nenv = { A = \"here\" }";
    let variables = read(keys).unwrap();
    let value = |name: &str| variables.value(name).unwrap().reveal().to_owned();
    assert_eq!((value("A"), value("B")), ("here".into(), "x=y ".into()));
    assert_eq!(value("PATH"), std::env::var_os("PATH").unwrap());
    let refused = read("env_from = [\"NO_SUCH_VARIABLE_4711\"]").unwrap_err();
    let why =
        "env_from names \"NO_SUCH_VARIABLE_4711\", which is not set here; set it, or remove it";
    assert_eq!(refused, why);
    let refused = read("env_file = \"none\"").unwrap_err();
    assert_eq!(
        refused,
        "cannot read env_file \"none\": there is no such file"
    );
    std::fs::write(&file, "A=1\ncanary\n").unwrap();
    let refused = read("env_file = \"team.env\"").unwrap_err();
    assert_eq!(refused, "line 2 of env_file \"team.env\" is no NAME=VALUE");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = read("env_file = \"team.env\"").unwrap_err();
    assert!(
        refused.starts_with("cannot read env_file \"team.env\": "),
        "{refused}"
    );
}
