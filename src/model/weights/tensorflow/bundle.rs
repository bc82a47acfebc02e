//! The messages in a bundle's index (`tensorflow/core/protobuf/tensor_bundle.proto`), as far as they are read.

use prost::Message;

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

/// `BundleHeaderProto`
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct Header {
    /// Number of data files.
    #[prost(uint64, tag = "1")]
    shards: u64,
    /// Not 0 where numbers are big-endian.
    #[prost(uint64, tag = "2")]
    endianness: u64,
}

/// `BundleEntryProto`
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Entry {
    #[prost(uint64, tag = "1")]
    pub(super) dtype: u64,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(uint64, tag = "3")]
    pub(super) shard: u64,
    #[prost(uint64, tag = "4")]
    pub(super) offset: u64,
    #[prost(uint64, tag = "5")]
    pub(super) length: u64,
    #[prost(fixed32, tag = "6")]
    pub(super) masked_crc: u32,
    /// The parts in which it is stored, under other keys.
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub(super) slices: Vec<Vec<u8>>,
}

/// `TensorShapeProto`
#[derive(Clone, PartialEq, Eq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dimensions: Vec<Dimension>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct Dimension {
    #[prost(uint64, tag = "1")]
    size: u64,
}

impl Entry {
    /// Sizes of the dimensions.
    pub(super) fn shape(&self) -> Vec<u64> {
        self.shape.iter().flat_map(|shape| &shape.dimensions).map(|dimension| dimension.size).collect()
    }
}

impl Bundle {
    /// Reads an index: the entry without a name is the header, the others are variables.
    pub(super) fn parse(index: &[u8]) -> Result<Self, Problem> {
        let mut all = entries(index)?.into_iter();
        let header = match all.next() {
            Some((key, header)) if key.is_empty() => Header::decode(&*header).map_err(|error| error.to_string())?,
            _ => return Err("it has no header".into()),
        };
        if header.endianness != 0 {
            return Err("its numbers are big-endian".into());
        }
        if !(1..=MOST_SHARDS).contains(&header.shards) {
            return Err(format!("it promises {} data files", header.shards));
        }
        let variables = all.map(|(key, value)| {
            let name = String::from_utf8(key).map_err(|_| "a variable's name is not UTF-8".to_owned())?;
            let entry = Entry::decode(&*value).map_err(|problem| format!("the entry of `{name}`: {problem}"))?;
            Ok((name, entry))
        });
        Ok(Self { shards: header.shards, entries: variables.collect::<Result<_, Problem>>()? })
    }
}
