//! A plain client that costs next to nothing: requests are bytes, and answers are thrown away.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use heronry_runtime::MintedToken;
use serde_json::Value;

/// The longest time that an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The longest time that one of very many streams is waited for: all of them are served in turn.
const STREAM_PATIENCE: Duration = Duration::from_secs(120);

/// The address of the server, and the token of the caller that asks it.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Asker {
    pub(in crate::bench) server: SocketAddr,
    pub(in crate::bench) token: String,
}

impl Asker {
    /// Returns who asks with a member's token.
    pub(super) fn member(server: SocketAddr, token: &MintedToken) -> Self {
        let token = token.reveal().to_owned();
        Self { server, token }
    }

    /// Returns the bytes of a request without a body.
    pub(in crate::bench) fn get(&self, path: &str) -> Vec<u8> {
        self.head("GET", path, "").into_bytes()
    }

    /// Returns the bytes of a request for a stream of events.
    pub(in crate::bench) fn stream(&self, path: &str) -> Vec<u8> {
        let accept = "accept: text/event-stream\r\n";
        self.head("GET", path, accept).into_bytes()
    }

    /// Returns the bytes of a request with a body of JSON.
    pub(in crate::bench) fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        self.with_body(
            "POST",
            path,
            ("application/json", body.to_string().as_bytes()),
        )
    }

    /// Returns the bytes of a request that puts a body of JSON.
    pub(in crate::bench) fn put(&self, path: &str, body: &Value) -> Vec<u8> {
        self.with_body(
            "PUT",
            path,
            ("application/json", body.to_string().as_bytes()),
        )
    }

    /// Returns the bytes of a request with a body.
    pub(in crate::bench) fn with_body(
        &self,
        method: &str,
        path: &str,
        body: (&str, &[u8]),
    ) -> Vec<u8> {
        let (media_type, body) = body;
        let of_body = format!(
            "content-type: {media_type}\r\ncontent-length: {}\r\n",
            body.len()
        );
        let mut request = self.head(method, path, &of_body).into_bytes();
        request.extend_from_slice(body);
        request
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let Self { server, token } = self;
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {server}\r\nauthorization: Bearer {token}\r\n{more}\r\n"
        )
    }
}

/// One connection.
#[derive(Debug)]
pub(in crate::bench) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(in crate::bench) fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::with_capacity(64 * 1024, stream)))
    }

    /// Connects with a small buffer, for one of very many connections.
    pub(in crate::bench) fn connect_small(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(STREAM_PATIENCE))?;
        Ok(Self(BufReader::with_capacity(4 * 1024, stream)))
    }

    /// Reads so many items of a stream.
    pub(in crate::bench) fn skip_items(&mut self, mut items: usize) -> io::Result<()> {
        let mut line = Vec::new();
        while items > 0 {
            line.clear();
            if self.0.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            items -= usize::from(line.starts_with(b"data: "));
        }
        Ok(())
    }

    /// Asks, reads the whole answer, and returns its status.
    pub(in crate::bench) fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.0.get_mut().write_all(request)?;
        let head = self.head()?;
        match head.body {
            BodyOf::Bytes(count) => self.skip(count)?,
            BodyOf::Pieces => self.skip_pieces()?,
        }
        Ok(head.status)
    }

    /// Asks for a stream, and reads it until a line of it says this, or until `goes_on` says no.
    pub(in crate::bench) fn follow(
        &mut self,
        request: &[u8],
        line: &[u8],
        goes_on: impl Fn() -> bool,
    ) -> io::Result<u16> {
        self.0.get_mut().write_all(request)?;
        let head = self.head()?;
        let mut found = Vec::new();
        while head.status == 200 && goes_on() {
            found.clear();
            if self.0.read_until(b'\n', &mut found)? == 0 || found.starts_with(line) {
                break;
            }
        }
        Ok(head.status)
    }

    fn head(&mut self) -> io::Result<AnswerHead> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|it| it.parse().ok());
        let mut head = AnswerHead {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            body: BodyOf::Bytes(0),
        };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                return Ok(head);
            };
            if name.eq_ignore_ascii_case("content-length") {
                let count = value.trim().parse();
                head.body = BodyOf::Bytes(count.map_err(io::Error::other)?);
            }
            if name.eq_ignore_ascii_case("transfer-encoding") {
                head.body = BodyOf::Pieces;
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.0).take(count), &mut io::sink())?;
        if skipped < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn skip_pieces(&mut self) -> io::Result<()> {
        loop {
            let count = u64::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            self.skip(count)?;
            self.line()?;
            if count == 0 {
                return Ok(());
            }
        }
    }
}

/// The status and the body length that an answer's head tells.
struct AnswerHead {
    status: u16,
    body: BodyOf,
}

/// The length of an answer's body.
enum BodyOf {
    Bytes(u64),
    Pieces,
}
