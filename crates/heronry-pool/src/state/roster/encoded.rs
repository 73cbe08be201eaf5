//! The encoding of a roster.

use heronry_types::{ModuleId, RosterLayer, RunId};

use super::{DeclaredLayer, LastReconcile, ModuleRow, Roster, RosterRow, SaidStanding, Steward};
use crate::state::{
    RecentItems,
    decoding::{DecodedEntry, Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

impl Roster {
    pub(in crate::state) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            steward,
            revision,
            held_since,
            layers,
            reconciled,
            modules,
            errors,
            rows,
        } = self;
        to.list(7);
        to.some(steward.as_ref(), |to, steward| {
            let Steward {
                token,
                instance,
                owner,
            } = steward;
            to.put((token, instance, owner));
        });
        to.put((revision, held_since));
        to.each(layers.iter(), |to, (layer, declared)| {
            declared.encode(to, *layer);
        });
        to.some(reconciled.as_ref(), |to, last| {
            let LastReconcile {
                at,
                revision,
                counts,
            } = last;
            to.put((at, revision, counts));
        });
        to.each(modules.iter(), |to, (module, row)| {
            let ModuleRow {
                standing,
                why,
                since,
            } = row;
            to.put((module, standing, why, since));
        });
        errors.encode(to);
        to.each(rows.iter(), |to, (run, row)| row.encode(to, run));
    }

    pub(in crate::state) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(7)?;
        let mut roster = Self {
            steward: from.some(|from| {
                let (token, instance, owner) = from.take()?;
                Ok(Steward {
                    token,
                    instance,
                    owner,
                })
            })?,
            ..Self::default()
        };
        (roster.revision, roster.held_since) = from.take()?;
        let layers = from.list_of(DeclaredLayer::decode)?.into_iter();
        roster.layers = layers.map(|it| (it.key, it.value)).collect();
        roster.reconciled = from.some(|from| {
            let (at, revision, counts) = from.take()?;
            Ok(LastReconcile {
                at,
                revision,
                counts,
            })
        })?;
        let modules = from.list_of(ModuleRow::decode)?.into_iter();
        roster.modules = modules.map(|it| (it.key, it.value)).collect();
        roster.errors = RecentItems::decode(from)?;
        let rows = from.list_of(RosterRow::decode)?.into_iter();
        roster.rows = rows.map(|it| (it.key, it.value)).collect();
        Ok(roster)
    }
}

impl DeclaredLayer {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, layer: RosterLayer) {
        let Self {
            revision,
            digest,
            members,
            content,
            declared,
        } = self;
        to.put((layer, revision, digest, members, content, declared));
    }

    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<RosterLayer, Self>, UnreadableState> {
        let (layer, revision, digest, members, content, declared) = from.take()?;
        let declared = Self {
            revision,
            digest,
            members,
            content,
            declared,
        };
        Ok(DecodedEntry::new(layer, declared))
    }
}

impl ModuleRow {
    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<ModuleId, Self>, UnreadableState> {
        let (module, standing, why, since) = from.take()?;
        let row = Self {
            standing,
            why,
            since,
        };
        Ok(DecodedEntry::new(module, row))
    }
}

impl RosterRow {
    fn encode<W: Sink>(&self, to: &mut Encoding<W>, run: &RunId) {
        let Self {
            digest,
            labels,
            layer,
            why,
            specified,
            stands,
        } = self;
        to.list(2);
        to.put((run, digest, labels, layer, why, specified));
        to.some(stands.as_deref(), |to, stands| {
            let SaidStanding {
                standing,
                why,
                generation,
                since,
            } = stands;
            to.put((standing, why, generation, since));
        });
    }

    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<RunId, Self>, UnreadableState> {
        from.list(2)?;
        let (run, digest, labels, layer, why, specified) = from.take()?;
        let stands = from.some(|from| {
            let (standing, why, generation, since) = from.take()?;
            Ok(Box::new(SaidStanding {
                standing,
                why,
                generation,
                since,
            }))
        })?;
        let row = Self {
            digest,
            labels,
            layer,
            why,
            specified,
            stands,
        };
        Ok(DecodedEntry::new(run, row))
    }
}
