//! A registry for tests: the distribution spec in memory, and ways to misbehave.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod archive;
mod faults;
mod notary;
mod openssl;
mod real;
mod sigstore;
mod timestamps;

use std::{
    collections::BTreeMap,
    io,
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http_server::{Listener, Request, Response, Stream, basic};
pub use crate::{authority::Authority, http_server::Seen};
pub use archive::{Entry, gzip, tar, tgz};
pub use faults::Fault;
pub use notary::{Notary, NotaryFlaw, NotaryForm};
pub use openssl::Openssl;
pub use real::RealRegistry;
pub use sigstore::{Flaw, Logged, LoggedFlaw, Signer, Sigstore};
pub use timestamps::{OPENSSL_KEYS, OpensslAuthority, TimestampAuthority, TimestampFlaw};

/// Who may pull and push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// One user with one password, sent with each request.
    Basic(String, String),
    /// One user with one password, changed into a token by the service at this URL; at `/token` of this server where none.
    Token(String, String, Option<String>),
}

/// The token that the service gives.
const TOKEN: &str = "a-token-for-a-while";

#[derive(Default)]
struct Shared {
    access: Access,
    fault: Fault,
    seen: Vec<Seen>,
    /// By `repository@digest` and `repository:tag`.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    blobs: BTreeMap<String, Vec<u8>>,
}

/// A running registry; it stops when dropped.
pub struct Registry {
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    });
    format!("sha256:{hex}")
}

impl Registry {
    /// Serves over http.
    pub fn start() -> Registry {
        Registry::serve(None)
    }

    /// Serves over https, with a certificate of `authority` for `localhost`.
    pub fn start_tls(authority: &Authority) -> Registry {
        Registry::serve(Some(authority.server_config(None)))
    }

    /// The same, asking for a client certificate of that authority.
    pub fn start_mutual_tls(authority: &Authority) -> Registry {
        Registry::serve(Some(authority.server_config(Some(authority))))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> Registry {
        let shared = Arc::<Mutex<Shared>>::default();
        let own = Arc::clone(&shared);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = Listener::start(tls, move |request, stream, socket| {
            answer(&own, scheme, request, stream, socket)
        });
        Registry { listener, shared }
    }

    /// `localhost:<port>`.
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// `http://localhost:<port>`.
    pub fn base(&self) -> String {
        self.listener.base()
    }

    /// `oci://localhost:<port>/<repository>`.
    pub fn url(&self, repository: &str) -> String {
        format!("oci://{}/{repository}", self.host())
    }

    /// Who may pull from now on.
    pub fn require(&self, access: Access) {
        lock(&self.shared).access = access;
    }

    /// How to misbehave from now on.
    pub fn misbehave(&self, fault: Fault) {
        lock(&self.shared).fault = fault;
    }

    /// What was asked since this was called last.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut lock(&self.shared).seen)
    }

    /// Adds a content; answers with its descriptor.
    pub fn add_blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = digest(bytes);
        lock(&self.shared).blobs.insert(digest.clone(), bytes.to_vec());
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Adds a manifest under a tag (none where empty); answers with its digest.
    pub fn add_manifest(&self, repository: &str, tag: &str, manifest: &Value) -> String {
        let bytes = serde_json::to_vec(manifest).unwrap();
        let media_type = manifest["mediaType"].as_str().unwrap_or_default().to_owned();
        self.add_manifest_bytes(repository, tag, &media_type, &bytes)
    }

    /// The same for any bytes.
    pub fn add_manifest_bytes(&self, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) -> String {
        put_manifest(&mut lock(&self.shared), repository, tag, media_type, bytes)
    }

    /// What `flux push artifact` would push: one layer with these files, under a tag. Answers with the manifest's digest.
    pub fn push(&self, repository: &str, tag: &str, files: &[(&str, &str)]) -> String {
        let entries: Vec<Entry> = files.iter().map(|(path, text)| Entry::file(path, text)).collect();
        self.push_layers(
            repository,
            tag,
            &[("application/vnd.cncf.flux.content.v1.tar+gzip", &tgz(&entries))],
        )
    }

