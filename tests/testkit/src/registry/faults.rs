//! What a registry can do wrong.

use std::{io, net::TcpStream};

use crate::http_server::{Request, Response, Stream, forever, hang};

/// One way to misbehave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// Accepts requests and never answers.
    Hang,
    /// Answers everything with a status.
    Status(u16),
    /// The same, and says how many seconds it wants to be left alone.
    RetryAfter(u16, u64),
    /// Refuses whoever asks, whatever they bring.
    RefuseAll(String),
    /// Flips a bit of each content.
    FlipBlob,
    /// Flips a bit of each manifest, under the digest of the true one.
    FlipManifest,
    /// Sends this many bytes of each content, then closes the connection.
    CutBlob(usize),
    /// Ends each content after this many bytes as if it were complete.
    ShortBlob(usize),
    /// Sends contents without end.
    EndlessBlob,
    /// Sends manifests without end.
    EndlessManifest,
    /// Sends contents byte by byte.
    SlowBlob,
    /// Redirects requests for contents to another base URL, query and all.
    RedirectBlobs(u16, String),
    /// Redirects everything to itself.
    RedirectLoop,
    /// Knows no referrers: an old registry.
    NoReferrers,
    /// Never answers who asks for referrers.
    HangReferrers,
    /// Answers HEAD without a digest.
    NoDigest,
    /// The list of tags goes on for ever, each page as the one before.
    EndlessTags,
    /// The next page of tags lies there.
    TagsElsewhere(String),
    /// Wants uploads sent there.
    UploadElsewhere(String),
}

pub(super) fn answer(
    fault: &Fault,
    request: &Request,
    mut response: Response,
    stream: &mut dyn Stream,
    socket: &TcpStream,
) -> io::Result<()> {
    let is_blob = request.path.contains("/blobs/sha") && response.status.starts_with("200");
    let is_manifest = request.path.contains("/manifests/");
    let is_tags = request.path.ends_with("/tags/list");
    let set = |response: &mut Response, name: &str, value: &str| {
        response.headers.retain(|(known, _)| known != name);
        response.headers.push((name.to_owned(), value.to_owned()));
    };
    match fault {
        Fault::Hang => return hang(socket),
        Fault::Status(status) => response = Response::new(&format!("{status} Fault"), b""),
        Fault::RetryAfter(status, seconds) => {
            response = Response::new(&format!("{status} Fault"), b"");
            set(&mut response, "Retry-After", &seconds.to_string());
        }
        Fault::RefuseAll(challenge) => response = Response::unauthorized(challenge),
        Fault::FlipBlob if is_blob => flip(&mut response.body),
        Fault::FlipManifest if is_manifest => flip(&mut response.body),
        Fault::CutBlob(length) if is_blob => return response.send_cut(*length, stream),
        Fault::ShortBlob(length) if is_blob => response.body.truncate(*length),
        Fault::EndlessBlob if is_blob => return endless(&response, stream),
        Fault::EndlessManifest if is_manifest && request.method == "GET" => {
            return endless(&response, stream);
        }
        Fault::SlowBlob if is_blob => return response.send_slowly(stream, socket),
        Fault::RedirectBlobs(status, base) if request.path.contains("/blobs/sha") => {
            response = Response::new(&format!("{status} Moved"), b"");
            let location = format!("{base}{}?signature=secret", request.path);
            set(&mut response, "Location", &location);
        }
        Fault::NoReferrers if request.path.contains("/referrers/") => {
            response = Response::new("404 Not Found", b"");
        }
        Fault::HangReferrers if request.path.contains("/referrers/") => return hang(socket),
        Fault::RedirectLoop => {
            response = Response::new("307 Moved", b"");
            set(&mut response, "Location", &request.path);
        }
        Fault::NoDigest if request.method == "HEAD" => {
            response
                .headers
                .retain(|(name, _)| name != "Docker-Content-Digest");
        }
        Fault::EndlessTags if is_tags => {
            let next = format!("<{}?n=1000&last=x>; rel=\"next\"", request.path);
            set(&mut response, "Link", &next);
        }
        Fault::TagsElsewhere(url) if is_tags => {
            set(&mut response, "Link", &format!("<{url}>; rel=\"next\""));
        }
        Fault::UploadElsewhere(url) if request.method == "POST" => set(&mut response, "Location", url),
        _ => {}
    }
    if request.method == "HEAD" {
        stream.write_all(response.head(Some(response.body.len())).as_bytes())?;
        return stream.flush();
    }
    response.send(stream)
}

/// The answer's beginning, then the same letter until the client has enough; no length is announced.
fn endless(response: &Response, stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(response.head(None).as_bytes())?;
    stream.write_all(&response.body)?;
    forever(stream, &[b'x'; 1 << 16])
}

fn flip(body: &mut [u8]) {
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 0x01;
    }
}
