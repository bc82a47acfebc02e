//! The published sizes, counted on models that are really built.

use bertbench::config;
use bertbench::model::random_classifier;
use bertbench::plan::{architecture as architecture_of, known_tasks};
use bertbench::store::Architecture;
use burn::module::Module;
use burn::tensor::Device;

/// Preset, rows of the vocabulary, parameters of encoder and pooler. The first four are google-research/bert's
/// own checkpoints (uncased, uncased, cased, Chinese), the others the sizes of Turc et al. 2019.
const PUBLISHED: [(&str, u32, u64); 8] = [
    ("bert-base", 30_522, 109_482_240),
    ("bert-large", 30_522, 335_141_888),
    ("bert-base", 28_996, 108_310_272),
    ("bert-base", 21_128, 102_267_648),
    ("bert-tiny", 30_522, 4_385_920),
    ("bert-mini", 30_522, 11_170_560),
    ("bert-small", 30_522, 28_763_648),
    ("bert-medium", 30_522, 41_373_184),
];

/// The architecture that an experiment file's preset gives.
fn architecture(preset: &str, vocab_size: u32) -> Architecture {
    let text = format!(
        "experiment: sizes\nmini: {{}}\nmodels: {{m: {{preset: {preset}}}}}\ntasks: [rte]\n\
         sweep: {{batch_size: [16], learning_rate: [5e-5], epochs: [3]}}\n"
    );
    let file = config::parse(std::path::Path::new("sizes.yaml"), &text, &known_tasks(), &[]).unwrap();
    let experiment = file.with_tasks().unwrap();
    let config::ModelSource::Random(of) = &experiment.models[0].source else { panic!("a preset has random weights") };
    architecture_of(of, vocab_size, false)
}

#[test]
fn presets_have_exactly_the_published_parameters() {
    for (preset, vocab_size, published) in PUBLISHED {
        assert_eq!(architecture(preset, vocab_size).parameters(), published, "{preset}, {vocab_size} words");
    }
}

/// Base and the smaller ones. Large is not built here (1.3 GB): it differs from base in numbers alone.
#[test]
fn built_models_have_as_many() {
    for (preset, vocab_size, published) in
        PUBLISHED.into_iter().filter(|(preset, words, _)| *preset != "bert-large" && *words == 30_522)
    {
        let model = random_classifier(&architecture(preset, vocab_size), 2, 1, &Device::flex());
        assert_eq!(model.encoder.num_params() as u64, published, "{preset}, {vocab_size} words");
    }
}
