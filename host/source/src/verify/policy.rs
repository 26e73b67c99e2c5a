//! `trustpolicy.json` of Notation: for which repositories, whom to believe, what to insist on. Every rule, and every word of
//! a refusal, is that of notation-go, which Flux uses (notaryproject, trust-store-trust-policy).

mod subject;

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use super::Error;
use crate::go_json::mismatch;
use subject::Subject;

/// The statements of a policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

/// What holds for some repositories.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    name: String,
    scopes: Vec<String>,
    pub(super) level: Level,
    overrides: BTreeMap<String, Action>,
    stores: Vec<StoreKind>,
    pub(super) verify_timestamp: VerifyTimestamp,
    identities: Identities,
}

/// Which signers are believed.
#[derive(Clone, Debug)]
enum Identities {
    /// Whoever has a certificate of the trust store.
    Any,
    /// Those whose names have all attributes of one of these.
    Subjects(Vec<Subject>),
}

/// When the timestamp of a signature is looked at (notaryproject, trust-store-trust-policy, `verifyTimestamp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum VerifyTimestamp {
    #[default]
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

/// How much is insisted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Strict,
    Permissive,
    Audit,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

const VERSION: &str = "1.0";
/// Everybody, everything.
const WILDCARD: &str = "*";
const SUBJECT: &str = "x509.subject";
const INTEGRITY: &str = "integrity";
const REVOCATION: &str = "revocation";
const CHECKS: [&str; 4] = ["authenticity", "authenticTimestamp", "expiry", REVOCATION];
const LEVELS: [(&str, Level); 4] = [
    ("strict", Level::Strict),
    ("permissive", Level::Permissive),
    ("audit", Level::Audit),
    ("skip", Level::Skip),
];
const ACTIONS: [(&str, Action); 3] = [
    ("enforce", Action::Enforce),
    ("log", Action::Log),
    ("skip", Action::Skip),
];
const STORES: [(&str, StoreKind); 3] = [
    ("ca", StoreKind::Authority),
    ("signingAuthority", StoreKind::SigningAuthority),
    ("tsa", StoreKind::Timestamps),
];

impl Policy {
    pub(super) fn parse(json: &[u8]) -> Result<Policy, Error> {
        read(json).map_err(Error::Material)
    }

    /// The statement for a repository: by its name, else the one for all. `artifact` is the repository with its digest.
    pub(super) fn statement(&self, repository: &str, artifact: &str) -> Result<&Statement, Error> {
        check_scope(repository).map_err(Error::Material)?;
        let by_scope = |wanted: &str| {
            let mut statements = self.statements.iter();
            statements.find(|statement| statement.scopes.iter().any(|scope| scope == wanted))
        };
        by_scope(repository).or_else(|| by_scope(WILDCARD)).ok_or_else(|| {
            Error::Material(format!(
                "artifact {artifact:?} has no applicable trust policy statement. Trust policy applicability for a given artifact is determined by registryScopes. To create a trust policy, see: https://notaryproject.dev/docs/quickstart/#create-a-trust-policy"
            ))
        })
    }
}

fn read(json: &[u8]) -> Result<Policy, String> {
    let document = serde_json::from_slice::<Value>(json).map_err(|error| error.to_string());
    let written = document.and_then(|document| written(&document));
    let written =
        written.map_err(|problem| format!("error occurred while parsing trustpolicy.json: {problem}"))?;
    match written.version.as_str() {
        VERSION => {}
        "" => return Err("trust policy document has empty version, version must be specified".to_owned()),
        other => {
            return Err(format!(
                "trust policy document uses unsupported version {other:?}"
            ));
        }
    }
    if written.statements.is_empty() {
        return Err("trust policy document can not have zero trust policy statements".to_owned());
    }
    let mut names = BTreeSet::new();
    let mut statements = Vec::new();
    for statement in written.statements {
        if !names.insert(statement.name.clone()) {
            return Err(format!(
                "multiple trust policy statements use the same name {:?}, statement names must be unique",
                statement.name
            ));
        }
        statements.push(checked(statement).map_err(|problem| format!("trust policy: {problem}"))?);
    }
    check_scopes(&statements)?;
    Ok(Policy { statements })
}

