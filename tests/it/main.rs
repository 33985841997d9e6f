#![cfg(test)]
//! The integration tests: the public face against the mock, in-process under paused time, and the binaries over
//! sockets where only sockets show it.

mod agreement;
mod alert;
mod apply;
mod approval;
mod approve;
mod as_me;
mod bad_input;
mod by_hand;
mod cli;
mod difference;
mod docs;
mod doctor;
mod drift;
mod dry_run;
mod eviction;
mod evidence;
mod faults;
mod guards;
mod hardening;
mod inert;
mod investigate;
mod methods;
mod order;
mod packaging;
mod pages;
mod passes;
mod persistence;
mod playbook_schema;
mod processes;
mod restore;
mod roles;
mod schemas;
mod score;
mod sealed;
mod secrets;
mod serving;
mod setup;
mod sign_in;
mod signing;
mod steps;
mod three_uses;
mod verification;
mod webhook;
mod world;
