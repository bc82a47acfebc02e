//! Real weights on real data, where both are there: all-MiniLM-L6-v2, and GLUE in `BERTBENCH_REALDATA`.

use std::path::PathBuf;

use bertbench::data::{BadRows, Dataset};
use bertbench::metric;
use bertbench::model::{AnyEncoder, PackedInput, load_encoder};
use bertbench::text::{FeatureSet, PackedBatch, SkippedRows, TextPair, Tokenizer, Vocabulary, evaluation_batches};
use burn::tensor::Device;

use super::realdata::real_data;

/// The folder of all-MiniLM-L6-v2: where `just fetch-minilm` puts it, or what `BERTBENCH_MINILM` names. Where it is not
/// there, says that the test was skipped.
pub(crate) fn minilm() -> Option<PathBuf> {
    let folder = std::env::var_os("BERTBENCH_MINILM").map_or_else(|| "datasets/all-MiniLM-L6-v2".into(), PathBuf::from);
    let found = Some(folder).filter(|folder| folder.join("model.safetensors").exists());
    if found.is_none() {
        println!("skipped: all-MiniLM-L6-v2 not found");
    }
    found
}

/// The mean of each sequence's last hidden states.
fn mean_pooled(model: &AnyEncoder, features: &FeatureSet, device: &Device) -> Vec<Vec<f32>> {
    let mut all = vec![Vec::new(); features.len()];
    for indices in evaluation_batches(features, 32) {
        let batch = PackedBatch::pack(features, &indices);
        let input = PackedInput::new(&batch.ids, &batch.positions, &batch.segments, &batch.offsets, device);
        let hidden = model.forward(&input, None);
        let width = hidden.dims()[1];
        let hidden: Vec<f32> = hidden.into_data().iter::<f32>().collect();
        for (rows, &example) in batch.offsets.windows(2).zip(&indices) {
            let rows = &hidden[rows[0] as usize * width..rows[1] as usize * width];
            let mut mean = vec![0.0; width];
            for row in rows.chunks_exact(width) {
                mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            all[example as usize] = mean;
        }
    }
    all
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()) as f32
}

/// sentence-transformers' own figure for these weights and pairs: Pearson 0.8696.
#[test]
fn mean_pooled_cosine_of_the_untrained_encoder_on_sts_b_dev() {
    let (Some(weights), Some(glue)) = (minilm(), real_data("glue")) else { return };
    let device = Device::flex();
    let encoder = load_encoder(&weights, 1, &device).unwrap();
    assert_eq!(encoder.notes, Vec::<String>::new());
    let dataset = Dataset::find("stsb").unwrap();
    let dev = dataset.read(&glue, dataset.split("dev").unwrap(), BadRows::Refuse).unwrap();
    assert_eq!(dev.examples.len(), 1500);
    let tokenizer = Tokenizer::new(&Vocabulary::load(&weights.join("vocab.txt")).unwrap(), true).unwrap();
    let pooled = |sentence: fn(&bertbench::data::Example) -> &str| {
        let pairs: Vec<TextPair<'_>> = dev
            .examples
            .iter()
            .map(|example| TextPair { first: sentence(example), second: None, label: f32::NAN })
            .collect();
        let features = FeatureSet::build(&tokenizer, &pairs, 128, SkippedRows::default()).unwrap();
        mean_pooled(&encoder.model, &features, &device)
    };
    let first = pooled(|example| &example.first);
    let second = pooled(|example| example.second.as_deref().unwrap());
    let similarity: Vec<f32> = first.iter().zip(&second).map(|(a, b)| cosine(a, b)).collect();
    let gold: Vec<f32> = dev.examples.iter().map(|example| example.label.unwrap().number()).collect();
    let pearson = metric::pearson(&similarity, &gold);
    assert!((pearson - 0.8696).abs() < 0.0005, "Pearson {pearson}");
    let spearman = metric::spearman(&similarity, &gold);
    assert!((spearman - 0.8672).abs() < 0.0005, "Spearman {spearman}");
}
