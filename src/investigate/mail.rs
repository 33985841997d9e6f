//! What was sent in the user's name from the intruder's addresses: the list that a fraud desk calls.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::case::{Look, SentMail, Subject};
use crate::graph::{GraphError, GraphUser, MessageTrace, Reader, look};

/// Addresses of one user that are asked about at most: each is a question for every ten days.
const MOST_SENDERS: usize = 10;

/// What was sent in a user's name, as far as it was asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub traces: Vec<MessageTrace>,
    /// What is to be said of what was not asked about.
    pub notes: Vec<String>,
}

/// Reads what was sent in a user's name.
///
/// # Errors
/// When Graph does not answer.
pub(super) async fn read_mail(
    reader: &Reader,
    subject: &Subject,
    from: Timestamp,
    to: Timestamp,
) -> Result<Look<Sent>, GraphError> {
    let mut sent = Sent::default();
    let user = match look(reader.user(subject.id.as_str()).await)? {
        Look::Read(user) => user,
        Look::Unread { why } => {
            let upn = &subject.upn;
            sent.notes.push(format!(
                "which other addresses the user sends by was not read, so mail is told of {upn} alone: {why}"
            ));
            None
        }
    };
    let senders = senders(subject.upn.as_str(), user.as_ref());
    if let Some(left) = senders.get(MOST_SENDERS..).filter(|left| !left.is_empty()) {
        sent.notes.push(format!(
            "the user has {} addresses; what was sent by these was not asked for: {}",
            senders.len(),
            left.join(", ")
        ));
    }
    for sender in senders.iter().take(MOST_SENDERS) {
        match look(reader.message_traces(sender, from, to).await)? {
            Look::Read(more) => sent.traces.extend(more),
            Look::Unread { why } => return Ok(Look::Unread { why }),
        }
    }
    Ok(Look::Read(sent))
}

/// The addresses that a user sends by, the likeliest first: the name that they sign in by, the main address, the others.
fn senders(upn: &str, user: Option<&GraphUser>) -> Vec<String> {
    let mut others: Vec<&str> = user
        .iter()
        .flat_map(|user| &user.proxy_addresses)
        .filter_map(|text| text.split_once(':'))
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp"))
        .map(|(_, address)| address)
        .collect();
    others.sort_unstable();
    let mail = user.and_then(|user| user.mail.as_deref());
    let mut senders: Vec<String> = Vec::new();
    for address in std::iter::once(upn).chain(mail).chain(others).map(str::to_lowercase) {
        if !senders.contains(&address) {
            senders.push(address);
        }
    }
    senders
}

/// Judges the traces: those from the intruder's addresses, each with whether it stayed in the company.
pub fn judge_mail(
    traces: &[MessageTrace],
    addresses: &[IpAddr],
    domains: &Look<Vec<String>>,
) -> Vec<SentMail> {
    let mut found: Vec<SentMail> = traces
        .iter()
        .filter(|trace| {
            trace.from_ip.trim().parse::<IpAddr>().is_ok_and(|from| addresses.contains(&from.to_canonical()))
        })
        .map(|trace| SentMail {
            id: trace.id.clone(),
            at: trace.at,
            sender: trace.sender.clone(),
            recipient: trace.recipient.clone(),
            inside: domains.as_ref().map(|domains| is_inside(&trace.recipient, domains)),
            subject: trace.subject.clone(),
            from_ip: trace.from_ip.clone(),
            status: trace.status.clone(),
        })
        .collect();
    found.sort_by(|left, right| (left.at, &left.recipient).cmp(&(right.at, &right.recipient)));
    found
}

fn is_inside(recipient: &str, domains: &[String]) -> bool {
    let domain = recipient.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_from_the_intruders_addresses_is_told_by_whether_it_left_the_company() {
        let trace = |recipient: &str, from_ip: &str| MessageTrace {
            id: "1".to_owned(),
            at: "2026-03-01T00:00:00Z".parse().unwrap(),
            sender: "lynne.robbins@contoso.com".to_owned(),
            recipient: recipient.to_owned(),
            subject: "=1+1 \u{202e}".to_owned(),
            from_ip: from_ip.to_owned(),
            status: "delivered".to_owned(),
        };
        let traces = [
            trace("miriam@CONTOSO.com", "89.187.164.77"),
            trace("ap@fabrikam.com", "89.187.164.77"),
            trace("ap@notcontoso.com", ""),
            trace("ap@fabrikam.com", "203.0.113.1"),
        ];
        let addresses = ["89.187.164.77".parse().unwrap()];
        let domains = Look::Read(vec!["contoso.com".to_owned()]);
        let found = judge_mail(&traces, &addresses, &domains);
        let told: Vec<_> = found.iter().map(|own| (own.recipient.as_str(), own.inside.clone())).collect();
        assert_eq!(told, [("ap@fabrikam.com", Look::Read(false)), ("miriam@CONTOSO.com", Look::Read(true))]);
        let unread = Look::Unread { why: "403".to_owned() };
        assert!(judge_mail(&traces, &addresses, &unread).iter().all(|own| own.inside.unread().is_some()));
    }
}
