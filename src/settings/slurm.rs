//! What belongs to a site's cluster: the same in an experiment file and on the command line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the runs of an experiment can be sent. None of it changes a result, and all of it can be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// For `bertbench submit`: what the array tasks ask Slurm for.
    pub slurm: Option<Slurm>,
}

/// What the array tasks of `bertbench submit` ask Slurm for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slurm {
    /// The partition.
    pub partition: Option<String>,
    /// The account to charge.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
    /// Generic resources of each array task, such as `gpu:1`.
    pub gres: Option<String>,
    /// Memory of each array task, such as `8G`.
    pub mem: Option<String>,
    /// Cores of each array task; one when left out. It does one run at a time, with a thread for each.
    #[schemars(range(min = 1))]
    pub cpus_per_task: Option<u32>,
    /// The time limit of each array task, such as `12:00:00`; what its runs are forecast to take, doubled, and ten
    /// minutes more, when left out.
    pub time: Option<String>,
    /// How long an array task should take: runs are grouped until they are forecast to take so many minutes. An hour
    /// when left out; 0 is a task for every run.
    pub minutes_per_task: Option<u32>,
    /// The most array tasks of a job at the same time.
    #[schemars(range(min = 1))]
    pub array_parallelism: Option<u32>,
    /// Other options of `sbatch`, such as `--constraint=zen4`.
    #[serde(default)]
    pub options: Vec<String>,
    /// Lines of shell that come before `bertbench` in the batch script, such as `module load gcc`.
    #[serde(default)]
    pub setup: Vec<String>,
}

impl Slurm {
    /// These settings, and those of `other` where there are none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            partition: self.partition.or(other.partition),
            account: self.account.or(other.account),
            qos: self.qos.or(other.qos),
            gres: self.gres.or(other.gres),
            mem: self.mem.or(other.mem),
            cpus_per_task: self.cpus_per_task.or(other.cpus_per_task),
            time: self.time.or(other.time),
            minutes_per_task: self.minutes_per_task.or(other.minutes_per_task),
            array_parallelism: self.array_parallelism.or(other.array_parallelism),
            options: [other.options, self.options].concat(),
            setup: [other.setup, self.setup].concat(),
        }
    }

    /// What is asked for of the cluster, by the name of `sbatch`'s option.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
            ("gres", &self.gres),
            ("mem", &self.mem),
        ];
        all.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?)))
    }

    /// Every text with its key, those of lists one by one.
    pub fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        let single = self.requests().chain(self.time.as_deref().map(|time| ("time", time)));
        let single = single.map(|(key, text)| (key.to_owned(), text));
        let lists = [("options", &self.options), ("setup", &self.setup)];
        single.chain(lists.into_iter().flat_map(|(key, list)| {
            list.iter().enumerate().map(move |(at, text)| (format!("{key}.{at}"), text.as_str()))
        }))
    }

    /// Every count that must be one at least, with its key.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let counts = [("cpus_per_task", self.cpus_per_task), ("array_parallelism", self.array_parallelism)];
        counts.into_iter().filter_map(|(key, count)| Some((key, count?)))
    }
}
