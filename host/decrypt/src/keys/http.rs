//! Requests to key services: bounded, without redirects, never to addresses of the node's own metadata.

use crate::KeyError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;
use sluice_api::{is_node_service, none_of_the_node};
use sluice_event::cause::innermost;
use std::sync::Arc;
use std::time::Duration;

/// A key service that does not answer within this has failed; the object is tried again later.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// No answer of a key service is longer.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// A client for key services. A redirect could carry a credential to somebody else: it is an answer like any other.
pub(super) fn client() -> Result<Client, String> {
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(Names))
        .timeout(REQUEST_TIMEOUT)
        .user_agent("sluice");
    builder
        .build()
        .map_err(|_| "no HTTP client can be made".to_owned())
}

/// Names that a file or a Secret gives: what they resolve to is looked at.
pub(super) struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(none_of_the_node(name.as_str(), found)?) as Addrs)
        })
    }
}

/// Accepts an address that a file or a Secret names.
///
/// # Errors
/// It is no HTTP address, names a user, or one of the node's link-local services.
pub(super) fn checked(address: &str) -> Result<Url, KeyError> {
    let refused = |why: &str| KeyError::lasting(format!("the address '{address}' is refused: {why}"));
    let url = Url::parse(address).map_err(|_| refused("it is no URL"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refused("it is neither https nor http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(KeyError::lasting("an address with a user in it is refused"));
    }
    if is_node_service(url.host_str().unwrap_or_default()) {
        return Err(refused("it is that of a service of the node itself"));
    }
    Ok(url)
}

/// Sends a request and reads its JSON. `who` names the service.
///
/// # Errors
/// No answer, or one that is not 2xx: then with the text of its error, which services write for people.
pub(super) async fn send(request: RequestBuilder, who: &str) -> Result<Value, KeyError> {
    let failed = |error: &reqwest::Error| {
        let why = if error.is_timeout() {
            format!("no answer within {REQUEST_TIMEOUT:?}")
        } else {
            innermost(error)
        };
        KeyError::transient(format!("{who} is not reached: {why}"))
    };
    let mut response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    let mut body = zeroize::Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(KeyError::lasting(format!(
                "{who} answered more than {ANSWER_BYTES_MAX} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() {
        return Ok(answer);
    }
    let message = format!("{who} answered {status}{}", said(&answer));
    let is_transient = status.is_server_error() || status.as_u16() == 429;
    Err(KeyError {
        message,
        is_transient,
    })
}

/// The part of an error answer that says why.
fn said(answer: &Value) -> String {
    let pointers = [
        "/error/message",
        "/error_description",
        "/message",
        "/Message",
        "/errors/0",
        "/error",
        "/__type",
    ];
    let text = pointers
        .iter()
        .find_map(|pointer| answer.pointer(pointer)?.as_str());
    text.map(|text| format!(": {}", text.chars().take(300).collect::<String>()))
        .unwrap_or_default()
}

/// A request with JSON as its body.
pub(super) fn json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// A request with a form as its body.
pub(super) fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    body.push(char::from(byte))
                }
                byte => body.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}
