//! The steps of a random history.

use heronry_types::{DeliveryOptions, Importance, ManagedBy, Millis, OnFull, Vocabulary};
use proptest::prelude::*;

use super::{effects::Of, faults::FailingCommand, wiring::Rewiring};

/// One of the few runs that act.
pub(super) const RUNS: [&str; 4] = ["ann", "bob", "cid", "dan"];
/// The agents of the runs, in the order of the runs.
pub(super) const AGENTS: [&str; 4] = ["smith", "smith", "jones", "jones"];
/// The topics that they may list.
pub(super) const TOPICS: [&str; 2] = ["north", "south"];
/// The policies that they may hold, and their wakes may carry.
pub(super) const POLICIES: [&str; 2] = ["east", "west"];
/// The filters of their wakes.
pub(super) const FILTERS: [&str; 12] = [
    r#"kind == "run_message_delivered""#,
    r#""ann" in recipients"#,
    r#"family == "agent_pool""#,
    r#"kind == "run_message_settled" || kind == "run_message_expired""#,
    r#"run == "bob" && kind != "run_message_accepted""#,
    r#"kind == "wake_condition_timed_out""#,
    r#"family == "tool" && run == "cid""#,
    r#"run == "ann" && kind == "run_message_responded""#,
    r#"run == "bob" && terminal"#,
    r#"kind == "run_message_acked" && "cid" in recipients"#,
    r#"kind == "run_message_delivered" && topic == "north""#,
    r#"run == "dan" && kind == "run_message_delivered""#,
];

/// Conditions of more than one filter that they wait for.
pub(super) const CONDITIONS: [&str; 6] = [
    r#"{"count":{"n":3,"filter":"kind == \"run_message_delivered\"","distinct_by":"message"}}"#,
    r#"{"count":{"n":2,"filter":"family == \"agent_pool\"","distinct_by":"run"}}"#,
    r#"{"count":{"n":4,"filter":"\"ann\" in recipients"}}"#,
    r#"{"all_of":["kind == \"run_message_settled\"","\"bob\" in recipients","run == \"ann\""]}"#,
    r#"{"any_of":["kind == \"run_message_expired\"",{"all_of":["run == \"cid\"",{"count":{"n":2,"filter":"run == \"dan\"","distinct_by":"event"}}]}]}"#,
    r#"{"all_of":["kind == \"wake_condition_triggered\"","kind == \"wake_condition_registered\""]}"#,
];

/// The actor of a step: a run, as its present joining or as an older one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who {
    pub(super) run: usize,
    pub(super) is_stale: bool,
}

/// The actor on something that a run holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// The run that holds it.
    Owner,
    /// Another run.
    Other(Who),
}

/// The address of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Run(usize),
    Agent(usize),
    Topic(usize),
    Pool,
}

/// The fate of an append whose failure the store reports: kept, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AppendFate {
    All,
    Nothing,
}

/// A message. Few keys, so that they are used again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) to: To,
    pub(super) key: u8,
    pub(super) expires_in: Option<u64>,
    pub(super) options: DeliveryOptions,
    pub(super) asking: Option<Asking>,
}

/// The response contract that a message asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) more_than_one: u32,
    pub(super) timeout: Option<u64>,
    /// The runs whose replies count, one bit for each; `None` for all runs.
    pub(super) from: Option<u8>,
}

/// A wake. Few keys, so that they are used again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// One of the filters, or, behind them, one of the conditions.
    pub(super) filter: usize,
    pub(super) key: u8,
    /// The number of positions that it looks back; `None` to begin at its registration.
    pub(super) back: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) includes_wakes: bool,
    pub(super) while_waiting: Meanwhile,
    /// The policies that it carries, one bit for each.
    pub(super) policies: u8,
}

/// The state of a run while its wake waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meanwhile {
    GoesOn,
    IsSuspended,
}

/// The listing of a run when it joins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    /// The topics that it lists, one bit for each.
    pub(super) topics: u8,
    pub(super) lease: u64,
    /// The policies that it holds, one bit for each; when it joins again, only those of them that
    /// it may.
    pub(super) policies: u8,
}

