//! One holder a run, whoever comes when.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::super::process;
use super::super::{ClaimTimeout, Claims, RunId, RunsRoot, example};

fn id() -> RunId {
    RunId("0123456789ab".to_owned())
}

fn claims(folder: &tempfile::TempDir, timeout: Duration) -> Claims {
    Claims::new(folder.path().join(".claims"), ClaimTimeout(timeout))
}

/// An empty folder, and its claims.
fn scene(timeout: Duration) -> (tempfile::TempDir, Claims) {
    let folder = tempfile::tempdir().unwrap();
    let claims = claims(&folder, timeout);
    (folder, claims)
}

/// The claim of a process that cannot live: it is of this machine, with a start in 1970.
fn dead_claim(folder: &tempfile::TempDir) {
    let note = format!(
        r#"{{"token":"dead","host":"h","machine":"{}","processes":[{{"pid":1,"started_unix":1}}],"since_unix":5}}"#,
        process::machine()
    );
    fs::create_dir_all(folder.path().join(".claims")).unwrap();
    fs::write(folder.path().join(".claims").join(id().0), note).unwrap();
}

#[test]
fn a_held_run_is_nobody_elses_until_it_is_released() {
    let (folder, claims) = scene(Duration::from_mins(1));
    assert_eq!(claims.holder(&id()).unwrap(), None);
    let claim = claims.claim(&id(), &[]).unwrap().unwrap();
    assert!(claims.claim(&id(), &[]).unwrap().is_none());
    assert!(claims.is_held_with(&id(), claim.token()));
    let holder = claims.holder(&id()).unwrap().unwrap();
    assert!(holder.alive && holder.by.ends_with(&format!("process {}", std::process::id())), "{holder:?}");
    drop(claim);
    assert_eq!(claims.holder(&id()).unwrap(), None);
    assert!(claims.claim(&id(), &[]).unwrap().is_some());
    assert_eq!(fs::read_dir(folder.path().join(".claims")).unwrap().count(), 0);
}

#[test]
fn of_many_threads_one_wins_a_free_run_and_a_dead_one() {
    for dead in [false, true] {
        for _ in 0..25 {
            let (folder, claims) = scene(Duration::from_mins(1));
            if dead {
                dead_claim(&folder);
            }
            let start = std::sync::Barrier::new(8);
            let holding = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        let claim = claims.claim(&id(), &[]).unwrap();
                        holding.fetch_add(usize::from(claim.is_some()), Ordering::SeqCst);
                        start.wait();
                    });
                }
            });
            assert_eq!(holding.into_inner(), 1, "dead: {dead}");
        }
    }
}

/// Executors that start clean while others take runs over: each of the two may remove the right that the other is about
/// to use, which is an error to neither.
#[test]
fn taking_over_and_cleaning_do_not_disturb_each_other() {
    for _ in 0..50 {
        let (folder, claims) = scene(Duration::from_mins(1));
        dead_claim(&folder);
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (claims, start) = (&claims, &start);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..5 {
                        if thread % 2 == 0 {
                            claims.clean().unwrap();
                        } else {
                            drop(claims.claim(&id(), &[]).unwrap());
                        }
                    }
                });
            }
        });
        claims.clean().unwrap();
        assert_eq!(fs::read_dir(folder.path().join(".claims")).unwrap().count(), 0);
    }
}

