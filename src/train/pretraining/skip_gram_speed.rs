//! How fast word vectors are learnt on this machine, for forecasts.

use std::time::Instant;

use burn::tensor::Device;

use super::skip_gram::skip_gram_pass;
use super::windows::{WordCounts, stream};
use crate::corpus::examples::TrainingInstance;
use crate::model::random_pretraining;
use crate::store::Architecture;
use crate::text::SpecialTokens;
use crate::train::calibrate::{REPETITIONS, VOCABULARY, median};
use crate::train::tape::Graph;
use crate::units::Seconds;

/// Measures a pass of skip-gram with negative sampling over `sequences` sequences of `length` words, none of them so
/// frequent that it is left out; the drawing of its pairs included.
#[must_use]
pub fn measure_skip_gram(architecture: &Architecture, sequences: u32, length: u32, device: &Device) -> Seconds {
    let architecture = Architecture { vocab_size: VOCABULARY, ..*architecture };
    let model = random_pretraining(&architecture, false, 1, &device.clone().autodiff());
    let special = SpecialTokens { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4, end: 3 };
    let counts: Vec<u64> = (0..u64::from(VOCABULARY)).map(|id| u64::from(id > 4)).collect();
    let counts = WordCounts::new(special, &counts);
    let examples: Vec<TrainingInstance> = (0..sequences).map(|sequence| example(sequence * length, length)).collect();
    let seconds = (0..=REPETITIONS).map(|step| {
        let start = Instant::now();
        let pairs = counts.pairs(&examples, &mut stream(1).at(step as u64));
        // A device that fails says so in the runs.
        drop(skip_gram_pass(&model, &pairs, &Graph::Whole.into()).losses.wait());
        start.elapsed().as_secs_f64()
    });
    median(seconds.collect())
}

/// Words that are all over the vocabulary.
fn example(first: u32, length: u32) -> TrainingInstance {
    TrainingInstance {
        ids: (first..first + length).map(|at| 5 + at * 7 % (VOCABULARY - 5)).collect(),
        segments: vec![0; length as usize],
        masked_positions: Vec::new(),
        masked_labels: Vec::new(),
        next_is_random: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::EncoderType;

    #[test]
    fn a_pass_over_words_takes_some_time() {
        let of = Architecture::without_attention(EncoderType::WordVectors, 0, 32);
        let Seconds(seconds) = measure_skip_gram(&of, 8, 64, &Device::flex());
        assert!(seconds > 0.0 && seconds.is_finite());
    }
}
