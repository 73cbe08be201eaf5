//! The result of a job.

use heronry_host::{HostedSubject, Incarnation, IncarnationEnd};
use heronry_host_process::ProcessHost;
use heronry_types::{Generation, MemberStanding, PoolId, Position, RunEnd, RunsUntil};
use heronry_unified::MemberStatus;
use serde::Serialize;

use crate::{failure::Exit, lines::Lines, tables};

/// The result of a job: the one document of `up --json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) pool: String,
    pub(crate) job: String,
    pub(crate) store: String,
    pub(crate) output: String,
    pub(crate) outcome: JobOutcome,
    pub(crate) elapsed_ms: u64,
    pub(crate) members: Vec<MemberReport>,
}

/// The result of a member.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MemberReport {
    pub(crate) run_id: String,
    pub(crate) agent_id: String,
    /// The end of its run; `None` when the run goes on in a later `up`.
    pub(crate) state: Option<RunEnd>,
    pub(crate) restarts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    #[serde(skip)]
    pub(crate) until: RunsUntil,
}

/// The fields of that report.
pub(crate) const MEMBER_FIELDS: [&str; 6] = [
    "run_id",
    "agent_id",
    "state",
    "restarts",
    "exit_code",
    "log",
];

impl MemberReport {
    /// Reports a member as it stood at the end of its job.
    pub(crate) fn of(status: &MemberStatus, pool: &PoolId, processes: &ProcessHost) -> Self {
        let agent_id = status.agent.as_ref().map(ToString::to_string);
        let log = status.agent.clone().filter(|_| !status.ended_earlier);
        let log = log.map(|agent| {
            processes.log_of(&HostedSubject::Member(Incarnation {
                pool: pool.clone(),
                run: status.run.clone(),
                agent,
                generation: status.generation.unwrap_or(Generation(Position(0))),
            }))
        });
        // One that is broken does not go on, whatever its run says.
        let is_broken = status.standing == Some(MemberStanding::Broken);
        Self {
            run_id: status.run.to_string(),
            agent_id: agent_id.unwrap_or_default(),
            state: status.ended.or(is_broken.then_some(RunEnd::Failed)),
            restarts: status.restarts,
            exit_code: status.last_end.as_ref().map(IncarnationEnd::shell_code),
            log: log.map(|path| path.display().to_string()),
            until: status.until,
        }
    }
}

/// The end of a job, judged by its members.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobOutcome {
    /// Every member completed.
    Completed,
    /// A member failed or was cancelled.
    Failed,
    /// The job goes on in a later `up`.
    Unfinished,
}

impl JobOutcome {
    /// Judges a job by its members.
    pub(crate) fn of(members: &[MemberReport]) -> Self {
        let is_bad = |m: &MemberReport| matches!(m.state, Some(RunEnd::Failed | RunEnd::Cancelled));
        let is_open = |m: &MemberReport| m.state.is_none() && m.until == RunsUntil::Exited;
        if members.iter().any(is_open) {
            Self::Unfinished
        } else if members.iter().any(is_bad) {
            Self::Failed
        } else {
            Self::Completed
        }
    }

    /// Returns how `up` ends.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Completed => Exit::Ok,
            Self::Failed | Self::Unfinished => Exit::Failed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished; run the same command again to go on",
        }
    }
}

impl Summary {
    /// Writes the table for people.
    pub(crate) fn lines(&self) -> Lines {
        let rows = self.members.iter().map(|member| {
            let state = member
                .state
                .map_or_else(|| "unfinished".to_owned(), |s| s.to_string());
            let code = member
                .exit_code
                .map_or_else(|| "-".to_owned(), |c| c.to_string());
            [
                member.run_id.clone(),
                state,
                code,
                member.restarts.to_string(),
                member.log.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        });
        let table = tables::table(["RUN", "STATE", "EXIT", "RESTARTS", "LOG"], rows);
        let mut lines = Lines::of(format_args!(""));
        lines.extend(tables::lines_of(table));
        let seconds = self.elapsed_ms / 1_000;
        let tenths = self.elapsed_ms % 1_000 / 100;
        lines.line(format_args!(""));
        lines.line(format_args!(
            "job {} {} in {seconds}.{tenths} s; output in {}",
            self.pool,
            self.outcome.name(),
            self.output
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fields::check_names, up::MEMBER_FIELDS};

    fn member(until: RunsUntil, state: Option<RunEnd>) -> MemberReport {
        MemberReport {
            run_id: "r".to_owned(),
            agent_id: "a".to_owned(),
            state,
            restarts: 0,
            exit_code: None,
            log: None,
            until,
        }
    }

    #[test]
    fn the_fields_of_a_member_are_all_known() {
        let mut whole = member(RunsUntil::Exited, None);
        (whole.exit_code, whole.log) = (Some(0), Some(String::new()));
        check_names(&whole, &MEMBER_FIELDS);
    }

    #[test]
    fn every_member_counts_in_the_outcome() {
        let done = || member(RunsUntil::Exited, Some(RunEnd::Completed));
        let cases = [
            (vec![done()], JobOutcome::Completed),
            (
                vec![done(), member(RunsUntil::Stopped, Some(RunEnd::Failed))],
                JobOutcome::Failed,
            ),
            (
                vec![done(), member(RunsUntil::Exited, Some(RunEnd::Cancelled))],
                JobOutcome::Failed,
            ),
            (
                vec![done(), member(RunsUntil::Exited, None)],
                JobOutcome::Unfinished,
            ),
        ];
        for (members, expected) in cases {
            assert_eq!(JobOutcome::of(&members), expected);
        }
    }
}
