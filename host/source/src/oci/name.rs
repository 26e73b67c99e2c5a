//! `oci://host[:port]/repository`, read as Flux reads it (compat/source.md 6.1).

use std::net::IpAddr;

/// A repository of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    registry: String,
    repository: String,
}

/// A text that names no repository; says how it should look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(String);

/// The registry of names that give none.
const DOCKER_HUB: &str = "index.docker.io";
const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
const REPOSITORY_LENGTH_MIN: usize = 2;
const REPOSITORY_LENGTH_MAX: usize = 255;

impl RepositoryName {
    /// Reads `spec.url`.
    pub fn from_url(url: &str) -> Result<RepositoryName, InvalidName> {
        let format = "URL must be in format 'oci://<domain>/<org>/<repo>'";
        let rest = url
            .strip_prefix("oci://")
            .ok_or_else(|| InvalidName(format.to_owned()))?;
        let (name, suffix) = RepositoryName::split(rest)?;
        match suffix {
            Suffix::None => Ok(name),
            Suffix::Tag(tag) => Err(InvalidName(format!(
                "URL must not contain a tag; remove ':{tag}'"
            ))),
            Suffix::Digest(digest) => {
                let hex = digest.split_once(':').map_or(digest.as_str(), |(_, hex)| hex);
                Err(InvalidName(format!(
                    "URL must not contain a tag; remove ':{hex}'"
                )))
            }
        }
    }

    /// Reads `host[:port]/repository[:tag|@digest]`; answers with the tag or digest too.
    pub fn with_suffix(text: &str) -> Result<(RepositoryName, Suffix), InvalidName> {
        RepositoryName::split(text)
    }

    fn split(text: &str) -> Result<(RepositoryName, Suffix), InvalidName> {
        let invalid = |problem: String| Err(InvalidName(problem));
        if text.is_empty() {
            return invalid("a repository name must be specified".to_owned());
        }
        if text.len() > 1024 || text.chars().any(|c| c.is_control() || c == ' ') {
            return invalid("it holds characters that no name has, or too many".to_owned());
        }
        let (text, digest) = match text.split_once('@') {
            Some((text, digest)) => (text, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| digest.contains('/') || !digest.contains(':')) {
            return invalid("what follows '@' is no digest".to_owned());
        }
        // the last colon begins a tag, unless a path follows it: then it is a port's
        let (text, tag) = match text.rsplit_once(':') {
            Some((text, tag)) if !tag.contains('/') => (text, Some(tag)),
            _ => (text, None),
        };
        let suffix = match (digest, tag) {
            (Some(digest), _) => Suffix::Digest(digest.to_owned()),
            (None, Some(tag)) => Suffix::Tag(tag.to_owned()),
            (None, None) => Suffix::None,
        };
        let (registry, repository) = match text.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest.to_owned()),
            _ => (DOCKER_HUB, text.to_owned()),
        };
        let (registry, repository) = match registry {
            "docker.io" | DOCKER_HUB if !repository.contains('/') => {
                (DOCKER_HUB, format!("library/{repository}"))
            }
            "docker.io" => (DOCKER_HUB, repository),
            registry => (registry, repository),
        };
        if reqwest::Url::parse(&format!("https://{registry}/")).is_err() || registry.contains('@') {
            return invalid(format!("'{registry}' is no host of a registry"));
        }
        if !(REPOSITORY_LENGTH_MIN..=REPOSITORY_LENGTH_MAX).contains(&repository.len()) {
            return invalid(format!(
                "repository must be between {REPOSITORY_LENGTH_MIN} and {REPOSITORY_LENGTH_MAX} characters in length: {repository}"
            ));
        }
        let is_allowed = repository.chars().all(|c| CHARACTERS.contains(c));
        let parts_are_names = repository.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_allowed || !parts_are_names {
            return invalid(format!(
                "repository can only contain the characters `{CHARACTERS}`: {repository}"
            ));
        }
        let name = RepositoryName {
            registry: registry.to_owned(),
            repository,
        };
        Ok((name, suffix))
    }

    /// Host and port.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Whether the registry is one that Flux also asks without TLS: on this machine or in a private network.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || self.address().is_some_and(|address| match address {
                IpAddr::V4(v4) => v4.is_private() || v4.is_loopback(),
                IpAddr::V6(v6) => v6.is_loopback(),
            })
    }

    /// Whether it is this machine: nobody listens on the way.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || self.address().is_some_and(|address| address.is_loopback())
    }

    fn address(&self) -> Option<IpAddr> {
        self.host().trim_matches(['[', ']']).parse().ok()
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.registry.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.registry,
        }
    }
}

