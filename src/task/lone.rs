//! A file outside a dataset's folder, predicted with a trained model.

use std::path::Path;

use super::features::content_features;
use super::tags::TagSet;
use super::{DevSplit, Gold, Task};
use crate::data::{BadRows, Content};
use crate::diagnostic::Diagnostic;
use crate::model::Head;
use crate::store::TaskOptions;
use crate::text::{Purpose, Tokenizer};

impl Task {
    /// What a file in the format of the task's dataset holds, of a task whose dataset is not made of tables. `bytes` are
    /// the file's, `path` is its name; `like` names the split that it is laid out as, or
    /// [`LoneTable::TEXTS`](crate::data::LoneTable::TEXTS) for one without answers.
    ///
    /// # Errors
    /// As [`Dataset::read_lone`](crate::data::Dataset::read_lone).
    pub fn read_lone(
        &self,
        bytes: &[u8],
        path: &Path,
        like: Option<&str>,
        bad_rows: BadRows,
    ) -> Result<Content, Diagnostic> {
        self.dataset.read_lone(bytes, path, like, bad_rows)
    }

    /// Features and gold answers of what was read, as those of a dev split; `tags` are the classes of a model that tags
    /// words, in the order of its outputs. Without `options` the task's own count.
    ///
    /// # Errors
    /// Options of another kind of task; a `max_length` that leaves no room for text.
    pub fn split_of(
        &self,
        name: &'static str,
        read: Content,
        tokenizer: &Tokenizer,
        max_length: u32,
        options: Option<&TaskOptions>,
        tags: &[String],
    ) -> Result<DevSplit, Diagnostic> {
        let default = self.default_options();
        let options = options.or(default.as_ref());
        let tags = (self.head == Head::Tags).then(|| TagSet::from_names(tags));
        let features = content_features(&read, tokenizer, max_length, options, tags.as_ref(), Purpose::Evaluation)?;
        Ok(DevSplit { name, features, gold: Gold::of(read, options) })
    }
}
