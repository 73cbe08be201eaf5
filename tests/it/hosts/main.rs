//! Hosts pass the suite of their port. The host of processes is run with the `heronry` binary as its shim.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use heronry_host::{HostValue, MemberHost};
use heronry_host_process::{ProcessCommand, ProcessHost, ProcessPlaces, ShimCommand};
use heronry_testkit::hosts::{self, HostFailure, HostPlace, HostSubject, HostedPlay};
use heronry_types::HostId;
use tempfile::TempDir;

/// The longest time that a case may take.
const WITHIN: Duration = Duration::from_secs(120);

struct Processes;

impl HostSubject for Processes {
    fn place(&self) -> Result<Box<dyn HostPlace>, HostFailure> {
        let folder = tempfile::tempdir().map_err(HostFailure::new)?;
        Ok(Box::new(ProcessPlace(folder)))
    }

    fn run(&self, case: BoxFuture<'_, Result<(), HostFailure>>) -> Result<(), HostFailure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(HostFailure::new)?;
        let ended = runtime.block_on(async { tokio::time::timeout(WITHIN, case).await });
        ended.map_err(HostFailure::new)?
    }
}

struct ProcessPlace(TempDir);

impl HostPlace for ProcessPlace {
    fn open(&self) -> Result<Arc<dyn MemberHost>, HostFailure> {
        let inner = |name: &str| -> PathBuf { self.0.path().join(name) };
        let shim = ShimCommand {
            program: heronry_tests::process::binary(),
            arguments: vec!["__shim".into(), "--".into()],
        };
        let places = ProcessPlaces {
            incarnations: inner("incarnations"),
            logs: inner("logs"),
            folder: self.0.path().to_owned(),
            search_path: std::env::var_os("PATH").unwrap_or_default(),
        };
        let id = HostId::parse("process").map_err(HostFailure::new)?;
        Ok(Arc::new(ProcessHost::new(id, shim, places)))
    }

    fn value(&self, play: &HostedPlay) -> HostValue {
        let script = match play {
            HostedPlay::Succeeds => "echo".to_owned(),
            HostedPlay::Fails => "echo; exit 7".to_owned(),
            HostedPlay::FailsSilently => "exit 7".to_owned(),
            HostedPlay::Waits => "echo; exec sleep 600".to_owned(),
            HostedPlay::Ignores => "trap '' TERM; echo; while :; do sleep 1; done".to_owned(),
            HostedPlay::SucceedsIf { variable, value } => format!("test \"${variable}\" = {value}"),
            HostedPlay::CannotStart => return ProcessCommand::new(["no-such-program"]).to_value(),
        };
        ProcessCommand::new(["sh", "-c", &script]).to_value()
    }
}

fn main() -> ExitCode {
    hosts::main(Processes)
}
