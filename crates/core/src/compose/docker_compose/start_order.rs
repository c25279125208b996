//! Which containers of a file surely do not run while another one runs, or starts: Docker answers for no name of theirs then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::work;

/// Containers by their position in the file.
#[derive(Debug, Default)]
pub(super) struct StartOrder {
    /// By container: those that it waits for, and whether until they have ended.
    waits: Vec<Vec<(usize, bool)>>,
}

impl StartOrder {
    /// Of the services of a file, and behind them containers for which none waits.
    pub(super) fn of<'f>(services: impl Iterator<Item = (&'f str, &'f Map<String, Value>)> + Clone) -> Self {
        let positions: BTreeMap<&str, usize> = services.clone().map(|(name, _)| name).zip(0..).collect();
        let waits = services.map(|(_, container)| {
            let others = waited_for(container).into_iter();
            others
                .filter_map(|(name, until_its_end)| Some((*positions.get(name)?, until_its_end)))
                .collect()
        });
        Self {
            waits: waits.collect(),
        }
    }

    /// Whether a container does not run when another one asks for it: that starts after its end, or it starts after that one.
    pub(super) fn is_down(&self, asked: usize, asking: usize) -> bool {
        let has_ended = || {
            self.before(asking)
                .iter()
                .any(|(at, ended)| *at == asked && *ended)
        };
        let starts_later = || self.before(asked).iter().any(|(at, _)| *at == asking);
        asked != asking && (has_ended() || starts_later())
    }

    /// The containers for which one waits, those for which these wait included.
    fn before(&self, container: usize) -> BTreeSet<(usize, bool)> {
        let mut found = BTreeSet::new();
        let mut looked_at = BTreeSet::from([container]);
        let mut left = vec![container];
        while let Some(at) = left.pop() {
            let waits = self.waits.get(at).map_or(&[][..], Vec::as_slice);
            // A document that has more of this than is looked at is not judged.
            if !work::may_read(waits.len()) {
                break;
            }
            for (other, until_its_end) in waits {
                found.insert((*other, *until_its_end));
                if looked_at.insert(*other) {
                    left.push(*other);
                }
            }
        }
        found
    }
}

/// The services that a container waits for by `depends_on`, and whether until they have ended.
fn waited_for(container: &Map<String, Value>) -> Vec<(&str, bool)> {
    match container.get("depends_on") {
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| (name, false)).collect()
        }
        Some(Value::Object(services)) => {
            let ends = |how: &Value| {
                how.get("condition").and_then(Value::as_str) == Some("service_completed_successfully")
            };
            let services = services.iter();
            services.map(|(name, how)| (name.as_str(), ends(how))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each look-up in a long chain counts as work.
    #[test]
    fn t80_a_long_chain_of_containers_is_bounded() {
        let services: BTreeMap<String, Value> = (0..1000)
            .map(|at| {
                (
                    format!("s{at:04}"),
                    json!({ "depends_on": [format!("s{:04}", at + 1)] }),
                )
            })
            .collect();
        let containers = services
            .iter()
            .map(|(name, container)| (name.as_str(), container.as_object().unwrap()));
        let order = StartOrder::of(containers);
        assert!(order.is_down(0, 999) && !order.is_down(999, 0));
        let looks =
            |times: usize| work::within(10_000, || (0..times).filter(|_| order.is_down(999, 0)).count());
        assert_eq!(looks(4), Ok(0));
        assert!(looks(10).is_err());
    }
}
