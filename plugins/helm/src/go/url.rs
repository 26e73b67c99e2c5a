//! `net/url`.

use std::net::Ipv6Addr;

use super::quote::quote;

/// What a text is escaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Host,
    Zone,
    Path,
    UserPassword,
    Fragment,
}

impl Place {
    fn keeps(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            return true;
        }
        match self {
            Place::Host | Place::Zone => br#"!$&'()*+,;=:[]<>""#.contains(&byte),
            Place::Path => b"$&+,/:;=@".contains(&byte),
            Place::UserPassword => b"$&+,;=".contains(&byte),
            Place::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
        }
    }
}

/// A URL taken apart; texts are unescaped but for the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: Vec<u8>,
    pub(crate) opaque: Vec<u8>,
    /// Name and password, where there are any.
    pub(crate) user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    pub(crate) query: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(index) => (
            text.get(..index).unwrap_or_default(),
            Some(text.get(index + 1..).unwrap_or_default()),
        ),
        None => (text, None),
    }
}

impl Url {
    /// `url.Parse`
    ///
    /// # Errors
    /// Go's text.
    pub(crate) fn parse(text: &[u8]) -> Result<Url, String> {
        let (rest, fragment) = cut(text, b'#');
        let mut url =
            Self::without_fragment(rest).map_err(|error| format!("parse {}: {error}", quote(rest)))?;
        if let Some(fragment) = fragment {
            url.fragment = unescape(fragment, Place::Fragment)
                .map_err(|error| format!("parse {}: {error}", quote(text)))?;
        }
        Ok(url)
    }

    fn without_fragment(text: &[u8]) -> Result<Url, String> {
        if text.iter().any(|byte| byte.is_ascii_control()) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Url::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let has_authority = rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///"));
        let path = if has_authority {
            let after = rest.get(2..).unwrap_or_default();
            let end = after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end).unwrap_or_default();
            url.authority(authority)?;
            path
        } else {
            rest
        };
        url.path = unescape(path, Place::Path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        let host = authority.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
        self.host = host_of(&self.scheme, host)?;
        if let Some(userinfo) = at.and_then(|at| authority.get(..at)) {
            self.user = Some(user(userinfo)?);
        }
        Ok(())
    }

    /// The host without port and brackets.
    pub(crate) fn hostname(&self) -> &[u8] {
        let mut host = self.host.as_slice();
        if let Some(colon) = host.iter().rposition(|byte| *byte == b':') {
            let (before, port) = host.split_at_checked(colon).unwrap_or_default();
            if is_port(port) {
                host = before;
            }
        }
        host.strip_prefix(b"[")
            .and_then(|inner| inner.strip_suffix(b"]"))
            .unwrap_or(host)
    }

    /// Name and password, escaped.
    pub(crate) fn userinfo(&self) -> Vec<u8> {
        match &self.user {
            None => Vec::new(),
            Some((name, None)) => escape(name, Place::UserPassword),
            Some((name, Some(password))) => {
                let parts = [
                    escape(name, Place::UserPassword),
                    escape(password, Place::UserPassword),
                ];
                parts.join(&b':')
            }
        }
    }

    /// `URL.String` of a URL that was put together by hand.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || !self.scheme.is_empty() && !self.path.is_empty() {
                out.extend_from_slice(b"//");
                if self.user.is_some() {
                    out.extend_from_slice(&self.userinfo());
                    out.push(b'@');
                }
                out.extend_from_slice(&escape(&self.host, Place::Host));
            }
            let path = match self.path.as_slice() {
                b"*" => b"*".to_vec(),
                path => escape(path, Place::Path),
            };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend_from_slice(&path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend_from_slice(&escape(&self.fragment, Place::Fragment));
        }
        out
    }
}

fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => {
                let (scheme, rest) = cut(text, b':');
                return Ok((scheme, rest.unwrap_or_default()));
            }
            _ => break,
        }
    }
    Ok((b"", text))
}

fn user(userinfo: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !userinfo.iter().all(is_valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(userinfo, b':');
    let name = unescape(name, Place::UserPassword)?;
    let password = password
        .map(|password| unescape(password, Place::UserPassword))
        .transpose()?;
    Ok((name, password))
}

fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn host_of(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    let invalid_port = |port: &[u8]| Err(format!("invalid port {} after host", quote(port)));
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => {
            let Some(end) = host.iter().rposition(|byte| *byte == b']') else {
                return Err("missing ']' in host".to_owned());
            };
            let port = host.get(end + 1..).unwrap_or_default();
            if !is_port(port) {
                return invalid_port(port);
            }
            let address = ip_literal(host.get(1..end).unwrap_or_default())?;
            return Ok([b"[".as_slice(), &address, b"]", &unescape(port, Place::Host)?].concat());
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    if let Some(first) = host.iter().position(|byte| *byte == b':') {
        let last = host.iter().rposition(|byte| *byte == b':').unwrap_or(first);
        let at = if matches!(scheme, b"http" | b"https") {
            first
        } else {
            last
        };
        let port = host.get(at..).unwrap_or_default();
        if !is_port(port) {
            return invalid_port(port);
        }
    }
    unescape(host, Place::Host)
}

/// An address of version 6 in brackets, perhaps with a zone.
fn ip_literal(name: &[u8]) -> Result<Vec<u8>, String> {
    let zone_at = name.windows(3).position(|window| window == b"%25");
    let (address, zone) = name
        .split_at_checked(zone_at.unwrap_or(name.len()))
        .unwrap_or_default();
    let mut unescaped = unescape(address, Place::Host)?;
    let is_address = std::str::from_utf8(&unescaped).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    if std::str::from_utf8(&unescaped).is_ok_and(|text| text.parse::<std::net::Ipv4Addr>().is_ok()) {
        return Err("invalid IP-literal".to_owned());
    }
    unescaped.extend(unescape(zone, Place::Zone)?);
    if !is_address {
        return Err(format!(
            "invalid host: ParseAddr({}): unable to parse IP",
            quote(&unescaped)
        ));
    }
    Ok(unescaped)
}

fn unescape(text: &[u8], place: Place) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            if matches!(place, Place::Host | Place::Zone) && first.is_ascii() && !place.keeps(*first) {
                return Err(format!("invalid character {} in host name", quote(&[*first])));
            }
            out.push(*first);
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let bad = || {
            let written = [b"%", after.get(..after.len().min(2)).unwrap_or_default()].concat();
            Err(format!("invalid URL escape {}", quote(&written)))
        };
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return bad();
        };
        let byte = u8::try_from(high * 16 + low).unwrap_or(0);
        let is_refused = match place {
            Place::Host => high < 8 && byte != b'%',
            Place::Zone => byte != b'%' && byte != b' ' && !Place::Host.keeps(byte),
            _ => false,
        };
        if is_refused {
            return bad();
        }
        out.push(byte);
        rest = after.get(2..).unwrap_or_default();
    }
    Ok(out)
}

fn escape(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if place.keeps(*byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}
