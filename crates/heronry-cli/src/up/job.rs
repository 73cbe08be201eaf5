//! The choice of the job that a command runs: the one that is named, the unfinished one, or a new
//! one.

use std::collections::BTreeSet;

use heronry_client::{Client, ClientError, PoolClient};
use heronry_types::{EventKind, LimitName, PoolId, RunId, RunsUntil};
use heronry_wire::{EventsQuery, ProblemKind};

use super::manifest::Manifest;
use crate::{
    connect::refused,
    failure::{Exit, Failure},
};

/// A filter that keeps the events that end a run.
const ENDINGS: &str = r#"kind in ["run_completed", "run_failed", "run_cancelled"]"#;

/// A job that was chosen.
#[derive(Debug)]
pub(crate) struct UpJob {
    /// The part of the pool's id after the dot.
    pub(crate) name: String,
    /// Its pool.
    pub(crate) pool: PoolClient,
    /// The origin of the job.
    pub(crate) found: JobOrigin,
}

/// The origin of a job: new, or left unfinished by an earlier `up`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum JobOrigin {
    /// The job is new.
    New,
    /// An earlier `up` did not finish the job.
    Unfinished,
}

impl JobOrigin {
    /// Returns the word for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unfinished => "continued",
        }
    }
}

impl UpJob {
    /// Finds or names the job. Its pool is there unless the job is new.
    pub(crate) async fn find(
        client: &Client,
        manifest: &Manifest,
        name: Option<&str>,
    ) -> Result<Self, Failure> {
        let names = existing(client, &manifest.pool).await?;
        let (name, found) = match name {
            Some(name) if names.iter().any(|it| it == name) => {
                (name.to_owned(), JobOrigin::Unfinished)
            }
            Some(name) => (name.to_owned(), JobOrigin::New),
            None => match unfinished(client, manifest, &names).await? {
                Some(name) => (name, JobOrigin::Unfinished),
                None => (next_number(&names), JobOrigin::New),
            },
        };
        let pool = client.pool(&pool_id(&manifest.pool, &name)?);
        Ok(Self { name, pool, found })
    }

    /// Opens the pool of the job.
    pub(crate) async fn open(&self, manifest: &Manifest) -> Result<(), Failure> {
        let opened = self.pool.open(&manifest.config).await;
        opened.map_err(|error| not_opened(error, self.pool.id()))?;
        Ok(())
    }
}

/// Returns the failure of opening the job's pool. It names the remedy when the job was started with
/// other limits than the manifest has now.
fn not_opened(error: ClientError, pool: &PoolId) -> Failure {
    let is_conflict = matches!(
        &error,
        ClientError::Refused(problem) if problem.kind() == Some(ProblemKind::ConfigConflict)
    );
    if !is_conflict {
        return refused(error);
    }
    Failure::new(
        Exit::Refused,
        format_args!(
            "job {pool} is not finished and has other limits than the manifest; put [limits] back, \
             change the job's with `heronry pool set {pool} --limit NAME=VALUE` while \
             `heronry serve` runs, or begin another job with --job NAME (config-conflict)"
        ),
    )
}

/// Checks the name that a person gives a job.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('.') {
        return Err("a job's name has at least one character and no dot".to_owned());
    }
    Ok(text.to_owned())
}

fn pool_id(prefix: &PoolId, name: &str) -> Result<PoolId, Failure> {
    let text = format!("{prefix}.{name}");
    PoolId::parse(&text)
        .map_err(|error| Failure::usage(format_args!("{text:?} cannot name a pool: {error}")))
}

/// Returns the names of this manifest's jobs, the newest number first.
async fn existing(client: &Client, prefix: &PoolId) -> Result<Vec<String>, Failure> {
    let pools = client.pools().await.map_err(refused)?.pools;
    let start = format!("{prefix}.");
    let names = pools
        .iter()
        .filter_map(|it| it.pool.as_str().strip_prefix(&start));
    let mut names: Vec<String> = names
        .filter(|name| parse_name(name).is_ok())
        .map(str::to_owned)
        .collect();
    names.sort_by_key(|name| std::cmp::Reverse((name.parse::<u64>().ok(), name.clone())));
    Ok(names)
}

fn next_number(names: &[String]) -> String {
    let largest = names
        .iter()
        .filter_map(|name| name.parse::<u64>().ok())
        .max();
    largest
        .map_or(1, |number| number.saturating_add(1))
        .to_string()
}

/// Returns the first job in which a member that the job waits for has not ended.
async fn unfinished(
    client: &Client,
    manifest: &Manifest,
    names: &[String],
) -> Result<Option<String>, Failure> {
    for name in names {
        let ended = ended_runs(&client.pool(&pool_id(&manifest.pool, name)?)).await?;
        let members = manifest.members.iter().map(|member| &member.spec);
        let mut awaited = members.filter(|spec| spec.until == RunsUntil::Exited);
        if awaited.any(|spec| !ended.contains(&spec.run)) {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

async fn ended_runs(pool: &PoolClient) -> Result<BTreeSet<RunId>, Failure> {
    let mut ended = BTreeSet::new();
    let mut query = EventsQuery {
        filter: Some(ENDINGS.to_owned()),
        ..EventsQuery::default()
    };
    loop {
        let page = match pool.events(&query).await {
            Ok(page) => page,
            // The filter is ours: where only shorter ones are taken, all events are read.
            Err(error)
                if query.filter.is_some()
                    && error.crossed(LimitName::FilterTextBytesMax).is_some() =>
            {
                query.filter = None;
                continue;
            }
            Err(error) => return Err(refused(error)),
        };
        let ends = page
            .events
            .into_iter()
            .filter(|it| ends_a_run(it.envelope.kind));
        ended.extend(ends.filter_map(|it| it.envelope.identity.run));
        if page.scanned_to == page.head {
            return Ok(ended);
        }
        query.after = Some(page.scanned_to);
    }
}

/// Returns true for the kinds of events that [`ENDINGS`] keeps.
fn ends_a_run(kind: EventKind) -> bool {
    [
        EventKind::RunCompleted,
        EventKind::RunFailed,
        EventKind::RunCancelled,
    ]
    .contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_job_has_the_number_after_the_largest() {
        let names = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(next_number(&[]), "1");
        assert_eq!(next_number(&names(&["9", "10", "nightly"])), "11");
    }

    #[test]
    fn a_name_has_no_dot() {
        assert!(parse_name("nightly").is_ok());
        assert!(parse_name("").is_err());
        assert!(parse_name("a.b").is_err());
    }
}
