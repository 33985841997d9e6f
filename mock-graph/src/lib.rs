//! A stateful stand-in for Entra ID and Microsoft Graph, as strict as they are. It knows nothing of any client.

pub mod api;
pub mod attacker;
pub mod conditional_access;
pub mod handlers;
pub mod odata;
pub mod sign_in;
pub mod tenant;
