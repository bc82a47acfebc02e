//! A model of an experiment: where its size and weights come from.

use std::path::PathBuf;

use super::hub::HubModel;
use super::written_model::{Preset, Pretrained};
use crate::settings::{Approach, EncoderType, InitializerRange, Pooling};

/// One model of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name in the experiment file.
    pub name: String,
    /// Where its size and weights come from.
    pub source: ModelSource,
    /// A `vocab.txt` that the file names; else the checkpoint's or the data folder's.
    pub vocabulary: Option<PathBuf>,
    /// Whether text is lower-cased, when the file says so; else the checkpoint's setting, or true.
    pub lower_case: Option<bool>,
    /// The names of the tasks that it is trained on, in the order of the experiment's.
    pub tasks: Vec<String>,
    /// How its encoder is used.
    pub approach: Approach,
}

/// Where a model's size and weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// A size, and random weights.
    Random(Dimensions),
    /// A folder of Hugging Face or google-research/bert, a file in it, or a TensorFlow checkpoint's prefix.
    Checkpoint(PathBuf),
    /// A model of the Hugging Face hub.
    Hub(HubModel),
    /// A model that an experiment pretrains.
    Pretraining(Pretrained),
}

/// The dimensions of a BERT encoder; its vocabulary comes from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Which encoder it is.
    pub encoder: EncoderType,
    /// How states become one vector, where that was chosen.
    pub pooling: Option<Pooling>,
    /// Layers; 0 of word vectors.
    pub layers: u32,
    /// Hidden size.
    pub hidden: u32,
    /// Attention heads; divides `hidden`. 1 in encoders without attention.
    pub heads: u32,
    /// Width of the feed-forward layer; 0 in encoders without one.
    pub intermediate: u32,
    /// Rows of the position embeddings: the longest sequence.
    pub max_positions: u32,
    /// How large random weights are; of transformers alone.
    pub initializer_range: InitializerRange,
}

impl Preset {
    /// Each of them by its name, the smallest first.
    pub const ALL: [(&'static str, Self); 6] = [
        ("bert-tiny", Self::BertTiny),
        ("bert-mini", Self::BertMini),
        ("bert-small", Self::BertSmall),
        ("bert-medium", Self::BertMedium),
        ("bert-base", Self::BertBase),
        ("bert-large", Self::BertLarge),
    ];

    /// The size that this name stands for.
    #[must_use]
    pub fn dimensions(self) -> Dimensions {
        // Devlin et al. 2018, §3, and Turc et al. 2019, table 1: heads of width 64, intermediate 4H.
        let (layers, hidden) = match self {
            Self::BertBase => (12, 768),
            Self::BertLarge => (24, 1024),
            Self::BertTiny => (2, 128),
            Self::BertMini => (4, 256),
            Self::BertSmall => (4, 512),
            Self::BertMedium => (8, 512),
        };
        Dimensions {
            encoder: EncoderType::Bert,
            pooling: None,
            initializer_range: InitializerRange::BERT,
            layers,
            hidden,
            heads: hidden / 64,
            intermediate: 4 * hidden,
            max_positions: 512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_published_sizes() {
        let sizes = |preset: Preset| {
            let d = preset.dimensions();
            (d.layers, d.hidden, d.heads, d.intermediate)
        };
        assert_eq!(sizes(Preset::BertBase), (12, 768, 12, 3072));
        assert_eq!(sizes(Preset::BertLarge), (24, 1024, 16, 4096));
        assert_eq!(sizes(Preset::BertTiny), (2, 128, 2, 512));
        assert_eq!(sizes(Preset::BertMini), (4, 256, 4, 1024));
        assert_eq!(sizes(Preset::BertSmall), (4, 512, 8, 2048));
        assert_eq!(sizes(Preset::BertMedium), (8, 512, 8, 2048));
    }
}
