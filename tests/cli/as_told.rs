//! What a model's folder says of its tokenizer, its head and its use is done, or refused before anything runs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::program::{Told, Workplace, wait_until};

/// The weights of a tiny BERT with 14 word embeddings and 10 positions.
const WEIGHTS: &str = "tests/golden/weights/safetensors";
/// One token less than the word embeddings have rows.
const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[E1]\n[\n]\ncat\ne1\ne\n##1\nno\n";
const RTE: &str = "index\tsentence1\tsentence2\tlabel\n0\tcat e1\tno cat\tentailment\n1\tno\tcat\tnot_entailment\n";
const COLA: &str = "a\t1\t\tcat e1\na\t0\t*\tno cat\n";
const EXPERIMENT: &str = "\
experiment: told
data: data
models: {m: {checkpoint: model}}
tasks: [TASK]
sweep: {batch_size: [2], learning_rate: [1e-5], epochs: [1]}
training: {max_length: 10, dropout: 0}
device: cpu
";

/// A place with `model/`, and `rte.yaml` and `cola.yaml` that train it.
fn place() -> Workplace {
    let place = Workplace::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(WEIGHTS);
    place.write("model/config.json", &fs::read_to_string(from.join("config.json")).unwrap());
    place.write("model/vocab.txt", VOCABULARY);
    fs::copy(from.join("model.safetensors"), place.path("model/model.safetensors")).unwrap();
    for split in ["train", "dev"] {
        place.write(&format!("data/RTE/{split}.tsv"), RTE);
        place.write(&format!("data/CoLA/{split}.tsv"), COLA);
    }
    for task in ["rte", "cola"] {
        place.write(&format!("{task}.yaml"), &EXPERIMENT.replace("TASK", task));
    }
    place.write("text.txt", "cat [E1] e1\n");
    place
}

fn extract(place: &Workplace, model: &str) -> Told {
    place.run(&["extract", model, "--layers=-1", "--input", "text.txt", "--output", "-"])
}