/// What follows a repository's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// Nothing.
    None,
    /// `:tag`.
    Tag(String),
    /// `@sha256:…`.
    Digest(String),
}

impl std::fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn urls_are_read_as_flux_reads_them() {
        let rows = [
            "oci://ghcr.io/org/app",
            "oci://localhost:5000/app",
            "oci://docker.io/nginx",
            "oci://org/app",
            "oci://[::1]:5000/org/app",
            "https://ghcr.io/org/app",
            "oci://ghcr.io/org/app:v1",
            "oci://ghcr.io/org/app@sha256:00",
            "oci://ghcr.io/Org/app",
            "oci://ghcr.io/../app",
            "oci://ghcr.io/org//app",
            "oci://user:pw@ghcr.io/org/app",
            "oci://ghcr.io/a?b",
            "oci://ghcr.io/a",
            "oci://ghcr.io/",
            "oci://",
        ];
        let shown = |url: &str| match RepositoryName::from_url(url) {
            Ok(name) => format!("{url} -> {name}\n"),
            Err(error) => format!("{url} -> error: {error}\n"),
        };
        expect![[r#"
            oci://ghcr.io/org/app -> ghcr.io/org/app
            oci://localhost:5000/app -> localhost:5000/app
            oci://docker.io/nginx -> index.docker.io/library/nginx
            oci://org/app -> index.docker.io/org/app
            oci://[::1]:5000/org/app -> [::1]:5000/org/app
            https://ghcr.io/org/app -> error: URL must be in format 'oci://<domain>/<org>/<repo>'
            oci://ghcr.io/org/app:v1 -> error: URL must not contain a tag; remove ':v1'
            oci://ghcr.io/org/app@sha256:00 -> error: URL must not contain a tag; remove ':00'
            oci://ghcr.io/Org/app -> error: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: Org/app
            oci://ghcr.io/../app -> error: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: ../app
            oci://ghcr.io/org//app -> error: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: org//app
            oci://user:pw@ghcr.io/org/app -> error: what follows '@' is no digest
            oci://ghcr.io/a?b -> error: repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: a?b
            oci://ghcr.io/a -> error: repository must be between 2 and 255 characters in length: a
            oci://ghcr.io/ -> error: repository must be between 2 and 255 characters in length: 
            oci:// -> error: a repository name must be specified
        "#]]
        .assert_eq(&rows.map(shown).concat());
    }

    #[test]
    fn registries_of_this_machine_and_of_private_networks_are_local() {
        for (url, is_local, is_loopback) in [
            ("oci://localhost:5000/a/b", true, true),
            ("oci://registry.localhost/a/b", true, true),
            ("oci://127.0.0.1:5000/a/b", true, true),
            ("oci://[::1]:5000/a/b", true, true),
            ("oci://10.0.0.1/a/b", true, false),
            ("oci://ghcr.io/a/b", false, false),
            ("oci://localhost.evil.example/a/b", false, false),
        ] {
            let name = RepositoryName::from_url(url).unwrap();
            assert_eq!(
                (name.is_local(), name.is_loopback()),
                (is_local, is_loopback),
                "{url}"
            );
        }
    }
}
