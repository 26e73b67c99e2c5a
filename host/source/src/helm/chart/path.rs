//! Paths and addresses as Flux's libraries tidy them.

use reqwest::Url;

/// `path` below `base`, both from the root of a tree: never above it, however many `..` there are.
pub(super) fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Go's `filepath.Clean` of a relative path: `./values.yaml` is `values.yaml`.
pub(super) fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    match (is_absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// The address of a repository in the form that addresses are compared in: one slash at the end, none for registries
/// (compat/source.md 8.3).
///
/// # Errors
/// It is no address.
pub fn normalize_url(url: &str) -> Result<String, String> {
    let mut parsed = Url::parse(url).map_err(|error| error.to_string())?;
    let path = parsed.path().trim_end_matches('/').to_owned();
    if parsed.scheme() == "oci" {
        parsed.set_path(&path);
        return Ok(parsed.to_string().trim_end_matches('/').to_owned());
    }
    parsed.set_path(&format!("{path}/"));
    Ok(parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_addresses() {
        for (base, path, expected) in [
            ("/charts/shop", "../lib", "/charts/lib"),
            ("/charts/shop", "../../../../etc/passwd", "/etc/passwd"),
            ("/", "./a//b/", "/a/b"),
            ("/a", "/b", "/a/b"),
        ] {
            assert_eq!(join(base, path), expected);
        }
        for (path, expected) in [("./a/../b", "b"), ("../a", "../a"), ("", "."), ("/../a/", "/a")] {
            assert_eq!(clean(path), expected);
        }
        for (url, expected) in [
            ("https://h/charts", "https://h/charts/"),
            ("https://h", "https://h/"),
            ("https://h/charts//?a=b", "https://h/charts/?a=b"),
            ("oci://h:5000/charts/", "oci://h:5000/charts"),
        ] {
            assert_eq!(normalize_url(url).unwrap(), expected);
        }
        assert!(normalize_url("charts").is_err());
    }
}
