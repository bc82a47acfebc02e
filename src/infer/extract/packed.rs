//! All tokens of all examples in one safetensors file, one tensor a layer, without padding.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use serde_json::{Map, Value, json};

use super::{Layer, Sink};
use crate::text::{ExampleFeatures, FeatureSet};

/// Version of the file's tensors and metadata.
const VERSION: u32 = 1;
/// Bytes of an I64 and of an F32.
const I64: u64 = 8;
const F32: u64 = 4;
/// The header's length is a multiple of this, so that the numbers are aligned (safetensors' format).
const ALIGNMENT: usize = 8;

/// Writes hidden states into their places in a file of known size:
///
/// - `ids` and `segments`, I64 `[tokens]`;
/// - `offsets`, I64 `[examples + 1]`: example `i` has the tokens from `offsets[i]` to `offsets[i + 1]`;
/// - `layer_-1` and so on, F32 `[tokens, hidden]`, as the layers were written by the user.
pub struct Packed<'a> {
    file: &'a mut File,
    /// Where each layer's next row belongs.
    places: Vec<u64>,
}

impl<'a> Packed<'a> {
    /// Writes the header, ids, segments and offsets to `file`, which is empty. `about` goes into the metadata.
    ///
    /// # Errors
    /// When the file cannot be written, or cannot be sought in, as a pipe.
    pub fn begin(
        file: &'a mut File,
        features: &FeatureSet,
        layers: &[Layer],
        hidden: u32,
        about: &[(&str, String)],
    ) -> io::Result<Self> {
        let (tokens, examples) = (features.tokens(), features.len() as u64);
        let mut header = Header::default();
        for (name, length) in [("ids", tokens), ("segments", tokens), ("offsets", examples + 1)] {
            header.tensor(name, "I64", &[length], length * I64);
        }
        let layer_bytes = tokens * u64::from(hidden) * F32;
        let firsts: Vec<u64> = layers
            .iter()
            .map(|layer| header.tensor(&format!("layer_{}", layer.index), "F32", &[tokens, hidden.into()], layer_bytes))
            .collect();
        let indices: Vec<String> = layers.iter().map(|layer| layer.index.to_string()).collect();
        let own =
            [("format", "bertbench features".into()), ("version", VERSION.to_string()), ("layers", indices.join(","))];
        let header = header.bytes(own.iter().chain(about))?;
        let numbers = header.len() as u64;
        file.write_all(&header)?;
        file.write_all(&whole_numbers(features))?;
        Ok(Self { file, places: firsts.into_iter().map(|first| numbers + first).collect() })
    }
}

/// Ids, segments and offsets as little-endian I64.
fn whole_numbers(features: &FeatureSet) -> Vec<u8> {
    let examples = || (0..features.len()).map(|at| features.example(at));
    let ids = examples().flat_map(|example| example.ids.iter().map(|id| i64::from(*id)));
    let segments = examples().flat_map(|example| example.segments.iter().map(|segment| i64::from(*segment)));
    let ends = examples().scan(0, |end, example| {
        *end += example.ids.len() as i64;
        Some(*end)
    });
    ids.chain(segments).chain(std::iter::once(0)).chain(ends).flat_map(i64::to_le_bytes).collect()
}

impl Sink for Packed<'_> {
    fn example(&mut self, _: usize, _: ExampleFeatures<'_>, layers: &[Vec<f32>]) -> io::Result<()> {
        for (place, states) in self.places.iter_mut().zip(layers) {
            let bytes: Vec<u8> = states.iter().flat_map(|number| number.to_le_bytes()).collect();
            self.file.seek(SeekFrom::Start(*place))?;
            self.file.write_all(&bytes)?;
            *place += bytes.len() as u64;
        }
        Ok(())
    }
}

/// The header of a safetensors file, tensors in the order of their numbers.
#[derive(Default)]
struct Header {
    tensors: Map<String, Value>,
    end: u64,
}

impl Header {
    /// Adds a tensor and says where it begins.
    fn tensor(&mut self, name: &str, dtype: &str, shape: &[u64], bytes: u64) -> u64 {
        let first = self.end;
        self.end += bytes;
        self.tensors
            .insert(name.to_owned(), json!({"dtype": dtype, "shape": shape, "data_offsets": [first, self.end]}));
        first
    }

    /// Its length as eight bytes, and itself as JSON.
    fn bytes<'m>(self, about: impl Iterator<Item = &'m (&'m str, String)>) -> io::Result<Vec<u8>> {
        let about: BTreeMap<&str, &str> = about.map(|(key, value)| (*key, value.as_str())).collect();
        let mut header = Map::from_iter([("__metadata__".to_owned(), json!(about))]);
        header.extend(self.tensors);
        let mut json = serde_json::to_vec(&header)?;
        json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.append(&mut json);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;
    use safetensors::tensor::Dtype;

    use super::*;
    use crate::text::SkippedRows;

    #[test]
    fn the_safetensors_crate_reads_every_tensor_back() {
        let ids = [vec![2, 7, 3], vec![2, 3], vec![2, 8, 3, 9, 3]];
        let segments = [vec![0, 0, 0], vec![0, 0], vec![0, 0, 0, 1, 1]];
        let features = FeatureSet::from_examples(&ids, &segments, vec![f32::NAN; 3], SkippedRows::default());
        let layers = [Layer { index: -1, state: 2 }, Layer { index: 0, state: 0 }];
        let mut file = tempfile::tempfile().unwrap();
        let mut packed = Packed::begin(&mut file, &features, &layers, 2, &[("model", "m/é".into())]).unwrap();
        let mut count = 0_u8;
        for index in 0..3 {
            let tokens = features.example(index);
            let states: Vec<Vec<f32>> = [0.0, 100.0]
                .map(|layer| (0..2 * tokens.ids.len()).map(|at| layer + f32::from(count + at as u8)).collect())
                .into();
            count += 2 * tokens.ids.len() as u8;
            packed.example(index, tokens, &states).unwrap();
        }
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        let read = SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(metadata.metadata().as_ref().unwrap()["model"], "m/é");
        assert_eq!(metadata.metadata().as_ref().unwrap()["layers"], "-1,0");
        let whole = |name: &str| -> Vec<i64> {
            let view = read.tensor(name).unwrap();
            assert_eq!(view.dtype(), Dtype::I64);
            view.data().as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
        };
        assert_eq!(whole("ids"), [2, 7, 3, 2, 3, 2, 8, 3, 9, 3]);
        assert_eq!(whole("segments"), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(whole("offsets"), [0, 3, 5, 10]);
        for (name, first) in [("layer_-1", 0.0), ("layer_0", 100.0)] {
            let view = read.tensor(name).unwrap();
            assert_eq!((view.dtype(), view.shape()), (Dtype::F32, &[10, 2][..]));
            let numbers: Vec<f32> = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            let expected: Vec<f32> = (0..20_u8).map(|at| first + f32::from(at)).collect();
            assert_eq!(numbers, expected);
        }
    }
}
