//! The JSON schema of experiment files, from the types: editors complete and check by it.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::written::Written;

/// The schema (draft 7, which editors' YAML support reads best). `known_tasks` become the choices of
/// `tasks`.
#[must_use]
pub fn schema(known_tasks: &[&str]) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Written>().to_value();
    drop_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("bertbench experiment"));
    }
    if let Some(items) = schema.pointer_mut("/properties/tasks/items") {
        *items = json!({"type": "string", "enum": known_tasks});
    }
    // The rule for names that become folders and key paths; schemars has no attribute for map keys.
    if let Some(Value::Object(models)) = schema.pointer_mut("/properties/models") {
        models.insert("propertyNames".to_owned(), json!({"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$"}));
        models.insert("minProperties".to_owned(), json!(1));
        models.remove("minItems");
    }
    schema
}

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

/// The top-level key under which `key` is known, such as `training` for `max_length`.
pub(super) fn home_of(key: &str) -> Option<String> {
    let schema = schema(&[]);
    let properties = schema.get("properties")?.as_object()?;
    let holds = |property: &&Value| {
        let reference = property.pointer("/$ref").or_else(|| property.pointer("/allOf/0/$ref"));
        let target = reference.and_then(Value::as_str).and_then(|target| schema.pointer(target.strip_prefix('#')?));
        target.is_some_and(|target| target.pointer(&format!("/properties/{key}")).is_some())
    };
    properties.iter().find(|(_, property)| holds(property)).map(|(name, _)| name.clone())
}
