//! Joining, listing, changing, leaving and ending.

use heronry_pool::{
    MemberView, Rejection, Stood,
    decide::{
        ChangeMember, EndRun, Heartbeat, JoinNew, JoinPool, LeavePool, ListMembers, ResumeRun,
        SuspendRun,
    },
};
use heronry_runtime::Joining;
use heronry_types::{InstanceId, LimitName, RunEnd, RunId, RunState};
use heronry_wire::{
    Changed, Join, Joined, MemberList, MemberToken, MemberView as MemberShown, MembersQuery,
    PatchMember, SetState, StateChanged, SuspendedView as SuspendedShown, TakenOver,
};
use tracing::instrument;

use crate::{Access, Api, Recorded, Refusal, changed, inbox::claims};

/// Joins a pool, or takes a run over, for an operator. The answer has the token of the joining.
///
/// # Errors
/// [`Refusal`]; nobody joined then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn join(access: &Access, body: Join) -> Result<Recorded<Joined>, Refusal> {
    access.identity().check_operator()?;
    let api = access.api();
    let instance = match body.instance {
        Some(instance) => instance,
        None => fresh_instance(api)?,
    };
    let join = JoinPool {
        caller: access.caller(),
        run: body.run_id,
        agent: body.agent_id,
        session: body.session_id,
        topics: body.topics,
        policies: body.policies,
        instance,
        lease: body.lease_ms,
    };
    let joined = if body.new {
        access.call(JoinNew(join)).await?
    } else {
        access.call(join).await?
    };
    let joining = Joining {
        pool: access.pool().id().clone(),
        run: joined.run.clone(),
        generation: joined.generation,
    };
    let token = api.runtime().mint_token(&joining).await?;
    let answer = Joined {
        run_id: joined.run,
        agent_id: joined.agent,
        generation: joined.generation,
        cursor: joined.cursor,
        member_token: MemberToken::new(token.reveal()),
        unread: joined.unread,
        durability: api.durability(),
        taken_over: joined.taken_over.map(|over| TakenOver {
            generation: over.generation,
            last_seen: over.last_seen,
        }),
    };
    Ok(if joined.repeated {
        Recorded::before(answer)
    } else {
        Recorded::now(answer)
    })
}

fn fresh_instance(api: &Api) -> Result<InstanceId, Refusal> {
    InstanceId::parse(api.fresh_name("i-"))
        .map_err(|error| Refusal::invalid("instance", &error.to_string()))
}

/// Lists the members of a pool.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn list(access: &Access, query: MembersQuery) -> Result<MemberList, Refusal> {
    let list = access.made(asked(access, query)).await?;
    let page = access.call(list).await?;
    Ok(MemberList {
        members: page.members.into_iter().map(shown).collect(),
        next: page.next,
        as_of: page.as_of,
    })
}

fn asked(access: &Access, query: MembersQuery) -> Result<ListMembers, Refusal> {
    let max = match query.limit {
        Some(0) => {
            return Err(Refusal::invalid("limit", "a page has one member at least"));
        }
        Some(_) => access.page_size(query.limit)?,
        None => access.limit(LimitName::PageItemsMax),
    };
    Ok(ListMembers {
        caller: access.caller(),
        after: query.after,
        max,
    })
}

fn shown(member: MemberView) -> MemberShown {
    MemberShown {
        run_id: member.run,
        agent_id: member.agent,
        session_id: member.session,
        generation: member.generation,
        topics: member.topics,
        policies: member.policies,
        unread: member.unread,
        lease_ms: member.lease,
        last_seen: member.last_seen,
        lost_until: member.lost_until,
        state: match member.suspended {
            Some(_) => RunState::Suspended,
            None => RunState::Active,
        },
        standing: member.standing,
        suspended: member.suspended.map(|it| SuspendedShown {
            cursor: it.cursor,
            wakes: it.wakes,
            until: it.until,
            suspected_deadlock: it.suspected_deadlock,
            orphaned: it.orphaned,
        }),
    }
}

