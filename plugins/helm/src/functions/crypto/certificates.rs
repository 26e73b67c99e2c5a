//! Certificates: `genCA`, `genSignedCert` and their like.

use std::{net::IpAddr, rc::Rc};

use super::super::{Call, Functions, Int, random::Random};
use crate::{
    Error, List, Str, Value, format,
    go::{
        base::decode_base64,
        duration::SECOND,
        time::Time,
        x509::{self, PrivateKey, Template, decode_pem, encode_pem},
    },
    value::{Object, ObjectType},
};

/// Bits of the keys that are made for certificates.
const KEY_BITS: u64 = 2048;

/// `sprig.certificate`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    certificate: Str,
    key: Str,
}

impl ObjectType for Pair {
    const NAME: &'static str = "sprig.certificate";
}

impl Object for Pair {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.certificate.clone().into()),
            "Key" => Some(self.key.clone().into()),
            _ => None,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Cert", "Key"]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Self>() == Some(self)
    }
}

pub(super) fn register(functions: &mut Functions) {
    functions.add("buildCustomCert", build_custom);
    functions.add_with_call("genCA", |call: &Call<'_>, name: Str, days: Int| {
        let key = generated(call);
        Request::new(name, None, None, days)
            .into_authority()
            .self_signed(call, &key)
    });
    functions.add_with_call(
        "genCAWithKey",
        |call: &Call<'_>, name: Str, days: Int, key: Str| {
            Request::new(name, None, None, days)
                .into_authority()
                .self_signed(call, &given(&key)?)
        },
    );
    functions.add_with_call(
        "genSelfSignedCert",
        |call: &Call<'_>, name: Str, addresses: List, names: List, days: Int| {
            let key = generated(call);
            Request::new(name, Some(addresses), Some(names), days).self_signed(call, &key)
        },
    );
    functions.add_with_call(
        "genSelfSignedCertWithKey",
        |call: &Call<'_>, name: Str, addresses: List, names: List, days: Int, key: Str| {
            let key = given(&key)?;
            Request::new(name, Some(addresses), Some(names), days).self_signed(call, &key)
        },
    );
    functions.add_with_call(
        "genSignedCert",
        |call: &Call<'_>, name: Str, addresses: List, names: List, days: Int, authority: Rc<Pair>| {
            let key = generated(call);
            Request::new(name, Some(addresses), Some(names), days).signed(call, &key, &authority)
        },
    );
    functions.add_with_call("genSignedCertWithKey", signed_with_key);
}

fn signed_with_key(
    call: &Call<'_>,
    name: Str,
    addresses: List,
    names: List,
    days: Int,
    authority: Rc<Pair>,
    key: Str,
) -> Result<Value, Error> {
    let key = given(&key)?;
    Request::new(name, Some(addresses), Some(names), days).signed(call, &key, &authority)
}

fn generated(call: &Call<'_>) -> PrivateKey {
    PrivateKey::rsa(&mut Random::of(call), KEY_BITS)
}

fn given(pem: &Str) -> Result<PrivateKey, Error> {
    PrivateKey::from_pem(pem.as_bytes()).map_err(|error| Error::new(format!("parsing private key: {error}")))
}

/// `func buildCustomCertificate(b64cert string, b64key string) (certificate, error)`
fn build_custom(certificate: Str, key: Str) -> Result<Value, Error> {
    let decode = |text: &Str, what: &str| {
        decode_base64(text.as_bytes()).map_err(|_| Error::new(format!("unable to decode base64 {what}")))
    };
    let certificate = decode(&certificate, "certificate")?;
    let key = decode(&key, "private key")?;
    read_certificate(&certificate, "decodedCert")?;
    read_key(&key)?;
    Ok(Value::object(Pair {
        certificate: certificate.into(),
        key: key.into(),
    }))
}

fn read_certificate(pem: &[u8], variable: &str) -> Result<x509::Certificate, Error> {
    let block = decode_pem(pem).ok_or_else(|| Error::new("unable to decode certificate"))?;
    x509::parse(&block.bytes)
        .map_err(|error| Error::new(format!("error parsing certificate: {variable}.Bytes: {error}")))
}

fn read_key(pem: &[u8]) -> Result<PrivateKey, Error> {
    PrivateKey::from_pem(pem).map_err(|error| Error::new(format!("error parsing private key: {error}")))
}

/// What a template asks for.
struct Request {
    name: Str,
    addresses: Option<List>,
    names: Option<List>,
    days: i64,
    is_authority: bool,
}

impl Request {
    fn new(name: Str, addresses: Option<List>, names: Option<List>, Int(days): Int) -> Self {
        Request {
            name,
            addresses,
            names,
            days,
            is_authority: false,
        }
    }

    fn into_authority(self) -> Self {
        Request {
            is_authority: true,
            ..self
        }
    }

    fn self_signed(&self, call: &Call<'_>, key: &PrivateKey) -> Result<Value, Error> {
        pair(&self.template(call)?, key, None, key)
    }

    fn signed(&self, call: &Call<'_>, key: &PrivateKey, authority: &Pair) -> Result<Value, Error> {
        let parent = read_certificate(authority.certificate.as_bytes(), "decodedSignerCert")?;
        let signer = read_key(authority.key.as_bytes())?;
        pair(&self.template(call)?, key, Some(&parent), &signer)
    }

    fn template(&self, call: &Call<'_>) -> Result<Template, Error> {
        let addresses = strings(self.addresses.as_ref(), "error parsing ip")?;
        let addresses = addresses.iter().map(|text| {
            text.parse::<IpAddr>()
                .map_err(|_| Error::new(format!("error parsing ip: {text}")))
        });
        let now = call.environment.now;
        let not_before = Time::unix(now.seconds, 0);
        // a duration is 64 bits of nanoseconds, whatever the number of days
        let lifetime = self.days.wrapping_mul(24 * 3600 * SECOND);
        let mut serial = [0; 16];
        Random::of(call).fill(&mut serial);
        Ok(Template {
            common_name: self.name.to_string(),
            addresses: addresses.collect::<Result<_, _>>()?,
            dns_names: strings(self.names.as_ref(), "error processing alternate dns name")?,
            serial,
            not_after: not_before.add(lifetime),
            not_before,
            is_ca: self.is_authority,
        })
    }
}

fn strings(list: Option<&List>, complaint: &str) -> Result<Vec<String>, Error> {
    let items = list.map_or(&[][..], List::items).iter();
    let strings = items.map(|item| match item {
        Value::Str(text) => Ok(text.to_string()),
        other => {
            let other = format::text(other);
            let other = String::from_utf8_lossy(&other);
            Err(Error::new(format!("{complaint}: {other} is not a string")))
        }
    });
    strings.collect()
}

fn pair(
    template: &Template,
    key: &PrivateKey,
    parent: Option<&x509::Certificate>,
    signer: &PrivateKey,
) -> Result<Value, Error> {
    let certificate = x509::create(template, key, parent, signer)
        .map_err(|error| Error::new(format!("error creating certificate: {error}")))?;
    Ok(Value::object(Pair {
        certificate: encode_pem("CERTIFICATE", &certificate).into(),
        key: key.to_pem().into(),
    }))
}
