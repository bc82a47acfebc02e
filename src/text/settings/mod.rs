//! What a model's folder says of its tokenizer, wherever it says it: `tokenizer_config.json`, `tokenizer.json`,
//! `special_tokens_map.json`, `added_tokens.json`, and the tokenizer's class in `config.json`. What BERT's tokenizer
//! does is done; anything else is refused.

mod added;
mod json_file;
mod rules;

use std::path::{Path, PathBuf};

use added::Added;
use json_file::JsonFile;
use rules::Class;

use super::byte_pair;
use super::vocabulary::Vocabulary;
use crate::diagnostic::Diagnostic;

/// The tokenizer of a model: its vocabulary and how text is split for it.
#[derive(Clone, Debug)]
pub struct ModelTokenizer {
    /// Its tokens, with those that were added.
    pub vocabulary: Vocabulary,
    /// Whether text is lower-cased and stripped of accents.
    pub lower_case: bool,
}

impl ModelTokenizer {
    /// The tokenizer of the model in `folder` over the vocabulary at `vocabulary`, its own or another. Text is
    /// lower-cased as `lower_case` says, else as `tokenizer_config.json` does, else the normalizer of `tokenizer.json`,
    /// else as the tokens of the vocabulary look.
    ///
    /// # Errors
    /// A file that cannot be read or is malformed; settings of a tokenizer that is not BERT's: accents and case
    /// treated differently, Chinese characters not split, special tokens of other names or at other places, a model,
    /// normalizer or pre-tokenizer of another kind; added tokens without ids, or with ids that others have.
    pub fn read(folder: &Path, vocabulary: &Path, lower_case: Option<bool>) -> Result<Self, Diagnostic> {
        let (vocabulary, said) = Self::said(folder, vocabulary)?;
        let lower_case = lower_case.or(said).unwrap_or_else(|| !vocabulary.looks_cased());
        Ok(Self { vocabulary, lower_case })
    }

    /// The tokenizer of a model without a folder, over the vocabulary at `vocabulary`. Text is lower-cased as `lower_case`
    /// says, else as the files beside the vocabulary do; where they say nothing, it is.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of_new_model(vocabulary: &Path, lower_case: Option<bool>) -> Result<Self, Diagnostic> {
        let folder = vocabulary.parent().unwrap_or(Path::new(""));
        let (vocabulary, said) = Self::said(folder, vocabulary)?;
        Ok(Self { vocabulary, lower_case: lower_case.or(said).unwrap_or(true) })
    }

    /// The vocabulary with its added tokens, and whether a file says that text is lower-cased.
    fn said(folder: &Path, vocabulary: &Path) -> Result<(Vocabulary, Option<bool>), Diagnostic> {
        let is_list = vocabulary.extension().is_none_or(|extension| extension != "json");
        let mut tokens = None;
        if !is_list {
            let read = Vocabulary::load(vocabulary)?;
            if read.is_byte_pair() {
                return Ok((check_byte_pair(folder, read)?, Some(true)));
            }
            tokens = Some(read);
        }
        let said = Said::read(folder)?;
        let tokens = tokens.map_or_else(|| Vocabulary::load(vocabulary), Ok)?;
        if said.has_tokens && vocabulary == folder.join("vocab.txt") {
            let json = folder.join("tokenizer.json");
            tokens.agrees_with(vocabulary, &Vocabulary::load(&json)?, &json)?;
        }
        Ok((said.added.to(tokens)?, said.lower_case))
    }

    /// As [`Self::read`], of a file that `corpus prepare` and the like are given, with the settings beside it.
    ///
    /// # Errors
    /// As [`Self::read`]; also when tokens were added, which no corpus is prepared with.
    pub fn of_text(vocabulary: &Path, lower_case: Option<bool>) -> Result<Self, Diagnostic> {
        let folder = vocabulary.parent().unwrap_or(Path::new(""));
        Self::read(folder, vocabulary, lower_case)?.without_added(vocabulary)
    }

    /// Of a model that was pretrained with the vocabulary at `vocabulary`, as tasks read with it: a GPT's with the tokens that
    /// fine-tuning adds.
    ///
    /// # Errors
    /// As [`Self::of_text`].
    pub fn of_pretrained(vocabulary: &Path, lower_case: Option<bool>) -> Result<Self, Diagnostic> {
        let folder = vocabulary.parent().unwrap_or(Path::new(""));
        let read = Self::read(folder, vocabulary, lower_case)?;
        if read.vocabulary.is_byte_pair() { Ok(read) } else { read.without_added(vocabulary) }
    }

    /// As pretraining reads text: a GPT's vocabulary is without the tokens that fine-tuning adds, and other tokens that
    /// were added are refused.
    ///
    /// # Errors
    /// The first added token, about the file `place`.
    pub fn without_added(self, place: &Path) -> Result<Self, Diagnostic> {
        match self.vocabulary.added() {
            [] => Ok(Self { vocabulary: self.vocabulary.of_language_model(), ..self }),
            [token, ..] => Err(Diagnostic::new(format!("the tokenizer has the added token `{}`", token.content))
                .in_file(place)
                .hint("models are pretrained with BERT's own special tokens alone")),
        }
    }
}

