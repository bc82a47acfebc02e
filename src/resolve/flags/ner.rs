//! The flags of the original NER scripts as an experiment file, so that everything that works on experiments works on
//! this one.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Error};
use crate::model::Config;
use crate::store::output;
use crate::text::Vocabulary;

/// The files of a data folder.
const TRAIN: &str = "train.txt";
const DEV: &str = "dev.txt";
/// What is predicted, in the data folder.
pub const TEST: &str = "test.txt";

/// The name of the only task and the only model.
const TASK: &str = "ner";
const MODEL: &str = "bert";

/// What the flags of `run_*.py` say, by their names there.
#[derive(Clone, Debug)]
pub struct NerFlags {
    /// The folder with train.txt, dev.txt and test.txt.
    pub data_dir: PathBuf,
    /// The model's configuration.
    pub bert_config_file: PathBuf,
    /// The vocabulary.
    pub vocab_file: PathBuf,
    /// The folder for everything that is written.
    pub output_dir: PathBuf,
    /// The weights to start from; none for random ones.
    pub init_checkpoint: Option<PathBuf>,
    /// Lower-case the text and strip its accents.
    pub do_lower_case: bool,
    /// Longest sequence in tokens.
    pub max_seq_length: u32,
    /// Sentences in a step.
    pub train_batch_size: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Passes over the training data, a whole number.
    pub num_train_epochs: f64,
    /// Fraction of the steps over which the learning rate rises.
    pub warmup_proportion: f64,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Read bytes that are not UTF-8 as U+FFFD instead of refusing the file.
    pub lossy: bool,
}

/// The experiment that the flags describe.
#[derive(Debug)]
pub struct NerExperiment<'a> {
    flags: &'a NerFlags,
    /// The folder or file of the weights; none for random ones.
    checkpoint: Option<PathBuf>,
    config: Config,
}

impl<'a> NerExperiment<'a> {
    /// Looks at the files that the flags name.
    ///
    /// # Errors
    /// What is missing, cannot be read, or does not fit together.
    pub fn new(flags: &'a NerFlags) -> Result<Self, Error> {
        for name in [TRAIN, DEV] {
            let path = flags.data_dir.join(name);
            if !path.is_file() {
                let hint = format!("`--data_dir` holds {TRAIN}, {DEV} and, to predict, {TEST}");
                return Err(Diagnostic::new("no such file").in_file(&path).hint(hint).into());
            }
        }
        let config = configuration(&flags.bert_config_file)?;
        let vocabulary = Vocabulary::load(&flags.vocab_file)?;
        // What there is to note, a run does.
        config.fits_vocabulary(&flags.vocab_file, vocabulary.len())?;
        let checkpoint = flags.init_checkpoint.as_deref().map(|from| checkpoint(from, flags)).transpose()?;
        Ok(Self { flags, checkpoint, config })
    }

    /// Whether there is something to predict.
    #[must_use]
    pub fn predicts(&self) -> bool {
        self.flags.data_dir.join(TEST).is_file()
    }

    /// Writes the experiment file into the output folder, and gives its path.
    ///
    /// # Errors
    /// A disk that cannot be written; paths that are not UTF-8.
    pub fn write(&self) -> Result<PathBuf, Error> {
        let path = self.flags.output_dir.join("experiment.yaml");
        let text = self.yaml()?;
        output::write(&path, |file| std::io::Write::write_all(file, text.as_bytes()))?;
        Ok(path)
    }

    fn yaml(&self) -> Result<String, Error> {
        let flags = self.flags;
        let mut text = String::from("# Written by `bertbench ner` from its flags.\n");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "experiment: {TASK}\nmodels:\n  {MODEL}:");
        if let Some(from) = &self.checkpoint {
            let _ = writeln!(text, "    checkpoint: {}", quoted(from)?);
        } else {
            let of = self.config.architecture;
            let _ = writeln!(
                text,
                "    architecture: {{layers: {}, hidden: {}, heads: {}, intermediate: {}, max_positions: {}}}",
                of.layers, of.hidden, of.heads, of.intermediate, of.max_positions
            );
        }
        let _ = writeln!(text, "    vocab_file: {}", quoted(&flags.vocab_file)?);
        let _ = writeln!(text, "    do_lower_case: {}", flags.do_lower_case);
        let _ = writeln!(text, "tasks: [{TASK}]\ntask_settings:\n  {TASK}:");
        let _ = writeln!(text, "    columns: {{lossy: {}}}", flags.lossy);
        let files = [("train", TRAIN), ("dev", DEV)].into_iter().chain(self.predicts().then_some(("test", TEST)));
        for (key, name) in files {
            let _ = writeln!(text, "    {key}: {}", quoted(&flags.data_dir.join(name))?);
        }
        let _ = writeln!(
            text,
            "data: {}\nsweep: {{batch_size: [{}], learning_rate: [{:e}], epochs: [{}]}}\nseeds: [{}]",
            quoted(&flags.data_dir)?,
            flags.train_batch_size,
            flags.learning_rate,
            flags.num_train_epochs,
            flags.seed
        );
        // google-research/bert's own optimizer, as its scripts have it.
        let _ = writeln!(
            text,
            "training: {{max_length: {}, warmup_fraction: {:?}, optimizer: {{bert_adam: {{}}}}}}",
            flags.max_seq_length, flags.warmup_proportion
        );
        Ok(text)
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
fn checkpoint(from: &Path, flags: &NerFlags) -> Result<PathBuf, Error> {
    let folder = if from.is_dir() { from } else { from.parent().unwrap_or(Path::new(".")) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let beside =
        ["config.json", "bert_config.json"].into_iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let same = |path: &PathBuf| fs::canonicalize(path).ok() == fs::canonicalize(&flags.bert_config_file).ok();
    if beside.as_ref().is_some_and(same) {
        return Ok(from.to_path_buf());
    }
    let entries = fs::read_dir(folder)
        .map_err(|error| Diagnostic::new(format!("the checkpoint's folder cannot be read: {error}")).in_file(folder))?;
    let joined = flags.output_dir.join("checkpoint");
    fs::create_dir_all(&joined)?;
    let prefix = if from.is_dir() { None } else { from.file_name().map(|name| name.to_string_lossy().into_owned()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_file() && prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str())) {
            link(&path, &joined.join(name))?;
        }
    }
    link(&flags.bert_config_file, &joined.join("config.json"))?;
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
