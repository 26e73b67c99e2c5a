//! `dependsOn`: who waits for each other.

use std::collections::BTreeMap;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

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
    fn finds_the_cycle_of_one() {
        let graph = graph("a: b, b: c, c: b, d: a, e: e");
        let cycle = |id: &str| cycle_of(&graph, &id.to_owned()).map(|cycle| cycle.0.join(" "));
        assert_eq!(cycle("b").as_deref(), Some("b c"));
        assert_eq!(cycle("e").as_deref(), Some("e"));
        assert_eq!(cycle("a"), None);
        assert_eq!(cycle("d"), None);
        let text = cycle_of(&graph, &"b".to_owned()).unwrap().to_string();
        assert!(text.starts_with("circular dependencies: [[b c]]"), "{text}");
    }

    proptest! {
        #[test]
        fn who_is_part_of_a_cycle_and_nobody_else_has_one(edges in prop::collection::vec((0u8..9, 0u8..9), 0..20)) {
            let mut nodes: BTreeMap<u8, Vec<u8>> = (0..9).map(|id| (id, Vec::new())).collect();
            for (a, b) in edges {
                nodes.get_mut(&a).unwrap().push(b);
            }
            for id in nodes.keys() {
                let mut reached: BTreeSet<u8> = nodes[id].iter().copied().collect();
                while let more = reached.iter().flat_map(|id| nodes[id].clone()).collect::<BTreeSet<u8>>()
                    && !more.is_subset(&reached)
                {
                    reached.extend(more);
                }
                let cycle = cycle_of(&nodes, id);
                prop_assert_eq!(cycle.is_some(), reached.contains(id));
                let Some(Cycle(cycle)) = cycle else { continue };
                prop_assert!(cycle.contains(id));
                for (at, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                    prop_assert!(nodes[at].contains(next));
                }
            }
        }
    }
}
