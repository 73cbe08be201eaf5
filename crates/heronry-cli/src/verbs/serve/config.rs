//! The configuration file of `heronry serve`.

use std::{ops::RangeInclusive, path::Path};

use heronry_server::WhenStoreCloses;
use heronry_types::{Millis, nearest};
use toml::{Table, Value};

use crate::{
    failure::Failure,
    host::{ListenAddress, Rollback, ServerSettings, StoreChoice},
    verbs::export::plan::ExportPlan,
};

/// The longest of each bound of a connection: a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// The longest that a server which stops may wait for its connections.
const DRAIN_MS_MAX: u64 = 5_000;
/// The most connections that can be allowed.
const CONNECTIONS_MAX: u64 = 1_000_000;
/// The least room for the bodies of requests: the largest content fits, and more beside it.
const BODIES_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Every key, with its meaning.
const KEYS: [(&str, SettingReader); 14] = [
    ("store", |config, value| {
        config.store = Some(text(value)?.parse().map_err(said)?);
        Ok(())
    }),
    ("listen", |config, value| {
        config.listen = Some(text(value)?.parse().map_err(said)?);
        Ok(())
    }),
    ("stay", |config, value| {
        let stay = value.as_bool().ok_or("write true or false")?;
        config.settings.when_closed = if stay {
            WhenStoreCloses::Stay
        } else {
            WhenStoreCloses::End
        };
        Ok(())
    }),
    ("strict", |config, value| {
        let strict = value.as_bool().ok_or("write true or false")?;
        config.settings.rollback = if strict {
            Rollback::Refuse
        } else {
            Rollback::GoOn
        };
        Ok(())
    }),
    ("disk_free_bytes_min", |config, value| {
        config.settings.disk_free_bytes_min = number(value, 0..=i64::MAX.unsigned_abs())?;
        Ok(())
    }),
    ("connections_max", |config, value| {
        let max = number(value, 1..=CONNECTIONS_MAX)?;
        config.settings.connections.connections_max = u32::try_from(max).map_err(said)?;
        Ok(())
    }),
    ("bodies_bytes_max", |config, value| {
        let bytes = BODIES_BYTES_MIN..=i64::MAX.unsigned_abs();
        config.settings.connections.bodies_bytes_max = number(value, bytes)?;
        Ok(())
    }),
    ("head_ms", |config, value| {
        config.settings.connections.head = millis(value)?;
        Ok(())
    }),
    ("body_ms", |config, value| {
        config.settings.connections.body = millis(value)?;
        Ok(())
    }),
    ("write_stall_ms", |config, value| {
        config.settings.connections.write_stall = millis(value)?;
        Ok(())
    }),
    ("idle_ms", |config, value| {
        config.settings.connections.idle = millis(value)?;
        Ok(())
    }),
    ("linger_ms", |config, value| {
        config.settings.connections.linger = millis(value)?;
        Ok(())
    }),
    ("drain_ms", |config, value| {
        config.settings.connections.drain = Millis(number(value, 0..=DRAIN_MS_MAX)?);
        Ok(())
    }),
    ("exports", |config, value| {
        let tables = value
            .as_array()
            .ok_or("write tables, each as [[exports]]")?;
        let plans = tables.iter().map(ExportPlan::read);
        config.exports = plans.collect::<Result<_, _>>()?;
        Ok(())
    }),
];

/// Takes the value of a key over, or says which values the key takes.
type SettingReader = fn(&mut Config, &Value) -> Result<(), String>;

/// The content of a configuration file.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) store: Option<StoreChoice>,
    pub(super) listen: Option<ListenAddress>,
    pub(super) settings: ServerSettings,
    /// The exports that the server runs by itself.
    pub(super) exports: Vec<ExportPlan>,
}

