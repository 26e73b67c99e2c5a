//! Microsoft's store, its login and the machine's metadata service, as an emulator of clouds has them: the service's host is
//! the first part of the path.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Shared, decode, escape, etag, mac, missing, page, pairs};
use crate::http_server::{Request, Response};

/// How requests prove who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Not at all.
    #[default]
    Open,
    /// Signed with the key of the account `shop`, in Base64.
    Key(String),
    /// With this signature in the query.
    Sas(String),
    /// With a token that the login gives for this password of an application.
    Password(String),
    /// With a token that the login gives for a statement that an application signed.
    Statement,
    /// With a token that the machine gives for this client.
    Machine(String),
}

const STORE: &str = "/shop.blob.core.windows.net/";
const LOGIN: &str = "/login.microsoftonline.com/";
const METADATA: &str = "/169.254.169.254/metadata/identity/oauth2/token";
const TOKEN: &str = "a-token-of-microsoft";

/// Answers what goes to Microsoft.
pub(super) fn respond(shared: &Shared, request: &Request) -> Option<Response> {
    if request.path.starts_with(LOGIN) || request.path == METADATA {
        return Some(login(&shared.azure, request));
    }
    let path = request.path.strip_prefix(STORE)?;
    Some(if is_allowed(&shared.azure, request) {
        read(shared, path, request)
    } else {
        let body = "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.\nRequestId:1234\nTime:now</Message><AuthenticationErrorDetail>not to be shown</AuthenticationErrorDetail></Error>";
        Response::new("403 Forbidden", body.as_bytes())
    })
}

fn login(access: &Access, request: &Request) -> Response {
    let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&request.body)).collect();
    let query: BTreeMap<String, String> = pairs(&request.query).collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let is_scope = field("scope") == "https://storage.azure.com/.default";
    let is_tenant = request.path == format!("{LOGIN}a-tenant/oauth2/v2.0/token");
    let is_known = match access {
        Access::Password(password) => is_tenant && is_scope && field("client_secret") == password,
        Access::Statement => {
            let parts: Vec<&str> = field("client_assertion").split('.').collect();
            is_tenant && is_scope && parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
        }
        Access::Machine(client) => {
            query.get("client_id").map(String::as_str).unwrap_or_default() == client
                && query
                    .get("resource")
                    .is_some_and(|resource| resource == "https://storage.azure.com/")
                && request
                    .headers
                    .get("metadata")
                    .is_some_and(|value| value == "true")
        }
        Access::Open | Access::Key(_) | Access::Sas(_) => false,
    };
    if is_known {
        Response::new("200 OK", format!("{{\"access_token\":\"{TOKEN}\"}}").as_bytes())
    } else {
        Response::new("401 Unauthorized", b"{\"error\":\"invalid_client\"}")
    }
}

fn is_allowed(access: &Access, request: &Request) -> bool {
    let header = |name: &str| request.headers.get(name).map(String::as_str).unwrap_or_default();
    if header("x-ms-version").is_empty() {
        return false;
    }
    match access {
        Access::Open => true,
        Access::Sas(sas) => {
            request.query.split('&').any(|pair| pair == sas) && header("authorization").is_empty()
        }
        Access::Key(key) => header("authorization") == signature(request, key),
        Access::Password(_) | Access::Statement | Access::Machine(_) => {
            header("authorization") == format!("Bearer {TOKEN}")
        }
    }
}

/// As the documentation of `Authorize with Shared Key` has it, for a request without a body.
fn signature(request: &Request, key: &str) -> String {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let empty = [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ];
    let mut lines = vec![request.method.clone()];
    lines.extend(empty.iter().map(|name| header(name)));
    let mut own: Vec<&String> = request
        .headers
        .keys()
        .filter(|name| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    lines.extend(own.iter().map(|name| format!("{name}:{}", header(name))));
    lines.push(format!("/shop{}", request.path));
    let query: BTreeMap<String, String> = pairs(&request.query).collect();
    lines.extend(query.iter().map(|(name, value)| format!("{name}:{value}")));
    let key = STANDARD.decode(key).unwrap_or_default();
    format!(
        "SharedKey shop:{}",
        STANDARD.encode(mac(&key, lines.join("\n").as_bytes()))
    )
}

fn read(shared: &Shared, path: &str, request: &Request) -> Response {
    let path = decode(path);
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !shared.buckets.iter().any(|known| known == bucket) {
        return missing("ContainerNotFound");
    }
    if key.is_empty() {
        return list(shared, bucket, request);
    }
    let Some(content) = shared.objects.get(&format!("{bucket}/{key}")) else {
        return missing("BlobNotFound");
    };
    let mut response = Response::new("200 OK", content);
    response
        .headers
        .push(("ETag".to_owned(), format!("\"0x{}\"", etag(content))));
    response
}

/// A page of a list; the marker of the next one is the last key of this one.
fn list(shared: &Shared, bucket: &str, request: &Request) -> Response {
    let query: BTreeMap<String, String> = pairs(&request.query).collect();
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    if (get("restype"), get("comp")) != ("container".to_owned(), "list".to_owned()) {
        return Response::new("400 Bad Request", b"");
    }
    let (page, next) = page(shared, bucket, &get("prefix"), &get("marker"));
    let blobs: String = page
        .iter()
        .map(|(key, content)| {
            format!(
                "<Blob><Name>{}</Name><Properties><Etag>0x{}</Etag><Content-Length>{}</Content-Length></Properties></Blob>",
                escape(key),
                etag(content),
                content.len()
            )
        })
        .collect();
    let body = format!(
        "<?xml version=\"1.0\"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
        escape(next.unwrap_or_default())
    );
    Response::new("200 OK", body.as_bytes())
}
