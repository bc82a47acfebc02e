//! `export tensorboard` and `export mlflow`, to a server that pretends to be MLflow's; `just test-exports` asks the real
//! ones.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::program::{Told, Workplace};

/// What a server was sent, and how it fails.
#[derive(Default)]
struct Tracking {
    /// By MLflow's id: the run as `runs/create` had it, with `params`, `metrics` and `status`.
    runs: BTreeMap<String, Value>,
    deleted: usize,
    /// Entities of the largest batch, by kind.
    largest: BTreeMap<&'static str, usize>,
    calls: usize,
    /// Every so manieth call is carried out, and answered with this status.
    fails: Option<(usize, u16)>,
}

/// A server on this machine.
struct Server {
    uri: String,
    state: Arc<Mutex<Tracking>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Tracking::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || talk(&stream.unwrap(), &shared));
            }
        });
        Self { uri, state }
    }

    fn export(&self, place: &Workplace, options: &[&str]) -> Told {
        place.run(&[&["export", "mlflow", "tiny.yaml", "--tracking-uri", &self.uri], options].concat())
    }
}

/// Answers the requests of a connection.
fn talk(stream: &TcpStream, state: &Mutex<Tracking>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let call = head.split(' ').nth(1).unwrap().trim_start_matches("/api/2.0/mlflow/").to_owned();
        let (status, answer) = state.lock().unwrap().answer(&call, &serde_json::from_slice(&body).unwrap());
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", answer.len());
        let mut writer = stream;
        if writer.write_all((head + &answer).as_bytes()).is_err() {
            return;
        }
    }
}

impl Tracking {
    fn answer(&mut self, call: &str, body: &Value) -> (u16, Value) {
        self.calls += 1;
        let answer = self.carried_out(call, body);
        match self.fails {
            Some((every, status)) if self.calls.is_multiple_of(every) => (status, json!({"message": "trouble"})),
            _ => answer,
        }
    }

    fn carried_out(&mut self, call: &str, body: &Value) -> (u16, Value) {
        let id = body["run_id"].as_str().unwrap_or_default().to_owned();
        match call {
            "experiments/search" => {
                (200, json!({"experiments": [{"experiment_id": "7", "lifecycle_stage": "active"}]}))
            }
            "runs/search" => {
                let filter = body["filter"].as_str().unwrap();
                let wanted = filter.split(" = '").nth(1).map(|id| id.trim_end_matches('\'').to_owned());
                let own = |run: &&Value| wanted.as_deref().is_none_or(|wanted| tag(run, "bertbench.run_id") == wanted);
                // In pages of three.
                let first: usize = body["page_token"].as_str().map_or(0, |token| token.parse().unwrap());
                let found: Vec<&Value> = self.runs.values().filter(own).collect();
                let mut answer = json!({"runs": found.iter().skip(first).take(3).collect::<Vec<_>>()});
                if first + 3 < found.len() {
                    answer["next_page_token"] = json!((first + 3).to_string());
                }
                (200, answer)
            }
            "runs/create" => {
                let id = format!("m{}", self.runs.len() + self.deleted);
                let run = json!({"info": {"run_id": id, "start_time": body["start_time"]},
                                 "data": {"tags": body["tags"], "params": [], "metrics": []}});
                self.runs.insert(id, run.clone());
                (200, json!({ "run": run }))
            }
            "runs/log-batch" => {
                let run = self.runs.get_mut(&id).unwrap();
                for kind in ["params", "metrics"] {
                    let sent = body[kind].as_array().cloned().unwrap_or_default();
                    let largest = self.largest.entry(kind).or_default();
                    *largest = (*largest).max(sent.len());
                    let there = run["data"][kind].as_array_mut().unwrap();
                    // As the real one: what is there already is no second value.
                    there.extend(sent.into_iter().filter(|new| !there.contains(new)).collect::<Vec<_>>());
                }
                (200, json!({}))
            }
            "runs/update" => {
                self.runs.get_mut(&id).unwrap()["info"]["status"] = body["status"].clone();
                (200, json!({}))
            }
            "runs/set-tag" => {
                let tags = self.runs.get_mut(&id).unwrap()["data"]["tags"].as_array_mut().unwrap();
                tags.push(json!({"key": body["key"], "value": body["value"]}));
                (200, json!({}))
            }
            "runs/delete" => {
                self.runs.remove(&id).unwrap();
                self.deleted += 1;
                (200, json!({}))
            }
            other => (404, json!({"message": format!("no {other}")})),
        }
    }
}

/// A tag of a run.
fn tag<'a>(run: &'a Value, name: &str) -> &'a str {
    let tags = run["data"]["tags"].as_array().unwrap();
    tags.iter().rev().find(|tag| tag["key"] == name).map_or("", |tag| tag["value"].as_str().unwrap())
}

