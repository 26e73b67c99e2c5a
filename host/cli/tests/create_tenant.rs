//! `sluice create tenant`: what it prints, and what it makes on an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::create::exported;
use crate::support::Reached;
use expect_test::expect;
use sluice_testkit::world::text;

const ACCOUNT: (&str, &str) = ("v1", "ServiceAccount");
const BINDING: (&str, &str) = ("rbac.authorization.k8s.io/v1", "RoleBinding");

#[test]
fn tenants_are_printed_as_flux_prints_them() {
    exported(
        "tenant dev-team --with-namespace=apps --label=a=b",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Namespace
            metadata:
              labels:
                a: b
                toolkit.fluxcd.io/tenant: dev-team
              name: apps
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata:
              labels:
                a: b
                toolkit.fluxcd.io/tenant: dev-team
              name: dev-team
              namespace: apps
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata:
              labels:
                a: b
                toolkit.fluxcd.io/tenant: dev-team
              name: dev-team-reconciler
              namespace: apps
            roleRef:
              apiGroup: rbac.authorization.k8s.io
              kind: ClusterRole
              name: cluster-admin
            subjects:
            - apiGroup: rbac.authorization.k8s.io
              kind: User
              name: gotk:apps:reconciler
            - kind: ServiceAccount
              name: dev-team
              namespace: apps
        "#]],
    );
    exported(
        "tenant dev-team --with-namespace=apps --with-service-account=flux-tenant --cluster-role=edit --skip-namespace",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata:
              labels:
                toolkit.fluxcd.io/tenant: dev-team
              name: flux-tenant
              namespace: apps
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata:
              labels:
                toolkit.fluxcd.io/tenant: dev-team
              name: dev-team-reconciler
              namespace: apps
            roleRef:
              apiGroup: rbac.authorization.k8s.io
              kind: ClusterRole
              name: edit
            subjects:
            - apiGroup: rbac.authorization.k8s.io
              kind: User
              name: gotk:apps:reconciler
            - kind: ServiceAccount
              name: flux-tenant
              namespace: apps
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_made_and_given_another_role() {
    let reached = Reached::start().await;
    let world = &reached.world;
    let namespace = format!("--with-namespace={}", world.namespace);
    let create = ["create", "tenant", "dev", &namespace];
    let told = expect![[r#"
        ► applying namespace NS
        ► applying service account dev
        ► applying role binding dev-reconciler
        ✔ tenant setup completed
    "#]];
    let (code, said) = reached.sluice(&create);
    told.assert_eq(&said);
    assert_eq!(code, 0);
    let account = world.get(ACCOUNT, "dev").await.unwrap();
    let tenant = "/metadata/labels/toolkit.fluxcd.io~1tenant";
    assert_eq!(text(&account, tenant).as_deref(), Some("dev"));
    let binding = world.get(BINDING, "dev-reconciler").await.unwrap();
    assert_eq!(text(&binding, "/roleRef/name").as_deref(), Some("cluster-admin"));

    // what is as it should be is left alone
    let (code, said) = reached.sluice(&create);
    told.assert_eq(&said);
    assert_eq!(code, 0);
    let same = world.get(BINDING, "dev-reconciler").await.unwrap();
    assert_eq!(text(&same, "/metadata/uid"), text(&binding, "/metadata/uid"));

    let (code, said) = reached.sluice(&[&create[..], &["--cluster-role=edit"]].concat());
    assert_eq!(code, 0, "{said}");
    let other = world.get(BINDING, "dev-reconciler").await.unwrap();
    assert_eq!(text(&other, "/roleRef/name").as_deref(), Some("edit"));
    assert_ne!(text(&other, "/metadata/uid"), text(&binding, "/metadata/uid"));
}
