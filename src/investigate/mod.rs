//! Evidence: what the intruder's sign-ins are, and whose each method is. One file per finder; each pure, over what
//! `gather` has read.

mod agent;
mod connection;
pub mod consents;
mod describe;
pub mod devices;
mod gather;
mod guesses;
mod hints;
pub mod inbox_rules;
mod known_app;
mod left_behind;
mod mail;
mod methods;
mod neighbourhood;
pub mod passes;
mod password;
mod past;
mod phone_app;
mod ranges;
mod reach;
mod risk;
pub mod roles;
mod seen_again;
mod sign_in_file;
mod sign_ins;
mod signals;
mod strand;
mod travel;
mod user_details;
mod whole;
mod whose;

pub use gather::{Ask, Found, InvestigateError, Read, examine, gather};
pub use guesses::{Tried, tried_among};
pub use hints::{Borne, Confirmed, confirm, is_plausible};
pub use left_behind::left_behind;
pub use mail::judge_mail;
pub use methods::{Grounds, judge};
pub use neighbourhood::{count_others, judge_addresses, judge_others, read_neighbourhood};
pub use password::{PasswordChange, judge_password_change};
pub use ranges::{Crowd, crowds, is_users_too};
pub use seen_again::{SeenAgain, seen_again};
pub use sign_in_file::{SignInFile, SignInFileError, read_sign_in_file};
pub use sign_ins::{Clues, IntruderSignIns, find_intruder};
pub use whole::{intruder_addresses, intruder_sessions, investigate};
