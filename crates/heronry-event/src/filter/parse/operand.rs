//! Operands: literals, names, lists, parentheses, and what follows a name.

use std::ops::Range;

use winnow::stream::Stream;

use super::{
    Tokens, at, at_any, broken, close, conditional, nested, place, refuse, stop, take, take_any,
    unexpected,
};
use crate::filter::{
    error::{ErrorKind, Limit},
    lex::{LexToken, Lexeme, Symbol},
    syntax::{Call, Expression, Node},
};

/// An operand with its `.member`, `[index]` and `(arguments)`.
pub(super) fn postfix(input: &mut Tokens<'_, '_>) -> Expression {
    let depth = input.state.depth;
    let mut operand = primary(input);
    loop {
        operand = if take(input, Symbol::Dot).is_some() {
            member(input, operand)
        } else if take(input, Symbol::OpenList).is_some() {
            index(input, operand)
        } else if let Some(open) = take(input, Symbol::Open) {
            call(input, operand, &open)
        } else {
            break;
        };
        input.state.depth += 1;
        if input.state.depth > Limit::DepthMax.max() {
            stop(input);
        }
    }
    input.state.depth = depth;
    operand
}

fn member(input: &mut Tokens<'_, '_>, of: Expression) -> Expression {
    let next = input.peek_token();
    if let Some(LexToken {
        span,
        lexeme: Lexeme::Word(name),
    }) = next
    {
        input.next_token();
        return Expression {
            span: of.span.start..span.end,
            node: Node::Member(Box::new(of), name.clone()),
        };
    }
    unexpected(input, "a field or function name");
    broken(of.span)
}

fn index(input: &mut Tokens<'_, '_>, of: Expression) -> Expression {
    let key = nested(input, conditional);
    let end = close(input, Symbol::CloseList, key.span.end);
    Expression {
        span: of.span.start..end,
        node: Node::Index(Box::new(of), Box::new(key)),
    }
}

fn call(input: &mut Tokens<'_, '_>, called: Expression, open: &Range<usize>) -> Expression {
    let (arguments, end) = items(input, Symbol::Close, open.end);
    let name_span = called.span.clone();
    let (receiver, name) = match called.node {
        Node::Name(name) => (None, name),
        Node::Member(receiver, name) => (Some(*receiver), name),
        Node::Broken => return broken(called.span.start..end),
        Node::Bool(_)
        | Node::Integer(_)
        | Node::Text(_)
        | Node::List(_)
        | Node::Index(..)
        | Node::Call(_)
        | Node::Not(_)
        | Node::Compare(..)
        | Node::All(_)
        | Node::Any(_) => {
            let message = "only a name can be called".to_owned();
            input.state.faults.push(ErrorKind::Syntax, open, message);
            return broken(called.span.start..end);
        }
    };
    Expression {
        span: called.span.start..end,
        node: Node::Call(Box::new(Call {
            receiver,
            name,
            name_span,
            arguments,
        })),
    }
}

/// Parses expressions between commas up to the closing symbol; returns them and where they end.
fn items(input: &mut Tokens<'_, '_>, closing: Symbol, start: usize) -> (Vec<Expression>, usize) {
    let mut items = Vec::new();
    while !at(input, closing) && input.peek_token().is_some() {
        items.push(nested(input, conditional));
        let separators = if closing == Symbol::CloseMap {
            [Symbol::Comma, Symbol::Colon].as_slice()
        } else {
            [Symbol::Comma].as_slice()
        };
        if take_any(input, separators).is_none() {
            break;
        }
    }
    let end = close(input, closing, start);
    (items, end)
}

fn primary(input: &mut Tokens<'_, '_>) -> Expression {
    let Some(LexToken { span, lexeme }) = input.peek_token() else {
        unexpected(input, "a comparison");
        return broken(place(input));
    };
    let span = span.clone();
    let node = match lexeme {
        Lexeme::Word(word) => match word.as_str() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "in" => return misplaced(input),
            "null" => {
                refuse(input, &span, "`null` is");
                Node::Broken
            }
            name => Node::Name(name.to_owned()),
        },
        Lexeme::Text(text) => Node::Text(text.clone()),
        Lexeme::Integer(value) => Node::Integer(*value),
        Lexeme::Broken => Node::Broken,
        Lexeme::Symbol(_) => return bracketed(input),
    };
    input.next_token();
    Expression { span, node }
}

fn bracketed(input: &mut Tokens<'_, '_>) -> Expression {
    if let Some(open) = take(input, Symbol::Open) {
        let inner = nested(input, conditional);
        let end = close(input, Symbol::Close, inner.span.end);
        return Expression {
            span: open.start..end,
            node: inner.node,
        };
    }
    if let Some(open) = take(input, Symbol::OpenList) {
        let (items, end) = items(input, Symbol::CloseList, open.end);
        return Expression {
            span: open.start..end,
            node: Node::List(items),
        };
    }
    let Some(open) = take(input, Symbol::OpenMap) else {
        return misplaced(input);
    };
    refuse(input, &open, "a map is");
    let (_, end) = items(input, Symbol::CloseMap, open.end);
    broken(open.start..end)
}

/// Refuses what cannot begin an operand, and passes over it up to where reading can go on.
fn misplaced(input: &mut Tokens<'_, '_>) -> Expression {
    const RESUME: [Symbol; 5] = [
        Symbol::And,
        Symbol::Or,
        Symbol::Close,
        Symbol::CloseList,
        Symbol::Comma,
    ];
    let span = place(input);
    unexpected(input, "a field, a literal, ! or (");
    while !at_any(input, &RESUME) && input.next_token().is_some() {}
    broken(span)
}