/// One step. Claims, messages and wakes are named by their number, counted from the newest.
#[derive(Clone, Copy, Debug)]
pub(super) enum ModelStep {
    Join(usize, Listing),
    TakeOver(usize, Listing),
    /// Says that a run is there.
    Heartbeat(Who),
    /// Changes a lease, to so many seconds; zero: forever.
    Lease(Who, u64),
    /// For so many seconds, or forever; also until one of its last two wakes ends, and giving back
    /// its last claim.
    Suspend(Who, Option<u64>, (bool, bool)),
    /// Lets it go on.
    Resume(Who),
    Leave(Who),
    End(Who),
    Send(Who, Letter),
    /// A body by itself, under a key or under none: one of few.
    Store(Who, (Option<u8>, usize)),
    /// A message with a body that there is already, counted from the newest.
    PassOn(Who, Letter, usize),
    /// By a run or by an operator.
    FetchBody(Option<Who>, usize),
    Erase(Option<Who>, usize),
    Receive(Who, u8, u64),
    Ack(By, usize),
    AckUpTo(By, usize),
    Release(By, usize, u64),
    Extend(By, usize),
    Replay(By, usize),
    Withdraw(By, usize),
    /// To a message that asks, counted from the newest, under a key.
    Reply(Who, usize, u8),
    Wait(Who, Wait),
    Cancel(By, usize),
    /// So many events under a key.
    Report(Who, u8, u8),
    /// So many events of the run's foreign source, from this number on.
    ReportFrom(Who, u64, u64),
    /// Events of that source are missing, up to this number where it is known.
    Miss(Who, Option<u64>),
    /// The foreign source says that its run has ended, at this number.
    EndFrom(Who, u64),
    /// Somebody changes edges, aliases or labels.
    Rewire(ManagedBy, Rewiring),
    /// Something outside, under a key or without.
    Intend(Who, Option<u8>),
    Attempt(By, usize, Of),
    Result(By, usize, Of),
    Advance(u64),
    Pause(u64),
    Crash,
    /// Closes the store and opens it again.
    Restart,
    /// An append fails.
    Fail(FailingCommand, AppendFate),
    /// By one of few instances, which takes over.
    TakeSteward(u8),
    ReleaseSteward,
    /// A run, with one of few digests or no longer.
    Specify(usize, Option<u8>),
    /// The standing of a run, by its number.
    Stand(usize, usize),
}

fn who() -> impl Strategy<Value = Who> {
    let stale = prop_oneof![9 => Just(false), 1 => Just(true)];
    (0..RUNS.len(), stale).prop_map(|(run, is_stale)| Who { run, is_stale })
}

/// A run, or an operator.
fn asker() -> impl Strategy<Value = Option<Who>> {
    proptest::option::weighted(0.8, who())
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![4 => Just(By::Owner), 1 => who().prop_map(By::Other)]
}

fn letter() -> impl Strategy<Value = Letter> {
    let to = prop_oneof![
        4 => (0..RUNS.len()).prop_map(To::Run),
        1 => (0..2_usize).prop_map(To::Agent),
        1 => (0..TOPICS.len()).prop_map(To::Topic),
        2 => Just(To::Pool),
    ];
    let plain = (to.boxed(), Just(None).boxed());
    let asking = (Just(To::Pool).boxed(), asking().prop_map(Some).boxed());
    let asking_one = (plain.0.clone(), asking.1.clone());
    let sent = prop_oneof![3 => plain, 2 => asking, 1 => asking_one];
    let expires_in = proptest::option::weighted(0.3, 0..90_u64);
    (sent, 0..40_u8, expires_in, options()).prop_map(|((to, asking), key, expires_in, options)| {
        Letter {
            to,
            key,
            expires_in,
            options,
            asking,
        }
    })
}

/// Returns delivery options: often the usual ones, or in order.
fn options() -> impl Strategy<Value = DeliveryOptions> {
    let importance = prop_oneof![
        6 => Just(Importance::Queue),
        1 => Just(Importance::Steer),
        1 => Just(Importance::Interrupt),
    ];
    let delay = proptest::option::weighted(0.2, 0..60_u64);
    let ordered = prop_oneof![2 => Just(false), 1 => Just(true)];
    let on_full = prop_oneof![
        4 => Just(None),
        1 => Just(Some(OnFull::Refuse)),
        1 => Just(Some(OnFull::Skip)),
    ];
    (importance, delay, ordered, on_full).prop_map(|(importance, delay, ordered, on_full)| {
        DeliveryOptions {
            importance,
            deliver_after: delay.map(Millis::from_secs),
            ordered,
            on_full,
        }
    })
}

