//! Traps that somebody else laid: folders, secrets, notes and links that are refused before they
//! are used.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, chown, symlink},
    path::Path,
    process::Stdio,
};

use heronry_tests::process::{Folder, Running, Said, said, set_mode};

/// A user that nobody is who runs this test.
const STRANGER: u32 = 65_534;
/// The place where nothing may be written.
const VICTIM: &str = "victim";

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
const LIST: [&str; 2] = ["pool", "list"];

fn stop(server: Running) {
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}

/// A place with a data directory that a server has left, with the pool `p` and its member `a`.
fn left() -> Folder {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place.run(&["--pool", "p", "--run", "a", "join"]).ok();
    stop(server);
    place.write(VICTIM, "mine\n");
    place
}

/// Lays a link to the victim under a name.
fn lay_link(place: &Folder, name: &str) {
    let path = place.at(name);
    // It may not be there yet.
    let _ = fs::remove_file(&path);
    symlink(place.at(VICTIM), path).unwrap();
}

/// Checks that a link and what it leads to are as they were.
#[track_caller]
fn check_untouched(place: &Folder, name: &str) {
    let kept = fs::read_to_string(place.at(VICTIM)).unwrap();
    assert_eq!(kept, "mine\n", "{name}");
    let target = fs::read_link(place.at(name)).unwrap();
    assert_eq!(target, place.at(VICTIM), "{name}");
}

#[track_caller]
fn check_link_refused(refused: &Said, place: &Folder, name: &str) {
    assert_eq!(refused.code, Some(1), "{name}: {refused:?}");
    let file = Path::new(name).file_name().unwrap().to_str().unwrap();
    let why = format!("{file} is a symbolic link to ");
    assert!(refused.err.contains(&why), "{name}: {refused:?}");
    check_untouched(place, name);
}

#[test]
fn a_server_follows_no_link_in_its_data_directory() {
    let names = [
        ".gitignore",
        "server.lock",
        "server.json",
        "operator.token",
        "token.key",
        "store.redb",
    ];
    for name in names.map(|name| format!(".heronry/{name}")) {
        let place = left();
        lay_link(&place, &name);
        check_link_refused(&place.run(&SERVE), &place, &name);
    }
}

#[test]
fn a_link_in_the_place_of_a_note_or_a_socket_is_left_alone() {
    for name in [".heronry/store.redb.owner", ".heronry/heronry.sock"] {
        let place = left();
        lay_link(&place, name);
        let server = place.serve(&[]);
        check_untouched(&place, name);
        place.run(&LIST).ok();
        stop(server);
        check_untouched(&place, name);
    }
}

#[test]
fn the_secrets_of_a_rotation_follow_no_link() {
    for (name, rotate) in [
        (".heronry/token.key", &["token", "rotate"][..]),
        (
            ".heronry/operator.token",
            &["token", "rotate", "--operator"],
        ),
    ] {
        let place = left();
        lay_link(&place, name);
        check_link_refused(&place.run(rotate), &place, name);
    }
}

#[test]
fn a_job_follows_no_link_to_its_logs_and_folders() {
    let job = "pool = \"tiny\"\n[[member]]\nagent = \"a\"\ncommand = [\"true\"]\n";
    for (made, name) in [
        (".heronry", ".heronry/logs"),
        (".heronry", ".heronry/members"),
        (".heronry/logs", ".heronry/logs/tiny.1"),
        (".heronry/logs/tiny.1", ".heronry/logs/tiny.1/a.log"),
        (".heronry/members/tiny.1", ".heronry/members/tiny.1/a"),
    ] {
        let place = left();
        place.write("pool.toml", job);
        for folder in Path::new(made)
            .ancestors()
            .filter(|it| it.components().count() > 0)
        {
            place.private(folder.to_str().unwrap());
        }
        lay_link(&place, name);
        let refused = place.run(&["up", "pool.toml", "--quiet"]);
        check_link_refused(&refused, &place, name);
    }
}

#[test]
fn cursor_files_and_pages_follow_no_link() {
    let place = left();
    let _server = place.serve(&[]);
    let wait = [
        "--pool",
        "p",
        "--run",
        "a",
        "wait",
        "terminal",
        "--timeout",
        "400ms",
    ];
    assert_eq!(place.run(&wait).code, Some(4));
    let cursors = place.at(".heronry/cursors");
    let entries = fs::read_dir(&cursors).unwrap();
    let names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let kept = format!(".heronry/cursors/{}", names[0]);
    lay_link(&place, &kept);
    check_link_refused(&place.run(&wait), &place, &kept);

    lay_link(&place, "cursor");
    let watch = ["--pool", "p", "watch", "--cursor-file", "cursor"];
    check_link_refused(&place.run(&watch), &place, "cursor");

    place.private("pages");
    lay_link(&place, "pages/heronry.1");
    let man = ["man", "--dir", "pages"];
    check_link_refused(&place.run(&man), &place, "pages/heronry.1");
}

