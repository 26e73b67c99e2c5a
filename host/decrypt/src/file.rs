use crate::sops::{self, Format, Opened};
use crate::{Error, Keyring};
use zeroize::Zeroizing;

/// Larger files are not decrypted: as in Flux, 5 MiB. A Secret holds 1 MiB.
pub const FILE_BYTES_MAX: u64 = 5 << 20;

/// What a MAC that does not match means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    /// The file was changed by somebody who could not encrypt: it is refused.
    Verified,
    /// Nothing, as in Flux.
    Ignored,
}

/// Decrypts one file. `what` names it in errors.
///
/// # Errors
/// See [`Error`].
pub async fn file(
    keyring: &Keyring,
    data: &[u8],
    (input, output): (Format, Format),
    mac: Mac,
    what: &str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let opened = open(keyring, data, input, mac, what).await?.0;
    sops::emit(&opened.branches, input, output).map(Zeroizing::new)
}

/// Decrypts one file in memory; with it the MAC that it carries.
pub(crate) async fn open(
    keyring: &Keyring,
    data: &[u8],
    format: Format,
    mac: Mac,
    what: &str,
) -> Result<(Opened, String), Error> {
    let size = data.len() as u64;
    if size > FILE_BYTES_MAX {
        let limit = FILE_BYTES_MAX;
        return Err(Error::TooLarge { size, limit });
    }
    let sealed = sops::load(data, format)?;
    let key = keyring.data_key(&sealed.metadata).await.map_err(Error::DataKey)?;
    let opened = sops::open(&sealed, &key).map_err(Error::Tree)?;
    if mac == Mac::Verified && !opened.is_intact {
        return Err(Error::Mac(what.to_owned()));
    }
    Ok((opened, sealed.metadata.mac))
}
