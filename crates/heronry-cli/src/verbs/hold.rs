//! `heronry extend`, and what keeps claims held while somebody works: `inbox --keep`,
//! `heartbeat --claims`.

use std::{io, time::Duration};

use clap::Args;
use heronry_client::{ClientError, PoolClient, WaitPieces};
use heronry_types::{Cursor, LimitName, Millis, RunId};
use heronry_wire::{ClaimName, ClaimsExtended, EventsQuery, ExtendClaims, ProblemKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    connect::{Context, refused},
    durations,
    failure::{Exit, Failure, Outcome},
    out::RowsPlace,
};

/// The time that claims are held when the command names none.
const CLAIM_DEFAULT: Millis = Millis::from_secs(60);
/// The longest time that one request waits for an acknowledgement.
const POLL_MAX: Millis = Millis::from_secs(20);

/// Hold claims for longer
#[derive(Debug, Args)]
#[command(
    after_help = "Claims that were acknowledged need nothing and are left out. When one is not held any more, none \
is extended, and the exit code is 3.\n\n\
Example:\n  heronry --pool review --run scanner-1 extend 12@14 --claim-for 5m"
)]
pub(crate) struct ExtendArgs {
    /// The claims that an inbox showed
    #[arg(value_name = "CLAIM", required = true)]
    claims: Vec<String>,
    /// The new term of the claims, from now [default: 60s]
    #[arg(long, value_name = "SPAN", value_parser = durations::parse)]
    claim_for: Option<Millis>,
}

pub(crate) async fn extend(cx: &Context, args: ExtendArgs) -> Outcome {
    let (pool, run) = (cx.pool()?, cx.run()?);
    let mut term = HoldTerm::of(args.claim_for);
    let mut extend = ExtendClaims {
        claims: args.claims.into_iter().map(ClaimName).collect(),
        claim_ms: term.span(),
    };
    let extended = loop {
        match pool.extend(run, &extend).await {
            Ok(extended) => break extended,
            Err(error) => term.fit(error).map_err(refused)?,
        }
        extend.claim_ms = term.span();
    };
    show(cx, &extended)?;
    Ok(Exit::Ok)
}

/// Prints which claims are held now.
pub(super) fn show(cx: &Context, extended: &ClaimsExtended) -> Result<(), Failure> {
    cx.out.answer(extended, RowsPlace::Whole, || {
        let held: Vec<&str> = extended.held.iter().map(|it| it.0.as_str()).collect();
        match &*held {
            [] => "no claim is held any more".to_owned(),
            held => format!("held longer at {}: {}", extended.cursor, held.join(" ")),
        }
    })
}

/// The term for which an extension holds claims.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum HoldTerm {
    /// For as long as was asked for.
    Asked(Millis),
    /// For the usual time, or as long as the pool allows.
    Usual(Millis),
}

impl HoldTerm {
    fn of(asked: Option<Millis>) -> Self {
        asked.map_or(Self::Usual(CLAIM_DEFAULT), Self::Asked)
    }

    fn span(self) -> Millis {
        match self {
            Self::Asked(span) | Self::Usual(span) => span,
        }
    }

    /// Makes the usual time as short as the pool wants it, when a refusal names that limit.
    fn fit(&mut self, error: ClientError) -> Result<(), ClientError> {
        match (&mut *self, error.crossed(LimitName::ClaimMsMax)) {
            (Self::Usual(span), Some(max)) if max < span.0 => {
                *span = Millis(max);
                Ok(())
            }
            (Self::Usual(_) | Self::Asked(_), Some(_) | None) => Err(error),
        }
    }
}

/// Claims that are held for somebody who works.
#[derive(Debug)]
pub(super) struct HeldWork {
    run: RunId,
    claims: Vec<ClaimName>,
    term: HoldTerm,
    /// True when one of them was lost.
    lost: bool,
}

impl HeldWork {
    /// Returns claims that each extension holds for this time; nothing: for the usual one.
    pub(super) fn new(run: &RunId, claims: Vec<ClaimName>, asked: Option<Millis>) -> Self {
        Self {
            run: run.clone(),
            claims,
            term: HoldTerm::of(asked),
            lost: false,
        }
    }

    /// Returns true when nothing is held any more.
    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Returns how long the claims can be left alone: a third of their term.
    fn tick(&self) -> Millis {
        Millis((self.term.span().0 / 3).max(1))
    }

