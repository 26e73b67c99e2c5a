use crate::LocalObjectReference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which signatures of a chart or an OCI artifact are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Who signs.
    #[schemars(extend("x-default" = "cosign"))]
    pub provider: VerificationProvider,
    /// The Secret with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The Secret with trusted roots of a private Sigstore; for OCIRepository only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root_secret_ref: Option<LocalObjectReference>,
    /// Identities of signers without keys.
    #[serde(default, rename = "matchOIDCIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
}

/// Kinds of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerificationProvider {
    /// Sigstore's.
    Cosign,
    /// Notary's.
    Notation,
}

/// An identity, by regular expressions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcIdentity {
    /// Who vouches.
    pub issuer: String,
    /// Who signed.
    pub subject: String,
}

/// Whose registry or chart repository it is, for credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RegistryProvider {
    /// Nobody's in particular.
    #[default]
    Generic,
    /// Amazon's.
    Aws,
    /// Microsoft's.
    Azure,
    /// Google's.
    Gcp,
}
