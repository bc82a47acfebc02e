//! The model, its gradients and its training against transformers and PyTorch (`tests/golden/bert.py`).
//!
//! The small models are committed. What needs all-MiniLM-L6-v2 looks for it in
//! `datasets/all-MiniLM-L6-v2` (or `BERTBENCH_MINILM`); the full comparison with it runs when
//! `BERTBENCH_PARITY` names the folder that the script's `--full` filled. Every comparison prints its
//! largest difference, and appends it to the file that `BERTBENCH_MEASURED` names, when it is set.

mod finite_differences;
mod forward;
mod golden;
mod measured;
mod minilm;
mod openai_gpt;
mod recurrent;
mod sizes;
mod training;
mod written;
