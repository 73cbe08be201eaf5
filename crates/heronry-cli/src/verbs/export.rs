//! `heronry export`.

mod feed;
mod file;
pub(crate) mod plan;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use heronry_client::ClientError;
use heronry_runtime::{
    EXPORT_PRIVACY_MAX, EventSink, ExportEnd, ExportFigures, ExportOptions, ExportUntil, Exporter,
    SystemClock,
};
use heronry_sink_http::{Endpoint, HttpSink};
use heronry_types::{ConsumerRecovery, PrivacyClass, Vocabulary, counted};
use heronry_wire::{ClaimConsumer, ExportFormat};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    files,
    lines::Lines,
    out::{RowsPlace, diagnose},
    signals::Signals,
    text::name_of,
};
use feed::ServerFeed;
use file::FileSink;

/// The fields of the answer.
pub(crate) const EXPORT_FIELDS: [&str; 5] =
    ["consumer", "exported", "left_out", "failed", "waiting"];

/// Export events to a file or an HTTP endpoint
///
/// The server keeps how far the export came, under the name of a consumer: the next export goes on
/// there. The cursor is committed once the events are kept, so after a crash a few come again, with the
/// same id: a file gets each once, and an endpoint has to keep one of them. Two exports under one name:
/// the later one takes over, and the earlier one ends.
///
/// An endpoint that answers 408, 429, 5xx or not at all gets the batch again. At every other refusal the
/// export ends with what was refused, and nothing is skipped. Redirects are not followed, and no proxy is
/// asked.
#[derive(Debug, Args)]
#[command(
    after_help = "Privacy classes in rising order: public < internal < content_refs_only < sensitive < secret.\n\
Events are content_refs_only unless who reports says otherwise: an event carries no body, only references.\n\n\
Example:\n  heronry --pool review export --to file:audit.jsonl --follow"
)]
pub(crate) struct ExportArgs {
    #[arg(
        long,
        value_name = "PLACE",
        help = "The place: file:PATH or http://HOST/PATH"
    )]
    to: ExportPlace,
    /// The form of the events
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = FormatName::Jsonl)]
    format: FormatName,
    /// Export only the events that this filter keeps
    #[arg(long)]
    filter: Option<String>,
    /// The name under which the server keeps how far the export came
    #[arg(long, value_name = "NAME", default_value = "export")]
    consumer: String,
    #[command(flatten)]
    follow: ExportFollowFlag,
    /// The highest privacy class that leaves; events of a higher one are left out and counted, and the cursor passes them
    #[arg(long, value_name = "CLASS", value_parser = privacy_of, default_value_t = EXPORT_PRIVACY_MAX)]
    privacy_max: PrivacyClass,
    #[arg(long, value_name = "RECOVERY", value_parser = name_of::<ConsumerRecovery>, default_value = "fail",
        help = "The recovery when events after the kept cursor are gone: fail, restart_at_floor or head")]
    on_stale: ConsumerRecovery,
    /// A file with the token for the endpoint
    #[arg(long, value_name = "FILE")]
    sink_token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ExportFollowFlag {
    /// Go on with new events until stopped
    #[arg(long, short)]
    follow: bool,
}

/// The names of forms on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum FormatName {
    /// One event a line, as `watch` shows it
    Jsonl,
    /// `CloudEvents` 1.0, structured
    Cloudevents,
}

/// The place that events go to.
#[derive(Clone, Debug)]
enum ExportPlace {
    File(PathBuf),
    Http(Endpoint),
}

impl FromStr for ExportPlace {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("file:") {
            Some("") => Err("file: names no file; write file:events.jsonl".to_owned()),
            Some(path) => Ok(Self::File(path.into())),
            None => Endpoint::parse(text)
                .map(Self::Http)
                .map_err(|error| format!("{error}; or write file:PATH")),
        }
    }
}

/// The answer of an export.
#[derive(Debug, Serialize)]
struct Exported {
    consumer: String,
    #[serde(rename = "exported")]
    delivered: u64,
    left_out: u64,
    failed: u64,
    waiting: u64,
}

impl Exported {
    fn of(consumer: &str, figures: ExportFigures) -> Self {
        Self {
            consumer: consumer.to_owned(),
            delivered: figures.exported,
            left_out: figures.left_out,
            failed: figures.failed,
            waiting: figures.waiting,
        }
    }

