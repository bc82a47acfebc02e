//! How BERT is drawn at random, read and written.

use super::bert::{Bert, Embeddings, Layer};
use crate::kernel::Precision;
use crate::model::error::CheckpointError;
use crate::model::initialize::Initializer;
use crate::model::reader::{NO_POOLER, Reader};
use crate::model::write::Tensors;
use crate::random::Stream;
use crate::store::Architecture;

const EMBEDDING_TENSORS: [&str; 5] = [
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
];
const LAYER_TENSORS: [&str; 8] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];

/// Names (without `bert.`) and shapes of its tensors as PyTorch keeps them, the pooler's, which a file may lack, not among
/// them.
pub(in crate::model) fn tensors(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    let [hidden, intermediate] = [of.hidden, of.intermediate].map(|size| size as usize);
    let rows = [of.vocab_size, of.max_positions, of.type_vocab_size].map(|rows| vec![rows as usize, hidden]);
    let norm = [vec![hidden], vec![hidden]];
    let shapes = rows.into_iter().chain(norm);
    let mut tensors: Vec<_> =
        EMBEDDING_TENSORS.iter().zip(shapes).map(|(name, shape)| (format!("embeddings.{name}"), shape)).collect();
    for layer in 0..of.layers {
        for part in LAYER_TENSORS {
            let weight = match part {
                "intermediate.dense" => vec![intermediate, hidden],
                "output.dense" => vec![hidden, intermediate],
                norm if norm.ends_with("LayerNorm") => vec![hidden],
                _ => vec![hidden, hidden],
            };
            let name = format!("encoder.layer.{layer}.{part}");
            let bias = vec![weight[0]];
            tensors.extend([(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]);
        }
    }
    tensors
}

/// With random weights.
pub(super) fn random(initializer: &mut Initializer<'_>, of: &Architecture) -> Bert {
    let (hidden, intermediate) = (of.hidden as usize, of.intermediate as usize);
    Bert {
        embeddings: Embeddings {
            word: initializer.matrix(of.vocab_size as usize, hidden),
            position: initializer.matrix(of.max_positions as usize, hidden),
            segment: initializer.matrix(of.type_vocab_size as usize, hidden),
            norm: initializer.norm(hidden),
        },
        layers: (0..of.layers).map(|_| random_layer(initializer, hidden, intermediate)).collect(),
        pooler: initializer.linear(hidden, hidden),
        heads: of.heads as usize,
        causal: of.causal,
        precision: Precision::default(),
    }
}

/// A layer with random weights.
pub(super) fn random_layer(initializer: &mut Initializer<'_>, hidden: usize, intermediate: usize) -> Layer {
    Layer {
        query_key_value: initializer.linear(hidden, 3 * hidden),
        attention_output: initializer.linear(hidden, hidden),
        attention_norm: initializer.norm(hidden),
        intermediate: initializer.linear(hidden, intermediate),
        output: initializer.linear(intermediate, hidden),
        output_norm: initializer.norm(hidden),
    }
}

/// From a checkpoint. A pooler that the file lacks is drawn, which is noted.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Bert, CheckpointError> {
    let of = reader.of;
    let hidden = of.hidden as usize;
    let embeddings = Embeddings {
        word: reader.matrix("embeddings.word_embeddings.weight", of.vocab_size as usize, hidden)?,
        position: reader.matrix("embeddings.position_embeddings.weight", of.max_positions as usize, hidden)?,
        segment: reader.matrix("embeddings.token_type_embeddings.weight", of.type_vocab_size as usize, hidden)?,
        norm: reader.norm("embeddings.LayerNorm")?,
    };
    let layers = (0..of.layers).map(|index| read_layer(reader, index)).collect::<Result<_, _>>()?;
    let pooler = if reader.weights.has("pooler.dense.weight") {
        reader.linear("pooler.dense", hidden, hidden)?
    } else {
        reader.notes.push(NO_POOLER.into());
        Initializer::new(Stream::new(reader.seed, "init-pooler"), of.initializer_range, reader.device)
            .linear(hidden, hidden)
    };
    let heads = of.heads as usize;
    Ok(Bert { embeddings, layers, pooler, heads, causal: of.causal, precision: Precision::default() })
}

fn read_layer(reader: &mut Reader<'_>, index: u32) -> Result<Layer, CheckpointError> {
    let (hidden, intermediate) = (reader.of.hidden as usize, reader.of.intermediate as usize);
    let name = |part: &str| format!("encoder.layer.{index}.{part}");
    let query_key_value = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
    Ok(Layer {
        query_key_value: reader.linears(&query_key_value, hidden, hidden)?,
        attention_output: reader.linear(&name("attention.output.dense"), hidden, hidden)?,
        attention_norm: reader.norm(&name("attention.output.LayerNorm"))?,
        intermediate: reader.linear(&name("intermediate.dense"), hidden, intermediate)?,
        output: reader.linear(&name("output.dense"), intermediate, hidden)?,
        output_norm: reader.norm(&name("output.LayerNorm"))?,
    })
}

impl Bert {
    /// Adds its tensors, with the pooler's if that is wanted.
    pub(super) fn write(&self, into: &mut Tensors, pooler: bool) {
        let [_, hidden] = self.embeddings.word.dims();
        into.tensor("bert.embeddings.word_embeddings.weight".into(), self.embeddings.word.val());
        into.tensor("bert.embeddings.position_embeddings.weight".into(), self.embeddings.position.val());
        into.tensor("bert.embeddings.token_type_embeddings.weight".into(), self.embeddings.segment.val());
        into.norm("bert.embeddings.LayerNorm", &self.embeddings.norm);
        for (index, layer) in self.layers.iter().enumerate() {
            write_layer(into, &format!("bert.encoder.layer.{index}"), layer, hidden);
        }
        if pooler {
            into.linear("bert.pooler.dense", &self.pooler);
        }
    }
}

fn write_layer(into: &mut Tensors, name: &str, layer: &Layer, hidden: usize) {
    for (part, projection) in ["query", "key", "value"].into_iter().enumerate() {
        let columns = part * hidden..(part + 1) * hidden;
        let weight = layer.query_key_value.weight.val().slice_dim(1, columns.clone());
        into.tensor(format!("{name}.attention.self.{projection}.weight"), weight.transpose());
        let bias = layer.query_key_value.bias.val().slice_dim(0, columns);
        into.tensor(format!("{name}.attention.self.{projection}.bias"), bias);
    }
    into.linear(&format!("{name}.attention.output.dense"), &layer.attention_output);
    into.norm(&format!("{name}.attention.output.LayerNorm"), &layer.attention_norm);
    into.linear(&format!("{name}.intermediate.dense"), &layer.intermediate);
    into.linear(&format!("{name}.output.dense"), &layer.output);
    into.norm(&format!("{name}.output.LayerNorm"), &layer.output_norm);
}
