//! Lists of revoked certificates, and of what changed since (RFC 5280 5).

use jiff::Timestamp;

use super::{FIELD_0, INVALID_SINCE, Signed, Standing, Times, full_name, places};
use crate::verify::x509::{
    self, Extension, INTEGER, SEQUENCE, element, elements, expect, only, split_extension, whole,
};

/// `id-ce-cRLNumber`, `id-ce-deltaCRLIndicator`, `id-ce-issuingDistributionPoint`, `id-ce-freshestCRL` (RFC 5280 5.2).
const NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
const CHANGES_OF: &[u8] = &[0x55, 0x1d, 0x1b];
const SCOPE: &[u8] = &[0x55, 0x1d, 0x1c];
const NEWER: &[u8] = &[0x55, 0x1d, 0x2e];
/// `id-ce-cRLReasons` (RFC 5280 5.3.1).
const REASON: &[u8] = &[0x55, 0x1d, 0x15];
/// `CRLReason`.
const ENUMERATED: u8 = 0x0a;

const ODD: &str = "the list cannot be read";

/// A list; nothing of it is believed yet.
struct List<'a> {
    signed: Signed<'a>,
    issuer: &'a [u8],
    next_update: Option<Timestamp>,
    /// One after another: RFC 5280 5.1, `revokedCertificates`.
    entries: &'a [u8],
    extensions: Vec<Extension<'a>>,
}

/// Where the changes to a list are that were made after it, if it says so.
pub(super) fn newer(list: &[u8]) -> Result<Option<Vec<String>>, String> {
    let list = List::read(list).ok_or(ODD)?;
    let Some(content) = list.extension(NEWER) else {
        return Ok(None);
    };
    let places = places(content).ok_or(ODD)?;
    Ok((!places.is_empty()).then_some(places))
}

/// What a list says of a certificate of `issuer`, with the list of what changed since, where there is one. `place` is
/// where the list was found.
pub(super) fn standing(
    certificate: &[u8],
    issuer: &[u8],
    place: &str,
    list: &[u8],
    newer: Option<Vec<u8>>,
    times: Times,
) -> Result<Standing, String> {
    let parts = x509::parts(certificate)?;
    let list = List::read(list).ok_or(ODD)?;
    list.check(issuer, times.now)?;
    if list.extension(CHANGES_OF).is_some() {
        return Err("it is a list of changes".to_owned());
    }
    list.check_scope(place, parts.is_authority())?;
    let newer = match &newer {
        Some(newer) => Some(List::read(newer).ok_or(ODD)?),
        None => None,
    };
    if let Some(newer) = &newer {
        newer.check(issuer, times.now)?;
        newer.check_changes_of(&list)?;
    }
    let mut entries = list.of(parts.serial, times)?;
    if let Some(newer) = newer {
        entries.extend(newer.of(parts.serial, times)?);
    }
    // what was put on hold may have been taken off again: the last word counts
    let is_final = |entry: &&Entry| !matches!(entry.reason, Reason::Hold | Reason::Removed);
    let last = entries.iter().max_by_key(|entry| entry.since);
    let word = entries.iter().find(is_final).or(last);
    Ok(match word {
        None => Standing::Good,
        Some(entry) if entry.reason == Reason::Removed => Standing::Good,
        Some(_) => Standing::Revoked,
    })
}

struct Entry {
    since: Timestamp,
    reason: Reason,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Hold,
    Removed,
    Other,
}

