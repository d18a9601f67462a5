// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of interfaces, their children, and the children's marks.

use crate::{
    client::{Client, Error},
    message::{Attribute, Command},
    socket::Kernel,
};
use serde::Serialize;

/// An interface with children, as this network namespace sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Properties that are visible here; none if it is in another network namespace, from
    /// where this one has children of it.
    #[serde(flatten)]
    pub here: Option<Here>,
    /// Its children in this network namespace, by name.
    pub children: Vec<Child>,
}

/// An interface with channels, in this network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Here {
    /// Its index.
    pub ifindex: u32,
    /// `raw`, `net_hdr` or `eth_dev`.
    pub mode: String,
    /// Its input channel; empty if there is none.
    #[serde(rename = "in")]
    pub input: String,
    /// Its output channel; empty if there is none.
    #[serde(rename = "out")]
    pub output: String,
    /// Bytes of its largest packet.
    pub mtu: u32,
    /// Whether its peer is there.
    pub carrier: bool,
    /// Frames received.
    pub rx_frames: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Frames overwritten before they were read.
    pub rx_lost: u64,
    /// Frames that were no frames.
    pub rx_rejected: u64,
    /// Times the peer began anew.
    pub epochs: u64,
}

/// A child of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// Frames received.
    pub rx_frames: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Its marks, in order.
    pub marks: Vec<u32>,
    #[serde(skip)]
    parent: String,
    /// The parent's index, if it is in this network namespace.
    #[serde(skip)]
    parent_index: Option<u32>,
}

/// Asks the driver for all of it.
pub fn read<K: Kernel>(client: &mut Client<K>) -> Result<Vec<Interface>, Error> {
    let interfaces = client.dump(Command::GetInterface)?;
    let children = client.dump(Command::GetChild)?;
    let marks = client.dump(Command::GetMark)?;
    Ok(assemble(interfaces, children, marks))
}

/// Puts the three lists together. They were read one after the other: what belongs to
/// an interface or a child that was not there then is left out. A child whose parent
/// has no index here comes from another network namespace.
fn assemble(
    interfaces: Vec<Vec<Attribute>>,
    children: Vec<Vec<Attribute>>,
    marks: Vec<Vec<Attribute>>,
) -> Vec<Interface> {
    let mut children: Vec<Child> = children.into_iter().map(child).collect();
    for attributes in marks {
        let (mut name, mut value) = (None, None);
        for attribute in attributes {
            match attribute {
                Attribute::ChildDev(child) => name = Some(child),
                Attribute::Mark(mark) => value = Some(mark),
                _ => {}
            }
        }
        let child = children
            .iter_mut()
            .find(|child| Some(&child.name) == name.as_ref());
        if let (Some(child), Some(mark)) = (child, value) {
            child.marks.push(mark);
        }
    }
    for child in &mut children {
        child.marks.sort_unstable();
    }
    children.sort_by(|a, b| a.name.cmp(&b.name));
    let mut found: Vec<Interface> = interfaces.into_iter().map(interface).collect();
    found.sort_by_key(|interface| interface.here.as_ref().map(|here| here.ifindex));
    for child in children {
        let is_parent = |interface: &&mut Interface| match (&interface.here, child.parent_index) {
            (Some(here), Some(index)) => here.ifindex == index,
            (None, None) => interface.name == child.parent,
            _ => false,
        };
        if let Some(parent) = found.iter_mut().find(is_parent) {
            parent.children.push(child);
        } else if child.parent_index.is_none() {
            found.push(Interface {
                name: child.parent.clone(),
                here: None,
                children: vec![child],
            });
        }
    }
    found
}

fn interface(attributes: Vec<Attribute>) -> Interface {
    let (mut name, mut here) = (String::new(), Here::default());
    for attribute in attributes {
        match attribute {
            Attribute::Dev(dev) => name = dev,
            Attribute::IfIndex(index) => here.ifindex = index,
            Attribute::Mode(mode) => here.mode = mode,
            Attribute::In(channel) => here.input = channel,
            Attribute::Out(channel) => here.output = channel,
            Attribute::Mtu(mtu) => here.mtu = mtu,
            Attribute::Carrier(carrier) => here.carrier = carrier,
            Attribute::RxFrames(count) => here.rx_frames = count,
            Attribute::TxFrames(count) => here.tx_frames = count,
            Attribute::RxLost(count) => here.rx_lost = count,
            Attribute::RxRejected(count) => here.rx_rejected = count,
            Attribute::Epochs(count) => here.epochs = count,
            Attribute::ChildDev(_)
            | Attribute::Mark(_)
            | Attribute::ParentIfIndex(_)
            | Attribute::Unknown(_) => {}
        }
    }
    Interface {
        name,
        here: Some(here),
        children: Vec::new(),
    }
}

