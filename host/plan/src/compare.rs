use crate::drift::is_drifted;
use crate::{Action, IgnoreRules};
use serde_json::Value;
use sluice_object::Object;

/// What the dry run of an object showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// `Created`, `Configured` or `Unchanged`.
    pub action: Action,
    /// What to send where something is to be done: the object, its ignored fields as [`IgnoreRules`] say.
    pub body: Value,
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
    let body = || Value::Object(desired.body().clone());
    let Some(live) = live else {
        return Compared {
            action: Action::Created,
            body: body(),
        };
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
        return Compared {
            action: Action::Unchanged,
            body: body(),
        };
    }
    Compared {
        action: Action::Configured,
        body: IgnoreRules::yielding(body(), live, dry_run, &paths),
    }
}

/// Whether a refusal means that the object cannot be changed in place. As in Flux, any conflict or invalid value counts:
/// `code` is that of the API's answer. The words count as they are: what `force` deletes there, and nothing else, goes here.
pub fn is_immutable(code: u16, message: &str) -> bool {
    matches!(code, 409 | 422) || message.contains("is immutable") || message.contains("immutable field")
}
