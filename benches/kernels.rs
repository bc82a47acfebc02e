//! Seconds of each operation of a training step, by size and batch: `just bench-kernels`, or a part of
//! it, such as `just bench-kernels encoder_layer`. Throughput is in tokens.
//!
//! The names are `OPERATION/PASS/SIZE/BATCH`. Batches are of one length, or ragged as real pairs of
//! sentences are.

#![allow(missing_docs, reason = "criterion's macros write functions without")]

use std::time::Duration;

use bertbench::kernel::{self, Adam, AdamRule, AttentionHeads, Dropout, Moments, Trained};
use bertbench::model::{Classifier, PackedInput, random_classifier};
use bertbench::random::Stream;
use bertbench::store::Architecture;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

// As the program has it.
#[global_allocator]
static ALLOCATOR: kernel::HugePages = kernel::HugePages;

/// A layer's width and heads.
#[derive(Clone, Copy)]
struct Size {
    name: &'static str,
    hidden: u32,
    heads: u32,
}

const SIZES: [Size; 2] =
    [Size { name: "MiniLM", hidden: 384, heads: 12 }, Size { name: "BERT-base", hidden: 768, heads: 12 }];

/// Sequences and their lengths.
#[derive(Clone, Copy)]
enum Batch {
    /// All of one length.
    Equal { sequences: u32, length: u32 },
    /// Lengths uniform from [`SHORTEST`] on: with 48, the mean is that of STS-B's pairs.
    Ragged { sequences: u32, longest: u32 },
}

const BATCHES: [Batch; 2] = [Batch::Equal { sequences: 16, length: 128 }, Batch::Ragged { sequences: 32, longest: 48 }];

const SHORTEST: u32 = 8;
const VOCABULARY: u32 = 30_522;
const DROPOUT: f64 = 0.1;
/// The number of a place of dropout, as the first layer's attention has it.
const SITE: u32 = 2;

impl Batch {
    fn name(self) -> String {
        match self {
            Self::Equal { sequences, length } => format!("{sequences}x{length}"),
            Self::Ragged { sequences, longest } => format!("{sequences}x{SHORTEST}-{longest}"),
        }
    }

    fn lengths(self) -> Vec<u32> {
        match self {
            Self::Equal { sequences, length } => vec![length; sequences as usize],
            Self::Ragged { sequences, longest } => {
                let mut draws = Stream::new(1, "lengths").at(0);
                (0..sequences).map(|_| SHORTEST + draws.below((longest - SHORTEST + 1) as usize) as u32).collect()
            }
        }
    }

    fn tokens(self) -> u64 {
        self.lengths().iter().map(|length| u64::from(*length)).sum()
    }

    fn input(self, device: &Device) -> PackedInput {
        let mut draws = Stream::new(1, "tokens").at(0);
        let (mut offsets, mut positions) = (vec![0], Vec::new());
        for length in self.lengths() {
            positions.extend(0..length);
            offsets.push(positions.len() as u32);
        }
        let ids: Vec<u32> = positions.iter().map(|_| draws.below(VOCABULARY as usize) as u32).collect();
        PackedInput::new(&ids, &positions, &vec![0; ids.len()], &offsets, device)
    }
}

/// A model of one layer.
fn model(size: Size, device: &Device) -> Classifier {
    let architecture = Architecture {
        layers: 1,
        hidden: size.hidden,
        heads: size.heads,
        intermediate: 4 * size.hidden,
        vocab_size: VOCABULARY,
        max_positions: 512,
        type_vocab_size: 2,
        causal: false,
        encoder: bertbench::settings::EncoderType::Bert,
        pooling: None,
        initializer_range: bertbench::settings::InitializerRange::BERT,
    };
    random_classifier(&architecture, 2, 1, device)
}

fn dropout() -> Option<Dropout> {
    Dropout::new(DROPOUT, Stream::new(1, "dropout"), 1)
}

fn random(rows: u64, columns: u32, device: &Device) -> Tensor<2> {
    Tensor::random([rows as usize, columns as usize], Distribution::Normal(0.0, 1.0), device)
}

/// Waits for `tensor`.
fn finish(tensor: Tensor<2>) {
    drop(tensor.into_data());
}

