//! Files that sops itself wrote, and what it decrypts them to.

use sluice_artifact::MemoryTree;
use sluice_decrypt::keys::Allowed;
use sluice_decrypt::sops::Format;
use sluice_decrypt::{Error, Keyring, Mac, Vouched, file, object, sources};
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder("encrypted").join(name)).unwrap()
}

fn parsed(name: &str) -> serde_json::Value {
    let options = sluice_yaml::ParseOptions::new(sluice_yaml::Resolver::V2);
    let document = sluice_yaml::parse_document(fixture(name), &options)
        .unwrap()
        .unwrap();
    sluice_yaml::to_json(&document.root, sluice_yaml::Resolver::V2).unwrap()
}

fn plain_of(name: &str) -> Vec<u8> {
    std::fs::read(folder("decrypted").join(name)).unwrap()
}

/// All encrypted files.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder("encrypted")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    names
}

fn keyring(keys: &[&str]) -> Keyring {
    let mut keyring = Keyring::new();
    let data = keys
        .iter()
        .map(|key| ((*key).to_owned(), std::fs::read(folder(key)).unwrap().into()));
    keyring.import(&data.collect(), Allowed::All).unwrap();
    keyring
}

async fn decrypt(name: &str, data: &[u8], keys: &[&str], mac: Mac) -> Result<Vec<u8>, Error> {
    let format = Format::of_path(name);
    let plain = file(&keyring(keys), data, (format, format), mac, name).await?;
    Ok(plain.to_vec())
}

const KEY: &[&str] = &["age.agekey"];
const ALL: &[&str] = &["age.agekey", "other.agekey", "../keys/pgp-curve.asc"];

/// Files for which sops itself computes another MAC than it wrote: comments in lists, `-0.0`.
const BROKEN_MAC: &str = "broken-mac-";

