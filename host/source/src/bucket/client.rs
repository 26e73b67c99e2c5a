//! From a request to a bucket that can be asked.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::Url;
use tokio::sync::OnceCell;

use super::{
    AzureIdentity, Error, GcpIdentity, S3Identity, azure,
    identity::{Identity, KeySource, TokenSource},
    remote::{Dialect, Region, Remote},
};
use crate::{
    Addresses, Transport,
    credential::cloud::{Clouds, Key},
    http::{Clients, Http},
};

/// What buckets may cost.
#[derive(Clone, Copy, Debug)]
pub struct BucketLimits {
    /// Objects of one bucket that become files.
    pub objects_max: usize,
    /// Bytes of one object: it is held in memory as a whole when it is stored.
    pub object_size_max: u64,
    /// Objects that are asked for at once.
    pub concurrent_max: usize,
    /// Bytes of each of them that are held in memory while they arrive, whatever the list says; the rest goes to the disk.
    pub in_memory_max: usize,
    /// Clients with certificates or proxies of their own, before the oldest are forgotten.
    pub clients_max: usize,
}

impl Default for BucketLimits {
    fn default() -> BucketLimits {
        BucketLimits {
            objects_max: 100_000,
            object_size_max: 100 << 20,
            concurrent_max: 32,
            in_memory_max: 1 << 20,
            clients_max: 1000,
        }
    }
}

/// Which bucket.
#[derive(Clone, Debug)]
pub struct BucketRequest {
    /// The bucket's name.
    pub name: String,
    /// Whose store it is, and who we are to it.
    pub access: Access,
    /// Who we are to a cloud, where no Secret says.
    pub clouds: Clouds,
    /// What keys must begin with.
    pub prefix: Option<String>,
    /// `spec.ignore`.
    pub ignore: Option<String>,
    /// Whom we trust, and which way to go.
    pub transport: Transport,
    /// How long listing may take, and downloading again.
    pub timeout: Duration,
}

/// Whose store a bucket is in.
#[derive(Clone, Debug)]
pub enum Access {
    /// Any that speaks S3.
    S3 {
        /// `host[:port]`.
        endpoint: String,
        /// Where it is; what the endpoint or the store says where nothing is said.
        region: Option<String>,
        /// Whether it is asked without TLS.
        is_plain: bool,
        /// Who we are.
        identity: S3Identity,
    },
    /// Google's.
    Gcp(GcpIdentity),
    /// Microsoft's.
    Azure {
        /// `https://<account>.blob.core.windows.net`, maybe with parameters that every request has.
        endpoint: String,
        /// Who we are.
        identity: AzureIdentity,
    },
}

/// Asks buckets. Clones share the spool.
#[derive(Clone)]
pub struct BucketFetcher {
    shared: Arc<Shared>,
}

struct Shared {
    spool: PathBuf,
    limits: BucketLimits,
    addresses: Addresses,
    clients: Clients<Http>,
}

/// One bucket, asked as one person.
pub struct Bucket {
    pub(super) remote: Remote,
    pub(super) name: String,
    pub(super) prefix: Option<String>,
    pub(super) ignore: Option<String>,
    pub(super) timeout: Duration,
    pub(super) spool: PathBuf,
    pub(super) limits: BucketLimits,
}

/// Google's store, as it speaks S3.
const GOOGLE: &str = "https://storage.googleapis.com";

impl BucketFetcher {
    /// Keeps objects in `spool` while they arrive, which is created where it is missing; asks only `addresses`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(spool: &Path, limits: BucketLimits, addresses: Addresses) -> std::io::Result<BucketFetcher> {
        std::fs::create_dir_all(spool)?;
        Ok(BucketFetcher {
            shared: Arc::new(Shared {
                spool: spool.to_owned(),
                limits,
                addresses,
                clients: Clients::new(limits.clients_max),
            }),
        })
    }

    /// The bucket of a request. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Unusable`]: what of the request makes no bucket.
    pub fn bucket(&self, request: &BucketRequest) -> Result<Bucket, Error> {
        let shared = &self.shared;
        let make = |transport: &Transport| Http::new(transport, &shared.addresses);
        let http = |transport| shared.clients.get(transport, make).map_err(Error::Unusable);
        check_name(&request.name)?;
        let proxy = request.transport.proxy.as_ref();
        let clouds = request.clouds.through(proxy, &shared.addresses);
        let clouds = clouds.map_err(|error| Error::Unusable(error.0))?;
        let (base, dialect, identity) = match &request.access {
            Access::S3 {
                endpoint,
                region,
                is_plain,
                identity,
            } => {
                // who names a region means the token service of that one, too
                let is_named = region.is_some();
                let region = Region::given(region.clone().or_else(|| region_of(endpoint)));
                let identity = match identity {
                    S3Identity::Anonymous => Identity::Anonymous,
                    S3Identity::Key(id, secret) => Identity::Key(KeySource::Fixed(Key {
                        id: id.clone(),
                        secret: secret.clone(),
                        token: None,
                    })),
                    S3Identity::Role(sts) => {
                        let own = clouds.aws_own_token_service();
                        let own = own.map_err(|error| Error::Unusable(error.0))?;
                        let sts = sts.clone().or(own.filter(|_| !is_named));
                        Identity::Key(KeySource::Role(clouds, sts))
                    }
                    S3Identity::Ldap(sts) => {
                        let http = http(&sts.transport)?;
                        Identity::Key(KeySource::Ldap(http, sts.clone(), OnceCell::new()))
                    }
                };
                let store = address(endpoint, *is_plain)?;
                (at(&store, &request.name), Dialect::S3 { region }, identity)
            }
            Access::Gcp(identity) => {
                let identity = match identity {
                    GcpIdentity::Own => TokenSource::Own(clouds),
                    GcpIdentity::Account(account) => {
                        TokenSource::Account(Box::new(account.clone()), OnceCell::new())
                    }
                };
                let store = request
                    .clouds
                    .endpoint(GOOGLE)
                    .map_err(|error| Error::Unusable(error.0))?;
                let region = Region::default();
                (
                    at(&store, &request.name),
                    Dialect::S3 { region },
                    Identity::Bearer(identity),
                )
            }
            Access::Azure { endpoint, identity } => {
                let found = azure::container(endpoint, &request.name, identity, &clouds)?;
                (found.base, Dialect::Azure { query: found.query }, found.identity)
            }
        };
        Ok(Bucket {
            remote: Remote {
                http: http(&request.transport)?,
                base,
                dialect,
                identity,
            },
            name: request.name.clone(),
            prefix: request.prefix.clone().filter(|prefix| !prefix.is_empty()),
            ignore: request.ignore.clone(),
            timeout: request.timeout,
            spool: shared.spool.clone(),
            limits: shared.limits,
        })
    }
}

