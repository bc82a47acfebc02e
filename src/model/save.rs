//! Writing a Hugging Face folder.

use std::path::Path;

use burn::tensor::Tensor;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView};

use super::bert::{Classifier, Layer, Linear, Norm};
use super::checkpoint::{CheckpointError, weights_file};
use super::config::{Config, HeadLabels};

/// Writes `model` as a folder that transformers' `AutoModelForSequenceClassification` reads:
/// `config.json`, `model.safetensors` and, when given, `vocab.txt` with its tokenizer settings. Give it
/// a folder that nobody reads yet, such as [`crate::store::RunFolder::write_model`]'s, which flushes it
/// and puts it in its place.
///
/// # Errors
/// When a file cannot be written.
pub fn save_classifier(
    folder: &Path,
    model: &Classifier,
    config: &Config,
    labels: &HeadLabels<'_>,
    dropout: f64,
    vocabulary: Option<(&Path, bool)>,
) -> Result<(), CheckpointError> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| CheckpointError::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(io(&path))
    };
    let pretty = |value: &serde_json::Value| format!("{value:#}\n").into_bytes();
    write("config.json", &pretty(&config.to_json(labels, dropout)))?;
    if let Some((file, lower_case)) = vocabulary {
        write("vocab.txt", &std::fs::read(file).map_err(io(file))?)?;
        let settings = serde_json::json!({
            "tokenizer_class": "BertTokenizer", "do_lower_case": lower_case,
            "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
            "model_max_length": config.architecture.max_positions,
        });
        write("tokenizer_config.json", &pretty(&settings))?;
    }
    let mut writer = Writer::default();
    writer.classifier(model, config.architecture.hidden as usize);
    let path = weights_file(folder);
    let bytes = writer.serialize().map_err(|source| CheckpointError::Format { path: path.clone(), source })?;
    std::fs::write(&path, &bytes).map_err(io(&path))
}

/// Collects tensors under their Hugging Face names, as little-endian bytes.
#[derive(Default)]
struct Writer {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    fn tensor<const D: usize>(&mut self, name: String, tensor: Tensor<D>) {
        let shape = tensor.dims().to_vec();
        let numbers: Vec<f32> = tensor.into_data().iter::<f32>().collect();
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensors.push((name, shape, bytes));
    }

    fn linear(&mut self, name: &str, linear: &Linear) {
        self.tensor(format!("{name}.weight"), linear.weight.val().transpose());
        self.tensor(format!("{name}.bias"), linear.bias.val());
    }

    fn norm(&mut self, name: &str, norm: &Norm) {
        self.tensor(format!("{name}.weight"), norm.gamma.val());
        self.tensor(format!("{name}.bias"), norm.beta.val());
    }

    fn layer(&mut self, name: &str, layer: &Layer, hidden: usize) {
        for (part, projection) in ["query", "key", "value"].into_iter().enumerate() {
            let columns = part * hidden..(part + 1) * hidden;
            let weight = layer.query_key_value.weight.val().slice_dim(1, columns.clone());
            self.tensor(format!("{name}.attention.self.{projection}.weight"), weight.transpose());
            let bias = layer.query_key_value.bias.val().slice_dim(0, columns);
            self.tensor(format!("{name}.attention.self.{projection}.bias"), bias);
        }
        self.linear(&format!("{name}.attention.output.dense"), &layer.attention_output);
        self.norm(&format!("{name}.attention.output.LayerNorm"), &layer.attention_norm);
        self.linear(&format!("{name}.intermediate.dense"), &layer.intermediate);
        self.linear(&format!("{name}.output.dense"), &layer.output);
        self.norm(&format!("{name}.output.LayerNorm"), &layer.output_norm);
    }

    fn classifier(&mut self, model: &Classifier, hidden: usize) {
        let bert = &model.bert;
        self.tensor("bert.embeddings.word_embeddings.weight".into(), bert.embeddings.word.val());
        self.tensor("bert.embeddings.position_embeddings.weight".into(), bert.embeddings.position.val());
        self.tensor("bert.embeddings.token_type_embeddings.weight".into(), bert.embeddings.segment.val());
        self.norm("bert.embeddings.LayerNorm", &bert.embeddings.norm);
        for (index, layer) in bert.layers.iter().enumerate() {
            self.layer(&format!("bert.encoder.layer.{index}"), layer, hidden);
        }
        self.linear("bert.pooler.dense", &bert.pooler);
        self.linear("classifier", &model.head);
    }

    fn serialize(&self) -> Result<Vec<u8>, SafeTensorError> {
        let views: Vec<(&str, TensorView<'_>)> = self
            .tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<_, SafeTensorError>>()?;
        // transformers refuses a file without this key.
        let about = [("format".to_owned(), "pt".to_owned())].into_iter().collect();
        safetensors::tensor::serialize(views, Some(about))
    }
}