/// What the files of a folder say.
struct Said {
    /// Whether text is lower-cased, if a file says it.
    lower_case: Option<bool>,
    /// The tokens that were added.
    added: Added,
    /// Whether `tokenizer.json` has a vocabulary.
    has_tokens: bool,
}

impl Said {
    fn read(folder: &Path) -> Result<Self, Diagnostic> {
        let read = |name: &str| JsonFile::read(folder.join(name));
        let config = read("tokenizer_config.json")?;
        let tokenizer = read("tokenizer.json")?;
        let class = match rules::class_of(config.as_ref())? {
            Class::Unsaid => rules::class_of(read("config.json")?.as_ref())?,
            class @ (Class::Bert | Class::Generic) => class,
        };
        let mut of_config = None;
        if let Some(config) = &config {
            rules::check_config(config)?;
            of_config = rules::case(config, &config.value, "do_lower_case", "tokenize_chinese_chars")?;
        }
        let of_tokenizer = tokenizer.as_ref().map(rules::check_tokenizer).transpose()?.flatten();
        let lower_case = if class == Class::Generic { of_tokenizer.or(of_config) } else { of_config.or(of_tokenizer) };
        let mut added = Added::default();
        tokenizer.iter().try_for_each(|file| added.of_tokenizer(file))?;
        for file in config.iter().chain(&read("special_tokens_map.json")?) {
            rules::check_special_names(file)?;
            added.of_config(file)?;
        }
        read("added_tokens.json")?.iter().try_for_each(|file| added.of_list(file))?;
        let has_tokens = tokenizer.is_some_and(|file| file.value["model"]["vocab"].is_object());
        Ok(Self { lower_case, added, has_tokens })
    }
}

/// Refuses the settings of another byte-pair tokenizer than that of the published GPT, which lower-cases all text, and
/// tokens that were added to it besides those of fine-tuning.
fn check_byte_pair(folder: &Path, vocabulary: Vocabulary) -> Result<Vocabulary, Diagnostic> {
    for name in ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] {
        let Some(file) = JsonFile::read(folder.join(name))? else { continue };
        let class = file.value.get("tokenizer_class").and_then(serde_json::Value::as_str);
        if let Some(class) = class.filter(|class| !rules::is_gpt(class)) {
            return Err(file.finding("tokenizer_class", format!("a `tokenizer_class` of {class} is not supported")));
        }
        let mut added = Added::default();
        if name == "added_tokens.json" { added.of_list(&file) } else { added.of_config(&file) }?;
        added.all_in(&vocabulary)?;
    }
    Ok(vocabulary)
}

/// The file of `folder` that holds the vocabulary: `vocab.txt`, else the `vocab.json` of a GPT, else `tokenizer.json`;
/// where none is there, the first.
#[must_use]
pub fn vocabulary_file(folder: &Path) -> PathBuf {
    let files = ["vocab.txt", byte_pair::VOCABULARY, "tokenizer.json"].map(|name| folder.join(name));
    let there = files.iter().position(|file| file.is_file()).unwrap_or_default();
    files[there].clone()
}

#[cfg(test)]
mod tests {
    use super::json_file::ONLY_BERT;
    use super::*;

    const CASED: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nThe\n";
    const UNCASED: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[Unused1]\nthe\n##the\n";

