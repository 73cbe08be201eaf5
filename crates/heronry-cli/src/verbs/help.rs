//! `heronry help`.

use clap::{Args, CommandFactory, Parser};
use heronry_types::nearest;

use crate::{
    Cli,
    failure::{Exit, Failure, Outcome},
};

/// Print the help of a verb, or of heronry itself
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  heronry help\n  heronry help journal verify")]
pub(crate) struct HelpArgs {
    /// The verb, as it is typed: send, or journal verify
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
}

pub(crate) fn run(args: &HelpArgs) -> Outcome {
    check(&args.verb)?;
    let typed = args.verb.iter().map(String::as_str);
    let typed = ["heronry"].into_iter().chain(typed).chain(["--help"]);
    // What is asked for help answers with it, as an error of its own kind.
    let Err(help) = Cli::try_parse_from(typed) else {
        return Ok(Exit::Ok);
    };
    let written = help.print();
    written.map_or_else(|_| Err(Failure::unread()), |()| Ok(Exit::Ok))
}

/// Checks that the words are those of a verb.
fn check(words: &[String]) -> Result<(), Failure> {
    let whole = Cli::command();
    let mut command = &whole;
    for word in words {
        let under = command.get_subcommands().filter(|it| !it.is_hide_set());
        let known: Vec<&str> = under.map(clap::Command::get_name).collect();
        command = match command.find_subcommand(word).filter(|it| !it.is_hide_set()) {
            Some(found) => found,
            None => return Err(no_such_verb(words, nearest(word, known))),
        };
    }
    Ok(())
}

fn no_such_verb(words: &[String], meant: Option<&str>) -> Failure {
    let asked = words.join(" ");
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    Failure::usage(format_args!(
        "there is no verb {asked:?}{meant}; heronry help lists them"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        check(&words).unwrap_err().to_string()
    }

    #[test]
    fn words_that_are_no_verb_are_refused() {
        assert!(check(&["journal".to_owned(), "verify".to_owned()]).is_ok());
        assert!(check(&[]).is_ok());
        let wrong = refused(&["journal", "verfy"]);
        assert_eq!(
            wrong,
            "there is no verb \"journal verfy\"; did you mean verify?; heronry help lists them"
        );
        assert!(refused(&["__shim"]).starts_with("there is no verb"));
        assert!(refused(&["send", "x"]).starts_with("there is no verb"));
    }
}
