//! Properties of every filter and every envelope.

use crate::support::{Expr, cases, envelope, expr, meaning, written};
use heronry_event::{
    Envelope,
    filter::{Filter, Fingerprint, Known, Limit, Outline},
};
use heronry_types::Id;
use proptest::prelude::*;

/// Returns the result of compiling a filter: its fingerprint, or the limit that it exceeds.
fn compiled(text: &str) -> Result<Fingerprint, Limit> {
    match Filter::compile(text) {
        Ok(filter) => Ok(*filter.fingerprint()),
        Err(errors) => Err(errors.limit().unwrap_or_else(|| panic!("{text}: {errors}"))),
    }
}

/// Pseudo-random choices from a seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// Says the same in other words: reordered, repeated, by `||` of `==`, by De Morgan.
fn reworded(expr: &Expr, choices: &mut Choices) -> Expr {
    let expr = match expr {
        Expr::OneOf(place, texts) if choices.below(2) == 0 && !texts.is_empty() => {
            let equal = |text: &String| Expr::Equal(place.clone(), text.clone());
            Expr::Any(texts.iter().map(equal).collect())
        }
        Expr::Equal(place, text) if choices.below(2) == 0 => {
            Expr::OneOf(place.clone(), vec![text.clone(), text.clone()])
        }
        Expr::Not(inner) => not(reworded(inner, choices)),
        Expr::All(parts) => negated_join(parts, choices, Expr::All, Expr::Any),
        Expr::Any(parts) => negated_join(parts, choices, Expr::Any, Expr::All),
        Expr::OneOf(..)
        | Expr::Equal(..)
        | Expr::Unequal(..)
        | Expr::Starts(..)
        | Expr::Truth(_)
        | Expr::Terminal
        | Expr::HasKey(_)
        | Expr::HasLabel(_)
        | Expr::Recipient(_)
        | Expr::Tag(_)
        | Expr::Related(..)
        | Expr::Position(..)
        | Expr::Recorded(..) => expr.clone(),
    };
    match choices.below(8) {
        0 => not(not(expr)),
        1 => Expr::All(vec![expr.clone(), expr]),
        2 => Expr::Any(vec![expr.clone(), expr]),
        _ => expr,
    }
}

