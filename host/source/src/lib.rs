//! Fetching: Git today.
