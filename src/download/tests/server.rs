//! A server on this machine, over plain sockets, with faults on request and a log of what was asked. Nothing but the
//! standard library: the tests of the program include this file too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a server has.
pub(crate) trait Site: Send + 'static {
    /// The answer to a request for all of something.
    fn reply(&self, request: &Request) -> Reply;
}

/// An answer before ranges and faults.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether ranges and the faults of bodies apply to it.
    pub(crate) is_file: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: Vec<(&'static str, String)>, body: &[u8]) -> Self {
        Self { status, headers, body: body.to_vec(), is_file: false }
    }

    pub(crate) fn file(headers: Vec<(&'static str, String)>, body: &[u8]) -> Self {
        Self { is_file: true, ..Self::new(200, headers, body) }
    }
}

/// Files and redirections by the path of their address (`/toy/a.txt`).
#[derive(Clone, Default)]
pub(crate) struct StaticSite {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) redirections: BTreeMap<String, String>,
    /// Sent with every file; none, when it is empty.
    pub(crate) etag: String,
}

impl Site for StaticSite {
    fn reply(&self, request: &Request) -> Reply {
        if let Some(to) = self.redirections.get(&request.path) {
            return Reply::new(302, vec![("Location", to.clone())], b"");
        }
        let Some(bytes) = self.files.get(&request.path) else { return Reply::new(404, Vec::new(), b"no, no") };
        let etag = (!self.etag.is_empty()).then(|| ("ETag", self.etag.clone()));
        Reply::file(etag.into_iter().collect(), bytes)
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a vice of its own")]
pub(crate) struct Faults {
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

/// A site and its faults.
pub(crate) struct Behaviour<S> {
    site: S,
    pub(crate) faults: Faults,
}

impl<S> Deref for Behaviour<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.site
    }
}

impl<S> DerefMut for Behaviour<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.site
    }
}

/// One request, its header names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    /// The first byte that is asked for.
    pub(crate) fn start(&self) -> u64 {
        self.range().map_or(0, |(start, _)| start as u64)
    }

    /// The first and, when it is said, the last byte that is asked for.
    pub(crate) fn range(&self) -> Option<(usize, Option<usize>)> {
        let (start, last) = self.headers.get("range")?.trim_start_matches("bytes=").split_once('-')?;
        Some((start.parse().ok()?, last.parse().ok()))
    }
}

struct Shared<S> {
    behaviour: Mutex<Behaviour<S>>,
    requests: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

/// A server on a free port; it stops when dropped.
pub(crate) struct Server<S = StaticSite> {
    /// `http://127.0.0.1:PORT`
    pub(crate) address: String,
    shared: Arc<Shared<S>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// One that has files.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect();
        Self::new(StaticSite { files, etag: "\"one\"".to_owned(), ..StaticSite::default() })
    }
}

impl<S: Site> Server<S> {
    /// One without faults.
    pub(crate) fn new(site: S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Mutex::new(Behaviour { site, faults: Faults::default() });
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

    pub(crate) fn change(&self, change: impl FnOnce(&mut Behaviour<S>)) {
        change(&mut locked(&self.shared.behaviour));
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut locked(&self.shared.requests))
    }

    /// The first bytes that were asked for since the last call, in order.
    pub(crate) fn starts(&self) -> Vec<u64> {
        self.requests().iter().map(Request::start).collect()
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends and closes the port.
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
    }
}

fn serve<S: Site>(mut stream: TcpStream, shared: &Shared<S>) {
    let Some(request) = read(&stream) else { return };
    locked(&shared.requests).push(request.clone());
    let wait = |ends: &dyn Fn(&Faults) -> bool| {
        while !shared.stopped.load(Ordering::SeqCst) && !ends(&locked(&shared.behaviour).faults) {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let (reply, faults) = {
        let mut behaviour = locked(&shared.behaviour);
        let reply = behaviour.site.reply(&request);
        answer(&request, reply, &mut behaviour.faults)
    };
    if faults.mute {
        return wait(&|now| !now.mute);
    }
    let headers: Vec<String> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!("HTTP/1.1 {} Status\r\n{headers}Connection: close\r\n\r\n", reply.status);
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body));
    if faults.stalls {
        wait(&|now| !now.stalls);
    }
    while faults.endless && !shared.stopped.load(Ordering::SeqCst) && stream.write_all(&[b'x'; 4096]).is_ok() {
        std::hint::spin_loop();
    }
}

/// A reply with the faults that `left` counts down, and those that its body has.
fn answer(request: &Request, reply: Reply, left: &mut Faults) -> (Reply, Faults) {
    let faults = *left;
    if faults.mute {
        return (reply, faults);
    }
    if faults.outages.0 > 0 {
        left.outages.0 -= 1;
        return (Reply::new(faults.outages.1, vec![("Content-Length", "0".to_owned())], b""), Faults::default());
    }
    let mut reply = if reply.is_file { part(request, reply, faults.without_ranges) } else { reply };
    // Its first byte alone is asked for to see the headers.
    let is_faulty = reply.is_file && request.range() != Some((0, Some(0)));
    let faults = if is_faulty { faults } else { Faults::default() };
    if !faults.without_length && !faults.endless {
        reply.headers.push(("Content-Length", reply.body.len().to_string()));
    }
    if let (true, Some(first)) = (faults.damages > 0, reply.body.first_mut()) {
        *first ^= 1;
        left.damages -= 1;
    }
    if (faults.cuts > 0 || faults.stalls) && reply.body.len() > faults.after {
        reply.body.truncate(faults.after);
        left.cuts = left.cuts.saturating_sub(1);
    }
    (reply, faults)
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

/// The part of a file that is asked for.
fn part(request: &Request, mut reply: Reply, without_ranges: bool) -> Reply {
    let etag = reply.headers.iter().find(|(name, _)| *name == "ETag").map(|(_, etag)| etag.clone());
    let is_same = request.headers.get("if-range").is_none_or(|asked| Some(asked) == etag.as_ref());
    let Some((start, last)) = request.range().filter(|_| is_same && !without_ranges) else { return reply };
    let size = reply.body.len();
    if start >= size {
        return Reply::new(416, vec![("Content-Range", format!("bytes */{size}"))], b"");
    }
    let end = last.map_or(size, |last| size.min(last + 1));
    reply.headers.push(("Content-Range", format!("bytes {start}-{}/{size}", end - 1)));
    Reply { status: 206, body: reply.body[start..end].to_vec(), ..reply }
}
