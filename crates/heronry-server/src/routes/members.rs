//! Joining, listing, changing, leaving and ending.

use axum::{Json as Answer, http::StatusCode, routing::MethodFilter};
use heronry_pool::{
    MemberView,
    decide::{ChangeMember, EndRun, Heartbeat, Join, Leave, ListMembers},
};
use heronry_types::{InstanceId, LimitName, RunId};
use heronry_wire::{
    Changed, Join as JoinBody, Joined, MemberList, MemberView as MemberShown, MembersQuery,
    PatchMember, SetState,
};

use super::{At, Route, changed};
use crate::{
    app::Shared,
    extract::{Json, Query, invalid},
    identity::Access,
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
        .contract(|c| {
            c.reads::<JoinBody>()
                .answers::<Joined>(201)
                .answers::<Joined>(200)
        }),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members",
            "List the members.",
            list,
        )
        .contract(|c| c.queries::<MembersQuery>().answers::<MemberList>(200)),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/members/{run}",
            "Change topics or the lease.",
            change,
        )
        .contract(|c| c.reads::<PatchMember>().answers::<Changed>(200)),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/members/{run}",
            "Leave.",
            leave,
        )
        .contract(|c| c.answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/heartbeat",
            "Renew the lease.",
            heartbeat,
        )
        .contract(|c| c.answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/state",
            "Say how a run ended.",
            end,
        )
        .contract(|c| c.reads::<SetState>().answers::<Changed>(200)),
    ]
}

async fn join(at: At, Json(body): Json<JoinBody>) -> Result<(StatusCode, Answer<Joined>), Refusal> {
    let instance = match body.instance {
        Some(instance) => instance,
        None => fresh_instance(&at.app)?,
    };
    let joined = at
        .call(Join {
            caller: at.caller(),
            run: body.run_id,
            agent: body.agent_id,
            session: body.session_id,
            topics: body.topics,
            policies: body.policies,
            instance,
            lease: body.lease_ms,
        })
        .await?;
    let named = (&at.id, &joined.run, joined.generation);
    let epoch = at.pool.timelines().at(joined.generation.0);
    let member_token = at.app.auth.member_token(epoch, named);
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
        durability: at.app.durability(),
    };
    Ok((status, Answer(answer)))
}

fn fresh_instance(app: &Shared) -> Result<InstanceId, Refusal> {
    InstanceId::parse(app.fresh_name("i-")).map_err(|error| invalid("instance", &error.to_string()))
}

async fn list(at: At, Query(query): Query<MembersQuery>) -> Result<Answer<MemberList>, Refusal> {
    at.identity.check_standing().await?;
    if query.limit == Some(0) {
        return Err(invalid("limit", "a page has one member at least"));
    }
    let max = match query.limit {
        Some(_) => at.page_size(query.limit).await?,
        None => at.limit(LimitName::PageItemsMax).await?,
    };
    let page = at
        .call(ListMembers {
            caller: at.caller(),
            after: query.after,
            max,
        })
        .await?;
    Ok(Answer(MemberList {
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
    }
}

async fn change(at: At, Json(body): Json<PatchMember>) -> Result<Answer<Changed>, Refusal> {
    let run: RunId = at.path_run()?;
    if body.topics.is_none() && body.lease_ms.is_none() {
        return Err(invalid("topics", "missing; name what to change"));
    }
    let command = ChangeMember {
        caller: at.caller(),
        run,
        topics: body.topics,
        lease: body.lease_ms,
    };
    Ok(changed(at.call(command).await?))
}

async fn heartbeat(at: At) -> Result<Answer<Changed>, Refusal> {
    let run = at.path_run()?;
    let caller = at.caller();
    Ok(changed(at.call(Heartbeat { caller, run }).await?))
}

async fn leave(at: At) -> Result<Answer<Changed>, Refusal> {
    let run = at.path_run()?;
    let caller = at.caller();
    Ok(changed(at.call(Leave { caller, run }).await?))
}

async fn end(at: At, Json(body): Json<SetState>) -> Result<Answer<Changed>, Refusal> {
    let run = at.path_run()?;
    let command = EndRun {
        caller: at.caller(),
        run,
        end: body.state,
        note: body.note,
    };
    Ok(changed(at.call(command).await?))
}
