//! What SOPS keeps beside the values: who can read the data key, which values are encrypted, the MAC.

use super::format::Format;
use super::tree::{Branch, Entry, Item, Node, Time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The key under which the metadata stands.
const KEY: &str = "sops";
/// Its prefix where a format knows no nesting.
const PREFIX: &str = "sops_";
/// Where nothing is said, keys that end so are left in clear text.
const DEFAULT_UNENCRYPTED_SUFFIX: &str = "_unencrypted";

/// What a file says about its own encryption.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Each group knows a part of the data key, each key of a group the same part.
    pub groups: Vec<Vec<MasterKey>>,
    /// How many groups are needed; 0 where there is only one.
    pub threshold: usize,
    /// Which values are encrypted.
    pub rule: Rule,
    /// The MAC, encrypted.
    pub mac: String,
    /// When the file was last changed, as RFC 3339 without a fraction: additional data of the MAC.
    pub last_modified: String,
    /// Whether the MAC covers encrypted values only.
    pub is_mac_only_encrypted: bool,
}

/// Which values are encrypted. A file has one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All but those under a key that ends so.
    UnencryptedSuffix(String),
    /// Those under a key that ends so.
    EncryptedSuffix(String),
    /// All but those under a key that matches.
    UnencryptedRegex(String),
    /// Those under a key that matches.
    EncryptedRegex(String),
    /// All but those under a comment that matches.
    UnencryptedCommentRegex(String),
    /// Those under a comment that matches.
    EncryptedCommentRegex(String),
}

/// A key that the data key, or a part of it, is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKey {
    /// An age recipient.
    Age {
        /// `age1…`, `age1pq1…` or an SSH public key.
        recipient: String,
        /// The armored message.
        enc: String,
    },
    /// An OpenPGP key.
    Pgp {
        /// Fingerprint, or its end.
        fingerprint: String,
        /// The armored message.
        enc: String,
    },
    /// AWS Key Management Service.
    Aws {
        /// Key or alias.
        arn: String,
        /// Role to take on first, empty for none.
        role: String,
        /// Encryption context.
        context: BTreeMap<String, String>,
        /// Base64.
        enc: String,
    },
    /// Google Cloud KMS.
    Gcp {
        /// `projects/…/cryptoKeys/…`
        resource_id: String,
        /// Base64.
        enc: String,
    },
    /// Azure Key Vault.
    Azure {
        /// `https://….vault.azure.net`
        vault_url: String,
        /// The key.
        name: String,
        /// Its version.
        version: String,
        /// Base64, URL alphabet.
        enc: String,
    },
    /// The transit engine of HashiCorp Vault or OpenBao.
    Vault {
        /// Where it is.
        address: String,
        /// Where its engine is mounted.
        engine: String,
        /// The key.
        name: String,
        /// `vault:v1:…`
        enc: String,
    },
    /// A service that is not known here.
    Unknown {
        /// The name of its list.
        service: &'static str,
        /// The key.
        id: String,
    },
}

impl MasterKey {
    /// The encrypted data key.
    pub fn enc(&self) -> &str {
        match self {
            Self::Age { enc, .. }
            | Self::Pgp { enc, .. }
            | Self::Aws { enc, .. }
            | Self::Gcp { enc, .. }
            | Self::Azure { enc, .. }
            | Self::Vault { enc, .. } => enc,
            Self::Unknown { .. } => "",
        }
    }
}

/// As SOPS names keys in its messages.
impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age { recipient, .. } => f.write_str(recipient),
            Self::Pgp { fingerprint, .. } => f.write_str(fingerprint),
            Self::Aws { arn, .. } => f.write_str(arn),
            Self::Gcp { resource_id, .. } => f.write_str(resource_id),
            Self::Azure {
                vault_url,
                name,
                version,
                ..
            } => write!(f, "{vault_url}/keys/{name}/{version}"),
            Self::Vault {
                address,
                engine,
                name,
                ..
            } => write!(f, "{address}/v1/{engine}/keys/{name}"),
            Self::Unknown { id, .. } => f.write_str(id),
        }
    }
}