fn asking() -> impl Strategy<Value = Asking> {
    let timeout = proptest::option::weighted(0.5, 0..90_u64);
    let from = proptest::option::weighted(0.2, 0..16_u8);
    let more_than_one = prop_oneof![3 => Just(0), 2 => Just(1), 1 => Just(2)];
    (more_than_one, timeout, from).prop_map(|(more_than_one, timeout, from)| Asking {
        more_than_one,
        timeout,
        from,
    })
}

fn wait() -> impl Strategy<Value = Wait> {
    // The last one is further than any history goes back.
    let back = prop_oneof![
        2 => Just(None),
        2 => (0..12_u64).prop_map(Some),
        2 => Just(Some(1_000_000)),
    ];
    let timeout = proptest::option::weighted(0.6, 0..90_u64);
    (
        0..FILTERS.len() + CONDITIONS.len(),
        0..40_u8,
        back,
        timeout,
        (
            any::<bool>(),
            prop_oneof![2 => Just(Meanwhile::GoesOn), 1 => Just(Meanwhile::IsSuspended)],
            prop_oneof![3 => Just(0), 2 => 1..4_u8],
        ),
    )
        .prop_map(
            |(filter, key, back, timeout, (includes_wakes, while_waiting, policies))| Wait {
                filter,
                key,
                back,
                timeout,
                includes_wakes,
                while_waiting,
                policies,
            },
        )
}

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![4 => Just(Of::Last), 1 => Just(Of::Earlier), 1 => Just(Of::Outside)]
}

/// Of no time in most cases: then it is forever.
fn lease() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 2 => 1..60_u64]
}

fn listing() -> impl Strategy<Value = Listing> {
    let policies = prop_oneof![2 => Just(3), 1 => 0..3_u8];
    (0..4_u8, lease(), policies).prop_map(|(topics, lease, policies)| Listing {
        topics,
        lease,
        policies,
    })
}

/// Returns the number of events before the first step: none, or more than are looked through at
/// once.
pub(super) fn before() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 1 => Just(1_100)]
}

fn failing() -> impl Strategy<Value = FailingCommand> {
    prop_oneof![
        2 => (who(), letter()).prop_map(|(who, letter)| FailingCommand::Send(who, letter)),
        1 => (0..RUNS.len(), listing()).prop_map(|(run, listing)| FailingCommand::TakeOver(run, listing)),
        1 => (who(), 0..40_u8, 1..4_u8)
            .prop_map(|(who, key, count)| FailingCommand::Report(who, key, count)),
        1 => (who(), wait()).prop_map(|(who, wait)| FailingCommand::Wait(who, wait)),
        1 => (0..6_usize).prop_map(FailingCommand::Erase),
    ]
}

/// Returns the steps in which a steward keeps the pool as it was declared: often a member falls dormant.
fn kept_as_declared() -> impl Strategy<Value = ModelStep> {
    let digest = proptest::option::weighted(0.8, 0..2_u8);
    let standing = prop_oneof![1 => Just(0), 1 => 0..7_usize];
    prop_oneof![
        2 => (0..2_u8).prop_map(ModelStep::TakeSteward),
        1 => Just(ModelStep::ReleaseSteward),
        4 => (0..RUNS.len(), digest).prop_map(|(run, digest)| ModelStep::Specify(run, digest)),
        6 => (0..RUNS.len(), standing).prop_map(|(run, at)| ModelStep::Stand(run, at)),
    ]
}

