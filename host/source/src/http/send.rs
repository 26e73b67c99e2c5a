//! Sending a request: credentials stay with their origin, redirects are few, and every wait has an end.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue, LOCATION},
};
use tokio::time::{Instant, timeout_at};

use super::{Addresses, Failure, Transport, client::client, innermost};

/// Redirects of one request: real hosts need one or two.
const REDIRECTS_MAX: usize = 5;

/// A client with its policy. Clones share connections.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    addresses: Addresses,
}

/// What is asked.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Goes to the origin of `url` and to no other.
    pub(crate) authorization: Option<HeaderValue>,
    /// Whether it may be sent on; a request with a body never is.
    pub(crate) may_follow: bool,
}

impl Request {
    pub(crate) fn new(method: Method, url: Url) -> Request {
        Request {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            authorization: None,
            may_follow: true,
        }
    }
}

/// The value of a header that is never shown.
///
/// # Errors
/// It holds characters that HTTP cannot carry.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What was answered; its body is read under the deadline of the request.
#[derive(Debug)]
pub(crate) struct Reply {
    response: Response,
    deadline: Instant,
}

impl Http {
    pub(crate) fn new(transport: &Transport, addresses: &Addresses) -> Result<Http, String> {
        Ok(Http {
            client: client(transport, addresses)?,
            addresses: addresses.clone(),
        })
    }

    /// Sends a request and follows where it is sent on, if it carries no body. Any status is an answer.
    pub(crate) async fn send(&self, request: Request, deadline: Instant) -> Result<Reply, Failure> {
        let Request {
            method,
            url,
            headers,
            body,
            authorization,
            may_follow,
        } = request;
        let may_follow = may_follow && body.is_none() && (method == Method::GET || method == Method::HEAD);
        let mut next = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.addresses.check(&next).map_err(Failure::Transport)?;
            let mut built = self
                .client
                .request(method.clone(), next.clone())
                .headers(headers.clone());
            if let Some(body) = &body {
                built = built.body(body.clone());
            }
            if let Some(authorization) = authorization.as_ref().filter(|_| is_same_origin(&next, &url)) {
                built = built.header(AUTHORIZATION, authorization.clone());
            }
            let sent = timeout_at(deadline, built.send()).await;
            let response = sent
                .map_err(|_| Failure::TimedOut)?
                .map_err(|error| of_error(&error))?;
            if !may_follow || !is_redirect(response.status()) {
                return Ok(Reply { response, deadline });
            }
            next = target(&next, response.headers())?;
        }
        Err(Failure::Redirect(format!("more than {REDIRECTS_MAX} times")))
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads: never from https to http, never out of HTTP.
fn target(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| from.join(location).ok());
    let target = target.ok_or_else(|| Failure::Redirect("without a usable location".to_owned()))?;
    let is_downgrade = from.scheme() == "https" && target.scheme() != "https";
    if is_downgrade || !matches!(target.scheme(), "http" | "https") {
        let text = format!("from {} to {}", shown(from), shown(&target));
        return Err(Failure::Redirect(text));
    }
    Ok(target)
}

fn of_error(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Transport(innermost(error))
    }
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.response.headers().get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The reply, if its status is a success.
    pub(crate) fn ok(self) -> Result<Reply, Failure> {
        if self.status().is_success() {
            return Ok(self);
        }
        Err(self.failure())
    }

    /// What a status that is no success means.
    pub(crate) fn failure(&self) -> Failure {
        Failure::of_answer(self.status(), self.response.headers())
    }

    /// The next piece of the body.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let read = timeout_at(self.deadline, self.response.chunk()).await;
        read.map_err(|_| Failure::TimedOut)?
            .map_err(|error| of_error(&error))
    }

    /// Gives the body another `time` from now: a large one needs more than the answer's head.
    pub(crate) fn extend(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    /// The whole body, of at most `limit` bytes.
    pub(crate) async fn bytes(
        mut self,
        what: &'static str,
        limit: u64,
        knob: &'static str,
    ) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(Failure::TooLarge { what, limit, knob });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Same scheme, host and port.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// A URL without user, password, query: what may be shown.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _no_authority = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}
