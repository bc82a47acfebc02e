//! `bertbench pretrain`: a run that is stopped, killed or damaged ends with the same bits as one that is left alone.

mod export;
mod left_to_right;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bertbench::random::Stream;
use serde_json::Value;

/// Steps of both phases.
const STEPS: u64 = 60;
/// A run of two phases with everything that a checkpoint must bring back: accumulation, dropout, a cursor that goes
/// through several epochs, evaluation, a log whose lines tell of several steps.
const RUN: &str = "pretrain --corpus short --steps 45 --corpus long --steps 15 --held-out held --layers 2 --hidden 32 \
                   --heads 2 --max-positions 48 --batch-size 16 --gradient-accumulation-steps 2 --learning-rate 1e-3 \
                   --warmup-steps 10 --eval-steps 20 --logging-steps 7 --save-steps 4 --save-minutes 0 --threads 2";

/// A folder with two corpora to train on, `short` and `long`, and one to evaluate on, `held`.
struct Place(tempfile::TempDir);

/// What a run leaves.
#[derive(Debug, PartialEq)]
struct Result {
    /// Every file of the model.
    model: BTreeMap<String, Vec<u8>>,
    /// The lines of the log, without what the clock decides.
    log: Vec<Value>,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let mut draws = Stream::new(1, "text").at(0);
        let mut text = |documents: usize| {
            let mut text = String::new();
            for _ in 0..documents {
                for _ in 0..2 + draws.below(5) {
                    let words: Vec<String> = (0..3 + draws.below(9)).map(|_| format!("w{}", draws.below(90))).collect();
                    writeln!(text, "{} .", words.join(" ")).unwrap();
                }
                text.push('\n');
            }
            text
        };
        std::fs::write(place.path("train.txt"), text(40)).unwrap();
        std::fs::write(place.path("held.txt"), text(10)).unwrap();
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."].map(str::to_owned);
        let tokens: Vec<String> = special.into_iter().chain((0..90).map(|word| format!("w{word}"))).collect();
        std::fs::write(place.path("vocab.txt"), tokens.join("\n") + "\n").unwrap();
        for (out, input, length) in [("short", "train", 24), ("long", "train", 48), ("held", "held", 24)] {
            let prepare = format!(
                "corpus prepare --input {input}.txt --format sentences --vocab-file vocab.txt --out {out} --max-length \
                 {length} --dupe-factor 2"
            );
            succeeded(&place.run(&prepare));
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bertbench"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// The run in the folder `out`, to its end.
    fn pretrain(&self, out: &str) -> Output {
        let output = self.run(&format!("{RUN} --out {out}"));
        succeeded(&output);
        output
    }

    fn start(&self, out: &str) -> Child {
        self.command(&format!("{RUN} --out {out}")).spawn().unwrap()
    }

    fn result(&self, out: &str) -> Result {
        let log = std::fs::read_to_string(self.path(out).join("metrics.jsonl")).unwrap();
        let line = |line: &str| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove("tokens_per_second");
            event
        };
        Result { model: content(&self.path(out).join("model")), log: log.lines().map(line).collect() }
    }

