//! How a reader reads: one object, or a list page by page, within bounds.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use http::{Method, Uri};
use jiff::Timestamp;
use serde_json::Value;

use super::field::text_if_any;
use super::memo::Memo;
use super::sign_ins::{SignInLog, SignInQuery};
use crate::graph::call::{BodyReader, Call, Purpose};
use crate::graph::connection::{Connection, path_of};
use crate::graph::error::GraphError;
use crate::graph::permission;
use crate::plan::PlanSession;

/// Pages of one list at most: a list that is longer is a wrong question, or a trap.
const MOST_PAGES: usize = 200;
/// Rows of one list at most: some 200 MB of audit records.
const MOST_ROWS: usize = 200_000;
/// Graph's pages are now and then much shorter than asked for.
const SMALL_PAGE: usize = 100;

/// For queries that Graph serves from its index only.
pub(super) const EVENTUAL: &[(&str, &str)] = &[("consistencylevel", "eventual")];
/// So that new words of an enumeration come as such, not as `unknownFutureValue`.
pub(super) const UNKNOWN_MEMBERS: &[(&str, &str)] = &[("prefer", "include-unknown-enum-members")];

/// Reads a tenant.
#[derive(Clone)]
pub struct Reader {
    connection: Connection,
    memo: Option<Arc<Memo>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reader")
            .field("connection", &self.connection)
            .field("remembers", &self.memo.is_some())
            .finish()
    }
}

impl Reader {
    pub(in crate::graph) fn new(connection: Connection) -> Self {
        Self { connection, memo: None }
    }

    /// Gives a reader that sends each distinct GET once, for as long as it and its clones live. For planning only: a
    /// read-back needs the tenant as it is now.
    #[must_use]
    pub fn remembering(&self) -> Self {
        Self { connection: self.connection.clone(), memo: Some(Arc::default()) }
    }