/// A document as it is written.
struct Document {
    version: String,
    statements: Vec<Written>,
}

#[derive(Default)]
struct Written {
    name: String,
    scopes: Vec<String>,
    level: String,
    overrides: BTreeMap<String, String>,
    verify_timestamp: String,
    stores: Vec<String>,
    identities: Vec<String>,
}

fn written(document: &Value) -> Result<Document, String> {
    if !document.is_null() && !document.is_object() {
        return Err(mismatch(document, "", "trustpolicy.Document"));
    }
    let statements = match field(document, "trustPolicies") {
        Value::Null => &[],
        Value::Array(statements) => statements.as_slice(),
        other => {
            return Err(mismatch(
                other,
                "Document.trustPolicies",
                "[]trustpolicy.TrustPolicy",
            ));
        }
    };
    Ok(Document {
        version: text(document, "version", "Document.")?,
        statements: statements.iter().map(statement).collect::<Result<_, _>>()?,
    })
}

fn statement(statement: &Value) -> Result<Written, String> {
    let at = "TrustPolicy.trustPolicies.";
    if !statement.is_null() && !statement.is_object() {
        return Err(mismatch(
            statement,
            "Document.trustPolicies",
            "trustpolicy.TrustPolicy",
        ));
    }
    let verification = field(statement, "signatureVerification");
    if !verification.is_null() && !verification.is_object() {
        let at = format!("{at}signatureVerification");
        return Err(mismatch(verification, &at, "trustpolicy.SignatureVerification"));
    }
    let within = "SignatureVerification.trustPolicies.signatureVerification.";
    let overrides = match field(verification, "override") {
        Value::Null => BTreeMap::new(),
        Value::Object(overrides) => {
            let override_ = |(check, action): (&String, &Value)| match action {
                Value::String(action) => Ok((check.clone(), action.clone())),
                Value::Null => Ok((check.clone(), String::new())),
                other => Err(mismatch(
                    other,
                    &format!("{within}override"),
                    "trustpolicy.ValidationAction",
                )),
            };
            overrides.iter().map(override_).collect::<Result<_, _>>()?
        }
        other => {
            let wanted = "map[trustpolicy.ValidationType]trustpolicy.ValidationAction";
            return Err(mismatch(other, &format!("{within}override"), wanted));
        }
    };
    Ok(Written {
        name: text(statement, "name", at)?,
        scopes: texts(statement, "registryScopes", at)?,
        level: text(verification, "level", within)?,
        overrides,
        verify_timestamp: text(verification, "verifyTimestamp", within)?,
        stores: texts(statement, "trustStores", at)?,
        identities: texts(statement, "trustedIdentities", at)?,
    })
}

/// Names are compared without their case, as Go's decoder does.
fn field<'a>(object: &'a Value, name: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    let mut fields = object.as_object().into_iter().flatten();
    let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map_or(&NULL, |(_, value)| value)
}

fn text(object: &Value, name: &str, within: &str) -> Result<String, String> {
    match field(object, name) {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        other => Err(mismatch(other, &format!("{within}{name}"), "string")),
    }
}

fn texts(object: &Value, name: &str, within: &str) -> Result<Vec<String>, String> {
    let at = format!("{within}{name}");
    let text = |value: &Value| match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        other => Err(mismatch(other, &at, "string")),
    };
    match field(object, name) {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values.iter().map(text).collect(),
        other => Err(mismatch(other, &at, "[]string")),
    }
}

