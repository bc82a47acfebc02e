//! kill -9 at random moments.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bertbench::exec::{Job, Summary};
use bertbench::random::Stream;
use bertbench::store::{RunId, RunsRoot};

use super::fake::{assert_each_done_once, execute, start};
use super::jobs::{fine_jobs, settings};

/// The records so far, byte for byte: each names the attempt that made it.
fn records(root: &Path, jobs: &[Job]) -> BTreeMap<RunId, Vec<u8>> {
    let root = RunsRoot::new(root);
    let read = |job: &Job| {
        let folder = job.folder(&root).unwrap();
        let bytes = fs::read(folder.path().join("record.json")).ok()?;
        assert!(folder.record().unwrap().is_some(), "a record is whole as soon as it is there");
        Some((job.id.clone(), bytes))
    };
    jobs.iter().filter_map(read).collect()
}

#[test]
fn ten_times_killed_at_random_no_run_is_lost_half_written_or_done_twice() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = fine_jobs(40, 2, 10);
    let mut draws = Stream::new(9, "test").at(0);
    let mut before = BTreeMap::new();
    for round in 0..10 {
        let mut executor = start("executor", disk.path(), &jobs, Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(30 + draws.below(250) as u64));
        executor.kill().unwrap();
        executor.wait().unwrap();
        let now = records(disk.path(), &jobs);
        for (id, record) in &before {
            assert_eq!(now.get(id), Some(record), "round {round}: {id} was done again");
        }
        before = now;
    }
    let last = execute(disk.path(), jobs.clone(), 2);
    // A worker may have finished its record between the count and its death.
    assert!(last.skipped >= before.len() && last.skipped + last.done == 40, "{last:?}");
    let after = records(disk.path(), &jobs);
    assert!(before.iter().all(|(id, record)| after.get(id) == Some(record)));
    assert_each_done_once(disk.path(), &jobs);
    assert_eq!(execute(disk.path(), jobs.clone(), 2), Summary { skipped: 40, ..Summary::default() });

    let root = RunsRoot::new(disk.path());
    let mut kept = jobs.iter().filter(|job| job.folder(&root).unwrap().model_folder().exists());
    let best = jobs.iter().filter(|job| settings(job).seed % 10 == 7).min_by(|a, b| a.id.cmp(&b.id)).unwrap();
    assert_eq!(kept.next().map(|job| &job.id), Some(&best.id), "the best run's weights remain");
    assert_eq!(kept.next(), None);
    assert_eq!(
        fs::read_to_string(best.folder(&root).unwrap().model_folder().join("model.safetensors")).unwrap(),
        best.id.0
    );
}