/// Takes the metadata out of the documents.
pub(super) fn extract(branches: Vec<Branch>, format: Format) -> Result<(Vec<Branch>, Value), String> {
    let mut found = None;
    let mut rest = Vec::with_capacity(branches.len());
    let mut flat = Vec::new();
    for (index, branch) in branches.into_iter().enumerate() {
        let mut kept = Branch::with_capacity(branch.len());
        for entry in branch {
            match entry {
                Entry::Pair(key, node)
                    if format == Format::Dotenv && index == 0 && key.starts_with(PREFIX) =>
                {
                    flat.push((key.trim_start_matches(PREFIX).to_owned(), plain(&node)));
                }
                Entry::Pair(key, node) if format != Format::Dotenv && key == KEY => {
                    if index > 0 {
                        continue;
                    }
                    if found.is_some() {
                        return Err(format!("Found duplicate {KEY} entry"));
                    }
                    if !matches!(node, Node::Map(_)) {
                        return Err(format!("Found {KEY} entry that is not a mapping"));
                    }
                    found = Some(plain(&node));
                }
                entry => kept.push(entry),
            }
        }
        rest.push(kept);
    }
    let raw = match (format, found) {
        (Format::Dotenv, _) if !flat.is_empty() => unflatten(flat)?,
        (Format::Ini, Some(Value::Object(map))) => {
            let unescape = |value: Value| match value {
                Value::String(text) => Value::String(text.replace("\\n", "\n")),
                other => other,
            };
            unflatten(
                map.into_iter()
                    .map(|(key, value)| (key, unescape(value)))
                    .collect(),
            )?
        }
        (_, Some(raw)) => raw,
        (_, None) => return Err("sops metadata not found".to_owned()),
    };
    Ok((rest, raw))
}

/// Metadata is no secret: without comments, as JSON.
fn plain(node: &Node) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::from(*value),
        Node::Int(value) => Value::from(*value),
        Node::Float(value) => Value::from(*value),
        Node::Text(text) => Value::from(text.as_str()),
        Node::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        Node::Time(text) => Value::from(text.as_str()),
        Node::List(items) => items
            .iter()
            .filter_map(|item| match item {
                Item::Node(node) => Some(plain(node)),
                Item::Comment(_) => None,
            })
            .collect(),
        Node::Map(branch) => branch
            .iter()
            .filter_map(|entry| match entry {
                Entry::Pair(key, node) => Some((key.clone(), plain(node))),
                Entry::Comment(_) => None,
            })
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// Deepest nesting of flattened metadata: SOPS itself writes four levels.
const DEPTH_MAX: usize = 16;

/// `age__list_0__map_enc` → `age: [{enc: …}]`.
fn unflatten(entries: Vec<(String, Value)>) -> Result<Value, String> {
    let mut root = Value::Object(Map::new());
    // lists grow in order of their indices
    let mut entries: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| (steps(&key), key, value))
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (steps, key, value) in entries {
        let odd = || format!("Error while unflattening {key:?}: Type mismatch");
        if steps.len() > DEPTH_MAX {
            return Err(odd());
        }
        let mut at = &mut root;
        for step in &steps {
            at = match step {
                Step::Key(name) => {
                    if at.is_null() {
                        *at = Value::Object(Map::new());
                    }
                    at.as_object_mut()
                        .ok_or_else(odd)?
                        .entry(name.clone())
                        .or_insert(Value::Null)
                }
                Step::Index(index) => {
                    if at.is_null() {
                        *at = Value::Array(Vec::new());
                    }
                    let list = at.as_array_mut().ok_or_else(odd)?;
                    if *index > list.len() {
                        return Err("Error while unflattening: Incomplete list".to_owned());
                    }
                    if *index == list.len() {
                        list.push(Value::Null);
                    }
                    list.get_mut(*index).ok_or_else(odd)?
                }
            };
        }
        if !at.is_null() {
            return Err(format!("Error while unflattening {key:?}: Duplicate value"));
        }
        *at = value;
    }
    Ok(root)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

