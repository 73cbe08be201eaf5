//! `heronry aliases`.

use clap::{Args, Subcommand};
use heronry_client::{ClientError, PoolClient};
use heronry_types::{AliasName, AliasView, Id, IdError, IdKind};
use heronry_wire::{ANY, AliasList, AliasesQuery, PutAlias};

use super::messages::{address_text, parse_address};
use crate::{
    connect::{Context, refused},
    failure::{Exit, Failure, Outcome},
    lines::Lines,
    out::RowsPlace,
};

/// Look after aliases: names of a recipient and its channel that lead to an address
#[derive(Debug, Subcommand)]
pub(crate) enum AliasesVerb {
    List(AliasListArgs),
    Set(SetAliasArgs),
    Remove(RemoveAliasArgs),
}

/// List the aliases of a pool, with where each leads and who looks after it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review aliases list --field recipient,channel,to"
)]
pub(crate) struct AliasListArgs {}

/// Let an alias lead to an address
///
/// A message to an alias goes by that of both, else of the recipient, else of the channel, else of any.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review aliases set member.lead '*' run:lead\n  \
heronry --pool review --run scanner-1 send --to alias:member.lead/findings --body 'two files'"
)]
pub(crate) struct SetAliasArgs {
    /// The recipient that it stands for; * for any
    recipient: String,
    /// The channel of that recipient; * for any
    channel: String,
    /// The address: run:R, agent:A, topic:T or pool
    to: String,
}

/// Remove an alias
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review aliases remove member.lead '*'")]
pub(crate) struct RemoveAliasArgs {
    /// The recipient that it stands for; * for any
    recipient: String,
    /// The channel of that recipient; * for any
    channel: String,
}

pub(crate) async fn run(cx: &Context, verb: AliasesVerb) -> Outcome {
    match verb {
        AliasesVerb::List(AliasListArgs {}) => list(cx).await,
        AliasesVerb::Set(args) => set(cx, &args).await,
        AliasesVerb::Remove(args) => remove(cx, &args).await,
    }
}

fn name(recipient: &str, channel: &str) -> Result<AliasName, Failure> {
    fn part<K: IdKind>(text: &str) -> Result<Option<Id<K>>, IdError> {
        (text != ANY).then(|| Id::parse(text)).transpose()
    }
    Ok(AliasName {
        recipient: part(recipient).map_err(Failure::usage)?,
        channel: part(channel).map_err(Failure::usage)?,
    })
}

async fn list(cx: &Context) -> Outcome {
    let list = all(&cx.pool()?).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("aliases"), || {
        list.aliases.iter().map(text_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads every page.
async fn all(pool: &PoolClient) -> Result<AliasList, ClientError> {
    let mut query = AliasesQuery::default();
    let mut list = pool.aliases(&query).await?;
    while let Some(after) = list.next.take() {
        query.after_recipient = Some(or_any(after.recipient.as_ref()).to_owned());
        query.after_channel = Some(or_any(after.channel.as_ref()).to_owned());
        let page = pool.aliases(&query).await?;
        list.aliases.extend(page.aliases);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

fn or_any<K: IdKind>(id: Option<&Id<K>>) -> &str {
    id.map_or(ANY, Id::as_str)
}

async fn set(cx: &Context, args: &SetAliasArgs) -> Outcome {
    let pool = cx.pool()?;
    let alias = name(&args.recipient, &args.channel)?;
    let to = parse_address(&args.to, pool.id()).map_err(Failure::usage)?;
    let put = PutAlias { to };
    let changed = pool.set_alias(&alias, &put).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        let to = address_text(&put.to);
        format!("{} {} leads to {to}", args.recipient, args.channel)
    })?;
    Ok(Exit::Ok)
}

async fn remove(cx: &Context, args: &RemoveAliasArgs) -> Outcome {
    let alias = name(&args.recipient, &args.channel)?;
    let changed = cx.pool()?.remove_alias(&alias).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{} {} leads nowhere", args.recipient, args.channel)
    })?;
    Ok(Exit::Ok)
}

fn text_of(it: &AliasView) -> String {
    let recipient = or_any(it.alias.recipient.as_ref());
    let channel = or_any(it.alias.channel.as_ref());
    let to = address_text(&it.to);
    format!("{recipient}  {channel}  {to}  by {}", it.managed_by)
}
