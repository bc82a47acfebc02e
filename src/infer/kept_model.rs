//! The model that a run kept, answering the test files of its task.

use std::path::Path;

use super::InferError;
use super::trained_model::{TrainedModel, Use, precision_on, refused};
use crate::data::submission::SubmissionFile;
use crate::data::{BadRows, Dataset, Labels, Split};
use crate::diagnostic::Diagnostic;
use crate::model::{Classifier, Head, OutputOrder, load_trained_classifier, output_names};
use crate::store::Kept;
use crate::task::{Task, features_of};
use crate::train::{NamedDevice, predict};

/// A kept model with its weights.
pub struct KeptModel {
    task: &'static Task,
    model: TrainedModel,
    classifier: Classifier,
    order: OutputOrder,
}

impl KeptModel {
    /// Reads the model of a run of `task`, to be used as the run used it.
    ///
    /// # Errors
    /// [`InferError::Input`] when the folder is no longer what the run wrote, or the device has not the run's precision.
    pub fn read(task: &'static Task, kept: &Kept<'_>, device: &NamedDevice) -> Result<Self, InferError> {
        let settings = &kept.record.settings;
        let wanted = Use {
            max_length: Some(settings.max_length()),
            usual_length: task.max_length(),
            lower_case: Some(settings.vocabulary.do_lower_case),
            device: device.clone(),
            precision: precision_on(device, settings.optimization.precision)?,
        };
        let model = TrainedModel::read(kept.folder.clone(), wanted)?;
        let loaded =
            load_trained_classifier(&model.checkpoint, task.head, &device.device).map_err(|error| refused(&error))?;
        let mut classifier = loaded.model;
        classifier.encoder.set_precision(model.precision);
        let order = output_order(task, &kept.folder, classifier.outputs())?;
        Ok(Self { task, model, classifier, order })
    }

    /// The predictions for the rows of a test file, in its order; `None` when the file is not in the data root.
    /// With [`BadRows::Skip`], malformed rows have the file's constant. What is worth knowing goes to `notes`.
    ///
    /// # Errors
    /// A file that cannot be read; with [`BadRows::Refuse`], its first malformed row; [`InferError::NotFinite`] when the
    /// model's outputs are not finite.
    pub fn answers(
        &self,
        file: &SubmissionFile,
        data_root: &Path,
        bad_rows: BadRows,
        notes: &mut Vec<String>,
    ) -> Result<Option<Vec<String>>, InferError> {
        let dataset = Dataset::find(file.dataset)?;
        let published = dataset.split(file.split)?;
        if !dataset.has(data_root, published) {
            return Ok(None);
        }
        let split = dataset.read(data_root, published, bad_rows)?;
        let features = features_of(&split, &self.model.tokenizer, self.model.max_length)?;
        if features.parts().truncated > 0 {
            let (cut, all, length) = (features.parts().truncated, features.len(), self.model.max_length);
            notes.push(format!("{}: {cut} of {all} examples were truncated to {length} tokens", file.name));
        }
        let outputs = predict(&self.classifier, &features, &self.model.device.device)?;
        let outputs = on_scale(file, self.order.arrange(&outputs), notes)?;
        let answers = self.task.answers(&outputs);
        if split.skipped == 0 {
            return Ok(Some(answers));
        }
        // The corpus that MRPC is made of numbers no rows.
        let numbered = dataset.files(data_root, published)?.iter().all(|(name, _)| name.ends_with(published.file));
        let placed = if numbered { with_constants(file, &split, answers, notes) } else { None };
        let cannot = || {
            let message = format!("{} malformed rows of {} cannot be told from the others", split.skipped, file.name);
            Diagnostic::new(message).hint("rows that are left out need an index column that counts from 0")
        };
        Ok(Some(placed.ok_or_else(cannot)?))
    }
}

