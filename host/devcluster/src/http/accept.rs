use crate::status::{Result, Status};

/// The form that a client asks objects in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Full,
    /// `PartialObjectMetadata`
    Metadata,
    Table,
}

/// Reads an `Accept` header.
pub(super) fn view(accept: &str) -> Result<View> {
    if accept.trim().is_empty() {
        return Ok(View::Full);
    }
    for clause in accept.split(',') {
        let mut parts = clause.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        if !matches!(media, "application/json" | "*/*" | "application/*") {
            continue;
        }
        let form = parts.find_map(|part| part.strip_prefix("as="));
        match form {
            None => return Ok(View::Full),
            Some("Table") if clause.contains("v=v1") && !clause.contains("v=v1beta1") => {
                return Ok(View::Table);
            }
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Ok(View::Metadata),
            // a form we do not have; the next clause may be plain
            Some(_) => {}
        }
    }
    if accept.contains("as=") {
        return Err(Status::new(
            406,
            "NotAcceptable",
            "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    Err(Status::not_acceptable())
}

/// Whether aggregated discovery is asked for.
pub(super) fn wants_aggregated(accept: &str) -> bool {
    accept.split(',').any(|clause| {
        clause.contains("g=apidiscovery.k8s.io")
            && clause.contains("v=v2")
            && !clause.contains("v=v2beta1")
            && clause.contains("application/json")
    })
}
