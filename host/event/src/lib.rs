//! Every happening as one type.
