//! What is asked of a store: a page of its list, an object. Signatures are AWS's version 4, Azure's, or a token.

use std::{
    io::{self, Write},
    sync::OnceLock,
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderValue},
};
use tokio::time::Instant;

use super::{
    azure,
    identity::Identity,
    xml::{element, walk},
};
use crate::{
    credential::cloud::{Scope, encode, sign},
    http::{Failure, Http, Reply, Request, secret_header},
    spool::{Spool, blocking},
};

/// A bucket in a store.
pub(super) struct Remote {
    pub(super) http: Http,
    /// `https://host/bucket`.
    pub(super) base: String,
    pub(super) dialect: Dialect,
    pub(super) identity: Identity,
}

/// How a store wants to be asked.
pub(super) enum Dialect {
    /// Amazon's, and whoever speaks as Amazon does.
    S3 { region: Region },
    /// Microsoft's.
    Azure {
        /// Parameters of every request.
        query: String,
    },
}

/// Where a bucket is, which signatures say.
#[derive(Default)]
pub(super) struct Region {
    /// What the user says, or the endpoint.
    pub(super) given: Option<String>,
    /// What the store says, where nobody else does.
    told: OnceLock<String>,
}

/// The region of stores that have none.
const REGION: &str = "us-east-1";

impl Region {
    pub(super) fn given(given: Option<String>) -> Region {
        let told = OnceLock::new();
        Region { given, told }
    }

    fn name(&self) -> &str {
        let known = self.given.as_ref().or_else(|| self.told.get());
        known.map_or(REGION, String::as_str)
    }

    /// Whether the store says something that nobody knew.
    fn learn(&self, told: &str) -> bool {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_region = !told.is_empty() && told.len() <= 64 && told.bytes().all(is_name);
        is_region && self.given.is_none() && told != self.name() && self.told.set(told.to_owned()).is_ok()
    }
}

/// A page of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<Listed>,
    pub(super) next: Option<String>,
}

/// An object of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) key: String,
    /// Without quotes.
    pub(super) etag: String,
    pub(super) size: u64,
}

/// Why a store did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// It says that nothing is there.
    #[error("it does not exist")]
    Missing,
    /// Our own disk.
    #[error("{0}")]
    Disk(io::Error),
    /// Who we are is not known: nothing was asked.
    #[error("{0}")]
    Identity(String),
    /// Anything else.
    #[error("{cause}")]
    Other {
        cause: String,
        /// How long the store wants to be left alone, where it says so.
        after: Option<Duration>,
        /// Where the bucket is, where the store says so.
        region: Option<String>,
    },
}

impl Problem {
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Problem::Other { after, .. } => *after,
            Problem::Missing | Problem::Disk(_) | Problem::Identity(_) => None,
        }
    }
}

impl From<String> for Problem {
    fn from(cause: String) -> Problem {
        Problem::Other {
            cause,
            after: None,
            region: None,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem::Other {
            cause: format!("{failure} ({})", failure.hint()),
            after: failure.retry_after(),
            region: None,
        }
    }
}

/// Bytes of one page of a list: a thousand keys of a thousand bytes, and what is said of each.
const PAGE_SIZE_MAX: u64 = 8 << 20;
/// Bytes of an error that are looked at.
const ERROR_SIZE_MAX: u64 = 64 << 10;
/// Longest text of a store that is repeated, in characters.
const SAID_MAX: usize = 300;
/// The digest of no body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Remote {
    /// The next page of keys that begin with `prefix`.
    pub(super) async fn page(
        &self,
        prefix: Option<&str>,
        after: Option<&str>,
        deadline: Instant,
    ) -> Result<Page, Problem> {
        let query = match &self.dialect {
            Dialect::S3 { .. } => page_query(prefix, after),
            Dialect::Azure { .. } => azure::page_query(prefix, after),
        };
        let reply = self.ask("", &query, deadline).await?;
        let body = reply
            .bytes("a page of the list", PAGE_SIZE_MAX, "page_size_max")
            .await?;
        let read: fn(&[u8]) -> Result<Page, String> = match &self.dialect {
            Dialect::S3 { .. } => read_page,
            Dialect::Azure { .. } => azure::read_page,
        };
        // megabytes of it take a while
        let page = blocking("reading a page of the list", move || Ok(read(&body)))
            .await
            .map_err(Problem::Disk)?;
        Ok(page.map_err(|problem| format!("the list cannot be read: {problem}"))?)
    }

