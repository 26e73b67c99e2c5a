//! Rekor: that a public log knows of a signature (RFC 6962, RFC 9162; C2SP signed-note and tlog-checkpoint).
//!
//! Rekor 1 signs each entry and its time. Rekor 2 says no time, and that it has an entry by a proof and a checkpoint alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{TrustedRoot, trusted_root::Log};

/// One entry of a log, with what the log says of it.
#[derive(Clone, Debug, Default)]
pub(super) struct LogEntry {
    /// SHA-256 of the log's key.
    pub(super) log_id: Vec<u8>,
    pub(super) index: i64,
    /// Seconds since 1970; 0 where the log says none.
    pub(super) integrated_time: i64,
    /// The log's signature of time, place and body.
    pub(super) promise: Option<Vec<u8>>,
    pub(super) proof: Option<InclusionProof>,
    pub(super) body: Vec<u8>,
}

/// That an entry is in a tree whose head the log signed.
#[derive(Clone, Debug, Default)]
pub(super) struct InclusionProof {
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) root: Vec<u8>,
    pub(super) hashes: Vec<Vec<u8>>,
    pub(super) checkpoint: String,
}

/// Which checkpoints are a log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// Those that its key signed: of an entry that the log signed too, there is nothing to mistake.
    OfKey,
    /// Of those, the ones in its name: a key may serve several logs.
    OfName,
}

const UNKNOWN_LOG: &str = "the transparency log is not one of the trusted root, or was not trusted then";

/// Deepest tree that is believed: more entries than atoms anybody will log.
const HASHES_MAX: usize = 64;

impl LogEntry {
    /// Checks all that the log says, and answers with the time it vouches for. Only a signed time is one; where there is
    /// none, the log must have been trusted at the `stamped` times that others vouch for.
    pub(super) fn check(
        &self,
        root: &TrustedRoot,
        stamped: &[Timestamp],
    ) -> Result<Option<Timestamp>, String> {
        let Some(promise) = &self.promise else {
            self.check_included(root, stamped)?;
            return Ok(None);
        };
        let time = Timestamp::from_second(self.integrated_time).map_err(|error| error.to_string())?;
        let log = root.log(&self.log_id, time).ok_or(UNKNOWN_LOG)?;
        self.check_promise(log, promise)?;
        if let Some(proof) = &self.proof {
            proof.check(log, &self.body, Head::OfKey)?;
        }
        Ok(Some(time))
    }