impl<'a> List<'a> {
    /// RFC 5280 5.1.
    fn read(der: &'a [u8]) -> Option<List<'a>> {
        let signed = Signed::read(der)?;
        let mut fields = only(signed.content, SEQUENCE)?;
        // the version, where it is said
        if let Some((_, rest)) = expect(fields, INTEGER) {
            fields = rest;
        }
        let (_algorithm, fields) = whole(fields)?;
        let (issuer, fields) = whole(fields)?;
        let (_this_update, fields) = x509::time(fields)?;
        let (next_update, fields) = match x509::time(fields) {
            Some((time, rest)) => (Some(time), rest),
            None => (None, fields),
        };
        let (entries, fields) = expect(fields, SEQUENCE).unwrap_or((&[], fields));
        let extensions = match fields {
            [] => Vec::new(),
            _ => extensions(only(only(fields, FIELD_0)?, SEQUENCE)?)?,
        };
        Some(List {
            signed,
            issuer,
            next_update,
            entries,
            extensions,
        })
    }

    fn extension(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = self.extensions.iter();
        let found = extensions.find(|extension| extension.name == name)?;
        Some(found.content)
    }

    /// Whether it is the issuer's and still holds (RFC 5280 6.3.3).
    fn check(&self, issuer: &[u8], now: Timestamp) -> Result<(), String> {
        let parts = x509::parts(issuer)?;
        if self.issuer != parts.subject || !parts.may_sign_lists() || !self.signed.is_by(issuer) {
            return Err("the list is not signed by the certificate's issuer".to_owned());
        }
        let next_update = self
            .next_update
            .ok_or("the list has no time that the next one comes at")?;
        if next_update < now {
            return Err(format!("the list has expired at {next_update}"));
        }
        let is_known = |extension: &Extension<'_>| [CHANGES_OF, SCOPE].contains(&extension.name);
        let mut extensions = self.extensions.iter();
        match extensions.any(|extension| extension.is_critical && !is_known(extension)) {
            true => Err("the list says something critical that is not known".to_owned()),
            false => Ok(()),
        }
    }

    /// Whether a certificate that points to `place` would be on it (RFC 5280 5.2.5). Somebody between could send another
    /// list of the same issuer.
    fn check_scope(&self, place: &str, is_authority: bool) -> Result<(), String> {
        const USERS_ONLY: u8 = 0x81;
        const AUTHORITIES_ONLY: u8 = 0x82;
        let Some(scope) = self.extension(SCOPE) else {
            return Ok(());
        };
        let mut fields = only(scope, SEQUENCE).ok_or(ODD)?;
        if let Some((name, rest)) = expect(fields, FIELD_0) {
            let names = full_name(name).ok_or(ODD)?;
            if !names.iter().any(|name| name == place) {
                return Err("the list is for another place".to_owned());
            }
            fields = rest;
        }
        for field in elements(fields).ok_or(ODD)? {
            let is_in = match element(field).ok_or(ODD)? {
                (_, [0], _) => true,
                (USERS_ONLY, ..) => !is_authority,
                (AUTHORITIES_ONLY, ..) => is_authority,
                // only some reasons, lists of several issuers, attributes
                _ => return Err("the list is of a kind that is not known".to_owned()),
            };
            if !is_in {
                return Err("the list is not for certificates of this kind".to_owned());
            }
        }
        Ok(())
    }

    /// Whether it is the changes to `base` or to one before it (RFC 5280 5.2.4).
    fn check_changes_of(&self, base: &List<'_>) -> Result<(), String> {
        let of = self
            .extension(CHANGES_OF)
            .ok_or("its changes are no list of changes")?;
        let numbers = || {
            let own = magnitude(self.extension(NUMBER)?)?;
            let since = magnitude(base.extension(NUMBER)?)?;
            Some((own, since, magnitude(of)?))
        };
        let (own, since, of) = numbers().ok_or("its changes have no number")?;
        match own > since && of <= since {
            true => Ok(()),
            false => Err("its changes are to another list".to_owned()),
        }
    }

    /// What is said of a certificate that counts.
    fn of(&self, serial: &[u8], times: Times) -> Result<Vec<Entry>, String> {
        let mut found = Vec::new();
        let mut rest = self.entries;
        while !rest.is_empty() {
            let (entry, following) = expect(rest, SEQUENCE).ok_or(ODD)?;
            let (number, fields) = expect(entry, INTEGER).ok_or(ODD)?;
            if number == serial {
                found.extend(self::entry(fields, times)?);
            }
            rest = following;
        }
        Ok(found)
    }
}

fn extensions(list: &[u8]) -> Option<Vec<Extension<'_>>> {
    let split = |extension| split_extension(only(extension, SEQUENCE)?);
    elements(list)?.into_iter().map(split).collect()
}

/// What follows the number of an entry (RFC 5280 5.1, 5.3); none if the key went bad after it had signed.
fn entry(fields: &[u8], times: Times) -> Result<Option<Entry>, String> {
    let (since, fields) = x509::time(fields).ok_or(ODD)?;
    let extensions = match fields {
        [] => Vec::new(),
        _ => only(fields, SEQUENCE).and_then(extensions).ok_or(ODD)?,
    };
    let mut reason = Reason::Other;
    for extension in extensions {
        match extension.name {
            REASON => {
                reason = match only(extension.content, ENUMERATED).ok_or(ODD)? {
                    [6] => Reason::Hold,
                    [8] => Reason::Removed,
                    _ => Reason::Other,
                }
            }
            INVALID_SINCE if times.is_before(extension.content).ok_or(ODD)? => return Ok(None),
            INVALID_SINCE => {}
            _ if extension.is_critical => {
                return Err("its entry says something critical that is not known".to_owned());
            }
            _ => {}
        }
    }
    Ok(Some(Entry { since, reason }))
}

/// Of an INTEGER that is not negative, for comparing: how many digits it has, and which.
fn magnitude(der: &[u8]) -> Option<(usize, &[u8])> {
    let digits = only(der, INTEGER)?;
    if digits.first()? & 0x80 != 0 {
        return None;
    }
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros..)?;
    Some((digits.len(), digits))
}