/// A bucket's name is a part of a path.
fn check_name(name: &str) -> Result<(), Error> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    // Microsoft's own containers, `$web` among them
    let plain = name.strip_prefix('$').unwrap_or(name);
    let is_name = !plain.is_empty() && !matches!(name, "." | "..") && plain.bytes().all(is_allowed);
    match is_name {
        true => Ok(()),
        false => Err(Error::Unusable(format!(
            "invalid bucket name '{}': letters, digits, '-', '_' and '.' make one",
            name.escape_debug()
        ))),
    }
}

/// Where a bucket is in its store: below it, but for the stores of Alibaba, which know buckets as hosts only.
fn at(store: &str, name: &str) -> String {
    let (scheme, host) = store.split_once("://").unwrap_or(("https", store));
    // a certificate is good for one label
    let is_label = scheme == "http" || !name.contains('.');
    match host.ends_with(".aliyuncs.com") && is_label {
        true => format!("{scheme}://{name}.{host}"),
        false => format!("{store}/{name}"),
    }
}

/// The region that an endpoint of Amazon's names.
fn region_of(endpoint: &str) -> Option<String> {
    let suffixes = [".amazonaws.com", ".amazonaws.com.cn"];
    let prefixes = ["s3.dualstack.", "s3-fips.dualstack.", "s3-fips.", "s3.", "s3-"];
    let name = suffixes.iter().find_map(|suffix| endpoint.strip_suffix(suffix))?;
    let region = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let is_region = region.contains('-') && !region.contains('.') && region != "external-1";
    is_region.then(|| region.to_owned())
}

/// `scheme://host[:port]` of an endpoint.
fn address(endpoint: &str, is_plain: bool) -> Result<String, Error> {
    let scheme = if is_plain { "http" } else { "https" };
    let address = format!("{scheme}://{endpoint}");
    let is_host = Url::parse(&address).is_ok_and(|url| {
        url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.host_str().is_some()
    });
    match is_host && !endpoint.ends_with('/') && !endpoint.contains('#') {
        true => Ok(address),
        false => Err(Error::Unusable(format!(
            "invalid endpoint '{}': write host[:port] without scheme and path",
            endpoint.escape_debug()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_say_where_a_bucket_is() {
        let rows = [
            ("s3.amazonaws.com", None),
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3.dualstack.us-west-2.amazonaws.com", Some("us-west-2")),
            ("s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("s3-external-1.amazonaws.com", None),
            ("minio.example:9000", None),
            ("s3.eu-west-1.amazonaws.com.evil.example", None),
        ];
        for (endpoint, region) in rows {
            assert_eq!(region_of(endpoint).as_deref(), region, "{endpoint}");
        }
        let rows = [
            (
                "https://minio.example:9000",
                "shop",
                "https://minio.example:9000/shop",
            ),
            (
                "https://oss-cn-x.aliyuncs.com",
                "shop",
                "https://shop.oss-cn-x.aliyuncs.com",
            ),
            (
                "https://oss-cn-x.aliyuncs.com",
                "a.b",
                "https://oss-cn-x.aliyuncs.com/a.b",
            ),
            (
                "http://oss-cn-x.aliyuncs.com",
                "a.b",
                "http://a.b.oss-cn-x.aliyuncs.com",
            ),
        ];
        for (store, name, expected) in rows {
            assert_eq!(at(store, name), expected);
        }
    }
}
