//! The host of processes with the real shim: what it starts, how that ends, and what is found again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use heronry_host::{
    HostEnvironment, HostFault, HostedSubject, Incarnation, IncarnationEnd, Launch, MemberHost,
    Running, SpecEnvironment, StopMeans,
};
use heronry_host_process::{
    LINE_BYTES_MAX, OutputObserver, ProcessCommand, ProcessHost, ProcessPlaces, ShimCommand,
};
use heronry_tests::process::{binary, signal};
use heronry_types::{AgentId, Generation, HostId, PoolId, Position, ReadyWhen, RunId};

/// A grace that a process which ends when it is asked to never needs.
const LONG: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl OutputObserver for Told {
    fn line(&self, _: &HostedSubject, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

fn host_in(place: &Path) -> ProcessHost {
    let shim = ShimCommand {
        program: binary(),
        arguments: vec!["__shim".into(), "--".into()],
    };
    let places = ProcessPlaces {
        incarnations: place.join("incarnations"),
        logs: place.join("logs"),
        folder: place.to_owned(),
        search_path: std::env::var_os("PATH").unwrap(),
    };
    ProcessHost::new(HostId::parse("process").unwrap(), shim, places)
}

fn pool() -> PoolId {
    PoolId::parse("p").unwrap()
}

fn launch(script: &str) -> Launch {
    Launch {
        subject: HostedSubject::Member(Incarnation {
            pool: pool(),
            run: RunId::parse("r").unwrap(),
            agent: AgentId::parse("a").unwrap(),
            generation: Generation(Position(7)),
        }),
        value: ProcessCommand::new(["sh", "-c", script]).to_value(),
        variables: SpecEnvironment::new(),
        environment: HostEnvironment::default(),
        ready: ReadyWhen::Line,
    }
}

async fn started(host: &ProcessHost, script: &str) -> Box<dyn Running> {
    let mut running = host.start(launch(script)).await.unwrap();
    running.ready().await.unwrap();
    running
}

fn log(place: &Path) -> String {
    fs::read_to_string(place.join("logs/p/r.log")).unwrap()
}

fn files(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.join("incarnations/p")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn an_exit_code_is_told_from_a_signal_of_the_same_number_in_a_shell() {
    let place = tempfile::tempdir().unwrap();
    let host = host_in(place.path());
    for (script, expected) in [
        ("echo; exit 0", IncarnationEnd::Succeeded),
        ("echo; exit 143", IncarnationEnd::ExitCode(143)),
        ("echo; kill -TERM $$", IncarnationEnd::Signal(15)),
        ("echo; kill -KILL $$", IncarnationEnd::Signal(9)),
    ] {
        let mut running = started(&host, script).await;
        assert_eq!(running.ended().await, expected, "{script}");
        assert_eq!(running.ended().await, expected, "{script}");
        assert_eq!(files(place.path()), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn a_line_of_10_mb_is_cut_with_a_mark_and_the_next_one_is_whole() {
    let place = tempfile::tempdir().unwrap();
    let told = Arc::new(Told::default());
    let host = host_in(place.path()).with_observer(Arc::clone(&told) as _);
    let script = "head -c 10000000 /dev/zero | tr '\\0' x; echo; echo next";
    let mut running = started(&host, script).await;
    assert_eq!(running.ended().await, IncarnationEnd::Succeeded);
    let lines = told.0.lock().unwrap().clone();
    let cut = 10_000_000 - LINE_BYTES_MAX;
    let mark = format!(" [heronry: the line is cut here; {cut} bytes more]");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].len(), LINE_BYTES_MAX + mark.len());
    assert!(lines[0].ends_with(&mark));
    assert_eq!(lines[1], "next");
    assert_eq!(log(place.path()), lines.join("\n") + "\n");
}

#[tokio::test]
async fn r9_what_ignores_the_request_to_end_is_killed_after_its_grace_and_that_is_told() {
    let place = tempfile::tempdir().unwrap();
    let host = host_in(place.path());
    let mut running = started(&host, "trap '' TERM; echo; while :; do sleep 1; done").await;
    let stopped = running.stop(Duration::from_millis(50)).await.unwrap();
    assert_eq!(stopped.means, StopMeans::Killed);
    assert_eq!(stopped.end, IncarnationEnd::Signal(9));
    let mut running = started(
        &host,
        "trap 'exit 3' TERM; echo; while :; do sleep 0.01; done",
    )
    .await;
    let stopped = running.stop(LONG).await.unwrap();
    assert_eq!(stopped.means, StopMeans::Asked);
    assert_eq!(stopped.end, IncarnationEnd::ExitCode(3));
    let again = running.stop(LONG).await.unwrap();
    assert_eq!(again.means, StopMeans::None);
    assert_eq!(again.end, IncarnationEnd::ExitCode(3));
}

#[tokio::test]
async fn a_program_that_the_system_refuses_is_told_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let host = host_in(place.path());
    let file = place.path().join("odd");
    fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&file, mode).unwrap();
    let mut odd = launch("");
    odd.value = ProcessCommand::new(["./odd"]).to_value();
    let refused = host.start(odd).await.err().unwrap();
    assert!(
        refused.to_string().starts_with("cannot start ./odd: "),
        "{refused}"
    );
    assert_eq!(files(place.path()), Vec::<PathBuf>::new());
    let mut running = started(&host, "echo").await;
    running.ended().await;
}

#[tokio::test]
async fn an_incarnation_that_runs_is_not_started_again_by_any_host_of_the_place() {
    let place = tempfile::tempdir().unwrap();
    let host = host_in(place.path());
    let mut running = started(&host, "echo; exec sleep 600").await;
    for host in [host, host_in(place.path())] {
        let refused = host.start(launch("echo again")).await.err().unwrap();
        assert!(matches!(refused, HostFault::RunsAlready(_)), "{refused}");
    }
    running.kill().await.unwrap();
    assert_eq!(log(place.path()), "\n");
}

/// Kills the shim alone, as one that ends every process of this name does.
fn kill_shim(running: &dyn Running) {
    signal(running.process_id().unwrap(), "KILL");
}

#[tokio::test]
async fn r17_what_an_earlier_host_has_started_is_found_with_its_number_and_ended() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut first = host_in(place.path())
        .start(launch("exec 4>pipe; echo; exec sleep 600"))
        .await
        .unwrap();
    let reader = tokio::task::spawn_blocking(move || fs::read(pipe).unwrap());
    first.ready().await.unwrap();
    let second = host_in(place.path());
    let mut found = second.recover(&pool()).await.unwrap();
    assert_eq!(found.len(), 1);
    let mut left = found.remove(0);
    assert_eq!(left.subject, launch("").subject);
    assert_eq!(left.running.process_id(), first.process_id());
    let stopped = left.running.stop(LONG).await.unwrap();
    assert_eq!(stopped.means, StopMeans::Asked);
    // The pipe ends with the last process that holds it.
    assert_eq!(reader.await.unwrap(), b"");
    assert_eq!(first.ended().await, IncarnationEnd::Signal(15));
    assert!(second.recover(&pool()).await.unwrap().is_empty());
    let mut again = started(&second, "echo; exec sleep 600").await;
    assert!(matches!(
        second
            .recover(&PoolId::parse("other").unwrap())
            .await
            .unwrap()
            .as_slice(),
        []
    ));
    kill_shim(&*again);
    assert_eq!(again.ended().await, IncarnationEnd::Signal(9));
    assert!(second.recover(&pool()).await.unwrap().is_empty());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_left_its_group_ends_with_its_incarnation() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let host = host_in(place.path());
    let script = "exec 4>pipe; setsid sh -c 'exec sleep 600' </dev/null >/dev/null 2>&1 & echo";
    let reader = tokio::task::spawn_blocking(move || fs::read(pipe).unwrap());
    let mut running = started(&host, script).await;
    assert_eq!(running.ended().await, IncarnationEnd::Succeeded);
    assert_eq!(reader.await.unwrap(), b"");
    assert!(host.recover(&pool()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_dropped_ends() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let host = host_in(place.path());
    let reader = tokio::task::spawn_blocking(move || fs::read(pipe).unwrap());
    let running = started(&host, "exec 4>pipe; echo; sleep 600").await;
    drop(running);
    assert_eq!(reader.await.unwrap(), b"");
}