    /// Writes an object of at most `limit` bytes to `content` as it comes; answers with its etag.
    pub(super) async fn get(
        &self,
        key: &str,
        limit: u64,
        deadline: Instant,
        content: &mut Spool<impl Write + Send + 'static>,
    ) -> Result<String, Problem> {
        let path = format!("/{}", encode(key, b"/"));
        let mut reply = self.ask(&path, "", deadline).await?;
        let etag = reply.header(ETAG.as_str()).unwrap_or_default();
        let etag = match &self.dialect {
            Dialect::S3 { .. } => etag.trim_matches('"').to_owned(),
            // as it is, for Flux makes revisions of that
            Dialect::Azure { .. } => etag.to_owned(),
        };
        let announced = reply.header(CONTENT_LENGTH.as_str());
        let announced = announced.and_then(|text| text.parse::<u64>().ok());
        let (what, knob) = ("the object", "object_size_max");
        let too_large = Failure::TooLarge { what, limit, knob };
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large.into());
        }
        let mut size = 0u64;
        while let Some(chunk) = reply.chunk().await? {
            size += chunk.len() as u64;
            if size > limit {
                return Err(too_large.into());
            }
            content.write(&chunk).await.map_err(Problem::Disk)?;
        }
        Ok(etag)
    }

    /// Asks, and once more where the store says that the bucket is elsewhere and the user does not say where.
    async fn ask(&self, path: &str, query: &str, deadline: Instant) -> Result<Reply, Problem> {
        match (self.ask_once(path, query, deadline).await, &self.dialect) {
            (
                Err(Problem::Other {
                    region: Some(told), ..
                }),
                Dialect::S3 { region },
            ) if region.learn(&told) => self.ask_once(path, query, deadline).await,
            (answer, _) => answer,
        }
    }

    async fn ask_once(&self, path: &str, query: &str, deadline: Instant) -> Result<Reply, Problem> {
        let address = format!("{}{path}", self.base());
        let mut url = Url::parse(&address).map_err(|error| error.to_string())?;
        let always = match &self.dialect {
            Dialect::S3 { .. } => "",
            Dialect::Azure { query } => query,
        };
        let parts = [query, always].into_iter().filter(|part| !part.is_empty());
        let query = parts.collect::<Vec<_>>().join("&");
        url.set_query(Some(&query).filter(|query| !query.is_empty()).map(String::as_str));
        let mut request = Request::new(Method::GET, url);
        // a signature is for one address
        request.may_follow = false;
        self.authorize(&mut request, deadline).await?;
        let reply = self.http.send(request, deadline).await?;
        match reply.status() {
            status if status.is_success() => Ok(reply),
            StatusCode::NOT_FOUND => Err(Problem::Missing),
            status => {
                let after = reply.failure().retry_after();
                let (cause, region) = self.explain(status, reply).await;
                Err(Problem::Other { cause, after, region })
            }
        }
    }

    /// `https://host/bucket`. Amazon's address of no region knows buckets of one region only.
    fn base(&self) -> String {
        match &self.dialect {
            Dialect::S3 { region } if region.name() != REGION => {
                let regional = format!("//s3.{}.amazonaws.com/", region.name());
                self.base.replacen("//s3.amazonaws.com/", &regional, 1)
            }
            Dialect::S3 { .. } | Dialect::Azure { .. } => self.base.clone(),
        }
    }

    async fn authorize(&self, request: &mut Request, deadline: Instant) -> Result<(), Problem> {
        if let Dialect::Azure { .. } = &self.dialect {
            azure::set_version(request);
        }
        let (key, region) = match &self.identity {
            Identity::Anonymous => return Ok(()),
            Identity::AccountKey(key) => return Ok(key.sign(request)?),
            Identity::Bearer(source) => {
                let token = source.token(&self.http, deadline).await?;
                let header = secret_header(&format!("Bearer {}", token.reveal()));
                let header =
                    header.map_err(|_| "the token holds characters that HTTP cannot carry".to_owned())?;
                request.authorization = Some(header);
                return Ok(());
            }
            Identity::Key(source) => {
                let region = match &self.dialect {
                    Dialect::S3 { region } => region.name(),
                    Dialect::Azure { .. } => "",
                };
                (source.key(region, deadline).await?, region)
            }
        };
        let scope = Scope {
            service: "s3",
            region,
            time: Timestamp::now(),
        };
        let headers = &mut request.headers;
        headers.insert("x-amz-content-sha256", HeaderValue::from_static(EMPTY));
        sign(&key, &scope, ("GET", &request.url), headers, b"").map_err(|error| error.0)?;
        request.authorization = headers.remove(AUTHORIZATION);
        Ok(())
    }

    /// What an answer that is no success means: code and message alone, for answers to bad signatures quote what was signed.
    /// And where the bucket is, if the store says so.
    async fn explain(&self, status: StatusCode, reply: Reply) -> (String, Option<String>) {
        let region = reply.header("x-amz-bucket-region").map(str::to_owned);
        if status.is_redirection() {
            let hint = match &region {
                None => "correct spec.endpoint or set spec.region".to_owned(),
                Some(region) => format!("set spec.region to '{}'", region.escape_debug()),
            };
            let cause = format!("the store sends readers elsewhere: {status} ({hint})");
            return (cause, region);
        }
        let failure = reply.failure();
        let body = reply.bytes("an error", ERROR_SIZE_MAX, "error_size_max").await;
        let text = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let said = match (element(&text, "Code"), element(&text, "Message")) {
            (Some(code), Some(message)) => format!("{code}: {message} "),
            (Some(text), None) | (None, Some(text)) => format!("{text} "),
            (None, None) => String::new(),
        };
        // what follows the first line is another one each time: numbers of requests, and times
        let said = said.lines().next().unwrap_or_default();
        let said = format!("{}{}", said.trim_end(), if said.is_empty() { "" } else { " " });
        let said: String = said.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
        let hint = match (&failure, &self.dialect) {
            (Failure::TooMany(..) | Failure::Unauthenticated, _) => failure.hint(),
            (Failure::Forbidden, Dialect::S3 { .. }) => {
                "give these credentials the right to list and to read, and check spec.region"
            }
            (Failure::Forbidden, Dialect::Azure { .. }) => {
                "give these credentials the right to list and to read blobs of this container"
            }
            _ => "it is asked again with growing delay",
        };
        let region = region.or_else(|| element(&text, "Region"));
        let status = failure.status().unwrap_or_else(|| status.to_string());
        (format!("{said}({status}; {hint})"), region)
    }
}

