//! Every reader with inputs that it accepts, from which bad ones are made.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use bertbench::config;
use bertbench::corpus::examples::{PassageSource, split_sentences};
use bertbench::corpus::text::{BadBytes, Corpus, CorpusOptions, DocumentEnds};
use bertbench::data::{BadRows, Columns, Content, Dataset, LoneTable, Scheme, Separator, sentences_of, submission};
use bertbench::model::{Config, Weights, read_vectors};
use bertbench::plan::known_tasks;
use bertbench::settings::Context;
use bertbench::settings::TextFormat;
use bertbench::text::{FeatureSet, ModelTokenizer, SkippedRows, Tokenizer, Vocabulary, read_lines};
use bertbench::text::{Parts, Purpose, TextPair, WindowSettings, Windows, WordSentence};

use super::stored;

/// A reader and what it is given.
pub struct Reader {
    pub name: &'static str,
    /// Whether an execution takes more than a hundredth of a second at times: a tenth as many are asked for.
    pub slow: bool,
    /// Inputs that are read, or nearly; the first is put back after each execution of a reader that has a folder.
    pub seeds: fn() -> Vec<Vec<u8>>,
    pub dictionary: &'static [&'static str],
    /// Puts what the reader needs beside the input into a folder of its own.
    pub prepare: fn(&Path),
    pub read: fn(&Path, &[u8]),
}

const JSON: &[&str] =
    &["{", "}", "[", "]", "\"", ":", ",", "\\u0000", "\\ud800", "null", "true", "1e999", "[[", "{\"a\":"];
const TEXT: &[&str] = &[
    ".", "(", ")", " ", "\n", "\r", "\r\n", "\t", "\u{feff}", "\u{301}", "\u{93e}", "\u{202e}", "中", "\u{0}", "a",
    "A", "\"", "[MASK]", " = A = ", "##",
];
const YAML: &[&str] = &[
    "&a ", "*a", "[", "{", "- ", "? ", ": ", "!!str ", "|", ">", "<<: ", "\n", "  ", "'", "\"", "#", "---\n", "\t",
    ".nan", "0x1", "1e400", "~",
];
const COLUMNS: &[&str] =
    &["\n", "\n\n", "\r\n", "\r", "\t", " ", "-DOCSTART- -X- O O\n", "B-X", "I-X", "O", "0", "\u{a0}", "-"];
const PICKLE: &[&str] =
    &["(", "}", "]", "t", "R", "0", "2", "q\u{1}", "h\u{1}", "\u{5d}\u{1}", "ctorch\nFloatStorage\n", "Q", "."];
const VECTORS: &[&str] =
    &[" ", "\n", "2 2\n", "16777216 16384\n", "0", "nan", "1e999", "-", "\u{0}\u{0}\u{80}\u{7f}", "a 1 2\n"];
const BINARY: &[&str] = &["\u{0}\u{0}\u{0}\u{0}", "\u{7f}\u{7f}\u{7f}\u{7f}", "\u{1}", "PAR1", "PK\u{1}\u{2}"];

