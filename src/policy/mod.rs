//! What a Conditional Access policy does to a sign-in, and the lint over those we write. Pure.

pub mod evaluate;
pub mod model;

pub use model::{
    Applications, ConditionalAccessPolicy, Conditions, GrantControls, IpRange, Locations, NamedLocation,
    Platforms, PolicyState, Users,
};
