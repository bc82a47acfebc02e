//! What the outputs of a classifier mean: `id2label` of its `config.json`.

use std::path::Path;

use serde_json::Value;

use super::config_error::ConfigError;
use super::config_file::ConfigFile;
use super::head::Head;

/// For each class of a task, in the task's order, the place of its logit among a model's outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOrder(Vec<usize>);

/// The names of a classifier's outputs in the order of its logits, from `folder/config.json`. `None` where the
/// file does not name them: without `id2label`, or with the `LABEL_0`, `LABEL_1`, … that transformers fills in.
///
/// # Errors
/// When the file cannot be read, or `id2label` is not an object of names under the keys 0, 1, 2, ….
pub fn output_names(folder: &Path) -> Result<Option<Vec<String>>, ConfigError> {
    named_outputs(&ConfigFile::read(folder)?)
}

/// As [`output_names`], of a file that was read.
pub(super) fn named_outputs(config: &ConfigFile) -> Result<Option<Vec<String>>, ConfigError> {
    let generic = |names: &Vec<String>| names.iter().enumerate().all(|(id, name)| *name == format!("LABEL_{id}"));
    Ok(config.labels()?.filter(|names| !generic(names)))
}

/// Whether the class `other` has the head of `class`. Other models than BERT have the same heads.
pub(super) fn is_class(other: &str, class: &str) -> bool {
    other.ends_with(class.strip_prefix("Bert").unwrap_or(class))
}

/// Whether the head of a model is a `kind`: the `architectures` of `folder/config.json`, if it has some, say so.
/// Heads for texts, tokens and choices go by the same tensor names.
///
/// # Errors
/// When the file cannot be read, or the head is for something else.
pub fn check_head(folder: &Path, kind: Head) -> Result<(), ConfigError> {
    let config = ConfigFile::read(folder)?;
    let named = config.get("architectures").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let class = kind.class();
    let fits = |name: &Value| name.as_str().is_some_and(|name| is_class(name, class));
    match named.first() {
        Some(other) if !named.iter().any(fits) => {
            Err(config.wrong("architectures", format!("has {other} where {class} was expected")))
        }
        Some(_) | None => Ok(()),
    }
}

impl OutputOrder {
    /// Outputs that are `classes` classes in the task's own order.
    #[must_use]
    pub fn as_it_is(classes: usize) -> Self {
        Self((0..classes).collect())
    }

    /// The order of outputs called `names`, when these are the names of `classes` in any order. Case and
    /// punctuation do not count (`NOT ENTAILMENT` is `not_entailment`).
    #[must_use]
    pub fn by_name<S: AsRef<str>>(names: &[S], classes: &[&str]) -> Option<Self> {
        let as_written: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let letters_of = |names: &[&str]| names.iter().map(|name| letters(name)).collect::<Vec<_>>();
        Self::by_equal(&as_written, classes).or_else(|| Self::by_equal(&letters_of(&as_written), &letters_of(classes)))
    }

    /// For each class the place of its only equal, if each name is one's.
    fn by_equal<S: PartialEq>(names: &[S], classes: &[S]) -> Option<Self> {
        let place = |class: &S| names.iter().position(|name| name == class);
        let places: Vec<usize> = classes.iter().map(place).collect::<Option<_>>()?;
        let mut distinct = places.clone();
        distinct.sort_unstable();
        distinct.dedup();
        (distinct.len() == names.len() && names.len() == classes.len()).then_some(Self(places))
    }

    /// For each class, the place of its logit.
    pub(super) fn places(&self) -> &[usize] {
        &self.0
    }

    /// Whether the outputs are in the task's own order already.
    #[must_use]
    pub fn is_as_it_is(&self) -> bool {
        self.0.iter().enumerate().all(|(class, place)| class == *place)
    }

    /// Logits in the task's order from those in the model's, both `[examples, classes]` row by row.
    #[must_use]
    pub fn arrange(&self, logits: &[f32]) -> Vec<f32> {
        let rows = logits.chunks_exact(self.0.len().max(1));
        rows.flat_map(|row| self.0.iter().map(|place| row[*place])).collect()
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(id2label: &str) -> Result<Option<Vec<String>>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), format!("{{\"a\": 1{id2label}}}")).unwrap();
        let shown = |error: ConfigError| error.to_string().rsplit('/').next().unwrap_or_default().to_owned();
        output_names(folder.path()).map_err(shown)
    }

    #[test]
    fn names_come_in_the_order_of_their_ids_and_generic_ones_are_none() {
        let named = names(", \"id2label\": {\"1\": \"yes\", \"0\": \"no\"}").unwrap();
        assert_eq!(named.unwrap(), ["no", "yes"]);
        for generic in ["", ", \"id2label\": null", ", \"id2label\": {\"0\": \"LABEL_0\", \"1\": \"LABEL_1\"}"] {
            assert_eq!(names(generic), Ok(None), "{generic}");
        }
        for wrong in ["[\"no\", \"yes\"]", "{\"1\": \"no\", \"2\": \"yes\"}", "{\"0\": 1}"] {
            let said = names(&format!(", \"id2label\": {wrong}")).unwrap_err();
            assert!(said.starts_with("config.json: `id2label` must name"), "{said}");
        }
    }

    #[test]
    fn heads_of_every_shape_are_told_from_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let check = |config: &str, kind| {
            std::fs::write(folder.path().join("config.json"), config).unwrap();
            check_head(folder.path(), kind)
        };
        for kind in Head::ALL {
            for fine in ["{}", "{\"architectures\": null}"] {
                assert!(check(fine, kind).is_ok(), "{fine}");
            }
            for of in Head::ALL {
                let said = check(&format!("{{\"architectures\": [\"{}\"]}}", of.class()), kind);
                assert_eq!(said.is_ok(), of.class() == kind.class(), "{of:?} {kind:?}");
            }
        }
        let said = check("{\"architectures\": [\"BertForTokenClassification\"]}", Head::Spans).unwrap_err().to_string();
        assert!(
            said.ends_with(
                "`architectures` has \"BertForTokenClassification\" where BertForQuestionAnswering was expected"
            ),
            "{said}"
        );
    }

    #[test]
    fn outputs_are_put_into_the_tasks_order_by_name() {
        let classes = ["contradiction", "entailment", "not_neutral"];
        let order = OutputOrder::by_name(&["ENTAILMENT", "Not neutral", "contradiction"], &classes).unwrap();
        assert!(!order.is_as_it_is());
        assert_eq!(order.arrange(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
        assert_eq!(OutputOrder::by_name(&classes, &classes).unwrap(), OutputOrder::as_it_is(3));
        assert_eq!(OutputOrder::by_name(&["entailment", "contradiction"], &classes), None);
        assert_eq!(OutputOrder::by_name(&["entailment", "contradiction", "entailment"], &classes), None);
        let more = ["entailment", "contradiction", "not_neutral", "other"];
        assert_eq!(OutputOrder::by_name(&more, &classes), None);
    }
}