fn checked(written: Written) -> Result<Statement, String> {
    let name = written.name;
    if name.is_empty() {
        return Err("a trust policy statement is missing a name, every statement requires a name".to_owned());
    }
    let invalid = |problem: String| {
        format!("trust policy statement {name:?} has invalid signatureVerification: {problem}")
    };
    let level = level(&written.level).map_err(invalid)?;
    let overrides = overrides(level, &written.level, &written.overrides).map_err(invalid)?;
    let verify_timestamp = match written.verify_timestamp.as_str() {
        "" | "always" => VerifyTimestamp::Always,
        "afterCertExpiry" => VerifyTimestamp::AfterCertExpiry,
        other => {
            return Err(invalid(format!(
                "verifyTimestamp must be \"always\" or \"afterCertExpiry\", but got {other:?}"
            )));
        }
    };
    // whom a statement trusts that skips everything is no matter: Flux passes over it
    let (stores, identities) = match level {
        Level::Skip => (Vec::new(), Identities::Any),
        Level::Strict | Level::Permissive | Level::Audit => {
            if written.stores.is_empty() || written.identities.is_empty() {
                return Err(format!(
                    "trust policy statement {name:?} is either missing trust stores or trusted identities, both must be specified"
                ));
            }
            let stores = written.stores.iter().map(|store| read_store(&name, store));
            (
                stores.collect::<Result<_, _>>()?,
                identities(&name, &written.identities)?,
            )
        }
    };
    Ok(Statement {
        name,
        scopes: written.scopes,
        level,
        overrides,
        stores,
        verify_timestamp,
        identities,
    })
}

fn level(name: &str) -> Result<Level, String> {
    if name.is_empty() {
        let text = "signature verification level is empty or missing in the trust policy statement";
        return Err(text.to_owned());
    }
    let found = LEVELS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, level)| *level)
        .ok_or_else(|| format!("invalid signature verification level {name:?}"))
}

fn overrides(
    level: Level,
    name: &str,
    written: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Action>, String> {
    if level == Level::Skip && !written.is_empty() {
        return Err(format!(
            "signature verification level {name:?} can't be used to customize signature verification"
        ));
    }
    let mut overrides = BTreeMap::new();
    for (check, action) in written {
        if check != INTEGRITY && !CHECKS.contains(&check.as_str()) {
            return Err(format!(
                "verification type {check:?} in custom signature verification is not supported, supported values are [\"integrity\" \"authenticity\" \"authenticTimestamp\" \"expiry\" \"revocation\"]"
            ));
        }
        let found = ACTIONS.iter().find(|(known, _)| known == action);
        let (_, action) = found.ok_or_else(|| {
            format!(
                "verification action {action:?} in custom signature verification is not supported, supported values are [\"enforce\" \"log\" \"skip\"]"
            )
        })?;
        if check == INTEGRITY {
            return Err(format!(
                "{check:?} verification can not be overridden in custom signature verification"
            ));
        }
        if check != REVOCATION && *action == Action::Skip {
            return Err(format!(
                "{check:?} verification can not be skipped in custom signature verification"
            ));
        }
        overrides.insert(check.clone(), *action);
    }
    Ok(overrides)
}

fn read_store(statement: &str, store: &str) -> Result<StoreKind, String> {
    let at = format!("trust policy statement {statement:?}");
    let (kind, name) = store.split_once(':').ok_or_else(|| {
        format!(
            "{at} has malformed trust store value {store:?}. The required format is <TrustStoreType>:<TrustStoreName>"
        )
    })?;
    let found = STORES.iter().find(|(known, _)| *known == kind);
    let (_, kind) = found.ok_or_else(|| {
        format!("{at} uses an unsupported trust store type {kind:?} in trust store value {store:?}")
    })?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err(format!(
            "{at} uses an unsupported trust store name {name:?} in trust store value {store:?}. Named store name needs to follow [a-zA-Z0-9_.-]+ format"
        ));
    }
    Ok(*kind)
}

