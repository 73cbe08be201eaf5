//! The steps of a history that are about bodies: stored by themselves, sent, fetched and erased.

use heronry_pool::{
    Caller, Rejection,
    decide::{SendMessage, SendRequest},
};
use heronry_runtime::{BodyError, ContentScope};
use heronry_tests::{canary, key, run};
use heronry_types::{Body, ContentRef};

use super::{
    messages::said,
    play::{Play, check_barred, check_conflict},
    steps::{Letter, RUNS, Who},
};

/// A body that there is, or was.
#[derive(Clone, Debug)]
pub(super) struct Known {
    content_ref: ContentRef,
    /// The run that stored it by itself; absent for one that came with a message.
    stored_by: Option<usize>,
    says: &'static str,
}

/// The texts of stored bodies; messages that bring their own say `work`.
const SAYS: [&str; 2] = ["one", "other"];
/// The text of a body that its message brings.
const WORK: &str = "work";

fn text(says: &str) -> Body {
    Body::text(canary::said(says))
}

#[track_caller]
fn check_refused(error: &BodyError, expected: &Rejection) {
    let BodyError::Call(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.rejection(), Some(expected));
}

impl Play {
    /// Remembers the body that came with a message.
    pub(super) fn note_body(&mut self, content_ref: ContentRef) {
        if self.contents.iter().all(|it| it.content_ref != content_ref) {
            self.contents.push(Known {
                content_ref,
                stored_by: None,
                says: WORK,
            });
        }
    }

    fn known(&self, number: usize) -> Option<Known> {
        self.contents.iter().rev().nth(number).cloned()
    }

    /// Returns a body, counted from the newest, unless it is erased.
    pub(super) fn not_erased(&self, number: usize) -> Option<ContentRef> {
        let content_ref = self.known(number)?.content_ref;
        let erased_at = self.ledger.content(content_ref).erased_at;
        erased_at.is_none().then_some(content_ref)
    }

    /// A member, or an operator.
    fn asker(&self, who: Option<Who>) -> (Caller, Option<Rejection>) {
        let Some(who) = who else {
            return (Caller::Operator, None);
        };
        let caller = self.caller(who);
        let barred = self.barred(&caller);
        (caller, barred)
    }

    /// Stores a body by itself, under a key or under none; the key of a body has one body.
    pub(super) async fn store(&mut self, who: Who, (under, says): (Option<u8>, usize)) {
        self.catch_up().await;
        let (caller, barred) = self.asker(Some(who));
        let says = SAYS[says];
        let Some(under) = under else {
            let stored = self.pool().store_body(caller, text(says)).await;
            return match (stored, barred) {
                (Ok(stored), None) => self.contents.push(Known {
                    content_ref: stored.content_ref,
                    stored_by: Some(who.run),
                    says,
                }),
                (Err(error), Some(barred)) => check_refused(&error, &barred),
                (stored, barred) => panic!("{stored:?} instead of {barred:?}"),
            };
        };
        let scope = ContentScope {
            run: Some(run(RUNS[who.run])),
            key: key(&format!("body {under}")),
        };
        let before = self.stored.get(&(who.run, under)).cloned();
        let stored = self.pool().store_body_once(caller, scope, text(says)).await;
        // What the key has stored is looked at first: of a member that is barred, too.
        match (stored, before, barred) {
            (Ok(stored), None, None) => {
                assert_eq!((stored.repeated, stored.erased_at), (false, None));
                let known = Known {
                    content_ref: stored.content_ref,
                    stored_by: Some(who.run),
                    says,
                };
                self.stored.insert((who.run, under), known.clone());
                self.contents.push(known);
            }
            (Ok(stored), Some(before), _) => {
                assert_eq!(before.says, says, "a key has one body");
                assert_eq!(
                    (stored.content_ref, stored.repeated),
                    (before.content_ref, true)
                );
                let erased_at = self.ledger.content(stored.content_ref).erased_at;
                assert_eq!(stored.erased_at, erased_at, "nothing brings it back");
            }
            (Err(error), Some(before), _) => {
                assert_ne!(before.says, says);
                check_refused(&error, &Rejection::ContentConflict);
            }
            (Err(error), None, Some(barred)) => check_refused(&error, &barred),
            (stored, None, barred) => panic!("{stored:?} instead of {barred:?}"),
        }
    }

