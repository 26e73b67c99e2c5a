//! Rekor: that a public log knows of a signature (RFC 6962, RFC 9162; C2SP signed notes).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

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

/// Deepest tree that is believed: more entries than atoms anybody will log.
const HASHES_MAX: usize = 64;

impl LogEntry {
    /// Checks all that the log says, and answers with the time it vouches for. Only a signed time is one.
    pub(super) fn check(&self, root: &TrustedRoot) -> Result<Timestamp, String> {
        let time = Timestamp::from_second(self.integrated_time).map_err(|error| error.to_string())?;
        let log = root
            .log(&self.log_id, time)
            .ok_or("the transparency log is not one of the trusted root, or was not trusted then")?;
        let promise = self.promise.as_deref().ok_or(
            "the log entry has no signed time: RFC 3161 timestamps are not supported yet, sign with an entry in Rekor v1",
        )?;
        self.check_promise(log, promise)?;
        if let Some(proof) = &self.proof {
            proof.check(log, &self.body)?;
        }
        Ok(time)
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

    /// Whether the entry is about this signature, of this message, by this key or certificate in PEM.
    pub(super) fn is_about(
        &self,
        message: &[u8],
        signature: &[u8],
        certificate: &[u8],
    ) -> Result<(), String> {
        let body: Value = serde_json::from_slice(&self.body).map_err(|_| "the log entry cannot be read")?;
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let hash = hex::encode(Sha256::digest(message));
        let decoded = |text: &str| STANDARD.decode(text).ok();
        let (said_hash, said_signature, said_key) = match (text("/kind"), text("/apiVersion")) {
            ("hashedrekord", "0.0.1") => (
                text("/spec/data/hash/value"),
                text("/spec/signature/content"),
                text("/spec/signature/publicKey/content"),
            ),
            ("dsse", "0.0.1") => (
                text("/spec/payloadHash/value"),
                text("/spec/signatures/0/signature"),
                text("/spec/signatures/0/verifier"),
            ),
            (kind, version) => return Err(format!("log entries of kind {kind} {version} are not known")),
        };
        let is_one = body.pointer("/spec/signatures/1").is_none();
        let pem = decoded(said_key).unwrap_or_default();
        let is_key = der_of_pem(&pem).is_some_and(|der| der == certificate);
        if said_hash == hash && decoded(said_signature).as_deref() == Some(signature) && is_key && is_one {
            Ok(())
        } else {
            Err("the log entry is about another signature".to_owned())
        }
    }
}

fn der_of_pem(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls_pki_types::pem::{PemObject, SectionKind};
    let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(pem).ok()?;
    Some(der)
}

impl InclusionProof {
    fn check(&self, log: &Log, body: &[u8]) -> Result<(), String> {
        let root = self
            .computed_root(body)
            .ok_or("the inclusion proof is malformed")?;
        if root.as_slice() != self.root {
            return Err("the inclusion proof does not prove this entry".to_owned());
        }
        let (size, signed_root) = checkpoint(&self.checkpoint, log)?;
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
fn checkpoint(note: &str, log: &Log) -> Result<(u64, Vec<u8>), String> {
    let odd = || "the checkpoint is malformed".to_owned();
    let (text, signatures) = note.split_once("\n\n").ok_or_else(odd)?;
    let text = format!("{text}\n");
    let mut lines = text.lines();
    let _origin = lines.next().ok_or_else(odd)?;
    let size = lines.next().and_then(|line| line.parse().ok()).ok_or_else(odd)?;
    let root = lines
        .next()
        .and_then(|line| STANDARD.decode(line).ok())
        .ok_or_else(odd)?;
    let is_signed = signatures.lines().take(16).any(|line| {
        let encoded = line.strip_prefix("— ").and_then(|line| line.rsplit(' ').next());
        let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        // four bytes hint at the key
        bytes.is_some_and(|bytes| {
            bytes
                .get(4..)
                .is_some_and(|signature| log.key.verifies(text.as_bytes(), signature))
        })
    });
    match is_signed {
        true => Ok((size, root)),
        false => Err("the transparency log did not sign the checkpoint".to_owned()),
    }
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
