//! Rows fit their columns.

use std::collections::BTreeSet;

use super::dataset::{Labels, Layout, SplitRole};
use super::layouts;
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

#[test]
fn mnli_has_the_12_16_and_10_columns_that_its_readers_trip_over() {
    let columns = |layout: Layout| layout.columns.len();
    assert_eq!((columns(layouts::MNLI), columns(layouts::MNLI_DEV), columns(layouts::MNLI_TEST)), (12, 16, 10));
    for layout in [layouts::MNLI, layouts::MNLI_DEV, layouts::MNLI_TEST] {
        assert_eq!((layout.columns[layout.first], layout.second), ("sentence1", Some(9)));
    }
}
