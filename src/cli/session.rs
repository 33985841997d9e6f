//! What a command works with: settings, the way to Graph, the store. Opened as late as a command needs it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::args::{Format, Global};
use super::failure::Failure;
use super::handover::CommandHandover;
use super::progress::Progress;
use super::terminal;
use crate::approval::Signers;
use crate::config::{
    BaseUrl, Config, CredentialError, Credentials, Environment, Flag, PersonSignIn, Role, Sources, StoreUrl,
    graph_base,
};
use crate::domain::{Clock, Random, inert};
use crate::engine::{App, Applier, Doctor, Investigator, Patience, Planner, StopSignal, Verifier};
use crate::graph::{Connection, ConnectionSettings, Credential, SignedIn};
use crate::seal::Recipient;
use crate::store::{SqliteStore, Store};
use crate::transport::{OsRandom, SocketTransport, SystemClock, Transport};

/// Settings and environment of one command.
pub struct Session {
    /// The environment, read once.
    pub environment: Environment,
    /// The settings, every layer applied.
    pub config: Config,
    /// How results are printed.
    pub format: Format,
    /// Whether only errors are told.
    pub quiet: bool,
    /// Whether a preview shows everything.
    pub verbose: bool,
    /// Progress on the terminal.
    pub progress: Progress,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// The operating system's randomness.
    pub random: Arc<dyn Random>,
    tenant: Option<String>,
    patience: Patience,
    /// Set once somebody has signed in as themselves.
    person: OnceLock<(Connection, SignedIn)>,
    /// Set once it is open: each opening writes, and waits for the disk.
    store: OnceLock<Arc<dyn Store>>,
}

impl Session {
    /// Reads the settings.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its place.
    pub fn open(global: &Global, environment: Environment) -> Result<Self, Failure> {
        let flags = global
            .store
            .iter()
            .map(|value| Flag { flag: "--store", key: "store", value: value.clone() })
            .collect();
        let sources = Sources { config_file: global.config.clone(), flags, ..Sources::default() };
        let config = Config::load(&environment, &sources)?;
        Ok(Self {
            environment,
            config,
            format: global.format,
            quiet: global.quiet,
            verbose: global.verbose > 0,
            progress: Progress::new(global.quiet, global.format),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            tenant: global.tenant.clone(),
            patience: Patience::default(),
            person: OnceLock::new(),
            store: OnceLock::new(),
        })
    }

    /// Signs in whoever sits there, for everything that this command does from here on.
    ///
    /// # Errors
    /// When nobody signs in.
    pub async fn sign_in_as_me(&self) -> Result<(), Failure> {
        let to = PersonSignIn::read(&self.environment, &self.config, self.tenant.as_deref())?;
        let base = graph_base(&self.environment, self.config.cloud)?;
        let settings = ConnectionSettings::new(
            base.as_str(),
            to.authority.as_str(),
            &to.tenant_id,
            &to.client_id,
            Credential::Person,
        );
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        let signed_in =
            Connection::of_person(Self::transport()?, clock, random, settings, &terminal::tell_code).await?;
        if !self.quiet {
            anstream::eprintln!("Signed in as {}.", inert(signed_in.1.upn.as_str()));
        }
        // Nobody signs in twice in one command.
        self.person.get_or_init(|| signed_in);
        Ok(())
    }