/// The tokens of the only line of `text.txt`.
fn tokens(place: &Workplace, model: &str) -> Vec<String> {
    let line = extract(place, model).ok().json();
    let features = line["features"].as_array().unwrap();
    features.iter().map(|feature| feature["token"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn added_tokens_are_one_token_each_wherever_they_are_said_and_convert_keeps_them() {
    let place = place();
    assert_eq!(tokens(&place, "model"), ["[CLS]", "cat", "[", "e1", "]", "e1", "[SEP]"]);
    let whole = ["[CLS]", "cat", "[E1]", "e1", "[SEP]"];
    let object = r#"{"content": "[E1]", "lstrip": false, "normalized": false, "special": true}"#;
    let tokenizer = format!(
        r#"{{"model": {{"type": "WordPiece"}}, "normalizer": {{"type": "BertNormalizer"}},
            "added_tokens": [{}]}}"#,
        object.replacen('{', "{\"id\": 5, ", 1)
    );
    for (file, said) in [
        ("special_tokens_map.json", r#"{"additional_special_tokens": ["[E1]"]}"#.to_owned()),
        ("tokenizer_config.json", format!("{{\"additional_special_tokens\": [{object}]}}")),
        ("tokenizer_config.json", format!("{{\"added_tokens_decoder\": {{\"5\": {object}}}}}")),
        ("tokenizer_config.json", r#"{"extra_special_tokens": {"entity_token": "[E1]"}}"#.to_owned()),
        ("added_tokens.json", r#"{"[E1]": 5}"#.to_owned()),
        ("tokenizer.json", tokenizer),
    ] {
        place.write(&format!("model/{file}"), &said);
        assert_eq!(tokens(&place, "model"), whole, "{file}: {said}");
        let _ = fs::remove_dir_all(place.path("out"));
        place.run(&["convert", "model", "out", "--to", "hf"]).ok();
        assert_eq!(tokens(&place, "out"), whole, "converted: {file}: {said}");
        fs::remove_file(place.path("model").join(file)).unwrap();
    }
    // Beyond the vocabulary, and looked for in lower-cased text, as tokens that are not special are.
    place.write("model/added_tokens.json", r#"{"[ENT]": 13}"#);
    place.write("text.txt", "[ENT] [ent]no\n");
    assert_eq!(tokens(&place, "model"), ["[CLS]", "[ENT]", "[ENT]", "no", "[SEP]"]);
}

#[test]
fn what_is_said_of_another_tokenizer_is_refused_by_every_command() {
    let place = place();
    let tokenizer = |rest: &str| {
        format!("{{\"model\": {{\"type\": \"WordPiece\"}}, \"normalizer\": {{\"type\": \"BertNormalizer\"}}, {rest}}}")
    };
    let config = place.read("model/config.json");
    for (file, said, expected) in [
        (
            "config.json",
            config.replacen('{', "{\"tokenizer_class\": \"BertJapaneseTokenizer\",", 1),
            "a `tokenizer_class` of \"BertJapaneseTokenizer\" is not supported",
        ),
        ("tokenizer_config.json", r#"{"do_basic_tokenize": false}"#.to_owned(), "`do_basic_tokenize` of false"),
        ("tokenizer_config.json", r#"{"cls_token": "<s>"}"#.to_owned(), "a `cls_token` of \"<s>\", not [CLS],"),
        ("tokenizer_config.json", r#"{"never_split": ["cat"]}"#.to_owned(), "`never_split` of [\"cat\"]"),
        ("special_tokens_map.json", r#"{"sep_token": {"content": "</s>"}}"#.to_owned(), "not [SEP],"),
        ("special_tokens_map.json", r#"{"additional_special_tokens": ["[E2]"]}"#.to_owned(), "`[E2]` has no id"),
        ("added_tokens.json", r#"{"[E2]": 5}"#.to_owned(), "has the id 5, which is that of `[E1]`"),
        ("added_tokens.json", r#"{"[E2]": 40}"#.to_owned(), "has the id 40, but no token has the id 13"),
        ("tokenizer.json", tokenizer("\"pre_tokenizer\": {\"type\": \"Whitespace\"}"), "a pre-tokenizer of type"),
        ("tokenizer.json", tokenizer("\"post_processor\": {\"type\": \"RobertaProcessing\"}"), "a post-processor"),
        (
            "tokenizer.json",
            tokenizer("")
                .replace("\"WordPiece\"}", "\"WordPiece\", \"vocab\": {\"[PAD]\": 0, \"[UNK]\": 1}}")
                .replace(", }", "}"),
            "the vocabulary has no [CLS]",
        ),
    ] {
        place.write(&format!("model/{file}"), &said);
        for arguments in [
            &["extract", "model", "--input", "text.txt", "--output", "-"][..],
            &["convert", "model", "out", "--to", "hf"],
            &["check", "rte.yaml"],
            &["plan", "rte.yaml"],
            &["run", "rte.yaml", "--slots", "1"],
        ] {
            let told = place.run(arguments).ends_with(2);
            assert!(told.err.contains(expected), "{arguments:?}, {file}: {}", told.err);
        }
        fs::remove_file(place.path("model").join(file)).unwrap();
        place.write("model/config.json", &config);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn word_embeddings_may_be_padded_and_a_note_says_so() {
    let place = place();
    let note = "the checkpoint has 14 word embeddings for 13 tokens: 1 are not used";
    assert!(extract(&place, "model").ok().err.contains(note));
    let told = place.run(&["check", "rte.yaml"]).ok();
    assert!(told.out.contains(&format!("note  m on rte: {note}")), "{}", told.out);
}

#[test]
fn one_segment_embedding_is_refused_for_pairs_before_anything_runs() {
    let place = place();
    let path = place.path("model/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let first_row = |name: &str, view: &TensorView<'_>| {
        let rows = view.shape()[0];
        if !name.ends_with("token_type_embeddings.weight") {
            return (view.shape().to_vec(), view.data().to_vec());
        }
        (vec![1, view.shape()[1]], view.data()[..view.data().len() / rows].to_vec())
    };
    let cut: Vec<_> =
        tensors.iter().map(|(name, view)| (name.to_owned(), view.dtype(), first_row(name, &view))).collect();
    let views = cut
        .iter()
        .map(|(name, dtype, (shape, data))| (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let written = safetensors::tensor::serialize(views.collect::<Vec<_>>(), Some(about)).unwrap();
    fs::write(&path, written).unwrap();
    let config = place.read("model/config.json");
    place.write("model/config.json", &config.replace("\"type_vocab_size\": 2", "\"type_vocab_size\": 1"));
    for command in ["check", "plan", "run"] {
        let told = place.run(&[command, "rte.yaml"]).ends_with(2);
        assert!(told.err.contains("`m` has one segment embedding, but `rte` has pairs of texts"), "{}", told.err);
    }
    assert!(!place.path("runs/told").exists());
    // Single texts need no second one.
    place.run(&["check", "cola.yaml"]).ok();
}

#[test]
fn a_head_is_matched_by_the_names_of_its_outputs_or_made_anew() {
    let place = place();
    place
        .run(&["run", "rte.yaml", "--slots", "1", "--set", "sweep.learning_rate=[1e-2]", "--set", "sweep.epochs=[9]"])
        .ok();
    let kept = place.files("runs/told").into_iter().find(|path| path.ends_with("model/config.json")).unwrap();
    let folder = kept.parent().unwrap().to_path_buf();
    let written = fs::read_to_string(&kept).unwrap();
    let set = format!("models.m.checkpoint={}", folder.display());
    let check = |config: &str| {
        fs::write(&kept, config).unwrap();
        // As one line each, however wide the terminal is.
        place.run(&["check", "rte.yaml", "--set", &set]).ok().out.replace("\n      ", " ")
    };
    let loss = |out: &str| out.split("loss ").nth(1).unwrap().split(',').next().unwrap().parse::<f64>().unwrap();
    let [entailment, other] = ["\"entailment\"", "\"not_entailment\""];
    let same = check(&written);
    assert!(!same.contains("head"), "{same}");
    let labels = |first: &str, second: &str| {
        let id2label = format!("\"id2label\": {{\n    \"0\": {first},\n    \"1\": {second}\n  }}");
        let start = written.find("\"id2label\"").unwrap();
        let end = start + written[start..].find('}').unwrap() + 1;
        format!("{}{id2label}{}", &written[..start], &written[end..])
    };
    let [in_order, swapped] = [labels(entailment, other), labels(other, entailment)];
    assert_eq!(loss(&check(&in_order)), loss(&same));
    let turned = check(&swapped);
    assert!(turned.contains("the outputs of the checkpoint's head were put into the task's order by name"), "{turned}");
    assert!(loss(&turned) > loss(&same), "{turned}{same}");
    let renamed = check(&labels("\"positive\"", "\"negative\""));
    let why = "the outputs of the checkpoint's head are positive, negative: the head was initialised at random";
    assert!(renamed.contains(why), "{renamed}");
    let class = check(&written.replace("BertForSequenceClassification", "BertForTokenClassification"));
    assert!(class.contains("the checkpoint is a BertForTokenClassification"), "{class}");
}

#[test]
fn a_model_that_is_copied_out_of_its_run_is_used_as_the_run_used_it() {
    let place = place();
    place.run(&["run", "rte.yaml", "--slots", "1", "--set", "training.max_length=7"]).ok();
    let kept = place.files("runs/told").into_iter().find(|path| path.ends_with("model/config.json")).unwrap();
    fs::create_dir(place.path("copy")).unwrap();
    for entry in fs::read_dir(kept.parent().unwrap()).unwrap().flatten() {
        fs::copy(entry.path(), place.path("copy").join(entry.file_name())).unwrap();
    }
    let predict = |model: &str| {
        let input = ["--task", "rte", "--input", "long.tsv", "--output", "-"];
        place.run(&[&["predict", model], &input[..]].concat()).ok()
    };
    place.write("long.tsv", &RTE.replace("cat e1", "cat e1 no e1 cat"));
    let (own, copied) = (predict(&kept.parent().unwrap().display().to_string()), predict("copy"));
    assert!(copied.err.contains("1 of 2 examples were truncated to 7 tokens"), "{}", copied.err);
    assert_eq!(own.out, copied.out);
}

#[test]
fn the_task_decides_the_version_of_squad_and_not_the_files_keys() {
    let place = place();
    let file = |impossible: &str| {
        let question = |id: &str, answers: &str, rest: &str| {
            format!(r#"{{"id": "{id}", "question": "e1", "answers": [{answers}]{rest}}}"#)
        };
        let answered = question("a", r#"{"text": "cat", "answer_start": 3}"#, "");
        let unanswerable = question("b", "", impossible);
        format!(
            r#"{{"version": "1.1", "data": [{{"paragraphs": [{{"context": "no cat no cat no cat no cat no cat", "qas": [{answered}, {unanswerable}]}}]}}]}}"#
        )
    };
    place.write("key.json", &file(r#", "is_impossible": true"#));
    place.write("no-key.json", &file(""));
    let mut scores = Vec::new();
    for name in ["key", "no-key"] {
        let task = |version: u8| {
            let settings = format!(
                "task_settings: {{squad{version}: {{train: {name}.json, dev: {name}.json, max_query_length: 3, doc_stride: 3}}}}\n"
            );
            let of =
                EXPERIMENT.replace("TASK", &format!("squad{version}")).replace("told", &format!("{name}-{version}"));
            place.write("squad.yaml", &(of + &settings));
            place.run(&["run", "squad.yaml", "--slots", "1"])
        };
        task(2).ok();
        let files = place.files(&format!("runs/{name}-2"));
        let read = |name: &str| fs::read_to_string(files.iter().find(|path| path.ends_with(name)).unwrap()).unwrap();
        // Questions are counted, and windows apart.
        let of = &super::program::parse(&read("record.json"))["outcome"]["task"];
        for split in ["train", "dev"] {
            assert_eq!(of["examples"][split], 2, "{of}");
            assert!(of["windows"][split].as_u64().unwrap() > 2, "{of}");
        }
        assert!(read("null_odds.json").contains("\"b\""));
        scores.push(read("scores.json"));
        let refused = task(1).ends_with(2).err;
        assert!(refused.contains("question `b` has no answer, which version 1.1 does not have"), "{refused}");
    }
    assert!(scores[0].contains("\"NoAns_total\": 1"), "{}", scores[0]);
    assert_eq!(scores[0], scores[1]);
}

#[test]
fn figures_of_the_paper_stand_beside_the_published_data_alone() {
    let place = place();
    place.run(&["run", "rte.yaml", "--slots", "1"]).ok();
    let (path, _) = place.records().into_iter().next().unwrap();
    let record = super::program::parse(&fs::read_to_string(path).unwrap());
    assert_eq!(record["outcome"]["task"]["benchmark"], "own data");
    let note =
        "own data, not that of GLUE: RTE/train.tsv has 2 examples, not 2490; RTE/dev.tsv has 2 examples, not 277";
    assert!(record["notes"].as_array().unwrap().iter().any(|said| said == note), "{}", record["notes"]);
    place.run(&["report", "rte.yaml", "-o", "report"]).ok();
    let page = place.read("report/results.md");
    assert!(!page.contains("66.4") && !page.contains("GLUE's server"), "{page}");
    assert!(page.contains("RTE/train.tsv has 2 examples"), "{page}");
}

/// Runs a sweep of several runs, changes a file when the first is done, and gives why the others failed.
fn changed_under_a_sweep(place: &Workplace, file: &str, before: &str, after: &str) -> Vec<String> {
    place.write(file, before);
    let mut sweep = place.start(&["run", "sweep.yaml", "--slots", "1"]);
    wait_until("a first record", || !place.records().is_empty());
    place.write(file, after);
    assert_eq!(sweep.wait(), Some(1));
    let failures = place.files("runs").into_iter().filter(|path| path.ends_with("failure.json"));
    failures.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_file_that_changes_under_a_sweep_fails_the_runs_that_read_it() {
    let many = "sweep: {batch_size: [1, 2], learning_rate: [1e-5, 2e-5, 3e-5, 4e-5], epochs: [40]}";
    let sweep = |task: &str| {
        EXPERIMENT.replace("TASK", task).replace("sweep: {batch_size: [2], learning_rate: [1e-5], epochs: [1]}", many)
    };
    // Gold answers, which are read anew by every run.
    let place = place();
    let tagged = "cat B-PER\nno O\n\ne1 B-PER\nno O\n".repeat(6);
    place.write("train.txt", &tagged);
    place.write("sweep.yaml", &(sweep("my") + "task_settings: {my: {columns: {}, train: train.txt, dev: dev.txt}}\n"));
    let fewer = tagged.replace(" B-PER", " O");
    let failures = changed_under_a_sweep(&place, "dev.txt", &tagged, &fewer);
    assert!(!failures.is_empty());
    for failure in &failures {
        assert!(failure.contains("dev.txt: the file changed while it was in use"), "{failure}");
    }
    // The vocabulary.
    let place = self::place();
    place.write("sweep.yaml", &sweep("rte"));
    let turned = VOCABULARY.replace("cat\ne1\n", "e1\ncat\n");
    let failures = changed_under_a_sweep(&place, "model/vocab.txt", VOCABULARY, &turned);
    assert!(!failures.is_empty());
    for failure in &failures {
        assert!(failure.contains("vocab.txt: the file changed while it was in use"), "{failure}");
    }
}

#[test]
fn a_corpus_whose_next_sentences_are_all_random_says_so() {
    let place = place();
    let prepare = |text: &str| {
        place.write("corpus.txt", text);
        let input = ["--input", "corpus.txt", "--format", "sentences", "--vocab-file", "model/vocab.txt"];
        place.run(&[&["corpus", "prepare", "--out", "c", "--max-length", "16", "--replace"], &input[..]].concat()).ok()
    };
    let told = prepare(&"cat e1 no cat\n\nno e1 cat no\n\n".repeat(9));
    assert!(
        told.err.contains("each has one sentence: none has a next one, so every next sentence is random"),
        "{}",
        told.err
    );
    assert!(!prepare(&"cat e1 no cat\nno e1 cat no\n\n".repeat(9)).err.contains("random"));
}
