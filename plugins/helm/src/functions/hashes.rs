//! Checksums.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Functions;
use crate::Str;

pub(super) fn register(functions: &mut Functions) {
    functions.add("sha1sum", |text: Str| hex(&Sha1::digest(text.as_bytes())));
    functions.add("sha256sum", |text: Str| hex(&Sha256::digest(text.as_bytes())));
    functions.add("sha512sum", |text: Str| hex(&Sha512::digest(text.as_bytes())));
    functions.add("adler32sum", |text: Str| {
        adler2::adler32_slice(text.as_bytes()).to_string()
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
