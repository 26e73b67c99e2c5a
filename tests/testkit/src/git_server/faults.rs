//! What a server can do wrong.

use std::{io, net::TcpStream};

use crate::http_server::{Request, Response, Stream, forever, hang};

/// One way to misbehave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// Accepts requests and never answers.
    HangAtOnce,
    /// Lists references, then never answers again.
    HangAfterRefs,
    /// Sends this many bytes of the pack's answer, then closes the connection.
    CutPack(usize),
    /// As [`Fault::CutPack`], but ends the answer as if it were complete.
    ShortPack(usize),
    /// Flips a bit of the pack's n-th byte; negative numbers count from its end.
    FlipPackByte(isize),
    /// Sends the pack's answer one byte every few milliseconds.
    SlowPack,
    /// Answers everything with a status.
    Status(u16),
    /// Puts one text in place of another of the same length wherever references are listed.
    ReplaceInRefs(String, String),
    /// Lists references without end.
    EndlessRefs,
    /// Sends a pack without end.
    EndlessPack,
    /// Sends this in the place of the pack.
    Pack(Vec<u8>),
    /// Claims this many objects in the pack's header.
    ClaimObjects(u32),
    /// Redirects requests for references to another base URL; the status decides how.
    Redirect(u16, String),
    /// Answers with a web page.
    WebPage,
    /// Refuses to send objects that no reference names, as servers of old do.
    RefuseUnadvertised,
}

pub(super) fn answer(
    fault: &Fault,
    request: &Request,
    mut response: Response,
    stream: &mut dyn Stream,
    socket: &TcpStream,
) -> io::Result<()> {
    let is_post = request.method == "POST";
    let is_pack = is_post && find(&response.body, b"PACK").is_some();
    let lists_refs = !is_post || find(&request.body, b"command=ls-refs").is_some();
    match fault {
        Fault::HangAtOnce => return hang(socket),
        Fault::HangAfterRefs if !lists_refs => return hang(socket),
        Fault::Status(status) => response = Response::new(&format!("{status} Fault"), b""),
        Fault::WebPage => {
            response = Response::new("200 OK", b"<html>welcome</html>");
            response
                .headers
                .push(("Content-Type".to_owned(), "text/html".to_owned()));
        }
        Fault::Redirect(status, base) if !is_post => {
            let at = request.path.find("/info/refs").unwrap_or(0);
            let tail = request.path.get(at..).unwrap_or_default();
            response = Response::new(&format!("{status} Moved"), b"");
            response
                .headers
                .push(("Location".to_owned(), format!("{base}{tail}?{}", request.query)));
        }
        Fault::ReplaceInRefs(from, to) if lists_refs => {
            replace(&mut response.body, from.as_bytes(), to.as_bytes())
        }
        Fault::RefuseUnadvertised if !lists_refs => {
            response.body =
                b"0045ERR upload-pack: not our ref: a commit that no reference shows    \n".to_vec();
        }
        Fault::CutPack(length) if is_pack => return response.send_cut(*length, stream),
        Fault::ShortPack(length) if is_pack => response.body.truncate(*length),
        Fault::FlipPackByte(number) if is_pack => flip(&mut response.body, *number),
        Fault::ClaimObjects(number) if is_pack => claim(&mut response.body, *number),
        Fault::Pack(pack) if is_pack => {
            let begin = find(&response.body, b"PACK").unwrap_or(0);
            response.body.truncate(begin.saturating_sub(5));
            pack.chunks(65_000)
                .for_each(|chunk| response.body.extend(band(chunk)));
            response.body.extend(b"0000");
        }
        Fault::SlowPack if is_pack => return response.send_slowly(stream, socket),
        Fault::EndlessRefs if lists_refs => {
            let line = format!("{} refs/heads/{}\n", "1".repeat(40), "x".repeat(900));
            return endless(
                stream,
                &response,
                &format!("{:04x}{line}", line.len() + 4).into_bytes(),
            );
        }
        Fault::EndlessPack if is_pack => {
            // The true beginning, then the band of the pack for ever.
            let begin = find(&response.body, b"PACK").unwrap_or(0) + 12;
            let mut head = response.head(None).into_bytes();
            head.extend_from_slice(response.body.get(..begin.saturating_sub(17)).unwrap_or_default());
            stream.write_all(&head)?;
            let mut first = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
            first.extend_from_slice(&[0xb0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x78, 0x01]);
            stream.write_all(&band(&first))?;
            // Stored zlib blocks that are never the last.
            let mut block = vec![0, 0xff, 0x7f, 0, 0x80];
            block.extend(std::iter::repeat_n(b'x', 0x7fff));
            return forever(stream, &band(&block));
        }
        _ => {}
    }
    response.send(stream)
}

fn band(data: &[u8]) -> Vec<u8> {
    let mut line = format!("{:04x}\u{1}", data.len() + 5).into_bytes();
    line.extend_from_slice(data);
    line
}

fn endless(stream: &mut dyn Stream, response: &Response, chunk: &[u8]) -> io::Result<()> {
    stream.write_all(response.head(None).as_bytes())?;
    let end = response.body.len().saturating_sub(4);
    stream.write_all(response.body.get(..end).unwrap_or_default())?;
    forever(stream, chunk)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn replace(text: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len(), "packet lines carry their length");
    while let Some(at) = find(text, from) {
        text[at..at + from.len()].copy_from_slice(to);
    }
}

/// Positions of the pack's bytes in an answer of packet lines: those of band 1.
fn pack_positions(body: &[u8]) -> Vec<usize> {
    let mut positions = Vec::new();
    let mut at = 0;
    while let Some(length) = body
        .get(at..at + 4)
        .and_then(|digits| std::str::from_utf8(digits).ok())
    {
        let Ok(length) = usize::from_str_radix(length, 16) else {
            break;
        };
        if length > 5 && body.get(at + 4) == Some(&1) {
            positions.extend(at + 5..at + length);
        }
        at += length.max(4);
    }
    positions
}

fn flip(body: &mut [u8], number: isize) {
    let positions = pack_positions(body);
    let length = positions.len() as isize;
    let at = if number < 0 {
        length + number
    } else {
        number.min(length - 1)
    };
    body[positions[at as usize]] ^= 0x01;
}

fn claim(body: &mut [u8], number: u32) {
    let positions = pack_positions(body);
    for (position, byte) in positions[8..12].iter().zip(number.to_be_bytes()) {
        body[*position] = byte;
    }
}
