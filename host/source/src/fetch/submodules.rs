//! Fetching what a commit's submodules point to, and what theirs do (compat/source.md 5.5).
//!
//! Credentials go to the origin that the user gave them for. Flux sends them to every server that a submodule names.

use std::time::Instant;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::Url;

use super::{Error, Fetched, GitFetcher, GitRequest, LocalAccess, Outcome, place::Place};
use crate::{
    Credentials, GitTree, Reference,
    git::submodules::{self, Submodule},
    http::is_same_origin,
};

/// How deep submodules may nest, as in Flux.
const DEPTH_MAX: usize = 10;
/// How many of them one commit may have, at all depths.
const COUNT_MAX: usize = 200;

impl GitFetcher {
    /// Fetches the submodules of what was fetched into it.
    pub(super) async fn recurse(&self, request: &GitRequest, fetched: &mut Fetched) -> Result<(), Error> {
        let deadline = Instant::now() + request.timeout;
        let parent = Parent {
            request,
            url: base(request)?,
            tree: fetched.tree.clone(),
            path: String::new(),
        };
        let mut found = Vec::new();
        self.descend(&parent, 0, deadline, &mut found).await?;
        fetched.submodules = found;
        Ok(())
    }

    fn descend<'a>(
        &'a self,
        parent: &'a Parent<'a>,
        depth: usize,
        deadline: Instant,
        found: &'a mut Vec<(String, GitTree)>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let listed =
                submodules::list(&parent.tree).map_err(|error| parent.failed("", error.to_string()))?;
            for submodule in listed {
                let path = match parent.path.as_str() {
                    "" => submodule.path.clone(),
                    above => format!("{above}/{}", submodule.path),
                };
                if depth >= DEPTH_MAX {
                    let text = format!("submodules nest deeper than the limit of {DEPTH_MAX} (depth_max)");
                    return Err(parent.failed(&path, text));
                }
                if found.len() >= COUNT_MAX {
                    let text = format!("there are more submodules than the limit of {COUNT_MAX} (count_max)");
                    return Err(parent.failed(&path, text));
                }
                let (url, request) = parent.request_for(&submodule, &path, deadline)?;
                let tree = match self.fetch_one(request.clone()).await {
                    Ok(Outcome::Fetched(fetched)) => fetched.tree,
                    Ok(Outcome::Unchanged(_)) => {
                        return Err(parent.failed(&path, "nothing was sent".to_owned()));
                    }
                    Err(error) => {
                        return Err(Error::Submodule {
                            path,
                            error: Box::new(error),
                        });
                    }
                };
                found.push((path.clone(), tree.clone()));
                let below = Parent {
                    request: &request,
                    url,
                    tree,
                    path,
                };
                self.descend(&below, depth + 1, deadline, found).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

/// A commit whose submodules are looked at.
struct Parent<'a> {
    request: &'a GitRequest,
    url: Url,
    tree: GitTree,
    /// Where it is in the outermost one.
    path: String,
}

impl Parent<'_> {
    fn failed(&self, path: &str, text: String) -> Error {
        let (url, hint) = (crate::http::shown(&self.url), "see .gitmodules".to_owned());
        let error = Error::BadContent {
            step: "unable to clone",
            url,
            text,
            hint,
        };
        match path {
            "" => error,
            path => Error::Submodule {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }

    /// What to ask for a submodule, and as whom.
    fn request_for(
        &self,
        submodule: &Submodule,
        path: &str,
        deadline: Instant,
    ) -> Result<(Url, GitRequest), Error> {
        let url = submodules::resolve(&self.url, &submodule.url).map_err(|text| self.failed(path, text))?;
        let is_ours = is_same_origin(&url, &self.url);
        let parent = self.request;
        let mut tls = parent.tls.clone();
        let (credentials, identity) = match is_ours {
            true => (self.credentials(), parent.identity),
            false => {
                tls.identity = None;
                (Credentials::None, None)
            }
        };
        let request = GitRequest {
            url: url.to_string(),
            reference: Reference {
                commit: Some(submodule.commit.to_string()),
                ..Reference::default()
            },
            credentials,
            identity,
            // a key proves who we are and gives nothing away; whom it is shown to, known_hosts decides
            ssh: parent.ssh.clone(),
            tls,
            proxy: parent.proxy.clone(),
            timeout: deadline.saturating_duration_since(Instant::now()),
            last_revision: None,
            recurse_submodules: false,
        };
        Ok((url, request))
    }

    /// Those of the Secret, or of the URL.
    fn credentials(&self) -> Credentials {
        match Place::of(self.request, LocalAccess::Denied) {
            Ok(place) => place.credentials(self.request),
            Err(_) => Credentials::None,
        }
    }
}

/// The URL that relative ones begin at, without a user's name and password over HTTP.
fn base(request: &GitRequest) -> Result<Url, Error> {
    let place = Place::of(request, LocalAccess::Denied)?;
    match place {
        Place::Remote { url, .. } | Place::Ssh { url, .. } => Ok(url),
        Place::Local(_) => Err(Error::Internal("a local repository has no URL".to_owned())),
    }
}
