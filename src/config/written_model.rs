//! A model of the experiment file as written: a size, or the place of trained weights.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::hub::{HubModel, default_revision};
use super::limits::{MAX_INTERMEDIATE, MAX_LAYERS, MAX_POSITIONS, SHORTEST_SEQUENCE};
use super::written_pretrain::WrittenRecipe;
use crate::settings::{Approach, EncoderType, MAX_HIDDEN, Pooling, number};

/// A model: exactly one of `preset`, `architecture` and `checkpoint`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["preset"]}, {"required": ["architecture"]}, {"required": ["checkpoint"]}]))]
#[schemars(rename = "Model")]
pub(super) struct WrittenModel {
    /// Which encoder it is; `bert` when left out, and what a checkpoint says of itself.
    pub(super) encoder: Option<EncoderType>,
    /// How the states of a sequence become the vector that classes are read off: of `lstm` `last` (when left out) or
    /// `mean`, of `elmo` `ends` (when left out), `last` or `mean`, of `word_vectors` `mean`.
    pub(super) pooling: Option<Pooling>,
    /// A published size, with random weights.
    pub(super) preset: Option<Preset>,
    /// A size of your own, with random weights.
    pub(super) architecture: Option<WrittenArchitecture>,
    /// Trained weights: a folder with `config.json`, weights and `vocab.txt`, `hub: ORG/NAME`, or a model that another
    /// experiment pretrains, `{experiment: NAME, model: NAME}`.
    pub(super) checkpoint: Option<WrittenCheckpoint>,
    /// The `WordPiece` vocabulary, a `vocab.txt`. A checkpoint brings its own; the other models use the
    /// `vocab.txt` of the data folder.
    pub(super) vocab_file: Option<String>,
    /// Whether text is lower-cased and stripped of accents. By default as the checkpoint says, else `true`.
    pub(super) do_lower_case: Option<bool>,
    /// The tasks that this model is trained on; all of the experiment's when left out.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) tasks: Option<Vec<String>>,
    /// How this model's encoder is used, whatever the experiment's `approach` says.
    pub(super) approach: Option<Approach>,
    /// How this model is pretrained, where that is not as the experiment's `pretrain` says.
    pub(super) pretrain: Option<WrittenRecipe>,
}

/// Where published weights are: the text is a folder, the mapping a model of the hub.
#[derive(Clone, Debug)]
pub(super) enum WrittenCheckpoint {
    Folder(String),
    Hub(HubModel),
    Pretraining(Pretrained),
    /// Keys that do not go together, and what to do.
    Contradiction(&'static str, &'static str),
}

/// A model that an experiment with `pretrain` leaves. The file `NAME.yaml` beside this one declares it; it is
/// pretrained first when that was not done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pretrained {
    /// The experiment's name.
    pub experiment: String,
    /// The model's name there.
    pub model: String,
    /// The step whose model it is, one of its `snapshots`; the last one when left out.
    #[schemars(range(min = 1))]
    pub step: Option<u64>,
    /// The seed of the pretraining, when it has several.
    pub seed: Option<u64>,
}

/// Either of the two mappings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMapping {
    hub: Option<String>,
    revision: Option<String>,
    experiment: Option<String>,
    model: Option<String>,
    step: Option<u64>,
    seed: Option<u64>,
}

impl<'de> Deserialize<'de> for WrittenCheckpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CheckpointVisitor)
    }
}

/// By hand, because `untagged` would lose the places of errors inside the mapping.
struct CheckpointVisitor;

