//! Expressions to formulas: names are looked up, types are checked, negation moves inwards.

mod comparison;
mod exists;
mod operand;

use std::ops::Range;

use comparison::{ComparedPlace, Test, bounded, one_of};
use heronry_types::nearest;
use operand::Constant;

use super::{
    LITERALS_MAX,
    error::{CompileError, ErrorKind, Faults, Limit},
    field::{Field, Text},
    formula::Formula,
    literal::{Literal, Sign, TextPlace},
    members::MembersTest,
    numbers::NumberTest,
    related::{Region, RelatedTest},
    syntax::{Call, Expression, Node, Operator},
    texts::{TextTest, Values},
};

/// Returns the formula that an expression says; what is wrong goes to `faults`.
pub(super) fn formula(expression: &Expression, faults: &mut Faults) -> Formula {
    let mut lowering = Lowering {
        faults,
        comparisons: 0,
    };
    let formula = lowering.formula(expression, Sign::Plus);
    if lowering.comparisons > LITERALS_MAX {
        faults.limit(Limit::LiteralsMax, &expression.span);
    }
    formula
}

/// The state of lowering an expression. A part that is refused becomes a formula that is never looked at.
struct Lowering<'f> {
    faults: &'f mut Faults,
    comparisons: usize,
}

impl Lowering<'_> {
    fn formula(&mut self, expression: &Expression, sign: Sign) -> Formula {
        let span = &expression.span;
        match &expression.node {
            Node::Broken => Formula::TRUE,
            Node::Bool(true) => Test::True.signed(sign),
            Node::Bool(false) => Test::False.signed(sign),
            Node::Not(inner) => self.formula(inner, sign.flipped()),
            Node::All(parts) => self.junction(parts, sign, sign),
            Node::Any(parts) => self.junction(parts, sign, sign.flipped()),
            Node::Compare(operator, sides) => {
                self.comparisons += 1;
                self.comparison(*operator, sides, span)
                    .map_or(Formula::TRUE, |test| test.signed(sign))
            }
            Node::Call(call) => self
                .call(call, span)
                .map_or(Formula::TRUE, |test| test.signed(sign)),
            Node::Name(_) | Node::Member(..) | Node::Index(..) => {
                self.comparisons += 1;
                self.bare(expression)
                    .map_or(Formula::TRUE, |test| test.signed(sign))
            }
            Node::Integer(_) | Node::Text(_) | Node::List(_) => {
                self.mismatch(span, "a literal is no condition; compare a field with it");
                Formula::TRUE
            }
        }
    }

    /// Lowers the parts of `&&` or `||`; `join` is plus where all of them must hold.
    fn junction(&mut self, parts: &[Expression], sign: Sign, join: Sign) -> Formula {
        let parts: Vec<_> = parts.iter().map(|part| self.formula(part, sign)).collect();
        match join {
            Sign::Plus => Formula::all(parts),
            Sign::Minus => Formula::any(parts),
        }
    }

    /// A field that stands alone: only `terminal` is a condition by itself.
    fn bare(&mut self, expression: &Expression) -> Option<Test> {
        let place = self.place(expression)?;
        if let ComparedPlace::Field(Field::Terminal) = place {
            return Some(Test::of(Literal::Terminal(Sign::Plus)));
        }
        let message = "a field is no condition; compare it, as in run == \"lead\"";
        self.mismatch(&expression.span, message);
        None
    }

    fn comparison(
        &mut self,
        operator: Operator,
        sides: &(Expression, Expression),
        span: &Range<usize>,
    ) -> Option<Test> {
        let (left, right) = sides;
        if operator == Operator::In {
            return self.membership(left, right);
        }
        if left.is_broken() || right.is_broken() {
            return None;
        }
        let (place, constant, operator) = match (left.is_constant(), right.is_constant()) {
            (false, true) => (left, right, operator),
            (true, false) => (right, left, operator.exchanged()),
            (true, true) => {
                self.mismatch(
                    span,
                    "two literals are compared; compare a field with a literal",
                );
                return None;
            }
            (false, false) => {
                self.place(left);
                self.place(right);
                self.mismatch(
                    span,
                    "two fields are compared; compare a field with a literal",
                );
                return None;
            }
        };
        let found = self.place(place);
        let constant = self.constant(constant)?;
        self.compare(&found?, operator, &constant, span)
    }

    /// A place, an operator other than `in`, and one literal.
    fn compare(
        &mut self,
        place: &ComparedPlace,
        operator: Operator,
        constant: &(Constant, Range<usize>),
        span: &Range<usize>,
    ) -> Option<Test> {
        let (value, value_span) = constant;
        match (place, value) {
            (ComparedPlace::Field(Field::Number(field)), _) => {
                let number = self.number(*field, value, value_span)?;
                return Some(bounded(*field, operator, number));
            }
            (ComparedPlace::Field(Field::Terminal), Constant::Bool(value)) => {
                let sign = self.equality(operator, "terminal", span)?;
                let sign = if *value { sign } else { sign.flipped() };
                return Some(Test::of(Literal::Terminal(sign)));
            }
            (ComparedPlace::Text(place), _) => {
                let sign = self.equality(operator, "a text", span)?;
                let text = self.text(place, value, value_span)?;
                return Some(one_of(place, [text], sign));
            }
            (ComparedPlace::Field(_), _) => {}
        }
        self.mismatch(span, &place.advice());
        None
    }

    /// Returns plus for `==` and minus for `!=`; others are refused.
    fn equality(&mut self, operator: Operator, what: &str, span: &Range<usize>) -> Option<Sign> {
        match operator {
            Operator::Equal => Some(Sign::Plus),
            Operator::Unequal => Some(Sign::Minus),
            Operator::Less
            | Operator::AtMost
            | Operator::Greater
            | Operator::AtLeast
            | Operator::In => {
                let rule = "has no order; only position, occurred_at and recorded_at have";
                self.mismatch(span, &format!("{what} {rule}"));
                None
            }
        }
    }

    /// `field in [literals]`, or `"text" in collection`.
    fn membership(&mut self, left: &Expression, right: &Expression) -> Option<Test> {
        let Node::List(items) = &right.node else {
            return self.contained(left, right);
        };
        if left.is_constant() {
            let message = "a literal stands before `in [..]`; put a field there";
            self.mismatch(&left.span, message);
            return None;
        }
        let place = self.place(left);
        let constants: Vec<_> = items.iter().map(|item| self.constant(item)).collect();
        let (place, constants) = (place?, constants.into_iter().collect::<Option<Vec<_>>>()?);
        match place {
            ComparedPlace::Text(place) => {
                let texts = constants.iter().map(|(c, span)| self.text(&place, c, span));
                let texts: Vec<_> = texts.collect();
                let texts = texts.into_iter().collect::<Option<Vec<_>>>()?;
                Some(one_of(&place, texts, Sign::Plus))
            }
            ComparedPlace::Field(Field::Number(field)) => {
                let numbers = constants
                    .iter()
                    .map(|(c, span)| self.number(field, c, span));
                let numbers: Vec<_> = numbers.collect();
                let numbers = numbers.into_iter().collect::<Option<_>>()?;
                Some(Test::of(Literal::Number(field, NumberTest::In(numbers))))
            }
            ComparedPlace::Field(_) => {
                self.mismatch(&left.span, &place.advice());
                None
            }
        }
    }

    /// `"text" in recipients`, `in tags`, `in correlation` or `in labels`.
    fn contained(&mut self, left: &Expression, right: &Expression) -> Option<Test> {
        if right.is_broken() {
            return None;
        }
        let collection = self.place(right)?;
        let Node::Text(text) = &left.node else {
            if !left.is_broken() {
                self.mismatch(
                    &left.span,
                    "only a text literal can be looked for with `in`",
                );
            }
            return None;
        };
        let text = Text::from(text.as_str());
        match collection {
            ComparedPlace::Field(Field::Members(field)) => {
                let any = MembersTest::AnyOf([text].into());
                Some(Test::of(Literal::Members(field, any)))
            }
            ComparedPlace::Field(Field::Correlation) => {
                let present = TextTest::NotIn(Values::absent());
                Some(Test::of(Literal::Text(
                    TextPlace::Correlation(text),
                    present,
                )))
            }
            ComparedPlace::Field(Field::Labels) => {
                let present = TextTest::NotIn(Values::absent());
                Some(Test::of(Literal::Text(TextPlace::Label(text), present)))
            }
            ComparedPlace::Field(_) | ComparedPlace::Text(_) => {
                let message =
                    "`in` needs a list, recipients, tags, correlation or labels on its right";
                self.mismatch(&right.span, message);
                None
            }
        }
    }

    fn call(&mut self, call: &Call, span: &Range<usize>) -> Option<Test> {
        match (&call.receiver, call.name.as_str()) {
            (Some(receiver), "startsWith") => self.prefix(receiver, call),
            (Some(receiver), "exists") => self.exists(receiver, call),
            (None, "timestamp") => {
                self.mismatch(span, "a time is no condition; compare a field with it");
                None
            }
            (_, _) => {
                self.unsupported_call(call);
                None
            }
        }
    }

    fn unsupported_call(&mut self, call: &Call) {
        let name: String = call.name.chars().take(64).collect();
        let known = ["startsWith", "exists", "timestamp"];
        self.faults.add(CompileError {
            span: call.name_span.clone(),
            kind: ErrorKind::Unsupported,
            suggestion: nearest(&name, known).map(str::to_owned),
            message: format!("`{name}()` is not supported in filters"),
        });
    }

    fn prefix(&mut self, receiver: &Expression, call: &Call) -> Option<Test> {
        self.comparisons += 1;
        let place = self.place(receiver);
        let [
            Expression {
                node: Node::Text(prefix),
                span,
            },
        ] = call.arguments.as_slice()
        else {
            self.mismatch(&call.name_span, "startsWith takes one text literal");
            return None;
        };
        let ComparedPlace::Text(place) = place? else {
            self.mismatch(
                &receiver.span,
                "startsWith works on fields that hold one text",
            );
            return None;
        };
        self.known_prefix(&place, prefix, span)?;
        let test = match &place {
            TextPlace::Field(_) if prefix.is_empty() => return Some(Test::True),
            TextPlace::Correlation(_) | TextPlace::Label(_) if prefix.is_empty() => {
                TextTest::NotIn(Values::absent())
            }
            TextPlace::Field(_) | TextPlace::Correlation(_) | TextPlace::Label(_) => {
                TextTest::Prefix(Text::from(prefix.as_str()))
            }
        };
        Some(Test::of(Literal::Text(place, test)))
    }

    fn exists(&mut self, receiver: &Expression, call: &Call) -> Option<Test> {
        let place = self.place(receiver)?;
        if !matches!(place, ComparedPlace::Field(Field::Related)) {
            let message = "exists() works on related; for others write \"x\" in recipients";
            self.mismatch(&receiver.span, message);
            return None;
        }
        let [
            Expression {
                node: Node::Name(variable),
                ..
            },
            condition,
        ] = call.arguments.as_slice()
        else {
            let message = "write related.exists(r, r.kind == \"…\" && r.id == \"…\")";
            self.mismatch(&call.name_span, message);
            return None;
        };
        let region = Region::of(self.patterns(condition, variable)?);
        Some(Test::of(Literal::Related(RelatedTest::AnyIn(region))))
    }

    fn mismatch(&mut self, span: &Range<usize>, message: &str) {
        self.faults
            .push(ErrorKind::Mismatch, span, message.to_owned());
    }
}
