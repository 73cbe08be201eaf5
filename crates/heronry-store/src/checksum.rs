//! Rows that carry a checksum over themselves and the key that they stand under.

/// Length in bytes of the checksum at the front of a row. Databases do not check pages whenever
/// they read them.
pub const CHECKSUM_BYTES: usize = 4;

/// Fills the checksum, over key and row, into the first bytes of a row.
pub fn seal(key: &[u8], mut row: Vec<u8>) -> Vec<u8> {
    if let Some((checksum, rest)) = row.split_first_chunk_mut::<CHECKSUM_BYTES>() {
        *checksum = crc32c::crc32c_append(crc32c::crc32c(key), rest).to_be_bytes();
    }
    row
}

/// Returns a row without its checksum; nothing when it is damaged or stands under another key.
pub fn unseal<'a>(key: &[u8], row: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, rest) = row.split_first_chunk::<CHECKSUM_BYTES>()?;
    let computed = crc32c::crc32c_append(crc32c::crc32c(key), rest);
    (u32::from_be_bytes(*checksum) == computed).then_some(rest)
}
