//! Published GLUE figures, to be read beside GLUE results and nowhere else.

use super::judge::metric_name;
use super::run::plain_task_name;

/// One published figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Published {
    /// The system.
    pub(crate) system: &'static str,
    /// The task, as [`plain_task_name`] writes it.
    pub(crate) task: &'static str,
    /// The metric.
    pub(crate) metric: &'static str,
    /// `test` (GLUE's server) or `dev`, with the part of MNLI where there are two.
    pub(crate) split: &'static str,
    /// The figure, times 100, as printed.
    pub(crate) value: &'static str,
    /// Where it is printed.
    pub(crate) source: &'static str,
}

/// The benchmark that these figures belong to, as its records name it.
pub(crate) const BENCHMARK: &str = "GLUE";

const TABLE_1: &str = "Devlin et al. 2018 (arXiv 1810.04805), table 1";
const TABLE_5: &str = "Devlin et al. 2018 (arXiv 1810.04805), table 5";

/// Columns of table 1 of the paper.
const COLUMNS: [(&str, &str, &str); 9] = [
    ("mnli", "accuracy", "test matched"),
    ("mnli", "accuracy", "test mismatched"),
    ("qqp", "f1", "test"),
    ("qnli", "accuracy", "test"),
    ("sst2", "accuracy", "test"),
    ("cola", "mcc", "test"),
    ("stsb", "spearman", "test"),
    ("mrpc", "f1", "test"),
    ("rte", "accuracy", "test"),
];

/// Rows of table 1: scores of the GLUE test server.
const TEST: [(&str, [&str; 9]); 5] = [
    ("BERT-base", ["84.6", "83.4", "71.2", "90.5", "93.5", "52.1", "85.8", "88.9", "66.4"]),
    ("BERT-large", ["86.7", "85.9", "72.1", "92.7", "94.9", "60.5", "86.5", "89.3", "70.1"]),
    ("OpenAI GPT", ["82.1", "81.4", "70.3", "87.4", "91.3", "45.4", "80.0", "82.3", "56.0"]),
    ("BiLSTM+ELMo+Attn", ["76.4", "76.1", "64.8", "79.8", "90.4", "36.0", "73.3", "84.9", "56.8"]),
    ("Pre-OpenAI SOTA", ["80.6", "80.1", "66.1", "82.3", "93.2", "35.0", "81.0", "86.0", "61.7"]),
];

/// BERT-base on dev, first row of table 5, accuracies.
const DEV: [(&str, &str, &str); 4] =
    [("mnli", "dev matched", "84.4"), ("qnli", "dev", "88.4"), ("mrpc", "dev", "86.7"), ("sst2", "dev", "92.7")];

/// Every figure, test before dev, in the tables' order.
pub(crate) fn all() -> Vec<Published> {
    let test = TEST.iter().flat_map(|(system, values)| {
        COLUMNS.iter().zip(values).map(|((task, metric, split), value)| Published {
            system,
            task,
            metric,
            split,
            value,
            source: TABLE_1,
        })
    });
    let dev = DEV.iter().map(|(task, split, value)| Published {
        system: "BERT-base",
        task,
        metric: "accuracy",
        split,
        value,
        source: TABLE_5,
    });
    test.chain(dev).collect()
}

/// The figures for a task of the benchmark, none for any other benchmark.
pub(crate) fn of_task(benchmark: &str, task: &str) -> Vec<Published> {
    if benchmark != BENCHMARK {
        return Vec::new();
    }
    let plain = plain_task_name(task);
    all().into_iter().filter(|figure| figure.task == plain).collect()
}

/// `66.4 / 70.1`: BERT-base and BERT-large on the test server, with what is measured and where.
pub(crate) fn beside(benchmark: &str, task: &str) -> Option<(String, String)> {
    let figures = of_task(benchmark, task);
    let of = |system: &str| figures.iter().find(|figure| figure.system == system && figure.split.starts_with("test"));
    let (base, large) = (of("BERT-base")?, of("BERT-large")?);
    Some((format!("{} / {}", base.value, large.value), format!("{}, {}", metric_name(base.metric), base.split)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper prints these averages; WNLI is left out and MNLI's two parts count as one task each.
    /// Its 71.0 is 70.94 by its own figures, hence the tolerance.
    #[test]
    fn rows_average_to_what_the_paper_prints() {
        for (system, printed) in [
            ("BERT-base", 79.6),
            ("BERT-large", 82.1),
            ("OpenAI GPT", 75.1),
            ("BiLSTM+ELMo+Attn", 71.0),
            ("Pre-OpenAI SOTA", 74.0),
        ] {
            let values: Vec<f64> = all()
                .iter()
                .filter(|figure| figure.system == system && figure.source == TABLE_1)
                .map(|figure| figure.value.parse().unwrap())
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            assert_eq!(values.len(), 9);
            assert!((mean - printed).abs() < 0.06, "{system}: {mean}");
        }
    }

    #[test]
    fn figures_stand_beside_glue_only() {
        assert_eq!(beside("GLUE", "RTE").unwrap().0, "66.4 / 70.1");
        assert_eq!(beside("GLUE", "sst-2").unwrap(), ("93.5 / 94.9".into(), "accuracy, test".into()));
        assert_eq!(beside("mini", "rte"), None);
        assert_eq!(beside("GLUE", "wnli"), None);
    }
}
