//! The flags of the original NER scripts as an experiment file, so that everything that works on experiments works on
//! this one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Args;
use crate::diagnostic::{Diagnostic, Error};
use crate::model::Config;
use crate::store::output;
use crate::text::Vocabulary;

/// The files of a data folder.
const TRAIN: &str = "train.txt";
const DEV: &str = "dev.txt";
/// What is predicted, in the data folder.
pub(super) const TEST: &str = "test.txt";

/// The name of the only task and the only model.
const TASK: &str = "ner";
const MODEL: &str = "bert";

/// The experiment that the flags describe.
pub(super) struct NerExperiment<'a> {
    args: &'a Args,
    /// The folder or file of the weights; none for random ones.
    checkpoint: Option<PathBuf>,
    config: Config,
}

impl<'a> NerExperiment<'a> {
    /// Looks at the files that the flags name.
    ///
    /// # Errors
    /// What is missing, cannot be read, or does not fit together.
    pub(super) fn new(args: &'a Args) -> Result<Self, Error> {
        for name in [TRAIN, DEV] {
            let path = args.data_dir.join(name);
            if !path.is_file() {
                let hint = format!("`--data_dir` holds {TRAIN}, {DEV} and, to predict, {TEST}");
                return Err(Diagnostic::new("no such file").in_file(&path).hint(hint).into());
            }
        }
        let config = configuration(&args.bert_config_file)?;
        let vocabulary = Vocabulary::load(&args.vocab_file)?;
        // What there is to note, a run does.
        config.fits_vocabulary(&args.vocab_file, vocabulary.len())?;
        let checkpoint = args.init_checkpoint.as_deref().map(|from| checkpoint(from, args)).transpose()?;
        Ok(Self { args, checkpoint, config })
    }

    /// Whether there is something to predict.
    pub(super) fn predicts(&self) -> bool {
        self.args.data_dir.join(TEST).is_file()
    }

    /// Writes the experiment file into the output folder, and gives its path.
    ///
    /// # Errors
    /// A disk that cannot be written; paths that are not UTF-8.
    pub(super) fn write(&self) -> Result<PathBuf, Error> {
        let path = self.args.output_dir.join("experiment.yaml");
        let text = self.yaml()?;
        output::write(&path, |file| std::io::Write::write_all(file, text.as_bytes()))?;
        Ok(path)
    }

    fn yaml(&self) -> Result<String, Error> {
        let args = self.args;
        let model = if let Some(from) = &self.checkpoint {
            format!("checkpoint: {}", quoted(from)?)
        } else {
            let of = self.config.architecture;
            format!(
                "architecture: {{layers: {}, hidden: {}, heads: {}, intermediate: {}, max_positions: {}}}",
                of.layers, of.hidden, of.heads, of.intermediate, of.max_positions
            )
        };
        let files = [("train", TRAIN), ("dev", DEV)].into_iter().chain(self.predicts().then_some(("test", TEST)));
        let file = |(key, name)| Ok(format!("    {key}: {}\n", quoted(&args.data_dir.join(name))?));
        let files = files.map(file).collect::<Result<String, Error>>()?;
        let (vocabulary, data) = (quoted(&args.vocab_file)?, quoted(&args.data_dir)?);
        let Args { do_lower_case, lossy, max_seq_length, seed, .. } = args;
        let Args { train_batch_size, learning_rate, num_train_epochs, warmup_proportion, .. } = args;
        // google-research/bert's own optimizer, as its scripts have it.
        Ok(format!(
            "# Written by `bertbench ner` from its flags.\n\
             experiment: {TASK}\n\
             models:\n  {MODEL}:\n    {model}\n    vocab_file: {vocabulary}\n    do_lower_case: {do_lower_case}\n\
             tasks: [{TASK}]\n\
             task_settings:\n  {TASK}:\n    columns: {{lossy: {lossy}}}\n{files}\
             data: {data}\n\
             sweep: {{batch_size: [{train_batch_size}], learning_rate: [{learning_rate:e}], \
             epochs: [{num_train_epochs}]}}\n\
             seeds: [{seed}]\n\
             training: {{max_length: {max_seq_length}, warmup_fraction: {warmup_proportion:?}, \
             optimizer: {{bert_adam: {{}}}}}}\n"
        ))
    }
}

/// A path as a YAML string: JSON's strings are YAML's.
fn quoted(path: &Path) -> Result<String, Error> {
    match path.to_str() {
        Some(text) => Ok(Value::from(text).to_string()),
        None => Err(Diagnostic::new("the path is not UTF-8").in_file(path).into()),
    }
}

/// The configuration in a file of any name.
fn configuration(path: &Path) -> Result<Config, Error> {
    let refused = |message: String| Error::from(Diagnostic::new(message));
    if !path.is_file() {
        let hint = "`--bert_config_file` is a bert_config.json or a config.json";
        return Err(Diagnostic::new("no such file").in_file(path).hint(hint).into());
    }
    let scratch = tempfile::tempdir()?;
    fs::copy(path, scratch.path().join("config.json"))?;
    Config::read(scratch.path()).map_err(|error| {
        let name = scratch.path().join("config.json").display().to_string();
        refused(error.to_string().replace(&name, &path.display().to_string()))
    })
}

/// Where the weights are, with their configuration beside them: as they lie, or linked into a folder of the output.
fn checkpoint(from: &Path, args: &Args) -> Result<PathBuf, Error> {
    let folder = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new(".")) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let beside =
        ["config.json", "bert_config.json"].into_iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let same = |path: &PathBuf| fs::canonicalize(path).ok() == fs::canonicalize(&args.bert_config_file).ok();
    if beside.as_ref().is_some_and(same) {
        return Ok(from.to_path_buf());
    }
    let entries = fs::read_dir(folder)
        .map_err(|error| Diagnostic::new(format!("the checkpoint's folder cannot be read: {error}")).in_file(folder))?;
    let joined = args.output_dir.join("checkpoint");
    fs::create_dir_all(&joined)?;
    let prefix = if from.is_dir() { None } else { from.file_name().map(|name| name.to_string_lossy().into_owned()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_file() && prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str())) {
            link(&path, &joined.join(name))?;
        }
    }
    link(&args.bert_config_file, &joined.join("config.json"))?;
    Ok(joined)
}

/// A link to a file, in place of what is there; a copy where there are no links.
fn link(file: &Path, at: &Path) -> Result<(), Error> {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at)?;
    }
    let file = fs::canonicalize(file)?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(file, at)?;
    #[cfg(not(unix))]
    fs::copy(file, at)?;
    Ok(())
}
