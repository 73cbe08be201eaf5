//! Tokens and their key: where they stand, and where they never do.

use std::{fs, path::Path};

use heronry_tests::process::{Folder, Said, said};

/// Checks that a text holds none of these secrets.
#[track_caller]
fn check_holds_none(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(secret.len() >= 32, "no secret: {secret}");
        assert!(!text.contains(secret), "{what} holds a secret: {text}");
    }
}

/// Checks that no file of a folder holds one of these secrets, but for those of this name.
fn check_files(folder: &Path, but: &[&str], secrets: &[String]) -> usize {
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let name = entry.file_name().into_string().unwrap();
        if kind.is_dir() {
            checked += check_files(&path, but, secrets);
        } else if kind.is_file() && !but.contains(&name.as_str()) {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            check_holds_none(&name, &text, secrets);
            checked += 1;
        }
    }
    checked
}

#[test]
fn no_log_and_no_file_holds_a_token_but_those_that_are_for_it() {
    let place = Folder::new();
    let mut serve = place.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut server = heronry_tests::process::Running::start(serve.env("HERONRY_LOG", "trace"));
    let ready = server.line();
    place.run(&["pool", "open", "p"]).ok();
    let join = [
        "--pool",
        "p",
        "--run",
        "a",
        "join",
        "--field",
        "member_token",
    ];
    let member = place.run(&join).ok().trim().to_owned();
    let read = |name: &str| {
        let text = fs::read_to_string(place.at(".heronry").join(name)).unwrap();
        text.trim().to_owned()
    };
    let (_, mac) = member.rsplit_once('.').unwrap();
    let secrets = [
        read("operator.token"),
        read("token.key"),
        member.clone(),
        mac.to_owned(),
    ];
    check_holds_none("the first line of a server", &ready, &secrets);
    let as_member = |token: &str, arguments: &[&str]| -> Said {
        let mut command = place.command(arguments);
        command.env("HERONRY_TOKEN", token);
        said(command.env("HERONRY_LOG", "trace"))
    };
    let (changed, _) = member.split_at(member.len() - 4);
    let refusals = [
        as_member(&member, &["send", "--to", "run:a", "--body", "x"]),
        as_member(&member, &["wait", "terminal", "--timeout", "400ms"]),
        as_member(&member, &["pool", "open", "q"]),
        as_member(&format!("{changed}AAAA"), &["inbox"]),
        as_member("", &["status"]),
    ];
    for said in refusals {
        check_holds_none("an output", &said.out, &secrets);
        check_holds_none("a log", &said.err, &secrets);
    }
    server.signal("TERM");
    let said = server.end();
    assert!(said.err.contains("serving"), "{said:?}");
    check_holds_none("the log of a server", &said.err, &secrets);
    place.run(&["journal", "export", "--file", "lines"]).ok();
    let checked = check_files(place.path(), &["operator.token", "token.key"], &secrets);
    assert!(checked >= 5, "{checked} files");
}

#[cfg(target_os = "linux")]
#[test]
fn no_token_stands_in_the_arguments_of_a_process() {
    let place = Folder::new();
    let script = "cat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '; echo; \
                  shim=$(cut -d' ' -f4 /proc/$PPID/stat); tr '\\0' ' ' < /proc/$shim/cmdline; echo; \
                  echo \"token $HERONRY_TOKEN\"";
    place.write(
        "pool.toml",
        format!(
            "pool = \"tiny\"\n[[member]]\nagent = \"a\"\ncommand = [\"sh\", \"-c\", {script:?}]\n"
        ),
    );
    place.run(&["up", "pool.toml", "--quiet"]).ok();
    let log = fs::read_to_string(place.at(".heronry/logs/tiny.1/a.log")).unwrap();
    let (arguments, token) = log.split_once("token hm1.").unwrap();
    assert!(
        arguments.contains("__shim") && arguments.contains("up pool.toml"),
        "{log}"
    );
    let operator = fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    let secrets = [token.trim().to_owned(), operator.trim().to_owned()];
    check_holds_none("the arguments", arguments, &secrets);
}
