//! The identities, the targets, and what is to come of each with each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rows::{Class, RouteRow, Thing};
use heronry_tests::server::{HttpReply, OPERATOR, Server, to_run};

/// The caller of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    None,
    Garbage,
    /// The token of a member, with another hash.
    Altered,
    /// A member of the pool.
    Member,
    /// A member of another pool.
    OfAnotherPool,
    /// An older generation of a run that was taken over.
    Older,
    /// A run that left.
    Left,
    /// A run that ended.
    Ended,
    /// An operator who names no run.
    Operator,
    /// An operator who acts for a run.
    OperatorForRun,
}

pub(super) const WHO: [Who; 10] = [
    Who::None,
    Who::Garbage,
    Who::Altered,
    Who::Member,
    Who::OfAnotherPool,
    Who::Older,
    Who::Left,
    Who::Ended,
    Who::Operator,
    Who::OperatorForRun,
];

/// The target of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A thing of the run itself.
    Own,
    /// A thing of another run of the pool.
    AnotherRuns,
    /// The same in a pool that the run is no member of.
    InAnotherPool,
    /// The same in a pool that is not there.
    InNoPool,
}

pub(super) const TARGETS: [Target; 4] = [
    Target::Own,
    Target::AnotherRuns,
    Target::InAnotherPool,
    Target::InNoPool,
];

/// The expected result of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Expected {
    Done,
    Refused(u16, &'static str),
    /// There is no such request, or it says the same as another one.
    Nothing,
}

use Expected::{Done, Nothing, Refused};

const NO_POOL: Expected = Refused(404, "pool-not-found");
const MISMATCH: Expected = Refused(403, "sender-mismatch");

/// Returns what is to come of a request: the contract's paragraph on identity.
pub(super) fn expected(row: &RouteRow, who: Who, target: Target) -> Expected {
    if row.class == Class::Open {
        return Done;
    }
    match who {
        Who::None | Who::Garbage | Who::Altered => Refused(401, "unauthorized"),
        Who::Operator | Who::OperatorForRun => of_operator(row, who, target),
        Who::Member => of_member(row, target, Done),
        Who::OfAnotherPool => of_foreign(row, target),
        Who::Older => of_member(row, target, Refused(409, "fenced")),
        Who::Left => of_member(row, target, Refused(403, "not-a-member")),
        Who::Ended => of_member(row, target, Refused(409, "run-ended")),
    }
}

fn of_operator(row: &RouteRow, who: Who, target: Target) -> Expected {
    let is_pools = row.route.contains("{pool}");
    let names_none = who == Who::Operator;
    match (row.class, target) {
        // It makes the pool.
        (Class::Operator, Target::InNoPool) if row.route.starts_with("PUT ") => Nothing,
        (_, Target::InNoPool) if is_pools => NO_POOL,
        (_, Target::InNoPool | Target::InAnotherPool | Target::AnotherRuns) => Nothing,
        (Class::Acting(_) | Class::Thing(Thing::Message), Target::Own) if names_none => {
            Refused(400, "invalid-request")
        }
        (_, Target::Own) => Done,
    }
}

/// Returns what comes of a request of a joining that has this standing.
fn of_member(row: &RouteRow, target: Target, standing: Expected) -> Expected {
    let is_pools = row.route.contains("{pool}");
    match (row.class, target) {
        (Class::Open, _) => Done,
        (Class::Operator, _) => Refused(403, "operator-only"),
        (_, Target::InAnotherPool | Target::InNoPool) if is_pools => NO_POOL,
        (_, Target::InAnotherPool | Target::InNoPool)
        | (Class::Server | Class::Whole, Target::AnotherRuns) => Nothing,
        (_, Target::Own) => standing,
        // Whether it may ask at all comes first.
        (Class::Listing(_) | Class::Thing(_), Target::AnotherRuns) if standing != Done => standing,
        (
            Class::Run
            | Class::Acting(_)
            | Class::ActingOrNone(_)
            | Class::ActingByQuery(_)
            | Class::Listing(_),
            Target::AnotherRuns,
        ) => MISMATCH,
        (Class::Thing(Thing::Message), Target::AnotherRuns) => Refused(404, "message-not-found"),
        (Class::Thing(Thing::Wake), Target::AnotherRuns) => Refused(404, "wake-not-found"),
        (Class::Thing(Thing::Content), Target::AnotherRuns) => Refused(404, "content-missing"),
    }
}