    fn decided(files: &[(&str, &str)]) -> Result<Option<bool>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let vocabulary = folder.path().join("vocab.txt");
        let decided = if vocabulary.is_file() {
            ModelTokenizer::read(folder.path(), &vocabulary, None).map(|tokenizer| Some(tokenizer.lower_case))
        } else {
            Said::read(folder.path()).map(|said| said.lower_case)
        };
        decided.map_err(|found| found.to_string().replace(&folder.path().display().to_string(), "model"))
    }

    fn tokenizer(normalizer: &str) -> String {
        format!("{{\"model\": {{\"type\": \"WordPiece\"}},\n \"normalizer\": {normalizer}}}")
    }

    #[test]
    fn the_first_file_that_says_it_decides() {
        let cased = tokenizer(r#"{"type": "BertNormalizer", "lowercase": false, "strip_accents": null}"#);
        let nested =
            tokenizer(r#"{"type": "Sequence", "normalizers": [{"type": "BertNormalizer", "lowercase": true}]}"#);
        let class = |class: &str| format!(r#"{{"tokenizer_class": "{class}", "do_lower_case": true}}"#);
        let says_true = ("tokenizer_config.json", r#"{"do_lower_case": true, "strip_accents": true}"#);
        for (files, expected) in [
            (vec![says_true, ("tokenizer.json", &*cased), ("vocab.txt", CASED)], Some(true)),
            (vec![("tokenizer_config.json", r#"{"do_lower_case": false}"#), ("vocab.txt", UNCASED)], Some(false)),
            (vec![("tokenizer_config.json", "{}"), ("tokenizer.json", &cased), ("vocab.txt", UNCASED)], Some(false)),
            (vec![("tokenizer.json", &nested), ("vocab.txt", CASED)], Some(true)),
            (vec![("tokenizer_config.json", &class("BertTokenizer")), ("tokenizer.json", &cased)], Some(true)),
            (
                vec![("tokenizer_config.json", &class("PreTrainedTokenizerFast")), ("tokenizer.json", &cased)],
                Some(false),
            ),
            (vec![("tokenizer_config.json", &class("PreTrainedTokenizerFast"))], Some(true)),
            (vec![("tokenizer_config.json", "{}"), ("vocab.txt", CASED)], Some(false)),
            (vec![("vocab.txt", UNCASED)], Some(true)),
            (vec![], None),
        ] {
            assert_eq!(decided(&files), Ok(expected), "{files:?}");
        }
    }

    #[test]
    fn a_tokenizer_that_is_not_berts_is_refused_at_its_line() {
        let bert = |rest: &str| tokenizer(&format!("{{\"type\": \"BertNormalizer\",\n  {rest}}}"));
        for (name, content, expected) in [
            (
                "tokenizer_config.json",
                "{\"do_lower_case\": false,\n\"strip_accents\": true}".to_owned(),
                "2: `strip_accents` of true where `do_lower_case` is false is not supported",
            ),
            (
                "tokenizer_config.json",
                "{\"strip_accents\": false}".to_owned(),
                "1: `strip_accents` of false where `do_lower_case` is true is not supported",
            ),
            (
                "tokenizer_config.json",
                "{\n\"tokenize_chinese_chars\": false}".to_owned(),
                "2: `tokenize_chinese_chars` of false is not supported",
            ),
            (
                "tokenizer_config.json",
                r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#.to_owned(),
                "1: a `tokenizer_class` of \"BertJapaneseTokenizer\" is not supported",
            ),
            (
                "tokenizer.json",
                bert("\"lowercase\": false, \"strip_accents\": true"),
                "3: `strip_accents` of true where `lowercase` is false is not supported",
            ),
            (
                "tokenizer.json",
                bert("\"handle_chinese_chars\": false"),
                "3: `handle_chinese_chars` of false is not supported",
            ),
            ("tokenizer.json", bert("\"clean_text\": false"), "3: `clean_text` of false is not supported"),
            ("tokenizer.json", tokenizer("null"), "2: a normalizer of type none is not supported"),
            ("tokenizer.json", tokenizer("{\"type\": \"NFKC\"}"), "2: a normalizer of type NFKC is not supported"),
            (
                "tokenizer.json",
                r#"{"model": {"type": "BPE"}}"#.to_owned(),
                "1: a tokenizer model of type BPE is not supported",
            ),
        ] {
            assert_eq!(decided(&[(name, &content)]), Err(format!("model/{name}:{expected} ({ONLY_BERT})")));
        }
    }

    #[test]
    fn malformed_files_are_refused_at_their_line() {
        for (content, expected) in [
            ("{\n\"do_lower_case\": trux\n}", ":2: malformed JSON: expected ident"),
            ("", ":1: malformed JSON: EOF while parsing a value"),
            ("[1]", ": it holds no JSON object"),
            ("{\n\n\"do_lower_case\": \"yes\"}", ":3: `do_lower_case` is \"yes\", not true or false"),
        ] {
            let found = decided(&[("tokenizer_config.json", content), ("vocab.txt", CASED)]);
            assert_eq!(found, Err(format!("model/tokenizer_config.json{expected}")));
        }
        let found = decided(&[("vocab.txt", "the\n")]).unwrap_err();
        assert!(found.starts_with("model/vocab.txt: the vocabulary has no [PAD]"), "{found}");
    }
}
