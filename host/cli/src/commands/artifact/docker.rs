//! What this machine's user is known as at registries: Docker's configuration, and the programs that it leaves credentials to.
//! Those are started as `docker` starts them, for the command line alone; the controller starts no program.

use anyhow::{Context as _, Result, bail, ensure};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use sluice_source::credential::Error;
use sluice_source::{CredentialSource, Credentials, DockerConfig, Keychain};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The user's configuration; a registry that it does not know is asked without credentials.
#[derive(Debug)]
pub(super) struct Docker {
    config: DockerConfig,
    keychain: Keychain,
}

impl Docker {
    /// The one of `DOCKER_CONFIG`, or of the home directory.
    pub(super) fn read() -> Result<Self> {
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
        let config = match folder.map(|folder| folder.join("config.json")) {
            None => DockerConfig::default(),
            Some(file) => match std::fs::read(&file) {
                Ok(json) => {
                    DockerConfig::parse(&json).with_context(|| format!("cannot use {}", file.display()))?
                }
                Err(error) if error.kind() == ErrorKind::NotFound => DockerConfig::default(),
                Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
            },
        };
        Ok(Self {
            keychain: Keychain::new(vec![config.clone()]),
            config,
        })
    }
}

impl CredentialSource for Docker {
    fn credentials<'a>(&'a self, repository: &'a str) -> BoxFuture<'a, Result<Credentials, Error>> {
        async move {
            let host = repository.split('/').next().unwrap_or_default();
            if let Some(helper) = self.config.helper(host) {
                let (helper, host) = (helper.to_owned(), host.to_owned());
                let asked = tokio::task::spawn_blocking(move || ask(&helper, &host)).await;
                let answer = asked.map_err(|error| Error(crate::tell::whole(&error)))?;
                let answer = answer.map_err(|error| Error(crate::tell::whole(error.as_ref())))?;
                if let Some(credentials) = answer {
                    return Ok(credentials);
                }
            }
            self.keychain.credentials(repository).await
        }
        .boxed()
    }

    fn identity(&self) -> [u8; 32] {
        self.keychain.identity()
    }
}

/// What a helper answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks `docker-credential-NAME` for what it keeps for a registry; none where it knows nothing of it.
fn ask(name: &str, host: &str) -> Result<Option<Credentials>> {
    let program = format!("docker-credential-{name}");
    ensure!(
        !name.contains(['/', '\\']),
        "the docker config names the credential helper {program:?}, which is a path: give its name"
    );
    let server = match host {
        "index.docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    let mut helper = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!("the credential helper {program} of the docker config (install it, or use --creds)")
        })?;
    if let Some(mut input) = helper.stdin.take() {
        // one that does not listen says why by its status
        let _unheard = input.write_all(server.as_bytes());
    }
    let output = helper.wait_with_output().with_context(|| program.clone())?;
    if !output.status.success() {
        // helpers say on standard output what is wrong
        let said = String::from_utf8_lossy(&output.stdout);
        let said = said.trim();
        if said.contains("credentials not found") {
            return Ok(None);
        }
        bail!(
            "the credential helper {program} has nothing for {server}: {said} ({})",
            output.status
        );
    }
    // the text of an error may quote the answer
    let Ok(answer) = serde_json::from_slice::<Answer>(&output.stdout) else {
        bail!("the credential helper {program} gave no answer that can be read");
    };
    Ok(match (answer.username.as_str(), answer.secret.as_str()) {
        ("", "") => None,
        ("<token>", _) => Some(Credentials::Refresh(answer.secret.into())),
        _ => Some(Credentials::Basic {
            username: answer.username,
            password: answer.secret.into(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_that_is_no_name_or_not_there_is_named() {
        for (name, words) in [
            ("../evil", "which is a path"),
            (
                "that-nobody-has",
                "docker-credential-that-nobody-has of the docker config",
            ),
        ] {
            let told = ask(name, "registry.example").unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
