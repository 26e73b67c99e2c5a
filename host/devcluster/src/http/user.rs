use http::HeaderMap;

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) uid: String,
    pub(crate) extra: Vec<(String, String)>,
    /// Who asked on this user's behalf, if anybody did.
    pub(crate) impersonator: Option<String>,
}

impl User {
    /// The one who holds the server's token.
    pub(crate) fn admin() -> Self {
        Self {
            name: "kubernetes-admin".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
            ..Self::default()
        }
    }

    /// The user that the impersonation headers name, or this one.
    pub(crate) fn impersonated(self, headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let name = text("impersonate-user");
        if name.is_empty() {
            return self;
        }
        let groups = headers
            .get_all("impersonate-group")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut groups: Vec<String> = groups.map(str::to_owned).collect();
        if let Some(account) = name.strip_prefix("system:serviceaccount:")
            && groups.is_empty()
        {
            let namespace = account.split(':').next().unwrap_or_default();
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{namespace}"));
        }
        if !groups.iter().any(|group| group == "system:authenticated") && name != "system:anonymous" {
            groups.push("system:authenticated".to_owned());
        }
        let extra = headers.iter().filter_map(|(header, value)| {
            let key = header.as_str().strip_prefix("impersonate-extra-")?;
            Some((key.to_owned(), value.to_str().ok()?.to_owned()))
        });
        Self {
            name,
            groups,
            uid: text("impersonate-uid"),
            extra: extra.collect(),
            impersonator: Some(self.name),
        }
    }
}
