//! The model that a run kept, answering the test files of its task.

use std::path::{Path, PathBuf};

use super::Error;
use super::trained_model::{TrainedModel, Use, note, precision_on, refused};
use crate::data::submission::{Answers, SubmissionFile};
use crate::data::{BadRows, Dataset, Split};
use crate::diagnostic::Diagnostic;
use crate::model::{Classifier, HeadShape, OutputOrder, load_trained_classifier, output_names};
use crate::store::{Record, RunsRoot, by_rank};
use crate::task::{HeadKind, Task, features_of};
use crate::train::{NamedDevice, predict};

/// A finished run whose weights are there.
pub(super) struct Kept<'a> {
    pub(super) record: &'a Record,
    /// The folder of its weights.
    pub(super) folder: PathBuf,
}

impl<'a> Kept<'a> {
    /// The best run of a task, by its dev score, of all that are in `records` with their weights in `root`.
    /// Says so when a better one has none.
    ///
    /// # Errors
    /// A name in a record that is none of a folder.
    pub(super) fn best(root: &RunsRoot, records: &'a [Record], task: &Task) -> Result<Option<Self>, Error> {
        let mut of_task: Vec<&Record> = records.iter().filter(|record| record.settings.task == task.name).collect();
        of_task.sort_by(|a, b| by_rank(a, b));
        for record in &of_task {
            let folder = root.folder_of(&record.experiment, &record.settings, record.id.clone())?.model_folder();
            if !folder.is_dir() {
                continue;
            }
            if let Some(best) = of_task.first().filter(|best| best.id != record.id) {
                let (best, taken) = (&best.id.0, &record.id.0);
                note(&format_args!("the best run of `{}`, {best}, has no weights here; {taken} answers", task.name));
            }
            return Ok(Some(Self { record, folder }));
        }
        Ok(None)
    }
}

/// A kept model with its weights.
pub(super) struct KeptModel {
    task: &'static Task,
    model: TrainedModel,
    classifier: Classifier,
    order: OutputOrder,
}

impl KeptModel {
    /// Reads the model of a run of `task`, to be used as the run used it.
    ///
    /// # Errors
    /// [`Error::Input`] when the folder is no longer what the run wrote, or the device has not the run's precision.
    pub(super) fn read(task: &'static Task, kept: &Kept<'_>, device: &NamedDevice) -> Result<Self, Error> {
        let settings = &kept.record.settings;
        let wanted = Use {
            max_length: Some(settings.training.max_length),
            usual_length: task.max_length,
            lower_case: Some(settings.lower_case),
            device: device.clone(),
            precision: precision_on(device, settings.training.precision)?,
        };
        let model = TrainedModel::read(kept.folder.clone(), wanted)?;
        let loaded = load_trained_classifier(&model.checkpoint, HeadShape::Pooled, &device.device)
            .map_err(|error| refused(&error))?;
        let mut classifier = loaded.model;
        classifier.bert.precision = model.precision;
        let order = output_order(task, &kept.folder, classifier.outputs())?;
        Ok(Self { task, model, classifier, order })
    }

    /// The predictions for the rows of a test file, in its order; `None` when the file is not in the data root.
    /// With [`BadRows::Skip`], malformed rows have the file's constant.
    ///
    /// # Errors
    /// A file that cannot be read; with [`BadRows::Refuse`], its first malformed row; [`Error::System`] when the
    /// model's outputs are not finite.
    pub(super) fn answers(
        &self,
        file: &SubmissionFile,
        data_root: &Path,
        bad_rows: BadRows,
    ) -> Result<Option<Vec<String>>, Error> {
        if !Task::has_split(file.dataset, file.split, data_root) {
            return Ok(None);
        }
        let dataset = Dataset::find(file.dataset)?;
        let published = dataset.split(file.split)?;
        let split = dataset.read(data_root, published, bad_rows)?;
        let features = features_of(&split, &self.model.tokenizer, self.model.max_length)?;
        if features.truncated() > 0 {
            let (cut, all, length) = (features.truncated(), features.len(), self.model.max_length);
            note(&format_args!("{}: {cut} of {all} examples were truncated to {length} tokens", file.name));
        }
        let outputs = predict(&self.classifier, &features, &self.model.device.device);
        let outputs = on_scale(file, self.order.arrange(&outputs))?;
        let answers = self.task.answers(&outputs);
        if split.skipped == 0 {
            return Ok(Some(answers));
        }
        // The corpus that MRPC is made of numbers no rows.
        let numbered = dataset.files(data_root, published)?.iter().all(|(name, _)| name.ends_with(published.file));
        let placed = if numbered { with_constants(file, &split, answers) } else { None };
        let cannot = || {
            let message = format!("{} malformed rows of {} cannot be told from the others", split.skipped, file.name);
            Diagnostic::new(message).hint("rows that are left out need an index column that counts from 0")
        };
        Ok(Some(placed.ok_or_else(cannot)?))
    }
}

