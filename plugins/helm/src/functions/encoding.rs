//! Text as letters of a smaller alphabet.

use super::Functions;
use crate::{
    Str,
    go::base::{decode_base32, decode_base64, encode_base32, encode_base64},
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("b64enc", |text: Str| encode_base64(text.as_bytes()));
    functions.add("b32enc", |text: Str| encode_base32(text.as_bytes()));
    // what cannot be decoded is answered with the error
    functions.add("b64dec", |text: Str| {
        decode_base64(text.as_bytes()).map_or_else(Str::from, Str::from)
    });
    functions.add("b32dec", |text: Str| {
        decode_base32(text.as_bytes()).map_or_else(Str::from, Str::from)
    });
}
