//! A store of objects for tests: as much of S3 as a reader needs, signatures looked at, and ways to misbehave.
#![allow(clippy::missing_panics_doc, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    io,
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};

use crate::http_server::{Listener, Request, Response, Stream, forever, hang};
pub use crate::{authority::Authority, http_server::Seen};

mod azure;
mod real;
pub use azure::Access as AzureAccess;
pub use real::RealStorage;

/// What the store does wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StorageFault {
    /// Nothing.
    #[default]
    None,
    /// Answers every request for this key, or for the list where it is empty, with this status.
    Status(String, u16),
    /// Never ends the answer to requests for this key, or for the list where it is empty.
    Endless(String),
    /// Never answers.
    Hang,
    /// Never answers requests for this key.
    Silent(String),
    /// Lists this key, and does not have it any more.
    Vanished(String),
    /// Sends readers to this address.
    Redirect(String),
}

#[derive(Default)]
struct Shared {
    /// By `bucket/key`.
    objects: BTreeMap<String, Vec<u8>>,
    buckets: Vec<String>,
    /// Keys with their secrets, and the token that goes with a temporary one; none where everybody may read.
    keys: Vec<(String, String, Option<String>)>,
    /// Where signatures must say that the buckets are; anywhere where nothing is said.
    region: Option<String>,
    /// User and password of the token service.
    person: Option<(String, String)>,
    /// The token that requests carry, and that a service account is given at `/token`.
    token: Option<String>,
    /// How requests to the emulated store of Microsoft must prove who they are.
    azure: azure::Access,
    fault: StorageFault,
    seen: Vec<Seen>,
}

/// A running store; it stops when dropped.
pub struct Storage {
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
}

/// The key that the token service gives.
const TEMPORARY: (&str, &str, &str) = ("TEMPORARY", "temporary/secret+1", "a-session-token==");
/// Objects on one page of a list.
const PAGE: usize = 3;

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Storage {
    /// Serves over http.
    pub fn start() -> Storage {
        Storage::serve(None)
    }

    /// Serves over https, with a certificate of `authority` for `localhost`.
    pub fn start_tls(authority: &Authority) -> Storage {
        Storage::serve(Some(authority.server_config(None)))
    }

    /// The same, asking for a client certificate of that authority.
    pub fn start_mutual_tls(authority: &Authority) -> Storage {
        Storage::serve(Some(authority.server_config(Some(authority))))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> Storage {
        let shared = Arc::<Mutex<Shared>>::default();
        let own = Arc::clone(&shared);
        let listener = Listener::start(tls, move |request, stream, socket| {
            answer(&own, request, stream, socket)
        });
        Storage { listener, shared }
    }

    /// `localhost:<port>`.
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// `http://localhost:<port>`.
    pub fn base(&self) -> String {
        self.listener.base()
    }

    /// Puts an object into a bucket, which is made where it is missing.
    pub fn put(&self, bucket: &str, key: &str, content: &str) {
        let mut shared = lock(&self.shared);
        if !shared.buckets.iter().any(|known| known == bucket) {
            shared.buckets.push(bucket.to_owned());
        }
        shared
            .objects
            .insert(format!("{bucket}/{key}"), content.as_bytes().to_vec());
    }

    /// Takes an object away.
    pub fn delete(&self, bucket: &str, key: &str) {
        lock(&self.shared).objects.remove(&format!("{bucket}/{key}"));
    }

    /// Only requests signed with this key are answered from now on.
    pub fn require(&self, key: &str, secret: &str) {
        lock(&self.shared).keys = vec![(key.to_owned(), secret.to_owned(), None)];
    }

    /// Signatures that say that the buckets are elsewhere are refused from now on, with the region.
    pub fn lie_in(&self, region: &str) {
        lock(&self.shared).region = Some(region.to_owned());
    }

    /// Only requests signed with the key that the token service at `/sts` gives this person are answered.
    pub fn require_person(&self, username: &str, password: &str) {
        let mut shared = lock(&self.shared);
        let (id, secret, token) = TEMPORARY;
        shared.keys = vec![(id.to_owned(), secret.to_owned(), Some(token.to_owned()))];
        shared.person = Some((username.to_owned(), password.to_owned()));
    }

    /// Only requests with the token that a service account is given at `/token` are answered, as Google's store does it.
    pub fn require_account(&self) {
        lock(&self.shared).token = Some("a-token-of-google".to_owned());
    }

    /// Only requests to Microsoft's store that prove it this way are answered.
    pub fn require_azure(&self, access: AzureAccess) {
        lock(&self.shared).azure = access;
    }

    /// From now on the store does this wrong.
    pub fn misbehave(&self, fault: StorageFault) {
        lock(&self.shared).fault = fault;
    }

    /// What was asked since this was called last.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut lock(&self.shared).seen)
    }
}

