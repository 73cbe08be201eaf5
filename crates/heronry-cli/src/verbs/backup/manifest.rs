//! `backup.json`: what a backup holds, so that a restore can tell whether all of it is there.

use std::path::Path;

use heronry_store::Clock;
use heronry_types::{Digest, Timestamp, counted};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    failure::{Exit, Failure},
    files::{Folder, Others},
    host::StoreChoice,
    verbs::journal::verify::PoolReport,
};

/// The name of the file.
pub(in crate::verbs) const MANIFEST_FILE: &str = "backup.json";
/// The name of the store of a backup.
pub(in crate::verbs) const STORE_FILE: &str = "store.redb";
/// The name of the key of member tokens, where a backup has it.
pub(in crate::verbs) const KEY_FILE: &str = "token.key";

/// The version of the file that this build writes, and the newest that it reads.
const VERSION: u64 = 1;

/// The most bytes that are read of the file: 100 000 pools with the longest names need them.
const MANIFEST_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The content of a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::verbs) struct Manifest {
    version: u64,
    /// The time when it was complete.
    made_at: Timestamp,
    /// The kind of its store.
    store: String,
    /// Each pool: head, epoch and hash, and how much there is of it.
    pub(in crate::verbs) pools: Vec<PoolReport>,
    /// The digest of `token.key`, where the backup has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_key: Option<Digest>,
    /// The digest of all that stands before it, as JSON without blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<Digest>,
}

impl Manifest {
    /// Returns the manifest of a backup that is complete now.
    pub(in crate::verbs) fn of(pools: Vec<PoolReport>) -> Self {
        Self {
            version: VERSION,
            made_at: heronry_runtime::SystemClock::new().now().wall,
            store: "redb".to_owned(),
            pools,
            token_key: None,
            check: None,
        }
    }

    /// Notes that the key of member tokens is there.
    pub(in crate::verbs) fn names_key(&mut self, key: &[u8]) {
        self.token_key = Some(digest(key));
    }

    /// Returns the bytes of the file.
    pub(in crate::verbs) fn encode(&self) -> Result<Vec<u8>, Failure> {
        let whole = Self {
            check: Some(self.checked()?),
            ..self.clone()
        };
        let mut bytes = serde_json::to_vec_pretty(&whole).map_err(Failure::failed)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the manifest of a backup.
    pub(in crate::verbs) fn read(folder: &Folder) -> Result<Self, Failure> {
        let place = folder.path().join(MANIFEST_FILE);
        let bytes = folder.read_bytes(MANIFEST_FILE, (Others::Read, MANIFEST_BYTES_MAX))?;
        let Some(bytes) = bytes else {
            return Err(Failure::new(
                Exit::Damaged,
                format_args!(
                    "there is no {}; name the folder of a backup",
                    place.display()
                ),
            ));
        };
        let loose: Option<Value> = serde_json::from_slice(&bytes).ok();
        let version = loose.as_ref().and_then(|it| it.get("version")?.as_u64());
        if let Some(version) = version.filter(|version| *version > VERSION) {
            return Err(Failure::failed(format_args!(
                "{} has version {version}, and this build reads up to {VERSION}; use a newer build",
                place.display()
            )));
        }
        let read = serde_json::from_slice::<Self>(&bytes).ok();
        match read {
            Some(manifest) if manifest.check == Some(manifest.checked()?) => Ok(manifest),
            Some(_) | None => Err(damaged(&place, "is damaged")),
        }
    }

    /// Checks that the store of the backup holds what the manifest says, no more and no less.
    pub(in crate::verbs) fn compare(
        &self,
        pools: &[PoolReport],
        dir: &Path,
    ) -> Result<(), Failure> {
        if self.pools == pools {
            return Ok(());
        }
        let differs = |it: &&PoolReport| !pools.contains(it);
        let first = self.pools.iter().find(differs);
        let what = match first {
            Some(pool) => format!("does not hold pool {} as {MANIFEST_FILE} says", pool.pool),
            None => format!("holds a pool that {MANIFEST_FILE} does not name"),
        };
        Err(damaged(dir, &what))
    }

    /// Reads the key of member tokens, when the backup has it.
    pub(in crate::verbs) fn key(&self, folder: &Folder) -> Result<Option<String>, Failure> {
        let Some(expected) = self.token_key else {
            return Ok(None);
        };
        let key = folder.read(KEY_FILE, Others::DoNothing)?;
        match key {
            Some(key) if digest(key.as_bytes()) == expected => Ok(Some(key)),
            Some(_) => Err(damaged(&folder.path().join(KEY_FILE), "is damaged")),
            None => Err(damaged(&folder.path().join(KEY_FILE), "is missing")),
        }
    }

    /// Returns a line for each pool.
    pub(in crate::verbs) fn lines(&self) -> impl Iterator<Item = String> {
        self.pools.iter().map(|pool| {
            let chunks = counted(pool.chunks, "chunk");
            let bodies = counted(pool.contents, "body");
            let (epoch, head) = (&pool.epoch, pool.head);
            format!(
                "{}: backed up, {chunks}, {bodies}, head {epoch}-{head}",
                pool.pool
            )
        })
    }

    fn checked(&self) -> Result<Digest, Failure> {
        let rest = Self {
            check: None,
            ..self.clone()
        };
        let bytes = serde_json::to_vec(&rest).map_err(Failure::failed)?;
        Ok(digest(&bytes))
    }
}

/// Returns the store of a backup, which has to be there.
pub(in crate::verbs) fn store_of(dir: &Path) -> Result<StoreChoice, Failure> {
    let path = dir.join(STORE_FILE);
    if path.exists() {
        return Ok(StoreChoice::Redb(path));
    }
    Err(damaged(&path, "is missing"))
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

fn damaged(place: &Path, what: &str) -> Failure {
    let line = format_args!("{} {what}; take another backup", place.display());
    Failure::new(Exit::Damaged, line)
}
