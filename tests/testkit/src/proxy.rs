//! A proxy before servers that speak first. It tells who wanted to go where: HTTP's `CONNECT` and SOCKS 5 (RFC 1928, 1929) on one port.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a client that speaks neither ends its own connection

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A running proxy. It lets in whoever says `somebody:secret`, and goes when the process does.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Who is let in.
pub const LOGIN: (&str, &str) = ("somebody", "secret");

impl Proxy {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let seen = Arc::clone(&proxy.seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(client, &seen));
            }
        });
        proxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients wanted to go since the last look, and how: `http 127.0.0.1:22`, `socks 127.0.0.1:22`.
    pub fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(mut client: TcpStream, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut first = [0];
    client.read_exact(&mut first)?;
    let target = match first {
        [5] => socks(&mut client, seen)?,
        [first] => http(&mut client, first, seen)?,
    };
    let Some(server) = target else {
        return client.shutdown(Shutdown::Both);
    };
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write).and(copied)
    });
    let (mut from, mut to) = (server, client);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}

fn note(seen: &Mutex<Vec<String>>, how: &str, target: &str) {
    seen.lock().unwrap().push(format!("{how} {target}"));
}

/// The answer and the server's first words come together, as they may: a client must not take them for one.
fn connect(client: &mut TcpStream, target: &str, answer: &[u8]) -> io::Result<TcpStream> {
    let mut server = TcpStream::connect(target)?;
    let mut words = vec![0; 1024];
    let length = server.read(&mut words)?;
    words.truncate(length);
    client.write_all(&[answer, &words].concat())?;
    Ok(server)
}

fn http(client: &mut TcpStream, first: u8, seen: &Mutex<Vec<String>>) -> io::Result<Option<TcpStream>> {
    let mut head = vec![first];
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    note(seen, "http", target);
    // `somebody:secret`
    if !head
        .to_lowercase()
        .contains("proxy-authorization: basic c29tzwjvzhk6c2vjcmv0")
    {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")?;
        return Ok(None);
    }
    connect(client, target, b"HTTP/1.1 200 OK\r\n\r\n").map(Some)
}

fn socks(client: &mut TcpStream, seen: &Mutex<Vec<String>>) -> io::Result<Option<TcpStream>> {
    let mut bytes = |length: usize, answer: &[u8]| -> io::Result<Vec<u8>> {
        client.write_all(answer)?;
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let ways = usize::from(bytes(1, b"")?[0]);
    bytes(ways, b"")?;
    // by name and password
    let length = usize::from(bytes(2, &[5, 2])?[1]);
    let name = bytes(length, b"")?;
    let length = usize::from(bytes(1, b"")?[0]);
    let password = bytes(length, b"")?;
    let is_known = (name.as_slice(), password.as_slice()) == (LOGIN.0.as_bytes(), LOGIN.1.as_bytes());
    if !is_known {
        client.write_all(&[1, 1])?;
        return Ok(None);
    }
    let host = match bytes(4, &[1, 0])?[3] {
        1 => <[u8; 4]>::try_from(bytes(4, b"")?)
            .map(Ipv4Addr::from)
            .unwrap()
            .to_string(),
        3 => {
            let length = usize::from(bytes(1, b"")?[0]);
            String::from_utf8_lossy(&bytes(length, b"")?).into_owned()
        }
        _ => return Ok(None),
    };
    let port = bytes(2, b"")?;
    let target = format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]));
    note(seen, "socks", &target);
    connect(client, &target, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).map(Some)
}