    /// Who asks: whoever signed in as themselves, the configured UPN, or the operating system's user.
    pub fn operator(&self) -> String {
        if let Some((_, person)) = self.person.get() {
            return person.upn.to_string();
        }
        self.config
            .operator
            .user
            .clone()
            .or_else(|| self.environment.system_user().map(str::to_owned))
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// The store, opened at the first call.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        if let Some(store) = self.store.get() {
            return Ok(Arc::clone(store));
        }
        let StoreUrl::Sqlite(path) = self.config.store_or_default(&self.environment)?;
        let opened: Arc<dyn Store> = Arc::new(SqliteStore::open(&path)?);
        Ok(Arc::clone(self.store.get_or_init(|| opened)))
    }

    /// The way secrets are handed over: at the terminal, or sealed beside the store.
    fn handover(&self) -> Result<CommandHandover, Failure> {
        match self.config.store_or_default(&self.environment)? {
            StoreUrl::Sqlite(path) => Ok(CommandHandover::beside(&path, self.progress.clone())),
        }
    }

    /// Who may open a secret, by the settings.
    fn recipients(&self) -> Result<Vec<Recipient>, Failure> {
        let parse = |text: &String| {
            text.parse::<Recipient>().map_err(|error| {
                let hint = error.hint();
                Failure::of(2, "bad_recipient", &error, Some(hint)).about("`secrets.recipients`")
            })
        };
        self.config.secrets.recipients.iter().map(parse).collect()
    }

    /// Makes the planner, signed in as the observer where one is set.
    ///
    /// # Errors
    /// When credentials are missing.
    pub fn planner(&self) -> Result<Planner, Failure> {
        let base = graph_base(&self.environment, self.config.cloud)?;
        let (signed_in_as, connection) = self.for_reading(&base)?;
        Ok(Planner {
            reader: connection.reader(),
            signed_in_as,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            guards: self.config.guards.clone(),
            recipients: self.recipients()?,
            record: Some(self.store()?),
            valid_for: self.config.approval.approve_within,
            skew_stops: self.config.stop_on_skew || !base.is_loopback(),
        })
    }

    /// Makes the investigator, signed in as the observer where one is set.
    ///
    /// # Errors
    /// When credentials are missing.
    pub fn investigator(&self) -> Result<Investigator, Failure> {
        let base = graph_base(&self.environment, self.config.cloud)?;
        let (_, connection) = self.for_reading(&base)?;
        Ok(Investigator {
            reader: connection.reader(),
            clock: Arc::clone(&self.clock),
            guards: self.config.guards.clone(),
            skew_stops: self.config.stop_on_skew || !base.is_loopback(),
        })
    }

    /// Makes the verifier: for whoever signed in as themselves, else signed in as the observer where one is set.
    ///
    /// # Errors
    /// When credentials are missing.
    pub fn verifier(&self) -> Result<Verifier, Failure> {
        let base = graph_base(&self.environment, self.config.cloud)?;
        let (_, connection) = self.for_reading(&base)?;
        Ok(Verifier { reader: connection.reader(), clock: Arc::clone(&self.clock) })
    }

    /// Makes the applier, signed in as the responder.
    ///
    /// # Errors
    /// When credentials are missing or the store cannot be opened.
    pub fn applier(&self, signers: Signers, stop: StopSignal) -> Result<Applier, Failure> {
        let connection = if let Some((connection, _)) = self.person.get() {
            connection.clone()
        } else {
            let credentials = Credentials::responder(&self.environment, self.config.cloud)?;
            self.connection(&credentials, &graph_base(&self.environment, self.config.cloud)?)?
        };
        Ok(Applier {
            connection,
            store: self.store()?,
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            handover: Arc::new(self.handover()?),
            watcher: Arc::new(self.progress.clone()),
            patience: self.patience,
            guards: self.config.guards.clone(),
            operator: Some(self.operator()),
            signers,
            stop,
        })
    }

    /// The way to read: whoever signed in as themselves, else the observer where one is set, else the responder.
    fn for_reading(&self, base: &BaseUrl) -> Result<(Role, Connection), Failure> {
        if let Some((connection, _)) = self.person.get() {
            // What a person plans the same person applies.
            return Ok((Role::Responder, connection.clone()));
        }
        let (role, credentials) = Credentials::for_planning(&self.environment, self.config.cloud)?;
        Ok((role, self.connection(&credentials, base)?))
    }

    fn transport() -> Result<Arc<dyn Transport>, Failure> {
        let hint = "check the machine's certificates and proxy settings";
        let transport = SocketTransport::new()
            .map_err(|error| Failure::of(1, "transport", &error, Some(hint.to_owned())))?;
        Ok(Arc::new(transport))
    }

    fn connection(&self, credentials: &Credentials, base: &BaseUrl) -> Result<Connection, Failure> {
        self.connection_by(Credential::load(&credentials.way, self.clock.now())?, credentials, base)
    }

    fn connection_by(
        &self,
        credential: Credential,
        credentials: &Credentials,
        base: &BaseUrl,
    ) -> Result<Connection, Failure> {
        let transport = Self::transport()?;
        let tenant = self.tenant.as_deref().unwrap_or(&credentials.tenant_id);
        let settings = ConnectionSettings::new(
            base.as_str(),
            credentials.authority.as_str(),
            tenant,
            &credentials.client_id,
            credential,
        );
        Ok(Connection::new(transport, Arc::clone(&self.clock), Arc::clone(&self.random), settings))
    }

    /// Makes the doctor, with both apps as far as their credentials can be used; what is wrong with the others is told
    /// beside it.
    ///
    /// # Errors
    /// When the address of Graph cannot be used.
    pub fn doctor(&self) -> Result<(Doctor, Vec<(Role, Failure)>), Failure> {
        let cloud = self.config.cloud;
        let base = graph_base(&self.environment, cloud)?;
        let mut faults = Vec::new();
        let mut app = |role, read: Result<Option<Credentials>, CredentialError>| {
            let made = read.map_err(Failure::from).and_then(|credentials| {
                let Some(credentials) = credentials else { return Ok(None) };
                let credential = Credential::load(&credentials.way, self.clock.now())?;
                let connection = self.connection_by(credential.clone(), &credentials, &base)?;
                Ok(Some(App { role, client_id: credentials.client_id, credential, connection }))
            });
            made.unwrap_or_else(|failure| {
                faults.push((role, failure));
                None
            })
        };
        let observer = app(Role::Observer, Credentials::observer(&self.environment, cloud));
        let responder = app(Role::Responder, Credentials::responder(&self.environment, cloud).map(Some));
        let doctor = Doctor {
            observer,
            responder,
            clock: Arc::clone(&self.clock),
            guards: self.config.guards.clone(),
            operator: self.config.operator.user.clone(),
            approvers: Vec::new(),
            approval: self.config.approval.clone(),
            skew_stops: self.config.stop_on_skew || !base.is_loopback(),
        };
        Ok((doctor, faults))
    }

    /// The tenant as it was named: by `--tenant`, or by the environment.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref().or_else(|| self.environment.get("AZURE_TENANT_ID"))
    }

    /// How long consent lasts once given.
    pub fn consent_lasts(&self) -> Duration {
        self.config.approval.approve_within
    }
}