fn child(attributes: Vec<Attribute>) -> Child {
    let mut child = Child::default();
    for attribute in attributes {
        match attribute {
            Attribute::Dev(name) => child.parent = name,
            Attribute::ChildDev(name) => child.name = name,
            Attribute::IfIndex(index) => child.ifindex = index,
            Attribute::RxFrames(count) => child.rx_frames = count,
            Attribute::TxFrames(count) => child.tx_frames = count,
            Attribute::ParentIfIndex(index) => child.parent_index = Some(index),
            _ => {}
        }
    }
    child
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Vec<Interface> {
        let interfaces = vec![
            vec![
                Attribute::Dev("mirage1".into()),
                Attribute::IfIndex(4),
                Attribute::Mode("eth_dev".into()),
                Attribute::In("mirage1|out".into()),
                Attribute::Out(String::new()),
                Attribute::Mtu(1500),
                Attribute::Carrier(false),
            ],
            vec![
                Attribute::Dev("net0".into()),
                Attribute::IfIndex(3),
                Attribute::Mode("net_hdr".into()),
                Attribute::In("testchannel_4".into()),
                Attribute::Out("testchannel_3".into()),
                Attribute::Mtu(1500),
                Attribute::Carrier(true),
                Attribute::RxFrames(120),
                Attribute::TxFrames(118),
                Attribute::RxLost(2),
                Attribute::RxRejected(0),
                Attribute::Epochs(1),
            ],
        ];
        let child = |name: &str, index| {
            vec![
                Attribute::Dev("net0".into()),
                Attribute::ChildDev(name.into()),
                Attribute::IfIndex(index),
                Attribute::RxFrames(12),
                Attribute::TxFrames(3),
                Attribute::ParentIfIndex(3),
            ]
        };
        let mark = |name: &str, mark| vec![Attribute::ChildDev(name.into()), Attribute::Mark(mark)];
        let orphan = vec![
            Attribute::Dev("gone".into()),
            Attribute::ChildDev("lost".into()),
            Attribute::ParentIfIndex(9),
        ];
        // Its parent's name is also that of an interface here, which is another.
        let foreign = vec![
            Attribute::Dev("net0".into()),
            Attribute::ChildDev("c3".into()),
            Attribute::IfIndex(7),
        ];
        assemble(
            interfaces,
            vec![child("c2", 6), orphan, foreign, child("c1", 5)],
            vec![
                mark("c1", 9),
                mark("c1", 5),
                mark("c1", 7),
                mark("nobody", 1),
                mark("c1", 8),
            ],
        )
    }

    #[test]
    fn three_lists_become_one_tree() {
        let tree = sample();
        assert_eq!(tree.len(), 3);
        assert_eq!(tree[0].name, "net0");
        assert_eq!(tree[0].here.as_ref().unwrap().rx_lost, 2);
        let names: Vec<_> = tree[0].children.iter().map(|child| &child.name).collect();
        assert_eq!(names, ["c1", "c2"]);
        assert_eq!(tree[0].children[0].marks, [5, 7, 8, 9]);
        assert!(tree[0].children[1].marks.is_empty());
        assert!(tree[1].children.is_empty() && !tree[1].here.as_ref().unwrap().carrier);
        assert_eq!((&*tree[2].name, &tree[2].here), ("net0", &None));
        assert_eq!(tree[2].children[0].name, "c3");
    }

    #[test]
    fn the_driver_is_asked_for_three_lists() {
        use crate::client::tests::{client, end, entry};

        let foreign = |parent: &str, name: &str, index| {
            let attributes = vec![
                Attribute::Dev(parent.into()),
                Attribute::ChildDev(name.into()),
                Attribute::IfIndex(index),
            ];
            entry(Command::GetChild, attributes)
        };
        let mark = vec![Attribute::ChildDev("b".into()), Attribute::Mark(3)];
        let answers = vec![
            end(),
            foreign("net0", "b", 8),
            foreign("net1", "c", 9),
            foreign("net0", "a", 7),
            end(),
            entry(Command::GetMark, mark),
            end(),
        ];
        // Those of one parent are together, whose name is all that is known of it here.
        let found = read(&mut client(&[], answers)).unwrap();
        let children = |at: usize| -> Vec<(&str, u32)> {
            let children = found[at].children.iter();
            children
                .map(|child| (&*child.name, child.ifindex))
                .collect()
        };
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].name, &found[0].here), ("net0", &None));
        assert_eq!(children(0), [("a", 7), ("b", 8)]);
        assert_eq!(found[0].children[1].marks, [3]);
        assert_eq!(children(1), [("c", 9)]);
    }

    #[test]
    fn json_has_the_names_of_the_parameters() {
        let json: serde_json::Value = serde_json::to_value(sample()).unwrap();
        assert_eq!(json[0]["in"], "testchannel_4");
        assert_eq!(json[0]["carrier"], true);
        assert_eq!(json[0]["children"][0]["marks"][3], 9);
        assert_eq!(json[1]["name"], "mirage1");
        assert_eq!(json[0]["children"][0].get("parent"), None);
        assert_eq!(json[2]["children"][0]["name"], "c3");
        assert_eq!(json[2].get("ifindex"), None);
    }
}
