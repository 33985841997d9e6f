//! Users: the subject itself, names like a mistyped one, and deleted accounts.

use jiff::Timestamp;
use serde_json::Value;

use super::fetch::{EVENTUAL, Reader, malformed, withheld};
use super::field::{flag, moment, text, text_if_any, texts};
use crate::domain::{Upn, UserId};
use crate::graph::error::GraphError;
use crate::graph::path::{encode, quote, user_segment, with_query};

const PROPERTIES: &str = "id,userPrincipalName,displayName,mail,otherMails,proxyAddresses,accountEnabled,userType,\
externalUserState,onPremisesSyncEnabled,onPremisesLastSyncDateTime,onPremisesImmutableId,onPremisesDomainName,\
onPremisesSamAccountName,lastPasswordChangeDateTime,signInSessionsValidFromDateTime,passwordPolicies,assignedLicenses,\
isManagementRestricted,isResourceAccount,createdDateTime";
const BRIEF: &str = "id,userPrincipalName,displayName,mail,accountEnabled";
/// How many near names are worth showing.
const MOST_NEAR: usize = 5;

/// A user as the directory has it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are five facts of Graph's, independent of each other"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphUser {
    /// Object id.
    pub id: UserId,
    /// User principal name.
    pub upn: Upn,
    /// Name on screens: show it inert.
    pub display_name: String,
    /// Primary address.
    pub mail: Option<String>,
    /// Addresses for reset and recovery.
    pub other_mails: Vec<String>,
    /// All addresses, with their kind: `SMTP:…`.
    pub proxy_addresses: Vec<String>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// Whether sign-in is enabled.
    pub enabled: bool,
    /// Whether the account is a guest.
    pub guest: bool,
    /// `externalUserState` of a guest.
    pub external_user_state: Option<String>,
    /// Whether the account is mastered on premises now.
    pub synced: bool,
    /// The last synchronization.
    pub last_synced_at: Option<Timestamp>,
    /// On-premises domain.
    pub on_premises_domain: Option<String>,
    /// On-premises account name.
    pub on_premises_account: Option<String>,
    /// Whether it lies in a restricted management administrative unit.
    pub restricted: bool,
    /// Whether it is a room or a shared device.
    pub resource_account: bool,
    /// `passwordPolicies` as it came.
    pub password_policies: Option<String>,
    /// The last password change.
    pub password_changed_at: Option<Timestamp>,
    /// Tokens issued before this moment are worthless.
    pub sessions_valid_from: Option<Timestamp>,
    /// Licences, by `skuId`.
    pub licences: Vec<String>,
}

/// A user in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserBrief {
    /// Object id.
    pub id: UserId,
    /// User principal name as it came; that of a deleted user has its id before it.
    pub upn: String,
    /// Name on screens: show it inert.
    pub display_name: String,
    /// Primary address.
    pub mail: Option<String>,
    /// Whether sign-in is enabled; `None` where Graph does not say.
    pub enabled: Option<bool>,
    /// When it was deleted, for a deleted user.
    pub deleted_at: Option<Timestamp>,
}

impl UserBrief {
    /// Whether the user is called so: by the name on screens, the address, or what stands before the `@`.
    pub fn goes_by(&self, text: &str) -> bool {
        let wanted = text.trim().to_lowercase();
        let local = self.upn.split('@').next().unwrap_or_default();
        [self.display_name.as_str(), self.mail.as_deref().unwrap_or_default(), local]
            .iter()
            .any(|name| name.to_lowercase() == wanted)
    }
}

impl Reader {
    /// Reads a user by object id or user principal name (v1.0, [user: get](https://learn.microsoft.com/graph/api/user-get)).
    ///
    /// # Errors
    /// When the call fails, or leaves out what a decision rests on.
    pub async fn user(&self, id_or_upn: &str) -> Result<Option<GraphUser>, GraphError> {
        let target = with_query(&format!("/v1.0{}", user_segment(id_or_upn)), &[("$select", PROPERTIES)]);
        let Some(found) = self.object_if_any(&target).await? else { return Ok(None) };
        parse_user(&target, &found).map(Some)
    }