#[test]
fn a_file_to_be_made_takes_the_place_of_nothing_and_of_no_link() {
    let place = left();
    lay_link(&place, "lines");
    let export = ["journal", "export", "--file", "lines"];
    place.run(&export).refused(1, "cannot create lines");
    check_untouched(&place, "lines");
}

#[test]
fn a_data_directory_that_others_can_enter_is_refused_by_server_and_commands() {
    for mode in [0o755, 0o710, 0o703, 0o777, 0o1777] {
        let place = left();
        let data = place.at(".heronry");
        set_mode(&data, mode);
        let why = format!("(mode {mode:04o}), so it is not used; run: chmod 700 ");
        place.run(&SERVE).refused(1, &why);
        place
            .run(&["token", "rotate", "--data-dir", ".heronry"])
            .refused(1, &why);
        let list = [&LIST[..], &["--data-dir", ".heronry"]].concat();
        place.run(&list).refused(1, &why);
        place.run(&LIST).refused(1, &why);
        assert_eq!(fs::metadata(&data).unwrap().mode() & 0o7777, mode);
        set_mode(&data, 0o700);
        stop(place.serve(&[]));
    }
    // Nobody has laid anything in a folder that is empty.
    let place = Folder::new();
    fs::create_dir(place.at("data")).unwrap();
    set_mode(&place.at("data"), 0o777);
    stop(place.serve(&["--data-dir", "data"]));
    assert_eq!(
        fs::metadata(place.at("data")).unwrap().mode() & 0o777,
        0o700
    );
}

/// Runs something in a folder of a place.
fn run_in(place: &Folder, folder: &str, arguments: &[&str]) -> Said {
    said(place.command(arguments).current_dir(place.at(folder)))
}

#[test]
fn the_nearest_data_directory_of_ones_own_is_refused_when_it_is_open_and_not_passed_over() {
    let place = left();
    let _server = place.serve(&[]);
    let below = place.private("a/.heronry");
    set_mode(&below, 0o755);
    fs::create_dir(place.at("a/b")).unwrap();
    let why = format!("run: chmod 700 {}", below.display());
    for folder in ["a", "a/b"] {
        run_in(&place, folder, &LIST).refused(1, &why);
        let member = ["--pool", "p", "--run", "a", "inbox"];
        run_in(&place, folder, &member).refused(1, &why);
    }
    fs::remove_dir(&below).unwrap();
    run_in(&place, "a/b", &LIST).ok();
}

#[test]
fn what_somebody_else_laid_on_the_way_up_is_passed_over_and_said() {
    let place = left();
    let _server = place.serve(&[]);
    fs::create_dir_all(place.at("a/b")).unwrap();
    let laid = place.write("a/.heronry", "no folder");
    let listed = run_in(&place, "a/b", &LIST);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let why = format!("not a folder of this user, so not used: {}", laid.display());
    assert!(listed.err.contains(&why), "{listed:?}");
    assert!(
        listed.err.contains("; the data directory is "),
        "{listed:?}"
    );
    fs::remove_file(&laid).unwrap();
    let folder = place.private("a/.heronry");
    if give_away(&folder) {
        let listed = run_in(&place, "a/b", &LIST);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(listed.err.contains(&why), "{listed:?}");
    }
    fs::remove_dir(&folder).unwrap();
    let listed = run_in(&place, "a/b", &LIST);
    assert!(listed.err.is_empty(), "{listed:?}");
}

