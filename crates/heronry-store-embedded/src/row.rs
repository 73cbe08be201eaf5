//! The tables of a store, and the content of their rows.

use heronry_types::{Epoch, PoolId, Position, TimelineStart, Timelines};

use crate::row_keys::{PLACED_BYTES, Placed, PoolNo, read_placed};
use heronry_store::{
    FencingToken, MoveRoute,
    checksum::{CHECKSUM_BYTES, seal, unseal},
};

/// A key that names a position of a pool.
pub type PlacedKey = [u8; PLACED_BYTES];

/// A table of a store. The numbers may stand in stored rows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Table {
    /// Pool id → [`PoolRow`].
    Pools = 1,
    /// Pool number and first position → the bytes of a chunk.
    Journal = 2,
    /// Pool number and first position of a commit → all its contents.
    Packs = 3,
    /// Pool number and reference → a content that was stored by itself.
    Contents = 4,
    /// Pool number → the latest snapshot. Since the second set of tables.
    Snapshots = 5,
    /// Pool number and name → where a consumer stands. Since the second set of tables.
    Cursors = 6,
    /// The sorted runs that the keys of a pool lie in; a database calls it `claims`. Since the third set of tables.
    Keys = 7,
    /// Pool number, consumer and key → a row of a projection. Since the fourth set of tables.
    Projections = 8,
    /// Pool number and number of a frame → a frame of the baseline. Since the fifth set of tables.
    Baselines = 9,
}

impl Table {
    /// Every table, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Pools,
        Self::Journal,
        Self::Packs,
        Self::Contents,
        Self::Snapshots,
        Self::Cursors,
        Self::Keys,
        Self::Projections,
        Self::Baselines,
    ];

    /// The tables that every store has. A build that came before the others has only these; those
    /// are made when such a store is opened, and left alone by such a build.
    pub const FIRST: [Self; 4] = [Self::Pools, Self::Journal, Self::Packs, Self::Contents];

    /// Returns the name under which a database keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pools => "pools",
            Self::Journal => "journal",
            Self::Packs => "packs",
            Self::Contents => "contents",
            Self::Snapshots => "snapshots",
            Self::Cursors => "cursors",
            Self::Keys => "claims",
            Self::Projections => "projections",
            Self::Baselines => "baselines",
        }
    }

    /// Returns the table with a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

/// Returns the place that a [placed](crate::row_keys::placed) key names; nothing when it is malformed.
pub(crate) fn position_of(key: &[u8]) -> Option<Placed> {
    key.try_into().ok().map(read_placed)
}

/// Length in bytes of a later timeline in a row: where it starts, and its epoch.
const TIMELINE_BYTES: usize = 8 + 16;
/// The last byte of the row of a pool whose journal is not all there.
const ARRIVING: u8 = 1;
/// The last byte of the row of a pool that was deleted, while rows of it are left.
const DELETED: u8 = 2;

/// The key of the row that says where the pools of a sealed store went. No pool has that name.
pub(crate) const MOVED_KEY: &[u8] = b"\0moved";
/// The key after [`MOVED_KEY`].
pub(crate) const MOVED_KEY_END: &[u8] = b"\0moved\0";

/// Returns the row that says where the pools went.
pub(crate) fn encode_moved(moved_to: &str) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    row.extend_from_slice(moved_to.as_bytes());
    seal(MOVED_KEY, row)
}

/// Reads where the pools went; nothing when the row is damaged.
pub(crate) fn decode_moved(row: &[u8]) -> Option<String> {
    let text = unseal(MOVED_KEY, row)?;
    String::from_utf8(text.to_vec()).ok()
}

/// The first bytes of the key of a row that reserves a pool for a move; the name follows.
pub(crate) const RESERVED: &[u8] = b"\0reserved\0";
/// The first key after all keys of reservations.
pub(crate) const RESERVED_END: &[u8] = b"\0reserved\x01";

/// Returns the key of the row that reserves a pool.
pub(crate) fn reserved_key(pool: &PoolId) -> Vec<u8> {
    [RESERVED, pool.as_str().as_bytes()].concat()
}

/// Returns the row that reserves a pool for a move.
pub(crate) fn encode_reserved(key: &[u8], route: &MoveRoute) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    // A path is far shorter.
    let length = u32::try_from(route.from.len()).unwrap_or(u32::MAX);
    row.extend_from_slice(&length.to_be_bytes());
    row.extend_from_slice(route.from.as_bytes());
    row.extend_from_slice(route.to.as_bytes());
    seal(key, row)
}

/// Reads for which move a pool is reserved; nothing when the row is damaged.
pub(crate) fn decode_reserved(key: &[u8], row: &[u8]) -> Option<(PoolId, MoveRoute)> {
    let pool = str::from_utf8(key.strip_prefix(RESERVED)?).ok()?;
    let (length, rest) = unseal(key, row)?.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (from, to) = rest.split_at_checked(length)?;
    let [from, to] = [from, to].map(|text| String::from_utf8(text.to_vec()).ok());
    let route = MoveRoute {
        from: from?,
        to: to?,
    };
    Some((PoolId::parse(pool).ok()?, route))
}

/// The content of a pool's row. The end of the journal is not in it: it is read from the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PoolRow {
    /// The number of the pool in this store.
    pub no: PoolNo,
    /// The last fencing token that was given.
    pub token: FencingToken,
    /// The state of its journal.
    pub journal: RowJournal,
}

