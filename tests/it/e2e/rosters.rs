//! The roster and the modules as the program shows them.

use heronry_tests::process::Folder;
use serde_json::json;

#[test]
fn u1_the_program_shows_a_pool_that_nobody_keeps() {
    let place = Folder::new();
    let server = place.serve(&[]);
    place.run(&["pool", "open", "p"]).ok();
    place.run_as("p", "a", &["join"]).ok();
    let shown = place.run(&["--pool", "p", "roster", "show"]).ok();
    assert_eq!(shown.trim(), "revision 0  kept by nobody");
    let shown = place
        .run(&["--pool", "p", "--json", "roster", "show"])
        .json();
    assert_eq!(shown["members"], json!([]));
    assert_eq!(shown["revision"], 0);
    let fields = [
        "--pool",
        "p",
        "roster",
        "show",
        "--field",
        "run_id,standing",
    ];
    assert_eq!(place.run(&fields).ok(), "");
    let modules = place.run(&["--pool", "p", "--json", "modules"]).json();
    assert_eq!(modules["modules"], json!([]));
    // A member sees it too.
    let seen = place.run_as("p", "a", &["roster", "show"]).ok();
    assert_eq!(seen.trim(), "revision 0  kept by nobody");
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
}
