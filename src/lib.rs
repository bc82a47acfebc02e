//! bertbench: a YAML sweep of BERT experiments in, records and a report out.
//!
//! Data flows one way: `config` (as written) → `resolve` (on this machine) → `plan` (as run) → `exec` →
//! `train` → `store` → `report`.
//!
//! May import, and nothing else (`tests/architecture/` holds the `use` lines against this table;
//! every module may use `units`, `random`, `checksum`, `diagnostic` and `settings`):
//!
//! | module | may import |
//! |---|---|
//! | `units`, `random`, `checksum`, `diagnostic`, `settings` | nothing |
//! | `stats`, `metric`, `store`, `config` | nothing more |
//! | `mini` | `metric` |
//! | `kernel` | nothing more |
//! | `download`, `text` | `store` (whole files) |
//! | `data` | `download`, `text`, `metric`, `store` (whole files, free disk) |
//! | `corpus` | `text`, `store` (whole files) |
//! | `model` | `kernel`, `download`, `store` |
//! | `task` | `data`, `text`, `metric`, `model` (head kinds only), `store` (a task's options) |
//! | `plan` | `config`, `task`, `store` |
//! | `exec` | `store` |
//! | `train` | `plan`, `task`, `model`, `kernel`, `text`, `corpus`, `exec` (jobs and what is reported of them), `store` |
//! | `infer` | `train`, `task`, `data`, `model`, `kernel`, `text`, `store` |
//! | `benchmark` | `train`, `plan` (operations of a step), `store`, `stats` |
//! | `resolve` | `config`, `plan`, `exec` (jobs), `train`, `task`, `data`, `mini`, `corpus`, `model`, `download`, `text`, `store` |
//! | `sweep` | `resolve`, `config`, `plan`, `exec`, `train`, `task`, `corpus`, `store`, `stats` |
//! | `report` | `store`, `stats`, `metric` |
//! | `gather` | `config`, `plan`, `report`, `store` |
//! | `export` | `report` (what runs left), `store`, `download` |
//! | `serve` | `gather`, `report`, `store` |
//! | `terminal` | `resolve`, `exec`, `download` (what each tells of its progress), `store` |
//! | `cli` | all; nothing else imports `terminal` |
//!
//! Only `kernel`, `model`, `train` and `infer` name burn: tasks and metrics see plain slices. Only `report` and `corpus` name
//! polars: `report` for its tables, `corpus` for its Parquet decoder.

pub mod benchmark;
pub mod checksum;
pub mod cli;
pub mod config;
pub mod corpus;
pub mod data;
pub mod diagnostic;
pub mod download;
pub mod exec;
pub mod export;
pub mod gather;
pub mod infer;
pub mod kernel;
pub mod metric;
pub mod mini;
pub mod model;
pub mod plan;
pub mod random;
pub mod report;
pub mod resolve;
pub mod serve;
pub mod settings;
pub mod stats;
pub mod store;
pub mod sweep;
pub mod task;
mod terminal;
pub mod text;
pub mod train;
pub mod units;

#[cfg(test)]
#[path = "../tests/realdata/mod.rs"]
mod realdata;