/// Claimers that come and go as fast as they can: at no moment do two hold the run.
#[test]
fn holding_excludes_all_others_at_every_moment() {
    let (folder, claims) = scene(Duration::from_mins(1));
    dead_claim(&folder);
    let (inside, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let deadline = Instant::now() + Duration::from_millis(700);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while Instant::now() < deadline {
                    if let Some(claim) = claims.claim(&id(), &[]).unwrap() {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        assert!(!claim.is_lost() && claims.is_held_with(&id(), claim.token()));
                        held.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(held.into_inner() > 10);
}

/// The claim of a process of another machine, whose file bears a time that lies so many seconds ahead.
fn far_claim(folder: &tempfile::TempDir, beats: u32, seconds_ahead: i64) {
    let path = folder.path().join(".claims").join(id().0);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let note = format!(
        r#"{{"token":"t","host":"far","machine":"ffffffff","processes":[{{"pid":1,"started_unix":1}}],"since_unix":5,"beats":"{beats}"}}"#
    );
    fs::write(&path, note).unwrap();
    let (now, apart) = (SystemTime::now(), Duration::from_secs(seconds_ahead.unsigned_abs()));
    let time = if seconds_ahead > 0 { now + apart } else { now - apart };
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
}

/// Looks at the claim until it can be had, and says how long that took.
fn taken_after(claims: &Claims) -> Duration {
    let start = Instant::now();
    while claims.claim(&id(), &[]).unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(30), "never taken over");
        std::thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

#[test]
fn a_claim_of_another_machine_dies_when_it_was_seen_not_to_change_whatever_time_it_bears() {
    let timeout = Duration::from_millis(400);
    for seconds_ahead in [0, 2 * 86_400, -2 * 86_400] {
        let (folder, claims) = scene(timeout);
        far_claim(&folder, 0, seconds_ahead);
        let holder = claims.holder(&id()).unwrap().unwrap();
        assert_eq!((holder.by.as_str(), holder.alive, holder.since_unix), ("far, process 1", true, 5));
        assert_eq!(holder.silent, seconds_ahead < 0, "by this machine's clock");
        assert_eq!(holder.file, folder.path().join(".claims").join(id().0));
        assert!(taken_after(&claims) >= timeout * 9 / 10, "{seconds_ahead}");
    }
    let (folder, claims) = scene(timeout);
    far_claim(&folder, 0, 0);
    fs::write(folder.path().join(".claims").join(id().0), "").unwrap();
    assert!(taken_after(&claims) >= timeout * 9 / 10, "a damaged claim counts as long");
}

#[test]
fn a_claim_that_changes_lives_though_its_time_stands_still() {
    let (folder, claims) = scene(Duration::from_millis(400));
    let start = Instant::now();
    for beats in 0.. {
        far_claim(&folder, beats, 86_400);
        assert!(claims.claim(&id(), &[]).unwrap().is_none(), "beat {beats}");
        std::thread::sleep(Duration::from_millis(60));
        if start.elapsed() > Duration::from_millis(1500) {
            break;
        }
    }
}

/// Between two looks far apart the other may have beaten, or this process may have been suspended.
#[test]
fn a_look_after_a_long_time_is_no_observation() {
    let (folder, claims) = scene(Duration::from_millis(200));
    far_claim(&folder, 0, 0);
    for _ in 0..4 {
        assert!(claims.claim(&id(), &[]).unwrap().is_none());
        std::thread::sleep(Duration::from_millis(210));
    }
    assert!(claims.claim(&id(), &[]).unwrap().is_some(), "four times a quarter");
}

#[test]
fn a_folder_where_a_claim_belongs_is_no_claim() {
    for holds in [None, Some("something")] {
        let (folder, claims) = scene(Duration::from_mins(1));
        let path = folder.path().join(".claims").join(id().0);
        fs::create_dir_all(&path).unwrap();
        if let Some(file) = holds {
            fs::write(path.join(file), "").unwrap();
        }
        claims.clean().unwrap();
        assert_eq!(claims.holder(&id()).unwrap(), None);
        let claim = claims.claim(&id(), &[]).unwrap().unwrap();
        assert!(claims.is_held_with(&id(), claim.token()));
        let aside = folder.path().join(".claims").join(format!("{}.folder-1/something", id()));
        assert_eq!(aside.is_file(), holds.is_some(), "what somebody put there is not lost");
    }
}

#[test]
fn five_beats_in_a_row_can_be_missed() {
    for milliseconds in [30, 300, 1000, 6000, 60_000, 3_600_000] {
        let timeout = ClaimTimeout(Duration::from_millis(milliseconds));
        assert!(6 * timeout.beat() <= timeout.0, "{timeout:?}");
    }
}

/// Another process looks all the time, for several times the time-out.
#[test]
fn a_beating_heart_keeps_a_claim_beyond_the_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let claims = || claims(&folder, Duration::from_secs(1));
    let claim = claims().claim(&id(), &[]).unwrap().unwrap();
    let (other, start) = (claims(), Instant::now());
    while start.elapsed() < Duration::from_millis(3500) {
        assert!(other.claim(&id(), &[]).unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!claim.is_lost());
}

#[test]
fn a_holder_that_was_superseded_knows_it_and_leaves_the_successor_alone() {
    let (folder, claims) = scene(Duration::from_millis(300));
    let claim = claims.claim(&id(), &[]).unwrap().unwrap();
    dead_claim(&folder);
    let successor = claims.claim(&id(), &[]).unwrap().unwrap();
    example::wait_until("the loss is known", || claim.is_lost());
    drop(claim);
    assert!(claims.is_held_with(&id(), successor.token()) && !successor.is_lost());
}

#[test]
fn a_taker_that_died_half_way_is_succeeded_and_its_traces_go() {
    let (folder, claims) = scene(Duration::from_mins(1));
    let path = folder.path().join(".claims").join(id().0);
    let right = folder.path().join(".claims").join(format!("{}~dead", id()));
    dead_claim(&folder);
    fs::copy(&path, &right).unwrap();
    claims.clean().unwrap();
    assert_eq!(fs::read_dir(folder.path().join(".claims")).unwrap().count(), 0);

    dead_claim(&folder);
    fs::copy(&path, &right).unwrap();
    let claim = claims.claim(&id(), &[]).unwrap().unwrap();
    assert!(claims.is_held_with(&id(), claim.token()) && !right.exists());
    claims.clean().unwrap();
    assert!(claims.is_held_with(&id(), claim.token()), "a live claim is not cleaned");
}

#[test]
fn a_claim_stands_while_one_of_its_processes_lives() {
    let (folder, claims) = scene(Duration::from_mins(1));
    let mut worker = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let claim = claims.claim(&id(), &[worker.id()]).unwrap().unwrap();
    let path = folder.path().join(".claims").join(id().0);
    // As if the parent had died: only the worker is left in the note.
    let mut note: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    note["processes"].as_array_mut().unwrap().remove(0);
    std::mem::forget(claim);
    fs::remove_file(&path).unwrap();
    fs::write(&path, note.to_string()).unwrap();
    assert!(claims.claim(&id(), &[]).unwrap().is_none());
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(claims.claim(&id(), &[]).unwrap().is_some());
}

/// A parent was killed right after its worker had finished the record, and the worker still lives.
#[test]
fn the_claim_of_a_dead_holder_on_a_finished_run_is_cleaned_though_a_worker_lives() {
    let disk = tempfile::tempdir().unwrap();
    let (root, settings) = (RunsRoot::new(disk.path()), example::settings("rte", 1));
    let folder = root.folder("mini", &settings).unwrap();
    let path = disk.path().join("mini/.claims").join(&settings.id().0);
    let note = format!(
        r#"{{"token":"t","host":"h","machine":"{}","processes":[{{"pid":1,"started_unix":1}},{{"pid":{},"started_unix":0}}],"since_unix":5}}"#,
        process::machine(),
        std::process::id()
    );
    folder.begin(&settings).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, note).unwrap();
    root.clean("mini").unwrap();
    assert!(path.exists(), "the worker may still write");
    folder.write_record(&example::record("mini", &settings, Some(0.7))).unwrap();
    root.clean("mini").unwrap();
    assert!(!path.exists());
}
