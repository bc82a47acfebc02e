//! The tokens that a folder's files add to its vocabulary.

use serde_json::Value;

use super::json_file::JsonFile;
use super::rules::content;
use crate::diagnostic::Diagnostic;
use crate::settings::AddedToken;
use crate::text::vocabulary::{SpecialTokens, Vocabulary};

/// Added tokens while they are gathered: a file may say no more than that a token is one.
#[derive(Default)]
pub(super) struct Added(Vec<Said>);

struct Said {
    content: String,
    id: Option<u32>,
    /// What else was said of it, if anything was.
    token: Option<AddedToken>,
    /// Whether it was said to be special.
    special: bool,
    /// At the place where it was said first.
    finding: Diagnostic,
}

impl Added {
    /// Takes the `added_tokens` of a `tokenizer.json`.
    pub(super) fn of_tokenizer(&mut self, file: &JsonFile) -> Result<(), Diagnostic> {
        let listed = file.value.get("added_tokens").and_then(Value::as_array).into_iter().flatten();
        listed.into_iter().try_for_each(|token| self.object(file, token, token.get("id").and_then(Value::as_u64)))
    }

    /// Takes what a `tokenizer_config.json` or a `special_tokens_map.json` adds.
    pub(super) fn of_config(&mut self, file: &JsonFile) -> Result<(), Diagnostic> {
        let Some(keys) = file.value.as_object() else { return Ok(()) };
        if let Some(decoder) = keys.get("added_tokens_decoder").and_then(Value::as_object) {
            for (id, token) in decoder {
                let id = id.parse().map_err(|_| file.finding(id, format!("`{id}` is not the id of a token")))?;
                self.object(file, token, Some(id))?;
            }
        }
        for (key, value) in keys {
            match (key.as_str(), value) {
                ("additional_special_tokens" | "extra_special_tokens", Value::Array(tokens)) => {
                    tokens.iter().try_for_each(|token| self.object(file, token, None))?;
                }
                ("extra_special_tokens", Value::Object(tokens)) => {
                    tokens.values().try_for_each(|token| self.object(file, token, None))?;
                }
                (named, Value::String(_) | Value::Object(_)) if named.ends_with("_token") => {
                    self.object(file, value, None)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes an `added_tokens.json`: ids by token.
    pub(super) fn of_list(&mut self, file: &JsonFile) -> Result<(), Diagnostic> {
        for (content, id) in file.value.as_object().into_iter().flatten() {
            let id = id.as_u64().ok_or_else(|| file.finding(content, format!("the id of `{content}` is {id}")))?;
            self.say(file, content, Some(id), None, false)?;
        }
        Ok(())
    }

    /// A token that is written as its text, or as an object with what is to be known of it.
    fn object(&mut self, file: &JsonFile, token: &Value, id: Option<u64>) -> Result<(), Diagnostic> {
        let Some(content) = content(token) else {
            return Err(Diagnostic { hint: None, ..file.refused("content", &format!("the added token {token}")) });
        };
        if token.is_string() {
            return self.say(file, content, id, None, true);
        }
        let flag = |key: &str| file.flag(token, key).map(Option::unwrap_or_default);
        // Named by a key for special tokens, it is one, whatever is left out.
        let special = flag("special")? || id.is_none();
        let said = AddedToken {
            single_word: flag("single_word")?,
            lstrip: flag("lstrip")?,
            rstrip: flag("rstrip")?,
            normalized: file.flag(token, "normalized")?.unwrap_or(!special),
            ..AddedToken::special(0, content)
        };
        self.say(file, content, id, Some(AddedToken { special, ..said }), special)
    }

    /// The first file that says something of a token decides.
    fn say(
        &mut self,
        file: &JsonFile,
        content: &str,
        id: Option<u64>,
        token: Option<AddedToken>,
        special: bool,
    ) -> Result<(), Diagnostic> {
        let at = |message: String| file.finding(content, message);
        let wide = |id: u64| u32::try_from(id).map_err(|_| at(format!("the id of `{content}` is {id}")));
        let id = id.map(wide).transpose()?;
        let Some(known) = self.0.iter_mut().find(|known| known.content == content) else {
            let finding = at(String::new());
            self.0.push(Said { content: content.to_owned(), id, token, special, finding });
            return Ok(());
        };
        if let (Some(one), Some(other)) = (known.id, id)
            && one != other
        {
            return Err(at(format!("the added token `{content}` has the id {other} here, and {one} in another file"))
                .hint("remove the file that is out of date"));
        }
        known.id = known.id.or(id);
        known.token = known.token.take().or(token);
        known.special |= special;
        Ok(())
    }

    /// Refuses tokens that `vocabulary` has not, or with other ids.
    pub(super) fn all_in(self, vocabulary: &Vocabulary) -> Result<(), Diagnostic> {
        let strange = self.0.into_iter().find(|said| {
            let known = vocabulary.id(&said.content);
            known.is_none() || said.id.is_some_and(|id| known != Some(id))
        });
        strange.map_or(Ok(()), |Said { content, finding, .. }| {
            let message = format!("the added token `{content}` is not supported in a byte-pair vocabulary");
            Err(Diagnostic { message, ..finding })
        })
    }

    /// `vocabulary` with these tokens, but for BERT's own, which it has already.
    pub(super) fn to(self, vocabulary: Vocabulary) -> Result<Vocabulary, Diagnostic> {
        let mut added = Vec::new();
        let mut findings = Vec::new();
        for Said { content, id, token, special, finding } in self.0 {
            let Some(id) = id.or_else(|| vocabulary.id(&content)) else {
                let message = format!("the added token `{content}` has no id: the vocabulary does not have it");
                return Err(Diagnostic { message, ..finding }
                    .hint("`added_tokens.json` or `added_tokens_decoder` says which row of the embeddings it has"));
            };
            let bare = AddedToken { special, normalized: !special, ..AddedToken::special(id, &content) };
            let token = AddedToken { id, ..token.unwrap_or(bare) };
            let own = SpecialTokens::NAMES.contains(&content.as_str()) && vocabulary.id(&content) == Some(id);
            if content.is_empty() || (own && token == AddedToken::special(id, &content)) {
                continue;
            }
            findings.push((content, finding));
            added.push(token);
        }
        vocabulary.with_added(added).map_err(|wrong| {
            let quoted = |content: &str| wrong.message.contains(&format!("`{content}`"));
            let place = findings.into_iter().find(|(content, _)| quoted(content)).and_then(|(_, found)| found.place);
            Diagnostic { place, ..wrong }
        })
    }
}
