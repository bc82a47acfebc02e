//! The file of a [`FeatureSet`]: a header, the columns, and a checksum over both. Little endian.

use super::features::{FeatureSet, LeftOut};

/// Changes whenever the layout or the meaning of a column does.
pub(super) const VERSION: u32 = 1;

const MAGIC: &[u8; 12] = b"bertbenchfs\n";
const KEY: usize = 32;
const CHECKSUM: usize = 32;
/// Magic, version, key, and five counts of 64 bits.
const HEADER: usize = MAGIC.len() + 4 + KEY + 5 * 8;

/// The bytes of `set` under `key`.
pub(super) fn to_bytes(set: &FeatureSet, key: &[u8; KEY]) -> Vec<u8> {
    let (examples, tokens) = (set.len(), set.ids.len());
    let mut bytes = Vec::with_capacity(HEADER + (examples + 1) * 8 + tokens * 5 + examples * 4 + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(key);
    let left_out = set.left_out;
    for count in [examples as u64, tokens as u64, set.truncated, left_out.malformed, left_out.without_gold] {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend(set.offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    bytes.extend(set.ids.iter().flat_map(|id| id.to_le_bytes()));
    bytes.extend(set.labels.iter().flat_map(|label| label.to_le_bytes()));
    bytes.extend(&set.segments);
    let checksum = blake3::hash(&bytes);
    bytes.extend(checksum.as_bytes());
    bytes
}

/// The features that [`to_bytes`] wrote under `key`, or why these bytes are something else.
pub(super) fn from_bytes(bytes: &[u8], key: &[u8; KEY]) -> Result<FeatureSet, &'static str> {
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or("it is too short")?;
    // First of all: nothing below is believed until the whole file is what was written.
    if blake3::hash(content) != *checksum {
        return Err("its checksum does not match");
    }
    let mut rest = Cursor(content);
    if rest.take(MAGIC.len())? != MAGIC || rest.take(4)? != VERSION.to_le_bytes() {
        return Err("it has another format");
    }
    if rest.take(KEY)? != key {
        return Err("it belongs to other inputs");
    }
    let [examples, tokens, truncated, malformed, without_gold] =
        [rest.count()?, rest.count()?, rest.count()?, rest.count()?, rest.count()?];
    let (n, t) = (examples as usize, tokens as usize);
    let expected = n.checked_mul(12).and_then(|x| x.checked_add(8)?.checked_add(t.checked_mul(5)?));
    if expected != Some(rest.0.len()) {
        return Err("its length does not match its header");
    }
    let offsets = rest.take((n + 1) * 8)?.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
    let ids = rest.take(t * 4)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let labels = rest.take(n * 4)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let set = FeatureSet {
        offsets,
        ids,
        segments: rest.take(t)?.to_vec(),
        labels,
        truncated,
        left_out: LeftOut { malformed, without_gold },
    };
    if set.offsets.first() != Some(&0) || set.offsets.last() != Some(&tokens) || !set.offsets.is_sorted() {
        return Err("its offsets are out of order");
    }
    Ok(set)
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it is too short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn count(&mut self) -> Result<u64, &'static str> {
        let (taken, rest) = self.0.split_first_chunk().ok_or("it is too short")?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::features::tests::three;

    #[test]
    fn what_was_written_is_read_bit_for_bit() {
        let (set, key) = (three(), [7; KEY]);
        let back = from_bytes(&to_bytes(&set, &key), &key).unwrap();
        assert_eq!(back.offsets, set.offsets);
        assert_eq!(back.ids, set.ids);
        assert_eq!(back.segments, set.segments);
        let bits = |set: &FeatureSet| set.labels.iter().map(|label| label.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&set));
        assert_eq!((back.truncated, back.left_out), (set.truncated, set.left_out));
    }

    #[test]
    fn every_single_damaged_byte_and_every_cut_is_noticed() {
        let key = [7; KEY];
        let whole = to_bytes(&three(), &key);
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(from_bytes(&damaged, &key).is_err(), "byte {at}");
            assert!(from_bytes(&whole[..at], &key).is_err(), "cut at {at}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(from_bytes(&longer, &key).is_err());
        assert_eq!(from_bytes(&whole, &[8; KEY]).unwrap_err(), "it belongs to other inputs");
    }

    #[test]
    fn a_header_that_lies_is_refused_even_under_a_right_checksum() {
        let key = [7; KEY];
        let whole = to_bytes(&three(), &key);
        let counts = MAGIC.len() + 4 + KEY;
        // The counts of examples and tokens, each as large as a count can be.
        for at in [counts, counts + 8] {
            let mut content = whole[..whole.len() - CHECKSUM].to_vec();
            content[at..at + 8].fill(0xff);
            content.extend(blake3::hash(&content.clone()).as_bytes());
            assert_eq!(from_bytes(&content, &key).unwrap_err(), "its length does not match its header");
        }
    }
}