    /// An artifact of these layers.
    pub fn push_layers(&self, repository: &str, tag: &str, layers: &[(&str, &[u8])]) -> String {
        let layers: Vec<Value> = layers
            .iter()
            .map(|(media_type, bytes)| self.add_blob(media_type, bytes))
            .collect();
        let config = self.add_blob("application/vnd.cncf.flux.config.v1+json", b"{}");
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config, "layers": layers,
            "annotations": {
                "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
                "org.opencontainers.image.source": "https://example.com/shop.git",
                "org.opencontainers.image.revision": format!("main@sha1:{tag}"),
            },
        });
        self.add_manifest(repository, tag, &manifest)
    }

    /// From now on it knows no referrers; those of `subject` are in an index under a tag, as go-containerregistry (and so
    /// cosign) keeps it there: with the type of each config in the place of the artifact's.
    pub fn keep_referrers_by_tag(&self, repository: &str, subject: &str) {
        let mut found = referrers_of(&lock(&self.shared), repository, subject);
        for descriptor in &mut found {
            descriptor["artifactType"] = "application/vnd.oci.empty.v1+json".into();
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": found });
        self.add_manifest(repository, &subject.replace(':', "-"), &index);
        self.misbehave(Fault::NoReferrers);
    }

    /// The manifest under a tag or digest, as it was put.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Value> {
        let shared = lock(&self.shared);
        let (_, bytes) = shared.manifests.get(&key(repository, reference))?;
        serde_json::from_slice(bytes).ok()
    }

    /// A content.
    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        lock(&self.shared).blobs.get(digest).cloned()
    }
}

fn key(repository: &str, reference: &str) -> String {
    let separator = if reference.contains(':') { '@' } else { ':' };
    format!("{repository}{separator}{reference}")
}

fn put_manifest(shared: &mut Shared, repository: &str, tag: &str, media_type: &str, bytes: &[u8]) -> String {
    let digest = digest(bytes);
    let manifest = (media_type.to_owned(), bytes.to_vec());
    if !tag.is_empty() && !tag.contains(':') {
        shared.manifests.insert(key(repository, tag), manifest.clone());
    }
    shared.manifests.insert(key(repository, &digest), manifest);
    digest
}

fn answer(
    shared: &Mutex<Shared>,
    scheme: &str,
    request: &Request,
    stream: &mut dyn Stream,
    socket: &TcpStream,
) -> io::Result<()> {
    let (response, fault) = {
        let mut shared = lock(shared);
        shared.seen.push(request.seen());
        let fault = shared.fault.clone();
        (respond(&mut shared, scheme, request), fault)
    };
    faults::answer(&fault, request, response, stream, socket)
}

fn respond(shared: &mut Shared, scheme: &str, request: &Request) -> Response {
    let given = request.headers.get("authorization").cloned();
    let host = request.headers.get("host").cloned().unwrap_or_default();
    if request.path == "/token" {
        return token(&shared.access, given.as_deref());
    }
    let challenge = match &shared.access {
        Access::Open => None,
        Access::Basic(user, password) => {
            (given != Some(basic(user, password))).then(|| "Basic realm=\"test\"".to_owned())
        }
        Access::Token(_, _, realm) => (given != Some(format!("Bearer {TOKEN}"))).then(|| {
            let own = format!("{scheme}://{host}/token");
            format!(
                "Bearer realm=\"{}\",service=\"test\"",
                realm.clone().unwrap_or(own)
            )
        }),
    };
    if let Some(challenge) = challenge {
        let mut response = Response::unauthorized(&challenge);
        response.body = error("UNAUTHORIZED", "authentication required");
        return response;
    }
    let Some(rest) = request.path.strip_prefix("/v2/") else {
        return missing("NAME_UNKNOWN");
    };
    for (what, act) in ACTIONS {
        if let Some((repository, reference)) = rest.rsplit_once(what) {
            return act(shared, request, repository, reference);
        }
    }
    if rest.is_empty() {
        Response::new("200 OK", b"{}")
    } else {
        missing("NAME_UNKNOWN")
    }
}

type Act = fn(&mut Shared, &Request, &str, &str) -> Response;
const ACTIONS: [(&str, Act); 5] = [
    ("/manifests/", manifests),
    ("/blobs/uploads/", uploads),
    ("/blobs/", blobs),
    ("/referrers/", referrers),
    ("/tags/list", tags),
];

