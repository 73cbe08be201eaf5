//! The address of the server and the token that it is shown, looked up anew for each attempt.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use heronry_client::{ClientError, Endpoint, Locate, LocateError, ServerAddress, Token};
use heronry_wire::NamedMember;

use crate::{data_dir::DataDir, environment, globals::Globals};

/// The host of the server when nothing names one.
const DEFAULT_HOST: &str = "127.0.0.1";
/// Its port.
const DEFAULT_PORT: u16 = 7171;

/// The variable that a job sets for each of its members.
const MEMBER_VARIABLE: &str = "HERONRY_GENERATION";
/// The refusal of a member without a token.
const NO_MEMBER_TOKEN: &str = "this is a member of a job (HERONRY_GENERATION is set), and its token is gone: \
    set HERONRY_TOKEN as `heronry up` gave it, or name an operator's --data-dir";

/// Finds the server and the token by options, environment and data directory, in this order.
#[derive(Debug)]
pub(crate) struct Finder {
    address: Option<ServerAddress>,
    token: TokenSource,
    data_dir: Option<PathBuf>,
}

/// The source of the token.
#[derive(Debug)]
enum TokenSource {
    Given(Token),
    File(PathBuf),
    /// The operator's token of the data directory.
    DataDir,
}

impl Finder {
    /// Returns the finder for these options. Options come before the environment, and a token before
    /// a file of one.
    pub(crate) fn new(globals: &Globals) -> Result<Self, ClientError> {
        let named = globals.url.clone().or_else(|| text_of("HERONRY_URL"));
        let address = named.map(|url| url.parse()).transpose()?;
        Ok(Self {
            address,
            token: TokenSource::of(globals),
            data_dir: globals.data_dir.clone(),
        })
    }
}

/// Returns the member whose token is named; nothing when it is not a member's, or not there yet.
pub(crate) fn named_member(globals: &Globals) -> Option<NamedMember> {
    match TokenSource::of(globals) {
        TokenSource::Given(token) => NamedMember::of(token.reveal()),
        // A file that cannot be read is refused when it is needed.
        TokenSource::File(file) => NamedMember::of(fs::read_to_string(file).ok()?.trim()),
        TokenSource::DataDir => None,
    }
}

impl TokenSource {
    fn of(globals: &Globals) -> Self {
        if let Some(token) = &globals.token {
            return Self::Given(Token::new(token));
        }
        if let Some(file) = &globals.token_file {
            return Self::File(file.clone());
        }
        if let Some(token) = text_of("HERONRY_TOKEN") {
            return Self::Given(Token::new(token));
        }
        environment::path("HERONRY_TOKEN_FILE").map_or(Self::DataDir, Self::File)
    }

    fn read(&self, data_dir: &DataDir) -> Result<Token, LocateError> {
        let is_member = environment::value(MEMBER_VARIABLE).is_some();
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::File(file) => read(file, &|| String::new()),
            // A member that lost its token is no operator.
            Self::DataDir if is_member && !data_dir.is_named() => {
                Err(LocateError::Unusable(NO_MEMBER_TOKEN.to_owned()))
            }
            Self::DataDir => read(&data_dir.operator_token(), &|| {
                let story = data_dir.story();
                format!(
                    "; {story}; start a server with `heronry serve`, or give --data-dir, \
                     --token-file or HERONRY_TOKEN"
                )
            }),
        }
    }
}

impl Locate for Finder {
    fn locate(&self) -> Result<Endpoint, LocateError> {
        let data_dir = DataDir::find(self.data_dir.as_deref());
        let token = Some(self.token.read(&data_dir)?);
        let address = match &self.address {
            Some(address) => address.clone(),
            None => announced(&data_dir).unwrap_or_else(|| ServerAddress::Tcp {
                host: DEFAULT_HOST.to_owned(),
                port: DEFAULT_PORT,
            }),
        };
        Ok(Endpoint { address, token })
    }
}

/// Returns where the server of a data directory listens: at its socket, which nobody else can open.
fn announced(data_dir: &DataDir) -> Option<ServerAddress> {
    let note = data_dir.announced()?;
    match note.socket {
        Some(socket) => Some(ServerAddress::Unix(socket)),
        // A note that names no address names no server.
        None => note.url.parse().ok(),
    }
}

fn read(file: &Path, story: &dyn Fn() -> String) -> Result<Token, LocateError> {
    let place = file.display();
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => Ok(Token::new(text)),
        Ok(_) => Err(LocateError::NotYet(format!("{place} holds no token"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(LocateError::NotYet(format!(
            "there is no token file {place}{}",
            story()
        ))),
        Err(error) => Err(LocateError::Unusable(format!(
            "cannot read the token in {place}: {error}"
        ))),
    }
}

fn text_of(name: &str) -> Option<String> {
    // A URL or token that is not text cannot be meant.
    environment::value(name).and_then(|value| value.into_string().ok())
}
