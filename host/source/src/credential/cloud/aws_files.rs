//! The files that `aws configure` writes: keys by profile (AWS SDKs and Tools Reference Guide, shared config and credentials
//! files).

use std::{collections::BTreeMap, io::ErrorKind, path::PathBuf};

use sluice_event::Redacted;

use super::{CloudEnvironment, Key};
use crate::credential::Error;

/// Where they are, and which profile is meant.
#[derive(Clone, Debug, Default)]
pub struct AwsFiles {
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub credentials: Option<PathBuf>,
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub config: Option<PathBuf>,
    /// `AWS_PROFILE`; `default` where none is named.
    pub profile: Option<String>,
}

/// What else a profile may say of who one is.
const OTHERS: [&str; 5] = [
    "role_arn",
    "credential_process",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

type Profile = BTreeMap<String, String>;

/// The key of the profile; none where nothing is said of one that nobody named.
pub(super) async fn key(environment: &CloudEnvironment) -> Result<Option<Key>, Error> {
    let files = &environment.aws_files;
    let name = files.profile.as_deref().unwrap_or("default");
    let mut profile = Profile::new();
    // what both say, the credentials say better
    for (file, prefix) in [(&files.config, "profile "), (&files.credentials, "")] {
        let Some(path) = file else { continue };
        let text = match tokio::fs::read_to_string(path).await {
            Ok(text) => text,
            // a home of somebody else, or one that is no directory, is one without them
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
                ) =>
            {
                continue;
            }
            Err(error) => return Err(Error(format!("{}: {error}", path.display()))),
        };
        let section = match name {
            "default" => name.to_owned(),
            _ => format!("{prefix}{name}"),
        };
        profile.extend(section_of(&text, &section));
    }
    let mut take = |key: &str| profile.remove(key).filter(|value| !value.is_empty());
    let given = take("aws_access_key_id").zip(take("aws_secret_access_key"));
    if let Some((id, secret)) = given {
        let token = take("aws_session_token").map(Redacted::new);
        let secret = Redacted::new(secret);
        return Ok(Some(Key { id, secret, token }));
    }
    let advice = "run `aws configure export-credentials --format env` and set what it prints";
    if let Some(other) = OTHERS.iter().find(|other| profile.contains_key(**other)) {
        return Err(Error(format!(
            "profile '{name}' of Amazon's files says {other}, which is not supported: {advice}"
        )));
    }
    match &files.profile {
        Some(name) => Err(Error(format!(
            "profile '{name}', which AWS_PROFILE names, has no key in Amazon's files: {advice}"
        ))),
        None => Ok(None),
    }
}

/// The settings of a section, without those that are nested in others.
fn section_of(text: &str, wanted: &str) -> Profile {
    let mut is_in = false;
    let mut found = Profile::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_in = name.split_whitespace().eq(wanted.split_whitespace());
        } else if is_in
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            found.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_profile_has_a_key_or_says_what_it_has_instead() {
        let home = tempfile::tempdir().unwrap();
        let (credentials, config) = (home.path().join("credentials"), home.path().join("config"));
        let secrets = "# mine\n[default]\naws_access_key_id = AKID\nAWS_SECRET_ACCESS_KEY=a=b\n[work]\naws_access_key_id=W\naws_secret_access_key=w\naws_session_token = t\n";
        std::fs::write(&credentials, secrets).unwrap();
        let settings = "[default]\nregion = eu-west-1\ns3 =\n  aws_access_key_id = nested\n[profile work]\naws_access_key_id = older\n[profile sso]\nsso_session = x\n[profile empty]\nregion=x\n";
        std::fs::write(&config, settings).unwrap();
        let ask = async |profile: Option<&str>| {
            let aws_files = AwsFiles {
                credentials: Some(credentials.clone()),
                config: Some(config.clone()),
                profile: profile.map(str::to_owned),
            };
            let environment = CloudEnvironment {
                aws_files,
                ..CloudEnvironment::default()
            };
            let key = key(&environment).await.map_err(|error| error.0)?;
            let shown = |key: Key| {
                let token = key.token.map(|token| token.reveal().to_owned());
                (key.id, key.secret.reveal().to_owned(), token)
            };
            Ok::<_, String>(key.map(shown))
        };
        let default = Some(("AKID".to_owned(), "a=b".to_owned(), None));
        assert_eq!(ask(None).await, Ok(default.clone()));
        assert_eq!(ask(Some("default")).await, Ok(default));
        let work = ("W".to_owned(), "w".to_owned(), Some("t".to_owned()));
        assert_eq!(ask(Some("work")).await, Ok(Some(work)));
        for (profile, expected) in [
            ("sso", "profile 'sso' of Amazon's files says sso_session"),
            ("empty", "profile 'empty', which AWS_PROFILE names, has no key"),
            ("none", "profile 'none', which AWS_PROFILE names, has no key"),
        ] {
            let error = ask(Some(profile)).await.unwrap_err();
            assert!(error.starts_with(expected), "{error}");
            assert!(error.contains("aws configure export-credentials"), "{error}");
        }
        std::fs::remove_file(&credentials).unwrap();
        assert_eq!(ask(None).await, Ok(None), "nothing is said of a key");
        let home = CloudEnvironment::read(|name| (name == "HOME").then(|| "/dev/null".to_owned()));
        assert!(key(&home).await.is_ok_and(|key| key.is_none()), "no directory");
    }
}
