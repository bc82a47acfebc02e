//! Several executors on one experiment.

use std::fs;
use std::time::Duration;

use bertbench::exec::Summary;
use bertbench::store::RunsRoot;

use super::fake::{assert_each_done_once, closed_gate, completed, ends_well, execute, signal, start, wait_until};
use super::jobs::{EXPERIMENT, fine_jobs, job};

const MINUTE: Duration = Duration::from_mins(1);

fn summary(root: &std::path::Path, pid: u32) -> String {
    fs::read_to_string(root.join(format!(".summary-{pid}"))).unwrap()
}

#[test]
fn two_executors_share_forty_jobs_and_do_each_once() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = fine_jobs(40, 3, 5);
    let gate = closed_gate(disk.path());
    let mut children = [0, 1].map(|_| start("executor", disk.path(), &jobs, MINUTE));
    let claims = RunsRoot::new(disk.path()).claims(EXPERIMENT).unwrap();
    let holders = || jobs.iter().filter_map(|job| claims.holder(&job.id).unwrap()).map(|holder| holder.by);
    for child in &children {
        let it = format!("process {}", child.id());
        wait_until("a claim of each", || holders().any(|holder| holder.ends_with(&it)));
    }
    fs::remove_file(gate).unwrap();
    for child in &mut children {
        ends_well(disk.path(), child);
    }
    assert_each_done_once(disk.path(), &jobs);
    assert_eq!(completed(disk.path()).len(), 40);
    let done = children.map(|child| {
        let text = summary(disk.path(), child.id());
        let number = |name: &str| {
            let rest = text.split_once(&format!("{name}: ")).unwrap().1;
            rest.split([',', ' ']).next().unwrap().parse::<usize>().unwrap()
        };
        assert_eq!(number("done") + number("skipped"), 40, "{text}");
        number("done")
    });
    assert_eq!(done[0] + done[1], 40);
    assert!(done[0] > 0 && done[1] > 0, "both took part: {done:?}");
}

#[test]
fn a_killed_holder_is_succeeded_at_once() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = fine_jobs(1, 1, 1);
    let mut holder = start("holder", disk.path(), &jobs, MINUTE);
    let claims = RunsRoot::new(disk.path()).claims(EXPERIMENT).unwrap();
    wait_until("a claim", || claims.holder(&jobs[0].id).unwrap().is_some());
    assert!(claims.claim(&jobs[0].id, &[]).unwrap().is_none());
    holder.kill().unwrap();
    // Not waited for, so it is a zombie, as orphans in a container often stay.
    wait_until("the end of the holder", || !claims.holder(&jobs[0].id).unwrap().unwrap().alive);
    assert_eq!(execute(disk.path(), jobs.clone(), 1), Summary { done: 1, ..Summary::default() });
    assert_each_done_once(disk.path(), &jobs);
    holder.wait().unwrap();
}

#[test]
fn runs_of_an_executor_that_dies_are_taken_over_by_one_that_waits() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = vec![job("fine", 1, 60, 50), job("fine", 2, 60, 50)];
    let claims = RunsRoot::new(disk.path()).claims(EXPERIMENT).unwrap();
    let mut first = start("executor", disk.path(), &jobs, MINUTE);
    wait_until("claims", || jobs.iter().all(|job| claims.holder(&job.id).unwrap().is_some()));
    let mut second = start("executor", disk.path(), &jobs, MINUTE);
    std::thread::sleep(Duration::from_millis(300));
    first.kill().unwrap();
    first.wait().unwrap();
    ends_well(disk.path(), &mut second);
    assert_each_done_once(disk.path(), &jobs);
    assert!(summary(disk.path(), second.id()).contains("done: 2"));
}

/// As when a laptop sleeps: the first executor wakes up, finds its run taken, and leaves it.
#[test]
fn an_executor_that_was_suspended_gives_up_what_was_taken_over() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = vec![job("fine", 1, 40, 50)];
    let claims = RunsRoot::new(disk.path()).claims(EXPERIMENT).unwrap();
    let timeout = Duration::from_secs(1);
    let mut first = start("executor", disk.path(), &jobs, timeout);
    wait_until("a claim", || claims.holder(&jobs[0].id).unwrap().is_some());
    std::thread::sleep(Duration::from_millis(300));
    signal("STOP", &first, true);
    let mut second = start("executor", disk.path(), &jobs, timeout);
    let taken = |pid: u32| move |by: &str| by.ends_with(&format!("process {pid}"));
    let of_second = taken(second.id());
    wait_until("a take-over", || claims.holder(&jobs[0].id).unwrap().is_some_and(|holder| of_second(&holder.by)));
    signal("CONT", &first, true);
    ends_well(disk.path(), &mut first);
    ends_well(disk.path(), &mut second);
    assert_each_done_once(disk.path(), &jobs);
    assert_eq!(completed(disk.path()).len(), 1);
    assert!(summary(disk.path(), first.id()).contains("done: 0, skipped: 1"));
}

#[test]
fn ctrl_c_reaches_the_whole_group_but_the_parent_decides() {
    let disk = tempfile::tempdir().unwrap();
    let jobs = fine_jobs(30, 20, 10);
    let mut child = start("executor", disk.path(), &jobs, MINUTE);
    wait_until("two finished runs", || completed(disk.path()).len() >= 2);
    signal("INT", &child, true);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let root = RunsRoot::new(disk.path());
    let folders = root.folders(EXPERIMENT).unwrap();
    let done = folders.iter().filter_map(|folder| folder.record().unwrap()).count();
    assert!(done < 30);
    assert_eq!(root.failures(EXPERIMENT).unwrap().len(), 0, "{:?}", summary(disk.path(), child.id()));
    let rest = execute(disk.path(), jobs.clone(), 2);
    assert_eq!((rest.skipped, rest.skipped + rest.done), (done, 30));
    assert_each_done_once(disk.path(), &jobs);
}
