//! Pretraining: masked language modeling and next-sentence prediction (Devlin et al. 2018, section 3.1), or the next
//! token from left to right (section 5.1), in phases.

mod batch;
mod check;
mod data;
mod evaluate;
mod losses;
mod pass;
mod run;
#[cfg(test)]
mod tests;
mod workload;

pub use check::corpus_fits;
pub(super) use run::{run_pretraining, try_pretraining_step};
