//! The events that a filter could keep in future, as far as something is known of them.

use std::fmt;

use heronry_types::{EventKind, Id, Vocabulary};

use super::{
    Filter,
    field::{MembersField, TextField},
    formula::Term,
    literal::{Literal, Sign, TextPlace},
    members::MembersTest,
    texts::TextTest,
};
use crate::Identity;

/// The knowledge about one part of an event that has not come.
#[derive(Clone, Copy, Default)]
pub enum Known<'a> {
    /// The part could be anything, or absent.
    #[default]
    Anything,
    /// The part is absent.
    Nothing,
    /// The part is this text, and nothing beside it.
    Only(&'a str),
    /// The part is a text for which this is true; where several texts may stand, it is true for each.
    Among(&'a dyn Fn(&str) -> bool),
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anything => "Anything",
            Self::Nothing => "Nothing",
            Self::Only(_) => "Only",
            Self::Among(_) => "Among",
        })
    }
}

impl Known<'_> {
    fn lets_in(self, test: &TextTest) -> bool {
        match (self, test) {
            (Self::Nothing, test) => test.holds(Some("")),
            (Self::Only(only), test) => test.holds(Some(only)),
            (Self::Among(may), TextTest::In(values)) => values.texts.iter().any(|it| may(it)),
            (
                Self::Anything | Self::Among(_),
                TextTest::In(_) | TextTest::NotIn(_) | TextTest::Prefix(_) | TextTest::NotPrefix(_),
            ) => true,
        }
    }

    fn lets_all_in(self, test: &MembersTest) -> bool {
        match (self, test) {
            (Self::Nothing, MembersTest::AnyOf(_)) => false,
            (Self::Only(only), MembersTest::AnyOf(texts)) => texts.contains(only),
            (Self::Only(only), MembersTest::NoneOf(texts)) => !texts.contains(only),
            (Self::Among(may), MembersTest::AnyOf(texts)) => texts.iter().any(|it| may(it)),
            (Self::Nothing | Self::Among(_), MembersTest::NoneOf(_)) | (Self::Anything, _) => true,
        }
    }
}

/// The knowledge about an event that has not come. A part that is not named could be anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outline<'a> {
    /// The run, agent and session that the event belongs to.
    pub identity: Option<&'a Identity>,
    /// The one message that the event is about.
    pub message: Known<'a>,
    /// The message that the event's message replies to.
    pub reply_to: Known<'a>,
    /// The topic that was addressed.
    pub topic: Known<'a>,
    /// The recipients of the message.
    pub recipients: Known<'a>,
}

impl Outline<'_> {
    fn field(&self, field: TextField, test: &TextTest) -> bool {
        let of = |id: Option<&str>| test.holds(Some(id.unwrap_or("")));
        match (field, self.identity) {
            (TextField::Run, Some(it)) => of(it.run.as_ref().map(Id::as_str)),
            (TextField::Agent, Some(it)) => of(it.agent.as_ref().map(Id::as_str)),
            (TextField::Session, Some(it)) => of(it.session.as_ref().map(Id::as_str)),
            (TextField::Message, _) => self.message.lets_in(test),
            (TextField::ReplyTo, _) => self.reply_to.lets_in(test),
            (TextField::Topic, _) => self.topic.lets_in(test),
            (
                TextField::Run
                | TextField::Agent
                | TextField::Session
                | TextField::Family
                | TextField::Kind
                | TextField::Pool
                | TextField::Turn
                | TextField::Attempt
                | TextField::SubjectKind
                | TextField::SubjectId
                | TextField::SourceKind
                | TextField::SourceId
                | TextField::DestinationKind
                | TextField::DestinationId
                | TextField::Semantics
                | TextField::Privacy,
                _,
            ) => true,
        }
    }

    fn lets_in(&self, literal: &Literal) -> bool {
        match literal {
            Literal::Text(TextPlace::Field(field), test) => self.field(*field, test),
            Literal::Members(MembersField::Recipients, test) => self.recipients.lets_all_in(test),
            Literal::Text(TextPlace::Correlation(_) | TextPlace::Label(_), _)
            | Literal::Members(MembersField::Tags, _)
            | Literal::Terminal(_)
            | Literal::Number(..)
            | Literal::Related(_) => true,
        }
    }
}

