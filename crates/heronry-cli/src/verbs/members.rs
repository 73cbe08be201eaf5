//! `heronry join`, `leave`, `members`, `state`.

use clap::Args;
use heronry_client::{ClientError, PoolClient};
use heronry_types::{
    AgentId, InstanceId, Millis, Policies, PolicyId, PolicyKind, PolicyRef, PolicyVersion, RunId,
    RunState, SessionId, TopicId, WakeId,
};
use heronry_wire::{ClaimName, Join, Joined, MemberList, MemberView, MembersQuery, SetState};

use super::hold::{self, HeldWork};
use crate::{
    connect::{Context, refused},
    durations, environment,
    failure::{Exit, Outcome},
    lines::Lines,
    out::{Format, RowsPlace, diagnose},
    text::{add, name_of},
};

/// Join a run to the pool, or take it over
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  heronry --pool review --run scanner-1 join --agent scanner --topic scan"
)]
pub(crate) struct JoinArgs {
    /// The agent that the run is of [env: `HERONRY_AGENT`] [default: the run's id]
    #[arg(long)]
    agent: Option<AgentId>,
    /// A topic that it lists; can be repeated
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<TopicId>,
    /// A policy that it holds; can be repeated
    #[arg(long = "policy", value_name = "KIND:ID[@VERSION]", value_parser = parse_policy)]
    policies: Vec<PolicyRef>,
    /// The session of the run
    #[arg(long)]
    session: Option<SessionId>,
    /// The process that joins; the same one gets the same answer [default: a fresh one]
    #[arg(long)]
    instance: Option<InstanceId>,
    /// The longest silence of the member before it is lost [default: forever]
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    lease: Option<Millis>,
    /// Refuse a run that is a member already, instead of taking it over
    #[arg(long)]
    new: bool,
}

/// Make a run leave the pool; the run itself goes on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review --run scanner-1 leave")]
pub(crate) struct LeaveArgs {}

/// Say that a run is there: renews its lease, as every other command of the run does
///
/// With --claims the run holds these claims longer, too, for work that takes its time.
#[derive(Debug, Args)]
#[command(
    after_help = "With --every it goes on until it is killed, or until none of its claims is held any more: it \
ends with 0 when they were acknowledged, and with 3 when one was given back or has lapsed.\n\n\
Example:\n  heronry --pool review --run scanner-1 heartbeat\n  \
heronry --pool review --run scanner-1 heartbeat --claims 12@14,13@14 --every 20s &"
)]
pub(crate) struct HeartbeatArgs {
    /// Claims that are held longer with each heartbeat, as an inbox showed them
    #[arg(long, value_name = "CLAIMS", value_delimiter = ',')]
    claims: Vec<String>,
    /// The new term of the claims, from now [default: 60s]
    #[arg(long, value_name = "SPAN", requires = "claims", value_parser = durations::parse)]
    claim_for: Option<Millis>,
    /// Again and again, with this much time in between
    #[arg(long, value_name = "SPAN", value_parser = pauses)]
    every: Option<Millis>,
}

/// Reads a span of time between two heartbeats.
fn pauses(text: &str) -> Result<Millis, String> {
    match durations::parse(text)? {
        Millis(0) => Err("a heartbeat needs a moment in between; write it as 20s".to_owned()),
        span => Ok(span),
    }
}

/// List the members of the pool, in order of their run ids
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  heronry --pool review members --field run_id,unread")]
pub(crate) struct MembersArgs {
    /// The maximum number of members [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Only members whose run id comes after this one
    #[arg(long, value_name = "RUN")]
    after: Option<RunId>,
}

/// Say how a run ended, suspend it, or let it go on
#[derive(Debug, Args)]
#[command(
    after_help = "While a run is suspended its lease does not run and its claims do not lapse. The end of a \
wake that was named, the time, an urgent message (interrupt) or whatever the run does resumes it.\n\n\
Example:\n  heronry --pool review --run scanner-1 state completed\n  \
heronry --pool review --run scanner-1 state suspended --timeout 10m"
)]
pub(crate) struct StateArgs {
    /// completed, failed or cancelled; suspended; active
    #[arg(value_parser = name_of::<RunState>)]
    state: RunState,
    /// A short text about the end, kept with the record
    #[arg(long)]
    note: Option<String>,
    /// Suspended: a wake of the run whose end resumes it; can be repeated
    #[arg(long = "on", value_name = "WAKE")]
    wakes: Vec<WakeId>,
    /// Suspended: how long at the most
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    timeout: Option<Millis>,
    /// Suspended: there is no timeout
    #[arg(long, conflicts_with = "timeout")]
    forever: bool,
    /// Suspended: a claim that is given back; the others are held. Can be repeated
    #[arg(long, value_name = "CLAIM")]
    release: Vec<String>,
}

