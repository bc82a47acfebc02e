//! Keys and choices by name: an example of each, and what it is called elsewhere or was called before.

/// A line that is right, by key, or by a key and the one above it: shown when the key is missing or holds something of another shape.
const EXAMPLES: [(&str, &str); 60] = [
    ("experiment", "experiment: my-first"),
    ("models", "models: {base: {preset: bert-base}}"),
    ("tasks", "tasks: [rte, mrpc]"),
    ("data", "data: path/to/glue"),
    ("mini", "mini: {seed: 1}"),
    ("sweep", "sweep: {batch_size: [16, 32], learning_rate: [5e-5, 3e-5, 2e-5], epochs: [3, 4]}"),
    ("batch_size", "batch_size: [16, 32]"),
    ("learning_rate", "learning_rate: [5e-5, 3e-5, 2e-5]"),
    ("epochs", "epochs: [3, 4]"),
    ("seeds", "seeds: [1, 2, 3]"),
    ("seed", "seed: 1"),
    ("training", "training: {max_length: 128}"),
    ("device", "device: auto"),
    ("precision", "precision: bf16"),
    ("optimizer", "optimizer: {bert_adam: {}}"),
    ("adamw", "optimizer: {adamw: {}}"),
    ("bert_adam", "optimizer: {bert_adam: {}}"),
    ("architecture", "architecture: {layers: 2, hidden: 128, heads: 2}"),
    ("layers", "layers: 2"),
    ("hidden", "hidden: 128"),
    ("heads", "heads: 2"),
    ("max_length", "max_length: 128"),
    ("checkpoint", "checkpoint: path/to/all-MiniLM-L6-v2"),
    ("hub", "hub: google-bert/bert-base-uncased"),
    ("revision", "revision: main"),
    ("vocab_file", "vocab_file: path/to/vocab.txt"),
    ("task_settings", "task_settings: {rte: {max_length: 256}}"),
    ("doc_stride", "doc_stride: 128"),
    ("max_query_length", "max_query_length: 64"),
    ("max_answer_length", "max_answer_length: 30"),
    ("n_best_size", "n_best_size: 20"),
    ("null_score_diff_threshold", "null_score_diff_threshold: 0.0"),
    ("context", "context: document"),
    ("columns", "columns: {separator: space, scheme: bioes}"),
    ("separator", "separator: space"),
    ("scheme", "scheme: iob2"),
    ("token_column", "token_column: 1"),
    ("tag_column", "tag_column: 2"),
    ("train", "train: path/to/train.txt"),
    ("dev", "dev: path/to/dev.txt"),
    ("test", "test: path/to/test.txt"),
    ("approach", "approach: {feature_based: {layers: concat_last_four}}"),
    ("feature_based", "feature_based: {layers: concat_last_four}"),
    ("feature_based.layers", "layers: concat_last_four"),
    ("feature_based.hidden", "hidden: 768"),
    ("lstm_layers", "lstm_layers: 2"),
    ("pretrain", "pretrain: {text: [path/to/text], phases: [{max_length: 128, steps: 10000}]}"),
    ("text", "text: [path/to/text]"),
    ("held_out", "held_out: [path/to/held-out.txt]"),
    ("format", "format: sentences"),
    ("objective", "objective: masked_lm_and_next_sentence"),
    ("masking", "masking: {mask_prob: 0.8, keep_prob: 0.1, random_prob: 0.1}"),
    ("phases", "phases: [{max_length: 128, steps: 900000}, {max_length: 512, steps: 100000}]"),
    ("steps", "steps: 10000"),
    ("pretrain.batch_size", "batch_size: 256"),
    ("pretrain.learning_rate", "learning_rate: 1e-4"),
    ("warmup_steps", "warmup_steps: 10000"),
    ("snapshots", "snapshots: [1000, 2000]"),
    ("save", "save: {save_minutes: 15, save_total_limit: 3}"),
    ("checkpoint.model", "model: mini-base"),
];

