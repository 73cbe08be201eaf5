//! A Redis beside it: a stream with every entry synced, as one would use it for the same job.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::ground::OrStop;
use crate::failure::Failure;

/// The size of an entry in bytes: about that of a send with a body of the same size.
const ENTRY_BYTES: usize = 620;
/// Clients, and commands of each in flight: the most that is usual.
const LOAD: [&str; 4] = ["-c", "50", "-P", "16"];

/// Returns the entries of a second that a Redis of its own in this folder takes, every one synced;
/// nothing where there is no Redis.
pub(super) async fn entries_per_second(
    folder: &Path,
    entries: usize,
) -> Result<Option<f64>, Failure> {
    std::fs::create_dir(folder).or_stop()?;
    let socket = folder.join("redis.sock");
    let Ok(mut server) = serve(folder, &socket) else {
        return Ok(None);
    };
    let rate = match ready(&mut server).await {
        Ok(true) => measured(&socket, entries).await,
        Ok(false) => Ok(None),
        Err(error) => Err(error),
    };
    server.kill().await.or_stop()?;
    rate
}

fn serve(folder: &Path, socket: &Path) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "yes"])
        .args(["--appendfsync", "always"])
        .args(["--auto-aof-rewrite-percentage", "0"])
        .arg("--dir")
        .arg(folder)
        .arg("--unixsocket")
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// Waits until the server says that it takes connections; returns false when it ended instead.
async fn ready(server: &mut Child) -> Result<bool, Failure> {
    let Some(said) = server.stdout.take() else {
        return Ok(false);
    };
    let mut lines = BufReader::new(said).lines();
    while let Some(line) = lines.next_line().await.or_stop()? {
        if line.contains("ready to accept connections") {
            // What it says later is nobody's, and may fill the pipe: the rest is a line or two.
            server.stdout = Some(lines.into_inner().into_inner());
            return Ok(true);
        }
    }
    Ok(false)
}

async fn measured(socket: &Path, entries: usize) -> Result<Option<f64>, Failure> {
    let entry = "x".repeat(ENTRY_BYTES);
    let output = Command::new("redis-benchmark")
        .arg("-s")
        .arg(socket)
        .args(LOAD)
        .args(["-n", &entries.to_string(), "--csv"])
        .args(["XADD", "sends", "*", "body", &entry])
        .output()
        .await;
    Ok(output.ok().and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        rate(&text)
    }))
}

/// Reads the second column of the last line.
fn rate(csv: &str) -> Option<f64> {
    let last = csv.lines().last()?;
    last.split("\",\"").nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stands_in_the_second_column_of_the_last_line() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"XADD s * d x\",\"147710.48\",\"5.348\"\n";
        assert_eq!(rate(csv), Some(147_710.48));
        assert_eq!(rate("\"test\",\"rps\"\n"), None);
        assert_eq!(rate(""), None);
    }
}
