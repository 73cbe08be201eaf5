//! Numbers as sled writes them: fixed ones little-endian, others in as few bytes as they need.

/// Takes fixed bytes from the front.
pub(crate) fn fixed<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*number)
}

/// Takes a log sequence number from the front.
pub(crate) fn sequence(bytes: &mut &[u8]) -> Option<i64> {
    fixed(bytes).map(i64::from_le_bytes)
}

/// Takes a number of one to nine bytes from the front.
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let [first] = fixed(bytes)?;
    match first {
        0..=240 => Some(u64::from(first)),
        241..=248 => {
            let [second] = fixed(bytes)?;
            Some(240 + 256 * (u64::from(first) - 241) + u64::from(second))
        }
        249 => {
            let [high, low] = fixed(bytes)?;
            Some(2288 + 256 * u64::from(high) + u64::from(low))
        }
        250..=255 => {
            let length = usize::from(first) - 247;
            let (number, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            let mut whole = [0; 8];
            whole.get_mut(..length)?.copy_from_slice(number);
            Some(u64::from_le_bytes(whole))
        }
    }
}

/// Appends a number of one to nine bytes.
pub(crate) fn push_varint(out: &mut Vec<u8>, number: u64) {
    let bytes = number.to_le_bytes();
    match number {
        0..=240 => out.extend(bytes.first()),
        241..=2287 => {
            let [low, high, ..] = (number - 240).to_le_bytes();
            out.extend([high + 241, low]);
        }
        2288..=67_823 => {
            let [low, high, ..] = (number - 2288).to_le_bytes();
            out.extend([249, high, low]);
        }
        _ => {
            let length = (bytes.len() - number.leading_zeros() as usize / 8).max(3);
            let tag = u8::try_from(247 + length).unwrap_or(u8::MAX);
            out.push(tag);
            out.extend(bytes.iter().take(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_at_every_length() {
        let edges = [0, 240, 241, 2287, 2288, 67_823, 67_824, u64::MAX];
        let powers = (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit]);
        for number in edges.into_iter().chain(powers) {
            let mut out = Vec::new();
            push_varint(&mut out, number);
            assert_eq!(varint(&mut out.as_slice()), Some(number), "{out:?}");
            for cut in 0..out.len() {
                assert_eq!(varint(&mut &out[..cut]), None, "{number} cut at {cut}");
            }
        }
    }
}
