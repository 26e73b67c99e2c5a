use super::*;
use expect_test::expect;
use serde_json::json;

fn preview_of(action: Action, live: Option<Value>, desired: Option<Value>) -> Preview {
    let object = live.as_ref().or(desired.as_ref()).unwrap().clone();
    Preview {
        id: Object::new(object).unwrap().id().clone(),
        action,
        live,
        desired,
    }
}

fn secret(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "a"}, "data": {"password": value}})
}

#[test]
fn a_plan_reads_well_and_shows_no_secret() {
    let config = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "a"}, "data": {"k": value}});
    let previews = [
        preview_of(Action::Created, None, Some(secret("Y2FuYXJ5LW5ldw=="))),
        preview_of(Action::Configured, Some(config("1")), Some(config("2"))),
        preview_of(
            Action::Configured,
            Some(secret("Y2FuYXJ5LW9sZA==")),
            Some(secret("Y2FuYXJ5LW5ldw==")),
        ),
        preview_of(Action::Unchanged, Some(config("1")), Some(config("1"))),
        preview_of(Action::Deleted, Some(secret("Y2FuYXJ5")), None),
    ];
    let text = shown(&previews, &Colors { is_on: false });
    expect![[r#"
        ► Secret/a/s created
        ► ConfigMap/a/c drifted
          @@ -1,6 +1,6 @@
           apiVersion: v1
           data:
          -  k: "1"
          +  k: "2"
           kind: ConfigMap
           metadata:
             name: c
        ► Secret/a/s drifted
          @@ -1,6 +1,6 @@
           apiVersion: v1
           data:
          -  password: '***** (before)'
          +  password: '***** (after)'
           kind: Secret
           metadata:
             name: s
        ► Secret/a/s deleted
    "#]]
    .assert_eq(&text);
    assert!(!shown(&previews, &Colors { is_on: true }).contains("Y2FuYXJ5"));
}

#[test]
fn colours_are_for_terminals() {
    assert_eq!(Colors { is_on: false }.paint("32", "x"), "x");
    assert_eq!(Colors { is_on: true }.paint("32", "x"), "\u{1b}[32mx\u{1b}[0m");
    assert!(!Colors::of(false).is_on);
}

#[test]
fn what_is_encrypted_is_left_to_the_controller() {
    let object = |value: Value| Object::new(value).unwrap();
    assert!(!is_encrypted(&object(secret("cGxhaW4="))));
    // data: ENC[AES256_GCM,...
    assert!(is_encrypted(&object(secret(
        "ZGF0YTogRU5DW0FFUzI1Nl9HQ00sZGF0YTp4"
    ))));
    let whole =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "sops": {"mac": "ENC[x]"}});
    assert!(is_encrypted(&object(whole)));
}
