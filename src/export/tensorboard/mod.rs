//! TensorBoard's event files: scalars by step, and the settings for the plugin hparams.
//!
//! A file is a sequence of records in the form TFRecord, each an `Event` (`tensorboard/compat/proto/event.proto`): its
//! length, a checksum of the length, the bytes, a checksum of the bytes. Each run is a folder with one file; the folder
//! above has one that says which settings and scores the plugin hparams shows.

mod hparams;
mod messages;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use prost::Message;

use super::ExportedRun;
use super::series::points;
use crate::store::atomic;
use messages::{Event, Summary, SummaryValue, Value, What};

/// TensorBoard reads every file with `tfevents` in its name. One name: exporting again replaces the file.
pub const FILE: &str = "events.out.tfevents.bertbench";

/// An event file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct TensorBoardError {
    /// The file or folder.
    path: PathBuf,
    /// What the system says.
    source: io::Error,
}

/// Writes the event files of an experiment's runs into `folder`, one folder a run: `TASK/MODEL/ID`. The same runs give the
/// same bytes. Returns how many runs there are.
///
/// # Errors
/// When a file cannot be written.
pub fn write(experiment: &str, runs: &[ExportedRun<'_>], folder: &Path) -> Result<usize, TensorBoardError> {
    let varying = super::parameters::varying(runs.iter().map(|run| run.settings));
    write_file(folder, &[hparams::experiment(experiment, runs, &varying)])?;
    for run in runs {
        let mut events = vec![hparams::start(run, &varying)];
        events.extend(points(run).into_iter().map(|point| {
            let value = Some(Value::SimpleValue(point.value as f32));
            event(point.at, point.step, SummaryValue { tag: point.name, metadata: None, value })
        }));
        events.extend(hparams::end(run));
        write_file(&folder.join(run.place()), &events)?;
    }
    Ok(runs.len())
}

fn event(wall_time: f64, step: u64, value: SummaryValue) -> Event {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    Event { wall_time, step, what: Some(What::Summary(Summary { value: vec![value] })) }
}

fn write_file(folder: &Path, events: &[Event]) -> Result<(), TensorBoardError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TensorBoardError { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let wall_time = events.first().map_or(0.0, |event| event.wall_time);
    // What TensorBoard expects of a file's first event.
    let version = Event { wall_time, step: 0, what: Some(What::FileVersion("brain.Event:2".to_owned())) };
    let mut bytes = Vec::new();
    for event in [&version].into_iter().chain(events) {
        frame(&event.encode_to_vec(), &mut bytes);
    }
    let path = folder.join(FILE);
    atomic::write(&path, &bytes).map_err(failed(&path))
}

/// Appends a TFRecord (`tensorflow/core/lib/io/record_writer.h`).
fn frame(data: &[u8], into: &mut Vec<u8>) {
    let length = (data.len() as u64).to_le_bytes();
    into.extend_from_slice(&length);
    into.extend_from_slice(&masked_checksum(&length).to_le_bytes());
    into.extend_from_slice(data);
    into.extend_from_slice(&masked_checksum(data).to_le_bytes());
}

/// CRC-32C, rotated and moved (`tensorflow/core/lib/hash/crc32c.h`).
fn masked_checksum(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_framed_as_tensorflow_does() {
        let mut bytes = Vec::new();
        frame(b"abc", &mut bytes);
        // TFRecordWriter of tensorboard 2.21.0 on b"abc" (`tests/exports/check_tensorboard.py` compares it again).
        assert_eq!(bytes, b"\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0eabc\x6e\x57\xf1\x21");
    }
}