pub const READERS: &[Reader] = &[
    Reader { name: "yaml", slow: false, seeds: experiments, dictionary: YAML, prepare: nothing, read: yaml },
    Reader { name: "tsv", slow: false, seeds: tables, dictionary: TEXT, prepare: nothing, read: tsv },
    Reader { name: "csv", slow: false, seeds: swag, dictionary: TEXT, prepare: nothing, read: csv },
    Reader { name: "columns", slow: false, seeds: tagged, dictionary: COLUMNS, prepare: nothing, read: columns },
    Reader { name: "squad", slow: false, seeds: squad, dictionary: JSON, prepare: nothing, read: questions },
    Reader { name: "lines", slow: false, seeds: texts, dictionary: TEXT, prepare: nothing, read: lines },
    Reader { name: "sentences", slow: false, seeds: texts, dictionary: TEXT, prepare: nothing, read: sentences },
    Reader { name: "vocab", slow: false, seeds: vocabularies, dictionary: TEXT, prepare: nothing, read: vocab },
    Reader { name: "tokenizer", slow: false, seeds: tokenizers, dictionary: JSON, prepare: nothing, read: tokenizer },
    Reader { name: "config", slow: false, seeds: configs, dictionary: JSON, prepare: nothing, read: config_json },
    Reader {
        name: "safetensors",
        slow: false,
        seeds: safetensors,
        dictionary: JSON,
        prepare: nothing,
        read: safetensors_file,
    },
    Reader { name: "shards", slow: false, seeds: indices, dictionary: JSON, prepare: nothing, read: index },
    Reader { name: "pytorch", slow: false, seeds: pytorch, dictionary: BINARY, prepare: nothing, read: pytorch_file },
    Reader { name: "vectors", slow: false, seeds: vectors, dictionary: VECTORS, prepare: nothing, read: vector_file },
    Reader { name: "pickle", slow: false, seeds: pickles, dictionary: PICKLE, prepare: nothing, read: pickle },
    Reader {
        name: "tensorflow",
        slow: false,
        seeds: tensorflow,
        dictionary: BINARY,
        prepare: tensorflow_data,
        read: tensorflow_index,
    },
    Reader { name: "submission", slow: true, seeds: zips, dictionary: BINARY, prepare: nothing, read: zip },
    Reader { name: "parquet", slow: true, seeds: parquet, dictionary: BINARY, prepare: nothing, read: parquet_file },
    Reader { name: "jsonl", slow: false, seeds: rows, dictionary: JSON, prepare: nothing, read: jsonl },
    Reader { name: "wikitext", slow: false, seeds: wiki, dictionary: TEXT, prepare: nothing, read: wikitext },
    Reader {
        name: "record",
        slow: false,
        seeds: stored::records,
        dictionary: JSON,
        prepare: nothing,
        read: stored::record,
    },
    Reader { name: "log", slow: false, seeds: stored::logs, dictionary: JSON, prepare: nothing, read: stored::log },
    Reader {
        name: "claim",
        slow: false,
        seeds: stored::claims,
        dictionary: JSON,
        prepare: nothing,
        read: stored::claim,
    },
    Reader { name: "plan", slow: false, seeds: stored::plans, dictionary: JSON, prepare: nothing, read: stored::plan },
    Reader {
        name: "features",
        slow: false,
        seeds: stored::features,
        dictionary: BINARY,
        prepare: nothing,
        read: stored::feature_file,
    },
    Reader {
        name: "checkpoint",
        slow: false,
        seeds: stored::checkpoints,
        dictionary: JSON,
        prepare: nothing,
        read: stored::checkpoint,
    },
    Reader {
        name: "corpus",
        slow: true,
        seeds: stored::corpora,
        dictionary: JSON,
        prepare: stored::corpus_folder,
        read: stored::corpus,
    },
];

fn nothing(_: &Path) {}

/// Files of the repository, as far as they are not long.
fn files(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    names.iter().map(read).collect()
}

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn experiments() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

fn yaml(_: &Path, bytes: &[u8]) {
    if let Err(found) = config::parse(Path::new("x.yaml"), &String::from_utf8_lossy(bytes), &known_tasks(), &[]) {
        // The excerpt with carets is made of what was read, too.
        let _ = bertbench::cli::render(&found, false);
    }
}

fn tables() -> Vec<Vec<u8>> {
    owned(&[
        "index\tsentence1\tsentence2\tlabel\n0\tIt fell.\tA cup fell.\tentailment\n1\tIt \"rose\".\tNo.\tnot_entailment\n",
        "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t2\t3\tA b.\tB a.\r\n",
        "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tThey drank the pub.\n",
        "sentence\tlabel\nhide new secretions \t0\n",
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tm\tM\t2\t1\tn\tn\tA\tB\t5.0\n",
    ])
}

fn tsv(_: &Path, bytes: &[u8]) {
    let path = Path::new("x.tsv");
    for dataset in ["rte", "mrpc", "cola", "sst2", "stsb"] {
        let forms = LoneTable::of(Dataset::find(dataset).unwrap());
        let recognised = LoneTable::recognise(&forms, bytes, path);
        for form in recognised.iter().chain(forms.first()) {
            let _ = form.read(bytes, path, BadRows::Refuse);
            let Ok(split) = form.read(bytes, path, BadRows::Skip) else { continue };
            let pair = |example: &bertbench::data::Example| (example.first.clone(), example.second.clone());
            let texts: Vec<_> = split.examples.iter().map(pair).collect();
            let pairs = texts.iter().map(|(first, second)| TextPair { first, second: second.as_deref(), label: 0.0 });
            let pairs: Vec<_> = pairs.take(20).collect();
            let _ = FeatureSet::build(words(), &pairs, 16, SkippedRows::default());
        }
    }
}

/// A tokenizer over a few tokens.
fn words() -> &'static Tokenizer {
    static WORDS: LazyLock<Tokenizer> = LazyLock::new(|| Tokenizer::new(&super::vocabulary(), true).unwrap());
    &WORDS
}