/// The etag of some bytes.
pub fn etag(content: &[u8]) -> String {
    hex(&Sha256::digest(content)).chars().take(32).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answer(
    shared: &Mutex<Shared>,
    request: &Request,
    stream: &mut dyn Stream,
    socket: &TcpStream,
) -> io::Result<()> {
    let (fault, response) = {
        let mut shared = lock(shared);
        shared.seen.push(request.seen());
        (shared.fault.clone(), respond(&shared, request))
    };
    let asks_for = |key: &str| match key {
        "" => request.query.contains("list-type") || request.query.contains("comp=list"),
        key => request.path.ends_with(&format!("/{key}")),
    };
    match fault {
        StorageFault::Status(key, status) if asks_for(&key) => {
            let body = "<Error><Code>Broken</Code><Message>it is broken</Message><StringToSign>not to be shown</StringToSign></Error>";
            Response::new(&format!("{status} Broken"), body.as_bytes()).send(stream)
        }
        StorageFault::Endless(key) if asks_for(&key) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nLast-Modified: {MODIFIED}\r\nETag: \"x\"\r\nContent-Length: 1000000000000\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
            forever(stream, &[b'x'; 4096])
        }
        StorageFault::Hang => hang(socket),
        StorageFault::Silent(key) if asks_for(&key) => hang(socket),
        StorageFault::Vanished(key) if asks_for(&key) => missing("NoSuchKey").send(stream),
        StorageFault::Redirect(to) => {
            let mut response = Response::new("307 Temporary Redirect", b"");
            response.headers.push(("Location".to_owned(), to));
            response.send(stream)
        }
        _ => response.send(stream),
    }
}

fn missing(code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>it does not exist</Message></Error>"
    );
    Response::new("404 Not Found", body.as_bytes())
}

const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

fn respond(shared: &Shared, request: &Request) -> Response {
    if request.path == "/sts" {
        return token(shared, request);
    }
    if let Some(answer) = azure::respond(shared, request) {
        return answer;
    }
    if let Some(token) = &shared.token {
        if request.path == "/token" {
            let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&request.body)).collect();
            let has_statement = form
                .get("assertion")
                .is_some_and(|jwt| jwt.split('.').count() == 3);
            let status = if has_statement {
                "200 OK"
            } else {
                "400 Bad Request"
            };
            return Response::new(
                status,
                format!("{{\"access_token\":\"{token}\",\"expires_in\":3600}}").as_bytes(),
            );
        }
        if request.headers.get("authorization") != Some(&format!("Bearer {token}")) {
            return Response::new(
                "401 Unauthorized",
                b"<Error><Code>AuthenticationRequired</Code></Error>",
            );
        }
    }
    if !shared.keys.is_empty() && !shared.keys.iter().any(|key| is_signed(request, key)) {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>the signature is wrong</Message><StringToSign>not to be shown</StringToSign></Error>";
        return Response::new("403 Forbidden", body.as_bytes());
    }
    if let Some(region) = &shared.region
        && !request
            .headers
            .get("authorization")
            .is_some_and(|text| text.contains(&format!("/{region}/s3/aws4_request")))
    {
        let body = format!(
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>{region}</Region></Error>"
        );
        return Response::new("400 Bad Request", body.as_bytes());
    }
    // a proxy is asked for whole addresses
    let path = request
        .path
        .strip_prefix("http://")
        .and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    // an emulator of clouds has the service's host in front
    let path = path
        .unwrap_or(&request.path)
        .trim_start_matches("/storage.googleapis.com");
    let path = decode(path.trim_start_matches('/'));
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !shared.buckets.iter().any(|known| known == bucket) {
        return missing("NoSuchBucket");
    }
    if key.is_empty() {
        return list(shared, bucket, request);
    }
    let Some(content) = shared.objects.get(&format!("{bucket}/{key}")) else {
        return missing("NoSuchKey");
    };
    let body: &[u8] = if request.method == "HEAD" { b"" } else { content };
    let mut response = Response::new("200 OK", body);
    let headers = [
        ("Last-Modified", MODIFIED.to_owned()),
        ("ETag", format!("\"{}\"", etag(content))),
    ];
    response
        .headers
        .extend(headers.map(|(name, value)| (name.to_owned(), value)));
    response
}

