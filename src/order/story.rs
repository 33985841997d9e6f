//! How an intruder gets back in, in words.

use super::intruder::{Credential, Move, Place, Way};
use super::position::{Position, Terrain};
use super::step::{OrderedStep, deciding};
use super::walk::Event;
use crate::case::Hold;

/// What happens one after the other, a sentence without full stop each, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What happens.
    pub lines: Vec<String>,
}

impl std::fmt::Display for Story {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbered: Vec<String> =
            self.lines.iter().enumerate().map(|(index, line)| format!("{}. {line}", index + 1)).collect();
        f.write_str(&numbered.join("; "))
    }
}

/// Tells what happened from a start on, leaving out the steps that changed nothing for the intruder.
pub(super) fn tell(steps: &[OrderedStep], events: &[Event], start: Position, terrain: Terrain) -> Story {
    let mut lines = Vec::new();
    let mut position = start;
    // The line in which the intruder's last session began.
    let mut session: Option<usize> = None;
    for event in events {
        match event {
            Event::Step(place) => {
                let Some(step) = steps.get(*place) else { continue };
                let (takes, gives) = (deciding(&step.takes), deciding(&step.gives));
                let next = position.after(takes, gives, terrain);
                if next != position {
                    let shut = takes.intersection(position.holds).iter().map(done);
                    let opened =
                        gives.iter().filter(|hold| !position.has(*hold)).map(|_| "opens the account");
                    let told: Vec<&str> = shut.chain(opened).collect();
                    lines.push(format!("`{}` {}", step.id, told.join(" and ")));
                }
                position = next;
            }
            Event::Move(own) => {
                lines.push(moved(*own, position, terrain));
                if *own == Move::SignIn {
                    session = Some(lines.len());
                }
                position = position.made(*own, terrain).unwrap_or(position);
            }
        }
    }
    lines.push(ending(position, terrain, session));
    Story { lines }
}

fn done(hold: Hold) -> &'static str {
    match hold {
        Hold::Session => "ends the sessions",
        Hold::AccessToken => "ends the access tokens",
        Hold::Password => "changes the password",
        Hold::Method => "removes the method",
        Hold::Pass => "deletes the pass",
        Hold::Consent => "revokes the consent",
        Hold::Device => "disables the device",
        Hold::Rule => "disables the inbox rule",
        Hold::Role => "takes the role",
        Hold::Account => "shuts the account",
        Hold::Admission => "blocks the account by a policy",
        Hold::Registration => "protects the security info",
        Hold::Network => "blocks the known addresses",
        Hold::AnyDevice => "asks for a compliant device",
    }
}

fn moved(own: Move, position: Position, terrain: Terrain) -> String {
    match own {
        Move::SignIn => {
            let with = position.credential(terrain).map_or("what is left", with);
            format!("the intruder signs in anew with {with}")
        }
        Move::ResetPassword => {
            "the intruder sets a password of their own, by self-service reset with the method".to_owned()
        }
        Move::RegisterMethod if position.has(Hold::Session) => {
            "the intruder registers a new method in the session that is still alive".to_owned()
        }
        Move::RegisterMethod => "the intruder signs in and registers a new method".to_owned(),
        Move::Consent => "the intruder consents to an app".to_owned(),
        Move::RegisterDevice => "the intruder registers a device".to_owned(),
        Move::MakeRule => "the intruder makes an inbox rule".to_owned(),
    }
}

fn with(credential: Credential) -> &'static str {
    match credential {
        Credential::PasswordAndMethod => "the password and the method",
        Credential::Method => "the method alone",
        Credential::Password => "the password",
        Credential::Pass => "the Temporary Access Pass",
        Credential::Device => "the registered device",
    }
}

fn ending(position: Position, terrain: Terrain, session: Option<usize>) -> String {
    let open = position.ways(terrain, Place::New);
    if open.contains(&Way::Session) {
        return match session {
            Some(line) => format!("nothing ends the session of {line}: it outlives the run"),
            None => "nothing ends the session: it outlives the run".to_owned(),
        };
    }
    let how = if open.contains(&Way::PasswordWithMethod) && position.has(Hold::Method) {
        "signs in with the password and the method: nothing takes them any more"
    } else if open.contains(&Way::Passwordless) && position.has(Hold::Method) {
        "signs in with the method: nothing takes it any more"
    } else if open.contains(&Way::Passwordless) {
        "signs in with the Temporary Access Pass: nothing takes it any more"
    } else if open.contains(&Way::PasswordAlone) {
        "signs in with the password: nothing takes it any more"
    } else if open.contains(&Way::AppConsent) {
        "goes on by the app that was consented to: nothing takes it any more"
    } else {
        "goes on by the registered device: nothing takes it any more"
    };
    format!("after the last step the intruder {how}")
}
