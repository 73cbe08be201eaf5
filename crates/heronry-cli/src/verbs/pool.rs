//! `heronry pool`.

mod archive;
mod delete;
mod kept;

use std::{fs, path::PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use heronry_client::PoolClient;
use heronry_types::{LimitName, Limits, Peering, Policies, PoolId, Position, WakePayload, counted};
use heronry_wire::{PatchSettings, PoolBody, PoolView, TimelineEntry, Unreadable};

pub(crate) use self::archive::ARCHIVED_FIELDS;
use self::kept::{KeepArgs, kept_text};

use super::{consumers, members::policy_text};
use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
    text::name_of,
};

/// Open, list, show, change, archive and delete pools
#[derive(Debug, Subcommand)]
pub(crate) enum PoolVerb {
    Open(OpenArgs),
    List(PoolListArgs),
    Show(ShowArgs),
    Set(SetArgs),
    Archive(archive::ArchiveArgs),
    Delete(delete::DeleteArgs),
}

/// Create a pool, or open it when it is as named
#[derive(Debug, Args)]
#[command(
    after_help = "What is shown of its settings is what was set; `heronry pool show` shows all of them.\n\n\
Example:\n  heronry pool open review --limit inbox_depth_max=100"
)]
pub(crate) struct OpenArgs {
    /// The pool; instead of --pool
    name: Option<PoolId>,
    /// A JSON file with the pool's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A limit that differs from its default
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<(LimitName, u64)>,
}

/// List the pools of the server
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry pool list --field pool")]
pub(crate) struct PoolListArgs {}

/// Show a pool
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry pool show review --field head,members")]
pub(crate) struct ShowArgs {
    /// The pool; instead of --pool
    name: Option<PoolId>,
}

/// Change the limits of a pool, and how much of its journal it keeps
#[derive(Debug, Args)]
#[command(
    after_help = "What is older than --keep-age or beyond --keep-bytes is trimmed in the background, as far as no consumer \
and no wake needs it. A limit and a --keep flag that is not named stays as it is.\n\n\
Example:\n  heronry pool set review --limit inbox_depth_max=100\n  heronry pool set review --keep-age 30d --keep-min 1000",
    group = ArgGroup::new("change").required(true).multiple(true).args(["limits", "age", "bytes", "min", "all", "peering"])
)]
pub(crate) struct SetArgs {
    /// The pool; instead of --pool
    name: Option<PoolId>,
    /// A limit to set; others stay
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<(LimitName, u64)>,
    #[command(flatten)]
    keep: KeepArgs,
    /// The rule who may send to whom: a member reaches every other (open), or its neighbours (wired)
    #[arg(long, value_name = "RULE", value_parser = name_of::<Peering>)]
    peering: Option<Peering>,
    /// Change nothing when the settings have another version [default: the present one]
    #[arg(long, value_name = "VERSION")]
    expected_version: Option<u64>,
}

pub(crate) async fn run(cx: &Context, verb: PoolVerb) -> Outcome {
    match verb {
        PoolVerb::Open(args) => open(cx, args).await,
        PoolVerb::List(PoolListArgs {}) => list(cx).await,
        PoolVerb::Show(args) => {
            let view = named(cx, args.name)?.view().await.map_err(refused)?;
            cx.out.answer(&view, RowsPlace::Whole, || {
                lines_of(&view, ShownSettings::All)
            })?;
            Ok(Exit::Ok)
        }
        PoolVerb::Set(args) => set(cx, args).await,
        PoolVerb::Archive(args) => archive::run(cx, args).await,
        PoolVerb::Delete(args) => delete::run(cx, args).await,
    }
}

fn named(cx: &Context, name: Option<PoolId>) -> Result<PoolClient, Failure> {
    match name {
        Some(name) => Ok(cx.client()?.pool(&name)),
        None => cx.pool(),
    }
}

async fn open(cx: &Context, args: OpenArgs) -> Outcome {
    let mut config: PoolBody = match &args.config {
        None => PoolBody::default(),
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|e| Failure::file("read", path, &e))?;
            serde_json::from_str(&text).map_err(|error| {
                let why = Unreadable::of(&error.to_string()).sentence();
                Failure::usage(format_args!("{}:{}: {why}", path.display(), error.line()))
            })?
        }
    };
    if !args.limits.is_empty() {
        let mut limits = config.limits.take().unwrap_or_default();
        limits.merge(&limits_of(&args.limits));
        config.limits = Some(limits);
    }
    let opened = named(cx, args.name)?.open(&config).await.map_err(refused)?;
    cx.out.answer(&opened, RowsPlace::Whole, || {
        lines_of(&opened.view, ShownSettings::Set)
    })?;
    Ok(Exit::Ok)
}

