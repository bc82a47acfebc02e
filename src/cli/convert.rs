//! `bertbench convert`

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::trained_model::{MODEL_HELP, checkpoint};
use crate::diagnostic::{Diagnostic, Error, first_of};
use crate::model::{CheckpointError, Conversion, VECTOR_POSITIONS, folder_of, read_vectors, write_vectors};
use crate::terminal::{note, print};
use crate::text::{ModelTokenizer, TokenizerFiles, Vocabulary, vocabulary_file};

/// Convert a checkpoint to a folder that transformers reads, or its weights to one safetensors file.
///
/// Reads Hugging Face folders (safetensors or PyTorch, also in shards; no pickle is executed) and Google's TensorFlow
/// checkpoints. Half-precision weights are widened to float32. Heads that a class of transformers has are kept;
/// tensors that are dropped are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[arg(value_name = "FROM", help = MODEL_HELP)]
    from: String,
    /// The folder (`--to hf`) or file (`--to safetensors`) to write; must not exist yet.
    #[arg(value_name = "TO")]
    into: PathBuf,
    /// What to write.
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Format,
    /// The vocabulary [default: the vocab.txt or tokenizer.json beside FROM].
    #[arg(long, value_name = "FILE")]
    vocab_file: Option<PathBuf>,
    /// FROM is a file of word vectors: word2vec's text or binary format, `GloVe`'s, or fastText's `.vec`. Its words, or those of
    /// `--vocab-file`, become a model of the encoder `word_vectors`; tokens without a vector get zeros and are counted.
    #[arg(long)]
    word_vectors: bool,
    /// Whether the tokenizer lower-cases [default: what FROM's tokenizer files or its vocabulary say].
    #[arg(long, value_name = "true|false", hide_possible_values = true)]
    do_lower_case: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A folder: configuration, weights, vocabulary and tokenizer.
    Hf,
    /// One file with the weights alone.
    Safetensors,
}

const EXAMPLES: &str = "\
Examples:
  bertbench convert uncased_L-12_H-768_A-12 bert-base --to hf
  bertbench convert out/model.ckpt-1000 fine-tuned --to hf --vocab-file vocab.txt
  bertbench convert hub:google/bert_uncased_L-2_H-128_A-2 bert-tiny --to hf
  bertbench convert bert-base weights.safetensors --to safetensors
  bertbench convert glove.6B.300d.txt glove --to hf --word-vectors";

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    refuse_place(&args.into)?;
    if args.word_vectors {
        return word_vectors(args);
    }
    let from = checkpoint(&args.from)?;
    let conversion = Conversion::open(&from).map_err(|error| refused(&error))?;
    match args.to {
        Format::Hf => {
            let files = tokenizer_files(args, &from, &conversion)?;
            conversion.write_folder(&args.into, files.as_slice()).map_err(|error| refused(&error))?;
        }
        Format::Safetensors => conversion.write_safetensors(&args.into).map_err(|error| refused(&error))?,
    }
    conversion.notes().iter().for_each(note);
    let (class, parameters) = (conversion.class(), conversion.parameters());
    Ok(print(&format_args!("{}: {class}, {parameters} parameters", args.into.display()))?)
}

/// So many tokens without a vector are named.
const NAMED: usize = 8;

fn word_vectors(args: &Args) -> Result<(), Error> {
    if args.to != Format::Hf {
        return Err(Diagnostic::new("word vectors become a folder").hint("write `--to hf`").into());
    }
    let given = args.vocab_file.as_deref().map(Vocabulary::load).transpose()?;
    if given.as_ref().is_some_and(Vocabulary::is_byte_pair) {
        return Err(Diagnostic::new("word vectors are of words, not of byte pairs").hint("name a vocab.txt").into());
    }
    let wanted = |word: &str| given.as_ref().is_none_or(|vocabulary| vocabulary.id(word).is_some());
    let table = read_vectors(Path::new(&args.from), wanted).map_err(|error| refused(&error))?;
    let is_given = given.is_some();
    let vocabulary = given.map_or_else(|| Vocabulary::of_words(table.words.iter().map(String::as_str)), Ok)?;
    let (rows, without) = table.rows(vocabulary.len(), |word| vocabulary.id(word));
    let lower_case = args.do_lower_case.unwrap_or_else(|| !vocabulary.looks_cased());
    let files = TokenizerFiles::of(&vocabulary, lower_case, VECTOR_POSITIONS);
    write_vectors(&args.into, &rows, table.width, files.as_slice()).map_err(|error| refused(&error))?;
    let used = vocabulary.len() - without.len();
    if used < table.read {
        note(&format_args!("{} of the {} vectors are of no token of the vocabulary", table.read - used, table.read));
    }
    if is_given && !without.is_empty() {
        let names: Vec<&str> = without.iter().filter_map(|id| vocabulary.token(*id)).collect();
        let shown = first_of(&names, NAMED);
        note(&format_args!(
            "{} of the {} tokens have no vector, and got zeros: {shown}",
            without.len(),
            vocabulary.len()
        ));
    }
    Ok(print(&format_args!("{}: {used} vectors of {} numbers", args.into.display(), table.width))?)
}

/// Nothing is overwritten, and the folder around must be there.
fn refuse_place(into: &Path) -> Result<(), Diagnostic> {
    if into.exists() {
        let finding = Diagnostic::new(format!("{} already exists", into.display()));
        return Err(finding.hint("remove it, or choose another name"));
    }
    match into.parent() {
        Some(around) if !around.as_os_str().is_empty() && !around.is_dir() => {
            Err(Diagnostic::new(format!("there is no folder {} to write to", around.display())))
        }
        _ => Ok(()),
    }
}

/// The vocabulary and the tokenizer's settings, when they fit the embeddings.
fn tokenizer_files(args: &Args, from: &Path, conversion: &Conversion) -> Result<TokenizerFiles, Error> {
    let folder = folder_of(from).map_err(|error| refused(&error))?;
    let path = args.vocab_file.clone().unwrap_or_else(|| vocabulary_file(folder));
    if !path.is_file() {
        let finding = Diagnostic::new(format!("no vocabulary at {}", path.display()));
        return Err(finding.hint("`--vocab-file FILE` names one").into());
    }
    let ModelTokenizer { vocabulary, lower_case } = ModelTokenizer::read(folder, &path, args.do_lower_case)?;
    conversion.config().fits_vocabulary(&path, vocabulary.len())?.iter().for_each(note);
    Ok(TokenizerFiles::of(&vocabulary, lower_case, conversion.config().architecture.max_positions))
}

/// A checkpoint that is refused is the user's input; a disk that is full is not.
fn refused(error: &CheckpointError) -> Error {
    let missing = |source: &std::io::Error| source.kind() == std::io::ErrorKind::NotFound;
    if let CheckpointError::Io { source, .. } = error
        && !missing(source)
    {
        return Error::System(error.to_string());
    }
    Diagnostic::new(error.to_string()).into()
}
