//! Desired times live times inventory: the plan.