    /// The cursor is past what was left out.
    fn lines(&self, privacy_max: PrivacyClass) -> Lines {
        let mut lines = vec![format!("{} exported", counted(self.delivered, "event"))];
        if self.left_out > 0 {
            lines.push(format!(
                "{} of a higher privacy class than {privacy_max} left out, and the cursor has passed them; to export \
                 them, begin anew: heronry consumers forget {}, then export with a higher --privacy-max",
                counted(self.left_out, "event"),
                self.consumer
            ));
        }
        if self.waiting > 0 {
            lines.push(format!("{} not taken yet", counted(self.waiting, "event")));
        }
        lines.into_iter().collect()
    }
}

pub(crate) async fn run(cx: &Context, args: ExportArgs) -> Outcome {
    let sink = sink_to(&args.to, args.format, args.sink_token_file.as_deref())?;
    let pool = if args.follow.follow {
        cx.waiting_pool(None)?
    } else {
        cx.pool()?
    };
    let claim = ClaimConsumer {
        filter: args.filter.clone(),
        on_stale: Some(args.on_stale),
        ..ClaimConsumer::default()
    };
    let feed = ServerFeed::open(pool, args.consumer.clone(), &claim).await;
    let feed = feed.map_err(refused)?;
    let options = ExportOptions {
        privacy_max: args.privacy_max,
        ..ExportOptions::default()
    };
    let clock = Arc::new(SystemClock::new());
    let mut exporter = Exporter::new(feed, sink, clock, options);
    let until = if args.follow.follow {
        ExportUntil::Stopped
    } else {
        ExportUntil::Head
    };
    let ended = until_signal(&mut exporter, until).await?;
    let answer = Exported::of(&args.consumer, exporter.figures());
    match ended {
        Ok(ExportEnd::Head | ExportEnd::Stopped) => {}
        Ok(ExportEnd::Refused { why }) => {
            return Err(Failure::failed(format_args!(
                "{} exported, and the next batch was refused for good: {why}; mend that and run this again: it goes on there",
                counted(answer.delivered, "event")
            )));
        }
        Err(error) => return Err(refused(error)),
    }
    cx.out
        .answer(&answer, RowsPlace::Whole, || answer.lines(args.privacy_max))?;
    Ok(Exit::Ok)
}

/// Exports until it ends, or a signal asks to end: then what was recorded before is delivered.
async fn until_signal(
    exporter: &mut Exporter<ServerFeed>,
    until: ExportUntil,
) -> Result<Result<ExportEnd, ClientError>, Failure> {
    let mut signals = Signals::listen()?;
    let (stop, mut stopped) = watch::channel(false);
    let running = exporter.run(until, &mut stopped);
    tokio::pin!(running);
    loop {
        tokio::select! {
            ended = &mut running => return Ok(ended),
            _ = signals.next() => {
                diagnose("stopping: what was recorded before is delivered");
                stop.send_replace(true);
            }
        }
    }
}

/// Reads a privacy class; a word that is none is refused with the classes in rising order.
fn privacy_of(text: &str) -> Result<PrivacyClass, String> {
    PrivacyClass::from_wire(text).map_err(|_| {
        let known: Vec<&str> = PrivacyClass::ALL.iter().map(|it| it.wire_name()).collect();
        let known = known.join(" < ");
        format!("{text:?} is no privacy class; in rising order: {known}")
    })
}

/// Opens the sink of a place.
fn sink_to(
    to: &ExportPlace,
    format: FormatName,
    token: Option<&Path>,
) -> Result<Arc<dyn EventSink>, Failure> {
    let format = match format {
        FormatName::Jsonl => ExportFormat::JsonLines,
        FormatName::Cloudevents => ExportFormat::CloudEvents,
    };
    match to {
        ExportPlace::File(_) if token.is_some() => Err(Failure::usage(
            "a token file goes with an HTTP endpoint; leave it out for a file",
        )),
        ExportPlace::File(path) => Ok(Arc::new(FileSink::open(path, format)?)),
        ExportPlace::Http(endpoint) => {
            let sink = HttpSink::new(endpoint.clone()).with_format(format);
            Ok(Arc::new(match token {
                None => sink,
                Some(path) => sink.with_token(read_token(path)?),
            }))
        }
    }
}

fn read_token(path: &Path) -> Result<SecretString, Failure> {
    let shown = path.display();
    let read = files::read_secret(path)?;
    let (text, _) = read.ok_or_else(|| Failure::usage(format_args!("{shown} is not there")))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(Failure::usage(format_args!("{shown} holds no token")));
    }
    Ok(SecretString::from(token.to_owned()))
}
