//! Text for pretraining: readers of corpora, and the examples that are made of them.

pub mod examples;
pub mod text;
pub mod vocabulary_training;
