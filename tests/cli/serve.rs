//! `bertbench serve`: live pages of runs, on this machine alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use super::program::{Workplace, kill, wait_until};

/// A server that is killed when dropped.
struct Serving {
    child: Child,
    port: u16,
}

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Serving {
    /// Starts `bertbench serve --port 0` and waits for its line.
    fn start(place: &Workplace, arguments: &[&str]) -> Self {
        let mut command = place.command(&[&["serve", "--port", "0"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/'));
        let port = port.unwrap_or_else(|| panic!("{line:?} is no address")).parse().unwrap();
        Self { child, port }
    }

    /// Sends `request` as it is.
    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        // The pages escape slashes.
        let text = String::from_utf8(text).unwrap().replace("&#x2f;", "/");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port))
    }

    fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }

    /// Its exit code after a signal.
    fn end(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of a header.
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = format!("{name}: ");
    answer.head.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{name}: {}", answer.head))
}

#[test]
fn the_report_is_served_follows_the_runs_and_nothing_is_written() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=wnli"]).ok();
    let before = place.files(".");
    let serving = Serving::start(&place, &["tiny.yaml"]);
    let page = serving.get("/");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<h1>tiny</h1>") && page.body.contains(" data-live>"), "{}", page.head);
    assert!(page.body.contains("WNLI") && !page.body.contains("at-work-title"));
    assert!(header(&page, "Content-Security-Policy").starts_with("default-src 'none'"));
    for (path, start) in
        [("/results.csv", "experiment,task,model,run"), ("/results.json", "{"), ("/results.md", "> **Mini")]
    {
        let data = serving.get(path);
        assert!(data.status == 200 && data.body.starts_with(start), "{path}: {}", data.body);
    }
    let figure = page.body.split(".svg\">svg</a>").next().unwrap().rsplit('"').next().unwrap();
    assert_eq!(header(&serving.get(&format!("/{figure}.svg")), "Content-Type"), "image/svg+xml");
    // The tag stays while nothing happens, and a page that is known is not sent again.
    let tag = header(&page, "ETag").to_owned();
    let known = serving.send(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n\r\n"));
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    assert_eq!(place.files("."), before, "a server writes nothing");
    place.run(&["run", "tiny.yaml", "--only", "task=rte"]).ok();
    let head = || serving.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_until("the page of more runs", || header(&head(), "ETag") != tag);
    assert!(head().body.is_empty() && serving.get("/").body.contains("RTE"));
    assert_eq!(serving.end("INT"), Some(0));
}

#[test]
fn a_run_at_work_has_its_curve() {
    let place = Workplace::with_tiny();
    let long = ["--set", "sweep.epochs=[2000]", "--only", "task=rte,learning_rate=1e-3", "--threads", "1"];
    let sweep = place.start(&[&["run", "tiny.yaml"], &long[..]].concat());
    let is_logged = || place.files("runs").iter().any(|path| path.ends_with("metrics.jsonl"));
    wait_until("the run's log", is_logged);
    let serving = Serving::start(&place, &["tiny.yaml", "--set", "sweep.epochs=[2000]"]);
    wait_until("the curve of the run at work", || serving.get("/").body.contains("training loss so far"));
    let page = serving.get("/").body;
    // How far it is by then depends on the machine.
    let Some((before, _)) = page.split_once(" of 2000") else { panic!("{page}") };
    let (_, epoch) = before.rsplit_once("epoch ").unwrap();
    assert!(page.contains("id=\"at-work\"") && (1..=2000).contains(&epoch.parse::<u32>().unwrap()), "{page}");
    drop(sweep);
}

#[test]
fn every_experiment_has_its_report_and_the_list_links_to_it() {
    let place = Workplace::with_tiny();
    let serving = Serving::start(&place, &[]);
    assert!(serving.get("/").body.contains("No experiment has runs yet."));
    assert_eq!(serving.get("/tiny/").status, 404);
    place.run(&["run", "tiny.yaml"]).ok();
    let list = serving.get("/").body;
    assert!(list.contains("<a href=\"tiny/\">tiny</a>"), "{list}");
    let moved = serving.get("/tiny");
    assert_eq!((moved.status, header(&moved, "Location")), (308, "/tiny/"));
    let page = serving.get("/tiny/").body;
    assert!(page.contains("<h1>tiny</h1>") && page.contains("<a href=\"../\">← All experiments</a>"), "{page}");
    assert_eq!(serving.end("TERM"), Some(0));
}

#[test]
fn nothing_but_pages_is_shown() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
    let serving = Serving::start(&place, &["tiny.yaml"]);
    for path in ["/../tiny.yaml", "/%2e%2e/tiny.yaml", "/understanding/../../tiny.yaml", "//tiny.yaml", "/a\\b", "/%00"]
    {
        assert_eq!(serving.get(path).status, 400, "{path}");
    }
    for path in ["/tiny.yaml", "/runs/tiny/plan.json", "/index.html/", "/understanding/", "/%E2%98%83"] {
        let answer = serving.get(path);
        assert_eq!((answer.status, answer.body.as_str()), (404, "There is no such page.\n"), "{path}");
    }
    assert_eq!(serving.get("/favicon.ico").status, 204, "browsers ask for it");
    let post = serving.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((post.status, header(&post, "Allow")), (405, "GET, HEAD"));
    assert_eq!(serving.send("GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n").status, 421);
    assert_eq!(serving.send("hello\r\n\r\n").status, 400);
    assert_eq!(serving.get("/").status, 200, "it still answers");
    // Only the loopback address listens.
    let listening = std::fs::read_to_string(format!("/proc/{}/net/tcp", serving.child.id())).unwrap();
    let own = format!("0100007F:{:04X} ", serving.port);
    assert!(listening.lines().any(|line| line.contains(&own) && line.contains(" 0A ")), "{listening}");
}

#[test]
fn a_server_that_cannot_serve_says_why() {
    let place = Workplace::with_tiny();
    let told = place.run(&["serve", "tiny.yaml"]).ends_with(2);
    assert!(told.err.starts_with("error: the experiment `tiny` was not run yet"), "{}", told.err);
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = place.run(&["serve", "--port", &port]).ends_with(2);
    let expected = format!("error: port {port} is in use\nhint: another `--port`; `--port 0` takes one that is free\n");
    assert_eq!(told.err, expected);
}
