//! The batch script of a job array.

use std::fmt::Write;
use std::path::Path;

use super::array::Array;
use crate::settings::Slurm;

/// How long before the end of its time an array task is told, in seconds: enough for a step, and for a checkpoint on
/// a slow disk.
const SIGNAL_BEFORE: u32 = 120;

/// What the batch scripts of a submission have in common.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    /// The experiment's name.
    pub experiment: &'a str,
    /// What is asked of Slurm.
    pub slurm: &'a Slurm,
    /// The working directory, which paths are relative to.
    pub working_directory: &'a Path,
    /// The submission's folder.
    pub folder: &'a Path,
    /// This program.
    pub program: &'a Path,
    /// The arguments of `bertbench run`, besides those that say which runs, and on how many threads.
    pub arguments: &'a [String],
    /// Whether runs that failed before are tried again.
    pub retry_failed: bool,
}

impl Script<'_> {
    /// The name of the experiment's jobs, by which they are found in the queue.
    #[must_use]
    pub fn job_name(experiment: &str) -> String {
        format!("bertbench-{experiment}")
    }

    /// The script of `array`.
    #[must_use]
    pub fn text(&self, array: &Array) -> String {
        let mut text = "#!/bin/bash\n".to_owned();
        for option in self.options(array) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "#SBATCH {option}");
        }
        let list = quoted(&self.folder.join(format!("{}.txt", array.name)).display().to_string());
        let _ = write!(
            text,
            "\n# Array task N does the runs of line N of {list}, one after the other.\n\
             # The folder of runs says what is done: it can be started again at any time, here or elsewhere.\n\n"
        );
        for line in &self.slurm.setup {
            let _ = writeln!(text, "{line}");
        }
        let program = [self.program.display().to_string(), "run".to_owned()];
        let command = words(&[&program, self.arguments].concat());
        let _ = write!(text, "{}", BODY.replace("LIST", &list).replace("COMMAND", &command));
        if self.retry_failed {
            let first = "# Runs that failed before are tried again, once.\n\
                         [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]] || retry=(--retry-failed)\n";
            text = text.replace("retry=()\n", &format!("retry=()\n{first}"));
        }
        text
    }

    fn options(&self, array: &Array) -> Vec<String> {
        let slurm = self.slurm;
        let parallel = slurm.array_parallelism.map(|most| format!("%{most}")).unwrap_or_default();
        let time = slurm.time.clone().unwrap_or_else(|| format!("{}:{:02}:00", array.minutes / 60, array.minutes % 60));
        let log = self.folder.join(format!("{}-%a.log", array.name));
        let mut options = vec![
            format!("--job-name={}", Self::job_name(self.experiment)),
            format!("--array=1-{}{parallel}", array.tasks.len()),
            format!("--time={}", quoted(&time)),
            format!("--signal=B:USR1@{SIGNAL_BEFORE}"),
            "--requeue".to_owned(),
            format!("--chdir={}", quoted(&self.working_directory.display().to_string())),
            format!("--output={}", quoted(&log.display().to_string())),
            "--open-mode=append".to_owned(),
        ];
        options.extend(slurm.requests().map(|(name, value)| format!("--{name}={}", quoted(value))));
        options.extend(slurm.cpus_per_task.map(|cores| format!("--cpus-per-task={cores}")));
        if let Some(after) = &array.after {
            options.push(format!("--dependency=afterok:{after}"));
            options.push("--kill-on-invalid-dep=yes".to_owned());
        }
        options.extend(slurm.options.iter().cloned());
        options
    }
}

/// Slurm ends a job with SIGTERM to all of its processes, so the shell hands on the first signal only.
const BODY: &str = r#"runs=$(sed -n "${SLURM_ARRAY_TASK_ID}p" LIST)
retry=()

# Before its time is over: bertbench writes checkpoints and ends with exit code 130, and this array task is queued again,
# to go on from them.
trap 'over=1; kill -USR1 "$bertbench"' USR1
# The end of a job, which bertbench hears as well: wait for it.
trap : TERM