fn swag() -> Vec<Vec<u8>> {
    owned(&[
        ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n0,v,1,\"He, sits. She\",He \
         sits.,She,gold,runs,\"walks\r\noff\",eats,\"\"\"x\"\"\",1\n",
        "sent1,sent2,ending0,ending1,ending2,ending3\nC,S,a,b,c,d\n",
    ])
}

fn csv(_: &Path, bytes: &[u8]) {
    for bad_rows in [BadRows::Refuse, BadRows::Skip] {
        let _ = Dataset::find("swag").unwrap().read_lone(bytes, Path::new("x.csv"), None, bad_rows);
    }
}

fn tagged() -> Vec<Vec<u8>> {
    owned(&[
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP B-PER\n",
        "科0\tB-PER.NOM\n技1\tI-PER.NOM\n\n在0\tO\n",
        "北 B-LOC\r\n京 E-LOC\r\n\r\n好 O\r\n",
        "O\tEU\nB-X\t \n\n",
    ])
}

fn columns(_: &Path, bytes: &[u8]) {
    let path = Path::new("x.txt");
    let plain = Columns::default();
    let formats = [
        plain,
        Columns { lossy: true, separator: Separator::Tab, ..plain },
        Columns { segmentation_digit: true, scheme: Scheme::Iob2, ..plain },
        Columns { token_column: 2, tag_column: Some(1), separator: Separator::Space, ..plain },
    ];
    for format in formats {
        let _ = sentences_of(bytes, path, &format, false, BadRows::Refuse);
        let Ok(read) = sentences_of(bytes, path, &format, true, BadRows::Skip) else { continue };
        let first = read.sentences.iter().take(10);
        let sentences: Vec<_> = first
            .map(|sentence| WordSentence { words: &sentence.words, classes: &[], document: sentence.document })
            .collect();
        for context in [Context::Sentence, Context::Document] {
            let _ = Parts::of_words(words(), &sentences, 16, context);
        }
    }
    let _ = Dataset::find("conll2003").unwrap().read_lone(bytes, path, None, BadRows::Skip);
}

fn squad() -> Vec<Vec<u8>> {
    owned(&[
        r#"{"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "The cup fell. A man, 中, saw it.", "qas": [
           {"id": "a", "question": "What fell?", "answers": [{"text": "The cup", "answer_start": 0}], "is_impossible": false},
           {"id": "b", "question": "Who?", "answers": [], "is_impossible": true, "plausible_answers": [{"text": "x"}]}]}]}]}"#,
        r#"{"data": [{"paragraphs": [{"context": "A\u0301 b", "qas": [{"id": "c", "question": "b?", "answers": [
           {"text": "b", "answer_start": 3}]}]}]}], "version": "1.1"}"#,
    ])
}

fn questions(_: &Path, bytes: &[u8]) {
    let path = Path::new("x.json");
    for dataset in ["squad1", "squad2"] {
        let _ = Dataset::find(dataset).unwrap().read_lone(bytes, path, None, BadRows::Refuse);
        let read = Dataset::find(dataset).unwrap().read_lone(bytes, path, Some("dev"), BadRows::Skip);
        let Ok(Content::Questions(read)) = read else { continue };
        if read.questions.len() > 20 {
            continue;
        }
        let settings = WindowSettings { max_length: 24, doc_stride: 8, max_query_length: 8 };
        for purpose in [Purpose::Training, Purpose::Evaluation] {
            let _ = Windows::build(words(), &read.paragraphs, &read.asked(), settings, purpose);
        }
    }
}

fn texts() -> Vec<Vec<u8>> {
    owned(&[
        "It rained. We stayed in!  Why? Mr. J. Smith (of No. 5) said \"No.\" e.g. 3.5 times.\n\nNext ||| one\n",
        "他来了。我走了。 A ||| b ||| c\r\nद. की है। \u{e01}\u{e02}\u{e33}\n",
    ])
}

fn lines(_: &Path, bytes: &[u8]) {
    if let Ok(lines) = read_lines(bytes, Path::new("x.txt")) {
        let _ = FeatureSet::build(words(), &lines, 16, SkippedRows::default());
    }
}

fn sentences(folder: &Path, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let mut found = 0;
    split_sentences(&text, |sentence| found += letters(sentence));
    assert_eq!(found, letters(&text), "nothing is lost");
    corpus(folder, "x.txt", bytes, TextFormat::Text);
}