pub(super) fn step() -> impl Strategy<Value = ModelStep> {
    let kept = prop_oneof![Just(AppendFate::All), Just(AppendFate::Nothing)];
    prop_oneof![
        6 => (0..RUNS.len(), listing()).prop_map(|(run, listing)| ModelStep::Join(run, listing)),
        2 => (0..RUNS.len(), listing()).prop_map(|(run, listing)| ModelStep::TakeOver(run, listing)),
        3 => who().prop_map(ModelStep::Heartbeat),
        2 => (who(), lease()).prop_map(|(who, lease)| ModelStep::Lease(who, lease)),
        4 => (who(), proptest::option::weighted(0.7, 0..90_u64), any::<(bool, bool)>())
            .prop_map(|(who, seconds, of)| ModelStep::Suspend(who, seconds, of)),
        1 => who().prop_map(ModelStep::Resume),
        1 => who().prop_map(ModelStep::Leave),
        1 => who().prop_map(ModelStep::End),
        12 => (who(), letter()).prop_map(|(who, letter)| ModelStep::Send(who, letter)),
        3 => (who(), proptest::option::of(0..6_u8), 0..2_usize)
            .prop_map(|(who, under, says)| ModelStep::Store(who, (under, says))),
        4 => (who(), letter(), 0..6_usize)
            .prop_map(|(who, letter, body)| ModelStep::PassOn(who, letter, body)),
        4 => (asker(), 0..6_usize).prop_map(|(who, body)| ModelStep::FetchBody(who, body)),
        4 => (asker(), 0..6_usize).prop_map(|(who, body)| ModelStep::Erase(who, body)),
        10 => (who(), 0..6_u8, 0..4_u64).prop_map(|(who, id, max)| ModelStep::Receive(who, id, max)),
        5 => (by(), 0..6_usize).prop_map(|(by, claim)| ModelStep::Ack(by, claim)),
        2 => (by(), 0..6_usize).prop_map(|(by, claim)| ModelStep::AckUpTo(by, claim)),
        2 => (by(), 0..6_usize, 0..70_u64)
            .prop_map(|(by, claim, delay)| ModelStep::Release(by, claim, delay)),
        2 => (by(), 0..6_usize).prop_map(|(by, claim)| ModelStep::Extend(by, claim)),
        3 => (by(), 0..6_usize).prop_map(|(by, claim)| ModelStep::Replay(by, claim)),
        3 => (by(), 0..6_usize).prop_map(|(by, message)| ModelStep::Withdraw(by, message)),
        12 => (who(), 0..3_usize, 0..40_u8)
            .prop_map(|(who, asked, key)| ModelStep::Reply(who, asked, key)),
        6 => (who(), wait()).prop_map(|(who, wait)| ModelStep::Wait(who, wait)),
        3 => (by(), 0..6_usize).prop_map(|(by, wake)| ModelStep::Cancel(by, wake)),
        5 => (who(), 0..40_u8, 1..4_u8)
            .prop_map(|(who, key, count)| ModelStep::Report(who, key, count)),
        5 => (who(), 0..30_u64, 1..5_u64)
            .prop_map(|(who, first, count)| ModelStep::ReportFrom(who, first, count)),
        2 => (who(), proptest::option::of(0..30_u64))
            .prop_map(|(who, through)| ModelStep::Miss(who, through)),
        1 => (who(), 0..40_u64).prop_map(|(who, at)| ModelStep::EndFrom(who, at)),
        4 => (proptest::sample::select(ManagedBy::ALL), rewiring())
            .prop_map(|(by, change)| ModelStep::Rewire(by, change)),
        5 => (who(), proptest::option::of(0..40_u8))
            .prop_map(|(who, key)| ModelStep::Intend(who, key)),
        3 => (by(), 0..4_usize, of()).prop_map(|(by, effect, of)| ModelStep::Attempt(by, effect, of)),
        3 => (by(), 0..4_usize, of()).prop_map(|(by, effect, of)| ModelStep::Result(by, effect, of)),
        6 => (0..50_u64).prop_map(ModelStep::Advance),
        2 => (60..90_u64).prop_map(ModelStep::Advance),
        2 => (1..90_u64).prop_map(ModelStep::Pause),
        1 => Just(ModelStep::Crash),
        1 => Just(ModelStep::Restart),
        2 => (failing(), kept).prop_map(|(what, kept)| ModelStep::Fail(what, kept)),
        4 => kept_as_declared(),
    ]
}

fn rewiring() -> impl Strategy<Value = Rewiring> {
    let run = || 0..RUNS.len();
    prop_oneof![
        3 => (run(), run()).prop_map(|(a, b)| Rewiring::Wire(a, b)),
        2 => (run(), run()).prop_map(|(a, b)| Rewiring::Unwire(a, b)),
        1 => (run(), run()).prop_map(|(of, to)| Rewiring::Alias(of, to)),
        1 => run().prop_map(Rewiring::Unalias),
        1 => (run(), proptest::option::of(0..3_u8)).prop_map(|(of, to)| Rewiring::Label(of, to)),
    ]
}