async fn list(cx: &Context) -> Outcome {
    let pools = cx.client()?.pools().await.map_err(refused)?;
    cx.out.answer(&pools, RowsPlace::Of("pools"), || {
        let names = pools.pools.iter().map(|it| it.pool.to_string());
        names.collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

async fn set(cx: &Context, args: SetArgs) -> Outcome {
    let pool = named(cx, args.name)?;
    let view = pool.view().await.map_err(refused)?;
    let keep = args.keep;
    let retention = keep
        .names_any()
        .then(|| keep.changed(view.settings.retention));
    let patch = PatchSettings {
        expected_version: args.expected_version.unwrap_or(view.settings_version),
        limits: Some(limits_of(&args.limits)),
        retention: retention.transpose()?,
        peering: args.peering,
    };
    let changed = pool.set(patch).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("settings are at version {}", changed.settings_version)
    })?;
    Ok(Exit::Ok)
}

/// The choice of the settings and limits that are shown.
#[derive(Clone, Copy, Eq, PartialEq)]
enum ShownSettings {
    /// Every one, with the value that holds.
    All,
    /// The values that differ from their defaults, or were set.
    Set,
}

/// The text that is shown for no policies.
const NONE: &str = "none";

fn listed(policies: Option<&Policies>) -> String {
    let policies = policies.map_or(&[][..], Policies::as_slice);
    if policies.is_empty() {
        return NONE.to_owned();
    }
    let policies: Vec<String> = policies.iter().map(policy_text).collect();
    policies.join(", ")
}

/// Adds settings and limits.
fn add_settings(lines: &mut Lines, view: &PoolView, shown: ShownSettings) {
    let is_shown = |differs: bool| differs || shown == ShownSettings::All;
    let messages = view.config.message_policy.clone().unwrap_or_default();
    let required = listed(messages.required_policies.as_ref());
    if is_shown(required != NONE) {
        lines.line(format_args!("policies of every message {required}"));
    }
    let includes = messages.include_sender_in_pool_broadcast == Some(true);
    if is_shown(includes) {
        let includes = if includes { "yes" } else { "no" };
        lines.line(format_args!("a broadcast reaches its sender {includes}"));
    }
    let payload = view.config.wake_policy.as_ref().and_then(|it| it.payload);
    let payload = payload.unwrap_or_default();
    if is_shown(payload != WakePayload::default()) {
        lines.line(format_args!("payload of wakes and views {payload}"));
    }
    let members = listed(view.config.policies.as_ref());
    if is_shown(members != NONE) {
        lines.line(format_args!("policies of every member {members}"));
    }
    let peering = view.settings.peering();
    if is_shown(peering != Peering::Open) {
        lines.line(format_args!("peering {peering}"));
    }
    let kept = view.settings.retention;
    if is_shown(kept.is_some()) {
        lines.line(format_args!("records kept {}", kept_text(kept)));
    }
    let set: Vec<String> = view
        .settings
        .limits
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    for (name, value) in &view.limits {
        let is_set = set.contains(name);
        if is_shown(is_set) {
            let mark = if is_set { " (set)" } else { "" };
            lines.line(format_args!("limit {name} {value}{mark}"));
        }
    }
}

/// Says where a timeline starts, and why.
fn timeline_text(timeline: &TimelineEntry) -> String {
    let TimelineEntry {
        epoch,
        start,
        reason,
        lost,
    } = timeline;
    let at = start.position;
    let why = match reason {
        Some(reason) => reason.to_string(),
        None if at == Position::ZERO.next() => "created".to_owned(),
        None => "its start is trimmed".to_owned(),
    };
    let lost = lost.map(|lost| format!(", the head was {lost}"));
    format!("{epoch} from {at} ({why}{})", lost.unwrap_or_default())
}

fn limits_of(named: &[(LimitName, u64)]) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in named {
        limits.set(*name, *value);
    }
    limits
}

fn parse_limit(text: &str) -> Result<(LimitName, u64), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let name = name_of::<LimitName>(name)?;
    let value = value
        .parse()
        .map_err(|_| format!("{value:?} is not a number"))?;
    Ok((name, value))
}

fn lines_of(view: &PoolView, shown: ShownSettings) -> Lines {
    let mut lines = Lines::of(format_args!("pool {}", view.pool));
    lines.line(format_args!("head {}", view.head));
    lines.line(format_args!("floor {}", view.floor));
    let (lost, suspended) = (view.lost_members, view.suspended_members);
    lines.line(format_args!(
        "members {} ({lost} lost, {suspended} suspended)",
        view.members
    ));
    lines.line(format_args!("live messages {}", view.live_messages));
    lines.line(format_args!("live wakes {}", view.live_wakes));
    lines.line(format_args!("durability {}", view.durability));
    add_settings(&mut lines, view, shown);
    if view.deadlocked_members > 0 {
        let members = counted(view.deadlocked_members, "member");
        lines.line(format_args!(
            "suspected deadlock: {members} waiting only on each other"
        ));
    }
    if view.orphaned_wakes > 0 {
        let wakes = counted(view.orphaned_wakes, "wake");
        lines.line(format_args!(
            "orphaned: {wakes} waiting for what no live member can do"
        ));
    }
    for timeline in &view.timelines {
        lines.line(format_args!("timeline {}", timeline_text(timeline)));
    }
    for consumer in &view.consumers {
        lines.line(format_args!("consumer {}", consumers::text_of(consumer)));
    }
    lines
}
