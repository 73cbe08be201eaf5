//! The addresses of a server: taken early, so that nobody else has them, and opened when the server
//! is ready to be asked. Until then whoever connects is refused.

use std::{
    fs::{self, Permissions},
    io::{self, ErrorKind},
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use heronry_server::Listener;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket};

use super::ListenAddress;
use crate::{data_dir::DataDir, failure::Failure, out::diagnose};

/// The largest number of connections that wait to be accepted at one address.
const BACKLOG: u32 = 1_024;

/// The longest path of a Unix socket, in bytes; some systems take 108, others 104.
const SOCKET_PATH_MAX: usize = 103;

/// The addresses that are taken and not open yet.
#[derive(Debug)]
pub(crate) struct Doors {
    url: String,
    first: TakenDoor,
    socket: Option<TakenSocket>,
}

#[derive(Debug)]
enum TakenDoor {
    Tcp(TcpSocket),
    Unix(TakenSocket),
}

#[derive(Debug)]
struct TakenSocket {
    socket: UnixSocket,
    file: SocketFile,
}

/// The addresses that are open.
#[derive(Debug)]
pub(crate) struct OpenDoors {
    pub(crate) listeners: Vec<Listener>,
    /// The files to remove when the server ends.
    pub(crate) files: Vec<SocketFile>,
}

/// The file of a Unix socket; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    number: u64,
}

impl Doors {
    /// Takes the address where a server was asked to listen.
    pub(crate) fn take(listen: &ListenAddress) -> Result<Self, Failure> {
        let (url, first) = match listen {
            ListenAddress::Tcp(address) => {
                let socket = take_port(*address).map_err(|e| not_taken(address, &e))?;
                let bound = socket.local_addr().map_err(Failure::failed)?;
                (format!("http://{bound}"), TakenDoor::Tcp(socket))
            }
            ListenAddress::Unix(path) => {
                let path = std::path::absolute(path).map_err(Failure::failed)?;
                let taken = TakenSocket::take(&path).map_err(|e| not_taken(listen, &e))?;
                (format!("unix:{}", path.display()), TakenDoor::Unix(taken))
            }
        };
        Ok(Self {
            url,
            first,
            socket: None,
        })
    }

    /// Takes the socket of a data directory, too, whose owner is who asks, and returns its path. Where
    /// there can be none, the server goes without, and says so.
    pub(crate) fn add_socket(&mut self, data_dir: &DataDir) -> Option<PathBuf> {
        let path = data_dir.socket();
        let taken = if path.as_os_str().len() > SOCKET_PATH_MAX {
            let what = format!("its path has more than {SOCKET_PATH_MAX} bytes");
            Err(io::Error::new(ErrorKind::InvalidInput, what))
        } else {
            TakenSocket::take(&path)
        };
        match taken {
            Ok(taken) => {
                self.socket = Some(taken);
                Some(path)
            }
            Err(error) => {
                let (place, url) = (path.display(), &self.url);
                diagnose(&format!(
                    "heronry: there is no socket {place}: {error}; commands use {url}"
                ));
                None
            }
        }
    }

    /// Returns where the server listens, as a URL or as `unix:PATH`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Begins to take connections: from here on whoever connects is answered.
    pub(crate) fn open(self) -> Result<OpenDoors, Failure> {
        let Self { url, first, socket } = self;
        let failed = |error| not_taken(&url, &error);
        let mut open = OpenDoors {
            listeners: Vec::new(),
            files: Vec::new(),
        };
        let mut sockets: Vec<TakenSocket> = socket.into_iter().collect();
        match first {
            TakenDoor::Tcp(socket) => {
                let listener: TcpListener = socket.listen(BACKLOG).map_err(failed)?;
                open.listeners.push(Listener::Tcp(listener));
            }
            TakenDoor::Unix(taken) => sockets.push(taken),
        }
        for taken in sockets {
            let listener: UnixListener = taken.socket.listen(BACKLOG).map_err(failed)?;
            open.listeners.push(Listener::Unix(listener));
            open.files.push(taken.file);
        }
        Ok(open)
    }
}

impl TakenSocket {
    /// Takes a socket that only this user can open. What a server that is gone left is replaced.
    fn take(path: &Path) -> io::Result<Self> {
        remove_left_over(path)?;
        let socket = UnixSocket::new_stream()?;
        socket.bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        let number = fs::symlink_metadata(path)?.ino();
        let path = path.to_owned();
        let file = SocketFile { path, number };
        Ok(Self { socket, file })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have taken the place of one that could not be asked any more.
        let is_own = fs::symlink_metadata(&self.path).is_ok_and(|it| it.ino() == self.number);
        if is_own {
            // A file that stays behind leads nowhere, and is replaced by the next server.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove_left_over(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let what = "something else than a socket is there";
        return Err(io::Error::new(ErrorKind::AlreadyExists, what));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

fn take_port(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn not_taken(place: impl std::fmt::Display, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::AddrInUse {
        return Failure::failed(format_args!(
            "another program listens on {place}; stop it, or choose another address with --listen"
        ));
    }
    Failure::failed(format_args!("cannot listen on {place}: {error}"))
}
