//! What the command line shows with: tables and lines as wide as the terminal, bars, findings with carets, a run's log,
//! and the standard streams. `cli` says what is shown.
#![expect(clippy::print_stderr, reason = "lines of this room are for standard error")]

mod curve;
mod download_progress;
mod log_lines;
mod render;
mod streams;
mod sweep_progress;
mod table;
mod text_progress;

pub(crate) use curve::curve;
pub(crate) use download_progress::DownloadDisplay;
pub use render::render;
pub(crate) use streams::{Output, note, note_text, read_input, say, standard};
pub(crate) use sweep_progress::{SweepDisplay, bar_style};
pub(crate) use table::{Column, print, print_json, print_wrapped, runs_table, table, whole_table, wrapped};
pub(crate) use text_progress::TextProgress;
