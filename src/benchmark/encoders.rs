//! How fast each encoder computes, by the length of the sequences and by threads.

use rayon::ThreadPoolBuilder;

use crate::diagnostic::Error;
use crate::settings::EncoderType;
use crate::stats::quantile;
use crate::store::{Architecture, EncoderSpeed, Optimization, SpeedRow, host};
use crate::train::{StepBenchmark, time_steps};

/// Tokens of a sequence.
const LENGTHS: [u32; 5] = [32, 64, 128, 256, 512];
/// The five that are compared.
const ENCODERS: [EncoderType; 5] =
    [EncoderType::WordVectors, EncoderType::Lstm, EncoderType::Elmo, EncoderType::Gpt, EncoderType::Bert];
/// Of the mini benchmark about this many.
const VOCABULARY: u32 = 2000;
/// Width of a head in every size of Devlin et al. 2018 and Turc et al. 2019.
const HEAD_WIDTH: u32 = 64;

/// Encoders of one width and as many layers, on batches of as many tokens.
#[derive(Clone, Debug)]
pub struct EncoderRequest {
    /// Layers.
    pub layers: u32,
    /// Width of a state.
    pub hidden: u32,
    /// Tokens of a batch.
    pub batch_tokens: u32,
    /// Steps that count.
    pub steps: u32,
    /// Numbers of threads, ascending.
    pub threads: Vec<u32>,
    /// The stack of each thread.
    pub stack_bytes: usize,
}

impl EncoderRequest {
    /// Measures every encoder with every number of threads.
    ///
    /// # Errors
    /// Threads that do not start; a device that fails.
    pub fn measure(&self) -> Result<EncoderSpeed, Error> {
        let mut rows = Vec::new();
        for threads in self.threads.iter().copied() {
            // A pool for each number: the process's own is never made.
            let pool = ThreadPoolBuilder::new().num_threads(threads as usize).stack_size(self.stack_bytes).build();
            let pool = pool.map_err(|error| Error::System(format!("cannot start threads: {error}")))?;
            for (encoder, length) in ENCODERS.into_iter().flat_map(|encoder| LENGTHS.map(|length| (encoder, length))) {
                rows.push(pool.install(|| self.row(encoder, length, threads))?);
            }
        }
        Ok(EncoderSpeed {
            host: host("cpu", self.threads.last().copied().unwrap_or(1)),
            layers: self.layers,
            hidden: self.hidden,
            batch_tokens: self.batch_tokens,
            rows,
        })
    }

    fn row(&self, encoder: EncoderType, length: u32, threads: u32) -> Result<SpeedRow, Error> {
        let sequences = (self.batch_tokens / length).max(1);
        let benchmark = StepBenchmark {
            architecture: self.architecture(encoder, length),
            sequences,
            length,
            steps: self.steps,
            device: "cpu".to_owned(),
            optimization: Optimization { batch_size: sequences, dropout: 0.0, ..Optimization::default() },
        };
        let times = time_steps(&benchmark)?;
        let tokens = f64::from(sequences * length);
        let rate = |seconds: Vec<f64>| tokens / quantile(&seconds, 0.5).unwrap_or(f64::NAN);
        Ok(SpeedRow {
            encoder,
            length,
            threads,
            training: rate(times.steps.iter().map(|step| step.seconds.0).collect()),
            inference: rate(times.evaluations.iter().map(|seconds| seconds.0).collect()),
        })
    }

    fn architecture(&self, encoder: EncoderType, length: u32) -> Architecture {
        let sizes = if encoder.facts().is_transformer {
            Architecture {
                heads: (self.hidden / HEAD_WIDTH).max(1),
                intermediate: 4 * self.hidden,
                causal: encoder.facts().objective.is_causal(),
                ..Architecture::without_attention(encoder, self.layers, self.hidden)
            }
        } else {
            let layers = if encoder.facts().costs.has_layers { self.layers } else { 0 };
            Architecture::without_attention(encoder, layers, self.hidden / 2 * 2)
        };
        Architecture { vocab_size: VOCABULARY, max_positions: length, ..sizes }
    }
}
