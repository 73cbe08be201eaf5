//! `heronry man`.

mod page;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use crate::{
    Cli,
    failure::{Exit, Failure, Outcome},
    files::replace_shared,
    out::print,
    up::manifest::REFERENCE,
};

/// Print the manual page of a verb, of heronry itself, or of the manifest of a job
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  heronry man send | man -l -\n  heronry man manifest | man -l -\n  heronry man --dir pages"
)]
pub(crate) struct ManArgs {
    /// The verb, as it is typed: send, or journal verify; or manifest
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
    /// Write every page into this folder instead
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Outcome {
    let pages = pages()?;
    if let Some(folder) = &args.dir {
        write_all(folder, &pages)?;
        return Ok(Exit::Ok);
    }
    let asked = page_name(&args.verb);
    let Some(page) = pages.iter().find(|page| page.name == asked) else {
        return Err(Failure::usage(format_args!(
            "there is no verb {:?}; heronry --help lists them",
            args.verb.join(" ")
        )));
    };
    print(&page.text)?;
    Ok(Exit::Ok)
}

/// A manual page.
#[derive(Debug)]
struct ManPage {
    name: String,
    section: &'static str,
    text: String,
}

/// Returns the pages of all verbs, and that of manifests.
fn pages() -> Result<Vec<ManPage>, Failure> {
    let mut pages = Vec::new();
    // Gives every verb its whole name.
    let mut whole = Cli::command();
    whole.build();
    collect(&whole, &[], &mut pages)?;
    let name = page_name(&["manifest".to_owned()]);
    pages.push(ManPage {
        text: page::page(&name, "5", REFERENCE),
        section: "5",
        name,
    });
    Ok(pages)
}

/// Adds the pages of a command and of those under it, but not of those that nobody types.
fn collect(command: &Command, verb: &[String], pages: &mut Vec<ManPage>) -> Result<(), Failure> {
    let mut text = Vec::new();
    let written = Man::new(command.clone()).render(&mut text);
    written.map_err(|error| Failure::failed(format_args!("cannot write the page: {error}")))?;
    pages.push(ManPage {
        name: page_name(verb),
        section: "1",
        text: String::from_utf8_lossy(&text).into_owned(),
    });
    for under in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        let mut verb = verb.to_vec();
        verb.push(under.get_name().to_owned());
        collect(under, &verb, pages)?;
    }
    Ok(())
}

/// Returns the name that a page is found by: `heronry-journal-verify`.
fn page_name(verb: &[String]) -> String {
    let mut name = "heronry".to_owned();
    for word in verb {
        name.push('-');
        name.push_str(word);
    }
    name
}

fn write_all(folder: &Path, pages: &[ManPage]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| Failure::file("write", path, error);
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for ManPage {
        name,
        section,
        text,
    } in pages
    {
        let path = folder.join(format!("{name}.{section}"));
        replace_shared(&path, text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_that_can_be_typed_has_a_page() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        for name in [
            "heronry",
            "heronry-send",
            "heronry-journal-verify",
            "heronry-man",
            "heronry-manifest",
        ] {
            assert!(names.contains(&name), "no {name} in {names:?}");
        }
        assert!(names.iter().all(|name| !name.contains('_')), "{names:?}");
        for page in &pages {
            let ManPage { name, text, .. } = page;
            let title = format!(".TH {name} {}", page.section);
            assert!(text.contains(&title), "{name}: {text}");
            let is_verb = page.section == "1";
            assert_eq!(text.contains(".SH SYNOPSIS"), is_verb, "{name}: {text}");
        }
    }
}
