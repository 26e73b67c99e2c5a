//! Plans carried out by server-side apply.
