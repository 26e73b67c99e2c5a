//! Health of objects by kstatus rules and expressions.
