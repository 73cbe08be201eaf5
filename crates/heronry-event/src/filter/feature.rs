//! The features of an envelope: a text in a place, a recipient, a related entity.

use heronry_types::EntityKind;

use super::field::TextField;
use crate::Envelope;

/// Something that an envelope has or lacks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Feature<T> {
    /// Every envelope has it.
    Always,
    /// The kind is terminal.
    Terminal,
    /// A field has this text; an absent field has the empty one.
    Text(TextField, T),
    /// A recipient.
    Recipient(T),
    /// A tag.
    Tag(T),
    /// A correlation, whatever its value.
    CorrelationKey(T),
    /// A correlation with its value.
    Correlation(T, T),
    /// A related entity of this kind.
    RelatedKind(EntityKind),
    /// A related entity with this id, of whatever kind.
    RelatedId(T),
    /// A related entity.
    Related(EntityKind, T),
}

/// The place of an envelope in which features stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FeatureField {
    Always,
    Terminal,
    Text(TextField),
    Recipient,
    Tag,
    CorrelationKey,
    Correlation,
    RelatedKind,
    RelatedId,
    Related,
}

impl<T> Feature<T> {
    pub(crate) fn place(&self) -> FeatureField {
        match self {
            Self::Always => FeatureField::Always,
            Self::Terminal => FeatureField::Terminal,
            Self::Text(field, _) => FeatureField::Text(*field),
            Self::Recipient(_) => FeatureField::Recipient,
            Self::Tag(_) => FeatureField::Tag,
            Self::CorrelationKey(_) => FeatureField::CorrelationKey,
            Self::Correlation(..) => FeatureField::Correlation,
            Self::RelatedKind(_) => FeatureField::RelatedKind,
            Self::RelatedId(_) => FeatureField::RelatedId,
            Self::Related(..) => FeatureField::Related,
        }
    }

    /// Returns the same feature with its texts in another form.
    pub(crate) fn map<'t, U>(&'t self, text: impl Fn(&'t T) -> U) -> Feature<U> {
        match self {
            Self::Always => Feature::Always,
            Self::Terminal => Feature::Terminal,
            Self::Text(field, value) => Feature::Text(*field, text(value)),
            Self::Recipient(run) => Feature::Recipient(text(run)),
            Self::Tag(tag) => Feature::Tag(text(tag)),
            Self::CorrelationKey(key) => Feature::CorrelationKey(text(key)),
            Self::Correlation(key, value) => Feature::Correlation(text(key), text(value)),
            Self::RelatedKind(kind) => Feature::RelatedKind(*kind),
            Self::RelatedId(id) => Feature::RelatedId(text(id)),
            Self::Related(kind, id) => Feature::Related(*kind, text(id)),
        }
    }
}

impl FeatureField {
    /// The number of places.
    pub(crate) const COUNT: usize = TextField::ALL.len() + 9;

    /// Returns the number of the place, below [`Place::COUNT`].
    pub(crate) fn number(self) -> usize {
        match self {
            Self::Text(field) => field as usize,
            Self::Always => TextField::ALL.len(),
            Self::Terminal => TextField::ALL.len() + 1,
            Self::Recipient => TextField::ALL.len() + 2,
            Self::Tag => TextField::ALL.len() + 3,
            Self::CorrelationKey => TextField::ALL.len() + 4,
            Self::Correlation => TextField::ALL.len() + 5,
            Self::RelatedKind => TextField::ALL.len() + 6,
            Self::RelatedId => TextField::ALL.len() + 7,
            Self::Related => TextField::ALL.len() + 8,
        }
    }

    /// Returns the number of different texts that events are expected to have here, before any
    /// filter is known.
    pub(crate) fn variety(self) -> u32 {
        match self {
            Self::Always => 0,
            Self::Terminal => 2,
            Self::RelatedKind => TextField::SubjectKind.variety(),
            Self::Text(field) => field.variety(),
            Self::Recipient
            | Self::Tag
            | Self::CorrelationKey
            | Self::Correlation
            | Self::RelatedId
            | Self::Related => 1_000,
        }
    }
}

/// Walks the features of an envelope that stand in places that are asked about, one after the
/// other; [`Feature::Always`] is left out, and a feature may come more than once.
pub(crate) fn features_of<'e>(
    envelope: &'e Envelope,
    is_asked: impl Fn(FeatureField) -> bool,
    mut visit: impl FnMut(Feature<&'e str>),
) {
    for field in TextField::ALL {
        if is_asked(FeatureField::Text(field)) {
            visit(Feature::Text(field, field.read(envelope)));
        }
    }
    if envelope.kind.is_terminal() && is_asked(FeatureField::Terminal) {
        visit(Feature::Terminal);
    }
    if is_asked(FeatureField::Recipient) {
        let recipients = envelope.exchange.recipients.iter();
        recipients.for_each(|run| visit(Feature::Recipient(run.as_str())));
    }
    if is_asked(FeatureField::Tag) {
        let tags = envelope.about.tags.iter();
        tags.for_each(|tag| visit(Feature::Tag(tag.as_str())));
    }
    for (key, value) in &envelope.about.correlation {
        if is_asked(FeatureField::CorrelationKey) {
            visit(Feature::CorrelationKey(key.as_str()));
        }
        if is_asked(FeatureField::Correlation) {
            visit(Feature::Correlation(key.as_str(), value.as_str()));
        }
    }
    for entity in &envelope.about.related {
        let (kind, id) = (entity.kind, entity.id.as_str());
        let all = [
            Feature::RelatedKind(kind),
            Feature::RelatedId(id),
            Feature::Related(kind, id),
        ];
        let asked = all.into_iter().filter(|feature| is_asked(feature.place()));
        asked.for_each(&mut visit);
    }
}

impl TextField {
    /// Returns the number of different texts that events are expected to have here.
    fn variety(self) -> u32 {
        match self {
            Self::Pool | Self::Semantics | Self::Privacy => 0,
            Self::SubjectKind | Self::SourceKind | Self::DestinationKind | Self::Family => 8,
            Self::Kind => 32,
            Self::Run
            | Self::Agent
            | Self::Session
            | Self::Turn
            | Self::Attempt
            | Self::Message
            | Self::ReplyTo
            | Self::Topic
            | Self::SubjectId
            | Self::SourceId
            | Self::DestinationId => 1_000,
        }
    }
}
