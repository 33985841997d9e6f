#![cfg(test)]
//! The mock over its router: as strict as Graph where a client could get it wrong.

mod control;
mod directory;
mod faults;
mod generate;
mod limits;
mod objects;
mod permissions;
mod registrations;
mod sdk;
mod sign_in;
mod wire;
