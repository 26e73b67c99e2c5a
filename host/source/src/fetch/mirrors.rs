//! Mirrors: where a remote cannot be reached, others that hold the same are asked in their order.
//!
//! A remote that refuses us, or has not what is asked for, has answered: then nobody else is asked. Credentials go to the
//! origin that the user gave them for, as everywhere.

use super::{Error, GitFetcher, GitRequest, Outcome, error::tail, place::Place};
use crate::{Credentials, http::is_same_origin};

/// Mirrors of one remote that are asked: each may take the whole timeout.
const MIRRORS_MAX: usize = 8;

/// What a look found, and where.
#[derive(Clone, Debug)]
pub struct Served {
    /// What was found.
    pub outcome: Outcome,
    /// Who served it in place of the remote; none where the remote did itself.
    pub mirror: Option<Mirror>,
}

/// A mirror that served what the remote did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Its URL without credentials.
    pub url: String,
    /// Why the remote did not.
    pub cause: String,
}

impl GitFetcher {
    /// As [`GitFetcher::fetch`]; where the remote cannot be reached, `mirrors` are asked one after the other, each with the
    /// timeout of the request. A mirror that lags behind gives what it has.
    ///
    /// # Errors
    /// That of the remote; where it cannot be reached, with those of the mirrors.
    pub async fn fetch_anywhere(&self, request: GitRequest, mirrors: &[String]) -> Result<Served, Error> {
        let mut unreachable = match self.fetch(request.clone()).await {
            Err(error @ Error::Unreachable { .. }) => error,
            answer => {
                let mirror = None;
                return answer.map(|outcome| Served { outcome, mirror });
            }
        };
        let cause = tail(&unreachable);
        for mirror in mirrors.iter().take(MIRRORS_MAX) {
            let asked = match self.at(&request, mirror) {
                Ok((url, request)) => self.fetch(request).await.map(|outcome| (url, outcome)),
                Err(error) => Err(error),
            };
            match (asked, &mut unreachable) {
                (Ok((url, outcome)), _) => {
                    let mirror = Some(Mirror { url, cause });
                    return Ok(Served { outcome, mirror });
                }
                (Err(error), Error::Unreachable { hint, .. }) => {
                    *hint += &format!("; nor does its mirror serve it: {}", tail(&error));
                }
                (Err(_), _) => {}
            }
        }
        Err(unreachable)
    }

    /// What a mirror is asked, and its address as it may be shown.
    fn at(&self, request: &GitRequest, mirror: &str) -> Result<(String, GitRequest), Error> {
        let local = self.inner.local;
        let mut asked = GitRequest {
            url: mirror.to_owned(),
            credentials: Credentials::None,
            identity: None,
            ..request.clone()
        };
        let (ours, place) = (Place::of(request, local)?, Place::of(&asked, local)?);
        let is_ours = match (&ours, &place) {
            (Place::Remote { url: one, .. }, Place::Remote { url: other, .. }) => is_same_origin(one, other),
            _ => false,
        };
        if is_ours {
            asked.credentials = ours.credentials(request);
            asked.identity = request.identity;
        } else {
            asked.tls.identity = None;
        }
        Ok((place.shown(), asked))
    }
}
