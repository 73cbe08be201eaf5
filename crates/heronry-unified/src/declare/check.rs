//! The check of a declaration: every fault at once, before anything is done.

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    time::Duration,
};

use heronry_host::{HostValue, MemberSpec, ModuleSpec};
use heronry_types::{AliasName, HostId, IdError, ModuleId, RunId};

use super::DeclaredParts;
use crate::parts::Hosts;

/// The most members of a declaration.
pub const MEMBERS_MAX: usize = 50_000;
/// The most edges of a declaration.
pub const EDGES_MAX: usize = heronry_types::EDGES_MAX;
/// The most aliases of a declaration, beside those that every member has.
pub const ALIASES_MAX: usize = 10_000;
/// The most modules of a declaration.
pub const MODULES_MAX: usize = 256;
/// The longest context of a member, and the longest of its instructions, in bytes.
pub const CONTEXT_BYTES_MAX: usize = 64 * 1_024;
/// The most instructions of a member.
pub const INSTRUCTIONS_MAX: usize = 64;
/// The largest part of a spec that only its host understands, in bytes of JSON.
pub const LAUNCH_BYTES_MAX: usize = 64 * 1_024;

/// A fault of a declaration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclaredFault {
    /// Two members are the same run.
    #[error("run {run:?} is declared twice; give each member its own run", run = .0.as_str())]
    RunTwice(RunId),
    /// Two modules have the same id.
    #[error("module {module:?} is declared twice; give each its own id", module = .0.as_str())]
    ModuleTwice(ModuleId),
    /// An alias leads to two places.
    #[error("an alias is declared twice: recipient {recipient}, channel {channel}; keep one", recipient = or_any(.0.recipient.as_ref()), channel = or_any(.0.channel.as_ref()))]
    AliasTwice(AliasName),
    /// An id is one that can be stored, and that nobody can use.
    #[error("{entry}: {error}")]
    Id {
        /// The entry.
        entry: String,
        /// The error.
        #[source]
        error: IdError,
    },
    /// An id is nothing but blanks.
    #[error("{entry} has an id of blanks; give it a name that can be read")]
    Blank {
        /// The entry.
        entry: String,
    },
    /// There are more entries than there may be.
    #[error("there are {found} {what}; declare at most {max}")]
    TooMany {
        /// The kind of the entries, as people call them.
        what: &'static str,
        /// The number of entries.
        found: usize,
        /// The most there may be.
        max: usize,
    },
    /// A part of an entry is larger than it may be.
    #[error("{entry}: {part} has {found} {unit}; the most is {max}")]
    TooLarge {
        /// The entry.
        entry: String,
        /// The part.
        part: &'static str,
        /// Its size.
        found: usize,
        /// The largest size.
        max: usize,
        /// The unit of both.
        unit: &'static str,
    },
    /// A span of time is none.
    #[error("{entry}: {part} is no time at all; give it at least 1 ms")]
    NoTime {
        /// The entry.
        entry: String,
        /// The part.
        part: &'static str,
    },
    /// A module acts as a run that is not declared.
    #[error("module {module:?} acts as run {run:?}, which is no declared member; declare it, or let the module act as nobody", module = module.as_str(), run = run.as_str())]
    ActsAsNobody {
        /// The module.
        module: ModuleId,
        /// The run.
        run: RunId,
    },
    /// An entry names a host that is not there.
    #[error("{entry} names host {host:?}; there is {known}", host = host.as_str())]
    UnknownHost {
        /// The entry.
        entry: String,
        /// The host.
        host: HostId,
        /// The hosts that are there, in words.
        known: String,
    },
    /// The host of an entry can never start it.
    #[error("{entry}: {why}")]
    HostRefuses {
        /// The entry.
        entry: String,
        /// The reason of the host.
        why: String,
    },
}

/// Every fault of a declaration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeclaredFaults(pub Vec<DeclaredFault>);

