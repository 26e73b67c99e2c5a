//! `lookup` asks the cluster as whoever the host says, and takes no for an answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{cell::RefCell, rc::Rc};

use sluice_plugin_helm::{
    Error, Map, Value,
    functions::{self, Environment, Lookup, Timestamp},
    template::{MissingKey, Render, Set},
};

/// A cluster that a tenant may read in its own namespace, and what it was asked.
struct Tenant(Rc<RefCell<Vec<String>>>);

impl Lookup for Tenant {
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, Error> {
        self.0
            .borrow_mut()
            .push(format!("{api_version} {kind} {namespace}/{name}"));
        match namespace {
            "apps" => Ok(Value::Map([("found", name)].into_iter().collect())),
            _ => Err(Error::new(format!(
                "secrets is forbidden: User \"system:serviceaccount:apps:tenant\" cannot list resource \"secrets\" in the namespace {namespace:?}"
            ))),
        }
    }
}

fn render(source: &str, cluster: Option<Tenant>) -> Result<String, Error> {
    let mut environment = Environment::new(Timestamp::default(), [0; 32]);
    environment.cluster = cluster.map(|cluster| Box::new(cluster) as Box<dyn Lookup>);
    let mut set = Set::default();
    set.add("web/templates/a.yaml", source, functions::all())?;
    let render = Render::new(&set, functions::all(), &environment, MissingKey::Zero);
    let text = render.execute("web/templates/a.yaml", &Value::Map(Map::new()))?;
    Ok(String::from_utf8(text).unwrap())
}

/// N20.
#[test]
fn without_an_identity_nothing_is_found() {
    let source = r#"{{ lookup "v1" "Secret" "kube-system" "" | toJson }}"#;
    assert_eq!(render(source, None).unwrap(), "{}");
}

/// N20.
#[test]
fn what_the_tenant_may_not_read_fails_the_render() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let tenant = || Some(Tenant(Rc::clone(&asked)));
    let own = r#"{{ (lookup "v1" "Secret" "apps" "mine").found }}"#;
    assert_eq!(render(own, tenant()).unwrap(), "mine");
    // neither `default` nor `if` hides it
    let other = r#"{{ if lookup "v1" "Secret" "kube-system" "" }}{{ end }}{{ "rendered" | default "" }}"#;
    let error = render(other, tenant()).unwrap_err().to_string();
    assert!(
        error.contains(
            "error calling lookup: secrets is forbidden: User \"system:serviceaccount:apps:tenant\""
        ),
        "{error}"
    );
    assert_eq!(*asked.borrow(), ["v1 Secret apps/mine", "v1 Secret kube-system/"]);
}