#[test]
fn a_store_that_is_named_is_changed_by_nobody_else_and_neither_is_its_folder() {
    let place = left();
    place.private("kept");
    fs::copy(place.at(".heronry/store.redb"), place.at("kept/s.redb")).unwrap();
    set_mode(&place.at("kept/s.redb"), 0o600);
    let server = place.serve(&["--store", "sled:kept/s.sled"]);
    stop(server);
    let commands = |name: &'static str| {
        let serve = [&SERVE[..], &["--store", name]].concat();
        [serve, vec!["journal", "verify", "--store", name]]
    };
    let refused = |name, mode: u32| {
        for command in commands(name) {
            let why = format!("can be read or changed by others (mode {mode:04o})");
            place.run(&command).refused(1, &why);
        }
    };
    let stores = [
        ("redb:kept/s.redb", "kept/s.redb"),
        ("sled:kept/s.sled", "kept/s.sled"),
    ];
    for (name, file) in stores {
        let good = fs::metadata(place.at(file)).unwrap().mode() & 0o7777;
        let verify = ["journal", "verify", "--store", name];
        place.run(&verify).ok();
        for open in [0o020, 0o002] {
            set_mode(&place.at(file), good | open);
            refused(name, good | open);
        }
        set_mode(&place.at(file), good);
        for mode in [0o770, 0o707, 0o777, 0o1777] {
            set_mode(&place.at("kept"), mode);
            refused(name, mode);
        }
        // Others may look at a folder of projects.
        set_mode(&place.at("kept"), 0o755);
        place.run(&verify).ok();
        // A link is the business of whoever may lay one in its folder.
        let link = place.at(&format!("{}.link", file.replace('/', ".")));
        symlink(place.at(file), &link).unwrap();
        let kind = name.split(':').next().unwrap();
        let linked = format!("{kind}:{}", link.display());
        place.run(&["journal", "verify", "--store", &linked]).ok();
        set_mode(&place.at("kept"), 0o777);
        let why = "kept can be read or changed by others";
        place
            .run(&["journal", "verify", "--store", &linked])
            .refused(1, why);
        set_mode(&place.at("kept"), 0o700);
        if give_away(&place.at(file)) {
            for command in commands(name) {
                place.run(&command).refused(1, "belongs to user");
            }
        }
    }
}

#[test]
fn secrets_that_others_can_read_or_change_are_refused() {
    for name in ["operator.token", "token.key", "server.lock"] {
        for mode in [0o666, 0o644, 0o640, 0o602] {
            let place = left();
            let file = place.at(".heronry").join(name);
            set_mode(&file, mode);
            let refused = place.run(&SERVE);
            refused.refused(1, &format!("(mode {mode:04o})"));
            refused.refused(1, &format!("{name} can be read or changed by others"));
            refused.refused(1, "chmod 600 ");
        }
    }
    let place = left();
    set_mode(&place.at(".heronry/store.redb"), 0o622);
    for command in [&SERVE[..], &["journal", "verify"]] {
        let refused = place.run(command);
        refused.refused(1, "store.redb can be read or changed");
    }
}

#[test]
fn a_command_uses_no_token_and_no_note_that_others_can_change() {
    let place = left();
    let _server = place.serve(&[]);
    place.run(&LIST).ok();
    for name in ["operator.token", "server.json"] {
        let file = place.at(".heronry").join(name);
        set_mode(&file, 0o622);
        place
            .run(&LIST)
            .refused(1, &format!("{name} can be read or changed by others"));
        set_mode(&file, 0o600);
    }
    let cursors = place.private(".heronry/cursors");
    set_mode(&cursors, 0o770);
    let wait = [
        "--pool",
        "p",
        "--run",
        "a",
        "wait",
        "terminal",
        "--timeout",
        "400ms",
    ];
    place.run(&wait).refused(1, "chmod 700");
    // A state directory that a person named may be looked at, and changed by nobody else.
    let state = place.private("state-of-a");
    for (mode, code) in [(0o755, 4), (0o775, 1), (0o1777, 1)] {
        set_mode(&state, mode);
        let mut command = place.command(&wait);
        let waited = said(command.env("HERONRY_STATE_DIR", &state));
        assert_eq!(waited.code, Some(code), "{waited:?}");
    }
}