/// The answers at the places that the rows' indices name, and the file's constant at all others; `None` when the
/// indices do not count the rows of the file.
fn with_constants(
    file: &SubmissionFile,
    split: &Split,
    answers: Vec<String>,
    notes: &mut Vec<String>,
) -> Option<Vec<String>> {
    let mut placed = vec![None; split.examples.len() + split.skipped as usize];
    for (example, answer) in split.examples.iter().zip(answers) {
        let place = placed.get_mut(example.id.parse::<usize>().ok()?)?;
        if place.replace(answer).is_some() {
            return None;
        }
    }
    let constant = file.constant();
    notes.push(format!("{}: {} malformed rows are answered with `{constant}`", file.name, split.skipped));
    Some(placed.into_iter().map(|answer| answer.unwrap_or_else(|| constant.clone())).collect())
}

/// The outputs, scores moved to the nearest end of the file's scale where they are beyond it.
fn on_scale(file: &SubmissionFile, mut outputs: Vec<f32>, notes: &mut Vec<String>) -> Result<Vec<f32>, InferError> {
    if outputs.iter().any(|output| !output.is_finite()) {
        return Err(InferError::NotFinite { file: file.name });
    }
    if let Labels::Score { lowest, highest } = file.labels() {
        let mut moved = 0;
        for output in &mut outputs {
            let clamped = output.clamp(lowest, highest);
            moved += usize::from(clamped.to_bits() != output.to_bits());
            *output = clamped;
        }
        if moved > 0 {
            let all = outputs.len();
            notes.push(format!(
                "{}: {moved} of {all} scores were moved to the scale's end, {lowest} or {highest}",
                file.name
            ));
        }
    }
    Ok(outputs)
}

/// How the model's outputs become the task's.
fn output_order(task: &Task, folder: &Path, outputs: usize) -> Result<OutputOrder, InferError> {
    let wrong = || {
        let message = format!("the model's outputs are not those of `{}`", task.name);
        Diagnostic::new(message).in_file(&folder.join("config.json"))
    };
    let order = match task.head {
        Head::Classes => match output_names(folder).map_err(|error| refused(&error.into()))? {
            Some(names) => OutputOrder::by_name(&names, task.classes()),
            None => Some(OutputOrder::as_it_is(task.row())),
        },
        Head::Regression | Head::Choices | Head::Spans | Head::Tags => Some(OutputOrder::as_it_is(1)),
    };
    Ok(order.filter(|_| outputs == task.row()).ok_or_else(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Example;
    use crate::data::submission::FILES;

    fn file(name: &str) -> &'static SubmissionFile {
        FILES.iter().find(|file| file.name == name).unwrap()
    }

    fn split(ids: &[&str], skipped: u64) -> Split {
        let example = |id: &&str| Example { id: (*id).to_owned(), first: "a".into(), second: None, label: None };
        Split { name: "test", examples: ids.iter().map(example).collect(), skipped, without_gold: 0 }
    }

    #[test]
    fn malformed_rows_get_the_constant_at_their_place() {
        let answers = |ids: &[&str], skipped| {
            let answers = (0..ids.len()).map(|at| format!("a{at}")).collect();
            with_constants(file("QNLI.tsv"), &split(ids, skipped), answers, &mut Vec::new())
        };
        assert_eq!(answers(&["0", "2", "3"], 2).unwrap(), ["a0", "entailment", "a1", "a2", "entailment"]);
        for ids in [["0", "0", "1"], ["0", "1", "5"], ["0", "1", "x"]] {
            assert_eq!(answers(&ids, 2), None);
        }
    }

    #[test]
    fn scores_stay_on_the_scale() {
        let scores = on_scale(file("STS-B.tsv"), vec![-0.5, 0.0, 2.5, 5.25], &mut Vec::new()).unwrap();
        assert_eq!(scores.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0", "0", "2.5", "5"]);
        assert!(on_scale(file("STS-B.tsv"), vec![f32::NAN], &mut Vec::new()).is_err());
        let logits = on_scale(file("RTE.tsv"), vec![-9.5, 7.5], &mut Vec::new()).unwrap();
        assert_eq!(logits.iter().map(ToString::to_string).collect::<Vec<_>>(), ["-9.5", "7.5"]);
    }
}
