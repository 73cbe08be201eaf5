//! Commands of scenarios about the pool as a whole, and about looking at events.

use heronry_pool::decide::{
    AdmitReader, CheckCursor, CheckStanding, DescribePool, ExplainWake, ListAuthors, ListMembers,
    Viewer, Viewing,
};

use super::{Scenario, Step, answers, notation::id, record_text::list};

impl Scenario {
    pub(crate) fn members(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let members = ListMembers {
            caller: self.speaker(by).0,
            after: after.map(id),
            max,
        };
        self.step(&members, |it| {
            let next = it.next.map(|run| format!(" next {run}"));
            format!(
                "{}{}",
                list(it.members.iter().map(answers::member)),
                next.unwrap_or_default()
            )
        })
    }

    pub(crate) fn describe(&mut self, by: &str) -> Step {
        let caller = self.speaker(by).0;
        self.step(&DescribePool { caller }, |it| answers::pool(&it))
    }

    /// Asks with whose eyes the caller may look; `operator` names no run.
    pub(crate) fn view(&mut self, by: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let viewing = Viewing {
            caller,
            run: (by != "operator").then_some(run),
        };
        self.step(&viewing, |it| match it {
            Viewer::Operator => "all".to_owned(),
            Viewer::Member { run, generation } => format!("{run}/{generation}"),
            Viewer::AsMember { run, since } => format!("as {run} since {since}"),
        })
    }

    /// Asks whether a viewer may read a page of events after a cursor.
    pub(crate) fn read_events(&mut self, by: &str, from: Option<&str>, page: u64) -> Step {
        let (caller, run) = self.speaker(by);
        let viewer = match caller {
            heronry_pool::Caller::Member { run, generation } => Viewer::Member { run, generation },
            heronry_pool::Caller::Operator if by == "operator" => Viewer::Operator,
            heronry_pool::Caller::Operator => Viewer::AsMember {
                run,
                since: heronry_types::Generation(heronry_types::Position(1)),
            },
        };
        let admit = AdmitReader {
            caller: viewer.caller(),
            viewer,
            from: from.map(|cursor| self.cursor(cursor)),
            page: Some(page),
            filter: Self::filter("true"),
        };
        self.step(&admit, |it| it.to_string())
    }

    pub(crate) fn check_standing(&mut self, by: &str) -> Step {
        let caller = self.speaker(by).0;
        self.step(&CheckStanding { caller }, |()| "stands".to_owned())
    }

    pub(crate) fn check_cursor(&mut self, cursor: &str) -> Step {
        let cursor = self.cursor(cursor);
        self.step(&CheckCursor { cursor }, |at| at.to_string())
    }

    /// Asks how many events an explanation of a wake looks at.
    pub(crate) fn explain(&mut self, by: &str, wake: &str) -> Step {
        let (caller, run) = self.speaker(by);
        let explain = ExplainWake {
            caller,
            run: (by != "operator").then_some(run),
            wake_id: id(wake),
        };
        self.step(&explain, |it| {
            let looked = it.range();
            format!("looks at {}..{}", looked.after, looked.until)
        })
    }

    pub(crate) fn authors(&mut self, by: &str) -> Step {
        let authors = ListAuthors {
            caller: self.speaker(by).0,
            after: None,
        };
        self.step(&authors, |it| {
            list(it.iter().map(|author| author.run.to_string()))
        })
    }
}
