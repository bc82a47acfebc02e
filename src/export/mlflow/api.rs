//! The calls of MLflow's REST API that are used.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};

use super::content::{Content, milliseconds};
use super::{ID, MlflowError, SENT, Target};
use crate::download::{Answer, Client, PostError, without_password};

/// The most of one `log-batch` (`mlflow/utils/validation.py`).
const METRICS: usize = 1000;
const PARAMETERS: usize = 100;
/// Runs of one answer to a search.
const PAGE: usize = 1000;
/// Longer answers are none of MLflow's: a page of runs with 200 parameters each has some 30 MB.
const LARGEST: u64 = 256 << 20;

/// An experiment on a tracking server.
pub(super) struct Api {
    client: Client,
    base: String,
    experiment_id: String,
}

/// A run that the server has.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// MLflow's id.
    pub(super) id: String,
    /// The checksum of what was sent, where all was.
    pub(super) sent: Option<String>,
}

impl Api {
    /// The experiment of this name, which is created where it is not there.
    pub(super) fn new(target: &Target, experiment: &str) -> Result<Self, MlflowError> {
        let uri = target.tracking_uri.trim_end_matches('/');
        if !["http://", "https://"].iter().any(|scheme| uri.len() > scheme.len() && uri.starts_with(scheme)) {
            return Err(MlflowError::Address(without_password(&target.tracking_uri)));
        }
        let base = format!("{uri}/api/2.0/mlflow");
        let client = Client::new(target.retry).with_token(uri, target.token.as_deref());
        let mut api = Self { client, base, experiment_id: String::new() };
        // A search answers with an empty list where a look-up by name would with an error.
        let name = experiment.replace('\'', "''");
        let search = json!({"filter": format!("name = '{name}'"), "max_results": 1, "view_type": "ALL"});
        let found = api.post("experiments/search", &search)?;
        api.experiment_id = if let Some(known) = found["experiments"].get(0) {
            if known["lifecycle_stage"] == "deleted" {
                api.post("experiments/restore", &json!({"experiment_id": known["experiment_id"]}))?;
            }
            api.text(known, "experiment_id", "experiments/search")?
        } else {
            let made = api.post("experiments/create", &json!({"name": experiment}))?;
            api.text(&made, "experiment_id", "experiments/create")?
        };
        Ok(api)
    }

    /// The runs of the experiment that were sent from here, by our id.
    pub(super) fn known_runs(&self) -> Result<BTreeMap<String, Known>, MlflowError> {
        self.search(&format!("tags.`{ID}` != ''"))
    }

    fn search(&self, filter: &str) -> Result<BTreeMap<String, Known>, MlflowError> {
        let (mut found, mut page) = (BTreeMap::new(), Value::Null);
        loop {
            let mut body = json!({"experiment_ids": [self.experiment_id], "filter": filter, "max_results": PAGE});
            if !page.is_null() {
                body["page_token"] = page;
            }
            let answer = self.post("runs/search", &body)?;
            for run in answer["runs"].as_array().into_iter().flatten() {
                let tag = |name: &str| {
                    let tags = run["data"]["tags"].as_array()?;
                    tags.iter().find(|tag| tag["key"] == name)?["value"].as_str().map(str::to_owned)
                };
                let id = self.text(&run["info"], "run_id", "runs/search")?;
                if let Some(own) = tag(ID) {
                    found.insert(own, Known { id, sent: tag(SENT) });
                }
            }
            page = answer["next_page_token"].clone();
            if page.as_str().is_none_or(str::is_empty) {
                return Ok(found);
            }
        }
    }

    /// Makes a run, which is found again by our id of it. When nobody knows whether it was made, it is looked for before it is
    /// made again.
    pub(super) fn create(
        &self,
        own_id: &str,
        name: &str,
        started_unix: u64,
        tags: &[(String, String)],
    ) -> Result<String, MlflowError> {
        let started = milliseconds(started_unix as f64);
        let mut tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        tags.push(json!({"key": ID, "value": own_id}));
        let body = json!({"experiment_id": self.experiment_id, "run_name": name, "start_time": started, "tags": tags});
        let mut failures = 0;
        loop {
            match self.post_once("runs/create", &body)? {
                Ok(made) => return self.text(&made["run"]["info"], "run_id", "runs/create"),
                Err(PostError(cause)) => {
                    self.wait("runs/create", &mut failures, cause)?;
                    let own = own_id.replace('\'', "''");
                    if let Some(made) = self.search(&format!("tags.`{ID}` = '{own}'"))?.remove(own_id) {
                        return Ok(made.id);
                    }
                }
            }
        }
    }

    /// Parameters and metrics, in as many calls as it takes.
    pub(super) fn log(&self, run: &str, content: &Content) -> Result<(), MlflowError> {
        for parameters in content.parameters.chunks(PARAMETERS) {
            self.post("runs/log-batch", &json!({"run_id": run, "params": parameters}))?;
        }
        for metrics in content.metrics.chunks(METRICS) {
            self.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics}))?;
        }
        Ok(())
    }

    /// How a run stands, and when it ended.
    pub(super) fn update(&self, run: &str, status: &str, ended_unix: Option<u64>) -> Result<(), MlflowError> {
        let mut body = json!({"run_id": run, "status": status});
        if let Some(ended) = ended_unix {
            body["end_time"] = milliseconds(ended as f64).into();
        }
        self.post("runs/update", &body).map(drop)
    }

    /// A call that does the same when it is made twice: again after pauses while the network or the server fails.
    pub(super) fn post(&self, call: &str, body: &Value) -> Result<Value, MlflowError> {
        let mut failures = 0;
        loop {
            match self.post_once(call, body)? {
                Ok(answer) => return Ok(answer),
                Err(PostError(cause)) => self.wait(call, &mut failures, cause)?,
            }
        }
    }

    /// The inner error is one that may pass.
    fn post_once(&self, call: &str, body: &Value) -> Result<Result<Value, PostError>, MlflowError> {
        let url = self.url(call);
        let answer = match self.client.post(&url, &body.to_string()) {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        let Answer { status, body, .. } = answer;
        let mut text = String::new();
        if let Err(error) = body.take(LARGEST).read_to_string(&mut text) {
            return Ok(Err(PostError(error.to_string())));
        }
        let url = without_password(&url);
        let json = serde_json::from_str::<Value>(&text);
        match (status, json) {
            (200, Ok(answer)) => Ok(Ok(answer)),
            (200, Err(error)) => Err(MlflowError::Answer { url, cause: error.to_string() }),
            (_, json) => {
                let told = json.ok().and_then(|error| Some(error["message"].as_str()?.to_owned()));
                let message = told.unwrap_or_else(|| text.chars().take(200).collect());
                Err(MlflowError::Refused { url, status, message })
            }
        }
    }

    fn wait(&self, call: &str, failures: &mut u32, cause: String) -> Result<(), MlflowError> {
        *failures += 1;
        let retry = self.client.retry;
        if *failures >= retry.attempts {
            return Err(MlflowError::Unreachable { url: without_password(&self.url(call)), cause });
        }
        retry.wait(*failures);
        Ok(())
    }

    fn url(&self, call: &str) -> String {
        format!("{}/{call}", self.base)
    }

    /// A text that must be in an answer.
    fn text(&self, answer: &Value, key: &str, call: &str) -> Result<String, MlflowError> {
        answer[key].as_str().map(str::to_owned).ok_or_else(|| MlflowError::Answer {
            url: without_password(&self.url(call)),
            cause: format!("there is no `{key}`"),
        })
    }
}
