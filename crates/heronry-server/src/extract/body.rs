//! Bodies of requests as they arrive: their pieces, and the room that those of all requests share.

use std::{
    cell::Cell,
    collections::VecDeque,
    error::Error,
    io,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, header},
};
use heronry_api::{BeforeWaiting, Refusal};
use heronry_types::{LimitExceeded, LimitName};
use heronry_wire::{Problem, ProblemKind};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::unreadable;
use crate::{connections::BodyLate, problems::ProblemAnswer};

/// The time after which a body that found no room is to be sent again, in milliseconds.
const AGAIN_AFTER_MS: u64 = 1_000;

/// A body that would take more than its member's share.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct ShareExceeded(pub(crate) LimitExceeded);

/// The room for the bodies of all requests that a server reads or works on. All but a quarter of it is
/// for everybody; that quarter is left to operators.
#[derive(Debug)]
pub(crate) struct BodyRoom {
    taken: Mutex<TakenBytes>,
    max: u64,
}

/// The numbers of bytes that are taken.
#[derive(Debug, Default)]
struct TakenBytes {
    all: u64,
    /// The part of `all` that is taken by callers other than operators.
    common: u64,
}

/// The lane from which a body takes room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BodyLane {
    /// Anybody's.
    Common,
    /// An operator's.
    Operators,
}

impl BodyRoom {
    /// Returns room for so many bytes, all of it free.
    pub(crate) fn new(max: u64) -> Self {
        Self {
            taken: Mutex::default(),
            max,
        }
    }

    /// Returns how many bytes those who are no operators may take together.
    fn common_max(&self) -> u64 {
        self.max - self.max / 4
    }

    /// A panic while the lock is held cannot leave a count half changed.
    fn lock(&self) -> MutexGuard<'_, TakenBytes> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes so many bytes; where there is no room for them, returns how much there is for such bodies.
    fn take(&self, lane: BodyLane, bytes: u64) -> Result<(), u64> {
        let mut taken = self.lock();
        let all = taken.all.saturating_add(bytes);
        if lane == BodyLane::Common {
            let common = taken.common.saturating_add(bytes);
            if common > self.common_max() {
                return Err(self.common_max());
            }
            if all <= self.max {
                taken.common = common;
            }
        }
        if all > self.max {
            return Err(self.max);
        }
        taken.all = all;
        Ok(())
    }

    fn give_back(&self, lane: BodyLane, bytes: u64) {
        let mut taken = self.lock();
        taken.all -= bytes;
        if lane == BodyLane::Common {
            taken.common -= bytes;
        }
    }

    /// Returns how many bytes are taken.
    #[cfg(test)]
    fn taken(&self) -> u64 {
        self.lock().all
    }
}

/// The part of the room that one request holds. Dropped, it gives it back.
#[derive(Debug)]
pub(crate) struct HeldRoom {
    room: Arc<BodyRoom>,
    lane: BodyLane,
    bytes: AtomicU64,
}

impl HeldRoom {
    /// Returns a part of nothing yet.
    pub(crate) fn nothing_of(room: &Arc<BodyRoom>, lane: BodyLane) -> Self {
        Self {
            room: Arc::clone(room),
            lane,
            bytes: AtomicU64::new(0),
        }
    }

    /// Takes so many bytes more, or refuses the body that needs them.
    pub(super) fn take(&self, bytes: u64) -> Result<(), ProblemAnswer> {
        self.room.take(self.lane, bytes).map_err(no_room)?;
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        Ok(())
    }
}

/// A request that waits holds no room: its body was read, and the rest of it is counted elsewhere.
impl BeforeWaiting for HeldRoom {
    fn release(&self) {
        let bytes = self.bytes.swap(0, Ordering::AcqRel);
        self.room.give_back(self.lane, bytes);
    }
}

impl Drop for HeldRoom {
    fn drop(&mut self) {
        self.release();
    }
}

fn no_room(max: u64) -> ProblemAnswer {
    let detail = format!(
        "the bodies of requests under way take all of the {max} bytes that there are for them; \
         send it again a little later"
    );
    let problem = Problem::new(ProblemKind::Busy, detail);
    ProblemAnswer(
        problem
            .with("limit", "bodies_bytes_max")
            .with("max", max)
            .with("retry_after_ms", AGAIN_AFTER_MS),
    )
}

/// The pieces of a body that has arrived, in order.
#[derive(Debug, Default)]
pub(super) struct BodyPieces {
    queue: VecDeque<Bytes>,
    len: usize,
    /// The number of bytes of the first piece that were read.
    read: usize,
    /// The number of bytes that are still held. A piece is let go when it was read.
    unread: Rc<Cell<u64>>,
}

