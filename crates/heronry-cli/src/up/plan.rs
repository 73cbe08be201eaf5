//! `heronry up --plan`: what a job would begin with.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_client::{Client, Token};
use heronry_host::{AccessError, AccessRequest, HostEnvironment, MemberAccess};
use heronry_unified::{Actual, DigestKey, Layers, UnifiedRuntimeBuilder};
use serde::Serialize;

use super::{
    Binary, JobAsked, check,
    job::{JobOrigin, UpJob},
};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    host::Host,
    lines::Lines,
    out::RowsPlace,
};

/// The actions that a job would begin with.
#[derive(Debug, Serialize)]
struct PlannedJob {
    /// The pool of the job.
    pool: String,
    /// True when the job goes on.
    continued: bool,
    /// The actions, in their order.
    actions: Vec<PlannedAction>,
}

/// An action, in words.
#[derive(Debug, Serialize)]
struct PlannedAction {
    action: String,
}

/// Gives nobody an environment: a plan starts nothing.
struct NoAccess;

#[async_trait]
impl MemberAccess for NoAccess {
    async fn environment(&self, _: &AccessRequest) -> Result<HostEnvironment, AccessError> {
        Err(AccessError("a plan starts nothing".to_owned()))
    }
}

/// Prints the plan of the job that a command names.
pub(crate) async fn show(
    cx: &Context,
    host: &Host,
    asked: &JobAsked<'_>,
    binary: &Binary,
) -> Outcome {
    let manifest = asked.manifest;
    let token = Token::new(host.operator_token());
    let client = Client::new(host.url(), Some(token)).map_err(crate::connect::refused)?;
    let job = UpJob::find(&client, manifest, asked.name).await?;
    let declared = manifest.declared().map_err(Failure::usage)?;
    let actions = match job.found {
        JobOrigin::New => {
            let key = DigestKey::from(host.runtime().spec_key());
            let roster = Layers::of(declared).effective(&key);
            heronry_unified::plan(&roster, &Actual::default())
        }
        JobOrigin::Unfinished => {
            check::check_members(&job.pool, manifest).await?;
            let processes = check::process_host(&cx.data_dir, manifest, binary)?;
            let builder = UnifiedRuntimeBuilder::new(
                host.runtime().clone(),
                job.pool.id().clone(),
                declared,
                vec![Arc::new(processes)],
                Arc::new(NoAccess),
            );
            builder.outlook().await.map_err(Failure::failed)?
        }
    };
    let actions = actions.iter().map(|action| PlannedAction {
        action: action.to_string(),
    });
    let planned = PlannedJob {
        pool: job.pool.id().to_string(),
        continued: job.found == JobOrigin::Unfinished,
        actions: actions.collect(),
    };
    cx.out.answer(&planned, RowsPlace::Of("actions"), || {
        let how = job.found.name();
        let mut lines = Lines::of(format_args!("job {} ({how})", planned.pool));
        for planned in &planned.actions {
            lines.line(format_args!("{}", planned.action));
        }
        lines
    })?;
    Ok(Exit::Ok)
}
