use crate::drift::is_drifted;
use crate::{Action, IgnoreRules};
use serde_json::Value;
use sluice_object::Object;

/// What the dry run of an object showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// `Created`, `Configured` or `Unchanged`.
    pub action: Action,
    /// What to send in the place of the object, where ignored fields of it yield as [`IgnoreRules`] say.
    pub body: Option<Value>,
}

/// Compares what is there with what a dry run says would be. `is_taken_over`: fields of others were or will be taken
/// over, so that the object is applied in any case.
pub fn compare(
    desired: &Object,
    live: Option<&Value>,
    dry_run: &Value,
    ignore: &IgnoreRules,
    is_taken_over: bool,
) -> Compared {
    let as_it_is = |action| Compared { action, body: None };
    let Some(live) = live else {
        return as_it_is(Action::Created);
    };
    let paths = ignore.paths_for(dry_run);
    let drifted = if paths.is_empty() {
        is_drifted(live, dry_run)
    } else {
        is_drifted(
            &IgnoreRules::without(live, &paths),
            &IgnoreRules::without(dry_run, &paths),
        )
    };
    if !drifted && !is_taken_over {
        return as_it_is(Action::Unchanged);
    }
    if paths.is_empty() {
        return as_it_is(Action::Configured);
    }
    let body = Value::Object(desired.body().clone());
    Compared {
        action: Action::Configured,
        body: Some(IgnoreRules::yielding(body, live, dry_run, &paths)),
    }
}

/// Reasons that mean something else than a conflict or an invalid value, whatever code comes with them.
const OTHER_REASONS: [&str; 17] = [
    "AlreadyExists",
    "BadRequest",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "RequestEntityTooLarge",
    "ServerTimeout",
    "ServiceUnavailable",
    "StorageReadError",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
];

/// Whether a refusal means that the object cannot be changed in place. As in Flux, any conflict or invalid value counts: by the
/// reason of the API's answer, and by its code where the reason is none of Kubernetes'. The words count as they are: what `force`
/// deletes there, and nothing else, goes here.
pub fn is_immutable(code: u16, reason: &str, message: &str) -> bool {
    let is_unusable = match reason {
        "Conflict" | "Invalid" => true,
        reason => !OTHER_REASONS.contains(&reason) && matches!(code, 409 | 422),
    };
    let says = |message: &str| message.contains("is immutable") || message.contains("immutable field");
    is_unusable || says(&message.replace(|letter: char| letter.is_ascii_whitespace(), " "))
}