    /// Sends a body that there is, or was, counted from the newest.
    pub(super) async fn pass_on(&mut self, who: Who, (letter, number): (Letter, usize)) {
        self.catch_up().await;
        let Some(known) = self.known(number) else {
            return;
        };
        let caller = self.caller(who);
        let found = self.pool().stored(caller.clone(), known.content_ref).await;
        let is_own = known.stored_by == Some(who.run);
        let hidden = self.unread(&caller, &known).filter(|_| !is_own);
        let content = match (found, hidden) {
            (Ok(content), None) => content,
            (Err(error), Some(expected)) => return check_refused(&error, &expected),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        };
        let request = SendRequest {
            content,
            ..Self::request(letter)
        };
        // A request is the same when its body says the same, wherever that is from.
        let said = match known.says {
            WORK => said(letter),
            says => format!("{} with {says}", said(letter)),
        };
        let erased_at = self.ledger.content(known.content_ref).erased_at;
        let erased = erased_at.map(|erased_at| Rejection::ContentErased { erased_at });
        let refused = self.barred(&caller).or(erased);
        let refused = refused.or_else(|| self.refused(who, letter));
        let name = (who.run, letter.key.to_string());
        let send = SendMessage::new(caller, run(RUNS[who.run]), request);
        let answer = self.pool().call(send).await;
        match self.asked.get(&name) {
            Some((before, first)) if *before == said => {
                let again = answer.unwrap();
                assert!(again.repeated, "an equal request has the same outcome");
                assert_eq!(again.receipt.cursor, *first);
            }
            Some((_, first)) => check_conflict(&answer, *first),
            None => {
                check_barred(&answer, refused.as_ref());
                if let Ok(sent) = answer {
                    assert_eq!(sent.receipt.content_ref, known.content_ref);
                    self.note_sent(name, said, &sent.receipt);
                }
            }
        }
    }

    /// Returns the reason why a caller does not get a body that there may be: the caller neither
    /// sent nor received it.
    fn unread(&self, caller: &Caller, known: &Known) -> Option<Rejection> {
        let Caller::Member { run, .. } = caller else {
            return None;
        };
        let readers = self.ledger.content(known.content_ref).readers;
        (!readers.contains(run)).then_some(Rejection::ContentMissing)
    }

    /// Fetches a body: whoever sent or received it gets it, until it is erased.
    pub(super) async fn fetch_body(&mut self, who: Option<Who>, number: usize) {
        self.catch_up().await;
        let Some(known) = self.known(number) else {
            return;
        };
        let (caller, barred) = self.asker(who);
        let erased_at = self.ledger.content(known.content_ref).erased_at;
        let erased = erased_at.map(|erased_at| Rejection::ContentErased { erased_at });
        let expected = barred.or(self.unread(&caller, &known)).or(erased);
        let fetched = self.pool().body(caller, known.content_ref).await;
        match (fetched, expected) {
            (Ok(fetched), None) => assert_eq!(fetched.body, text(known.says)),
            (Err(error), Some(expected)) => check_refused(&error, &expected),
            (fetched, expected) => panic!("{fetched:?} instead of {expected:?}"),
        }
    }

    /// Erases a body: its first sender may, who stored it, and an operator.
    pub(super) async fn erase(&mut self, who: Option<Who>, number: usize) {
        self.catch_up().await;
        let Some(known) = self.known(number) else {
            return;
        };
        let (caller, barred) = self.asker(who);
        let before = self.ledger.content(known.content_ref);
        let is_owner = who.is_none_or(|who| {
            known.stored_by == Some(who.run) || before.first_sender == Some(run(RUNS[who.run]))
        });
        let foreign = (!is_owner).then_some(Rejection::ContentMissing);
        // A repeat adds nothing, but that a lost caller is back.
        let is_back = matches!(&caller, Caller::Member { run, .. } if self.ledger.is_lost(run));
        let erased = self.pool().erase_body(caller, known.content_ref).await;
        let head = self.ledger.head().plus(u64::from(is_back));
        self.read().await;
        match (erased, barred.or(foreign)) {
            (Ok(left), None) => {
                let now = self.ledger.content(known.content_ref).erased_at;
                assert_eq!(Some(left.erased_at), now);
                assert_eq!(left.bytes, text(known.says).bytes.len() as u64);
                let is_first = before.erased_at.is_none();
                assert!(is_first || (before.erased_at, self.ledger.head()) == (now, head));
            }
            (Err(error), Some(expected)) => check_refused(&error, &expected),
            (erased, expected) => panic!("{erased:?} instead of {expected:?}"),
        }
    }
}
