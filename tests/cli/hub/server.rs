//! A hub on this machine: the part of the Hugging Face hub's protocol that a download needs, over
//! plain sockets, with faults on request and a log of what was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bertbench::checksum::{hexadecimal, sha256};
use sha1::{Digest, Sha1};

/// The repository that a server has.
pub(crate) const REPOSITORY: &str = "ada/tiny-bert";
/// The commit that its branch `main` and its tag `refs/pr/1` stand for.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with the contents of files.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// So many times, the connection closes after so many bytes of a large file.
    pub(crate) cuts: u32,
    pub(crate) after: usize,
    /// After `after` bytes of a large file nothing more comes, and the connection stays open.
    pub(crate) stalls: bool,
    /// So many times, a byte of a large file is another one.
    pub(crate) damages: u32,
    /// `Range` is not understood.
    pub(crate) without_ranges: bool,
    /// So many times, the answer is status 503.
    pub(crate) outages: u32,
}

/// What a server has and how it behaves.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) faults: Faults,
    /// The address of the server that large files are sent from; else the same.
    pub(crate) storage: Option<String>,
    /// The token without which the repository is hidden.
    pub(crate) private: Option<String>,
    /// The token without which its files are refused.
    pub(crate) gated: Option<String>,
    /// Said in place of a file's etag, and of a large file's size.
    pub(crate) etag: Option<String>,
    pub(crate) size: Option<u64>,
}

/// One request, its header names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

/// A server on a free port; it stops when dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`
    pub(crate) address: String,
    shared: Arc<Shared>,
}

struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    large: bool,
}

impl Server {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Mutex::new(behaviour);
        let shared = Arc::new(Shared { behaviour, requests: Mutex::default(), stopped: AtomicBool::new(false) });
        let server = Self { address, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        server
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().unwrap());
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends and closes the port.
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
    }
}

/// The name that git gives a content.
pub(crate) fn git_hash(content: &[u8]) -> String {
    let digest = Sha1::new().chain_update(format!("blob {}\0", content.len())).chain_update(content).finalize();
    hexadecimal(&digest)
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin")
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    let Some(request) = read(&stream) else { return };
    shared.requests.lock().unwrap().push(request.clone());
    let (reply, faults) = {
        let mut behaviour = shared.behaviour.lock().unwrap();
        let reply = reply(&request, &mut behaviour);
        (reply, behaviour.faults)
    };
    let Reply { status, headers, mut body, large } = reply;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    // Metadata is asked for with one byte: faults are for the transfers.
    if large && body.len() > 1 {
        if faults.damages > 0 {
            shared.behaviour.lock().unwrap().faults.damages -= 1;
            body[0] ^= 1;
        }
        if faults.cuts > 0 || faults.stalls {
            body.truncate(faults.after);
            let faults = &mut shared.behaviour.lock().unwrap().faults;
            faults.cuts = faults.cuts.saturating_sub(1);
        }
    }
    let _ = stream.write_all(&body).and_then(|()| stream.flush());
    while large && body.len() > 1 && faults.stalls && !shared.stopped.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
        if !shared.behaviour.lock().unwrap().faults.stalls {
            return;
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Request { path, headers })
}

fn refusal(status: &'static str, code: &str) -> Reply {
    let body = b"{\"error\": \"no\"}".to_vec();
    Reply { status, headers: vec![("X-Error-Code", code.to_owned())], body, large: false }
}

fn reply(request: &Request, behaviour: &mut Behaviour) -> Reply {
    if behaviour.faults.outages > 0 {
        behaviour.faults.outages -= 1;
        return Reply { status: "503 Service Unavailable", headers: Vec::new(), body: Vec::new(), large: false };
    }
    let sent = request.headers.get("authorization").map(|value| value.trim_start_matches("Bearer "));
    let lacks = |token: &Option<String>| token.as_deref().is_some_and(|token| sent != Some(token));
    let path = request.path.split('?').next().unwrap();
    if let Some(name) = path.strip_prefix("/storage/") {
        return content(request, behaviour, name, vec![("ETag", "\"of-the-storage\"".to_owned())]);
    }
    if lacks(&behaviour.private) {
        return refusal("401 Unauthorized", "RepoNotFound");
    }
    if let Some(rest) = path.strip_prefix("/api/models/") {
        let Some(revision) = rest.strip_prefix(&format!("{REPOSITORY}/revision/")) else {
            return refusal("404 Not Found", "RepoNotFound");
        };
        if !["main", "refs%2Fpr%2F1", COMMIT].contains(&revision) {
            return refusal("404 Not Found", "RevisionNotFound");
        }
        let names = behaviour.files.keys().map(|name| serde_json::json!({"rfilename": name}));
        let body = serde_json::json!({"sha": COMMIT, "siblings": names.collect::<Vec<_>>()});
        return Reply { status: "200 OK", headers: Vec::new(), body: body.to_string().into_bytes(), large: false };
    }
    if lacks(&behaviour.gated) {
        return refusal("403 Forbidden", "GatedRepo");
    }
    let commit = ("X-Repo-Commit", COMMIT.to_owned());
    if let Some(name) = path.strip_prefix(&format!("/cached/{COMMIT}/")) {
        let etag = behaviour.etag.clone().unwrap_or_else(|| git_hash(&behaviour.files[name]));
        return content(request, behaviour, name, vec![commit, ("ETag", format!("\"{etag}\""))]);
    }
    let name = path.strip_prefix(&format!("/{REPOSITORY}/resolve/{COMMIT}/"));
    let Some((name, bytes)) = name.and_then(|name| behaviour.files.get_key_value(name)) else {
        return refusal("404 Not Found", "EntryNotFound");
    };
    if !is_large(name) {
        // As the hub sends small files: to a relative address.
        let headers = vec![commit, ("Location", format!("/cached/{COMMIT}/{name}"))];
        return Reply { status: "307 Temporary Redirect", headers, body: Vec::new(), large: false };
    }
    let storage = behaviour.storage.as_deref().unwrap_or_default();
    let etag = behaviour.etag.clone().unwrap_or_else(|| sha256(bytes));
    let headers = vec![
        commit,
        ("Location", format!("{storage}/storage/{name}?signature=1")),
        ("ETag", "\"of-the-pointer\"".to_owned()),
        ("X-Linked-ETag", format!("\"{etag}\"")),
        ("X-Linked-Size", behaviour.size.unwrap_or(bytes.len() as u64).to_string()),
    ];
    Reply { status: "302 Found", headers, body: Vec::new(), large: false }
}

fn content(request: &Request, behaviour: &Behaviour, name: &str, mut headers: Vec<(&'static str, String)>) -> Reply {
    let Some(bytes) = behaviour.files.get(name) else { return refusal("404 Not Found", "EntryNotFound") };
    let range = request.headers.get("range").filter(|_| !behaviour.faults.without_ranges);
    let Some((from, to)) = range.and_then(|range| range.trim_start_matches("bytes=").split_once('-')) else {
        return Reply { status: "200 OK", headers, body: bytes.clone(), large: is_large(name) };
    };
    let (from, end) = (from.parse::<usize>().unwrap(), to.parse::<usize>().map_or(bytes.len(), |last| last + 1));
    if from >= bytes.len() {
        headers.push(("Content-Range", format!("bytes */{}", bytes.len())));
        return Reply { status: "416 Range Not Satisfiable", headers, body: Vec::new(), large: false };
    }
    headers.push(("Content-Range", format!("bytes {from}-{}/{}", end - 1, bytes.len())));
    Reply { status: "206 Partial Content", headers, body: bytes[from..end].to_vec(), large: is_large(name) }
}
