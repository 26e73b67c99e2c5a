//! What of a certificate is looked at here: names, times, extensions (RFC 5280). Whether its form is sound and who signed
//! it is webpki's to say.

use jiff::{Timestamp, civil};

/// The parts of a certificate, as they stand in it.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// What is signed, with its head.
    pub(super) tbs: &'a [u8],
    /// What its issuer calls it: the content of an INTEGER.
    pub(super) serial: &'a [u8],
    /// Whose key signed it.
    pub(super) issuer: &'a [u8],
    /// Whose certificate it is.
    pub(super) subject: &'a [u8],
    /// Its key, with its head.
    pub(super) key: &'a [u8],
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// In order.
    extensions: Vec<Extension<'a>>,
}

/// One extension (RFC 5280 4.1).
#[derive(Debug)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a [u8],
    /// Whoever does not know it must not believe what it is in.
    pub(super) is_critical: bool,
    pub(super) content: &'a [u8],
}

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const OID: u8 = 0x06;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BITS: u8 = 0x03;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// `[0]` and `[3]` of a certificate's content.
const VERSION: u8 = 0xa0;
pub(super) const EXTENSIONS: u8 = 0xa3;
/// `id-ce-extKeyUsage`.
const PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];

/// The first DER element: tag, content, what follows.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits
                .iter()
                .fold(0usize, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// An element of this tag: its content, and what follows.
pub(super) fn expect(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// The content of an element of this tag after which nothing follows.
pub(super) fn only(der: &[u8], wanted: u8) -> Option<&[u8]> {
    expect(der, wanted).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// An element with its head, and what follows.
pub(super) fn whole(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, _, rest) = element(der)?;
    der.split_at_checked(der.len() - rest.len())
}

pub(super) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    let length = content.len();
    if length < 0x80 {
        der.extend(u8::try_from(length));
    } else {
        let bytes = length.to_be_bytes();
        let digits: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        der.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        der.extend(digits);
    }
    der.extend_from_slice(content);
    der
}

/// Takes a certificate apart.
pub(super) fn parts(der: &[u8]) -> Result<Parts<'_>, String> {
    try_parts(der).ok_or_else(|| "the certificate cannot be read".to_owned())
}

fn try_parts(der: &[u8]) -> Option<Parts<'_>> {
    let certificate = only(der, SEQUENCE)?;
    let (tbs, _) = whole(certificate)?;
    let (mut fields, _) = expect(tbs, SEQUENCE)?;
    if let Some((_, rest)) = expect(fields, VERSION) {
        fields = rest;
    }
    let (serial, fields) = expect(fields, INTEGER)?;
    let (_algorithm, fields) = whole(fields)?;
    let (issuer, fields) = whole(fields)?;
    let (validity, fields) = expect(fields, SEQUENCE)?;
    let (subject, fields) = whole(fields)?;
    let (key, mut fields) = whole(fields)?;
    let (not_before, validity) = time(validity)?;
    let (not_after, _) = time(validity)?;
    let mut extensions = Vec::new();
    while !fields.is_empty() {
        let (tag, content, rest) = element(fields)?;
        if tag == EXTENSIONS {
            let (list, _) = expect(content, SEQUENCE)?;
            for extension in elements(list)? {
                extensions.push(split_extension(only(extension, SEQUENCE)?)?);
            }
        }
        fields = rest;
    }
    Some(Parts {
        tbs,
        serial,
        issuer,
        subject,
        key,
        not_before,
        not_after,
        extensions,
    })
}

/// What follows one another, each with its head.
pub(super) fn elements(mut list: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !list.is_empty() {
        let (one, rest) = whole(list)?;
        found.push(one);
        list = rest;
    }
    Some(found)
}

/// What is within the SEQUENCE of an extension.
pub(super) fn split_extension(extension: &[u8]) -> Option<Extension<'_>> {
    let (name, rest) = expect(extension, OID)?;
    let (critical, rest) = expect(rest, BOOLEAN).unwrap_or((&[], rest));
    let (content, _) = expect(rest, OCTETS)?;
    Some(Extension {
        name,
        is_critical: critical.iter().any(|byte| *byte != 0),
        content,
    })
}