#[test]
fn runs_are_sent_once_however_often_the_server_fails() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte"]).ok();
    let server = Server::start();
    server.state.lock().unwrap().fails = Some((3, 503));
    assert_eq!(server.export(&place, &[]).ok().out, "tiny: 2 runs sent, 0 there before\n");
    place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(server.export(&place, &[]).ok().out, "tiny: 2 runs sent, 2 there before\n");
    server.state.lock().unwrap().fails = None;
    assert_eq!(server.export(&place, &[]).ok().out, "tiny: 0 runs sent, 4 there before\n");
    let state = server.state.lock().unwrap();
    assert_eq!((state.runs.len(), state.deleted), (5, 0), "a parent and four runs");
    assert!(state.largest["params"] <= 100 && state.largest["metrics"] <= 1000, "{:?}", state.largest);
    let parent = state.runs.values().find(|run| tag(run, "bertbench.run_id") == "tiny").unwrap();
    assert_eq!(parent["info"]["status"], "FINISHED");
    for (path, bytes) in place.records() {
        let record: Value = serde_json::from_slice(&bytes).unwrap();
        let sent = state.runs.values().find(|run| tag(run, "bertbench.run_id") == record["id"]);
        let sent = sent.unwrap_or_else(|| panic!("{} was not sent", path.display()));
        assert_eq!(tag(sent, "mlflow.parentRunId"), parent["info"]["run_id"]);
        let metrics = sent["data"]["metrics"].as_array().unwrap();
        let last = metrics.iter().find(|metric| metric["key"] == "final/dev/accuracy").unwrap();
        let score = record["scores"].as_array().unwrap().iter().find(|score| score["metric"] == "accuracy").unwrap();
        assert_eq!((&last["value"], &last["step"]), (&score["value"], &record["steps"]));
        let losses: Vec<u64> = metrics
            .iter()
            .filter(|metric| metric["key"] == "train/loss")
            .map(|metric| metric["step"].as_u64().unwrap())
            .collect();
        assert_eq!(losses, (1..=record["steps"].as_u64().unwrap()).collect::<Vec<_>>());
        let rate = sent["data"]["params"].as_array().unwrap().iter().find(|of| of["key"] == "learning_rate").unwrap();
        let expected = &record["settings"]["optimization"]["learning_rate"];
        assert_eq!(rate["value"].as_str().unwrap().parse::<f64>().unwrap(), expected.as_f64().unwrap());
    }
}

#[test]
fn a_run_that_is_not_whole_is_sent_anew_and_a_server_that_is_none_is_named() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let server = Server::start();
    // Everything fails for good once the run is made: it stays without its checksum.
    server.state.lock().unwrap().fails = Some((6, 400));
    let told = server.export(&place, &[]).ends_with(2);
    assert!(told.err.contains("answers with status 400: trouble"), "{}", told.err);
    server.state.lock().unwrap().fails = None;
    assert_eq!(server.export(&place, &[]).ok().out, "tiny: 1 runs sent, 0 there before\n");
    let state = server.state.lock().unwrap();
    assert_eq!((state.runs.len(), state.deleted), (2, 1));
    let told = place.run(&["export", "mlflow", "tiny.yaml", "--tracking-uri", "databricks"]).ends_with(2);
    assert!(told.err.starts_with("error: `databricks` is no address of a tracking server\nhint: "), "{}", told.err);
    let told = place.run(&["export", "mlflow", "tiny.yaml", "--tracking-uri", "http://127.0.0.1:9"]).ends_with(2);
    assert!(told.err.contains("does not answer: connection refused"), "{}", told.err);
}

#[test]
fn event_files_are_the_same_twice_and_hold_every_step() {
    let place = Workplace::with_tiny();
    let told = place.run(&["export", "tensorboard", "tiny.yaml"]).ends_with(2);
    assert!(told.err.starts_with("error: the experiment `tiny` was not run yet"), "{}", told.err);
    place.run(&["run", "tiny.yaml"]).ok();
    let told = place.run(&["export", "tensorboard", "tiny.yaml"]).ok();
    assert_eq!(told.out, "reports/tiny/tensorboard: 4 runs\n");
    let files = || -> BTreeMap<_, _> {
        let names = place.files("reports/tiny/tensorboard").into_iter();
        names.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    };
    let first = files();
    assert_eq!(first.len(), 5, "one a run, and one for the settings");
    place.run(&["export", "tensorboard", "tiny.yaml", "--out", "reports/tiny/tensorboard"]).ok();
    assert_eq!(files(), first);
    for (path, bytes) in first {
        let mut rest = &bytes[..];
        let (mut events, mut losses) = (0, 0);
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let data = &rest[12..12 + length];
            losses += usize::from(data.windows(10).any(|part| part == b"train/loss"));
            rest = &rest[16 + length..];
            events += 1;
        }
        assert!(events >= 2, "{}", path.display());
        if path.components().count() > place.path("reports/tiny/tensorboard/x").components().count() {
            let id = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            let run = place.run(&["runs", "list", "--where", &format!("id == \"{id}\""), "--json"]).ok().json();
            assert_eq!(losses as u64, run[0]["steps"].as_u64().unwrap(), "{}", path.display());
        }
    }
}
