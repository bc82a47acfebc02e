//! LevelDB's sorted table (`doc/table_format.md` of google/leveldb), as TensorFlow writes it: blocks of
//! keys with common prefixes, an index block of the data blocks, a footer.

/// The last eight bytes of a table.
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// Two block handles, padded, and the magic number.
const FOOTER: usize = 48;
/// After each block: one byte of its compression, four of its checksum.
const TRAILER: usize = 5;
/// Snappy's shortest code for the most bytes is 3 for 64 (`format_description.txt` of google/snappy): a block that says
/// it unpacks to more than so many times its size is damaged.
const SNAPPY_RATIO: usize = 22;
/// The names and values of a table take no more memory. BERT-large with its optimizer's moments has 0.2 MiB; entries
/// that share long names could otherwise claim thousands of times the file's size.
const LARGEST_TABLE: usize = 64 << 20;
/// What an entry takes besides its bytes.
const ENTRY: usize = size_of::<(Vec<u8>, Vec<u8>)>();

/// What a table is damaged by, in words.
pub(super) type Problem = String;

/// Keys with their values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// CRC-32C as LevelDB and TensorFlow store it: rotated and shifted, so that the checksum of bytes that
/// hold a checksum is no special case.
pub(in super::super) fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Every key with its value, in order.
pub(super) fn entries(table: &[u8]) -> Result<Entries, Problem> {
    let footer = table.len().checked_sub(FOOTER).map(|at| &table[at..]).ok_or("shorter than a table's footer")?;
    let (handles, magic) = footer.split_at(FOOTER - 8);
    if magic != MAGIC.to_le_bytes() {
        return Err("not the index of a TensorFlow checkpoint (no table's magic number at its end)".into());
    }
    let mut handles = Cursor(handles);
    let _metaindex = handles.handle()?;
    let mut room = LARGEST_TABLE;
    let (mut all, mut end) = (Vec::new(), 0);
    for (_, value) in block(table, handles.handle()?, &mut room)? {
        let (offset, length) = Cursor(&value).handle()?;
        // Blocks stand one behind the other, so that none is read twice.
        if offset < end {
            return Err(format!("the block at {offset} begins within the one before"));
        }
        end = offset.saturating_add(length);
        all.extend(block(table, (offset, length), &mut room)?);
    }
    Ok(all)
}

/// The position and the length of a block.
type Handle = (u64, u64);

