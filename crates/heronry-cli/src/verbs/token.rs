//! `heronry token`: the secrets of a data directory, while no server runs on it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use heronry_runtime::SystemClock;
use heronry_store::Clock;
use serde::Serialize;

use crate::{
    connect::Context,
    data_dir::{DataDirOwnership, OwnerNote},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
    secrets,
};

/// Replace the secrets that tokens are made with
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    Rotate(RotateArgs),
}

/// Start a new token.key: every member token that was given is worthless from then on
#[derive(Debug, Args)]
#[command(
    after_help = "The server has to be stopped. Members stay members, and keep their inboxes and wakes: each joins \
again for a new token, and keeps its generation when it names its --instance. A request that is \
repeated under its key is answered as before. A body that was stored by itself under a key is stored \
once more when that is repeated; and one that no message names can be erased by an operator alone.\n\n\
Example:\n  heronry token rotate\n  heronry token rotate --operator"
)]
pub(crate) struct RotateArgs {
    /// Draw a new operator token, too
    #[arg(long)]
    operator: bool,
}

/// The fields of an answer about rotated tokens.
pub(super) const ROTATED_FIELDS: [&str; 3] = ["token_key", "operator_token", "invalid"];

/// The files that were replaced, and the names of the tokens that are invalid now.
#[derive(Debug, Serialize)]
struct Rotated {
    token_key: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_token: Option<PathBuf>,
    invalid: Vec<&'static str>,
}

pub(crate) fn run(cx: &Context, verb: &TokenVerb) -> Outcome {
    let TokenVerb::Rotate(args) = verb;
    let data_dir = &cx.data_dir;
    if !data_dir.token_key().path().exists() {
        return Err(Failure::failed(format_args!(
            "there is no token.key to replace: {}; name the server's with --data-dir",
            data_dir.story()
        )));
    }
    let note = OwnerNote {
        pid: std::process::id(),
        url: None,
        store: "none, it rotates tokens".to_owned(),
        started: SystemClock::new().now().wall,
    };
    // Held until the end: a server that started meanwhile would go on with the old key.
    let _owned = DataDirOwnership::take(data_dir.path(), &note)?;
    secrets::draw_anew(&data_dir.token_key())?;
    let mut rotated = Rotated {
        token_key: data_dir.token_key().path(),
        operator_token: None,
        invalid: vec!["member_tokens"],
    };
    if args.operator {
        secrets::draw_anew(&data_dir.operator_token())?;
        rotated.operator_token = Some(data_dir.operator_token().path());
        rotated.invalid.push("operator_token");
    }
    cx.out
        .answer(&rotated, RowsPlace::Whole, || text_of(&rotated))?;
    Ok(Exit::Ok)
}

fn text_of(rotated: &Rotated) -> Lines {
    let mut lines = Lines::of(format_args!(
        "{} is new: every member token is worthless, and members join again",
        rotated.token_key.display()
    ));
    if let Some(token) = &rotated.operator_token {
        lines.line(format_args!(
            "{} is new: the operator token of before is worthless",
            token.display()
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::check_names;

    #[test]
    fn its_fields_are_those_of_its_answer() {
        let rotated = Rotated {
            token_key: PathBuf::from("token.key"),
            operator_token: Some(PathBuf::from("operator.token")),
            invalid: vec!["member_tokens", "operator_token"],
        };
        check_names(&rotated, &ROTATED_FIELDS);
    }
}
