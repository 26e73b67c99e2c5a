//! URLs, and the name service that a render does not have.

use super::Functions;
use crate::{Error, Map, Str, Value, go::url::Url};

pub(super) fn register(functions: &mut Functions) {
    functions.add("urlParse", |text: Str| {
        let url = Url::parse(text.as_bytes())
            .map_err(|error| Error::new(format!("unable to parse url: {error}")))?;
        let hostname = Str::from(url.hostname());
        let userinfo = url.userinfo();
        let parts = [
            ("scheme", url.scheme.into()),
            ("host", url.host.into()),
            ("hostname", hostname),
            ("path", url.path.into()),
            ("query", url.query.into()),
            ("opaque", url.opaque.into()),
            ("fragment", url.fragment.into()),
            ("userinfo", Str::from(userinfo)),
        ];
        Ok::<_, Error>(parts.into_iter().collect::<Map>())
    });
    functions.add("urlJoin", url_join);
    // Helm asks no name server unless it is told to, and a render never may.
    functions.add("getHostByName", |_: Str| "");
}

/// `func urlJoin(d map[string]interface{}) string`
fn url_join(parts: Map) -> Result<Str, Error> {
    let part = |key: &str| match parts.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.as_bytes().to_vec()),
        Some(Value::Nil | Value::Invalid) => Err(Error::new(
            "runtime error: invalid memory address or nil pointer dereference",
        )),
        Some(other) => Err(Error::new(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind().name()
        ))),
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let userinfo = part("userinfo")?;
    if !userinfo.is_empty() {
        let whole = [b"proto://".as_slice(), &userinfo, b"@host"].concat();
        let parsed = Url::parse(&whole);
        let parsed =
            parsed.map_err(|error| Error::new(format!("unable to parse userinfo in dict: {error}")))?;
        url.user = parsed.user;
    }
    Ok(url.text().into())
}