/// The passages of a file, to its end.
fn corpus(folder: &Path, name: &str, bytes: &[u8], format: TextFormat) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    for (format, bad_bytes) in
        [(Some(format), BadBytes::Refuse), (Some(format), BadBytes::Replace), (None, BadBytes::Replace)]
    {
        let options =
            CorpusOptions { format, bad_bytes, documents: DocumentEnds::BlankLine, ..CorpusOptions::default() };
        let Ok(mut corpus) = Corpus::open(std::slice::from_ref(&path), options) else { continue };
        while let Ok(Some(_)) = corpus.next_block() {}
        let _ = corpus.remarks();
    }
}

fn vocabularies() -> Vec<Vec<u8>> {
    owned(&[
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\nun\n##able\n中\n",
        "a\r\n[MASK]\r\n[SEP]\r\n[UNK]\r\n[PAD]\r\n[CLS]\r\n",
    ])
}

fn vocab(folder: &Path, bytes: &[u8]) {
    vocabulary_in(folder, "vocab.txt", bytes);
}

fn vocabulary_in(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
    if let Ok(read) = ModelTokenizer::read(folder, &folder.join(name), None)
        && let Ok(tokenizer) = Tokenizer::new(&read.vocabulary, read.lower_case)
    {
        let _ = tokenizer.encode_with_offsets("The unables [MASK], 中 Ünder");
    }
}

fn tokenizers() -> Vec<Vec<u8>> {
    owned(&[
        r###"{"version": "1.0", "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}], "normalizer": {"type":
           "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
           "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece", "unk_token": "[UNK]",
           "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab":
           {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "the": 5, "##s": 6}}}"###,
        r#"{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true,
           "model_max_length": 512, "unk_token": "[UNK]"}"#,
        r#"{"tokenizer_class": "PreTrainedTokenizerFast", "normalizer": {"type": "Sequence", "normalizers": []}}"#,
    ])
}

fn tokenizer(folder: &Path, bytes: &[u8]) {
    vocabulary_in(folder, "tokenizer.json", bytes);
    fs::remove_file(folder.join("tokenizer.json")).unwrap();
    // The other files that say how a tokenizer works, beside a vocabulary.
    for name in ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] {
        fs::write(folder.join(name), bytes).unwrap();
        vocabulary_in(folder, "vocab.txt", &vocabularies()[0]);
        fs::remove_file(folder.join(name)).unwrap();
    }
    fs::remove_file(folder.join("vocab.txt")).unwrap();
}

fn configs() -> Vec<Vec<u8>> {
    files(&["tests/golden/weights/safetensors/config.json", "tests/golden/tensorflow/google/bert_config.json"])
}

fn config_json(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("config.json"), bytes).unwrap();
    if let Ok(config) = Config::read(folder) {
        // What `plan` and `check` make of the sizes.
        let _ = config.architecture.parameters();
    }
}

fn safetensors() -> Vec<Vec<u8>> {
    files(&[
        "tests/golden/weights/safetensors/model.safetensors",
        "tests/golden/weights/safetensors-float16/model.safetensors",
    ])
}

/// Every tensor of a file with this name and content.
fn weights(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    all_numbers(&path);
}

fn all_numbers(path: &Path) {
    if let Ok(weights) = Weights::open(path) {
        for name in weights.names() {
            let shape = weights.shape(name).unwrap();
            let _ = weights.numbers(name, &shape);
        }
    }
}

fn safetensors_file(folder: &Path, bytes: &[u8]) {
    weights(folder, "model.safetensors", bytes);
}

fn indices() -> Vec<Vec<u8>> {
    files(&["tests/golden/weights/sharded-safetensors/model.safetensors.index.json"])
}

/// word2vec's formats and `GloVe`'s.
fn vectors() -> Vec<Vec<u8>> {
    let binary: Vec<u8> =
        [b"2 2\nthe ", &[0, 0, 0, 63, 0, 0, 128, 191][..], b"\na ", &[0, 0, 0, 64, 0, 0, 128, 62], b"\n"].concat();
    let text = ["2 2\nthe 0.5 -1.0 \na 2 0.25 \n", "the 0.5 -1.0\na 2 0.25\n. . 3 4\n", "1 3\nb 1e-3 2 3\n"];
    [vec![binary], owned(&text)].concat()
}

