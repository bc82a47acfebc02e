//! Names of models on the Hugging Face hub: what a repository and a revision may be called.

use schemars::JsonSchema;

use crate::diagnostic::Diagnostic;

/// The branch that every repository of the hub has.
pub const DEFAULT_REVISION: &str = "main";

/// The hub refuses longer names of repositories (`huggingface_hub`, `validate_repo_id`).
const LONGEST_REPOSITORY: usize = 96;
/// A file system's limit for one name, which a revision must keep to in the cache.
const LONGEST_REVISION: usize = 255;
/// Characters that git refuses in names of branches and tags (git-check-ref-format), or that would
/// end or change the path of an address.
const NOT_IN_REVISIONS: [char; 17] =
    ['~', '^', ':', '?', '*', '[', ']', '\\', '%', '#', '"', '<', '>', '|', '{', '}', '`'];

/// A model of the Hugging Face hub; it is fetched into the hub's cache on this machine when needed.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Hub")]
pub struct HubModel {
    /// The repository, such as `google-bert/bert-base-uncased`.
    #[serde(rename = "hub")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$"), length(max = 96))]
    pub repository: String,
    /// A branch, a tag or the hash of a commit; the hash needs no network once the files are there.
    #[serde(default = "default_revision")]
    #[schemars(length(min = 1))]
    pub revision: String,
}

pub(super) fn default_revision() -> String {
    DEFAULT_REVISION.to_owned()
}

impl HubModel {
    /// Reads `ORG/NAME` or `ORG/NAME@REVISION`; without a revision, [`DEFAULT_REVISION`].
    ///
    /// # Errors
    /// When it cannot be the name of a repository, or of a revision.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, DEFAULT_REVISION));
        if let Some(fault) = repository_fault(repository) {
            return Err(Diagnostic::new(fault).hint(REPOSITORY_IS));
        }
        if let Some(fault) = revision_fault(revision) {
            return Err(Diagnostic::new(fault).hint(REVISION_IS));
        }
        Ok(Self { repository: repository.to_owned(), revision: revision.to_owned() })
    }
}

/// What a name that is refused should have been.
pub(super) const REPOSITORY_IS: &str = "for example `google-bert/bert-base-uncased`";
/// What a revision that is refused should have been.
pub(super) const REVISION_IS: &str = "a branch such as `main`, a tag, or the hash of a commit";

/// Why `name` cannot be a repository of the hub, by the hub's own rules (`validate_repo_id` of
/// `huggingface_hub`); `None` when it can.
pub(super) fn repository_fault(name: &str) -> Option<String> {
    let refused = |why: &str| Some(format!("`{name}` is not the name of a repository of the hub: {why}"));
    if name.len() > LONGEST_REPOSITORY {
        return refused("it has more than 96 characters");
    }
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() > 2 || parts.iter().any(|part| part.is_empty()) {
        return refused("it is `ORGANISATION/NAME`");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) {
        return refused("it has letters, digits, `-`, `_` and `.`");
    }
    if name.contains("--") || name.contains("..") {
        return refused("`--` and `..` do not occur in one");
    }
    if parts.iter().any(|part| part.starts_with(['-', '.']) || part.ends_with(['-', '.'])) {
        return refused("its parts do not begin or end with `-` or `.`");
    }
    if name.to_ascii_lowercase().ends_with(".git") {
        return refused("it does not end with `.git`");
    }
    None
}

/// Why `revision` cannot name a branch, a tag or a commit (git-check-ref-format); `None` when it can.
pub(super) fn revision_fault(revision: &str) -> Option<String> {
    if revision.is_empty() {
        return Some("the revision is empty".to_owned());
    }
    let bad_character = |c: char| !c.is_ascii_graphic() || NOT_IN_REVISIONS.contains(&c);
    let bad_part = |part: &str| {
        part.is_empty() || part.starts_with(['.', '-']) || part.ends_with('.') || part.strip_suffix(".lock").is_some()
    };
    let wrong = revision.len() > LONGEST_REVISION
        || revision.contains("..")
        || revision.contains("@{")
        || revision.chars().any(bad_character)
        || revision.split('/').any(bad_part);
    wrong.then(|| format!("`{revision}` cannot be a revision"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hub_are_taken_and_others_are_not() {
        for name in ["google-bert/bert-base-uncased", "bert-base-uncased", "a/b.c_d", "prajjwal1/bert-tiny"] {
            assert_eq!(repository_fault(name), None, "{name}");
        }
        let long = "x".repeat(97);
        for name in
            ["", "/", "a/", "/a", "a/b/c", "a b/c", "../x", "a/..", "a--b/c", "-a/b", "a/b-", "a/b.git", "ä/b", &long]
        {
            assert!(repository_fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn revisions_that_git_knows_are_taken_and_others_are_not() {
        for revision in ["main", "v1.0", "refs/pr/3", "86b5e0934494bd15c9632b12f734a8a67f723594", "a@b"] {
            assert_eq!(revision_fault(revision), None, "{revision}");
        }
        for revision in ["", " ", "a b", "../../x", "/a", "a/", "a//b", ".a", "a.lock", "a?b", "a#b", "a%2Fb", "ö"] {
            assert!(revision_fault(revision).is_some(), "{revision}");
        }
    }

    #[test]
    fn the_short_form_has_the_default_revision() {
        for (text, revision) in [("a/b", "main"), ("a/b@v2", "v2")] {
            let model = HubModel { repository: "a/b".to_owned(), revision: revision.to_owned() };
            assert_eq!(HubModel::parse(text).unwrap(), model);
        }
        assert!(HubModel::parse("a/b@").is_err());
        assert!(HubModel::parse("a/b/c").is_err());
    }
}