/// The answers at the places that the rows' indices name, and the file's constant at all others; `None` when the
/// indices do not count the rows of the file.
fn with_constants(file: &SubmissionFile, split: &Split, answers: Vec<String>) -> Option<Vec<String>> {
    let mut placed = vec![None; split.examples.len() + split.skipped as usize];
    for (example, answer) in split.examples.iter().zip(answers) {
        let place = placed.get_mut(example.id.parse::<usize>().ok()?)?;
        if place.replace(answer).is_some() {
            return None;
        }
    }
    let constant = file.constant();
    note(&format_args!("{}: {} malformed rows are answered with `{constant}`", file.name, split.skipped));
    Some(placed.into_iter().map(|answer| answer.unwrap_or_else(|| constant.clone())).collect())
}

/// The outputs, scores moved to the nearest end of the file's scale where they are beyond it.
fn on_scale(file: &SubmissionFile, mut outputs: Vec<f32>) -> Result<Vec<f32>, Error> {
    if outputs.iter().any(|output| !output.is_finite()) {
        return Err(Error::System(format!("{}: the model's outputs are not finite numbers", file.name)));
    }
    if let Answers::Score { lowest, highest } = file.answers {
        let mut moved = 0;
        for output in &mut outputs {
            let clamped = output.clamp(lowest as f32, highest as f32);
            moved += usize::from(clamped.to_bits() != output.to_bits());
            *output = clamped;
        }
        if moved > 0 {
            let all = outputs.len();
            note(&format_args!(
                "{}: {moved} of {all} scores were moved to the scale's end, {lowest} or {highest}",
                file.name
            ));
        }
    }
    Ok(outputs)
}

/// How the model's outputs become the task's.
fn output_order(task: &Task, folder: &Path, outputs: usize) -> Result<OutputOrder, Error> {
    let wrong = || {
        let message = format!("the model's outputs are not those of `{}`", task.name);
        Diagnostic::new(message).in_file(&folder.join("config.json"))
    };
    let order = match task.head {
        HeadKind::Classes(classes) => match output_names(folder).map_err(|error| refused(&error.into()))? {
            Some(names) => OutputOrder::by_name(&names, classes),
            None => Some(OutputOrder::as_it_is(classes.len())),
        },
        HeadKind::Regression | HeadKind::Choices(_) | HeadKind::Spans | HeadKind::Tags => {
            Some(OutputOrder::as_it_is(1))
        }
    };
    Ok(order.filter(|_| outputs == task.head.row()).ok_or_else(wrong)?)
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
            with_constants(file("QNLI.tsv"), &split(ids, skipped), answers)
        };
        assert_eq!(answers(&["0", "2", "3"], 2).unwrap(), ["a0", "entailment", "a1", "a2", "entailment"]);
        for ids in [["0", "0", "1"], ["0", "1", "5"], ["0", "1", "x"]] {
            assert_eq!(answers(&ids, 2), None);
        }
    }

    #[test]
    fn scores_stay_on_the_scale() {
        let scores = on_scale(file("STS-B.tsv"), vec![-0.5, 0.0, 2.5, 5.25]).unwrap();
        assert_eq!(scores.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0", "0", "2.5", "5"]);
        assert!(on_scale(file("STS-B.tsv"), vec![f32::NAN]).is_err());
        let logits = on_scale(file("RTE.tsv"), vec![-9.5, 7.5]).unwrap();
        assert_eq!(logits.iter().map(ToString::to_string).collect::<Vec<_>>(), ["-9.5", "7.5"]);
    }
}