/// An alternative of a filter: the comparisons that have to hold together.
#[derive(Clone, Copy)]
pub struct Case<'f>(&'f Term);

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({} comparisons)", self.0.len())
    }
}

impl Filter {
    /// Walks the alternatives of the filter: it keeps an event when all that one of them asks for holds.
    pub fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.compiled.terms.iter().map(Case)
    }
}

impl<'f> Case<'f> {
    /// Walks the kinds of the events that it could keep.
    pub fn kinds(self) -> impl Iterator<Item = EventKind> + 'f {
        let kinds = EventKind::ALL.iter().copied();
        kinds.filter(move |kind| self.0.iter().all(|literal| is_of_kind(literal, *kind)))
    }

    /// Returns true when it asks for certain kinds or families.
    pub fn asks_for_kinds(self) -> bool {
        self.asks(&[TextField::Kind, TextField::Family])
    }

    /// Returns true when it asks whose event it is, by run, agent or session.
    pub fn asks_whose(self) -> bool {
        self.asks(&[TextField::Run, TextField::Agent, TextField::Session])
    }

    /// Returns true when it could keep an event of which no more is known than this, its kind aside.
    pub fn could_be(self, outline: &Outline<'_>) -> bool {
        self.0.iter().all(|literal| outline.lets_in(literal))
    }

    /// Returns the runs of which the event has to be; nothing when it does not name them.
    pub fn runs(self) -> Option<impl Iterator<Item = &'f str>> {
        self.one_of(TextField::Run)
    }

    /// Returns the agents of which the event has to be; nothing when it does not name them.
    pub fn agents(self) -> Option<impl Iterator<Item = &'f str>> {
        self.one_of(TextField::Agent)
    }

    /// Returns runs of which one has to be among the recipients; nothing when it asks for none.
    pub fn recipients(self) -> Option<impl Iterator<Item = &'f str>> {
        let texts = self.0.iter().find_map(|literal| match literal {
            Literal::Members(MembersField::Recipients, MembersTest::AnyOf(texts)) => Some(texts),
            Literal::Members(..)
            | Literal::Text(..)
            | Literal::Terminal(_)
            | Literal::Number(..)
            | Literal::Related(_) => None,
        });
        texts.map(|texts| texts.iter().map(|text| &**text))
    }

    fn one_of(self, field: TextField) -> Option<impl Iterator<Item = &'f str>> {
        let values = self.0.iter().find_map(|literal| match literal {
            Literal::Text(TextPlace::Field(of), TextTest::In(values)) if *of == field => {
                Some(values)
            }
            Literal::Text(..)
            | Literal::Members(..)
            | Literal::Terminal(_)
            | Literal::Number(..)
            | Literal::Related(_) => None,
        });
        values.map(|values| values.texts.iter().map(|text| &**text))
    }

    fn asks(self, fields: &[TextField]) -> bool {
        self.0.iter().any(|literal| {
            matches!(literal, Literal::Text(TextPlace::Field(field), _) if fields.contains(field))
        })
    }
}

fn is_of_kind(literal: &Literal, kind: EventKind) -> bool {
    match literal {
        Literal::Terminal(sign) => kind.is_terminal() == (*sign == Sign::Plus),
        Literal::Text(TextPlace::Field(TextField::Kind), test) => {
            test.holds(Some(kind.wire_name()))
        }
        Literal::Text(TextPlace::Field(TextField::Family), test) => {
            test.holds(Some(kind.family().wire_name()))
        }
        Literal::Text(..) | Literal::Number(..) | Literal::Members(..) | Literal::Related(_) => {
            true
        }
    }
}