/// `of` for every size and batch, in a group called `name`.
fn for_all(criterion: &mut Criterion, name: &str, of: impl Fn(&mut BenchmarkGroup<'_, WallTime>, &str, Size, Batch)) {
    let mut group = criterion.benchmark_group(name);
    for size in SIZES {
        for batch in BATCHES {
            group.throughput(Throughput::Elements(batch.tokens()));
            of(&mut group, &format!("{}/{}", size.name, batch.name()), size, batch);
        }
    }
    group.finish();
}

fn embeddings(criterion: &mut Criterion) {
    for_all(criterion, "embeddings", |group, name, size, batch| {
        let plain = Device::flex();
        let (valid, input) = (model(size, &plain), batch.input(&plain));
        group.bench_function(format!("forward/{name}"), |bench| {
            bench.iter(|| finish(valid.encoder.embed(&input, None)));
        });
        let device = plain.autodiff();
        let (trained, input, dropout) = (model(size, &device), batch.input(&device), dropout());
        group.bench_function(format!("forward+backward/{name}"), |bench| {
            bench.iter(|| trained.encoder.embed(&input, dropout.as_ref()).sum().backward());
        });
    });
}

fn encoder_layer(criterion: &mut Criterion) {
    for_all(criterion, "encoder_layer", |group, name, size, batch| {
        let plain = Device::flex();
        let (valid, input) = (model(size, &plain), batch.input(&plain));
        let hidden = random(batch.tokens(), size.hidden, &plain);
        group.bench_function(format!("forward/{name}"), |bench| {
            bench.iter(|| finish(valid.encoder.layer(0, hidden.clone(), &input.packing, None)));
        });
        let device = plain.autodiff();
        let (trained, input, dropout) = (model(size, &device), batch.input(&device), dropout());
        let hidden = random(batch.tokens(), size.hidden, &device).require_grad();
        group.bench_function(format!("forward+backward/{name}"), |bench| {
            bench.iter(|| {
                let output = trained.encoder.layer(0, hidden.clone(), &input.packing, dropout.as_ref());
                output.sum().backward()
            });
        });
    });
}

fn attention(criterion: &mut Criterion) {
    for_all(criterion, "attention", |group, name, size, batch| {
        let plain = Device::flex();
        let heads = AttentionHeads { number: size.heads as usize, causal: false };
        let input = batch.input(&plain);
        let projected = random(batch.tokens(), 3 * size.hidden, &plain);
        group.bench_function(format!("forward/{name}"), |bench| {
            bench.iter(|| finish(kernel::attention(projected.clone(), heads, &input.packing, None, SITE)));
        });
        let device = plain.autodiff();
        let (input, dropout) = (batch.input(&device), dropout());
        let projected = random(batch.tokens(), 3 * size.hidden, &device).require_grad();
        group.bench_function(format!("forward+backward/{name}"), |bench| {
            bench.iter(|| {
                let context = kernel::attention(projected.clone(), heads, &input.packing, dropout.as_ref(), SITE);
                context.sum().backward()
            });
        });
    });
}

/// On one matrix of the feed-forward layer; throughput is in parameters.
fn optimizer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("adamw");
    let device = Device::flex();
    let with =
        Adam { learning_rate: 5e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01, gradient_scale: 0.5 };
    for size in SIZES {
        let (rows, columns) = (u64::from(size.hidden), 4 * size.hidden);
        group.throughput(Throughput::Elements(rows * u64::from(columns)));
        let draw = || -> Tensor<1> { random(rows, columns, &device).reshape([-1]) };
        let start = || {
            let moments = Some(Moments { first: draw() * 0.01, second: draw().abs(), live_rows: None });
            vec![Trained { parameter: draw(), gradient: draw(), moments, decays: true }]
        };
        group.bench_function(size.name, |bench| {
            bench.iter_batched(
                start,
                |all| kernel::adam_step(all, AdamRule::AdamW { step: 10 }, &with),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn loss(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let (logits, labels) = (random(32, 3, &device).require_grad(), vec![0i32; 32]);
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [32]), &device);
    criterion.bench_function("cross_entropy/forward+backward/32x3", |bench| {
        bench.iter(|| kernel::cross_entropy(logits.clone(), labels.clone()).backward());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = embeddings, encoder_layer, attention, optimizer, loss
}
criterion_main!(benches);