COMMAND --id "$runs" --slots 1 --threads "${SLURM_CPUS_PER_TASK:-1}" "${retry[@]}" &
bertbench=$!
wait "$bertbench"
while kill -0 "$bertbench" 2>/dev/null; do wait "$bertbench"; done
wait "$bertbench"
code=$?
if [[ -n ${over:-} && $code == 130 ]]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
"#;

/// Words as a line that bash and sbatch read.
#[must_use]
pub fn words(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RunId, example};

    fn array() -> Array {
        let tasks = vec![vec![RunId("a".into()), RunId("b".into())], vec![RunId("c".into())]];
        Array { name: "runs-1".into(), tasks, minutes: 75, after: None }
    }

    #[test]
    fn a_script_says_what_the_settings_say() {
        let slurm = Slurm {
            gres: Some("gpu:1".into()),
            cpus_per_task: Some(4),
            array_parallelism: Some(8),
            options: vec!["-C zen4".into()],
            setup: vec!["module load gcc".into()],
            ..Slurm::default()
        };
        let script = Script {
            experiment: "try",
            slurm: &slurm,
            working_directory: Path::new("/home/a b"),
            folder: Path::new("runs/try/.slurm/1"),
            program: Path::new("/bin/bertbench"),
            arguments: &["x.yaml", "--set", "seeds=[1, 2]"].map(str::to_owned),
            retry_failed: false,
        };
        let script = script.text(&Array { after: Some("7_1".into()), ..array() });
        let lines: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("#SBATCH ")).collect();
        let expected = [
            "--job-name=bertbench-try",
            "--array=1-2%8",
            "--time=1:15:00",
            "--signal=B:USR1@120",
            "--requeue",
            "--chdir='/home/a b'",
            "--output=runs/try/.slurm/1/runs-1-%a.log",
            "--open-mode=append",
            "--gres=gpu:1",
            "--cpus-per-task=4",
            "--dependency=afterok:7_1",
            "--kill-on-invalid-dep=yes",
            "-C zen4",
        ];
        assert_eq!(lines, expected);
        assert!(script.contains("\nmodule load gcc\n"), "{script}");
        assert!(script.contains("/bin/bertbench run x.yaml --set 'seeds=[1, 2]' --id \"$runs\""), "{script}");
        assert!(!script.contains("--retry-failed"));
    }

    /// With a program in place of bertbench that tells its arguments and waits for its signal.
    #[cfg(unix)]
    #[test]
    fn an_array_task_that_runs_out_of_time_is_queued_again_once_it_has_stopped() {
        use std::os::unix::fs::PermissionsExt;
        use std::process::Command;
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let program = "#!/bin/bash\ntrap 'sleep 0.2; exit 130' USR1\necho \"$@\" >>told\ntouch ready\n\
                       for n in {1..1000}; do sleep 0.01; done\n";
        let program = write("bertbench", program);
        write("scontrol", "#!/bin/bash\necho \"scontrol $@\" >>told\n");
        let script = Script {
            experiment: "try",
            slurm: &Slurm::default(),
            working_directory: place.path(),
            folder: place.path(),
            program: &program,
            arguments: &["x.yaml".to_owned()],
            retry_failed: true,
        };
        std::fs::write(place.path().join("runs-1.txt"), array().list()).unwrap();
        let batch = write("runs-1.sh", &script.text(&array()));
        let path = format!("{}:{}", place.path().display(), std::env::var("PATH").unwrap());
        let mut job = Command::new(batch)
            .env("PATH", path)
            .envs([("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_JOB_ID", "17"), ("SLURM_CPUS_PER_TASK", "3")])
            .current_dir(place.path())
            .spawn()
            .unwrap();
        example::wait_until("the program was started", || place.path().join("ready").exists());
        Command::new("kill").args(["-USR1", &job.id().to_string()]).status().unwrap();
        assert_eq!(job.wait().unwrap().code(), Some(130));
        let told = std::fs::read_to_string(place.path().join("told")).unwrap();
        let expected = "run x.yaml --id c --slots 1 --threads 3 --retry-failed\nscontrol requeue 17_2\n";
        assert_eq!(told, expected);
    }
}
