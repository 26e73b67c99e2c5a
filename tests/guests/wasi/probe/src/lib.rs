//! Tries everything that WASI has, through Rust's standard library, and answers what came of it.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::fs;
use std::hash::BuildHasher;
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

wit_bindgen::generate!({
    path: ["../../../../wit/types", "../../../../wit/host", "../../../../wit/render"],
    inline: "
        package guest:probe;
        world probe {
            import sluice:host/log@0.1.0;
            export sluice:render/renderer@0.1.0;
        }
    ",
    world: "guest:probe/probe",
    generate_all,
});

use exports::sluice::render::renderer::{Failure, Guest, Object, Rendered, Request};
use sluice::types::objects::ObjectId;

struct Probe;
export!(Probe);

impl Guest for Probe {
    fn render(request: Request) -> Result<Rendered, Failure> {
        match request.config.as_slice() {
            br#"{"do":"panic"}"# => panic!("there is no spoon"),
            br#"{"do":"exit"}"# => std::process::exit(3),
            br#"{"do":"sleep-forever"}"# => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            br#"{"do":"output-flood"}"# => loop {
                println!("{}", "x".repeat(1 << 16));
            },
            _ => {}
        }
        let text = probe()
            .replace('\\', "\\\\")
            .replace('"', "'")
            .replace('\n', "\\n");
        let body = format!(
            r#"{{"apiVersion":"v1","data":{{"text":"{text}"}},"kind":"ConfigMap","metadata":{{"name":"x"}}}}"#
        );
        let id = ObjectId {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: None,
            name: "x".to_owned(),
        };
        Ok(Rendered {
            objects: vec![Object {
                id,
                body: body.into_bytes(),
                origin: None,
            }],
            findings: Vec::new(),
        })
    }
}

fn probe() -> String {
    let mut text = String::new();
    let mut line = |what: &str, result: String| writeln!(text, "{what}: {result}").unwrap_or_default();

    line("variables", std::env::vars().count().to_string());
    line("arguments", std::env::args().count().to_string());
    line("read /", show(fs::read_dir("/").map(|entries| entries.count())));
    line("read .", show(fs::read_dir(".").map(|entries| entries.count())));
    line(
        "open /etc/passwd",
        show(fs::File::open("/etc/passwd").map(|_| "opened")),
    );
    line("create file", show(fs::write("file", "x").map(|()| "written")));

    let wall = SystemTime::now();
    let monotonic = Instant::now();
    std::thread::sleep(Duration::from_secs(24 * 3600));
    line(
        "wall clock",
        show(
            wall.duration_since(UNIX_EPOCH)
                .map(|time| format!("{}s", time.as_secs())),
        ),
    );
    line(
        "wall clock after a day's sleep",
        show(wall.elapsed().map(|time| format!("{time:?} later"))),
    );
    line(
        "monotonic clock after a day's sleep",
        format!("{:?} later", monotonic.elapsed()),
    );

    line("random", format!("{:016x}", RandomState::new().hash_one("x")));
    line("standard input", show(std::io::stdin().read(&mut [0; 8])));

    line(
        "resolve",
        show(
            "example.com:80"
                .to_socket_addrs()
                .map(|addresses| addresses.count()),
        ),
    );
    line(
        "connect",
        show(TcpStream::connect("127.0.0.1:1").map(|_| "connected")),
    );
    line(
        "listen",
        show(TcpListener::bind("127.0.0.1:0").map(|_| "listening")),
    );
    line("udp", show(UdpSocket::bind("127.0.0.1:0").map(|_| "bound")));
    println!("this goes to the log");
    eprintln!("and this too");
    text
}

fn show<T: std::fmt::Display, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => format!("refused ({error})"),
    }
}
