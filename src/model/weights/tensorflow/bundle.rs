//! The messages in a bundle's index (`tensorflow/core/protobuf/tensor_bundle.proto`).

use super::protobuf::fields;
use super::table::{Problem, entries};

/// No published checkpoint has more than a few; each is a file to open.
const MOST_SHARDS: u64 = 100_000;

/// A bundle's index.
#[derive(Debug)]
pub(super) struct Bundle {
    /// Number of data files.
    pub(super) shards: u64,
    /// Variables by name.
    pub(super) entries: Vec<(String, Entry)>,
}

/// `BundleEntryProto`
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) dtype: u64,
    pub(super) shape: Vec<u64>,
    pub(super) shard: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) masked_crc: u32,
    /// Stored in parts, under other keys.
    pub(super) sliced: bool,
}

impl Bundle {
    /// Reads an index: the entry without a name is the header, the others are variables.
    pub(super) fn parse(index: &[u8]) -> Result<Self, Problem> {
        let mut all = entries(index)?.into_iter();
        let shards = match all.next() {
            Some((key, header)) if key.is_empty() => header_shards(&header)?,
            _ => return Err("it has no header".into()),
        };
        let variables = all.map(|(key, value)| {
            let name = String::from_utf8(key).map_err(|_| "a variable's name is not UTF-8".to_owned())?;
            let entry = Entry::parse(&value).map_err(|problem| format!("the entry of `{name}`: {problem}"))?;
            Ok((name, entry))
        });
        Ok(Self { shards, entries: variables.collect::<Result<_, Problem>>()? })
    }
}

/// `BundleHeaderProto`: the number of data files; big-endian ones are refused.
fn header_shards(header: &[u8]) -> Result<u64, Problem> {
    let mut shards = 0;
    for (number, field) in fields(header)? {
        match number {
            1 => shards = field.number(),
            2 if field.number() != 0 => return Err("its numbers are big-endian".into()),
            _ => {}
        }
    }
    if (1..=MOST_SHARDS).contains(&shards) { Ok(shards) } else { Err(format!("it promises {shards} data files")) }
}

impl Entry {
    fn parse(message: &[u8]) -> Result<Self, Problem> {
        let mut entry = Self::default();
        for (number, field) in fields(message)? {
            match number {
                1 => entry.dtype = field.number(),
                2 => entry.shape = shape(field.bytes())?,
                3 => entry.shard = field.number(),
                4 => entry.offset = field.number(),
                5 => entry.length = field.number(),
                6 => entry.masked_crc = field.number() as u32,
                7 => entry.sliced = true,
                _ => {}
            }
        }
        Ok(entry)
    }
}

/// `TensorShapeProto`: sizes of the dimensions.
fn shape(message: &[u8]) -> Result<Vec<u64>, Problem> {
    let mut shape = Vec::new();
    for (number, dimension) in fields(message)? {
        if number == 2 {
            let size = fields(dimension.bytes())?.into_iter().find(|(number, _)| *number == 1);
            shape.push(size.map_or(0, |(_, size)| size.number()));
        }
    }
    Ok(shape)
}