    /// The checkpoints, the newest last.
    fn checkpoints(&self, out: &str) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path(out).join("checkpoints")) else { return Vec::new() };
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("step-"));
        found.sort();
        found
    }

    /// Waits until the run has so many checkpoints, and kills it.
    fn kill_after_checkpoints(&self, out: &str, count: usize) {
        let mut child = self.start(out);
        let begin = Instant::now();
        while self.checkpoints(out).len() < count {
            assert!(begin.elapsed() < Duration::from_mins(2), "no checkpoints");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!self.path(out).join("model").exists(), "it was killed at work");
    }
}

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", err(output));
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_run_that_is_killed_at_any_moment_ends_with_the_same_bits() {
    let place = Place::new();
    let begin = Instant::now();
    place.pretrain("whole");
    let whole = begin.elapsed();
    let expected = place.result("whole");
    // Moments from the start of the process, when nothing is open yet, to a third of the run.
    let mut draws = Stream::new(7, "kills").at(0);
    let mut kills = 0;
    for round in 0.. {
        let (out, mut ended) = (format!("killed{round}"), false);
        while !ended {
            let mut child = place.start(&out);
            let moment = whole.mul_f64(draws.uniform() / 3.0);
            let begin = Instant::now();
            while begin.elapsed() < moment && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            ended = child.wait().unwrap().success();
            kills += u32::from(!ended);
        }
        let last = place.pretrain(&out);
        assert!(!err(&last).contains("cannot be used"), "a kill leaves no damaged checkpoint: {}", err(&last));
        assert_eq!(place.result(&out), expected);
        if kills >= 20 {
            break;
        }
    }
    let steps: Vec<u64> = expected.log.iter().map(|event| event["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [7, 14, 20, 21, 28, 35, 40, 42, 49, 56, STEPS, STEPS], "lines, and evaluations among them");
}

#[cfg(unix)]
#[test]
fn signals_write_a_checkpoint_and_the_same_command_goes_on() {
    let place = Place::new();
    place.pretrain("whole");
    let mut stops = 0;
    for (turn, name) in ["INT", "TERM", "USR1", "TERM", "INT", "USR1"].into_iter().enumerate() {
        let mut child = place.start("stopped");
        let before = place.checkpoints("stopped").pop();
        let begin = Instant::now();
        // A checkpoint is written, so the handlers are there.
        while place.checkpoints("stopped").pop() == before && child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_mins(2), "no checkpoint");
            std::thread::sleep(Duration::from_millis(1 + turn as u64));
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.code(), Some(130), "{}", err(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        let step = said.strip_prefix("stopped after step ").and_then(|rest| rest.split(' ').next()).unwrap();
        let newest = place.checkpoints("stopped").pop().unwrap();
        assert!(newest.ends_with(format!("step-{:07}", step.parse::<u64>().unwrap())), "{said}{}", newest.display());
        stops += 1;
    }
    assert!(stops >= 2, "{stops} stops");
    place.pretrain("stopped");
    assert_eq!(place.result("stopped"), place.result("whole"));
}

/// A bit, the end, or a whole file of the newest checkpoint.
#[test]
fn a_damaged_checkpoint_is_said_and_the_one_before_is_used() {
    type Damage = fn(&Path);
    let flip: Damage = |folder| {
        let path = folder.join("parameters.f32");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        std::fs::write(path, bytes).unwrap();
    };
    let truncate: Damage = |folder| {
        let file = std::fs::File::options().write(true).open(folder.join("moments.bin")).unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    };
    let lose: Damage = |folder| std::fs::remove_file(folder.join("state.json")).unwrap();
    let place = Place::new();
    place.pretrain("whole");
    let cases =
        [("parameters.f32 is damaged", flip), ("moments.bin is damaged", truncate), ("state.json is missing", lose)];
    for (number, (said, damage)) in cases.into_iter().enumerate() {
        let out = format!("damaged{number}");
        place.kill_after_checkpoints(&out, 2);
        let [.., before, newest] = &place.checkpoints(&out)[..] else { panic!("two checkpoints") };
        damage(newest);
        let told = err(&place.pretrain(&out));
        let name = newest.file_name().unwrap().to_str().unwrap();
        assert!(told.contains(name) && told.contains("cannot be used") && told.contains(said), "{told}");
        let step: u64 = before.file_name().unwrap().to_str().unwrap()["step-".len()..].parse().unwrap();
        assert!(told.contains(&format!("resuming after step {step} of {STEPS}")), "{told}");
        assert_eq!(place.result(&out), place.result("whole"), "{said}");
    }
    // Without any whole one, from the start.
    place.kill_after_checkpoints("none", 1);
    place.checkpoints("none").iter().for_each(|checkpoint| truncate(checkpoint));
    let told = err(&place.pretrain("none"));
    assert!(told.contains("cannot be used") && !told.contains("going on"), "{told}");
    assert_eq!(place.result("none"), place.result("whole"));
}

#[test]
fn threads_change_no_bit_and_training_learns() {
    let place = Place::new();
    place.pretrain("two");
    succeeded(&place.run(&format!("{} --out one", RUN.replace("--threads 2", "--threads 1"))));
    let (one, two) = (place.result("one"), place.result("two"));
    assert_eq!(one, two);
    let losses: Vec<f64> = one.log.iter().filter_map(|event| event["mlm_loss"].as_f64()).collect();
    // From a uniform guess among 96 tokens.
    let uniform = 96f64.ln();
    assert!((losses[0] - uniform).abs() < 0.3, "{losses:?}");
    assert!(losses[losses.len() - 1] < losses[0] - 0.1, "{losses:?}");
    let evaluations: Vec<&Value> = one.log.iter().filter(|event| event["event"] == "evaluation").collect();
    for evaluation in &evaluations {
        let score = |metric: &str| {
            let scores = evaluation["scores"].as_array().unwrap();
            scores.iter().find(|score| score["metric"] == metric).unwrap()["value"].as_f64().unwrap()
        };
        let (loss, perplexity) = (score("mlm_loss"), score("perplexity"));
        assert!((loss.exp() / perplexity - 1.0).abs() < 1e-12);
    }
    assert_eq!(evaluations.len(), 3);
}

#[test]
fn what_is_pretrained_is_a_start_of_further_pretraining_and_of_fine_tuning() {
    let place = Place::new();
    place.pretrain("first");
    let config: Value = serde_json::from_slice(&place.result("first").model["config.json"]).unwrap();
    assert_eq!(config["architectures"], serde_json::json!(["BertForPreTraining"]));
    let further =
        "pretrain --corpus long --steps 3 --init-checkpoint first/model --batch-size 4 --warmup-steps 1 --out further";
    let told = place.run(further);
    succeeded(&told);
    assert!(!err(&told).contains("random"), "{}", err(&told));
    let alone = place.run(&format!("{further}-alone --no-nsp"));
    succeeded(&alone);
    let config: Value = serde_json::from_slice(&content(&place.path("further-alone/model"))["config.json"]).unwrap();
    assert_eq!(config["architectures"], serde_json::json!(["BertForMaskedLM"]));
    let scores = std::fs::read_to_string(place.path("further-alone/metrics.jsonl")).unwrap();
    assert!(!scores.contains("nsp"), "{scores}");
    for model in ["first/model", "further-alone/model"] {
        let device = burn::tensor::Device::flex();
        let kind = bertbench::model::Head::Classes;
        let wanted = bertbench::model::WantedHead { kind, names: &[], outputs: 2, next_token: false };
        let loaded = bertbench::model::load_to_train(&place.path(model), wanted, None, 1, &device).unwrap();
        assert_eq!(loaded.config.architecture.vocab_size, 96);
        assert_eq!(model.starts_with("first"), !loaded.notes.iter().any(|note| note.contains("no pooler")));
    }
}

#[test]
fn a_done_run_is_not_done_again_and_what_does_not_fit_is_refused() {
    let place = Place::new();
    place.pretrain("run");
    let again = place.pretrain("run");
    assert!(String::from_utf8_lossy(&again.stdout).contains("all 60 steps were already done"));
    let refused = |line: &str, said: &[&str]| {
        let output = place.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", err(&output));
        for said in said {
            assert!(err(&output).contains(said), "{line}: {}", err(&output));
        }
    };
    let other = RUN.replace("--warmup-steps 10", "--warmup-steps 11");
    refused(
        &format!("{other} --out run"),
        &["other settings", "`optimization.warmup.steps` is 11 and was 10", "another folder"],
    );
    refused(&format!("{RUN} --out short"), &["not empty", "does not exist yet"]);
    refused(&format!("{} --out x", RUN.replace("--steps 15", "")), &["`--corpus` is given 2 times"]);
    refused(
        &format!("{} --out x", RUN.replace("--max-positions 48", "--max-positions 32")),
        &["48 tokens", "32 positions"],
    );
    refused(&format!("{} --out x", RUN.replace("--heads 2", "--heads 3")), &["does not divide"]);
    refused(&format!("{RUN} --dropout 1 --out x"), &["dropout"]);
    refused(&format!("{RUN} --learning-rate NaN --out x"), &["learning"]);
    refused(&format!("{} --out x", RUN.replace("--corpus long", "--corpus nowhere")), &["nowhere"]);
    for (name, options, said) in
        [("single", "--segments single", "no next sentence to predict"), ("next", "--causal-lm", "left-to-right")]
    {
        let input = "--input train.txt --format sentences --vocab-file vocab.txt --max-length 24 --dupe-factor 1";
        succeeded(&place.run(&format!("corpus prepare {input} --out {name} {options}")));
        refused(&format!("{} --out x", RUN.replace("--corpus short", &format!("--corpus {name}"))), &[said]);
    }
    assert!(!place.path("x").exists(), "nothing was written");
}

#[test]
fn two_processes_do_not_work_on_one_run() {
    let place = Place::new();
    // Of many steps, so that it is at work whenever the second looks.
    let run = format!("{} --out run", RUN.replace("--steps 45", "--steps 1000000"));
    let mut first = place.command(&run).spawn().unwrap();
    let begin = Instant::now();
    while place.checkpoints("run").is_empty() {
        assert!(begin.elapsed() < Duration::from_mins(2), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = place.run(&run);
    assert!(first.try_wait().unwrap().is_none(), "the first still works");
    assert_eq!(second.status.code(), Some(2), "{}", err(&second));
    assert!(err(&second).contains("another process is working"), "{}", err(&second));
    first.kill().unwrap();
    first.wait().unwrap();
}