/// A time in either form (RFC 5280 4.1.2.5), and what follows.
pub(super) fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = element(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let full = match tag {
        // two digits of the year: before 50 this century's
        UTC_TIME => {
            let year: u8 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year < 50 { "20" } else { "19" })
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Some((instant("%Y%m%d%H%M%S", &full)?, rest))
}

/// A time in UTC that is written as `format` has it.
pub(super) fn instant(format: &str, text: &str) -> Option<Timestamp> {
    let time = civil::DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

impl<'a> Parts<'a> {
    /// The content of an extension.
    pub(super) fn extension(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = self.extensions.iter();
        extensions
            .find(|extension| extension.name == name)
            .map(|extension| extension.content)
    }

    /// Whether it may sign other certificates (RFC 5280 4.2.1.9).
    pub(super) fn is_authority(&self) -> bool {
        /// `id-ce-basicConstraints`.
        const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
        let constraints = self.extension(BASIC_CONSTRAINTS);
        let constraints = constraints.and_then(|content| only(content, SEQUENCE));
        let is_authority = constraints.and_then(|constraints| expect(constraints, BOOLEAN));
        is_authority.is_some_and(|(value, _)| value == [0xff])
    }

    /// Whether it was valid at a time (RFC 5280 4.1.2.5).
    pub(super) fn is_valid_at(&self, time: Timestamp) -> bool {
        self.not_before <= time && time <= self.not_after
    }

    /// Whether its key may sign what is no certificate (RFC 5280 4.2.1.3): `digitalSignature` or `nonRepudiation`.
    pub(super) fn may_sign(&self) -> bool {
        self.may(0xc0)
    }

    /// Whether its key may sign lists of revoked certificates (RFC 5280 4.2.1.3): `cRLSign`.
    pub(super) fn may_sign_lists(&self) -> bool {
        self.may(0x02)
    }

    /// Whether its key is for one of these uses. One that does not say is for all.
    fn may(&self, uses: u8) -> bool {
        /// `id-ce-keyUsage`.
        const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
        let usage = self.extension(KEY_USAGE);
        // the first byte tells how many of the last bits are unused
        usage.is_none_or(|usage| {
            only(usage, BITS)
                .and_then(|bits| bits.get(1))
                .is_some_and(|bits| bits & uses != 0)
        })
    }

    /// Whether it says that it is for this purpose (RFC 5280 4.2.1.12).
    pub(super) fn is_for(&self, purpose: &[u8]) -> bool {
        let named = self
            .extension(PURPOSES)
            .and_then(|content| only(content, SEQUENCE));
        let purposes = named.and_then(elements).unwrap_or_default();
        purposes
            .into_iter()
            .any(|named| only(named, OID) == Some(purpose))
    }

    /// Whether it is for this purpose alone, and says so to everybody: extended key usage, critical (RFC 5280 4.2.1.12).
    pub(super) fn is_solely_for(&self, purpose: &[u8]) -> bool {
        let mut named = self
            .extensions
            .iter()
            .filter(|extension| extension.name == PURPOSES);
        let (Some(one), None) = (named.next(), named.next()) else {
            return false;
        };
        let sole = only(one.content, SEQUENCE).and_then(|purposes| only(purposes, OID));
        one.is_critical && sole == Some(purpose)
    }

    /// Names, addresses and URIs of the subject's alternative names; `other` names the kind of `otherName` to take too.
    pub(super) fn alternative_names(&self, other: &[u8]) -> Result<Vec<String>, String> {
        /// `2.5.29.17`.
        const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
        const OTHER: u8 = 0xa0;
        const EMAIL: u8 = 0x81;
        const DNS: u8 = 0x82;
        const URI: u8 = 0x86;
        let odd = || "the certificate's names cannot be read".to_owned();
        let Some(extension) = self.extension(ALTERNATIVE_NAMES) else {
            return Ok(Vec::new());
        };
        let (mut list, _) = expect(extension, SEQUENCE).ok_or_else(odd)?;
        let mut names = Vec::new();
        while !list.is_empty() {
            let (tag, content, rest) = element(list).ok_or_else(odd)?;
            let name = match tag {
                EMAIL | DNS | URI => Some(content),
                OTHER => {
                    let (kind, value) = expect(content, OID).ok_or_else(odd)?;
                    let text = expect(value, OTHER).and_then(|(inner, _)| expect(inner, UTF8));
                    text.filter(|_| kind == other).map(|(text, _)| text)
                }
                _ => None,
            };
            if let Some(name) = name {
                names.push(String::from_utf8(name.to_vec()).map_err(|_| odd())?);
            }
            list = rest;
        }
        Ok(names)
    }

    /// The attributes of the subject's name that have short names: `C`, `ST`, `O` …
    pub(super) fn attributes(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut sets = expect(self.subject, SEQUENCE).map_or(&[][..], |(sets, _)| sets);
        while let Some((set, rest)) = expect(sets, SET) {
            let mut pairs = set;
            while let Some((pair, rest)) = expect(pairs, SEQUENCE) {
                found.extend(attribute(pair));
                pairs = rest;
            }
            sets = rest;
        }
        found
    }
}

fn attribute(pair: &[u8]) -> Option<(String, String)> {
    let (name, value) = expect(pair, OID)?;
    let short = match name {
        [0x55, 0x04, 0x03] => "CN",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x09] => "STREET",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x55, 0x04, 0x05] => "SERIALNUMBER",
        [0x55, 0x04, 0x11] => "POSTALCODE",
        _ => return None,
    };
    let (_, text, _) = element(value)?;
    Some((short.to_owned(), String::from_utf8(text.to_vec()).ok()?))
}

