//! The program as a user meets it: every test starts the real binary in a folder of its own.

#![allow(clippy::pedantic, reason = "style matters less where only a test reads it")]
#![cfg(unix)]

mod as_told;
mod bench;
mod campaign;
mod checkpoints;
mod compare;
mod convert;
mod crash;
mod damage;
mod expected;
mod experiments;
mod export;
mod exports;
mod extract;
mod failures;
mod features;
mod fetch;
mod gpt_pretraining;
#[cfg(feature = "cube")]
mod gpu;
#[cfg(feature = "cube")]
mod gpu_autotune;
#[cfg(feature = "cube")]
mod gpu_precision;
mod help;
mod hub;
mod input;
mod instructions;
mod lossy;
mod many_runs;
mod ner;
mod precision;
mod predict;
mod predict_formats;
mod pretraining;
mod program;
mod reading;
mod rows;
mod runs;
mod serve;
#[path = "../../src/download/tests/server.rs"]
#[allow(dead_code, reason = "the tests beside the code ask more of it")]
mod server;
mod sharing;
mod slurm;
mod stop;
mod sweep;
mod threads;
mod verify;
mod watching;
