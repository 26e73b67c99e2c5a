//! `trustpolicy.json` of Notation: for which repositories, whom to believe, what to insist on.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Error;

/// The statements of a policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

/// What holds for some repositories.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    scopes: Vec<String>,
    pub(super) level: Level,
    overrides: BTreeMap<String, Action>,
    stores: Vec<StoreKind>,
    pub(super) verify_timestamp: VerifyTimestamp,
    identities: Vec<String>,
}

/// When the timestamp of a signature is looked at (notaryproject, trust-store-trust-policy, `verifyTimestamp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum VerifyTimestamp {
    #[default]
    #[serde(alias = "")]
    Always,
    AfterCertExpiry,
}

/// Whom a trust store is for, by what its name begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreKind {
    /// Those that give certificates to signers.
    Authority,
    /// Those that sign in the name of others.
    SigningAuthority,
    /// Those that say when something was.
    Timestamps,
}

impl StoreKind {
    fn read(store: &str) -> Option<StoreKind> {
        match store.split_once(':')? {
            (_, "") => None,
            ("ca", _) => Some(StoreKind::Authority),
            ("signingAuthority", _) => Some(StoreKind::SigningAuthority),
            ("tsa", _) => Some(StoreKind::Timestamps),
            _ => None,
        }
    }
}

/// How much is insisted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Strict,
    Permissive,
    Audit,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Enforce,
    Log,
    Skip,
}

/// What is done about each check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) authenticity: Action,
    pub(super) timestamp: Action,
    pub(super) expiry: Action,
    pub(super) revocation: Action,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: String,
    trust_policies: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: String,
    registry_scopes: Vec<String>,
    signature_verification: Verification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    level: Level,
    #[serde(default)]
    verify_timestamp: VerifyTimestamp,
    #[serde(default, rename = "override")]
    overrides: BTreeMap<String, Action>,
}

const CHECKS: [&str; 4] = ["authenticity", "authenticTimestamp", "expiry", "revocation"];

impl Policy {
    pub(super) fn parse(json: &[u8]) -> Result<Policy, Error> {
        let bad = |problem: String| Error::Material(format!("trust policy: {problem}"));
        let document: Document = serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
        if document.version != "1.0" || document.trust_policies.is_empty() {
            return Err(bad(
                "it must have version 1.0 and at least one statement".to_owned()
            ));
        }
        let mut scopes = std::collections::BTreeSet::new();
        let mut statements = Vec::new();
        for written in document.trust_policies {
            let name = &written.name;
            let problem = |text: &str| bad(format!("statement '{name}' {text}"));
            if written.registry_scopes.is_empty() {
                return Err(problem("has no registry scopes"));
            }
            if let Some(twice) = written
                .registry_scopes
                .iter()
                .find(|scope| !scopes.insert((*scope).clone()))
            {
                return Err(problem(&format!(
                    "has registry scope '{twice}', which another has too"
                )));
            }
            let verification = written.signature_verification;
            if let Some(unknown) = verification
                .overrides
                .keys()
                .find(|key| !CHECKS.contains(&key.as_str()))
            {
                return Err(problem(&format!("overrides '{unknown}', which is no check")));
            }
            let is_skipped = verification.level == Level::Skip;
            if is_skipped && !verification.overrides.is_empty() {
                return Err(problem("skips everything, and so can override nothing"));
            }
            let mut skipped = verification
                .overrides
                .iter()
                .filter(|(_, action)| **action == Action::Skip);
            if let Some((check, _)) = skipped.find(|(check, _)| *check != "revocation") {
                return Err(problem(&format!(
                    "skips '{check}': of all checks only revocation can be skipped; override it with log"
                )));
            }
            let has_nobody = written.trust_stores.is_empty() || written.trusted_identities.is_empty();
            if !is_skipped && has_nobody {
                return Err(problem("must have trust stores and trusted identities"));
            }
            let stores = written.trust_stores.iter().map(|store| {
                StoreKind::read(store).ok_or_else(|| {
                    problem(&format!(
                        "has trust store '{store}', which is none of ca:NAME, signingAuthority:NAME and tsa:NAME"
                    ))
                })
            });
            let stores = stores.collect::<Result<_, _>>()?;
            let is_known = |identity: &String| identity == "*" || identity.starts_with("x509.subject:");
            if let Some(odd) = written
                .trusted_identities
                .iter()
                .find(|identity| !is_known(identity))
            {
                return Err(problem(&format!(
                    "has trusted identity '{odd}', which is neither * nor x509.subject:"
                )));
            }
            statements.push(Statement {
                scopes: written.registry_scopes,
                level: verification.level,
                overrides: verification.overrides,
                stores,
                verify_timestamp: verification.verify_timestamp,
                identities: written.trusted_identities,
            });
        }
        Ok(Policy { statements })
    }

    /// The statement for a repository: by its name, else the one for all.
    pub(super) fn statement(&self, repository: &str) -> Result<&Statement, Error> {
        let by_scope = |wanted: &str| {
            let mut statements = self.statements.iter();
            statements.find(|statement| statement.scopes.iter().any(|scope| scope == wanted))
        };
        by_scope(repository).or_else(|| by_scope("*")).ok_or_else(|| {
            Error::Material(format!(
                "artifact \"{repository}\" has no applicable trust policy statement"
            ))
        })
    }
}

impl Statement {
    /// Whether it names a trust store of this kind. All certificates that are given serve every store, as in Flux.
    pub(super) fn has_store(&self, kind: StoreKind) -> bool {
        self.stores.contains(&kind)
    }

