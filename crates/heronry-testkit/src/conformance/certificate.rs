//! The verdict of the suite on a store, for whoever has to choose one.

use std::collections::BTreeMap;

use heronry_types::Durability;
use serde::{Deserialize, Serialize};

use super::{CAPABILITIES, Case, Failure, Subject};

/// The verdict of the suite on a store: the cases that it passed, and those that do not apply to it.
///
/// It holds no time and no place, so that two runs over the same store give the same certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Certificate {
    /// The suite.
    pub kit: Kit,
    /// The store.
    pub store: Certified,
    /// The verdict of all cases together.
    pub verdict: Verdict,
    /// The number of cases that were passed.
    pub passed_count: usize,
    /// The cases that were passed, by port.
    pub passed: BTreeMap<String, Vec<String>>,
    /// The cases that need a capability which the store does not offer.
    pub ignored: Vec<Ignored>,
    /// The cases that the store failed, each with the fault.
    pub failed: Vec<Failed>,
    /// The cases that were left out of the run.
    pub not_run: Vec<String>,
}

/// The suite that was run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Kit {
    /// The name of the package.
    pub name: String,
    /// The version of the package.
    pub version: String,
    /// The number of cases in the suite.
    pub cases: usize,
}

/// The store that was tested, and its promises.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Certified {
    /// The store's name.
    pub name: String,
    /// The adapter's version.
    pub version: String,
    /// The durability of an acknowledged append, as the store claims it.
    pub durability: Durability,
    /// The largest single content in bytes.
    pub content_bytes_max: u64,
    /// The capabilities that the store offers to the suite.
    pub offers: Vec<String>,
}

/// The verdict of all cases together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every case that applies was passed.
    Passed,
    /// A case was failed.
    Failed,
    /// No case was failed, and some were not run.
    Incomplete,
}

/// A case that needs a capability which the store does not offer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ignored {
    /// The port and the rule.
    pub case: String,
    /// The capability that is missing.
    pub needs: String,
}

/// A case that the store failed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failed {
    /// The port and the rule.
    pub case: String,
    /// The way in which the store broke the rule.
    pub what: String,
}

impl Certificate {
    /// Returns the certificate as JSON, indented, with a line feed at the end.
    ///
    /// # Errors
    /// None that is known: it holds nothing that JSON cannot say.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// Returns the certificate without the versions, to be pinned: it changes when a case does.
    #[must_use]
    pub fn without_versions(mut self) -> Self {
        for version in [&mut self.kit.version, &mut self.store.version] {
            "[version]".clone_into(version);
        }
        self
    }

    /// Returns the certificate of a store by the ends of the cases that were run, by name.
    pub(super) fn of(
        subject: &dyn Subject,
        cases: &[Case],
        ends: &BTreeMap<&'static str, Result<(), Failure>>,
    ) -> Result<Self, Failure> {
        let mut certificate = Self {
            kit: Kit {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                cases: cases.len(),
            },
            store: Certified::of(subject)?,
            verdict: Verdict::Passed,
            passed_count: 0,
            passed: BTreeMap::new(),
            ignored: Vec::new(),
            failed: Vec::new(),
            not_run: Vec::new(),
        };
        for case in cases {
            certificate.take(case, subject, ends.get(case.name()));
        }
        certificate.verdict = certificate.judge();
        Ok(certificate)
    }

    fn take(&mut self, case: &Case, subject: &dyn Subject, end: Option<&Result<(), Failure>>) {
        let name = case.name().to_owned();
        if let Some(missing) = case.missing(subject) {
            let needs = missing.name().to_owned();
            return self.ignored.push(Ignored { case: name, needs });
        }
        match end {
            None => self.not_run.push(name),
            Some(Err(Failure(what))) => self.failed.push(Failed {
                case: name,
                what: what.clone(),
            }),
            Some(Ok(())) => {
                let (port, rule) = name.split_once("::").unwrap_or(("", &name));
                let rules = self.passed.entry(port.to_owned()).or_default();
                rules.push(rule.to_owned());
                self.passed_count += 1;
            }
        }
    }

    fn judge(&self) -> Verdict {
        if !self.failed.is_empty() {
            Verdict::Failed
        } else if self.not_run.is_empty() {
            Verdict::Passed
        } else {
            Verdict::Incomplete
        }
    }
}

impl Certified {
    fn of(subject: &dyn Subject) -> Result<Self, Failure> {
        let promised = subject.place()?.open()?.journal.capabilities();
        let offers = CAPABILITIES.into_iter();
        let offers = offers.filter(|capability| subject.offers(*capability));
        Ok(Self {
            name: promised.name.to_owned(),
            version: subject.version().to_owned(),
            durability: promised.durability,
            content_bytes_max: promised.content_bytes_max,
            offers: offers
                .map(|capability| capability.name().to_owned())
                .collect(),
        })
    }
}
