//! `submit`, `status` and `cancel` against a Slurm of shell scripts: `sbatch` keeps what it is given, and the test does
//! the array tasks. `just test-slurm` does the same with real daemons.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::program::{TINY, Told, Totals, Workplace, kill, wait_until};
use super::reading::snapshot;

/// Jobs are folders in `$FAKE/jobs`, with a file for every array task: `STATE|NODE|SINCE|REASON`.
const SBATCH: &str = r#"#!/bin/bash
[[ $1 == --parsable ]] || exit 9
[[ -e $FAKE/refuses ]] && { echo "sbatch: error: Batch job submission failed: Invalid partition" >&2; exit 1; }
job=$(( $(ls "$FAKE/jobs" | wc -l) + 1 ))
mkdir "$FAKE/jobs/$job"
cp "$2" "$FAKE/jobs/$job/script"
sed -n 's/^#SBATCH --job-name=//p' "$2" > "$FAKE/jobs/$job/name"
for task in $(seq "$(sed -n 's/^#SBATCH --array=1-\([0-9]*\).*/\1/p' "$2")"); do
    echo "PENDING||N/A|Resources" > "$FAKE/jobs/$job/task-$task"
done
echo "$job"
"#;

const SQUEUE: &str = r#"#!/bin/bash
for argument; do [[ $argument == --name=* ]] && name=${argument#--name=}; done
for task in "$FAKE"/jobs/*/task-*; do
    [[ -e $task && $(cat "${task%/*}/name") == "$name" ]] || continue
    job=${task%/*}
    echo "${job##*/}_${task##*-}|$(cat "$task")"
done
"#;

const SCONTROL: &str = r#"#!/bin/bash
case "$1" in
show) echo "MaxArraySize            = $(cat "$FAKE/max-array-size")" ;;
requeue) echo "PENDING||N/A|BeginTime" > "$FAKE/jobs/${2%_*}/task-${2#*_}" ;;
esac
"#;

const SCANCEL: &str = r#"#!/bin/bash
for job; do for task in "$FAKE/jobs/$job"/task-*; do
    grep -q '^PENDING\|^RUNNING' "$task" && echo 'CANCELLED||N/A|None' > "$task"
done; done
exit 0
"#;

const SACCT: &str = r#"#!/bin/bash
cat "$FAKE/accounting" 2>/dev/null || { echo "Slurm accounting storage is disabled" >&2; exit 1; }
"#;

struct Cluster {
    place: Workplace,
}

