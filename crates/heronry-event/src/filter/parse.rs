//! Tokens to an expression, with every syntax error and a bound on nesting.

mod operand;

use std::ops::Range;

use operand::postfix;

use winnow::stream::{Stateful, Stream, TokenSlice};

use super::{
    error::{ErrorKind, Faults, Limit},
    lex::{LexToken, Lexeme, Symbol},
    syntax::{Expression, Node, Operator},
};

/// The state of the parser, beside the tokens that are left.
#[derive(Debug)]
struct ParseProgress<'f> {
    faults: &'f mut Faults,
    depth: usize,
    end: usize,
    /// Set when the text nests too deep: the rest is unread, and nothing more is reported.
    is_stopped: bool,
}

type Tokens<'t, 'f> = Stateful<TokenSlice<'t, LexToken>, ParseProgress<'f>>;

/// Returns the expression that the tokens of a text of `end` bytes make up; what is wrong goes to
/// `faults`.
pub(super) fn expression(tokens: &[LexToken], end: usize, faults: &mut Faults) -> Expression {
    let mut input = Stateful {
        input: TokenSlice::new(tokens),
        state: ParseProgress {
            faults,
            depth: 0,
            end,
            is_stopped: false,
        },
    };
    let whole = conditional(&mut input);
    while input.peek_token().is_some() {
        unexpected(&mut input, "&& or ||");
        while !at_any(&input, &[Symbol::And, Symbol::Or]) && input.next_token().is_some() {}
        if input.next_token().is_some() {
            conditional(&mut input);
        }
    }
    whole
}

/// Refuses the next token, naming what should stand there.
fn unexpected(input: &mut Tokens<'_, '_>, expected: &str) {
    if input.state.is_stopped {
        return;
    }
    let (span, found) = match input.peek_token() {
        Some(token) => (token.span.clone(), describe(&token.lexeme)),
        None => (input.state.end..input.state.end, "the end".to_owned()),
    };
    let message = format!("expected {expected}, found {found}");
    input.state.faults.push(ErrorKind::Syntax, &span, message);
}

fn describe(lexeme: &Lexeme) -> String {
    match lexeme {
        Lexeme::Word(word) => format!("`{word}`"),
        Lexeme::Text(_) => "a text".to_owned(),
        Lexeme::Integer(value) => format!("`{value}`"),
        Lexeme::Symbol(symbol) => format!("`{}`", symbol.written()),
        Lexeme::Broken => "a literal".to_owned(),
    }
}

fn at(input: &Tokens<'_, '_>, symbol: Symbol) -> bool {
    input
        .peek_token()
        .is_some_and(|token| token.lexeme == Lexeme::Symbol(symbol))
}

fn at_any(input: &Tokens<'_, '_>, symbols: &[Symbol]) -> bool {
    symbols.iter().any(|symbol| at(input, *symbol))
}

/// Takes the symbol when it stands next.
fn take(input: &mut Tokens<'_, '_>, symbol: Symbol) -> Option<Range<usize>> {
    if at(input, symbol) {
        input.next_token().map(|token| token.span.clone())
    } else {
        None
    }
}

/// Takes one of the symbols when it stands next.
fn take_any(input: &mut Tokens<'_, '_>, symbols: &[Symbol]) -> Option<(Symbol, Range<usize>)> {
    symbols
        .iter()
        .find_map(|symbol| take(input, *symbol).map(|span| (*symbol, span)))
}

/// Takes a closing symbol or refuses what stands in its place; returns where it ends.
fn close(input: &mut Tokens<'_, '_>, symbol: Symbol, start: usize) -> usize {
    if let Some(span) = take(input, symbol) {
        return span.end;
    }
    unexpected(input, symbol.written());
    start.max(place(input).start)
}

fn place(input: &Tokens<'_, '_>) -> Range<usize> {
    let end = input.state.end;
    input.peek_token().map_or(end..end, |t| t.span.clone())
}

fn refuse(input: &mut Tokens<'_, '_>, span: &Range<usize>, what: &str) {
    let message = format!("{what} not supported in filters");
    input
        .state
        .faults
        .push(ErrorKind::Unsupported, span, message);
}

fn broken(span: Range<usize>) -> Expression {
    Expression {
        span,
        node: Node::Broken,
    }
}

/// Leaves the rest of a text that nests too deep unread.
fn stop(input: &mut Tokens<'_, '_>) -> Range<usize> {
    let span = place(input);
    if !input.state.is_stopped {
        input.state.faults.limit(Limit::DepthMax, &span);
    }
    input.state.is_stopped = true;
    input.finish();
    span
}