fn of_foreign(row: &RouteRow, target: Target) -> Expected {
    match (row.class, target) {
        (Class::Open, _) | (Class::Server, Target::Own) => Done,
        (Class::Operator, _) => Refused(403, "operator-only"),
        // The other pool is its own.
        (Class::Server, _) | (_, Target::InAnotherPool) => Nothing,
        (_, Target::Own | Target::AnotherRuns | Target::InNoPool) => NO_POOL,
    }
}

/// The run that stands for another one.
const ANOTHER: &str = "b";

impl Who {
    /// The run that asks, or that an operator names.
    fn run(self) -> &'static str {
        match self {
            Self::OfAnotherPool => "z",
            Self::Older => "older",
            Self::Left => "left",
            Self::Ended => "ended",
            Self::None
            | Self::Garbage
            | Self::Altered
            | Self::Member
            | Self::Operator
            | Self::OperatorForRun => "a",
        }
    }
}

/// A server with two pools, and runs of every standing that have what a run can have.
pub(super) struct MatrixScene {
    server: Server,
    tokens: BTreeMap<&'static str, String>,
    contents: BTreeMap<&'static str, String>,
    /// A cursor of the pool, of no dead letter and of no effect.
    cursor: String,
}

impl MatrixScene {
    pub(super) async fn open() -> Self {
        let server = Server::on_memory();
        let (mut tokens, mut contents) = (BTreeMap::new(), BTreeMap::new());
        for (pool, runs) in [
            ("p", &["a", "b", "older", "left", "ended"][..]),
            ("q", &["z"]),
        ] {
            let line = format!("PUT /v1/pools/{pool}");
            server.call(OPERATOR, &line, json!({})).await.is(201);
            for run in runs {
                let token = join(&server, pool, run).await;
                contents.insert(*run, has_things(&server, (pool, run), &token).await);
                tokens.insert(*run, token);
            }
        }
        join(&server, "p", "older").await;
        let leave = "DELETE /v1/pools/p/members/left";
        server
            .call(&tokens["left"], leave, Value::Null)
            .await
            .is(200);
        let (end, state) = (
            "/v1/pools/p/members/ended/state",
            json!({"state": "failed"}),
        );
        server.post(&tokens["ended"], end, state).await.is(200);
        let head = server.get(OPERATOR, "/v1/pools/p").await.is(200)["head"].clone();
        Self {
            server,
            tokens,
            contents,
            cursor: head.as_str().unwrap().to_owned(),
        }
    }

    /// The heads of both pools, and which pools there are.
    pub(super) async fn heads(&self) -> Vec<Value> {
        let mut heads = vec![self.server.get(OPERATOR, "/v1/pools").await.is(200)];
        for pool in ["p", "q"] {
            let path = format!("/v1/pools/{pool}");
            heads.push(self.server.get(OPERATOR, &path).await.is(200)["head"].clone());
        }
        heads
    }

    pub(super) async fn ask(&self, row: &RouteRow, who: Who, target: Target) -> HttpReply {
        let run = match target {
            Target::Own | Target::InAnotherPool | Target::InNoPool => who.run(),
            Target::AnotherRuns => ANOTHER,
        };
        let pool = match target {
            Target::Own | Target::AnotherRuns => "p",
            Target::InAnotherPool => "q",
            Target::InNoPool => "none",
        };
        let mut line = row.route.replace("{pool}", pool).replace("{run}", run);
        line = line
            .replace("{id}", &self.id(row, run))
            .replace("{cursor}", &self.cursor);
        line = line.replace("{ref}", &self.contents[run]);
        let does = row.route.rsplit('/').next().unwrap_or_default();
        line = line.replace("{name}", "audit");
        line = line.replace("{source}", &format!("{run}-{does}"));
        let body = serde_json::from_str(row.body).unwrap_or_default();
        // Another's thing is asked for without its name, as whoever guesses an id would.
        let names = match target {
            Target::AnotherRuns => !matches!(row.class, Class::Thing(_)),
            Target::Own | Target::InAnotherPool | Target::InNoPool => who == Who::OperatorForRun,
        };
        let (line, body) = naming(row.class, names.then_some(run), (line, body));
        self.server.call(&self.token(who), &line, body).await
    }

