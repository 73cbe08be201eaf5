//! The shape of filter text, before its names are known.

use std::ops::Range;

/// An expression and its place in bytes of the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Expression {
    pub(super) span: Range<usize>,
    pub(super) node: Node,
}

/// The form of an expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Node {
    /// Refused already.
    Broken,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Expression>),
    Name(String),
    /// `of.name`
    Member(Box<Expression>, String),
    /// `of[key]`
    Index(Box<Expression>, Box<Expression>),
    Call(Box<Call>),
    Not(Box<Expression>),
    Compare(Operator, Box<(Expression, Expression)>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// `receiver.name(arguments)`, or `name(arguments)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Call {
    pub(super) receiver: Option<Expression>,
    pub(super) name: String,
    pub(super) name_span: Range<usize>,
    pub(super) arguments: Vec<Expression>,
}

/// A comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}

impl Operator {
    /// Returns the operator that says the same with the sides exchanged.
    pub(super) fn exchanged(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Unequal => Self::Unequal,
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::In => Self::In,
        }
    }
}