impl<'de> Visitor<'de> for CheckpointVisitor {
    type Value = WrittenCheckpoint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder, `{hub: ORG/NAME}` or `{experiment: NAME, model: NAME}`")
    }

    fn visit_str<E: de::Error>(self, folder: &str) -> Result<WrittenCheckpoint, E> {
        Ok(WrittenCheckpoint::Folder(folder.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenCheckpoint, A::Error> {
        let WrittenMapping { hub, revision, experiment, model, step, seed } =
            WrittenMapping::deserialize(MapAccessDeserializer::new(map))?;
        match (hub, experiment) {
            (Some(_), Some(_)) => Ok(WrittenCheckpoint::Contradiction(
                "both `hub` and `experiment` say where the weights are",
                "keep one: `{hub: ORG/NAME}` or `{experiment: NAME, model: NAME}`",
            )),
            (_, Some(experiment)) if revision.is_none() => {
                let model = model.ok_or_else(|| de::Error::missing_field("model"))?;
                Ok(WrittenCheckpoint::Pretraining(Pretrained { experiment, model, step, seed }))
            }
            (_, Some(_)) => Ok(WrittenCheckpoint::Contradiction(
                "`revision` is for models of the hub",
                "remove it: `{experiment: NAME, model: NAME}`",
            )),
            (hub, None) if model.is_none() && step.is_none() && seed.is_none() => {
                let hub = hub.ok_or_else(|| de::Error::missing_field("hub"))?;
                let revision = revision.unwrap_or_else(default_revision);
                Ok(WrittenCheckpoint::Hub(HubModel { repository: hub, revision }))
            }
            (_, None) => Err(de::Error::missing_field("experiment")),
        }
    }
}

impl JsonSchema for WrittenCheckpoint {
    fn schema_name() -> Cow<'static, str> {
        "Checkpoint".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let hub = generator.subschema_for::<HubModel>();
        let pretrained = generator.subschema_for::<Pretrained>();
        json_schema!({"oneOf": [{"type": "string", "description": "A folder.", "minLength": 1}, hub, pretrained]})
    }
}

/// The sizes that have names: BERT-base and BERT-large (Devlin et al. 2018), and the smaller ones
/// (Turc et al. 2019): tiny 2 layers of width 128, mini 4/256, small 4/512, medium 8/512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 12 layers, hidden size 768, 12 heads.
    BertBase,
    /// 24 layers, hidden size 1024, 16 heads.
    BertLarge,
    /// 2 layers, hidden size 128, 2 heads.
    #[serde(alias = "tiny")]
    BertTiny,
    /// 4 layers, hidden size 256, 4 heads.
    #[serde(alias = "mini")]
    BertMini,
    /// 4 layers, hidden size 512, 8 heads.
    #[serde(alias = "small")]
    BertSmall,
    /// 8 layers, hidden size 512, 8 heads.
    #[serde(alias = "medium")]
    BertMedium,
}

/// The dimensions of an encoder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Architecture")]
pub(super) struct WrittenArchitecture {
    /// Layers; `word_vectors` have none.
    #[schemars(range(min = 1, max = MAX_LAYERS))]
    pub(super) layers: Option<u32>,
    /// Hidden size; of `elmo` both directions together.
    #[schemars(range(min = 1, max = MAX_HIDDEN))]
    pub(super) hidden: u32,
    /// Attention heads of `bert`, `gpt` and `openai_gpt`; divides `hidden`.
    #[schemars(range(min = 1, max = MAX_HIDDEN))]
    pub(super) heads: Option<u32>,
    /// Width of the feed-forward layer of `bert`, `gpt` and `openai_gpt`; four times `hidden` when left out.
    #[schemars(range(min = 1, max = MAX_INTERMEDIATE))]
    pub(super) intermediate: Option<u32>,
    /// The standard deviation of random weights of `bert`, `gpt` and `openai_gpt`, which are truncated at twice it;
    /// 0.02 when left out, as in every published BERT. Narrow encoders learn faster from a larger one.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub(super) initializer_range: Option<f64>,
    /// The longest sequence that the model can read, in tokens.
    // BERT's position embeddings have 512 rows (Devlin et al. 2018, appendix A.2).
    #[serde(default = "number::<512, u32>")]
    #[schemars(range(min = SHORTEST_SEQUENCE, max = MAX_POSITIONS))]
    pub(super) max_positions: u32,
}
