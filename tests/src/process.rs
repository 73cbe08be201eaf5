//! Processes under test: started with a clean environment, and ended with the test.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::new_without_default,
    reason = "a helper of a test fails by panicking"
)]

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// Returns the path of the binary: named by the environment, else beside this test.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HERONRY_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().unwrap();
    let found = test.parent().unwrap().parent().unwrap().join("heronry");
    assert!(
        found.is_file(),
        "{} is missing; run: cargo build -p heronry-cli",
        found.display()
    );
    found
}

/// The output of a process, and its exit code.
#[derive(Debug)]
pub struct Said {
    /// The exit code; nothing when a signal ended the process.
    pub code: Option<i32>,
    /// The standard output.
    pub out: String,
    /// The standard error.
    pub err: String,
}

impl Said {
    /// Returns the output of a process that must have exited with 0.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Returns the output, read as JSON, of a process that must have exited with 0.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Checks that it was refused with one line that says what is wrong.
    #[track_caller]
    pub fn refused(&self, code: i32, why: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(why), "no {why:?} in {self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
    }
}

/// A folder of its own, and the command in it.
#[derive(Debug)]
pub struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    /// Makes an empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in the folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, and the folders above it, and returns its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file that is its owner's alone.
    pub fn write_secret(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, text);
        set_mode(&path, 0o600);
        path
    }

    /// Makes a folder that is its owner's alone.
    pub fn private(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        std::fs::create_dir_all(&path).unwrap();
        set_mode(&path, 0o700);
        path
    }

    /// Returns the command with these arguments, in this folder and without any variable of Heronry.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HERONRY_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.path()).args(arguments);
        // What a command remembers where there is no data directory stays in this place, too.
        command.env("XDG_STATE_HOME", self.at("state"));
        command.stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments))
    }

    /// Runs the command to its end on behalf of a run in a pool.
    pub fn run_as(&self, pool: &str, run: &str, arguments: &[&str]) -> Said {
        let mut all = vec!["--pool", pool, "--run", run];
        all.extend(arguments);
        self.run(&all)
    }

    /// Starts the command.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// Starts a server and waits until it says that it is ready.
    pub fn serve(&self, arguments: &[&str]) -> Running {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--json"];
        all.extend(arguments);
        let mut server = self.start(&all);
        let ready: Value = serde_json::from_str(&server.line()).unwrap();
        assert!(
            ready["url"]
                .as_str()
                .unwrap()
                .starts_with("http://127.0.0.1:")
        );
        server
    }
}

/// Sets the mode of a file or folder.
pub fn set_mode(path: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

/// Runs a command to its end.
pub fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A process that runs; it is killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a process.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Returns the id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line of its output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self.out.read_line(&mut line).unwrap();
        assert_ne!(count, 0, "its output ended; stderr: {}", self.stderr());
        line
    }

    /// Waits for a line with this text, and returns all lines up to it.
    pub fn until(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.line());
            if lines.last().unwrap().contains(text) {
                return lines;
            }
        }
    }

    /// Waits for its end.
    pub fn end(mut self) -> Said {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let err = self.stderr();
        let code = self.child.wait().unwrap().code();
        Said { code, out, err }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, by its name, to a process; one that has just ended needs none.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .stderr(Stdio::null())
        .status();
    // A process that has just ended needs no signal.
    let _ = sent.unwrap();
}
