//! The corridor: one reconciler a kind.