pub(crate) async fn join(cx: &Context, args: JoinArgs) -> Outcome {
    let run = cx.run()?.clone();
    let named = match args.agent {
        Some(agent) => Some(agent),
        None => environment::parsed("HERONRY_AGENT")?,
    };
    let agent = match named {
        Some(agent) => agent,
        None => AgentId::parse(run.as_str()).map_err(crate::failure::Failure::usage)?,
    };
    let mut join = Join::new(run, agent);
    join.topics = args.topics;
    let policies = (!args.policies.is_empty()).then(|| args.policies.into_iter().collect());
    join.policies = policies;
    join.session_id = args.session;
    join.instance = args.instance;
    join.lease_ms = args.lease;
    join.new = args.new;
    let joined = cx.pool()?.join(&join).await.map_err(refused)?;
    warn_of_takeover(cx, &joined);
    cx.out.answer(&joined, RowsPlace::Whole, || {
        let mut lines = Lines::of(format_args!(
            "{} joined as {} in generation {}, {} unread",
            joined.run_id, joined.agent_id, joined.generation, joined.unread
        ));
        lines.line(format_args!("token {}", joined.member_token.reveal()));
        lines
    })?;
    Ok(Exit::Ok)
}

/// Says on stderr that a live run was taken over, for every form of stdout.
fn warn_of_takeover(cx: &Context, joined: &Joined) {
    let Some(over) = &joined.taken_over else {
        return;
    };
    if *cx.out.format() == Format::Quiet {
        return;
    }
    let (run, generation) = (&joined.run_id, over.generation);
    let seen = match over.last_seen {
        Some(at) => format!("last seen {at}"),
        None => "not seen since the server opened the pool".to_owned(),
    };
    diagnose(&format!(
        "heronry: warning: {run} was live; its generation {generation} ({seen}) is taken over by this \
         instance, and refused from then on. Join with --new to refuse instead"
    ));
}

pub(crate) async fn leave(cx: &Context, _: &LeaveArgs) -> Outcome {
    let run = cx.run()?;
    let changed = cx.pool()?.leave(run).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{run} left at {}", changed.cursor)
    })?;
    Ok(Exit::Ok)
}

pub(crate) async fn heartbeat(cx: &Context, args: HeartbeatArgs) -> Outcome {
    let run = cx.run()?;
    let pool = match args.every {
        Some(_) => cx.waiting_pool(None)?,
        None => cx.pool()?,
    };
    let claims: Vec<ClaimName> = args.claims.into_iter().map(ClaimName).collect();
    let beat = if claims.is_empty() {
        Beat::Presence
    } else {
        Beat::Claims(HeldWork::new(run, claims, args.claim_for))
    };
    beats(cx, &pool, (beat, args.every)).await
}

/// The content of a heartbeat.
enum Beat {
    /// The run is there.
    Presence,
    /// The run is there, and still works on these claims.
    Claims(HeldWork),
}

async fn beats(
    cx: &Context,
    pool: &PoolClient,
    (mut beat, every): (Beat, Option<Millis>),
) -> Outcome {
    let run = cx.run()?;
    loop {
        match &mut beat {
            Beat::Presence => {
                let changed = pool.heartbeat(run).await.map_err(refused)?;
                cx.out.answer(&changed, RowsPlace::Whole, || {
                    format!("{run} is heard of at {}", changed.cursor)
                })?;
            }
            Beat::Claims(hold) => {
                hold::show(cx, &hold.extend(cx, pool).await?)?;
                if hold.is_empty() || every.is_none() {
                    return Ok(hold.exit());
                }
            }
        }
        match every {
            Some(every) => hold::pause(every).await,
            None => return Ok(Exit::Ok),
        }
    }
}

pub(crate) async fn list(cx: &Context, args: MembersArgs) -> Outcome {
    let list = pages(&cx.pool()?, args).await.map_err(refused)?;
    cx.out.answer(&list, RowsPlace::Of("members"), || {
        list.members.iter().map(line_of).collect::<Lines>()
    })?;
    Ok(Exit::Ok)
}

