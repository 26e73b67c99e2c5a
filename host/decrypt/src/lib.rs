//! Reads what SOPS encrypted: files of an artifact before it is built, objects after.
//!
//! ```text
//! key Secret ─Keyring─┐ data keys: age here; KMS and Vault over HTTPS
//!                     ▼
//! tree ─sources()─▶ files to lay over the tree, and what their MACs vouch for ─┐
//! built object ────────────────────────────────────────────────── object() ◀───┘
//! ```
//!
//! Start at [`sources()`] and [`object()`]; [`file()`] decrypts one file. [`sops`] is the format and does no IO;
//! [`keys`] asks for data keys, and is the only part that talks to anybody. What is asynchronous here computes as well, for
//! as long as files and keys make it: it belongs on a thread that may block.
//!
//! **Invariant:** keys and decrypted values are printed by nothing here: not by errors, `Debug` or logs.
//! **Invariant:** a file whose MAC does not verify gives no value, unless the administrator asked for Flux's habit.
//! **Invariant:** nothing is decrypted half: one value that cannot be read fails its file.
//! **Invariant:** no program is started; age plugins and a GnuPG agent are refused.
//! **Invariant:** work grows with what is read, not with what is said of it: each file is read once, each value looked at once.
#![forbid(unsafe_code)]

mod error;
pub mod sops;

pub mod keys;

mod file;
mod object;
mod sources;

pub use error::{Error, KeyError};
pub use file::{FILE_BYTES_MAX, Mac, file};
pub use keys::{KeyService, Keyring};
pub use object::object;
pub use sources::{Decrypted, Vouched, redacted, sources};
