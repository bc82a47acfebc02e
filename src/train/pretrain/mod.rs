//! Pretraining: masked language modelling and next-sentence prediction (Devlin et al. 2018, section 3.1), or the next
//! token from left to right (section 5.1), in phases,
//! with checkpoints from which a run goes on with the same bits.

mod batch;
mod check;
mod evaluate;
mod fit;
mod pass;
mod record;
mod run;
mod running;
mod tally;

pub use check::check_pretraining;
pub use evaluate::evaluate_pretraining;
pub use record::{pretrain_context, pretrain_run};
pub use run::{PretrainContext, PretrainStep, PretrainWatch, Pretrained, Saving, pretrain, try_pretraining_step};

#[cfg(test)]
mod reference_tests;