fn vector_file(folder: &Path, bytes: &[u8]) {
    let path = folder.join("vectors");
    fs::write(&path, bytes).unwrap();
    let Ok(table) = read_vectors(&path, |_| true) else { return };
    assert_eq!(table.numbers.len(), table.words.len() * table.width);
    if let Ok(vocabulary) = Vocabulary::of_words(table.words.iter().map(String::as_str)) {
        let (rows, without) = table.rows(vocabulary.len(), |word| vocabulary.id(word));
        assert!(rows.len() == vocabulary.len() * table.width && without.len() <= vocabulary.len());
    }
}

fn index(folder: &Path, bytes: &[u8]) {
    weights(folder, "model.safetensors.index.json", bytes);
}

fn pytorch() -> Vec<Vec<u8>> {
    files(&[
        "tests/golden/weights/pytorch/pytorch_model.bin",
        "tests/golden/weights/pytorch-legacy/pytorch_model.bin",
        "tests/golden/weights/pytorch-strided/pytorch_model.bin",
    ])
}

fn pytorch_file(folder: &Path, bytes: &[u8]) {
    weights(folder, "pytorch_model.bin", bytes);
}

/// The pickle of a file of PyTorch's, which is then put into a zip whose checksums are right.
fn pickles() -> Vec<Vec<u8>> {
    let pickle = |bytes: Vec<u8>| {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
        let named = |name: &str| name.ends_with("data.pkl");
        let entries: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.to_string())).collect();
        let mut entry = zip.by_name(entries.iter().find(|name| named(name))?).ok()?;
        let mut pickle = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut pickle).ok()?;
        Some(pickle)
    };
    let found: Vec<_> = pytorch().into_iter().filter_map(pickle).collect();
    assert!(!found.is_empty());
    found
}

fn pickle(folder: &Path, bytes: &[u8]) {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let entries = [("archive/data.pkl", bytes), ("archive/data/0", &[0; 64]), ("archive/data/1", &[0; 64])];
    for (name, content) in entries {
        zip.start_file(name, stored).unwrap();
        std::io::Write::write_all(&mut zip, content).unwrap();
    }
    weights(folder, "pytorch_model.bin", &zip.finish().unwrap().into_inner());
}

fn tensorflow() -> Vec<Vec<u8>> {
    files(&[
        "tests/golden/tensorflow/google/bert_model.ckpt.index",
        "tests/golden/tensorflow/classifier/bert_model.ckpt.index",
    ])
}

fn tensorflow_data(folder: &Path) {
    let data = files(&["tests/golden/tensorflow/google/bert_model.ckpt.data-00000-of-00001"]).remove(0);
    fs::write(folder.join("bert_model.ckpt.data-00000-of-00001"), data).unwrap();
}

fn tensorflow_index(folder: &Path, bytes: &[u8]) {
    weights(folder, "bert_model.ckpt.index", bytes);
    weights(folder, "bert_model.ckpt.index", &super::sealed::table(bytes));
}

fn zips() -> Vec<Vec<u8>> {
    let (small, _) = submission::pack(&[]).unwrap();
    let mut few = zip::ZipWriter::new(Cursor::new(Vec::new()));
    few.start_file("WNLI.tsv", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut few, b"index\tprediction\n0\t1\n1\t0\n").unwrap();
    vec![few.finish().unwrap().into_inner(), small]
}

fn zip(_: &Path, bytes: &[u8]) {
    let _ = submission::check_archive(Cursor::new(bytes), Path::new("x.zip"));
}

fn parquet() -> Vec<Vec<u8>> {
    files(
        &["default", "delta", "category", "required"]
            .map(|name| format!("tests/golden/parquet/{name}.parquet"))
            .each_ref()
            .map(String::as_str),
    )
}

fn parquet_file(folder: &Path, bytes: &[u8]) {
    corpus(folder, "x.parquet", bytes, TextFormat::Parquet);
}

fn rows() -> Vec<Vec<u8>> {
    owned(&[
        "{\"id\": 0, \"text\": \"It rained. We stayed in.\\nNo.\", \"tags\": [\"a\"]}\n{\"text\": null}\n\n{\"text\": \"\\u00c7a va?\"}\n",
    ])
}

fn jsonl(folder: &Path, bytes: &[u8]) {
    corpus(folder, "x.jsonl", bytes, TextFormat::Jsonl);
}

fn wiki() -> Vec<Vec<u8>> {
    owned(&[" \n = Homarus gammarus = \n \n It is a <unk> , H. americanus . It @-@ grows .\n \n = = Life = = \n\n x\n"])
}

fn wikitext(folder: &Path, bytes: &[u8]) {
    corpus(folder, "x.tokens", bytes, TextFormat::Wikitext);
    corpus(folder, "x.tokens", bytes, TextFormat::Sentences);
}