fn token(access: &Access, given: Option<&str>) -> Response {
    let Access::Token(user, password, _) = access else {
        return missing("UNSUPPORTED");
    };
    if given == Some(&basic(user, password)) {
        let body = json!({ "token": TOKEN, "expires_in": 300 }).to_string();
        Response::new("200 OK", body.as_bytes())
    } else {
        Response::new("401 Unauthorized", b"")
    }
}

fn manifests(shared: &mut Shared, request: &Request, repository: &str, reference: &str) -> Response {
    if request.method == "PUT" {
        let media_type = request.headers.get("content-type").cloned().unwrap_or_default();
        let digest = put_manifest(shared, repository, reference, &media_type, &request.body);
        return with(
            Response::new("201 Created", b""),
            "Docker-Content-Digest",
            &digest,
        );
    }
    match shared.manifests.get(&key(repository, reference)) {
        None => missing("MANIFEST_UNKNOWN"),
        Some((media_type, bytes)) => {
            let response = with(Response::new("200 OK", bytes), "Content-Type", media_type);
            with(response, "Docker-Content-Digest", &digest(bytes))
        }
    }
}

fn blobs(shared: &mut Shared, _: &Request, _: &str, digest: &str) -> Response {
    match shared.blobs.get(digest) {
        None => missing("BLOB_UNKNOWN"),
        Some(bytes) => Response::new("200 OK", bytes),
    }
}

fn uploads(shared: &mut Shared, request: &Request, repository: &str, _: &str) -> Response {
    if request.method == "POST" {
        let location = format!("/v2/{repository}/blobs/uploads/1?state=x");
        return with(Response::new("202 Accepted", b""), "Location", &location);
    }
    let own = digest(&request.body);
    let claimed = own.replace(':', "%3A");
    if !request.query.contains(&claimed) && !request.query.contains(&own) {
        return Response::new("400 Bad Request", &error("DIGEST_INVALID", "not its digest"));
    }
    shared.blobs.insert(own, request.body.clone());
    Response::new("201 Created", b"")
}

/// What lists of manifests are.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn referrers_of(shared: &Shared, repository: &str, subject: &str) -> Vec<Value> {
    let prefix = format!("{repository}@");
    let mut found = Vec::new();
    for (name, (media_type, bytes)) in &shared.manifests {
        let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
        if name.starts_with(&prefix) && manifest["subject"]["digest"] == subject {
            found.push(json!({
                "mediaType": media_type, "digest": digest(bytes), "size": bytes.len(),
                "artifactType": manifest["artifactType"],
            }));
        }
    }
    found
}

fn referrers(shared: &mut Shared, _: &Request, repository: &str, subject: &str) -> Response {
    let found = referrers_of(shared, repository, subject);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": found });
    with(
        Response::new("200 OK", index.to_string().as_bytes()),
        "Content-Type",
        INDEX,
    )
}

/// Two tags a page, so that pages are followed.
fn tags(shared: &mut Shared, request: &Request, repository: &str, _: &str) -> Response {
    let prefix = format!("{repository}:");
    let last = request
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("last="));
    let names = shared
        .manifests
        .keys()
        .filter_map(|name| name.strip_prefix(&prefix));
    let names: Vec<&str> = names
        .filter(|name| last.is_none_or(|last| *name > last))
        .collect();
    let page = names.get(..2).unwrap_or(&names);
    let body = json!({ "name": repository, "tags": page }).to_string();
    let response = Response::new("200 OK", body.as_bytes());
    match page.last() {
        Some(last) if page.len() < names.len() => {
            let next = format!("</v2/{repository}/tags/list?n=2&last={last}>; rel=\"next\"");
            with(response, "Link", &next)
        }
        _ => response,
    }
}

fn with(mut response: Response, name: &str, value: &str) -> Response {
    response.headers.push((name.to_owned(), value.to_owned()));
    response
}

fn error(code: &str, message: &str) -> Vec<u8> {
    json!({ "errors": [{ "code": code, "message": message }] })
        .to_string()
        .into_bytes()
}

fn missing(code: &str) -> Response {
    Response::new("404 Not Found", &error(code, "not known here"))
}
