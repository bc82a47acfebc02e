//! The loss of a batch, by head. Of a whole split it is [`Task::mean_loss`](crate::task::Task::mean_loss).

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::kernel::{self, Packing};
use crate::model::Head;
use crate::text::PackedBatch;

/// The mean loss of a batch. The head's outputs (`[batch, outputs]` or `[tokens, outputs]`) → `[1]`.
pub(super) fn batch_loss(head: Head, outputs: Tensor<2>, batch: &PackedBatch, packing: &Packing) -> Tensor<1> {
    let device = outputs.device();
    let labels = &batch.labels;
    match head {
        Head::Classes => kernel::cross_entropy(outputs, classes(labels, &device)),
        Head::Regression => {
            let targets = Tensor::<1>::from_data(TensorData::new(labels.clone(), [labels.len()]), &device);
            kernel::mean_squared_error(outputs, targets)
        }
        Head::Choices => {
            let [sequences, _] = outputs.dims();
            let scores = outputs.reshape([labels.len(), sequences / labels.len().max(1)]);
            kernel::cross_entropy(scores, classes(labels, &device))
        }
        Head::Spans => {
            let spans: Vec<u32> = labels.iter().map(|&place| place as u32).collect();
            kernel::span_loss(outputs, packing, &spans)
        }
        Head::Tags => {
            let labelled = (0..).zip(labels).filter(|(_, label)| !label.is_nan());
            let (rows, classes): (Vec<u32>, Vec<u32>) = labelled.map(|(row, &label)| (row, label as u32)).unzip();
            kernel::token_loss(outputs, &rows, &classes)
        }
    }
}

fn classes(labels: &[f32], device: &Device) -> Tensor<1, Int> {
    kernel::indices(labels.iter().map(|&label| label as u32), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::task::{TASKS, Task};
    use crate::text::{FeatureSet, LabelKind, NO_OFFSET, Parts, SkippedRows};

    fn task(head: Head) -> &'static Task {
        TASKS.iter().find(|task| task.head == head).unwrap()
    }

    /// Two sequences of three and two tokens, with `labels`.
    fn set(labelled: LabelKind, labels: &[f32]) -> FeatureSet {
        let parts = Parts {
            offsets: vec![0, 3, 5],
            ids: vec![2, 7, 3, 2, 3],
            segments: vec![0; 5],
            labels: labels.to_vec(),
            source_index: vec![0, 1],
            offset_mapping: vec![NO_OFFSET; 5],
            truncated: 0,
        };
        FeatureSet::from_parts(parts, labelled, SkippedRows::default())
    }

    /// Every kind of head: the batch's loss in f32 is the split's in f64 when the batch is the whole split.
    #[test]
    fn the_loss_of_a_batch_that_is_the_split_is_the_splits() {
        let device = Device::flex();
        let nan = f32::NAN;
        let choices = set(LabelKind::Sequences, &[0.0, 0.0]).into_choices(2, vec![1.0]);
        let cases = [
            (Head::Classes, set(LabelKind::Sequences, &[2.0, 0.0]), 3),
            (Head::Regression, set(LabelKind::Sequences, &[2.5, 0.25]), 1),
            (Head::Choices, choices, 1),
            (Head::Spans, set(LabelKind::Spans, &[1.0, 2.0, 0.0, 0.0]), 2),
            (Head::Tags, set(LabelKind::Tokens, &[nan, 1.0, nan, 0.0, nan]), 2),
        ];
        for (head, set, width) in cases {
            let examples: Vec<u32> = (0..set.len() as u32).collect();
            let batch = PackedBatch::pack(&set, &examples);
            let rows = if matches!(head, Head::Spans | Head::Tags) { set.tokens() as usize } else { 2 };
            let outputs: Vec<f32> = (0..rows * width).map(|i| ((i * 37 + 11) % 17) as f32 / 5.0 - 1.5).collect();
            let tensor = Tensor::from_data(TensorData::new(outputs.clone(), [rows, width]), &device);
            let packing = Packing::new(&batch.offsets, &device);
            let of_batch = f64::from(batch_loss(head, tensor, &batch, &packing).into_scalar::<f32>());
            let (of_split, _) = task(head).mean_loss(&outputs, &set);
            assert!((of_batch - of_split).abs() < 1e-6, "{head:?}: {of_batch} {of_split}");
            assert!((task(head).loss_weight(&set, &examples) - set.len() as f64).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn unlabelled_splits_have_no_loss_and_unscored_words_no_weight() {
        let unlabelled = set(LabelKind::Sequences, &[f32::NAN; 2]);
        assert!(task(Head::Regression).mean_loss(&[1.0, 2.0], &unlabelled).0.is_nan());
        let words = set(LabelKind::Tokens, &[f32::NAN, 1.0, 1.0, f32::NAN, f32::NAN]);
        assert!((task(Head::Tags).loss_weight(&words, &[0]) - 2.0).abs() < f64::EPSILON);
        assert!(task(Head::Tags).loss_weight(&words, &[1]).abs() < f64::EPSILON);
    }
}
