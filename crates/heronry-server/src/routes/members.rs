//! Joining, listing, changing, leaving and ending.

use axum::{Json as Answer, http::StatusCode, routing::MethodFilter};
use heronry_pool::{
    MemberView,
    decide::{ChangeTopics, DescribePool, EndRun, Join, Leave, ListMembers},
};
use heronry_types::{InstanceId, RunId};
use heronry_wire::{
    Changed, Join as JoinBody, Joined, MemberList, MemberView as MemberShown, PatchMember, SetState,
};

use super::{At, Route, changed};
use crate::{app::Shared, extract::Json, identity::Access, problems::Refusal};

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
        .contract(|c| c.answers::<MemberList>(200)),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/members/{run}",
            "Change topics.",
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
            "/v1/pools/{pool}/members/{run}/state",
            "Say how a run ended.",
            end,
        )
        .contract(|c| c.reads::<SetState>().answers::<Changed>(200)),
    ]
}

async fn join(at: At, Json(body): Json<JoinBody>) -> Result<(StatusCode, Answer<Joined>), Refusal> {
    body.supported()?;
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
    InstanceId::parse(app.fresh_name("i-"))
        .map_err(|error| crate::extract::invalid("instance", &error.to_string()))
}

async fn list(at: At) -> Result<Answer<MemberList>, Refusal> {
    let as_of = at
        .call(DescribePool {
            caller: at.caller(),
        })
        .await?
        .head;
    let members = at
        .call(ListMembers {
            caller: at.caller(),
        })
        .await?;
    let members = members.into_iter().map(shown).collect();
    Ok(Answer(MemberList { members, as_of }))
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
    }
}

async fn change(at: At, Json(body): Json<PatchMember>) -> Result<Answer<Changed>, Refusal> {
    let run: RunId = at.path_run()?;
    body.supported()?;
    let Some(topics) = body.topics else {
        return Err(crate::extract::invalid(
            "topics",
            "missing; name what to change",
        ));
    };
    let caller = at.caller();
    Ok(changed(
        at.call(ChangeTopics {
            caller,
            run,
            topics,
        })
        .await?,
    ))
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
