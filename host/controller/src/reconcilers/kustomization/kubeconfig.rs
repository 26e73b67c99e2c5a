//! A kubeconfig that somebody else wrote: what of it is taken, and what is refused (compat/kustomize.md 10).
//!
//! **Invariant:** no program is started and no file read for a kubeconfig, whatever it says.
//! **Invariant:** TLS is verified unless the administrator allowed otherwise; a kubeconfig alone cannot switch it off.
//! **Invariant:** a kubeconfig impersonates nobody; that is for `serviceAccountName`, which is checked.

use kube::config::{AuthInfo, Cluster, Kubeconfig, NamedAuthInfo, NamedCluster};
use sluice_api::is_node_service;

/// What an administrator allows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowances {
    /// `--insecure-kubeconfig-tls`.
    pub(super) insecure_tls: bool,
}

/// The context in use and nothing beside it, with only what may be used.
///
/// # Errors
/// What is refused, by its field, and what to do instead. Never with a credential.
pub(super) fn sanitized(text: &str, allowed: Allowances) -> Result<Kubeconfig, String> {
    // the text of the error may quote the file
    let config =
        Kubeconfig::from_yaml(text).map_err(|_| "the kubeconfig is no YAML of a Config".to_owned())?;
    self_contained(&config)?;
    let wanted = config.current_context.clone().unwrap_or_default();
    let context = config
        .contexts
        .iter()
        .find(|context| context.name == wanted)
        .and_then(|named| named.context.clone())
        .ok_or_else(|| format!("current-context '{wanted}' names no context of the kubeconfig"))?;
    let cluster = config
        .clusters
        .iter()
        .find(|cluster| cluster.name == context.cluster)
        .and_then(|named| named.cluster.clone())
        .ok_or_else(|| {
            format!(
                "the context names cluster '{}', which is not there",
                context.cluster
            )
        })?;
    let user_name = context.user.clone().unwrap_or_default();
    let user = config.auth_infos.iter().find(|user| user.name == user_name);
    let user = user.and_then(|named| named.auth_info.clone()).unwrap_or_default();
    Ok(Kubeconfig {
        current_context: Some(wanted.clone()),
        clusters: vec![NamedCluster {
            name: context.cluster.clone(),
            cluster: Some(clean_cluster(cluster, allowed)?),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: user_name,
            auth_info: Some(clean_user(user)?),
            ..NamedAuthInfo::default()
        }],
        contexts: config
            .contexts
            .into_iter()
            .filter(|context| context.name == wanted)
            .collect(),
        ..Kubeconfig::default()
    })
}

/// No entry, in use or not, names a file: it would be one of the controller. In Flux's words.
fn self_contained(config: &Kubeconfig) -> Result<(), String> {
    let is_named = |path: &Option<String>| path.as_deref().is_some_and(|path| !path.is_empty());
    for named in &config.clusters {
        let file = named
            .cluster
            .as_ref()
            .map(|cluster| &cluster.certificate_authority);
        if file.is_some_and(is_named) {
            return Err(format!(
                "cluster '{}' references a certificate-authority file, only certificate-authority-data is supported",
                named.name
            ));
        }
    }
    for named in &config.auth_infos {
        let Some(user) = &named.auth_info else { continue };
        let files = [
            (&user.token_file, "tokenFile", "an inline token"),
            (
                &user.client_certificate,
                "client-certificate file",
                "client-certificate-data",
            ),
            (&user.client_key, "client-key file", "client-key-data"),
        ];
        if let Some((_, file, instead)) = files.into_iter().find(|(path, ..)| is_named(path)) {
            return Err(format!(
                "user '{}' references a {file}, only {instead} is supported",
                named.name
            ));
        }
    }
    Ok(())
}

fn refused(field: &str, why: &str) -> String {
    format!("the kubeconfig field '{field}' is refused: {why}")
}

fn clean_cluster(cluster: Cluster, allowed: Allowances) -> Result<Cluster, String> {
    let server = cluster.server.clone().unwrap_or_default();
    address("server", &server)?;
    if let Some(proxy) = &cluster.proxy_url {
        address("proxy-url", proxy)?;
    }
    let is_insecure = cluster.insecure_skip_tls_verify == Some(true);
    if is_insecure && !allowed.insecure_tls {
        return Err(refused(
            "insecure-skip-tls-verify",
            "whoever sits between could read and change everything; give certificate-authority-data, or allow it with \
             --insecure-kubeconfig-tls",
        ));
    }
    Ok(Cluster {
        server: Some(server),
        certificate_authority_data: cluster.certificate_authority_data,
        proxy_url: cluster.proxy_url,
        tls_server_name: cluster.tls_server_name,
        insecure_skip_tls_verify: is_insecure.then_some(true),
        ..Cluster::default()
    })
}

fn clean_user(user: AuthInfo) -> Result<AuthInfo, String> {
    if user.exec.is_some() {
        return Err(refused(
            "exec",
            "it names a program, and none is ever started, with --insecure-kubeconfig-exec neither; give a token or a client \
             certificate",
        ));
    }
    if user.auth_provider.is_some() {
        return Err(refused(
            "auth-provider",
            "it names a plugin; give a token or a client certificate",
        ));
    }
    if user.impersonate.is_some() || user.impersonate_groups.is_some() {
        return Err(refused("as", "name the account in spec.serviceAccountName"));
    }
    Ok(AuthInfo {
        username: user.username,
        password: user.password,
        token: user.token,
        client_certificate_data: user.client_certificate_data,
        client_key_data: user.client_key_data,
        ..AuthInfo::default()
    })
}

/// An address of a kubeconfig: HTTP, no user in it, none of the node's own services.
fn address(field: &str, text: &str) -> Result<(), String> {
    let url: http::Uri = text.parse().map_err(|_| refused(field, "it is no URL"))?;
    if !matches!(url.scheme_str(), Some("https" | "http")) {
        return Err(refused(field, "it is neither https nor http"));
    }
    let authority = url.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(refused(field, "it has a user in it"));
    }
    if is_node_service(url.host().unwrap_or_default()) {
        return Err(refused(
            field,
            "it is the address of a service of the node itself",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