#[test]
fn a_token_file_that_is_named_is_its_owners_alone_or_a_pipe() {
    let place = left();
    let _server = place.serve(&[]);
    let token = fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    place.write_secret("token", &token);
    symlink("token", place.at("link")).unwrap();
    for (file, mode, good) in [
        ("token", 0o600, true),
        ("link", 0o400, true),
        ("token", 0o640, false),
        ("link", 0o604, false),
        ("token", 0o666, false),
    ] {
        set_mode(&place.at("token"), mode);
        let list = [&LIST[..], &["--token-file", file]].concat();
        let mut by_variable = place.command(&LIST);
        let by_variable = said(by_variable.env("HERONRY_TOKEN_FILE", place.at(file)));
        for listed in [place.run(&list), by_variable] {
            if good {
                listed.ok();
            } else {
                listed.refused(1, "chmod 600");
            }
        }
    }
    let send = [
        "--token-file",
        "token",
        "send",
        "--to",
        "run:a",
        "--body",
        "x",
    ];
    place.run(&send).refused(1, "chmod 600");

    // A pipe that has a name may have nobody who writes to it.
    make_pipe(&place, "fifo");
    let list = [&LIST[..], &["--token-file", "fifo"]].concat();
    place.run(&list).refused(1, "fifo is not a file");

    // What a pipe gives is read once, also where the token says who the member is.
    let joined = [
        "--pool",
        "p",
        "--run",
        "b",
        "join",
        "--field",
        "member_token",
    ];
    let member = place.run(&joined).ok();
    for file in ["/dev/stdin", "/dev/fd/0"] {
        let send = ["--token-file", file, "send", "--to", "run:a", "--body", "x"];
        let mut command = place.command(&send);
        let (out, mut into) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut into, member.as_bytes()).unwrap();
        command.stdin(Stdio::from(out));
        drop(into);
        said(&mut command).ok();
    }
}

/// Makes a pipe with a name.
fn make_pipe(place: &Folder, name: &str) {
    let made = std::process::Command::new("mkfifo")
        .arg(place.at(name))
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn a_cursor_file_that_is_named_is_changed_by_nobody_else() {
    let place = left();
    let _server = place.serve(&[]);
    let watch = [
        "--pool",
        "p",
        "watch",
        "--cursor-file",
        "c",
        "--field",
        "position",
    ];
    place.run(&watch).ok();
    assert_eq!(fs::metadata(place.at("c")).unwrap().mode() & 0o777, 0o600);
    for (mode, code) in [(0o644, 0), (0o664, 1), (0o602, 1)] {
        set_mode(&place.at("c"), mode);
        let watched = place.run(&watch);
        assert_eq!(watched.code, Some(code), "{watched:?}");
    }
}

/// Gives a file to a stranger; false where only the superuser can.
fn give_away(path: &Path) -> bool {
    chown(path, Some(STRANGER), Some(STRANGER)).is_ok()
}

#[test]
fn nothing_of_another_user_is_used_by_the_superuser_either() {
    let place = left();
    let data = place.at(".heronry");
    if !give_away(&data) {
        // Whoever is not the superuser owns everything that it can make here.
        assert_ne!(fs::metadata(&data).unwrap().uid(), 0);
        return;
    }
    let why = format!("belongs to user {STRANGER} and this process is user 0");
    let named = |arguments: &[&str]| place.run(&[arguments, &["--data-dir", ".heronry"]].concat());
    named(&SERVE).refused(1, &why);
    named(&LIST).refused(1, &why);
    named(&["token", "rotate"]).refused(1, &why);
    chown(&data, Some(0), Some(0)).unwrap();
    for name in ["operator.token", "token.key", "server.lock", "store.redb"] {
        let file = data.join(name);
        assert!(give_away(&file));
        place.run(&SERVE).refused(1, &why);
        chown(&file, Some(0), Some(0)).unwrap();
    }
    place.write_secret("token", "a token of somebody else");
    assert!(give_away(&place.at("token")));
    let list = [&LIST[..], &["--token-file", "token"]].concat();
    place.run(&list).refused(1, &why);
    place.write("c", "");
    assert!(give_away(&place.at("c")));
    let server = place.serve(&[]);
    let watch = ["--pool", "p", "watch", "--cursor-file", "c"];
    place.run(&watch).refused(1, &why);
    stop(server);
}

#[test]
fn a_server_that_a_planted_note_names_hears_nothing() {
    let place = left();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let note = place.write(".heronry/server.json", format!("{{\"url\":\"{url}\"}}\n"));
    set_mode(&note, 0o644);
    place
        .run(&LIST)
        .refused(1, "server.json can be read or changed");
    // The folder was open to others once, and is not this user's now.
    set_mode(&note, 0o600);
    set_mode(&place.at(".heronry"), 0o777);
    let list = [&LIST[..], &["--data-dir", ".heronry"]].concat();
    let token = fs::read_to_string(place.at(".heronry/operator.token")).unwrap();
    let mut command = place.command(&list);
    said(command.env("HERONRY_TOKEN", token.trim())).refused(1, "chmod 700");
    let heard = listener.accept().map(|(_, who)| who).unwrap_err();
    assert_eq!(heard.kind(), std::io::ErrorKind::WouldBlock);
}