    fn check_included(&self, root: &TrustedRoot, stamped: &[Timestamp]) -> Result<(), String> {
        if stamped.is_empty() {
            return Err(
                "the time of the signature is not known: its log entry has no signed time, and there is no timestamp by an authority of the trusted root"
                    .to_owned(),
            );
        }
        let proof = self
            .proof
            .as_ref()
            .ok_or("the log entry has neither a signed time nor an inclusion proof")?;
        let mut problem = UNKNOWN_LOG.to_owned();
        for log in root.logs(&self.log_id, stamped) {
            match proof.check(log, &self.body, Head::OfName) {
                Ok(()) => return Ok(()),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    fn check_promise(&self, log: &Log, promise: &[u8]) -> Result<(), String> {
        // RFC 8785: names sorted, no spaces. There is nothing in it whose form could differ.
        let signed = json!({
            "body": STANDARD.encode(&self.body),
            "integratedTime": self.integrated_time,
            "logID": hex::encode(&self.log_id),
            "logIndex": self.index,
        });
        match log.key.verifies(signed.to_string().as_bytes(), promise) {
            true => Ok(()),
            false => Err("the transparency log did not sign this entry".to_owned()),
        }
    }

    /// Whether the entry is about this signature, of this message, by this certificate; `logged` is what an entry of an
    /// envelope has the hash of.
    pub(super) fn is_about(
        &self,
        message: &[u8],
        logged: &[u8],
        signature: &[u8],
        certificate: &[u8],
    ) -> Result<(), String> {
        let body: Value = serde_json::from_slice(&self.body).map_err(|_| "the log entry cannot be read")?;
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let decoded = |pointer: &str| STANDARD.decode(text(pointer)).ok();
        // Rekor 1 writes hashes in hex and certificates in PEM, Rekor 2 all in base64
        let (hashed, algorithm, said_hash, said_signature, said_certificate) =
            match (text("/kind"), text("/apiVersion")) {
                ("hashedrekord", "0.0.1") => (
                    message,
                    text("/spec/data/hash/algorithm"),
                    hex::decode(text("/spec/data/hash/value")).ok(),
                    decoded("/spec/signature/content"),
                    decoded("/spec/signature/publicKey/content").and_then(|pem| der_of_pem(&pem)),
                ),
                ("dsse", "0.0.1") => (
                    logged,
                    text("/spec/payloadHash/algorithm"),
                    hex::decode(text("/spec/payloadHash/value")).ok(),
                    decoded("/spec/signatures/0/signature"),
                    decoded("/spec/signatures/0/verifier").and_then(|pem| der_of_pem(&pem)),
                ),
                ("hashedrekord", "0.0.2") => (
                    message,
                    text("/spec/hashedRekordV002/data/algorithm"),
                    decoded("/spec/hashedRekordV002/data/digest"),
                    decoded("/spec/hashedRekordV002/signature/content"),
                    decoded("/spec/hashedRekordV002/signature/verifier/x509Certificate/rawBytes"),
                ),
                ("dsse", "0.0.2") => (
                    logged,
                    text("/spec/dsseV002/payloadHash/algorithm"),
                    decoded("/spec/dsseV002/payloadHash/digest"),
                    decoded("/spec/dsseV002/signatures/0/content"),
                    decoded("/spec/dsseV002/signatures/0/verifier/x509Certificate/rawBytes"),
                ),
                (kind, version) => return Err(format!("log entries of kind {kind} {version} are not known")),
            };
        let more = ["/spec/signatures/1", "/spec/dsseV002/signatures/1"];
        let is_one = more.iter().all(|pointer| body.pointer(pointer).is_none());
        if said_hash == Some(hash(algorithm, hashed)?)
            && said_signature.as_deref() == Some(signature)
            && said_certificate.as_deref() == Some(certificate)
            && is_one
        {
            Ok(())
        } else {
            Err("the log entry is about another signature".to_owned())
        }
    }
}

/// By the name that Rekor 1 or Rekor 2 has for the hash.
fn hash(algorithm: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match algorithm {
        "sha256" | "SHA2_256" => Ok(Sha256::digest(bytes).to_vec()),
        "sha384" | "SHA2_384" => Ok(Sha384::digest(bytes).to_vec()),
        "sha512" | "SHA2_512" => Ok(Sha512::digest(bytes).to_vec()),
        _ => Err(format!(
            "log entries with a hash of algorithm '{algorithm}' are not supported"
        )),
    }
}

fn der_of_pem(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls_pki_types::pem::{PemObject, SectionKind};
    let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(pem).ok()?;
    Some(der)
}

impl InclusionProof {
    fn check(&self, log: &Log, body: &[u8], head: Head) -> Result<(), String> {
        let root = self
            .computed_root(body)
            .ok_or("the inclusion proof is malformed")?;
        if root.as_slice() != self.root {
            return Err("the inclusion proof does not prove this entry".to_owned());
        }
        let (size, signed_root) = checkpoint(&self.checkpoint, log, head)?;
        if size == self.size && signed_root == self.root {
            Ok(())
        } else {
            Err("the checkpoint is of another tree than the inclusion proof".to_owned())
        }
    }

    /// RFC 9162 2.1.3.2.
    fn computed_root(&self, body: &[u8]) -> Option<[u8; 32]> {
        if self.index >= self.size || self.hashes.len() > HASHES_MAX {
            return None;
        }
        let (mut node, mut last) = (self.index, self.size - 1);
        let mut hash = hash_leaf(body);
        for sibling in &self.hashes {
            if last == 0 || sibling.len() != 32 {
                return None;
            }
            if node & 1 == 1 || node == last {
                hash = hash_children(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = hash_children(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }
}

fn hash_leaf(body: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0])
        .chain_update(body)
        .finalize()
        .into()
}

fn hash_children(left: &[u8], right: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update([1]).chain_update(left);
    hash.chain_update(right).finalize().into()
}

/// The size and root of a tree head that the log signed.
fn checkpoint(note: &str, log: &Log, head: Head) -> Result<(u64, Vec<u8>), String> {
    let odd = || "the checkpoint is malformed".to_owned();
    let (text, signatures) = note.split_once("\n\n").ok_or_else(odd)?;
    let text = format!("{text}\n");
    let mut lines = text.lines();
    let origin = lines.next().ok_or_else(odd)?;
    let size = lines.next().and_then(|line| line.parse().ok()).ok_or_else(odd)?;
    let root = lines
        .next()
        .and_then(|line| STANDARD.decode(line).ok())
        .ok_or_else(odd)?;
    if head == Head::OfName && !is_origin(origin, log) {
        return Err("the checkpoint is of another log".to_owned());
    }
    let is_signed = signatures.lines().take(SIGNATURES_MAX).any(|line| {
        let parts = line.strip_prefix("— ").and_then(|line| line.rsplit_once(' '));
        let Some((name, encoded)) = parts else {
            return false;
        };
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        let Some((hint, signature)) = bytes.split_at_checked(4) else {
            return false;
        };
        let is_mine = match head {
            Head::OfKey => log.is_hinted(hint),
            Head::OfName => log.is_hinted(hint) && log.name.as_deref() == Some(name),
        };
        is_mine && log.key.verifies(text.as_bytes(), signature)
    });
    match is_signed {
        true => Ok((size, root)),
        false => Err("the transparency log did not sign the checkpoint".to_owned()),
    }
}

/// Signatures of one checkpoint that are looked at: others may have signed it too.
const SIGNATURES_MAX: usize = 16;

/// The first line of a checkpoint is the log's name; Rekor 1 has the tree's number behind it.
fn is_origin(origin: &str, log: &Log) -> bool {
    let (name, _tree) = origin.split_once(" - ").unwrap_or((origin, ""));
    log.name.as_deref() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 2.1.1, the slow way.
    fn tree(leaves: &[Vec<u8>]) -> [u8; 32] {
        match leaves {
            [leaf] => hash_leaf(leaf),
            leaves => {
                let half = leaves.len().next_power_of_two() / 2;
                hash_children(&tree(&leaves[..half]), &tree(&leaves[half..]))
            }
        }
    }

    fn path(leaves: &[Vec<u8>], index: usize) -> Vec<Vec<u8>> {
        if leaves.len() == 1 {
            return vec![];
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (mut below, sibling) = if index < half {
            (path(&leaves[..half], index), tree(&leaves[half..]))
        } else {
            (path(&leaves[half..], index - half), tree(&leaves[..half]))
        };
        below.push(sibling.to_vec());
        below
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved_and_no_other() {
        for size in 1..=20usize {
            let leaves: Vec<Vec<u8>> = (0..size).map(|number| vec![number as u8]).collect();
            for index in 0..size {
                let proof = InclusionProof {
                    index: index as u64,
                    size: size as u64,
                    hashes: path(&leaves, index),
                    ..InclusionProof::default()
                };
                assert_eq!(
                    proof.computed_root(&leaves[index]),
                    Some(tree(&leaves)),
                    "{index} of {size}"
                );
                assert_ne!(proof.computed_root(b"other"), Some(tree(&leaves)));
                let longer = InclusionProof {
                    hashes: [proof.hashes.clone(), vec![vec![0; 32]]].concat(),
                    ..proof.clone()
                };
                assert_eq!(longer.computed_root(&leaves[index]), None);
                let beyond = InclusionProof {
                    index: size as u64,
                    ..proof
                };
                assert_eq!(beyond.computed_root(&leaves[index]), None);
            }
        }
    }
}
