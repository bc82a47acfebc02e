//! A small HTTP server for pages that only this machine sees: GET and HEAD, on 127.0.0.1 alone; and the pages, reports that
//! are made again once their runs changed.
//!
//! ```text
//! connection ─request: parsed, method, host and path looked at─▶ the caller's answer ─response─▶ connection
//! ```
//!
//! A connection has one request and a thread. What a page may load is said by its content security policy: nothing but
//! itself. Requests under another host's name are refused, so that no page of the web reaches this server by pointing a
//! name at 127.0.0.1.

mod request;
mod response;
mod site;

use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

pub use response::{Content, Response};
pub use site::Site;

use request::Request;

/// How long a browser may take to send its request, or to take the next piece of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at a time; browsers open about six to a host.
const CONNECTIONS: usize = 64;

/// A server that listens and has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens on 127.0.0.1 at `port`; 0 stands for one that is free.
    ///
    /// # Errors
    /// When the port is in use, or not this user's to take.
    pub fn bind(port: u16) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, port))? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers every request by `answer`, which gets the decoded path and is called from several threads; never returns.
    pub fn run(&self, answer: impl Fn(&str) -> Response + Send + Sync + 'static) {
        let (answer, open) = (Arc::new(answer), Arc::new(()));
        for stream in self.listener.incoming() {
            // One that broke before it was taken is the browser's affair.
            let Ok(stream) = stream else {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            // Each open connection holds one besides this thread.
            if Arc::strong_count(&open) > CONNECTIONS {
                continue;
            }
            let (answer, counted) = (answer.clone(), open.clone());
            // Without a thread, the connection is closed, and the browser asks again.
            let _ = std::thread::Builder::new().name("request".to_owned()).spawn(move || {
                // A browser that goes away in the middle is no error.
                let _ = conversation(&stream, &*answer);
                drop(counted);
            });
        }
    }
}

/// One request and its answer.
fn conversation(stream: &TcpStream, answer: &dyn Fn(&str) -> Response) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let bytes = match Request::read(stream)? {
        Ok(request) => request.answered(answer(&request.path)),
        Err(refused) => refused.bytes(true),
    };
    let mut stream = stream;
    stream.write_all(&bytes)?;
    stream.shutdown(Shutdown::Write)
}