/// The entries of one block, its checksum verified; they take of `room` what memory they need.
fn block(table: &[u8], (offset, length): Handle, room: &mut usize) -> Result<Entries, Problem> {
    let stored = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    let stored = stored.and_then(|(from, length)| table.get(from..from.checked_add(length)?.checked_add(TRAILER)?));
    let stored = stored.ok_or_else(|| format!("a block at {offset} of {length} bytes is not in the file"))?;
    let (checked, crc) = stored.split_at(stored.len() - 4);
    if masked_crc(checked).to_le_bytes() != crc {
        return Err(format!("the block at {offset} is damaged: its checksum (CRC-32C) is not that of its bytes"));
    }
    let (bytes, compression) = checked.split_at(checked.len() - 1);
    match compression {
        [0] => parse(bytes, room),
        [1] => parse(&unpack(bytes).ok_or_else(|| format!("the block at {offset} is not valid Snappy"))?, room),
        _ => Err(format!("the block at {offset} has an unknown compression")),
    }
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = snap::raw::decompress_len(bytes).ok()?;
    if length > bytes.len().saturating_mul(SNAPPY_RATIO) {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(bytes).ok()
}

/// A block's entries: each key says how many bytes it shares with the one before. The block ends with the
/// positions of keys that are written out, and their number.
fn parse(block: &[u8], room: &mut usize) -> Result<Entries, Problem> {
    let malformed = || "a block is malformed".to_owned();
    let (rest, count) = block.split_last_chunk::<4>().ok_or_else(malformed)?;
    let restarts = (u32::from_le_bytes(*count) as usize).checked_mul(4);
    let end = restarts.and_then(|restarts| rest.len().checked_sub(restarts)).ok_or_else(malformed)?;
    let mut cursor = Cursor(&rest[..end]);
    let mut entries = Entries::new();
    while !cursor.0.is_empty() {
        let [shared, own, value] = [cursor.varint()?, cursor.varint()?, cursor.varint()?];
        let before = entries.last().map_or(&[][..], |(key, _)| key);
        let shared = usize::try_from(shared).ok().and_then(|shared| before.get(..shared)).ok_or_else(malformed)?;
        let (own, value) = (cursor.take(own)?, cursor.take(value)?);
        let needed = ENTRY + shared.len() + own.len() + value.len();
        *room =
            room.checked_sub(needed).ok_or_else(|| format!("its names need more than {} MiB", LARGEST_TABLE >> 20))?;
        entries.push(([shared, own].concat(), value.to_vec()));
    }
    Ok(entries)
}

/// Reads from the front of a slice.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// A number in groups of seven bits, the lowest first.
    pub(super) fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or("it ends in the middle of a number")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has more than 64 bits".into())
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], Problem> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (taken, rest) = split.ok_or("it ends in the middle of an entry")?;
        self.0 = rest;
        Ok(taken)
    }

    fn handle(&mut self) -> Result<Handle, Problem> {
        Ok((self.varint()?, self.varint()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_leveldbs() {
        // google/leveldb, util/crc32c_test.cc: 32 zero bytes have the CRC-32C 0x8a9136aa.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked_crc(&[0; 32]), 0x8a91_36aau32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    /// A block with its trailer at the end of `table`; gives its handle as it is stored.
    fn append(table: &mut Vec<u8>, entries: &[(&str, &[u8])], packed: bool) -> Vec<u8> {
        let mut block = Vec::new();
        for (key, value) in entries {
            block.extend([0, key.len() as u8, value.len() as u8]);
            block.extend(key.as_bytes());
            block.extend(*value);
        }
        block.extend(0u32.to_le_bytes());
        block.extend(1u32.to_le_bytes());
        if packed {
            block = snap::raw::Encoder::new().compress_vec(&block).unwrap();
        }
        let handle = [table.len() as u8, block.len() as u8];
        block.push(u8::from(packed));
        let crc = masked_crc(&block);
        block.extend(crc.to_le_bytes());
        table.extend(block);
        handle.to_vec()
    }

    fn table(packed: bool) -> Vec<u8> {
        let mut table = Vec::new();
        let data = append(&mut table, &[("", b"header"), ("a", b"1"), ("b", b"2")], packed);
        let metaindex = append(&mut table, &[], packed);
        let index = append(&mut table, &[("c", &data)], packed);
        let mut footer = [metaindex, index].concat();
        footer.resize(FOOTER - 8, 0);
        table.extend(footer);
        table.extend(MAGIC.to_le_bytes());
        table
    }

    #[test]
    fn plain_and_snappy_tables_give_their_entries() {
        for packed in [false, true] {
            let found = entries(&table(packed)).unwrap();
            let expected = [("", "header"), ("a", "1"), ("b", "2")].map(|(k, v)| (k.as_bytes().into(), v.into()));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_shared_prefix_is_put_before_the_rest_of_a_key() {
        let mut block = vec![0, 3, 1, b'a', b'b', b'c', b'1', 2, 1, 1, b'd', b'2'];
        block.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(
            parse(&block, &mut LARGEST_TABLE.clone()).unwrap(),
            [(b"abc".to_vec(), b"1".to_vec()), (b"abd".to_vec(), b"2".to_vec())]
        );
    }

    #[test]
    fn shared_names_cost_no_more_than_the_limit() {
        // 100,000 entries of 3 bytes, each of which says that its name is the 60,000 bytes of the one before.
        let mut block = vec![0, 0xe0, 0xd4, 0x03, 0];
        block.extend(vec![b'a'; 60_000]);
        block.extend([0xe0, 0xd4, 0x03, 0, 0].repeat(100_000));
        block.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(parse(&block, &mut LARGEST_TABLE.clone()).unwrap_err(), "its names need more than 64 MiB");
    }

    #[test]
    fn no_block_is_read_twice() {
        let mut table = Vec::new();
        let data = append(&mut table, &[("a", b"1")], false);
        let index = append(&mut table, &[("b", &data), ("c", &data)], false);
        let mut footer = [data, index].concat();
        footer.resize(FOOTER - 8, 0);
        table.extend(footer);
        table.extend(MAGIC.to_le_bytes());
        assert_eq!(entries(&table).unwrap_err(), "the block at 0 begins within the one before");
    }

    /// Every bit of a table is either checked or padding: no flip goes unnoticed, and none makes it panic.
    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        for packed in [false, true] {
            let (intact, whole) = (table(packed), entries(&table(packed)).unwrap());
            // The metaindex block is not read, nor is the footer's padding.
            let mut unnoticed = 0;
            for at in 0..intact.len() * 8 {
                let mut damaged = intact.clone();
                damaged[at / 8] ^= 1 << (at % 8);
                unnoticed += usize::from(entries(&damaged).is_ok_and(|found| found == whole));
                assert!(entries(&damaged).is_err() || entries(&damaged).unwrap() == whole, "bit {at}");
            }
            assert!(unnoticed < (FOOTER + 20) * 8, "{unnoticed}");
            assert!((0..intact.len()).all(|length| entries(&intact[..length]).is_err()));
        }
    }
}
