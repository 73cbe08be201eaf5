//! The beginning of a wait, and the reason for it.

use std::{path::PathBuf, str::FromStr};

use heronry_client::PoolClient;
use heronry_types::{Cursor, IdError, MessageId, Since};
use heronry_wire::SinceText;

use crate::{
    connect::{Context, refused},
    cursors::CursorFile,
    failure::Failure,
    last,
};

/// The point after which a wait is to begin.
#[derive(Clone, Debug)]
pub(super) enum After {
    /// The point of the last message or event that the run sent or saw.
    Last,
    /// A point in the journal.
    Cursor(Cursor),
    /// The acceptance of a message of the run.
    Message(MessageId),
}

impl FromStr for After {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "last" {
            return Ok(Self::Last);
        }
        match Cursor::parse(text) {
            Ok(cursor) => Ok(Self::Cursor(cursor)),
            Err(_) => MessageId::parse(text).map(Self::Message),
        }
    }
}

/// The beginning of a wait.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub(super) since: Since,
    why: Why,
}

/// The reason why a wait begins where it does.
#[derive(Clone, Debug)]
enum Why {
    /// The command says so.
    Named,
    /// A message of the run was accepted there.
    Message(MessageId),
    /// The wait begins after the last record that the run sent or saw.
    Last,
    /// The last wait for the same ended there, says this file.
    File(PathBuf),
    /// Nothing says anything.
    Head,
    /// The last that the run sent or saw is not of this journal, or not kept.
    LastIsGone,
}

impl Begin {
    /// Returns where a wait begins that continues what a file says.
    pub(super) fn at_file(cursor: Cursor, file: &CursorFile) -> Self {
        Self {
            since: Since::Cursor(cursor),
            why: Why::File(file.path().to_owned()),
        }
    }

    /// Returns where a wait begins that the command names a place for.
    pub(super) async fn named(
        cx: &Context,
        pool: &PoolClient,
        place: (Option<SinceText>, Option<&After>),
    ) -> Result<Option<Self>, Failure> {
        let (since, why) = match place {
            (None, None) => return Ok(None),
            (Some(since), _) => (since.0, Why::Named),
            (None, Some(After::Cursor(cursor))) => (Since::Cursor(*cursor), Why::Named),
            (None, Some(After::Last)) => {
                let nothing = || Failure::usage(nothing_yet(cx));
                let last = last::read(cx)?.ok_or_else(nothing)?;
                (Since::Cursor(last), Why::Last)
            }
            (None, Some(After::Message(message))) => {
                let receipt = pool.receipt(message, cx.globals.run.as_ref()).await;
                let accepted = receipt.map_err(refused)?.cursor;
                (Since::Cursor(accepted), Why::Message(message.clone()))
            }
        };
        Ok(Some(Self { since, why }))
    }

    /// Returns where a first wait begins that nothing is named for: after the last that the run sent or
    /// saw, so that nothing is missed in between, else at the head.
    pub(super) async fn first(cx: &Context, pool: &PoolClient) -> Result<Self, Failure> {
        let last = last::read(cx)?;
        let view = pool.view().await.map_err(refused)?;
        let is_here = |last: &Cursor| {
            let kept = view.floor.position..=view.head.position;
            last.epoch == view.head.epoch && kept.contains(&last.position)
        };
        let (cursor, why) = match last {
            Some(last) if is_here(&last) => (last, Why::Last),
            Some(_) => (view.head, Why::LastIsGone),
            None => (view.head, Why::Head),
        };
        Ok(Self {
            since: Since::Cursor(cursor),
            why,
        })
    }

    /// Returns the line that says where it begins: after this cursor.
    pub(super) fn line(&self, cx: &Context, since: Cursor) -> String {
        let run = run_of(cx);
        let why = match &self.why {
            Why::Named => String::new(),
            Why::Message(message) => format!(", where {message} was accepted"),
            Why::Last => format!(", the last that {run} sent or saw"),
            Why::File(file) => format!(
                ", where the last wait for this ended; `heronry forget` or removing {} begins anew",
                file.display()
            ),
            Why::Head => format!(", the head: {run} has sent and seen nothing from here"),
            Why::LastIsGone => {
                format!(", the head: the last that {run} sent or saw is not in this journal")
            }
        };
        format!("waits for what comes after {since}{why}")
    }
}

fn nothing_yet(cx: &Context) -> String {
    let run = run_of(cx);
    format!("{run} has sent and seen nothing from here; give --after a message or a cursor")
}

fn run_of(cx: &Context) -> &str {
    match cx.run_text() {
        "" => "the run",
        run => run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_begin_after_is_the_last_a_cursor_or_a_message() {
        let cursor = format!("{}-7", "0a".repeat(16));
        assert!(matches!("last".parse(), Ok(After::Last)));
        assert!(matches!(cursor.parse(), Ok(After::Cursor(it)) if it.to_string() == cursor));
        let message =
            |text: &str| matches!(text.parse(), Ok(After::Message(it)) if it.as_str() == text);
        assert!(message("q2") && message("0a-7") && message("head"));
        assert!("".parse::<After>().is_err());
    }
}