fn steps(key: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, part) in key.split("__map_").enumerate() {
        for (inner, text) in part.split("__list_").enumerate() {
            match (at, inner, text.parse()) {
                (_, 1.., Ok(index)) => steps.push(Step::Index(index)),
                _ => steps.push(Step::Key(text.to_owned())),
            }
        }
    }
    steps
}

impl Metadata {
    /// Reads what stands under `sops`.
    ///
    /// # Errors
    /// Something is missing or odd.
    pub(super) fn read(raw: &Value) -> Result<Self, String> {
        let last_modified = text(raw, "lastmodified");
        let time = Time::parse(&last_modified)
            .ok_or_else(|| format!("lastmodified is {last_modified:?}, which is no time of RFC 3339"))?;
        let keys = group(raw);
        let groups = match list(raw, "key_groups") {
            [] if keys.is_empty() => return Err("No keys found in file".to_owned()),
            groups if keys.is_empty() => groups.iter().map(group).collect(),
            _ => vec![keys],
        };
        Ok(Self {
            groups,
            threshold: number(raw, "shamir_threshold")?,
            rule: rule(raw)?,
            mac: text(raw, "mac"),
            last_modified: time.seconds,
            is_mac_only_encrypted: switch(raw, "mac_only_encrypted")?,
        })
    }
}

fn rule(raw: &Value) -> Result<Rule, String> {
    type Make = fn(String) -> Rule;
    let kinds: [(&str, Make); 6] = [
        ("unencrypted_suffix", Rule::UnencryptedSuffix),
        ("encrypted_suffix", Rule::EncryptedSuffix),
        ("unencrypted_regex", Rule::UnencryptedRegex),
        ("encrypted_regex", Rule::EncryptedRegex),
        ("unencrypted_comment_regex", Rule::UnencryptedCommentRegex),
        ("encrypted_comment_regex", Rule::EncryptedCommentRegex),
    ];
    let mut given = kinds.into_iter().filter_map(|(name, rule)| {
        let text = text(raw, name);
        (!text.is_empty()).then(|| rule(text))
    });
    match (given.next(), given.next()) {
        (None, _) => Ok(Rule::UnencryptedSuffix(DEFAULT_UNENCRYPTED_SUFFIX.to_owned())),
        (Some(rule), None) => Ok(rule),
        (Some(_), Some(_)) => Err(
            "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, \
             encrypted_comment_regex, or unencrypted_comment_regex in the same file"
                .to_owned(),
        ),
    }
}

/// The keys of a group, in the order in which SOPS tries them: age and PGP before those that need a network.
fn group(raw: &Value) -> Vec<MasterKey> {
    let mut keys = Vec::new();
    keys.extend(list(raw, "age").iter().map(|key| MasterKey::Age {
        recipient: text(key, "recipient"),
        enc: text(key, "enc"),
    }));
    keys.extend(list(raw, "pgp").iter().map(|key| MasterKey::Pgp {
        fingerprint: text(key, "fp"),
        enc: text(key, "enc"),
    }));
    keys.extend(list(raw, "kms").iter().map(|key| MasterKey::Aws {
        arn: text(key, "arn").replace(' ', ""),
        role: text(key, "role").replace(' ', ""),
        context: context(key),
        enc: text(key, "enc"),
    }));
    keys.extend(list(raw, "gcp_kms").iter().map(|key| MasterKey::Gcp {
        resource_id: text(key, "resource_id").replace(' ', ""),
        enc: text(key, "enc"),
    }));
    keys.extend(list(raw, "hckms").iter().map(|key| MasterKey::Unknown {
        service: "Huawei Cloud KMS",
        id: text(key, "key_id"),
    }));
    keys.extend(list(raw, "azure_kv").iter().map(|key| MasterKey::Azure {
        vault_url: text(key, "vault_url"),
        name: text(key, "name"),
        version: text(key, "version"),
        enc: text(key, "enc"),
    }));
    keys.extend(list(raw, "hc_vault").iter().map(|key| MasterKey::Vault {
        address: text(key, "vault_address"),
        engine: text(key, "engine_path"),
        name: text(key, "key_name"),
        enc: text(key, "enc"),
    }));
    keys
}

