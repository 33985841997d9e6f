//! Order is security: a playbook whose last revocation is not after every door leaves a way back in.

mod last_revocation;

pub use last_revocation::{OrderError, OrderedStep, check};
