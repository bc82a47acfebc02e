//! Which files of a repository a BERT needs.

use std::path::Path;

use crate::model::weights::{self, PYTORCH, PYTORCH_INDEX, SAFETENSORS, SAFETENSORS_INDEX};

/// The settings of a model as transformers keeps them.
pub(super) const CONFIG: &str = "config.json";
/// The same of Google's releases.
const ORIGINAL_CONFIG: &str = "bert_config.json";
/// How text becomes tokens; fetched as far as a repository has them.
pub(super) const SETTINGS: [&str; 7] = [
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Weights in one file, or an index that names several, the preferred first.
const WEIGHTS: [(&str, bool); 4] =
    [(SAFETENSORS, false), (SAFETENSORS_INDEX, true), (PYTORCH, false), (PYTORCH_INDEX, true)];
/// The beginning of the files of Google's releases.
const ORIGINAL_WEIGHTS: &str = "bert_model.ckpt.";
/// Weights that other programs read: named when a repository has no others.
const OTHER_WEIGHTS: [&str; 5] = [".h5", ".msgpack", ".ot", ".onnx", ".gguf"];

/// What to fetch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Configuration, vocabulary and settings of the tokenizer.
    pub(super) small: Vec<String>,
    pub(super) weights: Weights,
}

/// Where the weights are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Weights {
    /// In these files.
    Files(Vec<String>),
    /// In the files that this index names.
    Index(String),
}

/// Chooses from the names of all files; else says why it cannot be a BERT's.
pub(super) fn choose(names: &[String]) -> Result<Choice, String> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let config = [CONFIG, ORIGINAL_CONFIG].into_iter().find(|name| has(name));
    let config = config.ok_or_else(|| format!("it has no {CONFIG}"))?;
    let small = std::iter::once(config).chain(SETTINGS.into_iter().filter(|name| has(name)));
    Ok(Choice { small: small.map(str::to_owned).collect(), weights: weights_of(names)? })
}

fn weights_of(names: &[String]) -> Result<Weights, String> {
    let known = |(name, _): &&(&str, bool)| names.iter().any(|known| known == name);
    if let Some((name, is_index)) = WEIGHTS.iter().find(known) {
        let name = (*name).to_owned();
        return Ok(if *is_index { Weights::Index(name) } else { Weights::Files(vec![name]) });
    }
    let is_original = |name: &&String| {
        name.strip_prefix(ORIGINAL_WEIGHTS).is_some_and(|rest| rest == "index" || rest.starts_with("data-"))
    };
    let mut original: Vec<String> = names.iter().filter(is_original).cloned().collect();
    original.sort();
    if original.iter().any(|name| name.ends_with("index")) && original.len() > 1 {
        return Ok(Weights::Files(original));
    }
    let others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| OTHER_WEIGHTS.iter().any(|ending| name.ends_with(ending)))
        .collect();
    Err(if others.is_empty() {
        "it has no weights".to_owned()
    } else {
        format!("it has weights only for other programs: {}", others.join(", "))
    })
}

/// The files that an index names, sorted.
pub(super) fn shards(index: &Path) -> Result<Vec<String>, String> {
    let shards = weights::shards(index).map_err(|error| error.to_string())?;
    Ok(shards.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn chosen(text: &str) -> Result<(String, String), String> {
        let choice = choose(&names(text))?;
        let weights = match choice.weights {
            Weights::Files(files) => files.join(" "),
            Weights::Index(index) => format!("index {index}"),
        };
        Ok((choice.small.join(" "), weights))
    }

    #[test]
    fn safetensors_come_before_pickles_and_others_never() {
        let all = "config.json vocab.txt added_tokens.json tokenizer.json tokenizer_config.json README.md tf_model.h5 model.onnx \
                   flax_model.msgpack pytorch_model.bin model.safetensors onnx/model.onnx";
        let small = "config.json vocab.txt tokenizer_config.json tokenizer.json added_tokens.json".to_owned();
        assert_eq!(chosen(all).unwrap(), (small, "model.safetensors".to_owned()));
        let of = |text: &str| chosen(&format!("config.json {text}")).map(|(_, weights)| weights);
        assert_eq!(of("pytorch_model.bin.index.json pytorch_model.bin").unwrap(), "pytorch_model.bin");
        assert_eq!(of("model.safetensors.index.json pytorch_model.bin").unwrap(), "index model.safetensors.index.json");
        assert_eq!(of("pytorch_model.bin.index.json a.bin").unwrap(), "index pytorch_model.bin.index.json");
        assert!(of("tf_model.h5").unwrap_err().contains("tf_model.h5"));
        assert!(of("onnx/model.safetensors").unwrap_err().contains("no weights"));
        assert!(chosen("model.safetensors").unwrap_err().contains("no config.json"));
    }

    #[test]
    fn a_release_of_google_s_is_taken_whole() {
        let text = "bert_config.json vocab.txt bert_model.ckpt.meta bert_model.ckpt.index \
                    bert_model.ckpt.data-00000-of-00001";
        let weights = "bert_model.ckpt.data-00000-of-00001 bert_model.ckpt.index";
        assert_eq!(chosen(text).unwrap(), ("bert_config.json vocab.txt".to_owned(), weights.to_owned()));
        assert!(chosen("bert_config.json bert_model.ckpt.index").is_err());
    }

    #[test]
    fn an_index_names_plain_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors.index.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            shards(&path)
        };
        let two = r#"{"metadata": {"total_size": 8}, "weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "1.safetensors"}}"#;
        assert_eq!(read(two).unwrap(), ["1.safetensors", "2.safetensors"]);
        for wrong in
            ["", "{}", r#"{"weight_map": {}}"#, r#"{"weight_map": {"a": "../x"}}"#, r#"{"weight_map": {"a": ""}}"#]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