    /// Finds users with a name like this one, nearest first (v1.0,
    /// [user: list](https://learn.microsoft.com/graph/api/user-list)). It reads two pages at most: a tenant has more
    /// users of a first letter than a suggestion is worth.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn users_near(&self, text: &str) -> Result<Vec<UserBrief>, GraphError> {
        let name = text.split('@').next().unwrap_or_default();
        for length in [4, 1] {
            let beginning: String = name.chars().take(length).collect();
            if beginning.is_empty() {
                continue;
            }
            let start = quote(&beginning);
            let filter = format!(
                "startsWith(userPrincipalName,{start}) or startsWith(displayName,{start}) or startsWith(mail,{start})"
            );
            let target =
                with_query("/v1.0/users", &[("$filter", &filter), ("$select", BRIEF), ("$top", "999")]);
            let near = rank(self.first_page(&target).await?.iter().filter_map(parse_brief).collect(), text);
            if !near.is_empty() {
                return Ok(near);
            }
        }
        Ok(Vec::new())
    }

    /// Finds the users that have this address, as their primary one or another (v1.0,
    /// [advanced queries](https://learn.microsoft.com/graph/aad-advanced-queries)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn users_with_address(&self, address: &str) -> Result<Vec<UserBrief>, GraphError> {
        let (primary, other) = (quote(&format!("SMTP:{address}")), quote(&format!("smtp:{address}")));
        let filter = format!("proxyAddresses/any(a:a eq {primary}) or proxyAddresses/any(a:a eq {other})");
        let rows = self.users_by(&filter, &format!("{BRIEF},proxyAddresses")).await?;
        let has_it = |row: &&Value| {
            texts(row, "/proxyAddresses").iter().any(|own| {
                own.split_once(':').is_some_and(|(kind, own)| {
                    kind.eq_ignore_ascii_case("smtp") && own.eq_ignore_ascii_case(address)
                })
            })
        };
        Ok(rows.iter().filter(has_it).filter_map(parse_brief).collect())
    }

    /// Finds the users that have this name in the company's own directory, each with its domain there (v1.0,
    /// [advanced queries](https://learn.microsoft.com/graph/aad-advanced-queries)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn users_with_account(&self, name: &str) -> Result<Vec<(UserBrief, String)>, GraphError> {
        let filter = format!("onPremisesSamAccountName eq {}", quote(name));
        let select = format!("{BRIEF},onPremisesSamAccountName,onPremisesDomainName");
        let rows = self.users_by(&filter, &select).await?;
        Ok(rows
            .iter()
            .filter(|row| text(row, "/onPremisesSamAccountName").to_lowercase() == name.to_lowercase())
            .filter_map(|row| Some((parse_brief(row)?, text(row, "/onPremisesDomainName"))))
            .collect())
    }

    /// Lists users by a filter that only the index of advanced queries answers.
    async fn users_by(&self, filter: &str, select: &str) -> Result<Vec<Value>, GraphError> {
        let target = with_query(
            "/v1.0/users",
            &[("$filter", filter), ("$select", select), ("$count", "true"), ("$top", "999")],
        );
        self.list(&target, EVENTUAL).await
    }

    /// Finds a deleted user by object id or by the name it had (v1.0,
    /// [deleted items](https://learn.microsoft.com/graph/api/directory-deleteditems-list)).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn deleted_user(&self, id_or_upn: &str) -> Result<Option<UserBrief>, GraphError> {
        if let Ok(id) = id_or_upn.parse::<UserId>() {
            let target = format!("/v1.0/directory/deletedItems/{}", encode(id.as_str()));
            let found = self.object_if_any(&target).await?;
            return Ok(found.as_deref().and_then(parse_brief));
        }
        let target = with_query(
            "/v1.0/directory/deletedItems/microsoft.graph.user",
            &[("$select", "id,userPrincipalName,displayName,mail,deletedDateTime"), ("$top", "999")],
        );
        let wanted = id_or_upn.to_lowercase();
        let found = self.list(&target, &[]).await?;
        Ok(found.iter().filter_map(parse_brief).find(|user| name_before_deletion(user) == wanted))
    }
}

