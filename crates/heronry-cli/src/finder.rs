//! The address of the server and the token that it is shown, looked up anew for each attempt.

use std::path::PathBuf;

use heronry_client::{ClientError, Endpoint, Locate, LocateError, ServerAddress, Token};
use heronry_wire::NamedMember;

use crate::{
    data_dir::DataDir,
    environment,
    failure::Failure,
    files::{Pipe, read_secret},
    globals::Globals,
    secrets::SecretPlace,
};

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
        TokenSource::File(file) => {
            let (text, _) = read_secret(&file).ok().flatten()?;
            NamedMember::of(text.trim())
        }
        TokenSource::DataDir => None,
    }
}

/// Takes a token out of a pipe, which gives it once.
pub(crate) fn take_from_pipe(globals: &mut Globals) {
    let TokenSource::File(file) = TokenSource::of(globals) else {
        return;
    };
    match read_secret(&file) {
        Ok(Some((text, Pipe::Yes))) => globals.token = Some(text.trim().to_owned()),
        // It may come later, it may change, and what is wrong with it is said when it is needed.
        Ok(Some((_, Pipe::No)) | None) | Err(_) => {}
    }
}

/// Checks that a token file which is named can be read, when there is one.
///
/// # Errors
/// A failure, when it is not this user's alone.
pub(crate) fn check_token_file(globals: &Globals) -> Result<(), Failure> {
    match TokenSource::of(globals) {
        TokenSource::File(file) => {
            read_secret(&file)?;
            Ok(())
        }
        TokenSource::Given(_) | TokenSource::DataDir => Ok(()),
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
            Self::File(file) => read(&SecretPlace::Named(file.clone()), &|| String::new()),
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
            None => announced(&data_dir)?.unwrap_or_else(|| ServerAddress::Tcp {
                host: DEFAULT_HOST.to_owned(),
                port: DEFAULT_PORT,
            }),
        };
        Ok(Endpoint { address, token })
    }
}

/// Returns where the server of a data directory listens: at its socket, which nobody else can open.
fn announced(data_dir: &DataDir) -> Result<Option<ServerAddress>, LocateError> {
    let note = data_dir.announced();
    let note = note.map_err(|error| LocateError::Unusable(error.to_string()))?;
    Ok(note.and_then(|note| match note.socket {
        Some(socket) => Some(ServerAddress::Unix(socket)),
        // A note that names no address names no server.
        None => note.url.parse().ok(),
    }))
}

fn read(place: &SecretPlace, story: &dyn Fn() -> String) -> Result<Token, LocateError> {
    let path = place.path();
    let path = path.display();
    match place.read() {
        Ok(Some(text)) if !text.trim().is_empty() => Ok(Token::new(text)),
        Ok(Some(_)) => Err(LocateError::NotYet(format!("{path} holds no token"))),
        Ok(None) => Err(LocateError::NotYet(format!(
            "there is no token file {path}{}",
            story()
        ))),
        Err(error) => Err(LocateError::Unusable(error.to_string())),
    }
}

fn text_of(name: &str) -> Option<String> {
    // A URL or token that is not text cannot be meant.
    environment::value(name).and_then(|value| value.into_string().ok())
}
