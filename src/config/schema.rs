//! The JSON schema of experiment files, from the types: editors complete and check by it.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::task::KnownTask;
use super::written::Written;

/// The schema (draft 7, which editors' YAML support reads best). The names of `known` become the
/// choices of `tasks`, beside names of the file's own.
#[must_use]
pub fn schema(known: &[KnownTask]) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Written>().to_value();
    drop_null(&mut schema);
    describe_choices(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("bertbench experiment"));
    }
    if let Some(items) = schema.pointer_mut("/properties/tasks/items") {
        let names: Vec<&str> = known.iter().map(|task| task.name).collect();
        let declared = "A task of your own, declared under `task_settings`.";
        *items = json!({"anyOf": [
            {"type": "string", "enum": names},
            {"type": "string", "pattern": NAME, "description": declared},
        ]});
    }
    // What is empty when it is left out must not be empty when it is there.
    for key in ["tasks", "sweep"] {
        if let Some(Value::Object(of)) = schema.pointer_mut(&format!("/properties/{key}")) {
            of.remove("default");
        }
    }
    // The reader's aliases; schemars lists the first names only.
    if let Some(Value::Array(presets)) = schema.pointer_mut("/definitions/Preset/oneOf") {
        let description = "`bert-tiny` to `bert-medium`, for short.";
        presets.push(json!({"type": "string", "enum": SHORT_PRESETS, "description": description}));
    }
    // The rule for names that become folders and key paths; schemars has no attribute for map keys.
    for key in ["models", "task_settings"] {
        if let Some(Value::Object(map)) = schema.pointer_mut(&format!("/properties/{key}")) {
            map.insert("propertyNames".to_owned(), json!({"pattern": NAME}));
            if map.remove("minItems").is_some() {
                map.insert("minProperties".to_owned(), json!(1));
            }
        }
    }
    schema
}

/// The names of models and of declared tasks.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]*$";

/// Short names that [`Preset`](super::Preset) also reads.
const SHORT_PRESETS: [&str; 4] = ["tiny", "mini", "small", "medium"];

/// An absent key is allowed, a `null` is not: takes `null` out of the types that `Option` gives.
fn drop_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            let choices = map.get_mut("anyOf").and_then(Value::as_array_mut);
            if let Some(choices) = choices {
                choices.retain(|choice| choice != &json!({"type": "null"}));
                if let [only] = choices.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.insert("allOf".to_owned(), json!([only]));
                }
            }
            map.values_mut().for_each(drop_null);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A choice with settings is an object of one key; editors show the description of that key, and schemars
/// gives it to the object.
fn describe_choices(value: &mut Value) {
    if let Value::Object(map) = value {
        let description = map.get("description").cloned();
        let choices = map.get_mut("properties").and_then(Value::as_object_mut).filter(|keys| keys.len() == 1);
        if let (Some(description), Some(only)) = (description, choices.and_then(|keys| keys.values_mut().next()))
            && let Value::Object(only) = only
        {
            only.entry("description").or_insert(description);
        }
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(describe_choices),
        Value::Array(items) => items.iter_mut().for_each(describe_choices),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The top-level key under which `key` is known, such as `training` for `max_length`; for settings of single
/// tasks, `task_settings.TASK`.
pub(super) fn home_of(key: &str) -> Option<String> {
    let schema = schema(&[]);
    let properties = schema.get("properties")?.as_object()?;
    let holds = |property: &&Value| {
        let reference = property.pointer("/$ref").or_else(|| property.pointer("/allOf/0/$ref"));
        let target = reference.and_then(Value::as_str).and_then(|target| schema.pointer(target.strip_prefix('#')?));
        target.is_some_and(|target| target.pointer(&format!("/properties/{key}")).is_some())
    };
    let mut homes = properties.iter().filter(|(_, property)| holds(property)).map(|(name, _)| name.clone());
    // What several mappings know is meant for the experiments with tasks, which are most.
    let first = homes.next();
    let direct = if first.as_deref() == Some("pretrain") { homes.next().or(first) } else { first };
    let of_a_task = || properties.get("task_settings")?.get("additionalProperties").filter(holds);
    direct.or_else(|| of_a_task().map(|_| "task_settings.TASK".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The names that the schema offers for a preset are those that the reader takes.
    #[test]
    fn every_preset_of_the_schema_is_read() {
        let known = [crate::config::tests::of_texts("rte")];
        let schema = schema(&known);
        let choices = schema.pointer("/definitions/Preset/oneOf").and_then(Value::as_array).unwrap();
        let names: Vec<&str> = choices
            .iter()
            .flat_map(|choice| choice["const"].as_str().into_iter().chain(strings(&choice["enum"])))
            .collect();
        assert_eq!(names.len(), 10, "{names:?}");
        for name in names {
            let text = format!(
                "experiment: a\nmodels: {{m: {{preset: {name}}}}}\ntasks: [rte]\n\
                 sweep: {{batch_size: [1], learning_rate: [1e-5], epochs: [1]}}\nmini: {{}}\n"
            );
            crate::config::parse(Path::new("a.yaml"), &text, &known, &[]).unwrap();
        }
    }

    fn strings(value: &Value) -> impl Iterator<Item = &str> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    #[test]
    fn keys_know_their_home() {
        assert_eq!(home_of("max_length").as_deref(), Some("training"));
        assert_eq!(home_of("learning_rate").as_deref(), Some("sweep"));
        assert_eq!(home_of("seed").as_deref(), Some("mini"));
        assert_eq!(home_of("doc_stride").as_deref(), Some("task_settings.TASK"));
        assert_eq!(home_of("tasks"), None);
    }
}