/// Reads one page when a limit is named, else every page.
async fn pages(pool: &PoolClient, args: MembersArgs) -> Result<MemberList, ClientError> {
    let mut query = MembersQuery {
        limit: args.limit,
        after: args.after,
    };
    let mut list = pool.members(&query).await?;
    while args.limit.is_none() && list.next.is_some() {
        query.after = list.next.take();
        let page = pool.members(&query).await?;
        list.members.extend(page.members);
        (list.next, list.as_of) = (page.next, page.as_of);
    }
    Ok(list)
}

pub(crate) async fn state(cx: &Context, args: StateArgs) -> Outcome {
    let run = cx.run()?;
    let release = args.release.into_iter().map(ClaimName).collect();
    let state = SetState {
        state: args.state,
        note: args.note,
        wakes: some(args.wakes),
        timeout_ms: args.timeout,
        forever: args.forever.then_some(true),
        release: some(release),
    };
    let changed = cx.pool()?.set_state(run, &state).await.map_err(refused)?;
    cx.out.answer(&changed, RowsPlace::Whole, || {
        format!("{run} {}", changed.state)
    })?;
    Ok(Exit::Ok)
}

fn some<T>(named: Vec<T>) -> Option<Vec<T>> {
    (!named.is_empty()).then_some(named)
}

fn line_of(member: &MemberView) -> Lines {
    let topics: Vec<&str> = member.topics.iter().map(TopicId::as_str).collect();
    let (run, agent): (&RunId, &AgentId) = (&member.run_id, &member.agent_id);
    let mut line = Lines::of(format_args!(
        "{run}  agent {agent}  generation {}  unread {}",
        member.generation, member.unread
    ));
    if !topics.is_empty() {
        line.add(format_args!("  topics {}", topics.join(",")));
    }
    if let Some(lease) = member.lease_ms {
        line.add(format_args!("  lease {} ms", lease.0));
    }
    if let Some(seen) = member.last_seen {
        line.add(format_args!("  seen {seen}"));
    }
    if let Some(standing) = member.standing {
        line.add(format_args!("  {standing}"));
    }
    if let Some(suspended) = &member.suspended {
        let wakes: Vec<&str> = suspended.wakes.iter().map(WakeId::as_str).collect();
        let until = match suspended.until {
            Some(until) => format!(" until {until}"),
            None => String::new(),
        };
        line.add(format_args!("  suspended{until}"));
        if !wakes.is_empty() {
            line.add(format_args!("  waits for {}", wakes.join(",")));
        }
        if suspended.suspected_deadlock.is_some() {
            line.add(format_args!("  suspected deadlock"));
        }
        if !suspended.orphaned.is_empty() {
            let orphaned: Vec<&str> = suspended.orphaned.iter().map(WakeId::as_str).collect();
            line.add(format_args!("  orphaned {}", orphaned.join(",")));
        }
    }
    if let Some(until) = member.lost_until {
        line.add(format_args!("  lost, leaves {until}"));
    }
    line
}

/// Reads `KIND:ID` or `KIND:ID@VERSION`.
pub(crate) fn parse_policy(text: &str) -> Result<PolicyRef, String> {
    let (kind, id) = text
        .split_once(':')
        .ok_or("write it as KIND:ID or KIND:ID@VERSION")?;
    let kind = name_of::<PolicyKind>(kind)?;
    let (id, version) = match id.rsplit_once('@') {
        Some((id, version)) => (id, Some(version)),
        None => (id, None),
    };
    let mut policy = PolicyRef::new(kind, PolicyId::parse(id).map_err(|e| e.to_string())?);
    if let Some(version) = version {
        let version = PolicyVersion::parse(version).map_err(|e| e.to_string())?;
        policy.version = Some(version);
    }
    Ok(policy)
}

/// Returns a policy as it is named on the command line.
pub(crate) fn policy_text(policy: &PolicyRef) -> String {
    let mut text = format!("{}:{}", policy.kind, policy.id);
    if let Some(version) = &policy.version {
        add(&mut text, format_args!("@{version}"));
    }
    text
}

/// Returns policies that were named one by one.
pub(crate) fn policies_of(named: Vec<PolicyRef>) -> Policies {
    named.into_iter().collect()
}
