//! Names of files that are made of names.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_everywhere() {
        assert_eq!(file_name(&["grid", "SST-2", "<b>&\"../x"]), "grid-sst-2-b-x");
        assert_eq!(file_name(&["模型"]), "");
    }
}