impl BodyPieces {
    fn push(&mut self, piece: Bytes) {
        self.len += piece.len();
        self.unread.set(self.len as u64);
        self.queue.push_back(piece);
    }

    /// Returns how many bytes the body has.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns how many bytes of it are held, now and later.
    pub(super) fn unread(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.unread)
    }

    /// Returns the first byte that is not white space.
    pub(super) fn first_visible(&self) -> Option<u8> {
        let mut bytes = self.queue.iter().flatten();
        bytes.find(|byte| !byte.is_ascii_whitespace()).copied()
    }

    /// Returns whether there is an escape in it.
    pub(super) fn has_escapes(&self) -> bool {
        self.queue.iter().any(|piece| piece.contains(&b'\\'))
    }

    /// Returns the body as one, letting each piece go as soon as it is copied.
    pub(super) fn join(self) -> Vec<u8> {
        let mut joined = Vec::with_capacity(self.len);
        for piece in self.queue {
            if joined.is_empty() && piece.len() == self.len {
                return Vec::from(piece);
            }
            joined.extend_from_slice(&piece);
        }
        joined
    }
}

impl io::Read for BodyPieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(piece) = self.queue.front() else {
                return Ok(0);
            };
            let rest = piece.get(self.read..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.len().min(into.len());
                into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                self.read += count;
                return Ok(count);
            }
            self.queue.pop_front();
            self.read = 0;
            let left = self.queue.iter().map(|piece| piece.len() as u64);
            self.unread.set(left.sum());
        }
    }
}

/// Returns the part of the room that a request holds.
pub(super) fn held(request: &Request) -> Option<Arc<HeldRoom>> {
    request.extensions().get().cloned()
}

/// Reads the pieces of a body of at most `max` bytes, as far as there is room for them.
pub(super) async fn read_pieces(request: Request, max: usize) -> Result<BodyPieces, ProblemAnswer> {
    check_stated_length(request.headers(), max)?;
    let held = held(&request);
    let mut body = Limited::new(request.into_body(), max);
    let mut arrived = Arrived::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_off(&*error, max))?;
        // Trailers say nothing that anybody reads.
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if let Some(held) = &held {
            held.take(piece.len() as u64)?;
        }
        arrived.0.push(piece);
    }
    let mut pieces = BodyPieces::default();
    arrived.0.into_iter().for_each(|piece| pieces.push(piece));
    Ok(pieces)
}

/// The pieces that arrived so far, while more are waited for.
#[derive(Default)]
struct Arrived(Vec<Bytes>);

/// Refuses a body that says that it is too large, before any of it is read.
fn check_stated_length(headers: &HeaderMap, max: usize) -> Result<(), ProblemAnswer> {
    let stated = headers.get(header::CONTENT_LENGTH);
    let stated = stated.and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
    match stated {
        Some(stated) if stated > max as u64 => Err(too_large(max as u64)),
        Some(_) | None => Ok(()),
    }
}

fn broken_off(error: &(dyn Error + Send + Sync + 'static), max: usize) -> ProblemAnswer {
    if error.is::<LengthLimitError>() {
        return too_large(max as u64);
    }
    if let Some(late) = cause::<BodyLate>(error) {
        return too_late(late);
    }
    if let Some(ShareExceeded(exceeded)) = cause(error) {
        return Refusal::of_share(exceeded, "send less at once").into();
    }
    unreadable(".", "the body broke off; send it again")
}

/// Returns the cause of this type that an error has, if any.
fn cause<E: Error + Copy + 'static>(error: &(dyn Error + 'static)) -> Option<E> {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut found = causes.filter_map(|error| error.downcast_ref::<E>());
    found.next().copied()
}

fn too_late(late: BodyLate) -> ProblemAnswer {
    let detail = format!("{late}; send it again, faster or in less bytes");
    let problem = Problem::new(ProblemKind::RequestTimeout, detail);
    ProblemAnswer(problem.with("max_ms", late.limit.0))
}

/// Reads a whole content of at most `max` bytes, which the limit of contents says.
pub(crate) async fn read_content(request: Request, max: u64) -> Result<Vec<u8>, ProblemAnswer> {
    let size = usize::try_from(max).unwrap_or(usize::MAX);
    let read = read_pieces(request, size).await;
    let pieces = read.map_err(|refusal| {
        if refusal.0.kind() == Some(ProblemKind::TooLarge) {
            content_too_large(max)
        } else {
            refusal
        }
    })?;
    Ok(pieces.join())
}

