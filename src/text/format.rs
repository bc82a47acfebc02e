//! The file of a [`FeatureSet`]: a header, the columns, and a checksum over both. Little endian.

use super::features::{FeatureSet, LabelKind, Parts, SkippedRows};

/// Changes whenever the layout or the meaning of a column does.
pub(super) const VERSION: u32 = 3;

const MAGIC: &[u8; 12] = b"bertbenchfs\n";
const KEY: usize = 32;
const CHECKSUM: usize = 32;
/// Sequences, tokens, labels, owners, places, what labels are about, truncated, and three counts of left-out rows.
const COUNTS: usize = 10;
/// Magic, version, key, and the counts of 64 bits each.
const HEADER: usize = MAGIC.len() + 4 + KEY + COUNTS * 8;

/// The bytes of `set` under `key`.
pub(super) fn to_bytes(set: &FeatureSet, key: &[u8; KEY]) -> Vec<u8> {
    let FeatureSet { parts, labelled, left_out } = set;
    let Parts { offsets, ids, segments, labels, source_index, offset_mapping, truncated } = parts;
    let content =
        offsets.len() * 8 + ids.len() * 5 + (labels.len() + source_index.len()) * 4 + offset_mapping.len() * 8;
    let mut bytes = Vec::with_capacity(HEADER + content + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(key);
    let sizes =
        [set.sequences(), ids.len(), labels.len(), source_index.len(), offset_mapping.len()].map(|size| size as u64);
    let SkippedRows { malformed, without_gold, unfindable } = *left_out;
    for count in sizes.into_iter().chain([number(*labelled), *truncated, malformed, without_gold, unfindable]) {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    bytes.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
    bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
    bytes.extend(source_index.iter().flat_map(|owner| owner.to_le_bytes()));
    bytes.extend(offset_mapping.iter().flatten().flat_map(|place| place.to_le_bytes()));
    bytes.extend(segments);
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
    let mut counts = [0; COUNTS];
    for count in &mut counts {
        *count = rest.count()?;
    }
    let [sequences, tokens, labels, source_index, offset_mapping, rest_of_counts @ ..] = counts;
    let [labelled, truncated, malformed, without_gold, unfindable] = rest_of_counts;
    let sizes = [(sequences, 8), (1, 8), (tokens, 5), (labels, 4), (source_index, 4), (offset_mapping, 8)];
    let expected = sizes.iter().try_fold(0u64, |sum, (size, width)| sum.checked_add(size.checked_mul(*width)?));
    if expected != Some(rest.0.len() as u64) {
        return Err("its length does not match its header");
    }
    let [sequences, labels, source_index, offset_mapping] =
        [sequences, labels, source_index, offset_mapping].map(|size| size as usize);
    let labelled = labelled_of(labelled).ok_or("its labels have an unknown type")?;
    let parts = Parts {
        offsets: rest.take((sequences + 1) * 8)?.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect(),
        ids: rest.words(tokens as usize)?.map(u32::from_le_bytes).collect(),
        labels: rest.words(labels)?.map(f32::from_le_bytes).collect(),
        source_index: rest.words(source_index)?.map(u32::from_le_bytes).collect(),
        offset_mapping: pairs(rest.words(offset_mapping * 2)?.map(u32::from_le_bytes)),
        segments: rest.take(tokens as usize)?.to_vec(),
        truncated,
    };
    let set = FeatureSet { parts, labelled, left_out: SkippedRows { malformed, without_gold, unfindable } };
    if set.is_whole() { Ok(set) } else { Err("its columns do not fit each other") }
}

/// 0 to 2, or 3 and more for so many choices less 3.
fn number(labelled: LabelKind) -> u64 {
    match labelled {
        LabelKind::Sequences => 0,
        LabelKind::Spans => 1,
        LabelKind::Tokens => 2,
        LabelKind::Choices(choices) => 3 + u64::from(choices),
    }
}

fn labelled_of(number: u64) -> Option<LabelKind> {
    Some(match number {
        0 => LabelKind::Sequences,
        1 => LabelKind::Spans,
        2 => LabelKind::Tokens,
        more => LabelKind::Choices((more - 3).try_into().ok()?),
    })
}

fn pairs(mut numbers: impl Iterator<Item = u32>) -> Vec<[u32; 2]> {
    std::iter::from_fn(|| Some([numbers.next()?, numbers.next()?])).collect()
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it is too short")?;
        self.0 = rest;
        Ok(taken)
    }

    /// So many numbers of 32 bits.
    fn words(&mut self, count: usize) -> Result<impl Iterator<Item = [u8; 4]> + use<'a>, &'static str> {
        Ok(self.take(count * 4)?.as_chunks().0.iter().copied())
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
    use crate::text::pair::tests::three;

    #[test]
    fn what_was_written_is_read_bit_for_bit() {
        let key = [7; KEY];
        let labelled = |labels: &[f32]| Parts { labels: labels.to_vec(), ..three().parts };
        let spans = Parts {
            source_index: vec![0, 0, 1],
            offset_mapping: (0..16).map(|place| [place, u32::MAX - place]).collect(),
            ..labelled(&[0.0, 0.0, 2.0, 3.0, f32::NAN, -0.0])
        };
        let spans = FeatureSet { labelled: LabelKind::Spans, parts: spans, ..three() };
        let tokens = FeatureSet { labelled: LabelKind::Tokens, parts: labelled(&[1.5; 16]), ..three() };
        for set in [three(), three().into_choices(3, vec![2.0]), spans, tokens] {
            let back = from_bytes(&to_bytes(&set, &key), &key).unwrap();
            let bits = |set: &FeatureSet| set.parts.labels.iter().map(|label| label.to_bits()).collect::<Vec<_>>();
            assert_eq!((back.labelled, bits(&back), back.left_out), (set.labelled, bits(&set), set.left_out));
            // NaN is not equal to itself.
            let without_labels = |set: FeatureSet| Parts { labels: Vec::new(), ..set.parts };
            assert_eq!(without_labels(back), without_labels(set));
        }
        let wrong = FeatureSet { parts: labelled(&[0.0; 4]), ..three() };
        assert_eq!(from_bytes(&to_bytes(&wrong, &key), &key).unwrap_err(), "its columns do not fit each other");
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
