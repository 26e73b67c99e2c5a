//! What is shared by all that ask registries: clients, sessions, limits.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{Error, Repository, RepositoryName, session::Sessions};
use crate::{
    CredentialSource,
    http::{Addresses, Certificates, Clients, Http, Transport},
};

/// What registries may cost.
#[derive(Clone, Copy, Debug)]
pub struct OciLimits {
    /// Bytes of a manifest or an index: the distribution spec asks registries for 4 MiB.
    pub manifest_size_max: u64,
    /// Bytes of one layer as it is sent; what it unpacks to has limits of its own.
    pub layer_size_max: u64,
    /// Bytes of a config or a signature, which are held in memory.
    pub blob_size_max: u64,
    /// Tags of one repository.
    pub tags_max: usize,
    /// Bytes of one page of tags.
    pub tags_page_size_max: u64,
    /// Bytes of a token service's answer.
    pub token_size_max: u64,
    /// Signatures of one artifact that are looked at.
    pub signatures_max: usize,
    /// The slowest way that is waited for, in bytes a second: a layer gets `spec.timeout` and what its size takes at
    /// this rate, so that a server that trickles is left.
    pub slowest_rate: u64,
    /// Clients with certificates or proxies of their own, and tokens, before the oldest are forgotten.
    pub clients_max: usize,
}

impl Default for OciLimits {
    fn default() -> OciLimits {
        OciLimits {
            manifest_size_max: 4 << 20,
            layer_size_max: 2 << 30,
            blob_size_max: 16 << 20,
            tags_max: 200_000,
            tags_page_size_max: 8 << 20,
            token_size_max: 1 << 20,
            signatures_max: 100,
            slowest_rate: 64 << 10,
            clients_max: 1000,
        }
    }
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct OciRequest {
    /// `oci://host[:port]/repository`.
    pub url: String,
    /// Who we are.
    pub credentials: Arc<dyn CredentialSource>,
    /// Whom we trust, and which way to go.
    pub transport: Transport,
    /// What is put up with for want of TLS.
    pub insecure: Insecure,
    /// How long each question may take.
    pub timeout: Duration,
}

/// What is put up with for want of TLS (compat/source.md 17.19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Insecure {
    /// Nothing.
    #[default]
    No,
    /// A certificate that nobody vouches for; without TLS where there is none.
    Tolerated,
    /// The registry is asked without TLS and not otherwise.
    Plain,
}

impl From<bool> for Insecure {
    fn from(is_insecure: bool) -> Insecure {
        if is_insecure {
            Insecure::Tolerated
        } else {
            Insecure::No
        }
    }
}

/// Asks registries. Clones share connections and tokens.
#[derive(Clone)]
pub struct OciFetcher {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) spool: PathBuf,
    pub(super) limits: OciLimits,
    pub(super) addresses: Addresses,
    pub(super) sessions: Sessions,
    clients: Clients<Http>,
}

impl OciFetcher {
    /// Which machines are asked.
    pub fn addresses(&self) -> &Addresses {
        &self.shared.addresses
    }

    /// Keeps layers in `spool` while they arrive, which is created where it is missing; asks only `addresses`.
    pub fn new(spool: &Path, limits: OciLimits, addresses: Addresses) -> std::io::Result<OciFetcher> {
        std::fs::create_dir_all(spool)?;
        Ok(OciFetcher {
            shared: Arc::new(Shared {
                spool: spool.to_owned(),
                limits,
                addresses,
                sessions: Sessions::new(limits.clients_max),
                clients: Clients::new(limits.clients_max),
            }),
        })
    }

    /// The repository of a request. Nothing is asked yet.
    pub fn repository(&self, request: &OciRequest) -> Result<Repository, Error> {
        let name = RepositoryName::from_url(&request.url).map_err(|error| Error::InvalidUrl {
            url: request.url.clone(),
            problem: error.to_string(),
        })?;
        let mut transport = request.transport.clone();
        if request.insecure == Insecure::Tolerated
            && transport.tls.ca.is_none()
            && transport.tls.identity.is_none()
        {
            transport.certificates = Certificates::Ignored;
        }
        let http = self.client(&transport).map_err(|problem| Error::Transport {
            url: request.url.clone(),
            problem,
        })?;
        Ok(Repository::new(self.clone(), http, name, request))
    }

    /// The client that goes this way.
    pub(super) fn client(&self, transport: &Transport) -> Result<Http, String> {
        let make = |transport: &Transport| Http::new(transport, &self.shared.addresses);
        self.shared.clients.get(transport, make)
    }
}