/// Changes the topics or the lease of a member.
///
/// # Errors
/// [`Refusal`]; nothing was changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn change(access: &Access, run: RunId, body: PatchMember) -> Result<Changed, Refusal> {
    let run = access.acting_as(run)?;
    if body.topics.is_none() && body.lease_ms.is_none() {
        return Err(Refusal::invalid("topics", "missing; name what to change"));
    }
    let command = ChangeMember {
        caller: access.caller(),
        run,
        topics: body.topics,
        lease: body.lease_ms,
    };
    Ok(changed(access.call(command).await?))
}

/// Renews the lease of a member.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn heartbeat(access: &Access, run: RunId) -> Result<Changed, Refusal> {
    let run = access.acting_as(run)?;
    let caller = access.caller();
    Ok(changed(access.call(Heartbeat { caller, run }).await?))
}

/// Takes a member out of its pool.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn leave(access: &Access, run: RunId) -> Result<Changed, Refusal> {
    let run = access.acting_as(run)?;
    let caller = access.caller();
    Ok(changed(access.call(LeavePool { caller, run }).await?))
}

/// Says how a run ended, suspends it, or lets it go on.
///
/// # Errors
/// [`Refusal`]; nothing was changed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn set_state(
    access: &Access,
    run: RunId,
    body: SetState,
) -> Result<StateChanged, Refusal> {
    let run = access.acting_as(run)?;
    check_fields(&body)?;
    let stood = match body.state {
        RunState::Active => {
            let caller = access.caller();
            access.call(ResumeRun { caller, run }).await?
        }
        RunState::Suspended => {
            let release = body.release.unwrap_or_default();
            let suspend = SuspendRun {
                caller: access.caller(),
                run,
                wakes: body.wakes.unwrap_or_default(),
                timeout: body.timeout_ms,
                release: claims(&release, "release")?,
            };
            access.call(suspend).await?
        }
        RunState::Completed => {
            RunEnding::new(run, RunEnd::Completed, body.note)
                .record(access)
                .await?
        }
        RunState::Failed => {
            RunEnding::new(run, RunEnd::Failed, body.note)
                .record(access)
                .await?
        }
        RunState::Cancelled => {
            RunEnding::new(run, RunEnd::Cancelled, body.note)
                .record(access)
                .await?
        }
    };
    Ok(StateChanged {
        cursor: stood.done.cursor,
        durability: stood.done.durability,
        state: stood.state,
    })
}

/// Checks that no field is named that the state does not go with, and that a suspension has one end.
fn check_fields(body: &SetState) -> Result<(), Refusal> {
    let of_end = [("note", body.note.is_some())];
    let of_suspension = [
        ("wakes", body.wakes.is_some()),
        ("timeout_ms", body.timeout_ms.is_some()),
        ("forever", body.forever.is_some()),
        ("release", body.release.is_some()),
    ];
    let foreign = match body.state {
        RunState::Active => [&of_end[..], &of_suspension].concat(),
        RunState::Suspended => of_end.to_vec(),
        RunState::Completed | RunState::Failed | RunState::Cancelled => of_suspension.to_vec(),
    };
    if let Some((field, _)) = foreign.iter().find(|(_, is_there)| *is_there) {
        let state = body.state;
        return Err(Refusal::invalid(
            field,
            &format!("does not go with {state}"),
        ));
    }
    let is_forever = body.forever == Some(true);
    if body.state == RunState::Suspended && is_forever == body.timeout_ms.is_some() {
        return Err(Rejection::OneEnd.into());
    }
    Ok(())
}

/// The end of a run that is to be recorded.
struct RunEnding {
    run: RunId,
    end: RunEnd,
    note: Option<String>,
}

impl RunEnding {
    fn new(run: RunId, end: RunEnd, note: Option<String>) -> Self {
        Self { run, end, note }
    }

    async fn record(self, access: &Access) -> Result<Stood, Refusal> {
        let Self { run, end, note } = self;
        let caller = access.caller();
        let command = EndRun {
            caller,
            run,
            end,
            note,
        };
        let done = access.call(command).await?;
        let state = end.into();
        Ok(Stood { done, state })
    }
}
