//! Reading contents from committed rows.

use std::{ops::ControlFlow, sync::Arc};

use heronry_types::{ContentRef, Position};

use crate::row_keys::{self, Placed};
use crate::{
    Database, Order, Reading, Table,
    before::{Before, View},
    chunks::range_of,
    corrupt,
    pack::Pack,
    readable::ReadablePool,
    row::position_of,
};
use heronry_store::runs::KeyRange;
use heronry_store::{ContentPack, ContentPlace, NewContent, StoreError, Stored};

const GET: &str = "get content";
const LIST: &str = "list contents";

/// Reads a content of a pool.
pub(crate) fn content<D: Database>(
    (database, before): (Arc<D>, &Before),
    view: &ReadablePool,
    content_ref: ContentRef,
    place: ContentPlace,
) -> Result<Option<Stored>, StoreError> {
    let no = view.no;
    database.read(GET, |rows| match place {
        ContentPlace::Alone => {
            let key = row_keys::named(no, content_ref);
            let range = KeyRange::one(&key);
            find(rows, &before.view(Table::Contents), range, &mut |pack| {
                pack.find(content_ref, GET)
            })
        }
        // Nothing above the gate is shown.
        ContentPlace::With(position) if view.head().is_none_or(|head| head.head < position) => {
            Ok(None)
        }
        ContentPlace::With(position) => {
            let range = (
                row_keys::placed(no, Position::ZERO),
                row_keys::placed(no, position),
            );
            let packs = before.view(Table::Packs);
            find(rows, &packs, range_of(&range), &mut |pack| {
                if pack.last() < position {
                    return Ok(None);
                }
                pack.find(content_ref, GET)
            })
        }
    })
}

/// Looks into the last row of contents in a range.
fn find(
    rows: &dyn Reading,
    table: &View<'_>,
    range: KeyRange<'_>,
    look: &mut dyn FnMut(Pack<'_>) -> Result<Option<Stored>, StoreError>,
) -> Result<Option<Stored>, StoreError> {
    let mut found = Ok(None);
    table.walk(rows, range, Order::Descending, &mut |key, row| {
        found = Pack::read(key, row)
            .ok_or_else(|| corrupt(GET, "the index of contents is damaged"))
            .and_then(&mut *look);
        ControlFlow::Break(())
    })?;
    found
}

/// Lists the contents that ride with the appends that begin after a position.
pub(crate) fn list_with<D: Database>(
    (database, before): (Arc<D>, &Before),
    view: &ReadablePool,
    after: Position,
    bytes_max: usize,
) -> Result<Vec<ContentPack>, StoreError> {
    // Nothing above the gate is shown.
    let head = view.head().map_or(Position::ZERO, |head| head.head);
    if after >= head {
        return Ok(Vec::new());
    }
    let range = (
        row_keys::placed(view.no, after.next()),
        row_keys::placed(view.no, head),
    );
    database.read(LIST, |rows| {
        let table = before.view(Table::Packs);
        let packs = list(rows, (&table, range_of(&range)), None, bytes_max)?;
        let packs = packs.into_iter().map(|(key, last, contents)| {
            let place = position_of(&key)
                .ok_or_else(|| corrupt(LIST, "a key of the contents is malformed"))?;
            Ok(ContentPack {
                first: place.first,
                last,
                contents,
            })
        });
        packs.collect()
    })
}

/// Lists the contents that were stored by themselves and whose references follow one.
pub(crate) fn list_alone<D: Database>(
    (database, before): (Arc<D>, &Before),
    view: &ReadablePool,
    after: Option<ContentRef>,
    bytes_max: usize,
) -> Result<Vec<NewContent>, StoreError> {
    let none = ContentRef::from_bits([0; 16]);
    let from = row_keys::named(view.no, after.unwrap_or(none));
    let to = row_keys::named(view.no, ContentRef::from_bits([u8::MAX; 16]));
    database.read(LIST, |rows| {
        let table = before.view(Table::Contents);
        let range = KeyRange::new(&from, &to);
        // The range includes the reference that the caller has already.
        let known = after.map(|_| from.as_slice());
        let found = list(rows, (&table, range), known, bytes_max)?;
        let contents = found.into_iter().flat_map(|(_, _, contents)| contents);
        Ok(contents.collect())
    })
}

/// A row of contents: its key, the last position of its append, and the contents.
type PackedRow = (Vec<u8>, Position, Vec<NewContent>);

/// Reads rows of contents in order, as many as fit but at least one, without one that is known.
fn list(
    rows: &dyn Reading,
    (table, range): (&View<'_>, KeyRange<'_>),
    known: Option<&[u8]>,
    bytes_max: usize,
) -> Result<Vec<PackedRow>, StoreError> {
    let mut found: Vec<PackedRow> = Vec::new();
    let mut damage = None;
    let mut bytes = 0_usize;
    table.walk(rows, range, Order::Ascending, &mut |key, row| {
        if Some(key) == known {
            return ControlFlow::Continue(());
        }
        let pack =
            Pack::read(key, row).ok_or_else(|| corrupt(LIST, "the index of contents is damaged"));
        match pack.and_then(|pack| Ok((pack.last(), pack.all(LIST)?))) {
            Ok((last, contents)) => {
                let sizes = contents.iter().map(|content| content.stored.stored_bytes());
                bytes = bytes.saturating_add(sizes.sum());
                if bytes > bytes_max && !found.is_empty() {
                    return ControlFlow::Break(());
                }
                found.push((key.to_vec(), last, contents));
                ControlFlow::Continue(())
            }
            Err(error) => {
                damage = Some(match position_of(key) {
                    Some(Placed { first, .. }) => {
                        corrupt(LIST, format!("the append at position {first}: {error}"))
                    }
                    None => error,
                });
                ControlFlow::Break(())
            }
        }
    })?;
    damage.map_or(Ok(found), Err)
}