impl Display for DeclaredFaults {
    /// Writes one fault after the other, with a semicolon between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for DeclaredFaults {}

fn or_any(name: Option<&impl Display>) -> String {
    name.map_or_else(
        || "any".to_owned(),
        |name| format!("{:?}", name.to_string()),
    )
}

/// Returns a member's name as faults show it.
pub(crate) fn member_entry(run: &RunId) -> String {
    format!("member {:?}", run.as_str())
}

/// Returns a module's name as faults show it.
pub(crate) fn module_entry(module: &ModuleId) -> String {
    format!("module {:?}", module.as_str())
}

pub(super) fn all(parts: &DeclaredParts) -> Result<(), DeclaredFaults> {
    let mut faults = Vec::new();
    check_counts(parts, &mut faults);
    let mut runs = BTreeSet::new();
    for member in &parts.members {
        if !runs.insert(&member.run) {
            faults.push(DeclaredFault::RunTwice(member.run.clone()));
        }
        check_member(member, &mut faults);
    }
    let mut modules = BTreeSet::new();
    for module in &parts.modules {
        if !modules.insert(&module.id) {
            faults.push(DeclaredFault::ModuleTwice(module.id.clone()));
        }
        check_module(module, &mut faults);
        let acts_as = module.run.iter().filter(|run| !runs.contains(run));
        faults.extend(acts_as.map(|run| DeclaredFault::ActsAsNobody {
            module: module.id.clone(),
            run: run.clone(),
        }));
    }
    let mut aliases = BTreeSet::new();
    let twice = parts.aliases.iter().filter(|it| !aliases.insert(&it.alias));
    faults.extend(twice.map(|it| DeclaredFault::AliasTwice(it.alias.clone())));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(DeclaredFaults(faults))
    }
}

/// Checks that every entry names a host that is there, and that the host could start it.
pub(super) fn hosts(
    members: &[MemberSpec],
    modules: &[ModuleSpec],
    hosts: &Hosts,
) -> Result<(), DeclaredFaults> {
    let known = choices(hosts.keys().map(heronry_types::Id::as_str));
    let mut faults = Vec::new();
    let mut check = |entry: String, name: &HostId, launch: &HostValue| {
        let Some(host) = hosts.get(name) else {
            let (host, known) = (name.clone(), known.clone());
            faults.push(DeclaredFault::UnknownHost { entry, host, known });
            return;
        };
        let refused = host.check(launch).err();
        faults.extend(refused.map(|why| {
            let why = why.to_string();
            DeclaredFault::HostRefuses { entry, why }
        }));
    };
    for member in members {
        check(member_entry(&member.run), &member.host, &member.launch);
    }
    for module in modules {
        check(module_entry(&module.id), &module.host, &module.launch);
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(DeclaredFaults(faults))
    }
}

/// Returns the hosts that there are, in words.
fn choices<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    if names.is_empty() {
        return "no host".to_owned();
    }
    names.join(", ")
}

fn check_counts(parts: &DeclaredParts, faults: &mut Vec<DeclaredFault>) {
    let counts = [
        ("members", parts.members.len(), MEMBERS_MAX),
        ("edges", parts.edges.len(), EDGES_MAX),
        ("aliases", parts.aliases.len(), ALIASES_MAX),
        ("modules", parts.modules.len(), MODULES_MAX),
    ];
    let over = counts.into_iter().filter(|(_, found, max)| found > max);
    faults.extend(over.map(|(what, found, max)| DeclaredFault::TooMany { what, found, max }));
}

fn check_member(member: &MemberSpec, faults: &mut Vec<DeclaredFault>) {
    let entry = || member_entry(&member.run);
    check_name(member.run.as_str(), member.run.check_path(), &entry, faults);
    check_name(
        member.agent.as_str(),
        member.agent.check_path(),
        &entry,
        faults,
    );
    for topic in &member.topics {
        check_name(topic.as_str(), topic.check_path(), &entry, faults);
    }
    check_launch(&member.launch, &entry, faults);
    let texts = member
        .instructions
        .iter()
        .map(|text| ("an instruction", text));
    let texts = member
        .context
        .iter()
        .map(|text| ("the context", text))
        .chain(texts);
    for (part, text) in texts.filter(|(_, text)| text.len() > CONTEXT_BYTES_MAX) {
        faults.push(DeclaredFault::TooLarge {
            entry: entry(),
            part,
            found: text.len(),
            max: CONTEXT_BYTES_MAX,
            unit: "bytes",
        });
    }
    if member.instructions.len() > INSTRUCTIONS_MAX {
        faults.push(DeclaredFault::TooLarge {
            entry: entry(),
            part: "the list of instructions",
            found: member.instructions.len(),
            max: INSTRUCTIONS_MAX,
            unit: "texts",
        });
    }
    let mut check = |part, time| check_time(part, time, &entry, faults);
    check("the time until it is ready", Some(member.ready.within));
    check("the longest life", member.timeout);
    check("the idle time", member.idle_after);
}

fn check_module(module: &ModuleSpec, faults: &mut Vec<DeclaredFault>) {
    let entry = || module_entry(&module.id);
    check_name(module.id.as_str(), module.id.check_path(), &entry, faults);
    check_launch(&module.launch, &entry, faults);
    let within = Some(module.ready.within);
    check_time("the time until it is ready", within, &entry, faults);
}

