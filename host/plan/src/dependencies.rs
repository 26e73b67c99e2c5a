//! `dependsOn`: who waits for whom, and in what order all can go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Nodes that wait for each other: `a → b → a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<Id>(pub Vec<Id>);

impl<Id: fmt::Display> fmt::Display for Cycle<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("circular dependencies: [[")?;
        for (number, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if number == 0 { "" } else { " " })?;
        }
        f.write_str("]]: each waits for the next and the last for the first; remove one dependsOn among them")
    }
}

impl<Id: fmt::Display + fmt::Debug> std::error::Error for Cycle<Id> {}

/// The nodes so that each comes after those it depends on; among equals in their own order. Dependencies that are not
/// nodes do not count.
///
/// # Errors
/// Some nodes wait for each other. The cycle begins with its smallest node.
pub fn sort<Id: Clone + Ord>(nodes: &BTreeMap<Id, Vec<Id>>) -> Result<Vec<Id>, Cycle<Id>> {
    let mut left: BTreeMap<&Id, BTreeSet<&Id>> = nodes
        .iter()
        .map(|(id, needs)| {
            (
                id,
                needs.iter().filter(|need| nodes.contains_key(*need)).collect(),
            )
        })
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    let mut dependents: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
    for (id, needs) in &left {
        needs
            .iter()
            .for_each(|need| dependents.entry(*need).or_default().push(*id));
    }
    let mut free: BTreeSet<&Id> = left
        .iter()
        .filter(|(_, needs)| needs.is_empty())
        .map(|(id, _)| *id)
        .collect();
    while let Some(id) = free.pop_first() {
        left.remove(id);
        order.push(id.clone());
        for dependent in dependents.get(id).into_iter().flatten() {
            if let Some(needs) = left.get_mut(dependent) {
                needs.remove(id);
                if needs.is_empty() {
                    free.insert(*dependent);
                }
            }
        }
    }
    match cycle_in(&left) {
        Some(cycle) => Err(cycle),
        None => Ok(order),
    }
}

/// The cycle a node is part of; none where it is part of none.
pub fn cycle_of<Id: Clone + Ord>(nodes: &BTreeMap<Id, Vec<Id>>, id: &Id) -> Option<Cycle<Id>> {
    // those that can be reached from the node; walked by hand, chains may be long
    let mut came_from: BTreeMap<&Id, &Id> = BTreeMap::new();
    let mut next = vec![id];
    while let Some(at) = next.pop() {
        for need in nodes.get(at).into_iter().flatten() {
            if need == id {
                let mut way = vec![at.clone()];
                let mut back = at;
                while let Some(from) = came_from.get(back).filter(|_| back != id) {
                    way.push((*from).clone());
                    back = from;
                }
                way.reverse();
                return Some(Cycle(way));
            }
            if nodes.contains_key(need) && !came_from.contains_key(need) {
                came_from.insert(need, at);
                next.push(need);
            }
        }
    }
    None
}

/// Every node that is left needs another that is left: following needs leads around.
fn cycle_in<Id: Clone + Ord>(left: &BTreeMap<&Id, BTreeSet<&Id>>) -> Option<Cycle<Id>> {
    let mut at = *left.keys().next()?;
    let mut way: Vec<&Id> = Vec::new();
    while !way.contains(&at) {
        way.push(at);
        at = left
            .get(at)?
            .iter()
            .find(|need| left.contains_key(**need))
            .copied()?;
    }
    let start = way.iter().position(|id| *id == at)?;
    let mut cycle: Vec<Id> = way.into_iter().skip(start).cloned().collect();
    let smallest = cycle
        .iter()
        .enumerate()
        .min_by_key(|(_, id)| *id)
        .map_or(0, |(index, _)| index);
    cycle.rotate_left(smallest);
    Some(Cycle(cycle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(text: &str) -> BTreeMap<String, Vec<String>> {
        let line = |line: &str| {
            let (id, needs) = line.split_once(':').unwrap();
            (
                id.trim().to_owned(),
                needs.split_whitespace().map(str::to_owned).collect(),
            )
        };
        text.split(',').map(line).collect()
    }

    #[test]
    fn sorts_or_names_the_cycle() {
        for (text, expected) in [
            ("a:, b: a, c: a b", Ok("a b c")),
            ("a: b, b: c, c:", Ok("c b a")),
            ("a: missing, b:", Ok("a b")),
            ("a: a", Err("a")),
            ("z: b, a:, b: c, c: d, d: b", Err("b c d")),
        ] {
            let got = sort(&graph(text))
                .map(|order| order.join(" "))
                .map_err(|cycle| cycle.0.join(" "));
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
        let text = sort(&graph("a: b, b: a")).unwrap_err().to_string();
        assert!(text.starts_with("circular dependencies: [[a b]]"), "{text}");
    }

    #[test]
    fn finds_the_cycle_of_one() {
        let graph = graph("a: b, b: c, c: b, d: a, e: e");
        let cycle = |id: &str| cycle_of(&graph, &id.to_owned()).map(|cycle| cycle.0.join(" "));
        assert_eq!(cycle("b").as_deref(), Some("b c"));
        assert_eq!(cycle("e").as_deref(), Some("e"));
        assert_eq!(cycle("a"), None);
        assert_eq!(cycle("d"), None);
    }

    proptest! {
        #[test]
        fn everyone_comes_after_those_it_needs(edges in prop::collection::vec((0u8..9, 0u8..9), 0..20)) {
            let mut nodes: BTreeMap<u8, Vec<u8>> = (0..9).map(|id| (id, Vec::new())).collect();
            for (a, b) in edges {
                nodes.get_mut(&a).unwrap().push(b);
            }
            match sort(&nodes) {
                Ok(order) => {
                    let place = |id: &u8| order.iter().position(|one| one == id).unwrap();
                    prop_assert!(nodes.iter().all(|(id, needs)| needs.iter().all(|need| place(need) < place(id))));
                    prop_assert!(nodes.keys().all(|id| cycle_of(&nodes, id).is_none()));
                }
                Err(Cycle(cycle)) => {
                    for (at, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                        prop_assert!(nodes[at].contains(next));
                    }
                    prop_assert!(cycle_of(&nodes, &cycle[0]).is_some());
                }
            }
        }
    }
}
