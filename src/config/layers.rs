//! The layers, lowest first: the file, variables, flags. A setting of a higher one replaces the whole value below.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::credentials::own_apps;
use super::environment::Environment;
use super::error::{ConfigErrors, ConfigFault, Origin};
use super::file;
use super::model::Config;
use super::settings::{self, At};
use super::text::{self, Value};

/// A configuration is a page of text; a file without end has to end somewhere.
const MAX_BYTES: u64 = 256 * 1024;

pub(super) type Layer = BTreeMap<Vec<String>, Item>;

/// One setting and where it was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// A setting made by a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it was written, such as `--store`.
    pub flag: &'static str,
    /// The setting it makes, such as `store`.
    pub key: &'static str,
    /// Its text.
    pub value: String,
}

/// Where settings come from, besides the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The file of `--config`; none: `stanch.toml` here, or else in the user's configuration directory.
    pub config_file: Option<PathBuf>,
    /// Where "here" is; empty is the directory that the process runs in.
    pub directory: PathBuf,
    /// Settings made by flags.
    pub flags: Vec<Flag>,
}

impl Config {
    /// Loads the configuration from all its layers.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn load(environment: &Environment, sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut layer = Layer::new();
        let mut faults = Vec::new();
        let file = match find_file(environment, sources) {
            Ok(Some((path, text))) => {
                file::read(&path, &text, &mut layer, &mut faults);
                Some(path)
            }
            Ok(None) => None,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        add_variables(environment, &mut layer, &mut faults);
        for flag in &sources.flags {
            let path: Vec<String> = flag.key.split('.').map(str::to_owned).collect();
            add(&path, &flag.value, Origin::Flag(flag.flag.to_owned()), &mut layer, &mut faults);
        }
        // What is built from settings in part would complain of what stands there, only wrongly.
        if !faults.is_empty() {
            return Err(ConfigErrors::new(faults));
        }
        let mut config = Self::build(layer, file, &sources.directory).map_err(ConfigErrors::new)?;
        config.guards.own_apps = own_apps(environment);
        config.guards.own_apps.extend(config.operator.client_id.clone());
        Ok(config)
    }
}

fn find_file(environment: &Environment, sources: &Sources) -> Result<Option<(PathBuf, String)>, ConfigFault> {
    if let Some(path) = &sources.config_file {
        let text = read(path).map_err(|source| ConfigFault::Unreadable { path: path.clone(), source })?;
        return Ok(Some((path.clone(), text)));
    }
    let users = environment.config_directory().map(|directory| directory.join("stanch").join("stanch.toml"));
    for path in [Some(sources.directory.join("stanch.toml")), users].into_iter().flatten() {
        match read(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            // A file that is there and cannot be read may hold the guards: going on without them is no default.
            Err(source) => return Err(ConfigFault::Unreadable { path, source }),
        }
    }
    Ok(None)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(std::io::Error::other("it is larger than 256 KiB"));
    }
    Ok(text)
}

fn add_variables(environment: &Environment, layer: &mut Layer, faults: &mut Vec<ConfigFault>) {
    for (name, value) in environment.iter() {
        let Some(rest) = name.strip_prefix("STANCH_").filter(|rest| rest.contains("__")) else { continue };
        let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
        add(&path, value, Origin::Variable(name.to_owned()), layer, faults);
    }
    for (key, name) in [("store", "STANCH_STORE"), ("cloud", "STANCH_CLOUD")] {
        if let Some(value) = environment.get(name) {
            add(&[key.to_owned()], value, Origin::Variable(name.to_owned()), layer, faults);
        }
    }
}

fn add(path: &[String], value: &str, origin: Origin, layer: &mut Layer, faults: &mut Vec<ConfigFault>) {
    let key = path.join(".");
    match settings::find(path) {
        At::Setting(kind) => match text::read(kind, value, &key, &origin) {
            Ok(value) => {
                layer.insert(path.to_vec(), Item { value, origin });
            }
            Err(fault) => faults.push(fault),
        },
        At::Section => faults.push(ConfigFault::Invalid {
            why: "this is a section".to_owned(),
            hint: Some(format!("set one of its keys, such as `{origin}__KEY`")),
            origin,
            key,
        }),
        At::Nothing => {
            let nearest = settings::meant(path).map(|meant| match &origin {
                Origin::Variable(_) => format!("STANCH_{}", meant.to_ascii_uppercase().replace('.', "__")),
                _ => meant,
            });
            faults.push(ConfigFault::UnknownKey { origin, key, nearest, known: settings::beside(path) });
        }
    }
}