/// The objects of a page of a list, by key.
type Page<'a> = Vec<(&'a str, &'a [u8])>;

/// The keys of a bucket that begin so and come after another; the last of them where there are more.
fn page<'a>(shared: &'a Shared, bucket: &str, prefix: &str, after: &str) -> (Page<'a>, Option<&'a str>) {
    let own = format!("{bucket}/");
    let mut objects = shared
        .objects
        .iter()
        .filter_map(|(path, content)| Some((path.strip_prefix(&own)?, content.as_slice())))
        .filter(|(key, _)| key.starts_with(prefix) && *key > after);
    let page: Page<'a> = objects.by_ref().take(PAGE).collect();
    let next = objects.next().and(page.last()).map(|(key, _)| *key);
    (page, next)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A page of a list; the token of the next one is the last key of this one.
fn list(shared: &Shared, bucket: &str, request: &Request) -> Response {
    let query: BTreeMap<String, String> = pairs(&request.query).collect();
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (page, next) = page(shared, bucket, &get("prefix"), &get("continuation-token"));
    let contents: String = page
        .iter()
        .map(|(key, content)| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
                escape(key),
                etag(content),
                content.len()
            )
        })
        .collect();
    let token = next.map(|key| format!("<NextContinuationToken>{}</NextContinuationToken>", escape(key)));
    let body = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{}</IsTruncated>{contents}{}</ListBucketResult>",
        token.is_some(),
        token.unwrap_or_default()
    );
    Response::new("200 OK", body.as_bytes())
}

/// What the token service says.
fn token(shared: &Shared, request: &Request) -> Response {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let form: BTreeMap<String, String> = pairs(&body).collect();
    let get = |name: &str| form.get(name).cloned().unwrap_or_default();
    let person = (get("LDAPUsername"), get("LDAPPassword"));
    if get("Action") != "AssumeRoleWithLDAPIdentity" || shared.person != Some(person) {
        return Response::new("401 Unauthorized", b"");
    }
    let (id, secret, token) = TEMPORARY;
    let body = format!(
        "<AssumeRoleWithLDAPIdentityResponse><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken></Credentials></AssumeRoleWithLDAPIdentityResponse>"
    );
    Response::new("200 OK", body.as_bytes())
}

/// Whether the request carries a good signature, version 4, of this key.
fn is_signed(request: &Request, (id, secret, token): &(String, String, Option<String>)) -> bool {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let authorization = header("authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}="))?;
        Some(rest.split(',').next().unwrap_or_default().trim().to_owned())
    };
    let (Some(credential), Some(signed), Some(signature)) =
        (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return false;
    };
    let Some((key, place)) = credential.split_once('/') else {
        return false;
    };
    if key != id
        || token
            .as_ref()
            .is_some_and(|token| header("x-amz-security-token") != *token)
    {
        return false;
    }
    let lines: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", header(name)))
        .collect();
    let mut query: Vec<String> = pairs(&request.query)
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
        .collect();
    query.sort_unstable();
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{signed}\n{}",
        request.method,
        request.path,
        query.join("&"),
        header("x-amz-content-sha256")
    );
    let hash = hex(&Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{place}\n{hash}", header("x-amz-date"));
    let mut derived = format!("AWS4{secret}").into_bytes();
    for part in place.split('/') {
        derived = mac(&derived, part.as_bytes());
    }
    hex(&mac(&derived, to_sign.as_bytes())) == signature
}

/// HMAC-SHA256.
fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > 64 {
        Sha256::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    for (to, from) in block.iter_mut().zip(short) {
        *to = from;
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

/// Names and values of a query or a form.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(&name.replace('+', " ")), decode(&value.replace('+', " "))))
}

/// As signatures are made over.
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = (*byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