    /// Extends what is held. What was acknowledged or given back drops out; so does what has lapsed,
    /// which is said.
    pub(super) async fn extend(
        &mut self,
        cx: &Context,
        pool: &PoolClient,
    ) -> Result<ClaimsExtended, Failure> {
        loop {
            let extend = ExtendClaims {
                claims: self.claims.clone(),
                claim_ms: self.term.span(),
            };
            match pool.extend(&self.run, &extend).await {
                Ok(extended) => {
                    self.claims.clone_from(&extended.held);
                    return Ok(extended);
                }
                Err(error) => {
                    let other = self.term.fit(error).err();
                    other.map_or(Ok(()), |error| self.drop_lapsed(cx, error))?;
                }
            }
        }
    }

    fn drop_lapsed(&mut self, cx: &Context, error: ClientError) -> Result<(), Failure> {
        let named = error.problem().and_then(|it| it.members.get("claims"));
        let named = named.and_then(|names| serde_json::from_value(names.clone()).ok());
        let lapsed: Vec<ClaimName> = named.unwrap_or_default();
        let count = self.claims.len();
        self.claims.retain(|claim| !lapsed.contains(claim));
        if !error.is(ProblemKind::ClaimLapsed) || self.claims.len() == count {
            return Err(refused(error));
        }
        self.lost = true;
        for claim in lapsed {
            cx.out.note(&format!(
                "{claim} is not held any more: it was given back, or has lapsed"
            ));
        }
        Ok(())
    }

    /// Holds the claims until none is held any more, or nobody reads what this process printed.
    ///
    /// Between two extensions it waits for the run to acknowledge or give back something, so that it
    /// ends at once with the last of them.
    pub(super) async fn keep(
        mut self,
        cx: &Context,
        (pool, claimed): (&PoolClient, Cursor),
    ) -> Outcome {
        let mut seen = claimed;
        while !self.is_empty() {
            if !is_read()? {
                return Ok(Exit::Ok);
            }
            seen = self.acked_or_due(pool, seen).await?;
            self.extend(cx, pool).await?;
        }
        Ok(self.exit())
    }

    /// Returns how a command ends that held them.
    pub(super) fn exit(&self) -> Exit {
        if self.lost { Exit::Refused } else { Exit::Ok }
    }

    /// Waits until the run acknowledges or gives back something after this cursor, or until the claims
    /// have to be extended.
    async fn acked_or_due(&self, pool: &PoolClient, seen: Cursor) -> Result<Cursor, Failure> {
        let kinds = r#"kind in ["run_message_acked", "run_message_released"]"#;
        let run = serde_json::to_string(self.run.as_str()).map_err(Failure::failed)?;
        let mut query = EventsQuery {
            filter: Some(format!("{kinds} && run == {run}")),
            after: Some(seen),
            limit: Some(1),
            ..EventsQuery::default()
        };
        let mut pieces = WaitPieces::of(Some(self.tick().min(POLL_MAX)), POLL_MAX);
        loop {
            query.wait_ms = pieces.next();
            match pool.events(&query).await {
                Ok(page) if !page.events.is_empty() || !pieces.passed().await => {
                    return Ok(page.scanned_to);
                }
                Ok(page) => query.after = Some(page.scanned_to),
                // The filter is ours: where only shorter ones are taken, every event is looked at.
                Err(error)
                    if query.filter.is_some()
                        && error.crossed(LimitName::FilterTextBytesMax).is_some() =>
                {
                    query.filter = None;
                }
                Err(error) => pieces.fit(error).map_err(refused)?,
            }
        }
    }
}

/// Waits out a pause.
pub(super) async fn pause(length: Millis) {
    // Nothing can end the inner future: the outer one ends by its time alone.
    let ended = tokio::time::timeout(Duration::from(length), std::future::pending::<()>()).await;
    debug_assert!(ended.is_err(), "a pending future does not end");
}

/// Returns false when stdout is a pipe that nobody reads any more.
fn is_read() -> Result<bool, Failure> {
    let out = io::stdout();
    let mut asked = [PollFd::new(&out, PollFlags::OUT)];
    let now = Timespec::default();
    let polled = rustix::io::retry_on_intr(|| poll(&mut asked, Some(&now)));
    polled.map_err(|error| Failure::failed(format_args!("cannot look at stdout: {error}")))?;
    let is_gone = |it: &PollFd<'_>| it.revents().intersects(PollFlags::ERR | PollFlags::NVAL);
    Ok(!asked.iter().any(is_gone))
}