/// The name that a deleted user had: deletion puts the id, without dashes, before it.
fn name_before_deletion(user: &UserBrief) -> String {
    let name = user.upn.to_lowercase();
    let prefix = user.id.as_str().replace('-', "");
    name.strip_prefix(&prefix).map(str::to_owned).unwrap_or(name)
}

fn rank(users: Vec<UserBrief>, wanted: &str) -> Vec<UserBrief> {
    let wanted = wanted.to_lowercase();
    let likeness = |user: &UserBrief| {
        let local = user.upn.split('@').next().unwrap_or_default().to_lowercase();
        [user.upn.to_lowercase(), local, user.display_name.to_lowercase()]
            .iter()
            .map(|name| strsim::jaro_winkler(name, &wanted))
            .fold(0.0, f64::max)
    };
    let mut ranked: Vec<(f64, UserBrief)> = users
        .into_iter()
        .map(|user| (likeness(&user), user))
        .filter(|(likeness, _)| *likeness > 0.7)
        .collect();
    ranked.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    ranked.into_iter().take(MOST_NEAR).map(|(_, user)| user).collect()
}

fn parse_brief(row: &Value) -> Option<UserBrief> {
    Some(UserBrief {
        id: text_if_any(row, "/id")?.parse().ok()?,
        upn: text(row, "/userPrincipalName"),
        display_name: text(row, "/displayName"),
        mail: text_if_any(row, "/mail"),
        enabled: flag(row, "/accountEnabled"),
        deleted_at: moment(row, "/deletedDateTime"),
    })
}

fn parse_user(target: &str, row: &Value) -> Result<GraphUser, GraphError> {
    // A key that is not there means that the permission does not cover it (identity.md 1.1): never "no".
    let given = |property: &'static str| row.get(property).ok_or_else(|| withheld(target, property));
    let id = text(row, "/id").parse().map_err(|_| malformed(target, "a user without an id", None))?;
    let upn = text(row, "/userPrincipalName")
        .parse()
        .map_err(|_| malformed(target, "a user without a user principal name", None))?;
    Ok(GraphUser {
        id,
        upn,
        display_name: text(row, "/displayName"),
        mail: text_if_any(row, "/mail"),
        other_mails: texts(row, "/otherMails"),
        proxy_addresses: texts(row, "/proxyAddresses"),
        created_at: moment(row, "/createdDateTime"),
        enabled: given("accountEnabled")?.as_bool().ok_or_else(|| withheld(target, "accountEnabled"))?,
        guest: given("userType")?.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("guest")),
        external_user_state: text_if_any(row, "/externalUserState"),
        synced: given("onPremisesSyncEnabled")?.as_bool().unwrap_or(false),
        last_synced_at: moment(row, "/onPremisesLastSyncDateTime"),
        on_premises_domain: text_if_any(row, "/onPremisesDomainName"),
        on_premises_account: text_if_any(row, "/onPremisesSamAccountName"),
        restricted: given("isManagementRestricted")?.as_bool().unwrap_or(false),
        resource_account: flag(row, "/isResourceAccount").unwrap_or(false),
        password_policies: text_if_any(row, "/passwordPolicies"),
        password_changed_at: moment(row, "/lastPasswordChangeDateTime"),
        sessions_valid_from: moment(row, "/signInSessionsValidFromDateTime"),
        licences: row
            .get("assignedLicenses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|licence| text_if_any(licence, "/skuId"))
            .collect(),
    })
}
