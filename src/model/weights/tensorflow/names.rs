//! From TensorFlow's variable names to Hugging Face's (`convert_bert_original_tf_checkpoint_to_pytorch.py`
//! of transformers describes the same map).

/// Variables of BERT's optimizers: moments, and powers of β.
const OPTIMIZER: [&str; 7] = ["/adam_m", "/adam_v", "/lamb_m", "/lamb_v", "/Adam", "/Adam_1", "_power"];

/// The task heads of google-research/bert (`run_classifier.py`, `run_squad.py`, `modeling.py`) have
/// variables that are not called kernel and bias.
const HEADS: [(&str, &str); 7] = [
    ("output_weights", "classifier.weight"),
    ("output_bias", "classifier.bias"),
    ("cls/squad/output_weights", "qa_outputs.weight"),
    ("cls/squad/output_bias", "qa_outputs.bias"),
    ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight"),
    ("cls/seq_relationship/output_bias", "cls.seq_relationship.bias"),
    ("cls/predictions/output_bias", "cls.predictions.bias"),
];

/// The name without `bert/` in Hugging Face's words, and whether the matrix is stored as
/// `[inputs, outputs]`; `None` for what is no part of a model.
pub(super) fn translate(variable: &str) -> Option<(String, bool)> {
    if OPTIMIZER.iter().any(|end| variable.ends_with(end)) {
        return None;
    }
    if let Some((_, name)) = HEADS.iter().find(|(head, _)| *head == variable) {
        return Some(((*name).to_owned(), false));
    }
    let path = variable.strip_prefix("bert/").unwrap_or(variable);
    let mut transposed = false;
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "kernel" => {
                transposed = true;
                parts.push("weight".into());
            }
            "gamma" => parts.push("weight".into()),
            "beta" => parts.push("bias".into()),
            table if table.ends_with("_embeddings") => parts.extend([table.into(), "weight".into()]),
            _ => match part.strip_prefix("layer_") {
                Some(number) => parts.extend(["layer".into(), number.into()]),
                None => parts.push(part.into()),
            },
        }
    }
    Some((parts.join("."), transposed))
}

/// Whether the checkpoint was written by TensorFlow 2's object-based saver, whose names say how objects
/// hold each other.
pub(super) fn is_object_based(variable: &str) -> bool {
    variable.contains(".ATTRIBUTES/") || variable == "_CHECKPOINTABLE_OBJECT_GRAPH"
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn names_are_translated() {
        let cases = [
            ("bert/embeddings/word_embeddings", "embeddings.word_embeddings.weight", false),
            ("bert/embeddings/LayerNorm/gamma", "embeddings.LayerNorm.weight", false),
            ("bert/encoder/layer_11/attention/self/query/kernel", "encoder.layer.11.attention.self.query.weight", true),
            ("bert/encoder/layer_0/output/LayerNorm/beta", "encoder.layer.0.output.LayerNorm.bias", false),
            ("bert/encoder/layer_0/intermediate/dense/bias", "encoder.layer.0.intermediate.dense.bias", false),
            ("bert/pooler/dense/kernel", "pooler.dense.weight", true),
            ("cls/predictions/transform/dense/kernel", "cls.predictions.transform.dense.weight", true),
            ("cls/predictions/transform/LayerNorm/gamma", "cls.predictions.transform.LayerNorm.weight", false),
            ("cls/predictions/output_bias", "cls.predictions.bias", false),
            ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight", false),
            ("output_weights", "classifier.weight", false),
        ];
        for (variable, name, transposed) in cases {
            assert_eq!(translate(variable), Some((name.to_owned(), transposed)));
        }
        for slot in ["bert/pooler/dense/kernel/adam_m", "output_bias/adam_v"] {
            assert_eq!(translate(slot), None);
        }
    }
}
