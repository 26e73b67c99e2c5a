use crate::Health;
use crate::look::condition;
use serde_json::Value;

pub(super) fn custom_resource_definition(object: &Value) -> Health {
    if let Some(names) = condition(object, "NamesAccepted").filter(|names| names.status == "False") {
        return Health::failed(names.message);
    }
    match condition(object, "Established") {
        Some(established) if established.is_true() => Health::current("CRD is established"),
        Some(established) if established.status == "False" && established.reason != "Installing" => {
            Health::failed(established.message)
        }
        _ => Health::in_progress("Install in progress"),
    }
}
