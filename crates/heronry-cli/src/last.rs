//! The point of what a run last sent or saw, as far as this data directory knows: its waits begin there.

use heronry_types::{Cursor, PoolId};

use crate::{
    connect::Context,
    cursors::{CursorFile, Note, What},
    failure::Failure,
};

/// Returns the point of the last message or event that the run sent or saw; `None` when it has done
/// neither from here.
pub(crate) fn read(cx: &Context) -> Result<Option<Cursor>, Failure> {
    file(cx)?.read()
}

/// Notes that the run sent something: its waits begin there.
pub(crate) fn sent(cx: &Context, cursor: Cursor) {
    let kept = file(cx).and_then(|file| file.write(cursor));
    say_unkept(cx, kept);
}

/// Notes that the run saw something, which is no step back behind what it knows already.
pub(crate) fn saw(cx: &Context, cursor: Cursor) {
    let kept = file(cx).and_then(|file| match file.read()? {
        Some(last) if last.epoch == cursor.epoch && last.position >= cursor.position => Ok(()),
        Some(_) | None => file.write(cursor),
    });
    say_unkept(cx, kept);
}

/// Says that a cursor was not kept. The verb has done its work all the same, and does not fail.
fn say_unkept(cx: &Context, kept: Result<(), Failure>) {
    if let Err(failure) = kept {
        cx.out.note(&format!(
            "{failure}; name --after or --since where you wait next"
        ));
    }
}

fn file(cx: &Context) -> Result<CursorFile, Failure> {
    let pool = cx.globals.pool.as_ref().map_or("", PoolId::as_str);
    let note = Note {
        what: What::Last,
        pool: pool.to_owned(),
        run: cx.run_text().to_owned(),
        filter: None,
    };
    CursorFile::of(&cx.data_dir, note)
}
