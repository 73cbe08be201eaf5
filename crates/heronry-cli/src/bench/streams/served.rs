//! A server in a process of its own, and what it takes.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::super::{fair::wire::Asker, ground::OrStop};
use crate::failure::Failure;

/// A server over memory in a process of its own. Dropping it ends it.
pub(super) struct Served {
    child: Child,
    pub(super) operator: Asker,
}

impl Served {
    /// Starts a server, and waits until it is ready.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let data = folder.join("served");
        let program = std::env::current_exe().or_stop()?;
        let mut child = Command::new(program)
            .args([
                "serve",
                "--store",
                "memory",
                "--listen",
                "127.0.0.1:0",
                "--json",
                "--data-dir",
            ])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .or_stop()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).or_stop()?;
        }
        let ready: Value = serde_json::from_str(&line).or_stop()?;
        let url = ready.get("url").and_then(Value::as_str).unwrap_or_default();
        let server: SocketAddr = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .or_stop()?;
        let token = std::fs::read_to_string(data.join("operator.token")).or_stop()?;
        let token = token.trim().to_owned();
        let operator = Asker { server, token };
        Ok(Self { child, operator })
    }

    /// Returns the resident bytes of the server, where the system tells.
    pub(super) fn resident(&self) -> Option<f64> {
        super::super::resident::bytes_of(&format!("/proc/{}", self.child.id()))
    }

    /// Returns the microseconds that its threads have run, where the system tells.
    pub(super) fn ran(&self) -> Option<f64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let mut nanos = 0.0;
        for thread in threads {
            let told = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            nanos += told.split(' ').next()?.parse::<f64>().ok()?;
        }
        Some(nanos / 1e3)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is only measured: nothing of it is wanted, and one that has ended is well, too.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
