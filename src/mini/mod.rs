//! The mini benchmark: a small world, and every task written from it in the official formats.
//!
//! [`generate`] writes a folder like GLUE's (`CoLA/train.tsv`, `MNLI/dev_matched.tsv`, …), with tasks in
//! the formats of `SQuAD`, SWAG, CoNLL-2003 and Chinese character files, a corpus to pretrain on, a
//! `vocab.txt`, `bounds.json` (see [`bounds()`]) and a marker, `mini.json`. `docs/mini.md` tells the rule
//! of each task.

mod acceptability;
mod annotation;
mod answers;
mod bounds;
mod chinese;
mod columns;
mod corpus;
mod duplicates;
mod entities;
mod example;
mod folder;
mod formats;
mod inference;
mod lexicon;
mod newspaper;
mod paraphrase;
mod part;
mod passages;
mod probes;
mod pronouns;
mod questions;
mod scenes;
mod sentiment;
mod similarity;
mod stories;
mod tasks;
mod vocabulary;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use bounds::{Bound, bounds};
pub use folder::{default_folder, is_generated, is_mini};

/// The text to pretrain on, in the folder that [`generate`] writes.
pub const CORPUS_TRAIN: &str = "corpus/train.txt";
/// The text to evaluate a pretrained model on, likewise.
pub const CORPUS_HELD_OUT: &str = "corpus/heldout.txt";

use part::Part;
use tasks::TASKS;
use world::World;

/// The version of the generator: it rises with every change of a byte that a seed gives.
pub const VERSION: u32 = 6;

/// Writes a task from the seed and the world.
type Writer = fn(u64, &World) -> Result<Part, MiniError>;

/// The tasks that are not rows of one or two texts with a label; those are in [`TASKS`].
const OTHERS: [Writer; 9] = [
    |seed, world| questions::FIRST.part(seed, world),
    |seed, world| questions::SECOND.part(seed, world),
    stories::part,
    entities::part,
    chinese::part,
    probes::reach,
    probes::lookup,
    probes::agreement,
    probes::sides,
];

/// What [`generate`] made or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The folder.
    pub folder: PathBuf,
    /// Whether the folder was already complete and was left as it is.
    pub kept: bool,
    /// Rows, questions or sentences of each file, by path in the folder such as `RTE/dev.tsv`.
    pub examples: BTreeMap<String, usize>,
    /// Tokens in `vocab.txt`.
    pub vocabulary: usize,
}

/// Why the mini benchmark could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum MiniError {
    /// The file system refused.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The target holds something that this generator did not write.
    #[error("{} is in the way: it is not part of a mini benchmark, so nothing was replaced", path.display())]
    Occupied {
        /// The file or folder in the way.
        path: PathBuf,
    },
    /// A JSON file of the folder is damaged.
    #[error("{} is damaged: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// The world cannot fill a task without repeating an example.
    #[error("the mini world is too small for the {task} task")]
    TooFewExamples {
        /// The task's name.
        task: &'static str,
    },
}

impl MiniError {
    fn file(path: &Path, cause: std::io::Error) -> Self {
        Self::File { path: path.to_path_buf(), cause }
    }
}

/// Writes the mini benchmark of `seed` to the folder `out`, and returns what is there.
///
/// The same seed and [`VERSION`] give the same bytes. The folder is written beside `out` and renamed
/// when complete; an `out` that already holds the same, undamaged, is left alone, and one that holds
/// another mini benchmark is replaced.
///
/// # Errors
/// When the file system refuses, or `out` holds files that are no part of a mini benchmark.
pub fn generate(seed: u64, out: &Path) -> Result<Summary, MiniError> {
    let world = World::new(seed);
    let rows = TASKS.iter().map(|task| task.part(seed, &world)).collect::<Result<Vec<Part>, MiniError>>()?;
    let mut others = OTHERS.iter().map(|part| part(seed, &world)).collect::<Result<Vec<Part>, MiniError>>()?;
    let corpus = corpus::part(seed, &world, rows.iter().chain(&others).flat_map(|part| &part.held_out))?;
    others.push(corpus);
    let vocabulary = vocabulary::vocabulary(&rows, &others);
    let tokens = vocabulary.lines().count();

    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut examples = BTreeMap::new();
    let mut bounds = BTreeMap::new();
    for part in rows.into_iter().chain(others) {
        bounds.extend(part.bound.map(|(task, bound)| (task.to_string(), bound)));
        for file in part.files {
            examples.insert(file.path.clone(), file.examples);
            files.insert(file.path, file.content);
        }
    }
    files.insert("vocab.txt".to_string(), vocabulary);
    files.insert(bounds::FILE.to_string(), folder::json(bounds::FILE, &bounds)?);
    let kept = folder::put(out, seed, &files)?;
    Ok(Summary { folder: out.to_path_buf(), kept, examples, vocabulary: tokens })
}
