//! HTTP for Git's smart protocol: one origin's credentials, one deadline, one budget of bytes.
//!
//! gix speaks the protocol; this speaks HTTP for it, so that every byte and every second is counted here.

use std::{
    any::Any,
    io::{self, BufRead, BufReader, Cursor, Read, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION},
};

use super::conversation::{Conversation, lock};
use crate::{
    Credentials,
    http::{Addresses, Failure, is_same_origin, secret_header, shown},
};

/// Redirects of one fetch: real hosts need one or two.
const REDIRECTS_MAX: usize = 5;

/// One conversation with one remote.
pub(crate) struct Connection {
    client: Client,
    addresses: Addresses,
    origin: Url,
    authorization: Option<HeaderValue>,
    conversation: Arc<Conversation>,
    redirected: Option<String>,
}

impl Connection {
    pub(crate) fn new(
        client: Client,
        addresses: Addresses,
        origin: Url,
        credentials: &Credentials,
        conversation: Arc<Conversation>,
    ) -> Result<Connection, String> {
        let text = match credentials {
            Credentials::None => None,
            Credentials::Basic { username, password } => Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{username}:{}", password.reveal()))
            )),
            Credentials::Bearer(token) | Credentials::Refresh(token) => {
                Some(format!("Bearer {}", token.reveal()))
            }
        };
        let authorization = text.as_deref().map(secret_header).transpose();
        let authorization =
            authorization.map_err(|_| "the credentials hold characters that HTTP cannot carry".to_owned())?;
        Ok(Connection {
            client,
            addresses,
            origin,
            authorization,
            conversation,
            redirected: None,
        })
    }

    /// Sends one request. Credentials go to the origin that the user wrote them for, and to no other.
    fn send(&self, url: &Url, headers: &HeaderMap, body: Option<Vec<u8>>) -> io::Result<Response> {
        let left = self.conversation.left();
        if left.is_zero() {
            return Err(self.conversation.fail(Failure::TimedOut));
        }
        if let Err(refused) = self.addresses.check(url) {
            return Err(self.conversation.fail(Failure::Transport(refused)));
        }
        let mut request = match body {
            Some(body) => self.client.post(url.clone()).body(body),
            None => self.client.get(url.clone()),
        };
        request = request.headers(headers.clone()).timeout(left);
        if let Some(authorization) = &self.authorization
            && is_same_origin(url, &self.origin)
        {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request.send().map_err(|error| match error.is_timeout() {
            true => self.conversation.fail(Failure::TimedOut),
            false => self.conversation.fail_transport(&error),
        })
    }

    /// Only the first request, which carries no body, may be sent on; to https from anywhere, to http from http.
    fn get_following(&mut self, url: &str, base: &str, headers: &HeaderMap) -> io::Result<Response> {
        let refuse = |text: String| self.conversation.fail(Failure::Redirect(text));
        let tail = url.strip_prefix(base).unwrap_or_default().to_owned();
        let mut next = parse(url)?;
        for _ in 0..=REDIRECTS_MAX {
            let response = self.send(&next, headers, None)?;
            if !response.status().is_redirection() {
                if next.as_str() != url {
                    let target = next.as_str().strip_suffix(&tail);
                    let target = target
                        .ok_or_else(|| refuse(format!("to {}, which is no Git service", shown(&next))))?;
                    self.redirected = Some(target.to_owned());
                }
                return Ok(response);
            }
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let target = location.and_then(|location| next.join(location).ok());
            let target = target.ok_or_else(|| refuse("without a usable location".to_owned()))?;
            let is_downgrade = next.scheme() == "https" && target.scheme() != "https";
            if is_downgrade || !matches!(target.scheme(), "http" | "https") {
                return Err(refuse(format!("from {} to {}", shown(&next), shown(&target))));
            }
            next = target;
        }
        Err(refuse(format!("more than {REDIRECTS_MAX} times")))
    }

    fn accept(&self, response: Response) -> io::Result<(Lines, Body)> {
        let status = response.status();
        if status != StatusCode::OK {
            let failure = Failure::of_answer(status, response.headers());
            return Err(self.conversation.fail(failure));
        }
        let mut lines = Vec::new();
        for (name, value) in response.headers() {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        let counted = Counted {
            response,
            conversation: Arc::clone(&self.conversation),
        };
        Ok((Cursor::new(lines), BufReader::with_capacity(64 << 10, counted)))
    }
}

type Lines = Cursor<Vec<u8>>;
type Body = BufReader<Counted>;

pub(crate) struct Counted {
    response: Response,
    conversation: Arc<Conversation>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.conversation.is_over() {
            return Err(self.conversation.fail(Failure::TimedOut));
        }
        match self.response.read(buffer) {
            Ok(read) => {
                self.conversation.spend(read)?;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.conversation.fail_transport(&error)),
        }
    }
}

