//! Flags that stand for an experiment file with one run: what they say as YAML, and what such a run leaves in the folder
//! that they name.

mod ner;
mod ner_results;
mod pretraining;
mod pretraining_folder;

pub use ner::{NerExperiment, NerFlags, TEST as NER_TEST};
pub use ner_results::{finished_run, write_eval_results, write_predictions};
pub use pretraining::{LmFlags, LmModel};
pub use pretraining_folder::{EXPERIMENT_FILE, MODEL_FOLDER, open_folder};