    /// Tells Graph's time: the `Date` of its newest answer on this connection, moved on by what has passed since.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.connection.server_time()
    }

    /// Tells whose session it reads in.
    pub fn session(&self) -> PlanSession {
        self.connection.session()
    }

    /// Tells the address of Graph, without version.
    pub fn graph_base(&self) -> &str {
        self.connection.base()
    }

    /// Tells the app id that it signs in as.
    pub fn client_id(&self) -> &str {
        self.connection.client_id()
    }

    /// Signs in, so that a sign-in that fails is told once and at once.
    ///
    /// # Errors
    /// When there is no token.
    pub async fn sign_in(&self) -> Result<(), GraphError> {
        self.connection.sign_in().await
    }

    /// Tells the permissions in the access token that it reads with; decoded, not validated.
    ///
    /// # Errors
    /// When there is no token, or it cannot be read.
    pub async fn permissions(&self) -> Result<Vec<String>, GraphError> {
        self.connection.roles().await
    }

    /// Reads one object.
    pub(super) async fn object(&self, target: &str) -> Result<Arc<Value>, GraphError> {
        self.get(target, &[], Purpose::OBJECT).await
    }

    /// Reads one object as it is now, at an address that Graph gave.
    pub(super) async fn object_now(&self, address: &str) -> Result<Arc<Value>, GraphError> {
        self.get_now(address, &[], Purpose::OBJECT).await
    }

    /// Reads one object, or finds that it is not there.
    pub(super) async fn object_if_any(&self, target: &str) -> Result<Option<Arc<Value>>, GraphError> {
        match self.object(target).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole list; a row that a page repeats counts once.
    pub(super) async fn list(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Vec<Value>, GraphError> {
        self.list_within(target, headers, Purpose::LIST).await
    }

    /// Reads the first page of a list, and no more.
    pub(super) async fn first_page(&self, target: &str) -> Result<Vec<Value>, GraphError> {
        let page = self.get(target, &[], Purpose::LIST).await?;
        Ok(page.get("value").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Reads a whole list with a purpose of its own.
    pub(super) async fn list_within(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
        purpose: Purpose,
    ) -> Result<Vec<Value>, GraphError> {
        self.list_each(target, headers, purpose, |row| text_if_any(row, "/id")).await
    }

    /// Reads a whole list, its rows told apart by a key of their own; a row without one counts as often as it comes.
    pub(super) async fn list_each(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
        purpose: Purpose,
        key: fn(&Value) -> Option<String>,
    ) -> Result<Vec<Value>, GraphError> {
        let path = path_of(target, self.connection.base());
        let mut rows = Vec::new();
        let mut known = HashSet::new();
        let first = format!("{}{target}", self.connection.base());
        let mut visited = HashSet::from([first]);
        let mut next = target.to_owned();
        for _ in 0..MOST_PAGES {
            let page = self.get(&next, headers, purpose).await?;
            for row in page.get("value").and_then(Value::as_array).into_iter().flatten() {
                if key(row).is_none_or(|key| known.insert(key)) {
                    rows.push(row.clone());
                }
            }
            if rows.len() > MOST_ROWS {
                return Err(GraphError::TooManyPages { path, limit: format!("{MOST_ROWS} rows") });
            }
            let Some(link) = page.get("@odata.nextLink").filter(|link| !link.is_null()) else {
                return Ok(rows);
            };
            let link = link.as_str().unwrap_or_default();
            self.check_link(&path, link)?;
            if !visited.insert(link.to_owned()) {
                return Err(GraphError::RepeatedLink { path });
            }
            link.clone_into(&mut next);
        }
        Err(GraphError::TooManyPages { path, limit: format!("{MOST_PAGES} pages") })
    }

    /// Reads a long list page by page. Each page is read by `read`, again where the call is sent again, and then taken
    /// by `take`, which gives the address of the next one and how many rows there are by now.
    pub(super) async fn pages(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
        purpose: Purpose,
        most_rows: usize,
        read: &BodyReader<'_>,
        take: &(dyn Fn() -> (Option<String>, usize) + Send + Sync),
    ) -> Result<(), GraphError> {
        let path = path_of(target, self.connection.base());
        let mut visited = HashSet::from([format!("{}{target}", self.connection.base())]);
        let mut next = target.to_owned();
        for _ in 0..MOST_PAGES.max(most_rows / SMALL_PAGE) {
            let call = Call {
                method: Method::GET,
                target: &next,
                body: None,
                body_shape: &Value::Null,
                headers,
                purpose,
                body_reader: Some(read),
                id: self.connection.new_id(),
            };
            self.connection.send(&call).await?;
            let (link, rows) = take();
            if rows > most_rows {
                return Err(GraphError::TooManyPages { path, limit: format!("{most_rows} rows") });
            }
            let Some(link) = link else { return Ok(()) };
            self.check_link(&path, &link)?;
            if !visited.insert(link.clone()) {
                return Err(GraphError::RepeatedLink { path });
            }
            next = link;
        }
        Err(GraphError::TooManyPages { path, limit: format!("{most_rows} rows") })
    }

    /// Reads a log, or remembers it.
    pub(super) async fn recall_log<F>(
        &self,
        query: &SignInQuery,
        ask: impl FnOnce() -> F + Send,
    ) -> Result<Arc<SignInLog>, GraphError>
    where
        F: Future<Output = Result<SignInLog, GraphError>> + Send,
    {
        match &self.memo {
            None => ask().await.map(Arc::new),
            Some(memo) => memo.recall_log(format!("{query:?}"), || async { ask().await.map(Arc::new) }).await,
        }
    }

    /// Sends a read that Graph spells POST; never remembered.
    pub(super) async fn ask(&self, target: &str, question: &Value) -> Result<Value, GraphError> {
        let body = question.to_string().into_bytes();
        let call = Call {
            method: Method::POST,
            target,
            body: Some(&body),
            body_shape: &Value::Null,
            headers: &[],
            purpose: Purpose::LIST,
            body_reader: None,
            id: self.connection.new_id(),
        };
        self.connection.send(&call).await.map(|answer| answer.json)
    }

    /// Gives Graph's time, or ours where Graph has not answered yet.
    pub(super) fn now(&self) -> Timestamp {
        self.server_time().unwrap_or_else(|| self.connection.our_time())
    }

    async fn get(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
        purpose: Purpose,
    ) -> Result<Arc<Value>, GraphError> {
        match &self.memo {
            None => self.get_now(target, headers, purpose).await,
            Some(memo) => {
                let mut key = target.to_owned();
                for (name, value) in headers {
                    key.push('\n');
                    key.push_str(name);
                    key.push(':');
                    key.push_str(value);
                }
                memo.recall(key, || self.get_now(target, headers, purpose)).await
            }
        }
    }

    async fn get_now(
        &self,
        target: &str,
        headers: &[(&'static str, &'static str)],
        purpose: Purpose,
    ) -> Result<Arc<Value>, GraphError> {
        let call = Call {
            method: Method::GET,
            target,
            body: None,
            body_shape: &Value::Null,
            headers,
            purpose,
            body_reader: None,
            id: self.connection.new_id(),
        };
        self.connection.send(&call).await.map(|answer| Arc::new(answer.json))
    }

    /// Refuses a link to anywhere but the same Graph and version: following it would hand our token over.
    pub(super) fn check_link(&self, path: &str, link: &str) -> Result<(), GraphError> {
        // Host and version say what is wrong; what follows may hold more than a message should.
        let shown = || {
            link.parse::<Uri>().ok().and_then(|uri| {
                let version = uri.path().split('/').nth(1).unwrap_or_default();
                Some(format!("{}://{}/{version}", uri.scheme_str()?, uri.authority()?.host()))
            })
        };
        let foreign = || GraphError::ForeignLink {
            path: path.to_owned(),
            link: shown().unwrap_or_else(|| "no address".to_owned()),
        };
        let ours: Uri = self.connection.base().parse().map_err(|_| foreign())?;
        let theirs: Uri = link.parse().map_err(|_| foreign())?;
        let version = path.split('/').nth(1).unwrap_or_default();
        let root = format!("{}/{version}/", ours.path().trim_end_matches('/'));
        let climbs =
            theirs.path().to_ascii_lowercase().replace("%2e", ".").split('/').any(|part| part == "..");
        let is_same = place_of(&ours).is_some()
            && place_of(&ours) == place_of(&theirs)
            && theirs.path().starts_with(&root)
            && !climbs;
        if is_same { Ok(()) } else { Err(foreign()) }
    }
}

/// Scheme, host and port of an address; none where it names a person before the host.
fn place_of(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let usual = if scheme == "https" { 443 } else { 80 };
    Some((scheme, authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(usual)))
}

/// Says that an answer is not what it should be.
pub(super) fn malformed(target: &str, what: &str, source: Option<serde_json::Error>) -> GraphError {
    GraphError::Malformed {
        method: "GET",
        path: path_of(target, ""),
        what: what.to_owned(),
        source,
        may_have_happened: false,
    }
}

/// Says that a property that we asked for is not there.
pub(super) fn withheld(target: &str, property: &'static str) -> GraphError {
    let path = path_of(target, "");
    GraphError::Withheld { needs: permission::least("GET", &path, &Value::Null), path, property }
}
