//! `WWW-Authenticate`: how a registry says who it wants to hear from (RFC 9110 11.6, the distribution spec's token flow).

use reqwest::Url;

use super::RepositoryName;
use crate::http::is_same_origin;

/// How the registry wants to be told who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token that `realm` gives.
    Bearer {
        realm: Url,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// Longest header that is looked at, in bytes.
const LENGTH_MAX: usize = 4096;

/// Reads the headers; Bearer is taken before Basic. None where nothing in them is understood.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers.filter(|header| header.len() <= LENGTH_MAX) {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let parameters = parameters(rest);
            let get = |name: &str| {
                let mut found = parameters
                    .iter()
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name));
                found.next().map(|(_, value)| value.clone())
            };
            let realm = get("realm").and_then(|realm| Url::parse(&realm).ok());
            if let Some(realm) = realm.filter(|realm| matches!(realm.scheme(), "http" | "https")) {
                return Some(Challenge::Bearer {
                    realm,
                    service: get("service"),
                    scope: get("scope"),
                });
            }
        }
    }
    basic
}

/// `key="value", key=value`: commas inside quotes are part of the value.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut characters = quoted.char_indices();
                let mut end = quoted.len();
                while let Some((at, c)) = characters.next() {
                    match c {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => value.extend(characters.next().map(|(_, c)| c)),
                        c => value.push(c),
                    }
                }
                (value, quoted.get(end..).unwrap_or_default())
            }
            None => {
                let end = after.find(',').unwrap_or(after.len());
                let (value, after) = after.split_at_checked(end).unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        found.push((key.trim().to_owned(), value));
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    found
}

/// Whether credentials for a registry may be shown to the realm that it names (N24).
///
/// Registries keep their token service on another host of the same owner: `auth.docker.io` for `index.docker.io`. A
/// realm elsewhere, on another port, or without TLS where the registry has it, gets an anonymous request.
pub(super) fn may_see_credentials(registry: &Url, realm: &Url, name: &RepositoryName) -> bool {
    if is_same_origin(registry, realm) {
        return true;
    }
    let (Some(url::Host::Domain(own)), Some(url::Host::Domain(other))) = (registry.host(), realm.host())
    else {
        return false;
    };
    let is_default_port = realm.port_or_known_default() == Some(443);
    realm.scheme() == "https" && is_default_port && !name.is_local() && have_same_owner(own, other)
}

/// Domains below which each name has an owner of its own, besides the top-level ones.
const SHARED_SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "azurecr.io",
    "azurecr.cn",
    "azurecr.us",
    "azurecr.de",
    "pkg.dev",
    "run.app",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "cloudfront.net",
    "appspot.com",
    "googleapis.com",
    "on.aws",
    "ngrok.io",
    "cluster.local",
];

/// Whether two hosts lie below one domain that one owner has: the last two labels, three where the last but one is a
/// registry's own (`co.uk`, `com.cn`) or a known shared suffix says more.
fn have_same_owner(one: &str, other: &str) -> bool {
    let owner = |host: &str| -> Option<String> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        let shared = SHARED_SUFFIXES
            .iter()
            .filter(|suffix| host.ends_with(&format!(".{suffix}")))
            .map(|suffix| suffix.split('.').count() + 1)
            .max();
        let second = labels.len().checked_sub(2).and_then(|at| labels.get(at))?;
        let is_registry = second.len() <= 3 && labels.last().is_some_and(|last| last.len() == 2);
        let wanted = shared.unwrap_or(if is_registry { 3 } else { 2 });
        let start = labels.len().checked_sub(wanted)?;
        Some(labels.get(start..)?.join("."))
    };
    let one = owner(one);
    one.is_some() && one == owner(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_with_quotes_and_commas() {
        let bearer = r#"Bearer realm="https://auth.example/token",service="reg,istry",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: Url::parse("https://auth.example/token").unwrap(),
            service: Some("reg,istry".to_owned()),
            scope: Some("repository:a/b:pull,push".to_owned()),
        };
        assert_eq!(parse(["Basic realm=\"x\"", bearer].into_iter()), Some(expected));
        assert_eq!(parse(["basic"].into_iter()), Some(Challenge::Basic));
        for odd in [
            "",
            "Bearer",
            "Bearer realm=",
            "Bearer realm=\"",
            "Bearer realm=\"file:///etc\"",
            "Negotiate",
            "Bearer =,=\"\\",
        ] {
            assert_eq!(parse([odd].into_iter()), None, "{odd}");
        }
    }

    #[test]
    fn credentials_are_shown_to_realms_of_the_same_owner_only() {
        for (registry, realm, may) in [
            ("https://index.docker.io", "https://auth.docker.io/token", true),
            ("https://ghcr.io", "https://ghcr.io/token", true),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("https://ghcr.io", "https://evil.example/token", false),
            ("https://ghcr.io", "http://ghcr.io/token", false),
            ("https://ghcr.io", "https://ghcr.io:8443/token", false),
            (
                "https://one.azurecr.io",
                "https://one.azurecr.io/oauth2/token",
                true,
            ),
            (
                "https://one.azurecr.io",
                "https://two.azurecr.io/oauth2/token",
                false,
            ),
            ("https://registry.shop.co.uk", "https://evil.co.uk/token", false),
            (
                "https://registry.shop.co.uk",
                "https://auth.shop.co.uk/token",
                true,
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/token", true),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", false),
            ("https://10.0.0.1", "https://10.0.0.2/token", false),
        ] {
            let name =
                RepositoryName::from_url(&format!("oci://{}/a/b", registry.split_once("//").unwrap().1))
                    .unwrap();
            let (registry, realm) = (Url::parse(registry).unwrap(), Url::parse(realm).unwrap());
            assert_eq!(
                may_see_credentials(&registry, &realm, &name),
                may,
                "{registry} {realm}"
            );
        }
    }
}