fn negated_join(
    parts: &[Expr],
    choices: &mut Choices,
    join: fn(Vec<Expr>) -> Expr,
    dual: fn(Vec<Expr>) -> Expr,
) -> Expr {
    let mut parts: Vec<_> = parts.iter().map(|part| reworded(part, choices)).collect();
    let repeated = parts.get(choices.below(parts.len())).cloned();
    parts.extend(repeated);
    choices.shuffle(&mut parts);
    if choices.below(2) == 0 {
        not(dual(parts.into_iter().map(not).collect()))
    } else {
        join(parts)
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_filter_keeps_what_its_text_means(
        expr in expr(),
        envelopes in prop::collection::vec(envelope(), 8),
    ) {
        let text = written(&expr);
        if let Ok(filter) = Filter::compile(&text) {
            for envelope in &envelopes {
                prop_assert_eq!(filter.matches(envelope), meaning(&expr, envelope), "{}", text);
            }
        } else {
            prop_assert_eq!(compiled(&text), Err(Limit::TermsMax));
        }
    }

    #[test]
    fn a40_the_same_in_other_words_has_the_same_fingerprint(expr in expr(), seed: u64) {
        let other = reworded(&expr, &mut Choices(seed));
        let (text, other) = (written(&expr), written(&other));
        prop_assert_eq!(compiled(&text), compiled(&other), "{}\n{}", text, other);
    }

    #[test]
    fn a40_a_normal_form_compiles_to_itself(expr in expr()) {
        if let Ok(filter) = Filter::compile(&written(&expr)) {
            let again = Filter::compile(filter.normal_form()).unwrap();
            prop_assert_eq!(filter.normal_form(), again.normal_form());
            prop_assert_eq!(filter.fingerprint(), again.fingerprint());
            prop_assert_eq!(filter.cost(), again.cost());
        }
    }

    #[test]
    fn a40_equal_fingerprints_keep_the_same_events(
        exprs in prop::collection::vec(expr(), 3),
        envelopes in prop::collection::vec(envelope(), 6),
        seed: u64,
    ) {
        let mut choices = Choices(seed);
        let exprs = exprs.iter().flat_map(|expr| [expr.clone(), reworded(expr, &mut choices)]);
        let filters: Vec<_> = exprs.filter_map(|e| Filter::compile(&written(&e)).ok()).collect();
        for (one, other) in filters.iter().flat_map(|a| filters.iter().map(move |b| (a, b))) {
            if one.fingerprint() == other.fingerprint() {
                for envelope in &envelopes {
                    prop_assert_eq!(one.matches(envelope), other.matches(envelope));
                }
            }
        }
    }

    #[test]
    fn a_filter_and_its_negation_share_no_event(expr in expr(), envelope in envelope()) {
        let negated = Filter::compile(&written(&not(expr.clone())));
        if let (Ok(filter), Ok(negated)) = (Filter::compile(&written(&expr)), negated) {
            prop_assert_ne!(filter.matches(&envelope), negated.matches(&envelope));
        }
        let both = Expr::All(vec![expr.clone(), not(expr)]);
        if let Ok(both) = Filter::compile(&written(&both)) {
            prop_assert!(!both.matches(&envelope));
        }
    }

    #[test]
    fn what_a_filter_keeps_could_come_however_much_is_known_of_it(
        expr in expr(),
        envelope in envelope(),
        known: [bool; 5],
    ) {
        // One of the two keeps it.
        for expr in [expr.clone(), not(expr)] {
            if let Ok(filter) = Filter::compile(&written(&expr)) {
                check_outline(&filter, &envelope, known)?;
            }
        }
    }

    #[test]
    fn an_explanation_agrees_with_matching(expr in expr(), envelope in envelope()) {
        use heronry_event::filter::Explanation;
        if let Ok(filter) = Filter::compile(&written(&expr)) {
            match filter.explain(&envelope) {
                Explanation::Kept => prop_assert!(filter.matches(&envelope)),
                Explanation::KeepsNothing => prop_assert!(filter.is_nothing()),
                Explanation::Missed { near } => {
                    prop_assert!(!filter.matches(&envelope));
                    prop_assert_eq!(near.len(), filter.cost().terms);
                    for clause in near.iter().flat_map(|miss| &miss.failed) {
                        let alone = Filter::compile(&clause.clause).unwrap();
                        prop_assert!(!alone.matches(&envelope), "{}", clause);
                    }
                }
            }
        }
    }

    #[test]
    fn a43_no_text_makes_the_compiler_panic(text in "\\PC{0,120}") {
        check_errors(&text);
    }

    #[test]
    fn a43_no_soup_of_tokens_makes_the_compiler_panic(
        words in prop::collection::vec(prop::sample::select(SOUP.to_vec()), 0..40),
    ) {
        check_errors(&words.join(" "));
        check_errors(&words.concat());
    }
}

const SOUP: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "?",
    ":",
    "!",
    "-",
    "+",
    "&&",
    "||",
    "==",
    "!=",
    "<=",
    ">",
    "in",
    "run",
    "kind",
    "recipients",
    "related",
    ".exists(r,",
    "r.id",
    "correlation",
    "[\"k\"]",
    "\"a\"",
    "'b",
    "\"\"\"",
    "position",
    "42",
    "1.5",
    "timestamp(",
    "true",
    "null",
    ".startsWith(",
    "// x\n",
    "é",
];

/// Errors lie within the text, at the edges of characters, in order.
fn check_errors(text: &str) {
    let Err(errors) = Filter::compile(text) else {
        return;
    };
    assert!(!errors.as_slice().is_empty());
    assert!(errors.as_slice().is_sorted_by_key(|error| error.span.start));
    for error in &errors {
        assert!(
            text.get(error.span.clone()).is_some(),
            "{text:?}: {error:?}"
        );
        assert!(!error.message.is_empty());
    }
}

/// Checks that a filter which keeps an event has an alternative that lets in what is known of it.
fn check_outline(
    filter: &Filter,
    envelope: &Envelope,
    [whose, message, reply_to, topic, recipients]: [bool; 5],
) -> Result<(), TestCaseError> {
    let exchange = &envelope.exchange;
    let message_id = exchange.message.as_ref().map(Id::as_str);
    let replies = exchange.reply_to.as_ref().map(Id::as_str);
    let to = exchange.topic.as_ref().map(Id::as_str);
    let text = |is_known, value| match (is_known, value) {
        (false, _) => Known::Anything,
        (true, None) => Known::Nothing,
        (true, Some(value)) => Known::Only(value),
    };
    let gets = |run: &str| exchange.recipients.contains(run);
    let outline = Outline {
        identity: whose.then_some(&envelope.identity),
        message: text(message, message_id),
        reply_to: text(reply_to, replies),
        topic: text(topic, to),
        recipients: match (recipients, &*exchange.recipients) {
            (false, _) => Known::Anything,
            (true, []) => Known::Nothing,
            (true, [one]) => Known::Only(one.as_str()),
            (true, _) => Known::Among(&gets),
        },
    };
    let could = filter.cases().any(|case| {
        let named = envelope
            .identity
            .run
            .as_ref()
            .map_or("", |run| run.as_str());
        case.could_be(&outline)
            && case.kinds().any(|kind| kind == envelope.kind)
            && case
                .runs()
                .is_none_or(|mut runs| runs.any(|run| run == named))
    });
    prop_assert!(could || !filter.matches(envelope), "{filter}");
    Ok(())
}
