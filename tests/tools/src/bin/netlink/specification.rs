// SPDX-License-Identifier: MIT OR Apache-2.0
//! A netlink family, read from its specification in the form of the kernel's ynl.

use anyhow::{Context, Result};
use std::collections::HashMap;
use yaml_rust2::{Yaml, YamlLoader};

/// The driver's generic netlink family.
pub const GENERIC: &str = include_str!("../../../../../linux-kmod/netlink/muennet.yaml");
/// Links of the driver's kind.
pub const LINKS: &str = include_str!("rt-link.yaml");

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text { max: usize },
    Number { bytes: usize },
    Binary,
    Nest { set: String },
}

/// An attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub name: String,
    pub number: u16,
    pub kind: Kind,
}

/// A request, and its right attributes.
#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub number: u16,
    pub set: String,
    pub attributes: Vec<String>,
    pub is_dump: bool,
}

/// A family.
#[derive(Debug)]
pub struct Specification {
    pub is_generic: bool,
    pub operations: Vec<Operation>,
    sets: HashMap<String, Vec<Attribute>>,
}

impl Specification {
    pub fn parse(text: &str) -> Result<Self> {
        let documents = YamlLoader::load_from_str(text)?;
        let root = documents.first().context("the specification is empty")?;
        let sets = items(&root["attribute-sets"])
            .map(|set| Ok((name(set)?, attributes(set)?)))
            .collect::<Result<_>>()?;
        let operations = items(&root["operations"]["list"])
            .zip(1..)
            .map(|(operation, number)| self::operation(operation, number))
            .collect::<Result<_>>()?;
        Ok(Self {
            is_generic: root["protocol"].as_str() == Some("genetlink"),
            operations,
            sets,
        })
    }

    /// The attributes of a set; none if there is no such set.
    pub fn set(&self, name: &str) -> &[Attribute] {
        self.sets.get(name).map_or(&[], Vec::as_slice)
    }
}

fn items(yaml: &Yaml) -> impl Iterator<Item = &Yaml> {
    yaml.as_vec().into_iter().flatten()
}

fn name(yaml: &Yaml) -> Result<String> {
    let name = yaml["name"].as_str().context("a name is missing")?;
    Ok(name.to_owned())
}

/// A number that is given, or else the place in the list.
fn number(value: &Yaml, place: u16) -> u16 {
    let value = value.as_i64().and_then(|value| u16::try_from(value).ok());
    value.unwrap_or(place)
}

fn attributes(set: &Yaml) -> Result<Vec<Attribute>> {
    items(&set["attributes"])
        .zip(1..)
        .map(|(attribute, place)| {
            let max = attribute["checks"]["max-len"].as_i64();
            let kind = match attribute["type"].as_str().context("a type is missing")? {
                "string" => Kind::Text {
                    max: max.and_then(|max| max.try_into().ok()).unwrap_or(127),
                },
                "nest" => Kind::Nest {
                    set: attribute["nested-attributes"]
                        .as_str()
                        .context("a nest without attributes")?
                        .to_owned(),
                },
                "u8" => Kind::Number { bytes: 1 },
                "u32" => Kind::Number { bytes: 4 },
                "u64" => Kind::Number { bytes: 8 },
                _ => Kind::Binary,
            };
            Ok(Attribute {
                name: name(attribute)?,
                number: number(&attribute["value"], place),
                kind,
            })
        })
        .collect()
}

fn operation(operation: &Yaml, place: u16) -> Result<Operation> {
    let is_dump = operation["do"].is_badvalue();
    let request = &operation[if is_dump { "dump" } else { "do" }]["request"];
    Ok(Operation {
        name: name(operation)?,
        number: number(&request["value"], place),
        set: operation["attribute-set"]
            .as_str()
            .context("an operation without a set")?
            .to_owned(),
        attributes: items(&request["attributes"])
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        is_dump,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_s_family_is_understood() {
        let family = Specification::parse(GENERIC).unwrap();
        assert!(family.is_generic);
        let names: Vec<_> = family
            .operations
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(
            names[..4],
            ["add-child", "del-child", "add-mark", "del-mark"]
        );
        assert_eq!(family.operations[3].number, 4);
        assert_eq!(family.operations[3].attributes, ["child-dev", "mark"]);
        assert!(!family.operations[3].is_dump && family.operations[4].is_dump);
        let set = family.set("main");
        assert_eq!((set.len(), set[15].number), (16, 16));
        assert_eq!(set[1].kind, Kind::Text { max: 15 });
        assert_eq!(set[2].kind, Kind::Number { bytes: 4 });
    }

    #[test]
    fn the_kind_s_attributes_are_two_nests_down() {
        let links = Specification::parse(LINKS).unwrap();
        assert!(!links.is_generic);
        assert_eq!(links.operations[0].number, 16);
        for (set, attribute, number, inner) in [
            ("link-attrs", "linkinfo", 18, "linkinfo-attrs"),
            ("linkinfo-attrs", "data", 2, "linkinfo-muennet-attrs"),
        ] {
            let found = links
                .set(set)
                .iter()
                .find(|it| it.name == attribute)
                .unwrap();
            assert_eq!(found.number, number);
            assert_eq!(
                found.kind,
                Kind::Nest {
                    set: inner.to_owned()
                }
            );
        }
        assert_eq!(links.set("linkinfo-muennet-attrs")[0].name, "mark");
    }
}
