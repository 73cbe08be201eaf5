//! Joining, listing, changing, leaving and ending.

use axum::{http::StatusCode, routing::MethodFilter};
use heronry_pool::{
    MemberView, Rejection, Stood,
    decide::{
        ChangeMember, EndRun, Heartbeat, JoinNew, JoinPool, LeavePool, ListMembers, ResumeRun,
        SuspendRun,
    },
};
use heronry_types::{InstanceId, LimitName, RunEnd, RunId, RunState};
use heronry_wire::{
    Changed, Join, Joined, MemberList, MemberView as MemberShown, MembersQuery, PatchMember,
    SetState, StateChanged, SuspendedView as SuspendedShown, TakenOver,
};

use super::{PoolRequest, Route, changed, inbox::claims};
use crate::{
    app::SharedApp,
    auth::Joining,
    extract::{Json, Query, invalid},
    identity::Access,
    openapi::routes::members as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members",
            "Join, or take a run over.",
            join,
        )
        .access(Access::Operator)
        .contract(described::join_pool),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members",
            "List the members.",
            list,
        )
        .contract(described::list_members),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/members/{run}",
            "Change topics or the lease.",
            change,
        )
        .contract(described::change_member),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/members/{run}",
            "Leave.",
            leave,
        )
        .contract(described::leave_pool),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/heartbeat",
            "Renew the lease.",
            heartbeat,
        )
        .contract(described::heartbeat),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/state",
            "Say how a run ended, suspend it, or let it go on.",
            state,
        )
        .contract(described::set_run_state),
    ]
}

async fn join(
    request: PoolRequest,
    Json(body): Json<Join>,
) -> Result<(StatusCode, Json<Joined>), Refusal> {
    let instance = match body.instance {
        Some(instance) => instance,
        None => fresh_instance(&request.app)?,
    };
    let join = JoinPool {
        caller: request.caller(),
        run: body.run_id,
        agent: body.agent_id,
        session: body.session_id,
        topics: body.topics,
        policies: body.policies,
        instance,
        lease: body.lease_ms,
    };
    let joined = if body.new {
        request.call(JoinNew(join)).await?
    } else {
        request.call(join).await?
    };
    let joining = Joining {
        pool: &request.id,
        run: &joined.run,
        generation: joined.generation,
    };
    let epoch = request
        .app
        .issued_in(&request.id, joined.generation)
        .await?;
    let member_token = request.app.auth.member_token(epoch, joining);
    let status = if joined.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let answer = Joined {
        run_id: joined.run,
        agent_id: joined.agent,
        generation: joined.generation,
        cursor: joined.cursor,
        member_token,
        unread: joined.unread,
        durability: request.app.durability(),
        taken_over: joined.taken_over.map(|over| TakenOver {
            generation: over.generation,
            last_seen: over.last_seen,
        }),
    };
    Ok((status, Json(answer)))
}

fn fresh_instance(app: &SharedApp) -> Result<InstanceId, Refusal> {
    InstanceId::parse(app.fresh_name("i-")).map_err(|error| invalid("instance", &error.to_string()))
}

async fn list(
    request: PoolRequest,
    Query(query): Query<MembersQuery>,
) -> Result<Json<MemberList>, Refusal> {
    request.identity.check_standing().await?;
    if query.limit == Some(0) {
        return Err(invalid("limit", "a page has one member at least"));
    }
    let max = match query.limit {
        Some(_) => request.page_size(query.limit)?,
        None => request.limit(LimitName::PageItemsMax),
    };
    let page = request
        .call(ListMembers {
            caller: request.caller(),
            after: query.after,
            max,
        })
        .await?;
    Ok(Json(MemberList {
        members: page.members.into_iter().map(shown).collect(),
        next: page.next,
        as_of: page.as_of,
    }))
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
        suspended: member.suspended.map(|it| SuspendedShown {
            cursor: it.cursor,
            wakes: it.wakes,
            until: it.until,
            suspected_deadlock: it.suspected_deadlock,
            orphaned: it.orphaned,
        }),
    }
}

async fn change(
    request: PoolRequest,
    Json(body): Json<PatchMember>,
) -> Result<Json<Changed>, Refusal> {
    let run: RunId = request.path_run()?;
    if body.topics.is_none() && body.lease_ms.is_none() {
        return Err(invalid("topics", "missing; name what to change"));
    }
    let command = ChangeMember {
        caller: request.caller(),
        run,
        topics: body.topics,
        lease: body.lease_ms,
    };
    Ok(changed(request.call(command).await?))
}

async fn heartbeat(request: PoolRequest) -> Result<Json<Changed>, Refusal> {
    let run = request.path_run()?;
    let caller = request.caller();
    Ok(changed(request.call(Heartbeat { caller, run }).await?))
}

async fn leave(request: PoolRequest) -> Result<Json<Changed>, Refusal> {
    let run = request.path_run()?;
    let caller = request.caller();
    Ok(changed(request.call(LeavePool { caller, run }).await?))
}

async fn state(
    request: PoolRequest,
    Json(body): Json<SetState>,
) -> Result<Json<StateChanged>, Refusal> {
    let run = request.path_run()?;
    check_fields(&body)?;
    let stood = match body.state {
        RunState::Active => {
            let caller = request.caller();
            request.call(ResumeRun { caller, run }).await?
        }
        RunState::Suspended => {
            let release = body.release.unwrap_or_default();
            let suspend = SuspendRun {
                caller: request.caller(),
                run,
                wakes: body.wakes.unwrap_or_default(),
                timeout: body.timeout_ms,
                release: claims(&release, "release")?,
            };
            request.call(suspend).await?
        }
        RunState::Completed => end(&request, run, (RunEnd::Completed, body.note)).await?,
        RunState::Failed => end(&request, run, (RunEnd::Failed, body.note)).await?,
        RunState::Cancelled => end(&request, run, (RunEnd::Cancelled, body.note)).await?,
    };
    Ok(Json(StateChanged {
        cursor: stood.done.cursor,
        durability: stood.done.durability,
        state: stood.state,
    }))
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
        return Err(invalid(field, &format!("does not go with {state}")));
    }
    let is_forever = body.forever == Some(true);
    if body.state == RunState::Suspended && is_forever == body.timeout_ms.is_some() {
        return Err(Rejection::OneEnd.into());
    }
    Ok(())
}

async fn end(
    request: &PoolRequest,
    run: RunId,
    (end, note): (RunEnd, Option<String>),
) -> Result<Stood, Refusal> {
    let caller = request.caller();
    let done = request
        .call(EndRun {
            caller,
            run,
            end,
            note,
        })
        .await?;
    let state = end.into();
    Ok(Stood { done, state })
}