/// A name as messages show it, and as Go does: `CN=dev,O=Shop,C=US`, whatever its own order (RFC 4514).
pub(super) fn shown(attributes: &[(String, String)]) -> String {
    /// What comes first; of one type all are joined.
    const ORDER: [&str; 9] = [
        "SERIALNUMBER",
        "CN",
        "POSTALCODE",
        "STREET",
        "ST",
        "L",
        "OU",
        "O",
        "C",
    ];
    let of_type = |wanted: &str| {
        let values = attributes.iter().filter(|(type_, _)| type_ == wanted);
        let pairs: Vec<String> = values
            .map(|(type_, value)| format!("{type_}={}", escaped(value)))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("+"))
    };
    let types: Vec<String> = ORDER.into_iter().filter_map(of_type).collect();
    types.join(",")
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut escaped = String::new();
    for (at, char) in value.chars().enumerate() {
        let is_special = match char {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => at == 0 || at == last,
            '#' => at == 0,
            _ => false,
        };
        if is_special {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

/// `UTF8String` in DER.
pub(super) fn utf8_string(der: &[u8]) -> Result<String, String> {
    let text = expect(der, UTF8).filter(|(_, rest)| rest.is_empty());
    let (text, _) = text.ok_or("an extension is no text")?;
    String::from_utf8(text.to_vec()).map_err(|_| "an extension is no UTF-8".to_owned())
}

/// The content of an `OCTET STRING`.
pub(super) fn octets(der: &[u8]) -> Option<&[u8]> {
    expect(der, OCTETS).map(|(content, _)| content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = element(&bytes);
            let _any = utf8_string(&bytes);
            if let Ok(parts) = parts(&bytes) {
                let _any = (parts.attributes(), parts.alternative_names(&[]));
            }
        }

        #[test]
        fn what_is_encoded_is_read(tag in 0u8..=255, content in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let der = encode(tag, &content);
            prop_assert_eq!(element(&der), Some((tag, content.as_slice(), [].as_slice())));
        }
    }

    #[test]
    fn names_are_shown_as_go_shows_them() {
        let pair = |(type_, value): &(&str, &str)| ((*type_).to_owned(), (*value).to_owned());
        let name = [
            ("C", "US"),
            ("ST", "WA"),
            ("O", "Shop, Inc."),
            ("OU", "#1"),
            ("OU", "two "),
            ("CN", "a+b"),
        ];
        let name: Vec<(String, String)> = name.iter().map(pair).collect();
        assert_eq!(shown(&name), r"CN=a\+b,ST=WA,OU=\#1+OU=two\ ,O=Shop\, Inc.,C=US");
        assert_eq!(shown(&[]), "");
    }

    #[test]
    fn times_are_read_in_both_forms() {
        let read = |tag, text: &str| time(&encode(tag, text.as_bytes())).map(|(time, _)| time.to_string());
        assert_eq!(
            read(UTC_TIME, "260102030405Z").as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(
            read(UTC_TIME, "750101000000Z").as_deref(),
            Some("1975-01-01T00:00:00Z")
        );
        assert_eq!(
            read(GENERALIZED_TIME, "40960101000000Z").as_deref(),
            Some("4096-01-01T00:00:00Z")
        );
        for odd in ["", "Z", "2601020304Z", "260102030405", "26é102030405Z"] {
            assert_eq!(read(UTC_TIME, odd), None, "{odd}");
        }
    }
}
