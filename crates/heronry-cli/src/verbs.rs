//! The verbs: each reads its arguments, asks the server once or more, and prints the answer.

pub(crate) mod aliases;
mod answers;
pub(crate) mod ask;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod bridge;
pub(crate) mod completions;
pub(crate) mod consumers;
pub(crate) mod contents;
pub(crate) mod dead_letters;
pub(crate) mod edges;
pub(crate) mod effects;
pub(crate) mod emit;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod forget;
pub(crate) mod help;
pub(crate) mod hold;
pub(crate) mod inbox;
pub(crate) mod journal;
pub(crate) mod labels;
pub(crate) mod man;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod pool;
pub(crate) mod restore;
pub(crate) mod roster;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod wait;
pub(crate) mod wakes;
pub(crate) mod watch;

use clap::Subcommand;

use crate::{
    connect::Context,
    failure::{Failure, Outcome},
    fields,
    out::Format,
    up::{self, UpArgs},
};

/// The verbs of the program.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Serve(serve::ServeArgs),
    Up(UpArgs),
    Status(status::StatusArgs),
    #[command(subcommand)]
    Pool(pool::PoolVerb),
    Join(members::JoinArgs),
    Leave(members::LeaveArgs),
    Heartbeat(members::HeartbeatArgs),
    Members(members::MembersArgs),
    State(members::StateArgs),
    #[command(subcommand)]
    Edges(edges::EdgesVerb),
    #[command(subcommand)]
    Aliases(aliases::AliasesVerb),
    #[command(subcommand)]
    Labels(labels::LabelsVerb),
    #[command(subcommand)]
    Roster(roster::RosterVerb),
    Modules(roster::ModulesArgs),
    Send(messages::SendArgs),
    Ask(ask::AskArgs),
    Receipt(messages::ReceiptArgs),
    Cancel(messages::CancelArgs),
    Body(messages::BodyArgs),
    #[command(subcommand)]
    Contents(contents::ContentsVerb),
    Inbox(inbox::InboxArgs),
    Ack(inbox::AckArgs),
    Release(inbox::ReleaseArgs),
    Extend(hold::ExtendArgs),
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersVerb),
    #[command(subcommand)]
    Effects(effects::EffectsVerb),
    Emit(emit::EmitArgs),
    Bridge(bridge::BridgeArgs),
    Wait(wait::WaitArgs),
    Wakes(wakes::WakesArgs),
    Explain(wakes::ExplainArgs),
    Forget(forget::ForgetArgs),
    Watch(watch::WatchArgs),
    Export(export::ExportArgs),
    #[command(subcommand)]
    Consumers(consumers::ConsumersVerb),
    #[command(subcommand)]
    Filter(filter::FilterVerb),
    #[command(subcommand)]
    Journal(journal::JournalVerb),
    #[command(subcommand)]
    Store(store::StoreVerb),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    #[command(subcommand)]
    Token(token::TokenVerb),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Help(help::HelpArgs),
    /// Stands between a host of processes and a member.
    #[command(name = "__shim", hide = true)]
    Shim {
        /// The file of the incarnation, the program and its arguments.
        #[arg(last = true, required = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// Verifies a store in a process of its own.
    #[command(name = "__verify", hide = true)]
    Verify(journal::verify::VerifyArgs),
}

/// Runs a verb.
pub(crate) async fn run(cx: Context, verb: Verb) -> Result<u8, Failure> {
    if let Format::Fields(paths) = cx.out.format() {
        fields::check(verb.answer(), paths)?;
    }
    let outcome: Outcome = match verb {
        Verb::Serve(args) => serve::run(cx, args).await,
        Verb::Up(args) => up::run(cx, args).await,
        Verb::Status(args) => status::run(&cx, args).await,
        Verb::Pool(verb) => pool::run(&cx, verb).await,
        Verb::Join(args) => members::join(&cx, args).await,
        Verb::Leave(args) => members::leave(&cx, &args).await,
        Verb::Heartbeat(args) => members::heartbeat(&cx, args).await,
        Verb::Members(args) => members::list(&cx, args).await,
        Verb::State(args) => members::state(&cx, args).await,
        Verb::Edges(verb) => edges::run(&cx, verb).await,
        Verb::Aliases(verb) => aliases::run(&cx, verb).await,
        Verb::Labels(verb) => labels::run(&cx, verb).await,
        Verb::Roster(verb) => roster::run(&cx, verb).await,
        Verb::Modules(args) => roster::modules(&cx, args).await,
        Verb::Send(args) => messages::send(&cx, args).await,
        Verb::Ask(args) => ask::run(&cx, args).await,
        Verb::Receipt(args) => messages::receipt(&cx, &args).await,
        Verb::Cancel(args) => messages::cancel(&cx, &args).await,
        Verb::Body(args) => messages::body(&cx, &args).await,
        Verb::Contents(verb) => contents::run(&cx, verb).await,
        Verb::Inbox(args) => inbox::receive(&cx, args).await,
        Verb::Ack(args) => inbox::ack(&cx, args).await,
        Verb::Release(args) => inbox::release(&cx, args).await,
        Verb::Extend(args) => hold::extend(&cx, args).await,
        Verb::DeadLetters(verb) => dead_letters::run(&cx, verb).await,
        Verb::Effects(verb) => effects::run(&cx, verb).await,
        Verb::Emit(args) => emit::run(&cx, args).await,
        Verb::Bridge(args) => bridge::run(&cx, args).await,
        Verb::Wait(args) => wait::run(&cx, args).await,
        Verb::Wakes(args) => wakes::run(&cx, &args).await,
        Verb::Explain(args) => wakes::explain(&cx, &args).await,
        Verb::Forget(args) => forget::run(&cx, &args),
        Verb::Watch(args) => watch::run(&cx, args).await,
        Verb::Export(args) => Box::pin(export::run(&cx, args)).await,
        Verb::Consumers(verb) => consumers::run(&cx, verb).await,
        Verb::Filter(verb) => filter::run(&cx, &verb),
        Verb::Journal(verb) => journal::run(&cx, verb).await,
        Verb::Store(verb) => store::run(&cx, verb).await,
        Verb::Backup(args) => backup::run(&cx, &args).await,
        Verb::Restore(args) => restore::run(cx, &args).await,
        Verb::Token(verb) => token::run(&cx, &verb),
        Verb::Bench(args) => bench::run(&cx, args).await,
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
        Verb::Help(args) => help::run(&args),
        Verb::Shim { arguments } => return up::shim(&arguments).await,
        Verb::Verify(args) => journal::verify::run_child(&args).await,
    };
    outcome.map(crate::failure::Exit::code)
}