impl Config {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let refuse =
            |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format_args!("cannot read {}: {error}", path.display()))
        })?;
        let table: Table = toml::from_str(&text).map_err(|error| refuse(&error.message()))?;
        Self::of(&table).map_err(|why| refuse(&why))
    }

    fn of(table: &Table) -> Result<Self, String> {
        let mut config = Self::default();
        for (key, value) in table {
            let known = KEYS.iter().find(|(name, _)| name == key);
            let (_, read) = known.ok_or_else(|| unknown(key))?;
            read(&mut config, value).map_err(|why| format!("{key} is {value}: {why}"))?;
        }
        Ok(config)
    }
}

fn unknown(key: &str) -> String {
    let names = KEYS.map(|(name, _)| name);
    let meant = nearest(key, names);
    let meant = meant.map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
    format!("unknown key {key:?}{meant}; known: {}", names.join(", "))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn text(value: &Value) -> Result<&str, String> {
    let text = value.as_str();
    text.ok_or_else(|| "not a text; write it in quotes".to_owned())
}

fn millis(value: &Value) -> Result<Millis, String> {
    number(value, 1..=DAY_MS).map(Millis)
}

fn number(value: &Value, range: RangeInclusive<u64>) -> Result<u64, String> {
    let number = value.as_integer().and_then(|it| u64::try_from(it).ok());
    number.filter(|it| range.contains(it)).ok_or_else(|| {
        format!(
            "write a whole number from {} to {}",
            range.start(),
            range.end()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::of(&toml::from_str(text).unwrap())
    }

    #[test]
    fn every_key_is_taken_over() {
        let config = read(
            "store = 'memory'\nlisten = '127.0.0.1:1'\nstay = true\nstrict = true\ndisk_free_bytes_min = 2\n\
             connections_max = 3\nhead_ms = 4\nbody_ms = 5\nwrite_stall_ms = 6\nidle_ms = 7\n\
             drain_ms = 8\nbodies_bytes_max = 67108864\nlinger_ms = 9\n\
             [[exports]]\npool = 'p'\nconsumer = 'audit'\nto = 'file:a'",
        )
        .unwrap();
        assert_eq!(config.store, Some(StoreChoice::Memory));
        assert_eq!(config.exports.len(), 1);
        assert_eq!(config.listen, Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(config.settings.when_closed, WhenStoreCloses::Stay);
        assert_eq!(config.settings.rollback, Rollback::Refuse);
        assert_eq!(config.settings.disk_free_bytes_min, 2);
        let found = config.settings.connections;
        assert_eq!(found.connections_max, 3);
        assert_eq!(found.bodies_bytes_max, 64 * 1024 * 1024);
        let times = [
            found.head,
            found.body,
            found.write_stall,
            found.idle,
            found.drain,
            found.linger,
        ];
        assert_eq!(times, [4, 5, 6, 7, 8, 9].map(Millis));
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_with_what_it_may_be() {
        for (line, why) in [
            ("listen = 1", "listen is 1: not a text; write it in quotes"),
            ("stay = 'yes'", "write true or false"),
            ("strict = 1", "write true or false"),
            ("connections_max = 0", "from 1 to 1000000"),
            ("connections_max = 1000001", "from 1 to 1000000"),
            ("bodies_bytes_max = 67108863", "from 67108864 to"),
            ("head_ms = 0", "from 1 to 86400000"),
            ("head_ms = 1.5", "write a whole number"),
            ("drain_ms = 5001", "from 0 to 5000"),
            ("exports = 1", "write tables, each as [[exports]]"),
            ("disk_free_bytes_min = -1", "from 0 to"),
            ("idle = 1", "did you mean \"idle_ms\"?"),
            (
                "colour = 1",
                "unknown key \"colour\"; known: store, listen,",
            ),
        ] {
            let found = read(line).unwrap_err();
            assert!(found.contains(why), "{line}: {found}");
        }
        assert!(read("connections_max = 1000000\ndrain_ms = 5000").is_ok());
    }
}
