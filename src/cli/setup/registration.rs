//! One app registration: what it is called, what it may do, and what for.

use super::cloud::Place;
use crate::cli::args::SetupCredential;
use crate::config::{Cloud, Role};
use crate::engine::{Need, Requirements};
use crate::graph::{AppRole, app_role};

/// The text that stands where the tenant is not known.
const UNKNOWN_TENANT: &str = "contoso.onmicrosoft.com";

/// An app to register.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Which of the two.
    pub role: Role,
    /// Its permissions, each with what it is for.
    pub permissions: Vec<(&'static AppRole, Need)>,
    /// Its client id, where it is registered already.
    pub client_id: Option<String>,
}

impl Registration {
    fn new(role: Role, needs: &[Need], client_id: Option<&str>) -> Self {
        let permissions =
            needs.iter().filter_map(|need| Some((app_role(need.permission)?, need.clone()))).collect();
        Self { role, permissions, client_id: client_id.map(str::to_owned) }
    }

    /// The name that it is registered under.
    pub fn display_name(&self) -> String {
        format!("stanch {}", self.role)
    }

    /// What it is for, in a sentence.
    pub fn duty(&self) -> &'static str {
        match self.role {
            Role::Observer => "reads, and cannot write. Plans are made with it",
            Role::Responder => "writes what an approved plan says. Only `stanch apply` signs in as it",
        }
    }

    /// The prefix of the variables that hold its credentials.
    pub fn prefix(&self) -> &'static str {
        match self.role {
            Role::Observer => "STANCH_OBSERVER_",
            Role::Responder => "AZURE_",
        }
    }
}

/// Everything that `setup` tells.
#[derive(Clone, Debug)]
pub struct SetupLines {
    /// Where the tenant is.
    pub place: Place,
    /// The tenant, or a text that stands for it.
    pub tenant: String,
    /// Whether the tenant is known.
    pub is_tenant_known: bool,
    /// The playbooks, by name.
    pub playbooks: Vec<String>,
    /// The playbooks as commands take them: a file stays a file.
    pub named: Vec<String>,
    /// The two apps.
    pub registrations: [Registration; 2],
    /// What the apps sign in with.
    pub credential: SetupCredential,
}

impl SetupLines {
    /// Puts together what is to be told.
    pub fn new(
        place: Place,
        tenant: Option<&str>,
        playbooks: Vec<String>,
        named: &[String],
        requirements: &Requirements,
        client_ids: [Option<&str>; 2],
        credential: SetupCredential,
    ) -> Self {
        let [observer, responder] = client_ids;
        Self {
            place,
            tenant: tenant.unwrap_or(UNKNOWN_TENANT).to_owned(),
            is_tenant_known: tenant.is_some(),
            named: if named.is_empty() { playbooks.clone() } else { named.to_vec() },
            playbooks,
            registrations: [
                Registration::new(Role::Observer, &requirements.observer, observer),
                Registration::new(Role::Responder, &requirements.responder, responder),
            ],
            credential,
        }
    }

    /// What stands above the lines of either shell.
    pub fn head(&self) -> String {
        let mut head = format!(
            "# The two apps that stanch signs in as, for the playbooks {}.\n# Run this once, as somebody who may register apps and consent for the tenant: a Global\n# Administrator, or an Application Administrator together with a Privileged Role Administrator.\n# Nothing here grants a directory role: without one the apps cannot touch administrators.\n",
            self.playbooks.join(", ")
        );
        if self.place.cloud == Cloud::China {
            head.push_str(
                "# In this cloud a permission's id may differ: `az ad sp show --id 00000003-0000-0000-c000-000000000000` lists them.\n",
            );
        }
        head
    }
}
