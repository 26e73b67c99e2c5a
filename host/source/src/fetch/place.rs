//! Where a repository is, by its URL.

use super::{Error, GitRequest, LocalAccess};
use crate::{
    Credentials, CredentialsError,
    git::ssh::{SshPlace, percent_decode},
    http::shown,
};
use reqwest::Url;
use sluice_event::Redacted;
use std::path::PathBuf;

/// Where a repository is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Over HTTP. The URL holds no credentials; those it held are beside it.
    Remote { url: Url, userinfo: Option<Credentials> },
    /// Over SSH. The URL holds no password.
    Ssh { url: Url, place: SshPlace },
    /// On this machine.
    Local(PathBuf),
}

impl Place {
    pub(crate) fn of(request: &GitRequest, local: LocalAccess) -> Result<Place, Error> {
        let invalid = |url: &str, problem: &str| Error::InvalidUrl {
            url: url.to_owned(),
            problem: problem.to_owned(),
        };
        if local == LocalAccess::Allowed && !request.url.contains("://") {
            return Ok(Place::Local(PathBuf::from(&request.url)));
        }
        let mut url = Url::parse(&request.url).map_err(|error| {
            // What cannot be taken apart cannot be stripped of a password.
            let shown = if request.url.contains('@') {
                "<redacted>"
            } else {
                &request.url
            };
            invalid(shown, &format!("{error}; it must be an http, https or ssh URL"))
        })?;
        match url.scheme() {
            "http" | "https" => {}
            "file" if local == LocalAccess::Allowed => {
                let path = url
                    .to_file_path()
                    .map_err(|()| invalid(&request.url, "it must name an absolute path"))?;
                return Ok(Place::Local(path));
            }
            "file" => {
                return Err(invalid(
                    &shown(&url),
                    "file URLs are for `sluice dev` only; use http, https or ssh",
                ));
            }
            "ssh" => {
                let place = SshPlace::of(&url).map_err(|problem| invalid(&shown(&url), &problem))?;
                // This cannot fail: there is a host.
                let _stripped = url.set_password(None);
                url.set_fragment(None);
                return Ok(Place::Ssh { url, place });
            }
            other => {
                return Err(invalid(
                    &shown(&url),
                    &format!("scheme '{other}' is not supported; use http, https or ssh"),
                ));
            }
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid(&shown(&url), "it has no host"));
        }
        let userinfo = userinfo(&url);
        if userinfo.is_some() && matches!(request.credentials, Credentials::Bearer(_)) {
            return Err(Error::Credentials(CredentialsError::TwoIdentities.to_string()));
        }
        // These cannot fail: there is a host.
        let _stripped = url.set_username("").and_then(|()| url.set_password(None));
        url.set_fragment(None);
        Ok(Place::Remote { url, userinfo })
    }

    /// What may be shown.
    pub(crate) fn shown(&self) -> String {
        match self {
            Place::Remote { url, .. } | Place::Ssh { url, .. } => shown(url),
            Place::Local(path) => path.display().to_string(),
        }
    }

    /// What tells remotes apart.
    pub(crate) fn text(&self) -> String {
        match self {
            Place::Remote { url, .. } | Place::Ssh { url, .. } => url.to_string(),
            Place::Local(path) => path.display().to_string(),
        }
    }

    /// The credentials of the Secret; those in the URL where it has none.
    pub(crate) fn credentials(&self, request: &GitRequest) -> Credentials {
        match (&request.credentials, self) {
            (
                Credentials::None,
                Place::Remote {
                    userinfo: Some(userinfo),
                    ..
                },
            ) => userinfo.clone(),
            (credentials, _) => credentials.clone(),
        }
    }
}

fn userinfo(url: &Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let username = percent_decode(url.username());
    let password = Redacted::new(percent_decode(url.password().unwrap_or_default()));
    Some(Credentials::Basic { username, password })
}
