//! `pool.toml`: who takes part in a pool, read and checked as a whole.

mod entries;
mod fault;
mod keys;
#[cfg(test)]
mod page;
mod raw;
#[cfg(test)]
mod tests;
mod values;
mod variables;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use heronry_host::{MemberSpec, ModuleSpec};
use heronry_types::{PoolId, Retention, RunsUntil};
use heronry_unified::{Declared, DeclaredParts};
use heronry_wire::PoolBody;

use self::fault::FaultAt;
pub(crate) use self::fault::{FaultInLine, ManifestError, ManifestFault};

/// The reference page of manifests.
pub(crate) const REFERENCE: &str = include_str!("../../docs/MANIFEST.md");
/// A manifest that works as it stands.
pub(crate) const EXAMPLE: &str = include_str!("../../docs/pool.toml");

/// The most runs that one member entry may ask for.
pub(crate) const REPLICAS_MAX: u32 = 256;

/// A manifest that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// The pool; for jobs, the part that the ids of their pools share.
    pub(crate) pool: PoolId,
    /// The config that the pool is opened with.
    pub(crate) config: PoolBody,
    /// The members, one for each run.
    pub(crate) members: Vec<Planned<MemberSpec>>,
    /// The modules.
    pub(crate) modules: Vec<Planned<ModuleSpec>>,
    /// The folder of the manifest, where everything works that names no other.
    pub(crate) folder: PathBuf,
    /// The manifest, as it was named.
    pub(crate) path: String,
}

/// An entry of a manifest and the line by which people find it.
#[derive(Clone, Debug)]
pub(crate) struct Planned<T> {
    /// The entry.
    pub(crate) spec: T,
    /// The line of its command, or of the entry.
    pub(crate) line: usize,
}

impl Manifest {
    /// Reads a manifest from a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ManifestError> {
        let shown = path.display().to_string();
        let unreadable = |source| ManifestError::Read {
            path: shown.clone(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let path = std::fs::canonicalize(path).map_err(unreadable)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let parsed = Self::parse(&text, folder).map(|manifest| Self {
            path: shown.clone(),
            ..manifest
        });
        parsed.map_err(|faults| ManifestError::Faults {
            path: shown,
            faults,
        })
    }

    /// Reads a manifest from text; every fault comes with its line.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Self, Vec<FaultInLine>> {
        let mut reading = ManifestReading {
            text,
            folder,
            faults: Vec::new(),
        };
        let file = raw::parse(text).map_err(|faults| reading.in_lines(faults))?;
        let members = reading.members(file.member);
        let modules = reading.modules(file.module);
        let retention = file.retention.map(|table| reading.retention(&table));
        reading.check(&members, &modules);
        if !reading.faults.is_empty() {
            reading.faults.sort_by_key(|fault| fault.line);
            return Err(reading.faults);
        }
        Ok(Self {
            pool: file.pool,
            config: PoolBody {
                message_policy: file.message_policy,
                grants: file.grants,
                limits: file.limits,
                retention,
                ..PoolBody::default()
            },
            members,
            modules,
            folder: folder.to_owned(),
            path: String::new(),
        })
    }
}

impl Manifest {
    /// Returns what the manifest declares, checked as a whole.
    pub(crate) fn declared(&self) -> Result<Declared, ManifestError> {
        let parts = DeclaredParts {
            members: self.members.iter().map(|it| it.spec.clone()).collect(),
            modules: self.modules.iter().map(|it| it.spec.clone()).collect(),
            ..DeclaredParts::default()
        };
        Declared::check(parts).map_err(|faults| {
            let faults = faults.0.iter().map(|fault| FaultInLine {
                line: 1,
                fault: ManifestFault::Declared(fault.to_string()),
            });
            ManifestError::Faults {
                path: self.path.clone(),
                faults: faults.collect(),
            }
        })
    }
}

/// A text that is being read, and the faults that were found so far.
struct ManifestReading<'a> {
    text: &'a str,
    folder: &'a Path,
    faults: Vec<FaultInLine>,
}

impl ManifestReading<'_> {
    fn line_of(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    fn in_lines(&self, faults: Vec<FaultAt>) -> Vec<FaultInLine> {
        let in_line = |it: FaultAt| FaultInLine {
            line: self.line_of(it.offset),
            fault: it.fault,
        };
        faults.into_iter().map(in_line).collect()
    }

    fn refuse(&mut self, line: usize, fault: ManifestFault) {
        self.faults.push(FaultInLine { line, fault });
    }

    fn members(
        &mut self,
        tables: Vec<toml::Spanned<raw::MemberTable>>,
    ) -> Vec<Planned<MemberSpec>> {
        let mut members = Vec::new();
        for table in tables {
            let place = self.line_of(table.span().start);
            let line = self.line_of(table.get_ref().command.span().start);
            match entries::members(table.into_inner(), self.folder) {
                Ok(specs) => members.extend(specs.into_iter().map(|spec| Planned { spec, line })),
                Err(faults) => faults.into_iter().for_each(|it| self.refuse(place, it)),
            }
        }
        members
    }

    fn modules(
        &mut self,
        tables: Vec<toml::Spanned<raw::ModuleTable>>,
    ) -> Vec<Planned<ModuleSpec>> {
        let mut modules = Vec::new();
        for table in tables {
            let place = self.line_of(table.span().start);
            let line = self.line_of(table.get_ref().command.span().start);
            match entries::module(table.into_inner(), self.folder) {
                Ok(spec) => modules.push(Planned { spec, line }),
                Err(faults) => faults.into_iter().for_each(|it| self.refuse(place, it)),
            }
        }
        modules
    }

    /// Returns the part of its journal that the pool keeps; one that would trim nothing is a fault.
    fn retention(&mut self, table: &toml::Spanned<raw::RetentionTable>) -> Retention {
        let line = self.line_of(table.span().start);
        let table = table.get_ref();
        let kept = Retention {
            age_ms: table.age.map(|age| age.0),
            bytes: table.bytes,
            keep_min: table.keep_min,
        };
        if kept.keep_min.is_some() && kept.keeps_everything() {
            self.refuse(line, ManifestFault::KeepMinAlone);
        }
        kept
    }

    fn check(&mut self, members: &[Planned<MemberSpec>], modules: &[Planned<ModuleSpec>]) {
        let mut runs = BTreeSet::new();
        for Planned { spec, line } in members {
            if !runs.insert(&spec.run) {
                let run = spec.run.to_string();
                self.refuse(*line, ManifestFault::RunTwice { run });
            }
        }
        let mut ids = BTreeSet::new();
        for Planned { spec, line } in modules {
            let module = spec.id.to_string();
            if !ids.insert(&spec.id) {
                self.refuse(*line, ManifestFault::ModuleTwice { module });
            }
        }
        // What was refused already may be the member that is missing.
        if !self.faults.is_empty() {
            return;
        }
        if members.is_empty() {
            self.refuse(1, ManifestFault::NoMembers);
        } else if members.iter().all(|it| it.spec.until == RunsUntil::Stopped) {
            self.refuse(1, ManifestFault::NothingToWaitFor);
        }
    }
}
