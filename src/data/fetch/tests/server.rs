//! A server of files on this machine, over plain sockets, with faults on request and a log of what was asked.
//! Nothing but the standard library: the tests of the program include this file too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a server has and how it behaves.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a vice of its own")]
pub(crate) struct Behaviour {
    /// Path of the address (`/toy/a.txt`) → content.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Path → where it is said to be.
    pub(crate) redirections: BTreeMap<String, String>,
    /// Sent with every file; none, when it is empty.
    pub(crate) etag: String,
    /// So many times, the connection closes after `after` bytes of a body.
    pub(crate) cuts: u32,
    pub(crate) after: usize,
    /// After `after` bytes nothing more comes, and the connection stays open.
    pub(crate) stalls: bool,
    /// The request is read, and nothing is answered.
    pub(crate) mute: bool,
    /// So many times, the first byte of a body is another one.
    pub(crate) damages: u32,
    /// `Range` is not understood.
    pub(crate) without_ranges: bool,
    /// The body's length is not said, as servers do that make it on the way.
    pub(crate) without_length: bool,
    /// The body never ends.
    pub(crate) endless: bool,
    /// So many times, the answer is this status.
    pub(crate) outages: (u32, u16),
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// One that has files and no faults.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect();
        Self::new(Behaviour { files, etag: "\"one\"".to_owned(), ..Behaviour::default() })
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.shared.behaviour));
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut locked(&self.shared.requests))
    }

    /// The first bytes that were asked for since the last call, in order.
    pub(crate) fn starts(&self) -> Vec<u64> {
        let start = |request: Request| match request.headers.get("range") {
            None => 0,
            Some(range) => range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap(),
        };
        self.requests().into_iter().map(start).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends and closes the port.
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    let Some(request) = read(&stream) else { return };
    locked(&shared.requests).push(request.clone());
    let behaviour = locked(&shared.behaviour).clone();
    let wait = |ends: &dyn Fn(&Behaviour) -> bool| {
        while !shared.stopped.load(Ordering::SeqCst) && !ends(&locked(&shared.behaviour)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    if behaviour.mute {
        return wait(&|now| !now.mute);
    }
    let (head, mut body) = answer(&request, &behaviour, shared);
    if stream.write_all(head.as_bytes()).is_err() {
        return;
    }
    if behaviour.damages > 0 && !body.is_empty() {
        body[0] ^= 1;
        locked(&shared.behaviour).damages -= 1;
    }
    if (behaviour.cuts > 0 || behaviour.stalls) && body.len() > behaviour.after {
        body.truncate(behaviour.after);
        let cuts = &mut locked(&shared.behaviour).cuts;
        *cuts = cuts.saturating_sub(1);
    }
    let _ = stream.write_all(&body).and_then(|()| stream.flush());
    if behaviour.stalls {
        wait(&|now| !now.stalls);
    }
    while behaviour.endless && !shared.stopped.load(Ordering::SeqCst) && stream.write_all(&[b'x'; 4096]).is_ok() {
        std::hint::spin_loop();
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

/// The head of the answer to a request, and its body.
fn answer(request: &Request, behaviour: &Behaviour, shared: &Shared) -> (String, Vec<u8>) {
    let head = |status: &str, headers: &str, length: Option<usize>| {
        let length = length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
        format!("HTTP/1.1 {status}\r\n{headers}{length}Connection: close\r\n\r\n")
    };
    if behaviour.outages.0 > 0 {
        locked(&shared.behaviour).outages.0 -= 1;
        return (head(&format!("{} Fault", behaviour.outages.1), "", Some(0)), Vec::new());
    }
    if let Some(to) = behaviour.redirections.get(&request.path) {
        return (head("302 Found", &format!("Location: {to}\r\n"), Some(0)), Vec::new());
    }
    let Some(bytes) = behaviour.files.get(&request.path) else {
        return (head("404 Not Found", "", Some(6)), b"no, no".to_vec());
    };
    let has_etag = !behaviour.etag.is_empty();
    let etag = if has_etag { format!("ETag: {}\r\n", behaviour.etag) } else { String::new() };
    let fresh = request.headers.get("if-range").is_none_or(|asked| *asked == behaviour.etag);
    let range = request.headers.get("range").filter(|_| fresh && !behaviour.without_ranges);
    let from = range.map(|range| range.trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap());
    let length = |bytes: &[u8]| (!behaviour.without_length && !behaviour.endless).then_some(bytes.len());
    match from {
        None => (head("200 OK", &etag, length(bytes)), bytes.clone()),
        Some(from) if from >= bytes.len() => {
            let range = format!("Content-Range: bytes */{}\r\n", bytes.len());
            (head("416 Range Not Satisfiable", &range, Some(0)), Vec::new())
        }
        Some(from) => {
            let range = format!("{etag}Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            (head("206 Partial Content", &range, length(&bytes[from..])), bytes[from..].to_vec())
        }
    }
}
