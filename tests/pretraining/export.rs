//! `bertbench corpus export`, and `bertbench pretrain --gradient-checkpointing`.

use bertbench::corpus::examples::{Cursor, ExampleSet, TrainingInstance};
use serde_json::{Value, json};

use super::{Place, RUN, err, succeeded};

fn lines(text: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(text).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(example: &TrainingInstance, step: Option<u64>) -> Value {
    let mut line = json!({
        "ids": example.ids,
        "segments": example.segments,
        "masked_positions": example.masked_positions,
        "masked_labels": example.masked_labels,
        "next_is_random": example.next_is_random,
    });
    if let Some(step) = step {
        line["step"] = step.into();
    }
    line
}

#[test]
fn exported_steps_are_what_training_reads() {
    let place = Place::new();
    let steps = "--corpus short --steps 30 --batch-size 16 --seed 3";
    let trained = place.run(&format!("pretrain {steps} --layers 1 --hidden 16 --heads 2 --warmup-steps 1 --out run"));
    succeeded(&trained);
    let exported = place.run("corpus export short --steps 30 --batch-size 16 --seed 3 --out batches.jsonl --threads 1");
    succeeded(&exported);
    assert_eq!(String::from_utf8_lossy(&exported.stdout), "batches.jsonl: 480 examples\n");
    let file = std::fs::read(place.path("batches.jsonl")).unwrap();
    let piped = place.run("corpus export short --steps 30 --batch-size 16 --seed 3 --out - --threads 2");
    assert_eq!(piped.stdout, file, "threads change nothing, and a pipe has nothing else in it");
    let written = lines(&file);
    let tokens: usize = written.iter().map(|line| line["ids"].as_array().unwrap().len()).sum();
    assert!(String::from_utf8_lossy(&trained.stdout).contains(&format!("30 steps on {tokens} tokens")));
    let (set, mut cursor) = (ExampleSet::open(&place.path("short")).unwrap(), Cursor::default());
    for (step, written) in (1..).zip(written.chunks(16)) {
        let (numbers, after) = set.order(3).batch(cursor, 16);
        let examples = set.examples(&numbers).unwrap();
        assert_eq!(written, examples.iter().map(|example| line(example, Some(step))).collect::<Vec<_>>());
        cursor = after;
    }
    assert!(cursor.epoch > 0, "an epoch ends, and the next has other masks");
}

#[test]
fn without_steps_every_example_is_exported_as_it_is_evaluated() {
    let place = Place::new();
    let exported = place.run("corpus export held --out -");
    succeeded(&exported);
    let set = ExampleSet::open(&place.path("held")).unwrap();
    let examples = (0..set.len()).map(|number| line(&set.example(number, 0).unwrap(), None));
    assert_eq!(lines(&exported.stdout), examples.collect::<Vec<_>>());
    let refused = [
        ("corpus export nowhere --out x.jsonl", "nowhere"),
        ("corpus export held --seed 2 --out x.jsonl", "--steps"),
        ("corpus export held --steps 0 --out x.jsonl", "--steps"),
    ];
    for (command, said) in refused {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(err(&output).contains(said), "{command}: {}", err(&output));
    }
    assert!(!place.path("x.jsonl").exists());
}

#[test]
fn layers_computed_twice_change_no_bit_and_a_run_may_go_on_with_them() {
    let place = Place::new();
    place.pretrain("whole");
    succeeded(&place.run(&format!("{RUN} --gradient-checkpointing --out twice")));
    assert_eq!(place.result("twice"), place.result("whole"));
    place.kill_after_checkpoints("changed", 1);
    succeeded(&place.run(&format!("{RUN} --gradient-checkpointing --out changed")));
    assert_eq!(place.result("changed"), place.result("whole"));
}
