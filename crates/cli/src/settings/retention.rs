//! How long what is over is kept.

use std::time::Duration;

use orderkeep::Retention;

use super::{Settings, Span};
use crate::exit::Failure;

/// Who follows the feed must have time to come back.
const LEAST: Duration = Duration::from_secs(60 * 60);

impl Settings {
    /// What goes after a while, if anything does.
    pub(crate) fn retention(&self) -> Result<Option<Retention>, Failure> {
        match (self.retention, self.tombstones) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Failure::config(
                "`tombstones` without `retention`: nothing is ever let go of; give `retention`, or remove it",
            )),
            (Some(Span(keep)), _) if keep < LEAST => {
                Err(Failure::config("`retention` must be at least 1h"))
            }
            (Some(Span(keep)), tombstones) => {
                Ok(Some(Retention { keep, tombstones: tombstones.map(|span| span.0) }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn nothing_goes_unless_it_is_said_how_long_it_stays() {
        const HOUR: Duration = Duration::from_secs(3_600);
        assert_eq!(settings("").retention().unwrap(), None);
        let kept = |keep, tombstones| Some(Retention { keep, tombstones });
        assert_eq!(settings("retention = '2160h'").retention().unwrap(), kept(2_160 * HOUR, None));
        let both = settings("retention = '1h'\ntombstones = '8760h'").retention().unwrap();
        assert_eq!(both, kept(HOUR, Some(8_760 * HOUR)));
        assert!(settings("tombstones = '8760h'").retention().is_err());
        assert!(settings("retention = '59m'").retention().is_err());
    }
}