    pub(super) fn actions(&self) -> Actions {
        let action = |check: &str, enforced_by: &[Level]| match self.overrides.get(check) {
            Some(action) => *action,
            None if self.level == Level::Skip => Action::Skip,
            None if enforced_by.contains(&self.level) => Action::Enforce,
            None => Action::Log,
        };
        Actions {
            authenticity: action("authenticity", &[Level::Strict, Level::Permissive]),
            timestamp: action("authenticTimestamp", &[Level::Strict]),
            expiry: action("expiry", &[Level::Strict]),
            revocation: action("revocation", &[Level::Strict]),
        }
    }

    /// Whether a subject (`C=US`, `ST=WA`, `O=Shop` …) has all attributes of one of the identities.
    pub(super) fn trusts(&self, subject: &[(String, String)]) -> bool {
        self.identities
            .iter()
            .any(|identity| match identity.strip_prefix("x509.subject:") {
                None => identity == "*",
                Some(wanted) => {
                    let wanted = attributes(wanted);
                    !wanted.is_empty() && wanted.iter().all(|attribute| subject.contains(attribute))
                }
            })
    }
}

fn attributes(name: &str) -> Vec<(String, String)> {
    let pairs = name.split(',').filter_map(|pair| pair.split_once('='));
    let pair = |(key, value): (&str, &str)| {
        let key = key.trim().to_ascii_uppercase();
        // two spellings of one attribute
        let key = if key == "S" { "ST".to_owned() } else { key };
        (key, value.trim().to_owned())
    };
    pairs.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(level: &str, more: &str) -> Result<Policy, Error> {
        let json = format!(
            r#"{{"version":"1.0","trustPolicies":[{{"name":"p","registryScopes":["*"],"signatureVerification":{{"level":"{level}"{more}}},"trustStores":["ca:x"],"trustedIdentities":["x509.subject: C=US, S=WA, O=Shop"]}}]}}"#
        );
        Policy::parse(json.as_bytes())
    }

    #[test]
    fn levels_say_what_is_enforced() {
        use Action::{Enforce, Log, Skip};
        let row = |level: &str, more: &str| {
            let policy = policy(level, more).unwrap();
            let Actions {
                authenticity,
                timestamp,
                expiry,
                revocation,
            } = policy.statement("r/x").unwrap().actions();
            [authenticity, timestamp, expiry, revocation]
        };
        assert_eq!(row("strict", ""), [Enforce; 4]);
        assert_eq!(row("permissive", ""), [Enforce, Log, Log, Log]);
        assert_eq!(row("audit", ""), [Log; 4]);
        assert_eq!(row("skip", ""), [Skip; 4]);
        assert_eq!(
            row("strict", r#","override":{"revocation":"skip","expiry":"log"}"#),
            [Enforce, Enforce, Log, Skip]
        );
        for bad in ["{}", "", r#"{"version":"2.0","trustPolicies":[]}"#] {
            assert!(Policy::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(policy("nonsense", "").is_err());
        assert!(policy("strict", r#","override":{"x":"skip"}"#).is_err());
        assert!(policy("strict", r#","override":{"authenticity":"skip"}"#).is_err());
        assert!(policy("skip", r#","override":{"revocation":"log"}"#).is_err());
    }

    #[test]
    fn stores_and_timestamps_are_as_the_specification_names_them() {
        let read = |more: &str, stores: &str| {
            let json = format!(
                r#"{{"version":"1.0","trustPolicies":[{{"name":"p","registryScopes":["*"],"signatureVerification":{{"level":"strict"{more}}},"trustStores":[{stores}],"trustedIdentities":["*"]}}]}}"#
            );
            let policy = Policy::parse(json.as_bytes())?;
            let statement = policy.statement("r/x")?;
            let has_both =
                statement.has_store(StoreKind::Authority) && statement.has_store(StoreKind::Timestamps);
            Ok::<_, Error>((statement.verify_timestamp, has_both))
        };
        let later = r#","verifyTimestamp":"afterCertExpiry""#;
        assert_eq!(read("", r#""ca:x","tsa:y""#), Ok((VerifyTimestamp::Always, true)));
        assert_eq!(
            read(r#","verifyTimestamp":"""#, r#""ca:x""#),
            Ok((VerifyTimestamp::Always, false))
        );
        assert_eq!(
            read(later, r#""tsa:y""#),
            Ok((VerifyTimestamp::AfterCertExpiry, false))
        );
        assert!(read(r#","verifyTimestamp":"never""#, r#""ca:x""#).is_err());
        for odd in ["", "ca", "ca:", "x:y"] {
            assert!(read("", &format!("{odd:?}")).is_err(), "{odd}");
        }
    }

    #[test]
    fn identities_are_sets_of_attributes() {
        let policy = policy("strict", "").unwrap();
        let statement = policy.statement("r/x").unwrap();
        let trusts = |name: &str| statement.trusts(&attributes(name));
        assert!(trusts("CN=dev, O=Shop, ST=WA, C=US"));
        assert!(!trusts("CN=dev, O=Shop2, ST=WA, C=US"));
        assert!(!trusts("CN=dev, C=US"));
        assert!(!trusts(""));
        // one attribute that only looks like three
        let forged = [("CN".to_owned(), "x, C=US, ST=WA, O=Shop".to_owned())];
        assert!(!statement.trusts(&forged));
    }
}
