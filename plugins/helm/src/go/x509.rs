//! `crypto/x509`, `encoding/pem` and the keys they are about: as much as certificates of charts need.
//!
//! Keys come from the render's seed, so the same release with the same seed has the same certificates.

mod certificate;
mod der;
mod key;
mod montgomery;
mod pem;
mod prime;
mod rsa;

pub(crate) use certificate::{Certificate, Template, create, parse};
pub(crate) use key::PrivateKey;
pub(crate) use pem::{decode as decode_pem, encode as encode_pem};
