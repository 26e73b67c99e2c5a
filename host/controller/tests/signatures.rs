//! Stories of signatures by other means than a key: a policy of Notation, and names that a Sigstore vouches for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::helmchart::{chart, repository};
use crate::sources::{condition, types};
use crate::{helmchart, ocirepository};
use serde_json::{Value, json};
use sluice_testkit::registry::{Flaw, Notary, NotaryFlaw, NotaryForm, Registry, Sigstore};

/// A Secret with a policy of this level, which trusts whoever the notary vouches for.
fn trust(notary: &Notary, level: &str) -> Value {
    let policy = json!({ "version": "1.0", "trustPolicies": [{
        "name": "p", "registryScopes": ["*"], "signatureVerification": { "level": level },
        "trustStores": ["ca:shop"], "trustedIdentities": ["*"],
    }] });
    json!({ "trustpolicy.json": policy.to_string(), "shop.crt": notary.pem() })
}

fn verified(message: String) -> (String, String, String) {
    ("True".to_owned(), "Succeeded".to_owned(), message)
}

/// N29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notation_decides_by_its_policy() {
    let (mut world, registry) = (ocirepository::world().await, Registry::start());
    let (notary, stranger) = (Notary::new(), Notary::new());
    let one = registry.push("org/app", "v1", &[("a", "1")]);
    world.put_secret("trust", trust(&notary, "strict")).await;
    world.start().await;
    world
        .put_source(json!({
            "interval": "1h", "url": registry.url("org/app"), "ref": { "tag": "v1" },
            "verify": { "provider": "notation", "secretRef": { "name": "trust" } },
        }))
        .await;
    let failed = world.failed("VerificationError").await;
    let message = condition(&failed, "SourceVerified").2;
    let begins = "failed to verify the signature using provider 'notation': no signature is associated with ";
    assert!(message.starts_with(begins), "{message}");
    assert_eq!(failed.pointer("/status/artifact"), None);

    stranger.sign(&registry, "org/app", &one, NotaryForm::Jws, NotaryFlaw::None);
    world
        .until("who signed it is not trusted", async || {
            let message = condition(&world.get().await?, "SourceVerified").2;
            let words = "does not contain any trusted certificate";
            message.contains(words).then_some(())
        })
        .await;
    assert_eq!(world.store.artifacts(), []);

    // a policy that does not insist lets it pass, and then nothing is said of it
    world.put_secret("trust", trust(&notary, "audit")).await;
    world.request("1").await;
    let passed = world.ready(&ocirepository::stored(&format!("v1@{one}"))).await;
    assert_eq!(types(&passed), ["Ready", "ArtifactInStorage"]);

    world.put_secret("trust", trust(&notary, "strict")).await;
    let two = registry.push("org/app", "v1", &[("a", "2")]);
    notary.sign(&registry, "org/app", &two, NotaryForm::Cose, NotaryFlaw::None);
    world.request("2").await;
    let good = world.ready(&ocirepository::stored(&format!("v1@{two}"))).await;
    assert_eq!(types(&good), ["Ready", "ArtifactInStorage", "SourceVerified"]);
    assert_eq!(
        condition(&good, "SourceVerified"),
        verified(format!("verified signature of revision v1@{two}"))
    );
    world.stop().await;
}

/// N29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_are_vouched_for_by_policies_and_by_names() {
    let (mut world, registry) = (helmchart::world().await, Registry::start());
    let (notary, sigstore) = (Notary::new(), Sigstore::new());
    let push = |version: &str, layer: &str| {
        let archive = chart("shop", version, &[]);
        registry.push_layers("org/shop", version, &[(layer, &archive)])
    };
    let by_notary = push("1.0.0", "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    notary.sign(
        &registry,
        "org/shop",
        &by_notary,
        NotaryForm::Jws,
        NotaryFlaw::None,
    );
    // a layer as it was in the first years
    let by_name = push("1.1.0", "application/tar+gzip");
    let names = ("https://issuer.example", "dev@shop.example");
    sigstore.sign_bundle(&registry, "org/shop", &by_name, names, Flaw::None);
    world.put_secret("trust", trust(&notary, "strict")).await;
    let root = sigstore.trusted_root().into_bytes();
    world
        .start_with(|config| config.trusted_root = Some(root.into()))
        .await;
    let charts = json!({ "type": "oci", "url": registry.url("org"), "insecure": true });
    repository(&world, "charts", charts).await;
    let spec =
        |version: &str, verify: Value| helmchart::spec(json!({ "version": version, "verify": verify }));
    let notation = json!({ "provider": "notation", "secretRef": { "name": "trust" } });
    world.put_source(spec("1.0.0", notation.clone())).await;
    let good = world.ready("pulled 'shop' chart with version '1.0.0'").await;
    assert_eq!(types(&good), ["Ready", "ArtifactInStorage", "SourceVerified"]);
    let message = |version: &str| format!("verified signature of version {version}");
    assert_eq!(condition(&good, "SourceVerified"), verified(message("1.0.0")));

    // of the other one nobody asked the notary
    world.put_source(spec("1.1.0", notation)).await;
    let failed = world.failed("VerificationError").await;
    let problem = condition(&failed, "SourceVerified").2;
    assert!(problem.contains("no signature is associated with"), "{problem}");
    assert_eq!(failed["status"]["artifact"], good["status"]["artifact"]);

    // the root is the controller's; the chart says who may have signed
    let keyless = |subject: &str| {
        let identities = json!([{ "issuer": "^https://issuer", "subject": subject }]);
        json!({ "provider": "cosign", "matchOIDCIdentity": identities })
    };
    world.put_source(spec("1.1.0", keyless("^ops@"))).await;
    world
        .until("another identity is refused", async || {
            let problem = condition(&world.get().await?, "SourceVerified").2;
            let words = "none of the expected identities matched";
            problem.contains(words).then_some(())
        })
        .await;
    world.put_source(spec("1.1.0", keyless("^dev@"))).await;
    let good = world.ready("pulled 'shop' chart with version '1.1.0'").await;
    assert_eq!(condition(&good, "SourceVerified"), verified(message("1.1.0")));
    world.stop().await;
}
