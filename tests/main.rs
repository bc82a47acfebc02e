//! All tests but the unit tests, in one binary: each binary more would link burn and polars once more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, unreachable_pub, reason = "a test says what it skipped; its modules are its own")]

mod architecture;
mod bench_peer;
mod broken_data;
mod broken_experiments;
mod cli;
mod documents;
mod exec_processes;
#[cfg(unix)]
mod fuzz;
mod mini_data;
mod pretraining;
mod real_data;
mod real_ner;
mod real_swag;
mod real_weights;
mod realdata;
mod reference_bert;
mod report;
mod schema;
mod squad_data;
mod statistics;
mod tokens;
mod training;
mod weights;
