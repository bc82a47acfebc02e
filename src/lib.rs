//! bertbench: a YAML sweep of BERT experiments in, records and a report out.
//!
//! Data flows one way: `spec` (as written) → `plan` (as run) → `exec` → `train` → `store` → `report`.
//!
//! May import, and nothing else (`tests/architecture.rs` holds the `use` lines against this table;
//! every module may use `units`, `random`, `checksum` and `diagnostic`):
//!
//! | module | may import |
//! |---|---|
//! | `units`, `random`, `checksum`, `diagnostic` | nothing |
//! | `stats`, `metric`, `store`, `spec` | nothing more |
//! | `kernel` | nothing more |
//! | `text` | `store` (whole files) |
//! | `data` | `text`, `metric`, `store` (whole files, free disk) |
//! | `model` | `kernel`, `store` |
//! | `task` | `data`, `text`, `metric`, `model` (head kinds only), `store` (a task's options) |
//! | `plan` | `spec`, `task`, `model`, `store` |
//! | `train` | `plan`, `task`, `model`, `kernel`, `text`, `metric`, `store` |
//! | `exec` | `plan`, `train`, `store` |
//! | `report` | `store`, `stats` |
//! | `cli` | all |
//!
//! Only `kernel`, `model` and `train` name burn: tasks and metrics see plain slices. Only `report` and `data` name
//! polars: `report` for its tables, `data/corpus` for its Parquet decoder.

pub mod checksum;
pub mod cli;
pub mod data;
pub mod diagnostic;
pub mod exec;
pub mod kernel;
pub mod metric;
pub mod model;
pub mod plan;
pub mod random;
pub mod report;
pub mod spec;
pub mod stats;
pub mod store;
pub mod task;
pub mod text;
pub mod train;
pub mod units;