impl Cluster {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let place = Workplace::with_tiny();
        for (name, script) in
            [("sbatch", SBATCH), ("squeue", SQUEUE), ("scontrol", SCONTROL), ("scancel", SCANCEL), ("sacct", SACCT)]
        {
            let name = format!("bin/{name}");
            place.write(&name, script);
            fs::set_permissions(place.path(&name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir_all(place.path("fake/jobs")).unwrap();
        place.write("fake/max-array-size", "1001");
        Self { place }
    }

    fn environment(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", self.place.path("bin").display()))
            .env("FAKE", self.place.path("fake"));
    }

    fn run(&self, arguments: &[&str]) -> Told {
        let mut command = self.place.command(arguments);
        self.environment(&mut command);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let command = format!("bertbench {}", arguments.join(" "));
        Told { command, code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn jobs(&self) -> usize {
        fs::read_dir(self.place.path("fake/jobs")).unwrap().count()
    }

    fn set(&self, job: u32, task: u32, state: &str) {
        self.place.write(&format!("fake/jobs/{job}/task-{task}"), state);
    }

    fn script(&self, job: u32) -> String {
        self.place.read(&format!("fake/jobs/{job}/script"))
    }

    /// Starts an array task, in the folder that the script asks for.
    fn start(&self, job: u32, task: u32) -> Child {
        self.set(job, task, "RUNNING|n1|2026-01-01T00:00:00|None");
        let folder = self.script(job).lines().find_map(|line| line.strip_prefix("#SBATCH --chdir=").map(PathBuf::from));
        let mut command = Command::new("bash");
        self.environment(&mut command);
        command.arg(self.place.path(&format!("fake/jobs/{job}/script"))).current_dir(folder.unwrap());
        command.env("SLURM_ARRAY_JOB_ID", job.to_string()).env("SLURM_ARRAY_TASK_ID", task.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for an array task that must succeed; gives what it said.
    fn finish(&self, (job, task): (u32, u32), child: Child) -> String {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "array task {job}_{task}: {said}{error}");
        self.set(job, task, "COMPLETED|n1|2026-01-01T00:00:00|None");
        said
    }

    fn totals(&self) -> Totals {
        self.place.totals(&["tiny.yaml"])
    }
}

/// The number before ` done now`.
fn done_now(said: &str) -> u64 {
    let line = said.lines().find(|line| line.contains(" done now")).unwrap_or_else(|| panic!("{said}"));
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn array_tasks_and_a_local_run_share_a_sweep_and_its_report_is_that_of_one_machine() {
    let cluster = Cluster::new();
    let place = &cluster.place;
    // At most three tasks an array, so four runs are two arrays.
    place.write("fake/max-array-size", "4");
    let told = cluster.run(&["submit", "tiny.yaml", "--minutes-per-task", "0", "--array-parallelism", "2"]).ok();
    assert!(told.out.ends_with("tiny: 4 sent\n"), "{}", told.out);
    assert_eq!(cluster.jobs(), 2);
    assert!(cluster.script(1).contains("\n#SBATCH --array=1-3%2\n") && cluster.script(2).contains("--array=1-1%2\n"));
    let list = place.read("runs/tiny/.slurm/1/runs-1.txt") + &place.read("runs/tiny/.slurm/1/runs-2.txt");
    assert_eq!(list.lines().filter(|line| line.len() == 12).count(), 4, "{list}");
    let status = cluster.run(&["status", "tiny.yaml"]).ok().out;
    assert!(status.contains("tiny: 0 done, 0 running, 0 failed, 0 missing, 4 queued, 0 pre-empted\n"), "{status}");
    assert!(status.contains("queued: 4 runs wait for a node, Resources\n"), "{status}");
    let again = cluster.run(&["submit", "tiny.yaml"]).ok();
    assert_eq!((again.out.as_str(), cluster.jobs()), ("tiny: 0 sent, 4 queued before\n", 2));

    // What was sent is a copy: the file may change.
    place.write("tiny.yaml", &TINY.replace("1e-3, 5e-4", "2e-3"));
    let mut done = done_now(&cluster.finish((1, 1), cluster.start(1, 1)));
    assert_eq!(done, 1);
    place.write("tiny.yaml", TINY);
    let tasks = [(1, 2), (1, 3), (2, 1)];
    let started = tasks.map(|(job, task)| cluster.start(job, task));
    let mut local = place.command(&["run", "tiny.yaml", "--slots", "1"]);
    let local = local.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    done += tasks.into_iter().zip(started).map(|(at, child)| done_now(&cluster.finish(at, child))).sum::<u64>();
    done += done_now(&String::from_utf8_lossy(&local.wait_with_output().unwrap().stdout));
    assert_eq!((done, cluster.totals().done), (4, 4));
    assert!(cluster.run(&["submit", "tiny.yaml"]).ok().out.contains("0 sent, 4 done before"));

    let alone = Workplace::with_tiny();
    alone.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(place.results("tiny.yaml", "tiny"), alone.results("tiny.yaml", "tiny"));
}

#[test]
fn status_tells_what_slurm_says_and_cancel_takes_back_what_was_sent() {
    let cluster = Cluster::new();
    cluster.place.write("tiny.yaml", &TINY.replace("epochs: [1]", "epochs: [100]"));
    cluster.run(&["submit", "tiny.yaml", "--minutes-per-task", "0"]).ok();
    // One does not start, one has started, been interrupted and is queued again, two wait.
    cluster.set(1, 1, "NODE_FAIL|n7|2026-01-01T00:00:00|None");
    let id = cluster.place.read("runs/tiny/.slurm/1/runs-1.txt").lines().nth(1).unwrap().to_owned();
    let mut task = cluster.start(1, 2);
    wait_until("the run has begun", || {
        cluster.place.files("runs/tiny").iter().any(|path| path.ends_with(format!("{id}/settings.json")))
    });
    // As when a node fails: everything at once, and without a word.
    kill("STOP", &task.id().to_string());
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", task.id())).unwrap();
    children.split_whitespace().for_each(|child| kill("KILL", child));
    task.kill().unwrap();
    task.wait().unwrap();
    cluster.set(1, 2, "PENDING||N/A|BeginTime");
    let mut shown = String::new();
    wait_until("it counts as pre-empted", || {
        shown = cluster.run(&["status", "tiny.yaml"]).ok().out;
        shown.contains("1 pre-empted")
    });
    assert!(shown.contains("tiny: 0 done, 0 running, 0 failed, 1 missing, 2 queued, 1 pre-empted\n"), "{shown}");
    assert!(shown.contains("pre-empted: 1 runs wait for a node, BeginTime\n"), "{shown}");
    assert!(shown.contains("array task 1_1 failed to start: NODE_FAIL on n7, 1 runs missing ("), "{shown}");
    let rows = cluster.run(&["status", "tiny.yaml", "--json"]).ok().json()["cluster"].clone();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id.as_str()).unwrap();
    assert_eq!(
        (&row["state"], &row["array_task"], &row["slurm_state"]),
        (&"pre-empted".into(), &"1_2".into(), &"PENDING".into())
    );

    let cancelled = cluster.run(&["cancel", "tiny.yaml"]).ok();
    assert_eq!(cancelled.out, "tiny: 3 array tasks cancelled, jobs: 1\n");
    let status = cluster.run(&["status", "tiny.yaml"]).ok().out;
    assert!(status.contains("0 running, 0 failed, 4 missing, 0 queued, 0 pre-empted\n"), "{status}");
    assert_eq!(cluster.run(&["cancel", "tiny.yaml"]).ok().out, "tiny: 0 array tasks cancelled, jobs: none\n");

    // What Slurm has forgotten, its accounting may know.
    fs::remove_dir_all(cluster.place.path("fake/jobs/1")).unwrap();
    cluster
        .place
        .write("fake/accounting", "1_1|TIMEOUT|n3|2026-01-01T00:00:00|None\n1_2|CANCELLED by 0|n1|Unknown|None\n");
    let status = cluster.run(&["status", "tiny.yaml"]).ok().out;
    assert!(status.contains("array task 1_1 failed to start: TIMEOUT on n3, 1 runs missing ("), "{status}");
    // And it is sent again.
    assert!(cluster.run(&["submit", "tiny.yaml"]).ok().out.ends_with("tiny: 4 sent\n"));
    assert!(cluster.place.path("runs/tiny/.slurm/2/runs-1.sh").exists());
}

const PRETRAIN: &str = "\
experiment: first
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
pretrain: {phases: [{max_length: 32, steps: 10}], dupe_factor: 1, batch_size: 8, learning_rate: 1e-3}
cluster: {slurm: {partition: long, cpus_per_task: 2}}
device: cpu
";

#[test]
fn pretraining_is_sent_first_and_what_starts_from_it_waits_for_its_array_task() {
    let cluster = Cluster::new();
    let place = &cluster.place;
    place.write("first.yaml", PRETRAIN);
    let pretrained = "  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}\n  \
                      pretrained: {checkpoint: {experiment: first, model: small}}\n";
    let own = TINY.lines().find(|line| line.starts_with("  small")).unwrap();
    place.write("tiny.yaml", &TINY.replace(&format!("{own}\n"), pretrained));
    let told = cluster.run(&["submit", "tiny.yaml", "--mem", "2G", "--", "--constraint=zen4"]).ok();
    assert!(told.out.contains("first: 1 sent\n") && told.out.ends_with("tiny: 8 sent\n"), "{}", told.out);
    assert_eq!(cluster.jobs(), 3);
    let (first, free, waiting) = (cluster.script(1), cluster.script(2), cluster.script(3));
    for line in ["--partition=long", "--cpus-per-task=2", "--mem=2G", "--constraint=zen4"] {
        assert!(first.contains(&format!("\n#SBATCH {line}\n")), "no {line}: {first}");
    }
    assert!(!free.contains("--dependency") && !free.contains("--partition"), "{free}");
    assert!(waiting.contains("\n#SBATCH --dependency=afterok:1_1\n"), "{waiting}");
    // Sent again, they find what is queued.
    let again = cluster.run(&["submit", "tiny.yaml"]).ok();
    assert_eq!((again.out.as_str(), cluster.jobs()), ("tiny: 0 sent, 8 queued before\n", 3));
    for at in [(1, 1), (2, 1), (3, 1)] {
        let said = cluster.finish(at, cluster.start(at.0, at.1));
        assert_eq!(done_now(&said), [1, 4, 4][at.0 as usize - 1], "{said}");
    }
    assert_eq!(cluster.totals().done, 8);
}

#[test]
fn a_dry_run_writes_nothing_and_a_refusal_is_told() {
    let cluster = Cluster::new();
    let place = &cluster.place;
    place.write("tiny.yaml", &format!("{TINY}cluster: {{slurm: {{setup: [module load gcc], mem: 4G}}}}\n"));
    let before = snapshot(&place.path(""));
    let told = cluster.run(&["submit", "tiny.yaml", "--dry-run", "--mem", "8G"]).ok();
    assert!(snapshot(&place.path("")) == before, "a dry run left something behind");
    assert!(told.out.contains("\nmodule load gcc\n") && told.out.contains("\n#SBATCH --mem=8G\n"), "{}", told.out);
    assert!(told.out.ends_with("tiny: 4 sent (dry run: nothing was sent)\n"), "{}", told.out);
    assert!(cluster.jobs() == 0 && !place.path("runs/tiny").exists());

    place.write("fake/refuses", "");
    let refused = cluster.run(&["submit", "tiny.yaml"]).ends_with(2);
    assert!(refused.err.contains("error: `sbatch`: sbatch: error: Batch job submission failed: Invalid partition"));
    fs::remove_file(place.path("fake/refuses")).unwrap();
    // Nothing was queued by it.
    assert!(cluster.run(&["submit", "tiny.yaml"]).ok().out.ends_with("tiny: 4 sent\n"));

    // Where there is no Slurm, `run` goes on, and `submit` says what it lacks.
    let mut command = place.command(&["submit", "tiny.yaml", "--retry-failed"]);
    fs::create_dir(place.path("empty")).unwrap();
    fs::remove_dir_all(place.path("runs")).unwrap();
    let output = command.env("PATH", place.path("empty")).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("error: there is no `sbatch` on this machine\nhint: "), "{error}");
}