#[tokio::test]
async fn every_file_decrypts_to_what_sops_decrypts_it_to() {
    let mut wrong = Vec::new();
    for name in names() {
        let (data, expected) = (fixture(&name), plain_of(&name));
        let mac = if name.starts_with(BROKEN_MAC) {
            let refusal = decrypt(&name, &data, ALL, Mac::Verified).await.err();
            assert_eq!(refusal, Some(Error::Mac(name.clone())), "{name}");
            Mac::Ignored
        } else {
            Mac::Verified
        };
        match decrypt(&name, &data, ALL, mac).await {
            Ok(plain) if plain == expected => {}
            Ok(plain) => wrong.push(format!(
                "{name}:\n{}\ninstead of\n{}",
                String::from_utf8_lossy(&plain),
                String::from_utf8_lossy(&expected)
            )),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn a_mac_over_encrypted_values_only_is_that_of_sops_too() {
    let name = "mac-only.yaml";
    let plain = decrypt(name, &fixture(name), KEY, Mac::Verified).await.unwrap();
    assert_eq!(plain, plain_of("values.yaml"));
    // what is not encrypted may change then
    let edited = String::from_utf8(fixture(name))
        .unwrap()
        .replace("in clear", "edited");
    assert!(decrypt(name, edited.as_bytes(), KEY, Mac::Verified).await.is_ok());
}

#[tokio::test]
async fn an_edited_file_is_refused_unless_the_mac_is_ignored() {
    let name = "values.yaml";
    let edited = String::from_utf8(fixture(name))
        .unwrap()
        .replace("in clear", "edited");
    let refusal = decrypt(name, edited.as_bytes(), KEY, Mac::Verified)
        .await
        .unwrap_err();
    assert_eq!(refusal, Error::Mac(name.to_owned()));
    let plain = decrypt(name, edited.as_bytes(), KEY, Mac::Ignored).await.unwrap();
    assert!(
        String::from_utf8(plain)
            .unwrap()
            .contains("note_unencrypted: edited")
    );
}

#[tokio::test]
async fn a_key_of_somebody_else_decrypts_nothing_and_is_not_shown() {
    for keys in [&["other.agekey"][..], &[]] {
        let refusal = decrypt("values.yaml", &fixture("values.yaml"), keys, Mac::Ignored)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refusal.starts_with(
                "cannot get sops data key: Failed to get the data key required to decrypt the SOPS file."
            ),
            "{refusal}"
        );
        assert!(
            !refusal.contains("AGE-SECRET-KEY") && !refusal.contains("canary"),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_shared_key_needs_all_its_parts() {
    let name = "shamir-two.json";
    let both = decrypt(name, &fixture(name), ALL, Mac::Verified).await;
    assert_eq!(both.unwrap(), plain_of("values.json"));
    // as sops, which takes what it can get where the threshold is lost
    let text = String::from_utf8(fixture(name)).unwrap();
    let lost = text.replace("\"shamir_threshold\": 2,", "");
    assert_ne!(lost, text);
    let both = decrypt(name, lost.as_bytes(), ALL, Mac::Verified).await;
    assert_eq!(both.unwrap(), plain_of("values.json"));
    let refusal = decrypt(name, &fixture(name), KEY, Mac::Verified)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("Shamir threshold of 2, but only 1 part(s)"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_bit_that_was_changed_anywhere_in_an_age_file_is_noticed() {
    let text = String::from_utf8(fixture("values.json")).unwrap();
    let start = text.find("BEGIN AGE ENCRYPTED FILE-----\\n").unwrap() + 31;
    let end = text.find("\\n-----END AGE").unwrap();
    for at in (start..end).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        let byte = bytes.get_mut(at).unwrap();
        if !byte.is_ascii_alphanumeric() || text.get(at - 1..at) == Some("\\") {
            continue;
        }
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        let result = decrypt("values.json", &bytes, KEY, Mac::Verified).await;
        assert!(result.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn an_object_is_decrypted_whole_and_only_where_a_verified_file_vouches_for_it() {
    let sealed = parsed("secret.yaml");
    let (keyring, nobody) = (keyring(KEY), Vouched::default());
    let mut body = sealed.clone();
    assert!(object(&keyring, &mut body, &nobody, Mac::Verified).await.unwrap());
    assert_eq!(
        body,
        serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "encrypted", "namespace": "apps"},
            "stringData": {"password": "canary-object"}, "type": "Opaque"})
    );
    // a build changed it, and no file says that it may
    let mut renamed = sealed.clone();
    *renamed.pointer_mut("/metadata/name").unwrap() = "renamed".into();
    let refusal = object(&keyring, &mut renamed.clone(), &nobody, Mac::Verified)
        .await
        .unwrap_err();
    assert!(
        refusal.to_string().contains("the MAC does not match"),
        "{refusal}"
    );
    assert!(
        object(&keyring, &mut renamed, &nobody, Mac::Ignored)
            .await
            .unwrap()
    );
    // asked to stay as it is
    let mut disabled = sealed;
    let annotations = serde_json::json!({"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"});
    *disabled.pointer_mut("/metadata").unwrap() =
        serde_json::json!({"name": "x", "annotations": annotations});
    assert!(
        !object(&keyring, &mut disabled, &nobody, Mac::Verified)
            .await
            .unwrap()
    );
}

/// As Flux, which writes a decrypted object as JSON: a whole number has no fraction there, and an infinite one has no place.
#[tokio::test]
async fn numbers_of_an_object_are_those_that_json_has() {
    let (keyring, nobody) = (keyring(KEY), Vouched::default());
    let mut body = parsed("floats.yaml");
    assert!(object(&keyring, &mut body, &nobody, Mac::Ignored).await.unwrap());
    assert_eq!(body["spec"].to_string(), r#"{"replicas":3,"share":0.5}"#);
    let refusal = object(&keyring, &mut parsed("nan.yaml"), &nobody, Mac::Ignored)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refusal.contains("spec: share: JSON has no infinite numbers"),
        "{refusal}"
    );
}

/// The formats without types know no fractions of a second.
#[tokio::test]
async fn a_time_loses_its_fraction_where_sops_drops_it() {
    for (output, expected) in [
        (
            Format::Dotenv,
            "at=2001-12-14T21:59:43-05:00\nday=2020-01-01T00:00:00Z\n",
        ),
        (
            Format::Json,
            "{\n\t\"at\": \"2001-12-14T21:59:43.1-05:00\",\n\t\"day\": \"2020-01-01T00:00:00Z\"\n}\n",
        ),
    ] {
        let formats = (Format::Yaml, output);
        let plain = file(&keyring(KEY), &fixture("times.yaml"), formats, Mac::Verified, "a").await;
        assert_eq!(String::from_utf8_lossy(&plain.unwrap()), expected);
    }
}

/// Bases and components are followed into, and theirs; what nobody names stays as it is.
#[tokio::test]
async fn files_of_bases_and_components_are_decrypted_too() {
    let mut tree = MemoryTree::new();
    let mut add = |path: &str, content: &[u8]| tree.add_file(path, content.to_vec(), false).unwrap();
    add(
        "/app/kustomization.yaml",
        b"resources: [../base]\ncomponents: [component]\n",
    );
    add(
        "/app/component/kustomization.yaml",
        b"kind: Component\nsecretGenerator: [{name: a, envs: [a.env]}]\n",
    );
    add("/app/component/a.env", &fixture("generated.env"));
    add(
        "/base/kustomization.yml",
        b"resources: [../deep]\nsecretGenerator: [{name: b, files: [token=values.bin]}]\n",
    );
    add("/base/values.bin", &fixture("values.bin"));
    add("/deep/Kustomization", b"patches: [{path: patch.yaml}]\n");
    add("/deep/patch.yaml", &fixture("patch.yaml"));
    add("/deep/other.yaml", &fixture("patch.yaml"));
    let found = sources(&keyring(KEY), &tree, "/app", Mac::Verified)
        .await
        .unwrap();
    let expected = [
        ("/app/component/a.env", "generated.env"),
        ("/base/values.bin", "values.bin"),
        ("/deep/patch.yaml", "patch.yaml"),
    ];
    let paths: Vec<&str> = found.files.keys().map(String::as_str).collect();
    assert_eq!(paths, expected.map(|(path, _)| path));
    for (path, name) in expected {
        assert_eq!(found.files[path].to_vec(), plain_of(name), "{path}");
    }
}

/// Nothing would be decrypted, and what is not encrypted at all would be applied.
#[tokio::test]
async fn an_expression_that_cannot_be_read_is_told() {
    let name = "rules-encrypted-regex.yaml";
    let file = String::from_utf8(fixture(name)).unwrap();
    for (expression, why) in [
        (
            "^(?!data)",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?!`.",
        ),
        ("^(data", "error parsing regexp: missing closing ): `^(data`."),
    ] {
        let edited = file.replace("^(data|stringData)$", expression);
        assert_ne!(edited, file);
        let refusal = decrypt(name, edited.as_bytes(), KEY, Mac::Ignored)
            .await
            .unwrap_err();
        let refusal = refusal.to_string();
        let begins = "error decrypting sops tree: encrypted_regex '";
        assert!(refusal.starts_with(begins) && refusal.contains(why), "{refusal}");
    }
}

#[test]
fn plain_files_are_not_taken_for_encrypted_ones() {
    for name in names() {
        let format = Format::of_path(&name);
        assert!(format.is_in(&fixture(&name)), "{name}");
        // Flux's markers are texts: this one is the file of somebody who writes about them
        if name != "marker.txt" {
            assert!(Format::detect(&plain_of(&name)).is_none(), "{name}");
        }
    }
}
