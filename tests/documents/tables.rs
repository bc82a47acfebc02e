//! The tables of the documents say what the code says.

use std::collections::BTreeSet;
use std::fs;

use bertbench::config;
use bertbench::data::DATASETS;
use bertbench::report::result_columns;
use bertbench::settings::written;
use bertbench::store::FailureKind;
use bertbench::task::TASKS;

use super::markdown::{self, Document, spans};

/// The public fields of the structs of a source file.
fn fields(path: &str, structs: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let of = |name: &&str| {
        let (_, body) = text.split_once(&format!("pub struct {name} {{\n")).unwrap_or_else(|| panic!("no {name}"));
        let lines = body.lines().take_while(|line| *line != "}");
        let field = |line: &str| Some(line.trim().strip_prefix("pub ")?.split_once(':')?.0.to_owned());
        lines.filter_map(field).collect::<Vec<_>>()
    };
    structs.iter().flat_map(of).collect()
}

/// Fields that no span of the document is.
fn unexplained(document: &Document, fields: Vec<String>) -> Vec<String> {
    let spans: BTreeSet<String> = document.spans().into_iter().map(|(_, span)| span).collect();
    fields.into_iter().filter(|field| !spans.contains(field)).collect()
}

#[test]
fn every_field_of_a_run_is_explained() {
    let store = markdown::read("docs/store.md");
    let settings = [
        fields("src/store/settings/mod.rs", &["RunSettings", "VocabularyIdentity"]),
        fields("src/store/settings/model.rs", &["Architecture"]),
        fields("src/store/settings/optimization.rs", &["Optimization"]),
        fields(
            "src/store/settings/objective.rs",
            &["TaskObjective", "PretrainingObjective", "CorpusPhase", "HeldOutEvaluation"],
        ),
    ]
    .concat();
    let record = [
        fields("src/store/record.rs", &["Record", "TaskOutcome", "Origin", "Timings", "Host", "Provenance", "Failure"]),
        fields("src/store/evaluation.rs", &["Score", "Evaluation", "HeldOut"]),
    ]
    .concat();
    let step = fields("src/store/events.rs", &["StepEvent"]);
    assert!(settings.len() > 40 && record.len() > 60 && step.len() > 10);
    for fields in [settings, record, step] {
        assert_eq!(unexplained(&store, fields), Vec::<String>::new());
    }
    let kinds = [
        FailureKind::Panic,
        FailureKind::Diverged,
        FailureKind::OutOfMemory,
        FailureKind::Killed,
        FailureKind::DiskFull,
        FailureKind::Error,
    ];
    let kinds = kinds.map(|kind| written(&kind));
    assert_eq!(unexplained(&store, kinds.to_vec()), Vec::<String>::new());
    assert_eq!(unexplained(&store, vec!["wall".into(), "walls".into()]), ["walls"]);
}

#[test]
fn every_column_of_the_results_is_explained() {
    let rows = markdown::read("docs/report.md").rows_of("column");
    let columns: Vec<String> = rows.iter().flat_map(|row| spans(&row[0])).collect();
    assert_eq!(columns, result_columns());
}

#[test]
fn every_section_of_the_report_is_explained() {
    let rows = markdown::read("docs/report.md").rows_of("section");
    let explained: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let source = fs::read_to_string("src/report/section/mod.rs").unwrap();
    let rows = source.lines().filter(|line| line.ends_with("::build),"));
    let titles: Vec<&str> = rows.filter_map(|row| row.split('"').nth(3)).collect();
    assert!(titles.len() > 8, "{titles:?}");
    assert_eq!(explained, titles);
}

#[test]
fn every_dataset_is_listed_with_its_files_and_counts() {
    let rows = markdown::read("docs/formats.md").rows_of("dataset");
    assert_eq!(rows.len(), DATASETS.len());
    for (row, dataset) in rows.iter().zip(DATASETS) {
        assert_eq!(row[1], format!("`{}/`", dataset.folder));
        let files: Vec<&str> = dataset.splits.iter().map(|split| split.file).collect();
        assert_eq!(spans(&row[2]), files);
        let counts: Vec<String> = dataset.splits.iter().map(|split| split.examples.to_string()).collect();
        let shown: Vec<&str> = row[5].split([' ', '/', '+']).filter(|part| !part.is_empty()).collect();
        assert_eq!(shown, counts, "{}", dataset.name);
    }
}

#[test]
fn every_task_and_preset_is_listed() {
    let rows = markdown::read("docs/experiments.md").rows_of("key");
    let listed = |key: &str| -> Vec<String> {
        let row = rows.iter().find(|row| row[0] == format!("`{key}`")).unwrap();
        spans(&row[2])
    };
    let tasks: Vec<&str> = TASKS.iter().map(|task| &*task.name).collect();
    assert_eq!(listed("tasks")[..tasks.len()], tasks);
    let schema = config::schema(&[]);
    let presets = schema["definitions"]["Preset"]["oneOf"].as_array().unwrap();
    let names: BTreeSet<String> =
        presets.iter().filter_map(|preset| Some(preset["const"].as_str()?.to_owned())).collect();
    let listed: BTreeSet<String> = listed("models.NAME.preset").into_iter().collect();
    assert!(names.is_subset(&listed), "{listed:?}");
    assert!(names.len() > 5, "{names:?}");
}

#[test]
fn every_module_has_a_line_in_the_house() {
    let tables = markdown::read("docs/development.md").tables();
    let house = tables.iter().find(|table| table[0] == ["module", "what is in it"]).unwrap();
    let house: BTreeSet<String> = house.iter().flat_map(|row| spans(&row[0])).collect();
    let source = fs::read_to_string("src/lib.rs").unwrap();
    // The last one is of the tests.
    let (source, _) = source.split_once("#[cfg(test)]").unwrap();
    let module = |line: &str| {
        let name = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')?;
        Some(name.to_owned())
    };
    let modules = source.lines().filter_map(module);
    assert_eq!(house, modules.collect::<BTreeSet<_>>());
}
