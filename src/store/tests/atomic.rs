//! Files that appear whole, and what dead processes leave.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::super::atomic::{
    TEMPORARY, clean, publish_folder, remove, stage_folder, temporary_file, write, write_json, write_new,
};
use super::super::process;

#[test]
fn a_file_is_replaced_whole_and_no_temporary_name_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    write(&path, b"one").unwrap();
    write_json(&path, &[1, 2]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn of_many_who_write_a_new_file_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    let wins: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let path = &path;
                scope.spawn(move || write_new(path, &[n]).unwrap())
            })
            .collect();
        tries.into_iter().map(|handle| usize::from(handle.join().unwrap())).sum()
    });
    assert_eq!(wins, 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn writing_into_a_missing_folder_names_the_file() {
    let error = write(Path::new("no/such/folder/x.json"), b"").unwrap_err();
    assert!(error.to_string().starts_with("cannot write no/such/folder/x.json: "), "{error}");
}

#[cfg(unix)]
#[test]
fn others_may_read_what_was_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a"), b"").unwrap();
    File::create(folder.path().join("b")).unwrap();
    let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("a"), mode("b"), "the same as any new file under this umask");
}

#[test]
fn left_overs_of_dead_processes_go_and_those_in_use_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new("sleep").arg("0").spawn().unwrap();
    child.wait().unwrap();
    let dead = folder.path().join(format!("{TEMPORARY}{}-{}-1-x", process::machine(), child.id()));
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("model.safetensors"), "x").unwrap();
    let elsewhere = folder.path().join(format!("{TEMPORARY}othermachine-1-1-x"));
    fs::write(&elsewhere, "x").unwrap();
    let mine = temporary_file(folder.path()).unwrap();
    assert_eq!(clean(folder.path()).unwrap(), 1);
    assert!(!dead.exists() && elsewhere.exists() && mine.path().exists());

    File::open(&elsewhere).unwrap().set_modified(SystemTime::now() - Duration::from_secs(3601)).unwrap();
    assert_eq!(clean(folder.path()).unwrap(), 1);
    assert!(!elsewhere.exists());
}

#[test]
fn a_folder_is_published_whole_and_removed_whole() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    for round in ["one", "two"] {
        let staged = stage_folder(&model).unwrap();
        fs::write(staged.join("config.json"), round).unwrap();
        publish_folder(&staged, &model).unwrap();
        assert_eq!(fs::read_to_string(model.join("config.json")).unwrap(), round);
    }
    remove(&model).unwrap();
    remove(&model).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