/// A body over `max` bytes.
fn too_large(max: u64) -> ProblemAnswer {
    let detail = format!("the body may have {max} bytes; send less, or store it as content");
    ProblemAnswer(Problem::new(ProblemKind::TooLarge, detail).with("max", max))
}

/// A content over its limit. How much over, nobody has read.
fn content_too_large(max: u64) -> ProblemAnswer {
    let limit = LimitName::ContentBytesMax;
    let detail = format!(
        "{limit} is {max}, and the body has more; send less, or raise the limit in the settings"
    );
    let problem = Problem::new(ProblemKind::TooLarge, detail).with("max", max);
    ProblemAnswer(problem.with("limit", limit.to_string()))
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, io::Read};

    use axum::body::Body;
    use futures::stream;

    use super::*;

    fn request(pieces: &[&'static str]) -> Request {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Infallible>(*piece))
            .collect();
        Request::new(Body::from_stream(stream::iter(pieces)))
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_too_large() {
        let request = |size| Request::new(Body::from(vec![b' '; size]));
        assert_eq!(read_pieces(request(3), 3).await.unwrap().len(), 3);
        let refusal = read_pieces(request(4), 3).await.unwrap_err();
        assert_eq!(refusal.0.kind(), Some(ProblemKind::TooLarge));
        assert_eq!(refusal.0.number("max"), Some(3));
        assert_eq!(read_content(request(3), 3).await.unwrap().len(), 3);
        let refusal = read_content(request(4), 3).await.unwrap_err();
        assert_eq!(refusal.0.kind(), Some(ProblemKind::TooLarge));
        assert_eq!(refusal.0.text("limit"), Some("content_bytes_max"));
    }

    #[tokio::test]
    async fn the_pieces_of_a_body_are_read_in_order_and_let_go() {
        let mut pieces = read_pieces(request(&["ab", "", "cde"]), 9).await.unwrap();
        let unread = pieces.unread();
        assert_eq!((pieces.len(), unread.get()), (5, 5));
        let mut three = [0; 3];
        pieces.read_exact(&mut three).unwrap();
        // The last piece is held as a whole until it is read.
        assert_eq!((&three, unread.get()), (b"abc", 3));
        let mut rest = String::new();
        pieces.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), unread.get()), ("de", 0));
        assert_eq!(
            read_content(request(&["ab", "c"]), 9).await.unwrap(),
            b"abc"
        );
    }

    #[test]
    fn a_quarter_of_the_room_is_left_to_operators() {
        let room = Arc::new(BodyRoom::new(100));
        let [common, operators] =
            [BodyLane::Common, BodyLane::Operators].map(|lane| HeldRoom::nothing_of(&room, lane));
        let refused = |held: &HeldRoom, bytes| {
            let ProblemAnswer(problem) = held.take(bytes).unwrap_err();
            problem.number("max")
        };
        common.take(75).unwrap();
        assert_eq!(refused(&common, 1), Some(75));
        operators.take(25).unwrap();
        assert_eq!(refused(&operators, 1), Some(100));
        common.release();
        // What operators have more than their quarter, others have less.
        operators.take(50).unwrap();
        assert_eq!(refused(&common, 26), Some(100));
        common.take(25).unwrap();
        drop((common, operators));
        assert_eq!(room.taken(), 0);
        let all = HeldRoom::nothing_of(&room, BodyLane::Operators);
        all.take(100).unwrap();
    }

    #[tokio::test]
    async fn bodies_that_find_no_room_are_told_when_to_come_again() {
        let room = Arc::new(BodyRoom::new(5));
        let holding = |pieces: &[&'static str]| {
            let held = Arc::new(HeldRoom::nothing_of(&room, BodyLane::Operators));
            let mut request = request(pieces);
            request.extensions_mut().insert(Arc::clone(&held));
            (request, held)
        };
        let (request, held) = holding(&["abc"]);
        let first = read_pieces(request, 100).await;
        assert!(first.is_ok());
        let (request, none) = holding(&["d", "ef"]);
        let second = read_pieces(request, 100).await;
        let ProblemAnswer(problem) = second.unwrap_err();
        assert_eq!(problem.kind(), Some(ProblemKind::Busy));
        assert_eq!(problem.number("retry_after_ms"), Some(1_000));
        assert_eq!(problem.text("limit"), Some("bodies_bytes_max"));
        drop(none);
        assert_eq!(room.taken(), 3);
        held.release();
        assert_eq!(room.taken(), 0);
        let (request, held) = holding(&["d", "ef", "gh"]);
        let again = read_pieces(request, 100).await;
        assert!(again.is_ok());
        assert_eq!(room.taken(), 5);
        drop(held);
        assert_eq!(room.taken(), 0);
    }
}