/// The state of the journal of a pool, as its row says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowJournal {
    /// The pool has no journal.
    None,
    /// Some of it is there, on these timelines; the rest is to follow before anybody sees it.
    Arriving(Timelines),
    /// All of it is there, on these timelines.
    There(Timelines),
    /// The pool was deleted, and rows of it may be left.
    Deleted,
}

impl RowJournal {
    fn timelines(&self) -> Option<&Timelines> {
        match self {
            Self::Arriving(timelines) | Self::There(timelines) => Some(timelines),
            Self::None | Self::Deleted => None,
        }
    }

    /// Returns what stands at the end of the row.
    fn mark(&self) -> Option<u8> {
        match self {
            Self::None | Self::There(_) => None,
            Self::Arriving(_) => Some(ARRIVING),
            Self::Deleted => Some(DELETED),
        }
    }
}

impl PoolRow {
    /// Returns the row as it stands under a key.
    pub fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut row = vec![0; CHECKSUM_BYTES];
        row.extend_from_slice(&self.no.0.to_be_bytes());
        row.extend_from_slice(&self.token.0.to_be_bytes());
        let timelines = self.journal.timelines();
        let mut timelines = timelines.into_iter().flat_map(Timelines::iter);
        row.extend(timelines.next().iter().flat_map(|first| first.epoch.0));
        for TimelineStart { at, epoch } in timelines {
            row.extend_from_slice(&at.0.to_be_bytes());
            row.extend_from_slice(&epoch.0);
        }
        row.extend(self.journal.mark());
        seal(key, row)
    }

    /// Reads a row; nothing when it is damaged.
    pub fn decode(key: &[u8], row: &[u8]) -> Option<Self> {
        let (no, rest) = unseal(key, row)?.split_first_chunk()?;
        let (token, rest) = rest.split_first_chunk()?;
        let journal = match rest {
            [] => RowJournal::None,
            [DELETED] => RowJournal::Deleted,
            rest => read_journal(rest)?,
        };
        Some(Self {
            no: PoolNo(u32::from_be_bytes(*no)),
            token: FencingToken(u64::from_be_bytes(*token)),
            journal,
        })
    }
}

/// Reads the timelines of a journal, and whether all of it is there; nothing when they are malformed.
fn read_journal(row: &[u8]) -> Option<RowJournal> {
    let (first, later) = row.split_first_chunk()?;
    let (starts, rest) = later.as_chunks::<TIMELINE_BYTES>();
    let mut timelines = Timelines::of(Epoch(*first));
    for start in starts {
        let (at, epoch) = start.split_first_chunk()?;
        let at = Position(u64::from_be_bytes(*at));
        timelines.start(at, Epoch(epoch.try_into().ok()?));
    }
    match rest {
        [] => Some(RowJournal::There(timelines)),
        [ARRIVING] => Some(RowJournal::Arriving(timelines)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_names_that_they_have_on_disk() {
        let names = Table::ALL.map(Table::name);
        let on_disk = [
            "pools",
            "journal",
            "packs",
            "contents",
            "snapshots",
            "cursors",
            "claims",
            "projections",
            "baselines",
        ];
        assert_eq!(names, on_disk);
    }

    #[test]
    fn a_table_is_found_by_its_number() {
        for table in Table::ALL {
            assert_eq!(Table::from_number(table as u8), Some(table));
        }
        assert_eq!(Table::from_number(0), None);
        assert_eq!(Table::from_number(10), None);
    }

    #[test]
    fn a_pool_row_is_read_back_and_damage_or_misplacement_is_seen() {
        let mut two = Timelines::of(Epoch([1; 16]));
        two.start(Position(9), Epoch([2; 16]));
        let one = Timelines::of(Epoch([0; 16]));
        for journal in [
            RowJournal::None,
            RowJournal::There(one),
            RowJournal::There(two.clone()),
            RowJournal::Arriving(two),
            RowJournal::Deleted,
        ] {
            let pool = PoolRow {
                no: PoolNo(7),
                token: FencingToken(9),
                journal,
            };
            let row = pool.encode(b"p");
            assert_eq!(PoolRow::decode(b"p", &row), Some(pool));
            assert_eq!(PoolRow::decode(b"q", &row), None);
            for bit in 0..row.len() * 8 {
                let mut flipped = row.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(PoolRow::decode(b"p", &flipped), None, "bit {bit}");
            }
            for cut in 0..row.len() {
                assert_eq!(PoolRow::decode(b"p", &row[..cut]), None, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_reservation_is_read_back_and_damage_or_misplacement_is_seen() {
        let pool = PoolId::parse("p").unwrap();
        let route = MoveRoute {
            from: "redb:/here".to_owned(),
            to: "sled:/there".to_owned(),
        };
        let key = reserved_key(&pool);
        let row = encode_reserved(&key, &route);
        assert_eq!(decode_reserved(&key, &row), Some((pool, route)));
        let other = reserved_key(&PoolId::parse("q").unwrap());
        assert_eq!(decode_reserved(&other, &row), None);
        assert!(RESERVED < key.as_slice() && key.as_slice() < RESERVED_END);
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_reserved(&key, &flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn where_pools_went_is_read_back_and_damage_is_seen() {
        let row = encode_moved("redb:/there");
        assert_eq!(decode_moved(&row).as_deref(), Some("redb:/there"));
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode_moved(&flipped), None, "bit {bit}");
        }
    }
}