fn check_name(
    text: &str,
    path: Result<(), IdError>,
    entry: &dyn Fn() -> String,
    faults: &mut Vec<DeclaredFault>,
) {
    if text.trim().is_empty() {
        faults.push(DeclaredFault::Blank { entry: entry() });
    }
    let refused = path.err().map(|error| DeclaredFault::Id {
        entry: entry(),
        error,
    });
    faults.extend(refused);
}

fn check_launch(launch: &HostValue, entry: &dyn Fn() -> String, faults: &mut Vec<DeclaredFault>) {
    let found = launch.to_string().len();
    if found > LAUNCH_BYTES_MAX {
        faults.push(DeclaredFault::TooLarge {
            entry: entry(),
            part: "what its host starts",
            found,
            max: LAUNCH_BYTES_MAX,
            unit: "bytes",
        });
    }
}

fn check_time(
    part: &'static str,
    time: Option<Duration>,
    entry: &dyn Fn() -> String,
    faults: &mut Vec<DeclaredFault>,
) {
    if time.is_some_and(|time| time.as_millis() == 0) {
        let entry = entry();
        faults.push(DeclaredFault::NoTime { entry, part });
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::Address;
    use serde_json::json;

    use super::*;
    use crate::{Declared, DeclaredAlias};

    fn member(run: &str) -> MemberSpec {
        let ids = (run.parse().unwrap(), "a".parse().unwrap());
        MemberSpec::new(ids.0, ids.1, "task".parse().unwrap(), json!({}))
    }

    #[track_caller]
    fn check(parts: DeclaredParts, expected: &[&str]) {
        let faults = Declared::check(parts).map_or_else(|faults| faults.0, |_| Vec::new());
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn r20_every_fault_of_a_declaration_is_told_at_once() {
        let mut large = member("large");
        large.launch = json!("x".repeat(LAUNCH_BYTES_MAX));
        large.context = Some("x".repeat(CONTEXT_BYTES_MAX + 1));
        large.instructions = vec![String::new(); INSTRUCTIONS_MAX + 1];
        large.timeout = Some(Duration::ZERO);
        let mut module = ModuleSpec::new("m".parse().unwrap(), "task".parse().unwrap(), json!(1));
        module.run = Some("nobody".parse().unwrap());
        let alias = DeclaredAlias {
            alias: AliasName {
                recipient: Some("lead".parse().unwrap()),
                channel: None,
            },
            to: Address::Run {
                run_id: "lead".parse().unwrap(),
            },
        };
        let parts = DeclaredParts {
            members: vec![
                member("lead"),
                member("lead"),
                member(" "),
                member(".."),
                large,
            ],
            modules: vec![module.clone(), module],
            aliases: vec![alias.clone(), alias],
            ..DeclaredParts::default()
        };
        let nobody = "module \"m\" acts as run \"nobody\", which is no declared member; declare it, or let the module act as nobody";
        check(
            parts,
            &[
                "run \"lead\" is declared twice; give each member its own run",
                "member \" \" has an id of blanks; give it a name that can be read",
                "member \"..\": \"..\" cannot stand in a path; choose another id",
                "member \"large\": what its host starts has 65538 bytes; the most is 65536",
                "member \"large\": the context has 65537 bytes; the most is 65536",
                "member \"large\": the list of instructions has 65 texts; the most is 64",
                "member \"large\": the longest life is no time at all; give it at least 1 ms",
                nobody,
                "module \"m\" is declared twice; give each its own id",
                nobody,
                "an alias is declared twice: recipient \"lead\", channel any; keep one",
            ],
        );
    }

    #[test]
    fn r20_a_declaration_keeps_to_its_limits() {
        let modules = (0..=MODULES_MAX).map(|number| {
            let id = format!("m{number}").parse().unwrap();
            ModuleSpec::new(id, "task".parse().unwrap(), json!(1))
        });
        let mut parts = DeclaredParts {
            modules: modules.collect(),
            ..DeclaredParts::default()
        };
        check(
            parts.clone(),
            &["there are 257 modules; declare at most 256"],
        );
        parts.modules.pop();
        let mut largest = member("largest");
        largest.context = Some("x".repeat(CONTEXT_BYTES_MAX));
        largest.instructions = vec!["x".repeat(CONTEXT_BYTES_MAX); INSTRUCTIONS_MAX];
        largest.launch = json!("x".repeat(LAUNCH_BYTES_MAX - 2));
        parts.members = vec![largest];
        check(parts, &[]);
    }
}
