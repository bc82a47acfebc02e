//! How fast encoders compute, by length and by threads: `encoder-speed.json` beside the experiments, which `bertbench bench
//! encoders` writes and reports read.

use serde::{Deserialize, Serialize};

use super::atomic;
use super::error::StoreError;
use super::present;
use super::record::Host;
use super::root::RunsRoot;
use crate::settings::EncoderType;

/// The file in the folder of all runs.
const FILE: &str = "encoder-speed.json";

/// What was measured on one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderSpeed {
    /// The machine.
    pub host: Host,
    /// Layers of every encoder but word vectors.
    pub layers: u32,
    /// Width of a state.
    pub hidden: u32,
    /// Tokens of a batch, as many sequences as that makes.
    pub batch_tokens: u32,
    /// A row for each encoder, length and number of threads.
    pub rows: Vec<SpeedRow>,
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedRow {
    /// What was measured.
    pub encoder: EncoderType,
    /// Tokens of a sequence.
    pub length: u32,
    /// Threads that computed.
    pub threads: u32,
    /// Tokens a second of training steps, by the median step.
    pub training: f64,
    /// Tokens a second without gradients, by the median batch.
    pub inference: f64,
}

impl RunsRoot {
    /// What was measured, if it was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; a file that cannot be read.
    pub fn encoder_speed(&self) -> Result<Option<EncoderSpeed>, StoreError> {
        let path = self.path().join(FILE);
        let Some(bytes) = present::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| StoreError::Damaged { path, cause: error.to_string() })
    }

    /// Keeps what was measured, in place of what was before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_encoder_speed(&self, speed: &EncoderSpeed) -> Result<(), StoreError> {
        let path = self.path().join(FILE);
        let text = serde_json::to_string_pretty(speed).unwrap_or_default() + "\n";
        std::fs::create_dir_all(self.path()).map_err(|error| atomic::about("cannot make", self.path(), &error))?;
        atomic::write(&path, text.as_bytes()).map_err(|error| atomic::about("cannot write", &path, &error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::host;

    #[test]
    fn what_was_measured_is_read_again_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = RunsRoot::new(folder.path().join("runs"));
        assert_eq!(root.encoder_speed().unwrap(), None);
        let row = SpeedRow { encoder: EncoderType::Elmo, length: 32, threads: 2, training: 1e4, inference: 3e4 };
        let speed = EncoderSpeed { host: host("cpu", 2), layers: 2, hidden: 64, batch_tokens: 4096, rows: vec![row] };
        root.write_encoder_speed(&speed).unwrap();
        assert_eq!(root.encoder_speed().unwrap(), Some(speed));
        std::fs::write(root.path().join(FILE), "{").unwrap();
        assert!(root.encoder_speed().unwrap_err().is_damage());
    }
}
