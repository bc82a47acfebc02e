//! Conversions are what transformers would have saved.

use std::fs;
use std::path::Path;

use bertbench::model::{Config, Conversion, check_weights};

use super::{EXACT, REFERENCE, golden, raw};

/// The class is found by the tensors where they tell it, by `architectures` where several have the same.
#[test]
fn every_class_of_transformers_is_converted_into_itself() {
    for class in [
        "BertModel",
        "BertForMaskedLM",
        "BertForNextSentencePrediction",
        "BertForSequenceClassification",
        "BertForTokenClassification",
        "BertForQuestionAnswering",
        "BertForMultipleChoice",
    ] {
        let from = golden("weights/heads").join(class);
        let conversion = Conversion::open(&from).unwrap();
        assert_eq!((conversion.class(), conversion.notes()), (class, Vec::new()));
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("model");
        conversion.write_folder(&into, &[]).unwrap();
        let tensors = |folder: &Path| raw(&fs::read(folder.join("model.safetensors")).unwrap());
        assert_eq!(tensors(&into), tensors(&from), "{class}");
        let json = |folder: &Path| -> serde_json::Value {
            serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap()
        };
        let (written, source) = (json(&into), json(&from));
        assert_eq!(written["architectures"], source["architectures"]);
        if class == "BertForSequenceClassification" {
            assert_eq!((&written["id2label"], &written["label2id"]), (&source["id2label"], &source["label2id"]));
        }
    }
}

/// google-research/bert's `run_classifier.py` and `run_squad.py` name their heads in ways of their own.
#[test]
fn fine_tuned_tensorflow_checkpoints_keep_their_heads() {
    for (from, class) in [("classifier", "BertForSequenceClassification"), ("squad", "BertForQuestionAnswering")] {
        let conversion = Conversion::open(&golden("tensorflow").join(from)).unwrap();
        assert_eq!(conversion.class(), class);
        let into = tempfile::tempdir().unwrap();
        conversion.write_safetensors(&into.path().join("all")).unwrap();
        let source = fs::read(golden("weights/heads").join(class).join("model.safetensors")).unwrap();
        assert_eq!(raw(&fs::read(into.path().join("all")).unwrap()), raw(&source), "{from}");
    }
}

/// All formats of one model are converted into the same bytes, which are PyTorch's own.
#[test]
fn conversions_are_what_transformers_would_have_saved() {
    let folder = tempfile::tempdir().unwrap();
    let reference = fs::read(golden(REFERENCE)).unwrap();
    for from in EXACT {
        let conversion = Conversion::open(&golden(from)).unwrap();
        let into = folder.path().join(from.replace('/', "-"));
        conversion.write_folder(&into, &[("vocab.txt", b"[PAD]\n".to_vec())]).unwrap();
        assert_eq!(raw(&fs::read(into.join("model.safetensors")).unwrap()), raw(&reference), "{from}");
        let written: serde_json::Value = serde_json::from_slice(&fs::read(into.join("config.json")).unwrap()).unwrap();
        assert_eq!(written["architectures"], serde_json::json!(["BertForPreTraining"]), "{from}");
        let config = Config::read(&into).unwrap();
        assert_eq!(config, *conversion.config());
        check_weights(&into, &config).unwrap();
    }
}