/// Parses one level deeper, unless that is too deep.
fn nested(input: &mut Tokens<'_, '_>, parse: fn(&mut Tokens<'_, '_>) -> Expression) -> Expression {
    if input.state.depth >= Limit::DepthMax.max() {
        return broken(stop(input));
    }
    input.state.depth += 1;
    let expression = parse(input);
    input.state.depth -= 1;
    expression
}

/// `a ? b : c`, which is refused, or any other expression.
fn conditional(input: &mut Tokens<'_, '_>) -> Expression {
    let condition = any_of(input);
    let Some(span) = take(input, Symbol::Question) else {
        return condition;
    };
    refuse(input, &span, "the conditional `?:` is");
    nested(input, conditional);
    close(input, Symbol::Colon, span.end);
    let last = nested(input, conditional);
    broken(condition.span.start..last.span.end)
}

fn any_of(input: &mut Tokens<'_, '_>) -> Expression {
    chain(input, Symbol::Or, all_of, Node::Any)
}

fn all_of(input: &mut Tokens<'_, '_>) -> Expression {
    chain(input, Symbol::And, comparison, Node::All)
}

/// Parses parts between operators; a single part stands for itself.
fn chain(
    input: &mut Tokens<'_, '_>,
    operator: Symbol,
    part: fn(&mut Tokens<'_, '_>) -> Expression,
    join: fn(Vec<Expression>) -> Node,
) -> Expression {
    let first = part(input);
    if !at(input, operator) {
        return first;
    }
    let mut span = first.span.clone();
    let mut parts = vec![first];
    while take(input, operator).is_some() {
        let next = part(input);
        span.end = next.span.end;
        parts.push(next);
    }
    Expression {
        span,
        node: join(parts),
    }
}

fn operator(input: &mut Tokens<'_, '_>) -> Option<Operator> {
    let operator = match &input.peek_token()?.lexeme {
        Lexeme::Word(word) if word == "in" => Operator::In,
        Lexeme::Symbol(Symbol::Equal) => Operator::Equal,
        Lexeme::Symbol(Symbol::Unequal) => Operator::Unequal,
        Lexeme::Symbol(Symbol::Less) => Operator::Less,
        Lexeme::Symbol(Symbol::AtMost) => Operator::AtMost,
        Lexeme::Symbol(Symbol::Greater) => Operator::Greater,
        Lexeme::Symbol(Symbol::AtLeast) => Operator::AtLeast,
        Lexeme::Word(_)
        | Lexeme::Text(_)
        | Lexeme::Integer(_)
        | Lexeme::Symbol(_)
        | Lexeme::Broken => return None,
    };
    input.next_token();
    Some(operator)
}

fn comparison(input: &mut Tokens<'_, '_>) -> Expression {
    let left = sum(input);
    let Some(first) = operator(input) else {
        return left;
    };
    let right = sum(input);
    let mut span = left.span.start..right.span.end;
    let mut node = Node::Compare(first, Box::new((left, right)));
    while operator(input).is_some() {
        span.end = sum(input).span.end;
        let message = "comparisons cannot be chained; join them with &&".to_owned();
        input
            .state
            .faults
            .push(ErrorKind::Unsupported, &span, message);
        node = Node::Broken;
    }
    Expression { span, node }
}

/// Arithmetic, which is refused, or a single operand.
fn sum(input: &mut Tokens<'_, '_>) -> Expression {
    const ARITHMETIC: [Symbol; 5] = [
        Symbol::Plus,
        Symbol::Minus,
        Symbol::Times,
        Symbol::Divide,
        Symbol::Remainder,
    ];
    let mut operand = unary(input);
    while let Some((symbol, at)) = take_any(input, &ARITHMETIC) {
        refuse(
            input,
            &at,
            &format!("arithmetic (`{}`) is", symbol.written()),
        );
        operand = broken(operand.span.start..unary(input).span.end);
    }
    operand
}

fn unary(input: &mut Tokens<'_, '_>) -> Expression {
    if let Some(bang) = take(input, Symbol::Not) {
        let inner = nested(input, unary);
        return Expression {
            span: bang.start..inner.span.end,
            node: Node::Not(Box::new(inner)),
        };
    }
    let Some(minus) = take(input, Symbol::Minus) else {
        return postfix(input);
    };
    let inner = nested(input, unary);
    let span = minus.start..inner.span.end;
    let Node::Integer(value) = inner.node else {
        refuse(input, &span, "arithmetic (`-`) is");
        return broken(span);
    };
    Expression {
        span,
        node: Node::Integer(value.wrapping_neg()),
    }
}
