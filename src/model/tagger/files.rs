//! A tagger on disk: PyTorch's names for an LSTM, so that `nn.LSTM` loads it.

use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;
use serde_json::Value;

use super::text_pooler::{ATTENTION_LAYERS, inputs};
use super::{BiLstm, CLASSIFIER_HIDDEN, LstmLayer, Mixture, Scalars, Tagger, TextPooler};
use crate::kernel::{LSTM_DIRECTIONS, LSTM_GATES};
use crate::model::config::USAGE;
use crate::model::config_file::ConfigFile;
use crate::model::error::CheckpointError;
use crate::model::head::Head;
use crate::model::linear::{Linear, parameter};
use crate::model::reader::Reader;
use crate::model::weights::folder_of;
use crate::model::write::Tensors;
use crate::settings::{Approach, FeatureBased};

/// For `architectures`: no classes of transformers. Its loaders for token classification refuse the head's shape,
/// unless both directions of the LSTM are together as wide as the encoder.
const WORDS_CLASS: &str = "BertLstmForTokenClassification";
const TEXTS_CLASS: &str = "BertLstmForSequenceClassification";
const LSTM: &str = "tagger.lstm";
const ATTENTION: &str = "tagger.attention";
const DENSE: &str = "tagger.pooler.dense";
const WEIGHTS: &str = "tagger.mixture.weights";
const GAMMA: &str = "tagger.mixture.gamma";

/// The name of a tensor of one direction of the LSTM `of`: `weight_ih`, `weight_hh`, `bias_ih` or `bias_hh`.
fn name(of: &str, what: &str, layer: usize, direction: usize) -> String {
    let reverse = if direction == 0 { "" } else { "_reverse" };
    format!("{of}.{what}_l{layer}{reverse}")
}

/// Says in a `config.json` that there is a tagger.
pub(in crate::model) fn describe(tagger: &Tagger, config: &mut Value) {
    config["architectures"] = [if tagger.pooler.is_some() { TEXTS_CLASS } else { WORDS_CLASS }].as_slice().into();
    config[USAGE]["approach"] = serde_json::to_value(Approach::FeatureBased(tagger.settings())).unwrap_or_default();
}

/// What the `config.json` of a checkpoint says of a tagger.
///
/// # Errors
/// When it says something that no tagger is.
pub(in crate::model) fn described(from: &Path) -> Result<Option<FeatureBased>, CheckpointError> {
    let file = ConfigFile::read(folder_of(from)?)?;
    match file.config()?.usage.map(|usage| usage.approach) {
        None | Some(Approach::FineTuning) => Ok(None),
        Some(Approach::FeatureBased(of)) if of.hidden == 0 || of.lstm_layers == 0 => {
            Err(file.wrong(USAGE, "has an LSTM without width or without layers").into())
        }
        Some(Approach::FeatureBased(of)) => Ok(Some(of)),
    }
}

impl Tensors {
    /// Adds a tagger's tensors.
    pub(in crate::model) fn tagger(&mut self, tagger: &Tagger) {
        if let Some(scalars) = &tagger.mixture.scalars {
            self.tensor(WEIGHTS.into(), scalars.weights.val());
            self.tensor(GAMMA.into(), scalars.gamma.val());
        }
        self.lstm(LSTM, &tagger.lstm);
        if let Some(pooler) = &tagger.pooler {
            if let Some(lstm) = &pooler.attention {
                self.lstm(ATTENTION, lstm);
            }
            self.linear(DENSE, &pooler.dense);
        }
    }

    fn lstm(&mut self, of: &str, lstm: &BiLstm) {
        for (index, layer) in lstm.layers.iter().enumerate() {
            let [_, _, gates] = layer.recurrent.dims();
            for direction in 0..LSTM_DIRECTIONS {
                let columns = direction * gates..(direction + 1) * gates;
                let input = layer.input.weight.val().slice_dim(1, columns.clone());
                let (bias, recurrent) = (layer.input.bias.val().slice_dim(0, columns), layer.recurrent.val());
                self.lstm_direction(|what| name(of, what, index, direction), direction, input, bias, recurrent);
            }
        }
    }
}

impl Reader<'_> {
    /// The tagger `of` under a head of `kind`, for an encoder with `encoder_layers` layers of `encoder_hidden` numbers.
    pub(in crate::model) fn tagger(
        &mut self,
        (of, kind): (&FeatureBased, Head),
        encoder_layers: u32,
        encoder_hidden: usize,
    ) -> Result<Tagger, CheckpointError> {
        let mut mixture = Mixture::new(of.layers, encoder_layers, self.device).ok_or_else(|| {
            let problem = format!("its tagger reads more layers than the {encoder_layers} of the encoder");
            CheckpointError::Damaged { path: self.weights.path().into(), problem }
        })?;
        if let Some(Scalars { weights, gamma }) = &mut mixture.scalars {
            let [states] = weights.dims();
            *weights = self.vector(WEIGHTS, states)?;
            *gamma = self.vector(GAMMA, 1)?;
        }
        let hidden = of.hidden as usize;
        let lstm = self.lstm(LSTM, of.lstm_layers, mixture.width(encoder_hidden), hidden)?;
        let pooler = if kind.per_token() { None } else { Some(self.text_pooler(of)?) };
        Ok(Tagger { mixture, lstm, pooler })
    }

    /// Whether texts come in pairs is read off the width of the tanh layer.
    fn text_pooler(&mut self, of: &FeatureBased) -> Result<TextPooler, CheckpointError> {
        let (hidden, width) = (of.hidden as usize, LSTM_DIRECTIONS * of.hidden as usize);
        let shape = self.weights.shape(&format!("{DENSE}.weight"));
        let pairs = shape.and_then(|shape| shape.last().copied()) == Some(inputs(width, true));
        let attention = (pairs && of.attention).then(|| self.lstm(ATTENTION, ATTENTION_LAYERS, 2 * width, hidden));
        let attention = attention.transpose()?;
        let dense = self.linear(DENSE, inputs(width, pairs), CLASSIFIER_HIDDEN)?;
        Ok(TextPooler { pairs, attention, dense })
    }

    fn lstm(&mut self, of: &str, layers: u32, inputs: usize, hidden: usize) -> Result<BiLstm, CheckpointError> {
        let (mut inputs, mut read) = (inputs, Vec::new());
        for index in 0..layers as usize {
            read.push(self.lstm_layer(of, index, inputs, hidden)?);
            inputs = LSTM_DIRECTIONS * hidden;
        }
        Ok(BiLstm { layers: read })
    }

    fn lstm_layer(
        &mut self,
        of: &str,
        index: usize,
        inputs: usize,
        hidden: usize,
    ) -> Result<LstmLayer, CheckpointError> {
        let gates = LSTM_GATES * hidden;
        let (mut weights, mut biases, mut recurrent) = (Vec::new(), Vec::new(), Vec::new());
        for direction in 0..LSTM_DIRECTIONS {
            let name = |what: &str| name(of, what, index, direction);
            let (Linear { weight, bias }, own) = self.lstm_direction(name, inputs, hidden)?;
            weights.push(weight.val());
            biases.push(bias.val());
            recurrent.extend(own);
        }
        let (weight, bias) = (Param::from_tensor(Tensor::cat(weights, 1)), Param::from_tensor(Tensor::cat(biases, 0)));
        Ok(LstmLayer {
            input: Linear { weight, bias },
            recurrent: parameter(recurrent, [LSTM_DIRECTIONS, hidden, gates], self.device),
        })
    }
}
