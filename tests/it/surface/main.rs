//! The surface that others build against, pinned: the contract of the HTTP API and the help of
//! every verb.
//!
//! A change shows here before it is released; `cargo xtask snapshots --accept` writes what is new.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use heronry_runtime::{Runtime, RuntimeOptions};
use heronry_server::{Auth, OperatorToken, Routes, router};
use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_testkit::{ManualClock, SeededIds};
use heronry_types::{EventKind, Vocabulary};
use serde_json::Value;
use tower::ServiceExt;

/// The largest contract that is read, in bytes.
const CONTRACT_BYTES_MAX: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn the_contract_of_the_http_api() {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let (clock, ids) = (Arc::new(ManualClock::default()), SeededIds::new(1));
    let options = RuntimeOptions::new([7; 32], "surface").with_clock(clock);
    let runtime = Runtime::new(store, options.with_ids(Arc::new(ids)));
    let auth = Auth::new(OperatorToken::new("operator"));
    let Routes { router, .. } = router(runtime, auth, "127.0.0.1:7171".parse().unwrap());
    let request = Request::get("/openapi.json").header("host", "127.0.0.1:7171");
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await;
    let body = to_bytes(answer.unwrap().into_body(), CONTRACT_BYTES_MAX).await;
    let mut contract: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert!(contract["paths"].is_object(), "{contract}");
    name_event_kinds(&mut contract);
    insta::assert_json_snapshot!("openapi", contract);
}

/// Names the list of all kinds of events where the contract holds it: it is pinned once, among the public
/// items of `heronry-types`.
fn name_event_kinds(schema: &mut Value) {
    let kinds = EventKind::ALL.iter().map(|kind| kind.wire_name());
    if *schema == kinds.collect::<Value>() {
        *schema = Value::from("every EventKind");
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(name_event_kinds);
    } else if let Some(members) = schema.as_object_mut() {
        members.values_mut().for_each(name_event_kinds);
    }
}

/// The help of the binary, as a terminal of 100 columns shows it. Its name has an ending elsewhere.
#[cfg(unix)]
mod help {
    use std::{path::PathBuf, process::Command};

    /// Returns the path of the binary: named by the environment, else beside the folder of this
    /// test.
    fn binary() -> PathBuf {
        if let Some(path) = std::env::var_os("HERONRY_BIN") {
            return PathBuf::from(path);
        }
        let test = std::env::current_exe().unwrap();
        let found = test.parent().unwrap().parent().unwrap().join("heronry");
        assert!(found.is_file(), "build it with `cargo build --bin heronry`");
        found
    }

    fn help(verb: &[&str]) -> String {
        let mut command = Command::new(binary());
        let output = command
            .args(verb)
            .arg("--help")
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success(), "{verb:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The names below `Commands:`.
    fn verbs_in(help: &str) -> Vec<String> {
        let names = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = names.take_while(|line| !line.is_empty());
        names
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_verb() {
        let top = help(&[]);
        let verbs = verbs_in(&top);
        assert!(verbs.len() > 10, "{verbs:?}");
        insta::assert_snapshot!("help", top);
        for verb in &verbs {
            let text = help(&[verb]);
            insta::assert_snapshot!(format!("help-{verb}"), text);
            for inner in verbs_in(&text) {
                insta::assert_snapshot!(format!("help-{verb}-{inner}"), help(&[verb, &inner]));
            }
        }
    }
}
