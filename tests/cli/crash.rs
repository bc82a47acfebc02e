//! kill -9 at random moments, ten times, with a new start each time.

use std::time::{Duration, Instant};

use bertbench::random::Stream;

use super::program::{Started, TINY, Workplace, is_running, kill, wait_until};

/// How often the sweep is killed.
const KILLS: u64 = 10;

/// A sweep of 24 runs.
fn sweep() -> String {
    let longer = TINY.replace("tiny", "small").replace("epochs: [1]", "epochs: [4, 8]");
    longer.replace("seeds: [1]", "seeds: [1, 2, 3]")
}

fn with_sweep() -> Workplace {
    let place = Workplace::new();
    place.write("small.yaml", &sweep());
    place
}

/// Who is killed.
#[derive(Clone, Copy)]
enum Victims {
    /// Parent and workers at the same moment, as when the machine fails.
    Everyone,
    /// The parent; the workers see that it is gone.
    Parent,
    /// The workers first, so that the parent writes down failures, and soon after everyone.
    Workers,
}

const VICTIMS: [Victims; 3] = [Victims::Everyone, Victims::Parent, Victims::Workers];

fn strike(sweep: &Started, victims: Victims, pause: Duration) {
    match victims {
        Victims::Everyone => sweep.signal_group("KILL"),
        Victims::Parent => {
            let workers = sweep.workers();
            sweep.signal("KILL");
            wait_until("orphaned workers end", || !workers.iter().any(|worker| is_running(*worker)));
        }
        Victims::Workers => {
            sweep.workers().into_iter().for_each(|worker| kill("KILL", &worker.to_string()));
            std::thread::sleep(pause);
            sweep.signal_group("KILL");
        }
    }
}

#[test]
fn ten_times_killed_the_results_are_those_of_an_uninterrupted_sweep() {
    let uninterrupted = with_sweep();
    let start = Instant::now();
    uninterrupted.run(&["run", "small.yaml", "--slots", "2"]).ok();
    let whole = start.elapsed();

    let place = with_sweep();
    let mut draws = Stream::new(3, "test").at(0);
    // Ten times half of 0.22 is a little more than one whole sweep: the last kills come near its end.
    let mut moment = |most: f64| whole.mul_f64(most * draws.below(1000) as f64 / 1000.0);
    let (mut before, mut met_at_work) = (place.records(), 0);
    for round in 0..KILLS {
        let mut sweep = place.start(&["run", "small.yaml", "--slots", "2", "--retry-failed"]);
        std::thread::sleep(moment(0.22));
        met_at_work += u64::from(!sweep.has_ended());
        strike(&sweep, VICTIMS[round as usize % VICTIMS.len()], moment(0.02));
        drop(sweep);
        let now = place.records();
        for (path, record) in &before {
            assert_eq!(now.get(path), Some(record), "round {round}: a finished run was done again");
        }
        before = now;
    }
    assert!(met_at_work >= KILLS / 2, "only {met_at_work} kills met the sweep at work");

    let told = place.run(&["run", "small.yaml", "--slots", "2", "--retry-failed"]).ok();
    let after = place.records();
    assert_eq!(after.len(), 24, "{}", told.out);
    assert!(before.iter().all(|(path, record)| after.get(path) == Some(record)), "a finished run was done again");
    place.assert_tidy();
    let (actual, expected) = (place.results("small.yaml", "small"), uninterrupted.results("small.yaml", "small"));
    assert_eq!(actual, expected);
    let again = place.run(&["run", "small.yaml"]).ok();
    assert_eq!(again.out, "small: 0 done now, 24 before, 0 failed, 0 interrupted\n");
}