/// Names that other programs use for our keys (Hugging Face's Trainer, google-research/bert), and slips
/// that are too far for "did you mean".
pub(super) const OTHER_NAMES: [(&str, &str); 33] = [
    ("name", "experiment"),
    ("dataset", "data"),
    ("data_dir", "data"),
    ("seed", "seeds"),
    ("lr", "learning_rate"),
    ("batch", "batch_size"),
    ("train_batch_size", "batch_size"),
    ("per_device_train_batch_size", "batch_size"),
    ("num_train_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("max_seq_length", "max_length"),
    ("max_seq_len", "max_length"),
    ("warmup_proportion", "warmup_fraction"),
    ("warmup_ratio", "warmup_fraction"),
    ("bf16", "precision"),
    ("fp16", "precision"),
    ("dtype", "precision"),
    ("mixed_precision", "precision"),
    ("optim", "optimizer"),
    ("path", "checkpoint"),
    ("repo", "hub"),
    ("repo_id", "hub"),
    ("branch", "revision"),
    ("commit", "revision"),
    ("vocab", "vocab_file"),
    ("train_file", "train"),
    ("train_data", "train"),
    ("predict_file", "dev"),
    ("validation", "dev"),
    ("validation_file", "dev"),
    ("test_file", "test"),
    ("delimiter", "separator"),
    ("format", "columns"),
];

/// Keys and choices that had other names once, before they had those of google-research/bert and transformers: where
/// they stand, what they were and what they are. The first place of several is that of most experiments.
pub(super) const RENAMED: [(&str, &str, &str); 23] = [
    ("models.NAME", "vocabulary", "vocab_file"),
    ("models.NAME", "lower_case", "do_lower_case"),
    ("task_settings.NAME", "n_best", "n_best_size"),
    ("task_settings.NAME", "null_threshold", "null_score_diff_threshold"),
    ("training", "clip_norm", "max_grad_norm"),
    ("training", "gradient_accumulation", "gradient_accumulation_steps"),
    ("training", "activation_checkpointing", "gradient_checkpointing"),
    ("pretrain.objective", "masked_tokens_and_next_sentence", "masked_lm_and_next_sentence"),
    ("pretrain.objective", "masked_tokens", "masked_lm"),
    ("pretrain.objective", "next_token", "causal_lm"),
    ("pretrain.masking", "share", "masked_lm_prob"),
    ("pretrain.masking", "most", "max_predictions_per_seq"),
    ("pretrain.masking", "mask", "mask_prob"),
    ("pretrain.masking", "same", "keep_prob"),
    ("pretrain.masking", "random", "random_prob"),
    ("pretrain.masking", "whole_words", "whole_word"),
    ("pretrain.masking", "fixed", "static"),
    ("pretrain", "short_sequence_probability", "short_seq_prob"),
    ("pretrain", "evaluate_every", "eval_steps"),
    ("pretrain", "log_every", "logging_steps"),
    ("pretrain.save", "every_steps", "save_steps"),
    ("pretrain.save", "every_minutes", "save_minutes"),
    ("pretrain.save", "keep", "save_total_limit"),
];

/// What `name` is called today where the names of `known` are read.
pub(super) fn renamed(name: &str, known: &[&str]) -> Option<&'static str> {
    RENAMED.iter().find(|(_, old, new)| *old == name && known.contains(new)).map(|(_, _, new)| *new)
}

/// What other programs call their precisions, lower-cased, and what to write here.
pub(super) const OTHER_PRECISIONS: [(&str, &str); 9] = [
    ("fp32", "write `f32`"),
    ("float32", "write `f32`"),
    ("float", "write `f32`"),
    ("bfloat16", "write `bf16`"),
    ("mixed", "write `bf16`"),
    ("fp16", FLOAT16),
    ("f16", FLOAT16),
    ("float16", FLOAT16),
    ("half", FLOAT16),
];
const FLOAT16: &str = "float16 is not there; `bf16` has its size and float32's range";

/// A line that is right for the key at the end of `path`.
pub(super) fn example(path: &str) -> Option<&'static str> {
    let ends = |name: &str| path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    EXAMPLES.iter().filter(|(name, _)| ends(name)).max_by_key(|(name, _)| name.len()).map(|(_, line)| *line)
}