    /// The id that a path names.
    fn id(&self, row: &RouteRow, run: &str) -> String {
        match row.class {
            Class::Thing(Thing::Message) => format!("m-{run}"),
            Class::Thing(Thing::Wake) => format!("w-{run}"),
            Class::Thing(Thing::Content)
            | Class::Open
            | Class::Operator
            | Class::Server
            | Class::Whole
            | Class::Listing(_)
            | Class::Run
            | Class::Acting(_)
            | Class::ActingOrNone(_)
            | Class::ActingByQuery(_) => self.cursor.clone(),
        }
    }

    fn token(&self, who: Who) -> String {
        let of_run = &self.tokens[who.run()];
        match who {
            Who::None => String::new(),
            Who::Garbage => "hm1.garbage".to_owned(),
            Who::Altered => {
                let (clear, mac) = of_run.rsplit_once('.').unwrap();
                let (first, rest) = mac.split_at(1);
                let other = if first == "A" { "B" } else { "A" };
                format!("{clear}.{other}{rest}")
            }
            Who::Operator | Who::OperatorForRun => OPERATOR.to_owned(),
            Who::Member | Who::OfAnotherPool | Who::Older | Who::Left | Who::Ended => {
                of_run.clone()
            }
        }
    }
}

/// Returns a request that names a run where its route takes the name.
fn naming(class: Class, run: Option<&str>, (line, mut body): (String, Value)) -> (String, Value) {
    let key = match class {
        Class::ActingByQuery(_) => "?idempotency_key=matrix",
        Class::Thing(_)
        | Class::Open
        | Class::Operator
        | Class::Server
        | Class::Whole
        | Class::Listing(_)
        | Class::Run
        | Class::Acting(_)
        | Class::ActingOrNone(_) => "",
    };
    let line = line + key;
    let Some(run) = run else {
        return (line, body);
    };
    let line = match class {
        Class::Listing(query) => format!("{line}?{query}={run}"),
        Class::ActingByQuery(query) => format!("{line}&{query}={run}"),
        Class::Thing(Thing::Message) if body.is_null() => format!("{line}?from={run}"),
        Class::Thing(Thing::Message) => {
            body["from"] = json!(run);
            line
        }
        Class::Acting(field) | Class::ActingOrNone(field) => {
            body[field] = json!(run);
            line
        }
        Class::Thing(Thing::Wake | Thing::Content)
        | Class::Open
        | Class::Operator
        | Class::Server
        | Class::Whole
        | Class::Run => line,
    };
    (line, body)
}

async fn join(server: &Server, pool: &str, run: &str) -> String {
    let path = format!("/v1/pools/{pool}/members");
    let body = json!({"run_id": run, "agent_id": run});
    let joined = server.post(OPERATOR, &path, body).await.is(201);
    joined["member_token"].as_str().unwrap().to_owned()
}

/// Gives a run a message to itself, a wake and a content, and returns the reference of that.
async fn has_things(server: &Server, (pool, run): (&str, &str), token: &str) -> String {
    let path = format!("/v1/pools/{pool}");
    let put = format!("PUT {path}/contents?idempotency_key=content");
    let stored = server.call(token, &put, json!({"of": run})).await.is(201);
    let content = stored["content_ref"].clone();
    let message = json!({
        "message_id": format!("m-{run}"), "to": to_run(run), "content_ref": content,
        "idempotency_key": "message"
    });
    server
        .post(token, &format!("{path}/messages"), message)
        .await
        .is(201);
    let wake = json!({
        "wake_id": format!("w-{run}"), "filter": "kind == \"run_cancelled\"",
        "idempotency_key": "wake"
    });
    server
        .post(token, &format!("{path}/wakes"), wake)
        .await
        .is(201);
    content.as_str().unwrap().to_owned()
}
