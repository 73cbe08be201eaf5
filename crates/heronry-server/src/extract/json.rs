//! JSON bodies, read within a budget.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use heronry_wire::{Problem, ProblemKind};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::de::Read;

use super::{
    body::{BodyPieces, held, read_pieces},
    meter::{Excess, Meter, TEXT_BYTES_MAX},
    metered::Metered,
    short::limited,
    unreadable,
};
use crate::problems::ProblemAnswer;

/// The largest JSON body in bytes: an inline body of its highest limit, all of it escaped, fits.
pub(crate) const JSON_BYTES_MAX: usize = 7 * 1024 * 1024;

/// The largest body with escapes that is read as one, in bytes.
const JOINED_BYTES_MAX: usize = 1024 * 1024;

/// The longest place in a body that a refusal names, in bytes.
const PLACE_BYTES_MAX: usize = 1_024;

/// A JSON body, of a request or of an answer. No body at all is read as `{}`.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ProblemAnswer;

    async fn from_request(request: Request, _: &S) -> Result<Self, ProblemAnswer> {
        let held = held(&request);
        let pieces = read_pieces(request, JSON_BYTES_MAX).await?;
        let (value, kept) = read(pieces)?;
        if let Some(held) = held {
            held.take(kept)?;
        }
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Reads a body, and says how many bytes were made of it.
fn read<T: DeserializeOwned>(pieces: BodyPieces) -> Result<(T, u64), ProblemAnswer> {
    let meter = Meter::new(pieces.len() as u64, pieces.unread());
    if pieces.len() == 0 {
        let value = read_with(serde_json::Deserializer::from_str("{}"), &meter)?;
        return Ok((value, meter.kept()));
    }
    if pieces.first_visible() != Some(b'{') {
        let why = "not a JSON object; write {} around the fields";
        return Err(unreadable(".", why));
    }
    // The reader copies a text with an escape, and its room for that grows; so the pieces of a large
    // body go as they are read then. A body as one is read faster, and its other texts are not copied.
    let value = if pieces.len() > JOINED_BYTES_MAX && pieces.has_escapes() {
        read_with(serde_json::Deserializer::from_reader(pieces), &meter)?
    } else {
        let whole = pieces.join();
        read_with(serde_json::Deserializer::from_slice(&whole), &meter)?
    };
    Ok((value, meter.kept()))
}

fn read_with<'de, R: Read<'de>, T: DeserializeOwned>(
    mut reader: serde_json::Deserializer<R>,
    meter: &Meter,
) -> Result<T, ProblemAnswer> {
    let read = serde_path_to_error::deserialize(Metered::new(&mut reader, meter));
    let value = read.map_err(|error| {
        let place = limited(error.path(), PLACE_BYTES_MAX);
        match meter.excess() {
            Some(excess) => too_much(&place, excess),
            None => unreadable(&place, &error.inner().to_string()),
        }
    })?;
    reader
        .end()
        .map_err(|error| unreadable(".", &error.to_string()))?;
    Ok(value)
}

fn too_much(place: &str, excess: Excess) -> ProblemAnswer {
    let detail = match place {
        "." | "?" => excess.to_string(),
        place => format!("{place}: {excess}"),
    };
    let problem = match excess {
        Excess::Memory { max } => Problem::new(ProblemKind::TooLarge, detail).with("max", max),
        Excess::Text => {
            Problem::new(ProblemKind::TooLarge, detail).with("max", TEXT_BYTES_MAX as u64)
        }
        Excess::Depth | Excess::Name => Problem::new(ProblemKind::InvalidRequest, detail),
    };
    ProblemAnswer(problem.with("field", place))
}
