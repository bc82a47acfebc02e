//! Pretraining: masked language modeling and next-sentence prediction (Devlin et al. 2018, section 3.1), or the next
//! token from left to right (section 5.1), in phases.

mod batch;
mod check;
mod data;
#[cfg(test)]
mod encoder_tests;
mod evaluate;
mod kept;
mod losses;
#[cfg(test)]
mod next_token_tests;
#[cfg(test)]
mod openai_gpt_tests;
mod pass;
mod run;
mod skip_gram;
mod skip_gram_speed;
#[cfg(test)]
mod tests;
mod windows;
mod workload;

pub use check::corpus_fits;
pub use kept::score_pretrained;
pub(super) use run::{follow_pretraining, run_pretraining, try_pretraining_step};
pub use skip_gram_speed::measure_skip_gram;