fn identities(statement: &str, written: &[String]) -> Result<Identities, String> {
    let at = format!("trust policy statement {statement:?}");
    if written.iter().any(|identity| identity == WILDCARD) {
        return match written {
            [_] => Ok(Identities::Any),
            _ => Err(format!(
                "{at} uses a wildcard trusted identity '*', a wildcard identity cannot be used in conjunction with other values"
            )),
        };
    }
    let mut subjects: Vec<(&String, Subject)> = Vec::new();
    for identity in written {
        if identity.is_empty() {
            return Err(format!("{at} has an empty trusted identity"));
        }
        let (kind, name) = identity
            .split_once(':')
            .ok_or_else(|| format!("{at} has trusted identity {identity:?} missing separator"))?;
        // other kinds are for plugins
        if kind != SUBJECT {
            continue;
        }
        if name.is_empty() {
            return Err(format!(
                "{at} has trusted identity {identity:?} without an identity value"
            ));
        }
        let subject = subject::parse(name).map_err(|problem| {
            format!("{at} has trusted identity {identity:?} with invalid identity value: {problem}")
        })?;
        subjects.push((identity, subject));
    }
    for (number, (one, part)) in subjects.iter().enumerate() {
        for (other_number, (other, whole)) in subjects.iter().enumerate() {
            if number != other_number && subject::is_subset(part, whole) {
                return Err(format!(
                    "{at} has overlapping x509 trustedIdentities, {one:?} overlaps with {other:?}"
                ));
            }
        }
    }
    let subjects = subjects.into_iter().map(|(_, subject)| subject);
    Ok(Identities::Subjects(subjects.collect()))
}

fn check_scopes(statements: &[Statement]) -> Result<(), String> {
    let (mut seen, mut twice) = (BTreeSet::new(), None);
    for statement in statements {
        let name = &statement.name;
        if statement.scopes.is_empty() {
            return Err(format!(
                "trust policy statement {name:?} has zero registry scopes, it must specify registry scopes with at least one value"
            ));
        }
        if statement.scopes.len() > 1 && statement.scopes.iter().any(|scope| scope == WILDCARD) {
            return Err(format!(
                "trust policy statement {name:?} uses wildcard registry scope '*', a wildcard scope cannot be used in conjunction with other scope values"
            ));
        }
        for scope in &statement.scopes {
            if scope != WILDCARD {
                check_scope(scope)?;
            }
            if !seen.insert(scope) {
                twice = twice.or(Some(scope));
            }
        }
    }
    match twice {
        None => Ok(()),
        Some(scope) => Err(format!(
            "registry scope {scope:?} is present in multiple trust policy statements, one registry scope value can only be associated with one statement"
        )),
    }
}

/// The form of `host/repository`, as the distribution specification has it.
fn check_scope(scope: &str) -> Result<(), String> {
    const HOST: &str =
        "^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?$";
    const REPOSITORY: &str = "^[a-z0-9]+(([._]|__|-*)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-*)[a-z0-9]+)*)*$";
    let fits = |pattern: &str, text: &str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
    let has_wildcard = scope.len() > 1 && scope.contains('*');
    let is_good = scope
        .split_once('/')
        .is_some_and(|(host, repository)| fits(HOST, host) && fits(REPOSITORY, repository));
    if is_good && !has_wildcard {
        return Ok(());
    }
    let what = if has_wildcard { " with wild card(s)" } else { "" };
    Err(format!(
        "registry scope {scope:?}{what} is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout"
    ))
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
            revocation: action(REVOCATION, &[Level::Strict]),
        }
    }

    /// Whether the signer is one of the identities: its certificate has this subject (`C=US`, `ST=WA`, `O=Shop` …), which
    /// messages show so.
    pub(super) fn trusts(&self, attributes: &[(String, String)], shown: &str) -> Result<(), String> {
        let Identities::Subjects(trusted) = &self.identities else {
            return Ok(());
        };
        let name = &self.name;
        if trusted.is_empty() {
            return Err(format!(
                "no x509 trusted identities are configured in the trust policy {name:?}"
            ));
        }
        let subject = subject::of_certificate(attributes, shown).map_err(|problem| {
            format!(
                "error while parsing the certificate subject from the digital signature. error : {problem:?}"
            )
        })?;
        if trusted
            .iter()
            .any(|trusted| subject::is_subset(trusted, &subject))
        {
            return Ok(());
        }
        let trusted: Vec<String> = trusted.iter().map(subject::shown).collect();
        Err(format!(
            "signing certificate from the digital signature does not match the X.509 trusted identities [{}] defined in the trust policy {name:?} (it is that of {shown:?})",
            trusted.join(" ")
        ))
    }
}

#[cfg(test)]
mod tests;
