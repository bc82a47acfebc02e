//! Names of files and places that are made of names.

use std::collections::BTreeMap;

/// A file name of these parts: lower-case letters, digits and single hyphens.
pub(crate) fn file_name(parts: &[&str]) -> String {
    let mut name = String::new();
    for c in parts.join("-").chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_matches('-').to_owned()
}

/// How often each name was given.
#[derive(Default)]
pub(crate) struct UniqueNames(BTreeMap<String, usize>);

impl UniqueNames {
    /// `name`, from its second use on with a number behind it. Two hyphens and two underscores occur in no name made by
    /// [`file_name`].
    pub(crate) fn next(&mut self, name: String, before_number: &str) -> String {
        let uses = self.0.entry(name.clone()).or_default();
        *uses += 1;
        if *uses == 1 { name } else { format!("{name}{before_number}{uses}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_everywhere() {
        assert_eq!(file_name(&["grid", "SST-2", "<b>&\"../x"]), "grid-sst-2-b-x");
        assert_eq!(file_name(&["模型"]), "");
    }
}
