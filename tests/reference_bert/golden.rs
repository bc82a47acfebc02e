//! The folders of `tests/golden/bert.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bertbench::kernel::{cross_entropy, mean_squared_error};
use bertbench::model::{Classifier, Config, Head, PackedInput, WantedHead, load_to_train, save_classifier};
use bertbench::text::{FeatureSet, PackedBatch, SkippedRows};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use serde_json::Value;

/// The committed models.
pub const SMALL: [&str; 5] = ["bert", "bert_deep", "bert_wide", "bert_score", "bert_encoder"];

pub type Tensors = BTreeMap<String, Vec<f64>>;

/// One folder: a model and what the reference computed with it.
pub struct Case {
    /// Its name in messages and in the table.
    pub name: String,
    pub folder: PathBuf,
    pub expected: Value,
}

impl Case {
    pub fn open(folder: PathBuf) -> Self {
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Self { name, expected: serde_json::from_str(&text).unwrap(), folder }
    }

    pub fn small(name: &str) -> Self {
        Self::open(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name))
    }

    /// The committed cases, and those of the folder that `BERTBENCH_PARITY` names.
    pub fn all() -> Vec<Self> {
        let mut cases: Vec<Self> = SMALL.iter().map(|name| Self::small(name)).collect();
        match std::env::var_os("BERTBENCH_PARITY") {
            Some(folder) => {
                let mut more: Vec<PathBuf> =
                    std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
                more.retain(|path| path.join("forward.safetensors").exists());
                assert!(!more.is_empty(), "BERTBENCH_PARITY holds no case");
                more.sort();
                cases.extend(more.into_iter().map(Self::open));
            }
            None => println!("skipped: all-MiniLM-L6-v2 in full, because BERTBENCH_PARITY is not set"),
        }
        cases
    }

    /// Outputs of the head: 1 for regression, 0 without a head.
    pub fn outputs(&self) -> usize {
        self.expected["outputs"].as_u64().unwrap() as usize
    }

    pub fn has_head(&self) -> bool {
        self.outputs() > 0
    }

    pub fn config(&self) -> Config {
        Config::read(&self.folder).unwrap()
    }

    /// The model; of a case without a head, with a random one that nothing reads.
    pub fn model(&self, device: &Device) -> Classifier {
        let outputs = self.outputs().max(1);
        let wanted = WantedHead { kind: Head::Classes, names: &[], outputs, next_token: false };
        let loaded = load_to_train(&self.folder, wanted, None, 1, device).unwrap();
        assert_eq!(loaded.notes.is_empty(), self.has_head(), "{:?}", loaded.notes);
        loaded.model
    }

    /// The examples by number.
    pub fn examples(&self, which: impl IntoIterator<Item = usize>) -> FeatureSet {
        let which: Vec<usize> = which.into_iter().collect();
        let rows = |key: &str| -> Vec<Vec<u32>> { serde_json::from_value(self.expected[key].clone()).unwrap() };
        let (ids, segments) = (rows("ids"), rows("segments"));
        let labels: Vec<f32> = serde_json::from_value(self.expected["labels"].clone()).unwrap();
        let ids: Vec<Vec<u32>> = which.iter().map(|&i| ids[i].clone()).collect();
        let segments: Vec<Vec<u8>> =
            which.iter().map(|&i| segments[i].iter().map(|&segment| segment as u8).collect()).collect();
        FeatureSet::from_examples(&ids, &segments, which.iter().map(|&i| labels[i]).collect(), SkippedRows::default())
    }

    /// All examples.
    pub fn training_set(&self) -> FeatureSet {
        self.examples(0..self.expected["labels"].as_array().unwrap().len())
    }

    /// The examples of the forward pass and of the single steps.
    pub fn ragged(&self) -> FeatureSet {
        self.examples(0..self.expected["ragged"].as_u64().unwrap() as usize)
    }

    pub fn number(&self, key: &str) -> f64 {
        self.expected[key].as_f64().unwrap()
    }

    pub fn numbers(&self, key: &str, of: &str) -> Vec<f64> {
        let rows: Value = self.expected[key][of].clone();
        let flat = |row: &Value| row.as_array().cloned().unwrap_or_else(|| vec![row.clone()]);
        rows.as_array().unwrap().iter().flat_map(flat).map(|x| x.as_f64().unwrap()).collect()
    }

    pub fn tensors(&self, file: &str) -> Tensors {
        read_tensors(&self.folder.join(file))
    }

    /// The loss of the case's head, or of its pooled output.
    pub fn loss(&self, model: &Classifier, input: &PackedInput, labels: &[f32], device: &Device) -> Tensor<1> {
        let count = labels.len();
        match self.outputs() {
            0 => model.encoder.pool(model.encoder.forward(input, None), &input.packing).square().mean(),
            1 => {
                let targets = Tensor::<1>::from_data(TensorData::new(labels.to_vec(), [count]), device);
                mean_squared_error(model.forward(input, None), targets)
            }
            _ => cross_entropy(model.forward(input, None), classes(labels, device)),
        }
    }

    /// A model's numbers under their published names, `bert.` included.
    pub fn named(&self, model: &Classifier) -> Tensors {
        let names = ["a", "b", "c"];
        let names = &names[..self.outputs().max(1)];
        let folder = tempfile::tempdir().unwrap();
        save_classifier(folder.path(), model, &self.config(), names, 0.0, None).unwrap();
        let written = read_tensors(&folder.path().join("model.safetensors"));
        if self.has_head() {
            return written;
        }
        let bare = |(name, values): (String, Vec<f64>)| Some((name.strip_prefix("bert.")?.to_owned(), values));
        written.into_iter().filter_map(bare).collect()
    }

    /// Gradients under their published names.
    pub fn named_gradients(&self, model: &Classifier, gradients: Gradients) -> Tensors {
        self.named(&place_gradients(model, gradients))
    }
}

/// Class numbers as a tensor.
pub fn classes(labels: &[f32], device: &Device) -> Tensor<1, Int> {
    let classes: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    Tensor::from_data(TensorData::new(classes, [labels.len()]), device)
}

/// All examples of a set as one packed batch.
pub fn packed(set: &FeatureSet, device: &Device) -> (PackedInput, Vec<f32>) {
    let all: Vec<u32> = (0..set.len() as u32).collect();
    let batch = PackedBatch::pack(set, &all);
    (PackedInput::new(&batch.ids, &batch.positions, &batch.segments, &batch.offsets, device), batch.labels)
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f32>().map(f64::from).collect()
}

pub fn read_tensors(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| -> Vec<f64> {
        data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
    };
    file.tensors().into_iter().map(|(name, view)| (name, numbers(view.data()))).collect()
}

/// A copy of `model` with each parameter replaced by its gradient, 0 where none flowed.
fn place_gradients(model: &Classifier, gradients: Gradients) -> Classifier {
    struct Collect(Gradients, Vec<TensorData>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let value = parameter.val();
            let gradient = value.grad_remove(&mut self.0).unwrap_or_else(|| value.inner().zeros_like());
            self.1.push(gradient.into_data());
        }
    }
    struct Place(std::vec::IntoIter<TensorData>);
    impl ModuleMapper for Place {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            Param::from_tensor(Tensor::from_data(self.0.next().unwrap(), &parameter.val().device()))
        }
    }
    let mut collect = Collect(gradients, Vec::new());
    model.visit(&mut collect);
    model.valid().map(&mut Place(collect.1.into_iter()))
}
