//! The ablations that the BERT paper prints: what its pretraining tasks, its masks and its sizes are worth.
//!
//! All of them are scores on dev, times 100.

/// What one column of a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The task, as [`super::run::plain_task_name`] writes it.
    pub(crate) task: &'static str,
    /// The metric, as records name it.
    pub(crate) metric: &'static str,
    /// Whether the encoder is frozen and its layers are read as features.
    pub(crate) features: bool,
}

/// One table: what a row is known by, its columns, and the figures as printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublishedTable<K: 'static> {
    pub(crate) source: &'static str,
    pub(crate) columns: &'static [Measured],
    /// Its rows, in the paper's order, each with a figure per column.
    pub(crate) rows: &'static [(K, &'static [&'static str])],
}

const fn measured(task: &'static str, metric: &'static str) -> Measured {
    Measured { task, metric, features: false }
}

/// The model of all other experiments, as the rows of [`OBJECTIVES`] name it.
pub(crate) const FULL: &str = "BERT (MLM & NSP)";
/// The same without the next sentence.
pub(crate) const NO_NSP: &str = "No NSP";
/// A left-to-right model.
pub(crate) const LEFT_TO_RIGHT: &str = "LTR & No NSP";
/// A row that is printed though no model here is like it: a tagger of two directions on top of a left-to-right model.
pub(crate) const WITH_BILSTM: &str = "LTR & No NSP, + BiLSTM";

/// Pretraining tasks. The paper calls the first row `BERT_BASE`.
pub(crate) const OBJECTIVES: PublishedTable<&str> = PublishedTable {
    source: "Devlin et al. 2018 (arXiv 1810.04805), table 5",
    columns: &[
        measured("mnli", "accuracy"),
        measured("qnli", "accuracy"),
        measured("mrpc", "accuracy"),
        measured("sst2", "accuracy"),
        measured("squad1", "f1"),
    ],
    rows: &[
        (FULL, &["84.4", "88.4", "86.7", "92.7", "88.5"]),
        (NO_NSP, &["83.9", "84.9", "86.5", "92.6", "87.9"]),
        (LEFT_TO_RIGHT, &["82.1", "84.3", "77.5", "92.1", "77.8"]),
        (WITH_BILSTM, &["82.1", "84.1", "75.7", "91.6", "84.9"]),
    ],
};

/// Sizes: layers, hidden size and attention heads; the first column is the perplexity of masked tokens held out.
pub(crate) const SIZES: PublishedTable<([u32; 3], &str)> = PublishedTable {
    source: "Devlin et al. 2018 (arXiv 1810.04805), table 6",
    columns: &[measured("mnli", "accuracy"), measured("mrpc", "accuracy"), measured("sst2", "accuracy")],
    rows: &[
        (([3, 768, 12], "5.84"), &["77.9", "79.8", "88.4"]),
        (([6, 768, 3], "5.24"), &["80.6", "82.2", "90.7"]),
        (([6, 768, 12], "4.68"), &["81.9", "84.8", "91.3"]),
        (([12, 768, 12], "3.99"), &["84.4", "86.7", "92.9"]),
        (([12, 1024, 16], "3.54"), &["85.7", "86.9", "93.3"]),
        (([24, 1024, 16], "3.23"), &["86.6", "87.8", "93.7"]),
    ],
};

/// Masks: the percentages of chosen tokens that become `[MASK]`, stay the same, and become a random token.
pub(crate) const MASKS: PublishedTable<[u32; 3]> = PublishedTable {
    source: "Devlin et al. 2018 (arXiv 1810.04805), table 8",
    columns: &[
        measured("mnli", "accuracy"),
        measured("conll2003", "f1"),
        Measured { task: "conll2003", metric: "f1", features: true },
    ],
    rows: &[
        ([80, 10, 10], &["84.2", "95.4", "94.9"]),
        ([100, 0, 0], &["84.3", "94.9", "94.0"]),
        ([80, 0, 20], &["84.1", "95.2", "94.6"]),
        ([80, 20, 0], &["84.4", "95.2", "94.7"]),
        ([0, 20, 80], &["83.7", "94.8", "94.6"]),
        ([0, 0, 100], &["83.6", "94.9", "94.6"]),
    ],
};

/// What the paper says of figure 5.
pub(crate) const STEPS: &str = "Devlin et al. 2018 (arXiv 1810.04805), figure 5 and section C.1: after 1 000 000 steps BERT-base \
     reaches almost 1.0 % more on MNLI than after 500 000 (84.4 on MNLI-m in table 5), and the masked LM overtakes the left-to-right model almost immediately.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::published;

    fn figures<K>(table: &PublishedTable<K>) -> Vec<Vec<f64>> {
        let rows = table.rows.iter().map(|(_, values)| {
            assert_eq!(values.len(), table.columns.len());
            values.iter().map(|value| value.parse().unwrap()).collect()
        });
        rows.collect()
    }

    /// The first row is BERT-base of table 5, which stands among the figures of GLUE and SQuAD too.
    #[test]
    fn the_full_model_is_that_of_the_other_tables() {
        assert_eq!(OBJECTIVES.rows[0].0, FULL);
        for (column, figure) in OBJECTIVES.columns.iter().zip(OBJECTIVES.rows[0].1) {
            let is_it = |known: &published::Published| {
                (known.system, known.task, known.metric, known.value)
                    == ("BERT-base", column.task, column.metric, *figure)
                    && known.split.starts_with("dev")
            };
            assert!(published::all().iter().any(is_it), "{column:?} {figure}");
        }
    }

    /// Leaving a task out helps nowhere; the means of MNLI-m, QNLI, MRPC and SST-2 by hand.
    #[test]
    fn without_its_tasks_bert_is_worse() {
        let rows = figures(&OBJECTIVES);
        for row in &rows[1..] {
            assert!(row.iter().zip(&rows[0]).all(|(less, full)| less < full));
        }
        let mean = |row: &[f64]| row[..4].iter().sum::<f64>() / 4.0;
        for (row, by_hand) in rows.iter().zip([88.05, 86.975, 84.0, 83.375]) {
            assert!((mean(row) - by_hand).abs() < 1e-9, "{}", mean(row));
        }
    }

    /// "Larger models lead to a strict accuracy improvement across all four datasets" (section 5.2), of which three are
    /// in this table, and their perplexity falls.
    #[test]
    fn larger_models_are_better_in_every_column() {
        for (pair, keys) in figures(&SIZES).windows(2).zip(SIZES.rows.windows(2)) {
            assert!(pair[0].iter().zip(&pair[1]).all(|(smaller, larger)| smaller < larger));
            let perplexity = |at: usize| keys[at].0.1.parse::<f64>().unwrap();
            assert!(perplexity(1) < perplexity(0));
        }
    }

    #[test]
    fn masks_add_up() {
        assert!(MASKS.rows.iter().all(|(mask, _)| mask.iter().sum::<u32>() == 100));
        // Fine-tuning is "surprisingly robust" (section C.2): less than a point between the best and the worst.
        for column in 0..2 {
            let values: Vec<f64> = figures(&MASKS).iter().map(|row| row[column]).collect();
            let (low, high) = values.iter().fold((100.0f64, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
            assert!(high - low < 0.85, "{column}: {low} to {high}");
        }
    }
}
