//! The password that a person resets, written back to the company's own directory where the account is mastered there:
//! accepted at once, done later (identity.md 3.3, 3.4).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::directory_audit;
use super::lookup::{find_user, is_true, set_user, text};
use super::methods::{SERVICE, refused};
use super::privilege::is_restricted;
use super::user_changes::is_weak;
use crate::api::{Call, Fail, Reply};
use crate::routes::Service;
use crate::tenant::{PasswordOperation, PasswordWriteback, Tenant};

/// The password method's id, the same for everyone.
const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";
/// How long the way to the company's own directory and back takes.
const WRITEBACK: Duration = Duration::from_secs(12);
/// What the answer asks to wait between polls, in seconds.
const RETRY_AFTER: &str = "10";

impl PasswordOperation {
    /// Whether it is to end by now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.has_ended && self.ends_at.is_some_and(|ends| ends <= now)
    }
}

/// `POST /users/{id}/authentication/methods/28c10230-…/resetPassword`
///
/// # Errors
/// The refusals of identity.md 3.3 and 3.4.
pub fn reset(tenant: &mut Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = find_user(tenant, call.segment(0))?.clone();
    let method = call.segment(1);
    if !method.eq_ignore_ascii_case(PASSWORD_METHOD) {
        return Err(Service::AuthenticationMethods.missing(method));
    }
    if is_restricted(tenant, &call.caller, &user) {
        return Err(Service::AuthenticationMethods.forbidden(""));
    }
    let is_synced = is_true(&user, "onPremisesSyncEnabled");
    let mode = tenant.tenant.password_writeback;
    if is_synced && mode == PasswordWriteback::Off {
        return Err(refused("Password writeback is not enabled for this tenant."));
    }
    let given = call.body.get("newPassword").and_then(Value::as_str);
    if given.is_none() && (is_synced || mode != PasswordWriteback::Off) {
        return Err(refused("The property 'newPassword' is required."));
    }
    let generated = format!("Fuji{}", call.new_id.get(..6).unwrap_or("447100"));
    let password = given.unwrap_or(&generated).to_owned();
    if given.is_some() && is_weak(&user, &password) {
        return Err(refused("The password does not comply with the password policy."));
    }
    let id = text(&user, "id").to_owned();
    let after = |span: Duration| call.now.checked_add(span).ok();
    let rejected = "The password does not meet the requirements of the on-premises directory.";
    let (ends_at, failure) = match (is_synced, mode) {
        (false, _) => (Some(call.now), None),
        (true, PasswordWriteback::AgentDown) => (None, None),
        (true, PasswordWriteback::PolicyRejects) => (after(WRITEBACK), Some(rejected.to_owned())),
        (true, PasswordWriteback::On | PasswordWriteback::Off) => (after(WRITEBACK), None),
    };
    directory_audit::append(tenant, call, &id, "Reset password (by admin)", SERVICE, &[]);
    tenant.password_operations.push(PasswordOperation {
        id: call.new_id.clone(),
        user_id: id.clone(),
        password,
        created_at: call.now,
        ends_at,
        failure,
        has_ended: false,
    });
    let location = format!(
        "{}/v1.0/users/{id}/authentication/operations/{}?aadgdc=DUB02P&aadgsu=ssprprod-a",
        call.base, call.new_id
    );
    let mut body = json!({ "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.passwordResetResponse", call.base) });
    if let Some(entries) = body.as_object_mut().filter(|_| given.is_none()) {
        entries.insert("newPassword".to_owned(), generated.into());
    }
    Ok(Reply {
        status: 202,
        headers: vec![("location".to_owned(), location), ("retry-after".to_owned(), RETRY_AFTER.to_owned())],
        body: Some(body),
    })
}

/// `GET /users/{id}/authentication/operations/{id}`: the address as it was given, with its query.
///
/// # Errors
/// 404; 400 without the query, which names the datacentre.
pub fn operation(tenant: &Tenant, call: &Call) -> Result<Reply, Fail> {
    let user = find_user(tenant, call.segment(0))?;
    if call.option("aadgdc").is_none() {
        return Err(refused("The operation was not found in this datacenter."));
    }
    let id = call.segment(1);
    let own = tenant
        .password_operations
        .iter()
        .find(|own| own.id == id && own.user_id == text(user, "id"))
        .ok_or_else(|| Service::AuthenticationMethods.missing(id))?;
    let status = match (own.has_ended, &own.failure) {
        (false, _) => "running",
        (true, None) => "succeeded",
        (true, Some(_)) => "failed",
    };
    Ok(Reply::ok(json!({
        "@odata.context": format!("{}/v1.0/$metadata#users('{}')/authentication/operations/$entity", call.base, own.user_id),
        "id": own.id, "status": status, "createdDateTime": own.created_at.to_string(),
        "lastActionDateTime": own.ends_at.filter(|_| own.has_ended).unwrap_or(own.created_at).to_string(),
        "resourceLocation": null, "statusDetail": own.failure.as_ref().filter(|_| own.has_ended)
    })))
}

/// Ends the operations that are due: a password that got through is the user's from then on.
pub(crate) fn end_due(tenant: &mut Tenant, now: Timestamp) {
    let mut arrived = Vec::new();
    for own in tenant.password_operations.iter_mut().filter(|own| own.is_due(now)) {
        own.has_ended = true;
        if own.failure.is_none() {
            let at = own.ends_at.unwrap_or(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            arrived.push((own.user_id.clone(), own.password.clone(), at));
        }
    }
    for (user_id, password, at) in arrived {
        tenant.passwords.insert(user_id.clone(), password);
        set_user(tenant, &user_id, &[("lastPasswordChangeDateTime", at.into())]);
    }
}