/// In order of name, as the signature has them.
fn page_query(prefix: Option<&str>, after: Option<&str>) -> String {
    let mut query = Vec::new();
    if let Some(after) = after {
        query.push(format!("continuation-token={}", encode(after, b"")));
    }
    query.push("list-type=2".to_owned());
    if let Some(prefix) = prefix {
        query.push(format!("prefix={}", encode(prefix, b"")));
    }
    query.join("&")
}

/// Reads `ListBucketResult`.
fn read_page(xml: &[u8]) -> Result<Page, String> {
    let mut page = Page::default();
    let (mut object, mut is_truncated) = (Listed::default(), false);
    walk(xml, |names, _, text| {
        match names {
            [_, "Contents", "Key"] => object.key = std::mem::take(text),
            [_, "Contents", "ETag"] => object.etag = text.trim_matches('"').to_owned(),
            [_, "Contents", "Size"] => object.size = size(text)?,
            [_, "Contents"] => page.objects.push(std::mem::take(&mut object)),
            [_, "NextContinuationToken"] => page.next = Some(std::mem::take(text)),
            [_, "IsTruncated"] => is_truncated = text.trim() == "true",
            _ => {}
        }
        Ok(())
    })?;
    if is_truncated != page.next.is_some() {
        return Err("it says that it goes on, and not where".to_owned());
    }
    Ok(page)
}

/// The size of an object, in bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("size '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_what_is_none_is_refused() {
        let xml = br#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>true</IsTruncated><Contents><Key>a &amp; b/&#233;.yaml</Key><LastModified>x</LastModified><ETag>&quot;e1&quot;</ETag><Size>3</Size><Owner><ID>o</ID></Owner></Contents><Contents><Key>c/</Key><ETag>"e2"</ETag><Size>0</Size></Contents><NextContinuationToken>t+1</NextContinuationToken></ListBucketResult>"#;
        let page = read_page(xml).unwrap();
        let listed = |key: &str, etag: &str, size| Listed {
            key: key.to_owned(),
            etag: etag.to_owned(),
            size,
        };
        assert_eq!(
            page.objects,
            [listed("a & b/é.yaml", "e1", 3), listed("c/", "e2", 0)]
        );
        assert_eq!(page.next.as_deref(), Some("t+1"));
        for xml in [
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><Contents>",
            "<ListBucketResult><Contents><Size>x</Size></Contents></ListBucketResult>",
            "<ListBucketResult>&xxe;</ListBucketResult>",
            "<a></b>",
        ] {
            assert!(read_page(xml.as_bytes()).is_err(), "{xml}");
        }
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        assert!(read_page(deep.as_bytes()).unwrap_err().contains("depth_max"));
        assert_eq!(encode("a b/c+é", b"/"), "a%20b/c%2B%C3%A9");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _any = read_page(&bytes);
        }
    }
}
