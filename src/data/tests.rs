//! Rows fit their columns.

use std::collections::BTreeSet;

use super::dataset::{Labels, Layout, SplitRole};
use super::table::DATASETS;

#[test]
fn names_folders_and_splits_are_unique_and_layouts_stay_within_their_columns() {
    let names: BTreeSet<_> = DATASETS.iter().map(|dataset| &dataset.name).collect();
    let folders: BTreeSet<_> = DATASETS.iter().map(|dataset| &dataset.folder).collect();
    assert_eq!((names.len(), folders.len()), (DATASETS.len(), DATASETS.len()));
    for dataset in DATASETS {
        let splits: BTreeSet<_> = dataset.splits.iter().map(|split| split.name).collect();
        assert_eq!(splits.len(), dataset.splits.len(), "{}", dataset.name);
        for split in dataset.splits {
            if dataset.labels == Labels::Structured {
                assert_eq!(split.layout, Layout::NONE);
                continue;
            }
            let Layout { columns, id, first, second, label, .. } = split.layout;
            let places: Vec<usize> = [id, Some(first), second, label].into_iter().flatten().collect();
            assert!(places.iter().all(|place| *place < columns.len()), "{} {}", dataset.name, split.name);
            assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len(), "a column read twice");
            assert_eq!(label.is_none(), split.role == SplitRole::Test, "{} {}", dataset.name, split.name);
        }
    }
}