fn context(key: &Value) -> BTreeMap<String, String> {
    let pairs = key
        .get("context")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn list<'a>(raw: &'a Value, key: &str) -> &'a [Value] {
    raw.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(raw: &Value, key: &str) -> String {
    match raw.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Formats without types write it as text.
fn switch(raw: &Value, key: &str) -> Result<bool, String> {
    match text(raw, key).as_str() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(raw.get(key) == Some(&Value::Bool(true))),
        other => Err(format!("{key} is {other:?}, which is neither true nor false")),
    }
}

fn number(raw: &Value, key: &str) -> Result<usize, String> {
    let text = text(raw, key);
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| format!("{key} is {text:?}, which is no number of groups"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(mut raw: Value) -> Result<Metadata, String> {
        let map = raw.as_object_mut().unwrap();
        map.entry("lastmodified").or_insert("2020-01-01T00:00:00Z".into());
        Metadata::read(&raw)
    }

    #[test]
    fn keys_at_the_top_come_before_groups_and_none_at_all_are_refused() {
        let key = |name: &str| json!([{"recipient": name, "enc": "x"}]);
        let both = read(json!({"age": key("top"), "key_groups": [{"age": key("a")}, {"age": key("b")}]}));
        let [group] = &*both.unwrap().groups else {
            panic!("one group")
        };
        assert_eq!(group.first().unwrap().to_string(), "top");
        let groups = read(json!({"key_groups": [{"age": key("a")}, {"age": key("b")}]}));
        assert_eq!(groups.unwrap().groups.len(), 2);
        assert_eq!(read(json!({"age": []})).unwrap_err(), "No keys found in file");
        let odd = read(json!({"age": key("a"), "shamir_threshold": "two"})).unwrap_err();
        assert!(odd.contains("no number of groups"), "{odd}");
    }

    #[test]
    fn a_switch_is_read_as_go_reads_it() {
        let switched = |value: Value| {
            let key = json!([{"recipient": "a", "enc": "x"}]);
            read(json!({"age": key, "mac_only_encrypted": value}))
                .map(|metadata| metadata.is_mac_only_encrypted)
        };
        for on in [json!(true), json!("true"), json!("T"), json!("1"), json!(1)] {
            assert_eq!(switched(on.clone()), Ok(true), "{on}");
        }
        for off in [json!(false), json!("false"), json!(""), json!(0), json!(null)] {
            assert_eq!(switched(off.clone()), Ok(false), "{off}");
        }
        assert!(
            switched(json!("yes"))
                .unwrap_err()
                .contains("neither true nor false")
        );
    }

    #[test]
    fn a_time_that_go_cannot_read_is_refused_and_others_lose_their_fraction() {
        let time = |text: &str| {
            let key = json!([{"recipient": "a", "enc": "x"}]);
            read(json!({"age": key, "lastmodified": text})).map(|metadata| metadata.last_modified)
        };
        for (text, kept) in [
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00.5+00:00", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00+02:00", "2020-01-01T00:00:00+02:00"),
        ] {
            assert_eq!(time(text).as_deref(), Ok(kept));
        }
        for text in [
            "",
            "2020-01-01",
            "2020-01-01t00:00:00Z",
            "2020-01-01 00:00:00Z",
            "2020-02-30T00:00:00Z",
            "2020-01-01T00:00:60Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00+0200",
        ] {
            assert!(time(text).unwrap_err().contains("no time of RFC 3339"), "{text}");
        }
    }
}
