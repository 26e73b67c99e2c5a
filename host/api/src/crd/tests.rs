use serde_json::Value;

#[test]
fn there_are_seven() {
    assert_eq!(super::all().len(), 7);
    assert!(super::definition("Kustomization").is_some());
    let _: &Value = &super::all()[0];
}
