//! How a model's folder says that its text was lower-cased.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::vocabulary::Vocabulary;
use crate::diagnostic::Diagnostic;

/// Tokenizers of Hugging Face that split text as BERT does.
const BERT_CLASSES: &[&str] = &[
    "BertTokenizer",
    "BertTokenizerFast",
    "DistilBertTokenizer",
    "DistilBertTokenizerFast",
    "ElectraTokenizer",
    "ElectraTokenizerFast",
];
/// Tokenizers that are whatever `tokenizer.json` says.
const GENERIC_CLASSES: &[&str] = &["PreTrainedTokenizerFast", "TokenizersBackend"];
const ONLY_BERT: &str = "bertbench splits text as google-research/bert does, cased or uncased";

/// Whether the model in `folder` reads lower-cased text without accents: what `tokenizer_config.json` says, else
/// the normalizer of `tokenizer.json`, else what the tokens of `vocab.txt` look like. `None` when none of
/// these files says it.
///
/// # Errors
/// A file that cannot be read or is malformed; settings of a tokenizer that is not BERT's: accents and case
/// treated differently, Chinese characters not split, a normalizer or model of another kind.
pub fn lower_case_of(folder: &Path) -> Result<Option<bool>, Diagnostic> {
    let config = Settings::read(folder.join("tokenizer_config.json"))?;
    if let Some(config) = &config
        && !config.is_generic()?
        && let Some(said) = config.of_config()?
    {
        return Ok(Some(said));
    }
    if let Some(tokenizer) = Settings::read(folder.join("tokenizer.json"))?
        && let Some(said) = tokenizer.of_tokenizer()?
    {
        return Ok(Some(said));
    }
    if let Some(config) = &config
        && let Some(said) = config.of_config()?
    {
        return Ok(Some(said));
    }
    let vocabulary = folder.join("vocab.txt");
    if vocabulary.is_file() { Ok(Some(!Vocabulary::load(&vocabulary)?.looks_cased())) } else { Ok(None) }
}

/// A JSON file of the folder.
struct Settings {
    path: PathBuf,
    text: String,
    value: Value,
}

impl Settings {
    /// `None` when there is no such file.
    fn read(path: PathBuf) -> Result<Option<Self>, Diagnostic> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Diagnostic::new(format!("it cannot be read: {error}")).in_file(&path)),
        };
        match serde_json::from_slice(&bytes) {
            Ok(value @ Value::Object(_)) => {
                Ok(Some(Self { path, text: String::from_utf8_lossy(&bytes).into_owned(), value }))
            }
            Ok(_) => Err(Diagnostic::new("it holds no JSON object").in_file(&path)),
            Err(error) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                Err(Diagnostic::new(format!("malformed JSON: {message}")).at_line(&path, error.line()))
            }
        }
    }

    /// A finding at the first line that holds `key`.
    fn finding(&self, key: &str, message: String) -> Diagnostic {
        let quoted = format!("\"{key}\"");
        let finding = Diagnostic::new(message);
        match self.text.lines().position(|line| line.contains(&quoted)) {
            Some(line) => finding.at_line(&self.path, line + 1),
            None => finding.in_file(&self.path),
        }
    }

    fn refused(&self, key: &str, what: &str) -> Diagnostic {
        self.finding(key, format!("{what} is not supported")).hint(ONLY_BERT)
    }

    /// A key of `of` that is true, false, or null or missing.
    fn flag(&self, of: &Value, key: &str) -> Result<Option<bool>, Diagnostic> {
        match of.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(said)) => Ok(Some(*said)),
            Some(other) => Err(self.finding(key, format!("`{key}` is {other}, not true or false"))),
        }
    }

    /// Whether the class is one that leaves everything to `tokenizer.json`.
    fn is_generic(&self) -> Result<bool, Diagnostic> {
        let key = "tokenizer_class";
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::String(class)) if BERT_CLASSES.contains(&class.as_str()) => Ok(false),
            Some(Value::String(class)) if GENERIC_CLASSES.contains(&class.as_str()) => Ok(true),
            Some(other) => Err(self.refused(key, &format!("a `{key}` of {other}"))),
        }
    }

    fn of_config(&self) -> Result<Option<bool>, Diagnostic> {
        self.case(&self.value, "do_lower_case", "tokenize_chinese_chars")
    }

    /// `lower`'s value. The others must be what BERT does: accents are stripped (transformers lower-cases when
    /// nothing is said) where letters are lower-cased, Chinese characters stand alone.
    fn case(&self, of: &Value, lower: &str, chinese: &str) -> Result<Option<bool>, Diagnostic> {
        let said = self.flag(of, lower)?;
        let accents = "strip_accents";
        if let Some(strip) = self.flag(of, accents)?
            && strip != said.unwrap_or(true)
        {
            return Err(self.refused(accents, &format!("`{accents}` of {strip} where `{lower}` is {}", !strip)));
        }
        if self.flag(of, chinese)? == Some(false) {
            return Err(self.refused(chinese, &format!("`{chinese}` of false")));
        }
        Ok(said)
    }

    fn of_tokenizer(&self) -> Result<Option<bool>, Diagnostic> {
        let kind = |of: &Value| of.get("type").and_then(Value::as_str).unwrap_or("none").to_owned();
        let model = kind(&self.value["model"]);
        if model != "WordPiece" {
            return Err(self.refused("model", &format!("a tokenizer model of type {model}")));
        }
        let mut normalizer = &self.value["normalizer"];
        // A sequence of one is that one.
        if let Some([only]) = normalizer["normalizers"].as_array().map(Vec::as_slice) {
            normalizer = only;
        }
        if kind(normalizer) != "BertNormalizer" {
            return Err(self.refused("normalizer", &format!("a normalizer of type {}", kind(normalizer))));
        }
        if self.flag(normalizer, "clean_text")? == Some(false) {
            return Err(self.refused("clean_text", "`clean_text` of false"));
        }
        self.case(normalizer, "lowercase", "handle_chinese_chars")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASED: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nThe\n";
    const UNCASED: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[Unused1]\nthe\n##the\n";

    fn decided(files: &[(&str, &str)]) -> Result<Option<bool>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        lower_case_of(folder.path())
            .map_err(|found| found.to_string().replace(&folder.path().display().to_string(), "model"))
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