/// A request whose body is still being written; it is sent when the first byte of the answer is asked for.
pub(crate) struct Pending {
    connection: Connection,
    url: Url,
    headers: HeaderMap,
    request: Arc<Mutex<Vec<u8>>>,
    answer: Option<(Lines, Option<Body>)>,
}

impl Pending {
    fn answer(&mut self) -> io::Result<&mut (Lines, Option<Body>)> {
        if self.answer.is_none() {
            let body = std::mem::take(&mut *lock(&self.request));
            let response = self.connection.send(&self.url, &self.headers, Some(body))?;
            if response.status().is_redirection() {
                let text = "of a request that carries data".to_owned();
                return Err(self.connection.conversation.fail(Failure::Redirect(text)));
            }
            let (lines, body) = self.connection.accept(response)?;
            self.answer = Some((lines, Some(body)));
        }
        self.answer
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// The headers or the body of an answer, now or later.
pub(crate) enum Reply {
    Lines(Lines),
    Body(Body),
    PendingLines(Arc<Mutex<Pending>>),
    PendingBody(Arc<Mutex<Pending>>),
}

impl Reply {
    /// Waits for a pending answer, then reads from it directly.
    fn ready(&mut self) -> io::Result<&mut dyn BufRead> {
        let arrived = match self {
            Reply::Lines(_) | Reply::Body(_) => None,
            Reply::PendingLines(pending) => {
                Some(Reply::Lines(std::mem::take(&mut lock(pending).answer()?.0)))
            }
            Reply::PendingBody(pending) => lock(pending).answer()?.1.take().map(Reply::Body),
        };
        if let Some(arrived) = arrived {
            *self = arrived;
        }
        match self {
            Reply::Lines(lines) => Ok(lines),
            Reply::Body(body) => Ok(body),
            Reply::PendingLines(_) | Reply::PendingBody(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Read for Reply {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready()?.read(buffer)
    }
}

impl BufRead for Reply {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ready()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Reply::Lines(lines) => lines.consume(amount),
            Reply::Body(body) => body.consume(amount),
            Reply::PendingLines(_) | Reply::PendingBody(_) => {} // nothing was lent yet
        }
    }
}

pub(crate) struct Request(Arc<Mutex<Vec<u8>>>);

impl Write for Request {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Http for Connection {
    type Headers = Reply;
    type ResponseBody = Reply;
    type PostBody = Request;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::error::Result<GetResponse<Reply, Reply>> {
        let headers = header_map(headers);
        let answer = self
            .get_following(url, base_url, &headers)
            .and_then(|response| self.accept(response));
        let (lines, body) = answer.map_err(gix::Error::from_error)?;
        Ok(GetResponse {
            headers: Reply::Lines(lines),
            body: Reply::Body(body),
        })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::error::Result<PostResponse<Reply, Reply, Request>> {
        let request = Arc::new(Mutex::new(Vec::new()));
        let pending = Arc::new(Mutex::new(Pending {
            connection: Connection {
                client: self.client.clone(),
                addresses: self.addresses.clone(),
                origin: self.origin.clone(),
                authorization: self.authorization.clone(),
                conversation: Arc::clone(&self.conversation),
                redirected: None,
            },
            url: parse(url).map_err(gix::Error::from_error)?,
            headers: header_map(headers),
            request: Arc::clone(&request),
            answer: None,
        }));
        Ok(PostResponse {
            post_body: Request(request),
            headers: Reply::PendingLines(Arc::clone(&pending)),
            body: Reply::PendingBody(pending),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::error::Result {
        Ok(()) // everything was configured when the connection was made
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.as_ref().split_once(':') else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    headers.remove(AUTHORIZATION);
    headers
}

fn parse(url: &str) -> io::Result<Url> {
    Url::parse(url).map_err(io::Error::other)
}
