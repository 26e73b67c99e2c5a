use super::*;
use expect_test::expect;
use serde_json::{Value, json};

/// A policy of one statement with changes to it; a field that becomes null is not written.
fn policy(changes: Value) -> String {
    policies(vec![changes])
}

fn policies(all: Vec<Value>) -> String {
    let statements: Vec<Value> = all
        .into_iter()
        .map(|changes| {
            let mut statement = json!({
                "name": "p", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
                "trustStores": ["ca:x"], "trustedIdentities": ["*"],
            });
            for (field, value) in changes.as_object().unwrap() {
                statement[field] = value.clone();
            }
            statement
        })
        .collect();
    json!({ "version": "1.0", "trustPolicies": statements }).to_string()
}

fn said(policy: &str) -> String {
    match Policy::parse(policy.as_bytes()) {
        Ok(_) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn rows(policies: &[String]) -> String {
    policies
        .iter()
        .map(|policy| format!("{}\n", said(policy)))
        .collect()
}

/// What notation-go 1.3.2 says of the same documents.
#[test]
fn documents_are_refused_in_the_words_of_notation() {
    let documents = [
        "{}",
        "null",
        "[]",
        r#"{"version":1}"#,
        r#"{"version":"1.0"}"#,
        r#"{"version":"2.0","trustPolicies":[]}"#,
        r#"{"version":"1.0","trustPolicies":{}}"#,
        r#"{"version":"1.0","trustPolicies":[{"name":1}]}"#,
        r#"{"version":"1.0","trustPolicies":[{"registryScopes":"*"}]}"#,
        r#"{"version":"1.0","trustPolicies":[{"signatureVerification":"strict"}]}"#,
        r#"{"version":"1.0","trustPolicies":[{"signatureVerification":{"override":[]}}]}"#,
        r#"{"version":"1.0","trustPolicies":[null]}"#,
        r#"{"VERSION":"1.0","TrustPolicies":[{"Name":"p","registryscopes":["*"],"signatureverification":{"Level":"skip"}}]}"#,
    ]
    .map(str::to_owned);
    expect![[r#"
        trust policy document has empty version, version must be specified
        trust policy document has empty version, version must be specified
        error occurred while parsing trustpolicy.json: json: cannot unmarshal array into Go value of type trustpolicy.Document
        error occurred while parsing trustpolicy.json: json: cannot unmarshal number into Go struct field Document.version of type string
        trust policy document can not have zero trust policy statements
        trust policy document uses unsupported version "2.0"
        error occurred while parsing trustpolicy.json: json: cannot unmarshal object into Go struct field Document.trustPolicies of type []trustpolicy.TrustPolicy
        error occurred while parsing trustpolicy.json: json: cannot unmarshal number into Go struct field TrustPolicy.trustPolicies.name of type string
        error occurred while parsing trustpolicy.json: json: cannot unmarshal string into Go struct field TrustPolicy.trustPolicies.registryScopes of type []string
        error occurred while parsing trustpolicy.json: json: cannot unmarshal string into Go struct field TrustPolicy.trustPolicies.signatureVerification of type trustpolicy.SignatureVerification
        error occurred while parsing trustpolicy.json: json: cannot unmarshal array into Go struct field SignatureVerification.trustPolicies.signatureVerification.override of type map[trustpolicy.ValidationType]trustpolicy.ValidationAction
        trust policy: a trust policy statement is missing a name, every statement requires a name
        good
    "#]].assert_eq(&rows(&documents));
}

/// What notation-go 1.3.2 says of the same statements.
#[test]
fn statements_are_refused_in_the_words_of_notation() {
    let verification = |verification: Value| policy(json!({ "signatureVerification": verification }));
    let overridden = |overrides: Value| verification(json!({ "level": "strict", "override": overrides }));
    let stores = |stores: Value| policy(json!({ "trustStores": stores }));
    let scopes = |scopes: Value| policy(json!({ "registryScopes": scopes }));
    let skip = json!({ "level": "skip" });
    let all = [
        policy(json!({ "name": "" })),
        policies(vec![json!({}), json!({ "registryScopes": ["r.io/c"] })]),
        policies(vec![json!({}), json!({ "name": "q" })]),
        policies(vec![
            json!({}),
            json!({ "name": "q", "registryScopes": ["r.io/c"] }),
        ]),
        scopes(json!([])),
        scopes(json!(["*", "r.io/c"])),
        scopes(json!(["r.io/c", "r.io/c"])),
        scopes(json!(["r.io"])),
        scopes(json!(["r.io/*"])),
        scopes(json!(["https://r.io/c"])),
        scopes(json!(["r.io/c:tag"])),
        scopes(json!(["r.io/C"])),
        scopes(json!(["R.io:5000/a/b__c-d"])),
        scopes(json!(["r.io/a..b"])),
        scopes(json!(["[::1]/c"])),
        verification(json!({})),
        verification(json!({ "level": "Strict" })),
        verification(json!({ "level": "skip", "override": { "revocation": "log" } })),
        verification(json!({ "level": "strict", "verifyTimestamp": "never" })),
        overridden(json!({ "x": "log" })),
        overridden(json!({ "expiry": "x" })),
        overridden(json!({ "expiry": "skip" })),
        overridden(json!({ "integrity": "log" })),
        overridden(json!({ "revocation": "skip", "expiry": "log" })),
        policy(json!({ "signatureVerification": skip, "trustStores": ["x"], "trustedIdentities": ["y"] })),
        stores(json!([])),
        stores(json!(["ca"])),
        stores(json!(["ca:"])),
        stores(json!(["CA:x"])),
        stores(json!(["ca:a/b"])),
        stores(json!(["ca:x", "ca:x", "tsa:y", "signingAuthority:a.b-c_d"])),
    ];
    expect![[r#"
        trust policy: a trust policy statement is missing a name, every statement requires a name
        multiple trust policy statements use the same name "p", statement names must be unique
        registry scope "*" is present in multiple trust policy statements, one registry scope value can only be associated with one statement
        good
        trust policy statement "p" has zero registry scopes, it must specify registry scopes with at least one value
        trust policy statement "p" uses wildcard registry scope '*', a wildcard scope cannot be used in conjunction with other scope values
        registry scope "r.io/c" is present in multiple trust policy statements, one registry scope value can only be associated with one statement
        registry scope "r.io" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        registry scope "r.io/*" with wild card(s) is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        registry scope "https://r.io/c" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        registry scope "r.io/c:tag" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        registry scope "r.io/C" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        good
        registry scope "r.io/a..b" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        registry scope "[::1]/c" is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout
        trust policy: trust policy statement "p" has invalid signatureVerification: signature verification level is empty or missing in the trust policy statement
        trust policy: trust policy statement "p" has invalid signatureVerification: invalid signature verification level "Strict"
        trust policy: trust policy statement "p" has invalid signatureVerification: signature verification level "skip" can't be used to customize signature verification
        trust policy: trust policy statement "p" has invalid signatureVerification: verifyTimestamp must be "always" or "afterCertExpiry", but got "never"
        trust policy: trust policy statement "p" has invalid signatureVerification: verification type "x" in custom signature verification is not supported, supported values are ["integrity" "authenticity" "authenticTimestamp" "expiry" "revocation"]
        trust policy: trust policy statement "p" has invalid signatureVerification: verification action "x" in custom signature verification is not supported, supported values are ["enforce" "log" "skip"]
        trust policy: trust policy statement "p" has invalid signatureVerification: "expiry" verification can not be skipped in custom signature verification
        trust policy: trust policy statement "p" has invalid signatureVerification: "integrity" verification can not be overridden in custom signature verification
        good
        good
        trust policy: trust policy statement "p" is either missing trust stores or trusted identities, both must be specified
        trust policy: trust policy statement "p" has malformed trust store value "ca". The required format is <TrustStoreType>:<TrustStoreName>
        trust policy: trust policy statement "p" uses an unsupported trust store name "" in trust store value "ca:". Named store name needs to follow [a-zA-Z0-9_.-]+ format
        trust policy: trust policy statement "p" uses an unsupported trust store type "CA" in trust store value "CA:x"
        trust policy: trust policy statement "p" uses an unsupported trust store name "a/b" in trust store value "ca:a/b". Named store name needs to follow [a-zA-Z0-9_.-]+ format
        good
    "#]].assert_eq(&rows(&all));
}

/// What notation-go 1.3.2 says of the same identities.
#[test]
fn identities_are_refused_in_the_words_of_notation() {
    let identities = |names: &[&str]| policy(json!({ "trustedIdentities": names }));
    let subject = |name: &str| identities(&[&format!("x509.subject:{name}")]);
    let all = [
        identities(&[]),
        identities(&[""]),
        identities(&["*", "x509.subject:C=US, ST=WA, O=a"]),
        identities(&["x"]),
        identities(&["did:x"]),
        subject(""),
        subject(" "),
        subject("C=US"),
        subject("c=US,st=WA,o=a"),
        subject("C=US,ST=WA,S=WA,O=a"),
        subject("C=US,ST=WA,O=a+CN=b"),
        subject("C=US,ST=WA,O=#abcd"),
        subject(r#"C=US,ST=WA,O="a, b""#),
        subject(r"C=US,ST=WA,O=a\"),
        subject(r"C=US,ST=WA,O=\zz"),
        subject("C=US,ST=WA,O="),
        subject("C=US,ST=WA,O"),
        subject("C=US,ST=WA,=a"),
        subject("C=US,,ST=WA,O=a"),
        subject("C=US,ST=WA,O=a,"),
        subject(r"C=US;S=WA; O = a\, b\20\C3\BC ,CN=x=y"),
        identities(&["x509.subject:C=US,ST=WA,O=a", "x509.subject:C=US,ST=WA,O=a,CN=b"]),
        identities(&["x509.subject:C=US,ST=WA,O=a", "x509.subject:C=US,ST=WA,O=b"]),
    ];
    expect![[r#"
        trust policy: trust policy statement "p" is either missing trust stores or trusted identities, both must be specified
        trust policy: trust policy statement "p" has an empty trusted identity
        trust policy: trust policy statement "p" uses a wildcard trusted identity '*', a wildcard identity cannot be used in conjunction with other values
        trust policy: trust policy statement "p" has trusted identity "x" missing separator
        good
        trust policy: trust policy statement "p" has trusted identity "x509.subject:" without an identity value
        trust policy: trust policy statement "p" has trusted identity "x509.subject: " with invalid identity value: distinguished name (DN) " " has no mandatory RDN attribute for "C", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US" with invalid identity value: distinguished name (DN) "C=US" has no mandatory RDN attribute for "ST", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum
        trust policy: trust policy statement "p" has trusted identity "x509.subject:c=US,st=WA,o=a" with invalid identity value: distinguished name (DN) "c=US,st=WA,o=a" has no mandatory RDN attribute for "C", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,S=WA,O=a" with invalid identity value: distinguished name (DN) "C=US,ST=WA,S=WA,O=a" has duplicate RDN attribute for "ST", DN can only have unique RDN attributes
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=a+CN=b" with invalid identity value: distinguished name (DN) "C=US,ST=WA,O=a+CN=b" has multi-valued RDN attributes, remove multi-valued RDN attributes as they are not supported
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=#abcd" with invalid identity value: unsupported distinguished name (DN) "C=US,ST=WA,O=#abcd": notation does not support x509.subject identities containing "=#"
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=\"a, b\"" with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,O=\"a, b\"" failed with err: DN ended with incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=a\\" with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,O=a\\" failed with err: got corrupted escaped character: 'a\'. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=\\zz" with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,O=\\zz" failed with err: failed to decode escaped character: encoding/hex: invalid byte: U+007A 'z'. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=" with invalid identity value: distinguished name (DN) "C=US,ST=WA,O=" has no mandatory RDN attribute for "O", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O" with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,O" failed with err: DN ended with incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,=a" with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,=a" failed with err: DN ended with incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,,ST=WA,O=a" with invalid identity value: parsing distinguished name (DN) "C=US,,ST=WA,O=a" failed with err: incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        trust policy: trust policy statement "p" has trusted identity "x509.subject:C=US,ST=WA,O=a," with invalid identity value: parsing distinguished name (DN) "C=US,ST=WA,O=a," failed with err: DN ended with incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard
        good
        trust policy: trust policy statement "p" has overlapping x509 trustedIdentities, "x509.subject:C=US,ST=WA,O=a" overlaps with "x509.subject:C=US,ST=WA,O=a,CN=b"
        good
    "#]].assert_eq(&rows(&all));
}

#[test]
fn levels_say_what_is_enforced() {
    use Action::{Enforce, Log, Skip};
    let row = |verification: Value| {
        let policy = policy(json!({ "signatureVerification": verification }));
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let Actions {
            authenticity,
            timestamp,
            expiry,
            revocation,
        } = policy.statement("r.io/x", "r.io/x@d").unwrap().actions();
        [authenticity, timestamp, expiry, revocation]
    };
    assert_eq!(row(json!({ "level": "strict" })), [Enforce; 4]);
    assert_eq!(row(json!({ "level": "permissive" })), [Enforce, Log, Log, Log]);
    assert_eq!(row(json!({ "level": "audit" })), [Log; 4]);
    assert_eq!(row(json!({ "level": "skip" })), [Skip; 4]);
    let overrides = json!({ "revocation": "skip", "expiry": "log" });
    assert_eq!(
        row(json!({ "level": "strict", "override": overrides })),
        [Enforce, Enforce, Log, Skip]
    );
}

#[test]
fn the_statement_of_a_repository_comes_before_the_one_for_all() {
    let all = policies(vec![
        json!({ "signatureVerification": { "level": "audit" } }),
        json!({ "name": "q", "registryScopes": ["r.io/a/b", "r.io/c"] }),
    ]);
    let policy = Policy::parse(all.as_bytes()).unwrap();
    let level = |repository: &str| policy.statement(repository, "").unwrap().level;
    assert_eq!(level("r.io/c"), Level::Strict);
    assert_eq!(level("r.io/a/b"), Level::Strict);
    assert_eq!(level("r.io/a"), Level::Audit);
    let one = policies(vec![json!({ "registryScopes": ["r.io/c"] })]);
    let refused = Policy::parse(one.as_bytes()).unwrap();
    let refused = refused.statement("r.io/a", "r.io/a@sha256:1").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "artifact \"r.io/a@sha256:1\" has no applicable trust policy statement. Trust policy applicability for a given artifact is determined by registryScopes. To create a trust policy, see: https://notaryproject.dev/docs/quickstart/#create-a-trust-policy"
    );
}

#[test]
fn stores_and_timestamps_are_as_the_specification_names_them() {
    let read = |verify: Value, stores: Value| {
        let verification = json!({ "level": "strict", "verifyTimestamp": verify });
        let policy = policy(json!({ "signatureVerification": verification, "trustStores": stores }));
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let statement = policy.statement("r.io/x", "").unwrap();
        let has_both =
            statement.has_store(StoreKind::Authority) && statement.has_store(StoreKind::Timestamps);
        (statement.verify_timestamp, has_both)
    };
    assert_eq!(
        read(json!(null), json!(["ca:x", "tsa:y"])),
        (VerifyTimestamp::Always, true)
    );
    assert_eq!(read(json!(""), json!(["ca:x"])), (VerifyTimestamp::Always, false));
    assert_eq!(
        read(json!("afterCertExpiry"), json!(["tsa:y"])),
        (VerifyTimestamp::AfterCertExpiry, false)
    );
}

#[test]
fn identities_are_sets_of_attributes() {
    let asked = |identities: &[&str], attributes: &[(&str, &str)]| {
        let policy = policy(json!({ "trustedIdentities": identities }));
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let attributes: Vec<(String, String)> = attributes.iter().map(own).collect();
        let shown = "CN=dev,O=Shop";
        match policy.statement("r.io/x", "").unwrap().trusts(&attributes, shown) {
            Ok(()) => "trusted\n".to_owned(),
            Err(problem) => format!("{problem}\n"),
        }
    };
    let shop = [("C", "US"), ("ST", "WA"), ("O", "Shop, Inc. +x"), ("CN", "dev")];
    let rows = [
        asked(&["*"], &[]),
        asked(&[r"x509.subject: C=US, S=WA, O=Shop\, Inc. \2bx"], &shop),
        asked(
            &[
                "x509.subject: C=US, ST=WA, O=Other",
                "x509.subject: C=US, ST=WA, O=Shop\\, Inc. \\+x, CN=dev",
            ],
            &shop,
        ),
        asked(&["x509.subject: C=US, ST=WA, O=Other"], &shop),
        asked(
            &["x509.subject: C=US, ST=WA, O=Shop\\, Inc. \\+x, CN=other"],
            &shop,
        ),
        asked(&["did:x"], &shop),
        asked(&["x509.subject: C=US, ST=WA, O=Shop"], &[("CN", "dev")]),
        asked(
            &["x509.subject: C=US, ST=WA, O=Shop"],
            &[("C", "US"), ("ST", "WA"), ("O", "Shop"), ("O", "Other")],
        ),
        // one attribute that only looks like three
        asked(
            &["x509.subject: C=US, ST=WA, O=Shop"],
            &[("CN", "x, C=US, ST=WA, O=Shop")],
        ),
    ];
    expect![[r#"
        trusted
        trusted
        trusted
        signing certificate from the digital signature does not match the X.509 trusted identities [map["C":"US" "O":"Other" "ST":"WA"]] defined in the trust policy "p" (it is that of "CN=dev,O=Shop")
        signing certificate from the digital signature does not match the X.509 trusted identities [map["C":"US" "CN":"other" "O":"Shop, Inc. +x" "ST":"WA"]] defined in the trust policy "p" (it is that of "CN=dev,O=Shop")
        no x509 trusted identities are configured in the trust policy "p"
        error while parsing the certificate subject from the digital signature. error : "distinguished name (DN) \"CN=dev,O=Shop\" has no mandatory RDN attribute for \"C\", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum"
        error while parsing the certificate subject from the digital signature. error : "distinguished name (DN) \"CN=dev,O=Shop\" has duplicate RDN attribute for \"O\", DN can only have unique RDN attributes"
        error while parsing the certificate subject from the digital signature. error : "distinguished name (DN) \"CN=dev,O=Shop\" has no mandatory RDN attribute for \"C\", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum"
    "#]].assert_eq(&rows.concat());
}
