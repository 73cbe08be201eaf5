//! The choices of the command line for a host: its store, and the address where it listens.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use heronry_store_embedded::files::directory_of;

/// A store that a person named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StoreChoice {
    /// A file.
    Redb(PathBuf),
    /// A directory.
    Sled(PathBuf),
    /// Nothing is kept.
    Memory,
}

/// A text that names no store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} names no store; write redb:PATH, sled:PATH or memory")]
pub(crate) struct NoSuchStore {
    found: String,
}

impl StoreChoice {
    /// Returns the store at a path that is named without its kind: a directory is sled's.
    pub(crate) fn at(path: PathBuf) -> Self {
        if path.is_dir() {
            return Self::Sled(path);
        }
        Self::Redb(path)
    }

    /// Returns the store that a text names, with its kind or as a path alone.
    pub(crate) fn named(text: &str) -> Result<Self, NoSuchStore> {
        let has_kind = ["redb:", "sled:"].iter().any(|kind| text.starts_with(kind));
        if has_kind || text == "memory" {
            return text.parse();
        }
        Ok(Self::at(PathBuf::from(text)))
    }

    /// Returns where the store is kept.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Redb(path) | Self::Sled(path) => path,
            Self::Memory => Path::new("memory"),
        }
    }

    /// Returns the same choice with the whole path of a file that exists.
    pub(crate) fn absolute(self) -> Self {
        match self {
            // The path that was given names the same place, only less clearly.
            Self::Redb(path) => Self::Redb(whole(path)),
            Self::Sled(path) => Self::Sled(whole(path)),
            Self::Memory => Self::Memory,
        }
    }
}

/// Returns the whole path of a store that is there, or of one that was in a folder that is there.
fn whole(path: PathBuf) -> PathBuf {
    let found = std::fs::canonicalize(&path).or_else(|error| match path.file_name() {
        Some(name) => Ok(std::fs::canonicalize(directory_of(&path))?.join(name)),
        None => Err(error),
    });
    found.unwrap_or(path)
}

impl FromStr for StoreChoice {
    type Err = NoSuchStore;
    fn from_str(text: &str) -> Result<Self, NoSuchStore> {
        match text.split_once(':') {
            Some(("redb", path)) if !path.is_empty() => Ok(Self::Redb(PathBuf::from(path))),
            Some(("sled", path)) if !path.is_empty() => Ok(Self::Sled(PathBuf::from(path))),
            None if text == "memory" => Ok(Self::Memory),
            Some(_) | None => Err(NoSuchStore {
                found: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redb(path) => write!(f, "redb:{}", path.display()),
            Self::Sled(path) => write!(f, "sled:{}", path.display()),
            Self::Memory => f.write_str("memory (nothing is kept after this process)"),
        }
    }
}

/// A place of this machine that only this machine can reach.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ListenAddress {
    /// A port of a loopback address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// An address that cannot be listened on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("{found:?} is not an address; write it as 127.0.0.1:7171 or unix:PATH")]
    Malformed { found: String },
    #[error(
        "{address} can be reached from other machines, and there is no TLS yet; \
         listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback { address: SocketAddr },
}

impl FromStr for ListenAddress {
    type Err = ListenError;
    fn from_str(text: &str) -> Result<Self, ListenError> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let numeric = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        let address: SocketAddr =
            numeric
                .as_deref()
                .unwrap_or(text)
                .parse()
                .map_err(|_| ListenError::Malformed {
                    found: text.to_owned(),
                })?;
        if !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback { address });
        }
        Ok(Self::Tcp(address))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_with_its_kind() {
        assert_eq!("memory".parse(), Ok(StoreChoice::Memory));
        assert_eq!("redb:/a:b".parse(), Ok(StoreChoice::Redb("/a:b".into())));
        assert_eq!("sled:/a:b".parse(), Ok(StoreChoice::Sled("/a:b".into())));
        for text in ["", "redb", "redb:", "sled:", "memory:x", "fjall:/a", "/a"] {
            assert!(text.parse::<StoreChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_addresses_and_sockets_are_listened_on() {
        let socket: ListenAddress = "unix:/run/h.sock".parse().unwrap();
        assert_eq!(socket, ListenAddress::Unix("/run/h.sock".into()));
        assert_eq!(socket.to_string(), "unix:/run/h.sock");
        for text in ["127.0.0.1:7171", "[::1]:0", "localhost:80", "127.9.9.9:1"] {
            assert!(text.parse::<ListenAddress>().is_ok(), "{text}");
        }
        let error = "0.0.0.0:7171".parse::<ListenAddress>().unwrap_err();
        assert!(matches!(error, ListenError::NotLoopback { .. }), "{error}");
        for text in [
            "",
            "unix:",
            "127.0.0.1",
            ":7171",
            "localhost",
            "127.0.0.1:99999",
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert!(matches!(error, ListenError::Malformed { .. }), "{text}");
        }
    }
}
