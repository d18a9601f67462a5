// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client beside a kernel whose answers are scripted.

use super::*;
use netlink_packet_core::Emitable;
use std::collections::VecDeque;

/// A netlink message with a body of whole words.
fn packet(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = (16 + body.len() as u32).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

const ERROR: u16 = 2;
const DONE: u16 = 3;
const MULTI: u16 = 2;

fn mark(child: u8, mark: u8) -> Vec<u8> {
    #[rustfmt::skip]
    let body = [
        7, 1, 0, 0,
        6, 0, 2, 0,  child, 0, 0, 0,
        8, 0, 3, 0,  mark, 0, 0, 0,
    ];
    body.to_vec()
}

#[test]
#[cfg(target_endian = "little")]
fn a_list_comes_in_many_messages_and_ends_with_done() {
    let mut answers = Answers::<Message>::new(5);
    let mut datagram = packet(0x20, MULTI, 5, &mark(b'a', 1));
    datagram.extend(packet(0x20, MULTI, 5, &mark(b'b', 2)));
    answers.take(&datagram).unwrap();
    assert!(!answers.complete);
    // Of another question.
    answers
        .take(&packet(0x20, MULTI, 4, &mark(b'x', 9)))
        .unwrap();
    answers.take(&packet(DONE, MULTI, 5, &[0; 4])).unwrap();
    assert!(answers.complete && !answers.interrupted);
    let second = &answers.messages[1].attributes;
    assert_eq!(answers.messages.len(), 2);
    assert_eq!(
        *second,
        [Attribute::ChildDev("b".into()), Attribute::Mark(2)]
    );
}

#[test]
fn a_list_that_changed_meanwhile_is_known() {
    let mut answers = Answers::<Message>::new(1);
    answers
        .take(&packet(DONE, MULTI | NLM_F_DUMP_INTR, 1, &[0; 4]))
        .unwrap();
    assert!(answers.complete && answers.interrupted);
}

#[test]
fn a_refusal_carries_number_and_words() {
    let mut body = (-EPERM).to_ne_bytes().to_vec();
    body.extend([0; 16]);
    body.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
    let mut answers = Answers::<Message>::new(1);
    let error = answers.take(&packet(ERROR, 0x300, 1, &body)).unwrap_err();
    assert_eq!(error.to_string(), "no! (Operation not permitted)");
    assert!(error.advice().unwrap().contains("CAP_NET_ADMIN"));

    let mut done = (-ENODEV).to_ne_bytes().to_vec();
    done.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
    let mut answers = Answers::<Message>::new(1);
    let error = answers.take(&packet(DONE, MULTI, 1, &done)).unwrap_err();
    assert_eq!(error.to_string(), "no! (No such device)");
}

#[test]
fn an_acknowledgement_completes() {
    let mut answers = Answers::<Message>::new(1);
    let mut body = vec![0; 4];
    body.extend([0; 16]);
    answers.take(&packet(ERROR, 0x100, 1, &body)).unwrap();
    assert!(answers.complete);
}

#[test]
fn a_torn_answer_is_an_error() {
    let mut answers = Answers::<Message>::new(1);
    assert!(answers.take(&[1, 2, 3]).is_err());
    let mut torn = packet(0x20, MULTI, 1, &mark(b'a', 1));
    torn.truncate(20);
    assert!(answers.take(&torn).is_err());
}

/// A kernel that keeps the requests and gives prepared answers, each with the number of the
/// request before it.
#[derive(Debug, Default)]
pub(crate) struct Script {
    requests: Vec<Vec<u8>>,
    answers: VecDeque<Vec<u8>>,
}

impl Kernel for Script {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.requests.push(datagram.to_owned());
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut answer = self.answers.pop_front().ok_or(io::ErrorKind::TimedOut)?;
        let request = self.requests.last().expect("an answer needs a request");
        answer[8..12].copy_from_slice(&request[8..12]);
        Ok(answer)
    }
}

const ID: u16 = 0x1c;
const CONTROLLER: u16 = 16;

/// An answer of the family `from`.
fn answer<F: GenlFamily + fmt::Debug + Emitable>(from: u16, payload: F) -> Vec<u8> {
    let mut message = GenlMessage::from_payload(payload);
    message.set_resolved_family_id(from);
    let mut packet = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    bytes
}

fn refused(number: i32) -> Vec<u8> {
    let mut body = (-number).to_ne_bytes().to_vec();
    body.extend([0; 16]);
    packet(ERROR, 0, 0, &body)
}

fn acknowledged() -> Vec<u8> {
    refused(0)
}

fn done(flags: u16) -> Vec<u8> {
    packet(DONE, MULTI | flags, 0, &[0; 4])
}

/// The driver as the controller describes it.
fn family(id: u16, commands: &[Command]) -> Vec<u8> {
    let operation = |command: &Command| vec![OpAttrs::Id(u32::from(*command as u8))];
    answer(
        CONTROLLER,
        GenlCtrl {
            cmd: GenlCtrlCmd::NewFamily,
            nlas: vec![
                GenlCtrlAttrs::FamilyName(FAMILY.to_owned()),
                GenlCtrlAttrs::FamilyId(id),
                GenlCtrlAttrs::Ops(commands.iter().map(operation).collect()),
            ],
        },
    )
}

/// A client of a driver that knows `commands`; the kernel gives `answers`.
pub(crate) fn client(commands: &[Command], answers: Vec<Vec<u8>>) -> Client<Script> {
    let found = [family(ID, commands), acknowledged()];
    let kernel = Script {
        requests: vec![],
        answers: found.into_iter().chain(answers).collect(),
    };
    Client::over(kernel).unwrap()
}

/// An entry of a list.
pub(crate) fn entry(command: Command, attributes: Vec<Attribute>) -> Vec<u8> {
    answer(ID, Message::new(command, attributes))
}

/// The end of a list.
pub(crate) fn end() -> Vec<u8> {
    done(0)
}

/// Family, flags and number of a request.
fn header(request: &[u8]) -> (u16, u16, u32) {
    let half = |at: usize| u16::from_ne_bytes([request[at], request[at + 1]]);
    let number = request[8..12].try_into().unwrap();
    (half(4), half(6), u32::from_ne_bytes(number))
}

#[test]
fn a_command_goes_to_the_family_that_was_found() {
    let mut client = client(&[Command::AddMark], vec![acknowledged()]);
    let attributes = vec![Attribute::ChildDev("c1".into()), Attribute::Mark(5)];
    client
        .execute(Command::AddMark, attributes.clone())
        .unwrap();
    let requests = &client.kernel.requests;
    assert_eq!(header(&requests[0]), (CONTROLLER, 5, 1));
    assert_eq!(header(&requests[1]), (ID, 5, 2));
    let mut expected = entry(Command::AddMark, attributes);
    expected[6..12].copy_from_slice(&requests[1][6..12]);
    assert_eq!(requests[1], expected);
    // A refusal is the command's.
    client.kernel.answers.push_back(refused(ENODEV));
    let error = client.execute(Command::AddMark, vec![]).unwrap_err();
    assert_eq!(error.to_string(), "No such device");
    assert!(error.advice().unwrap().contains("muennet_cfg list"));
}

#[test]
fn a_command_that_the_driver_lacks_is_not_sent() {
    let mut old = client(&[Command::AddMark], vec![]);
    let error = old.dump(Command::GetMark).unwrap_err();
    assert!(matches!(error, Error::NoCommand), "{error}");
    assert!(error.advice().unwrap().contains("came with this program"));
    assert!(matches!(
        old.execute(Command::DelMark, vec![]),
        Err(Error::NoCommand)
    ));
    assert_eq!(old.kernel.requests.len(), 1);
    // One that does not tell its commands may know all.
    let mut silent = client(&[], vec![acknowledged()]);
    silent.execute(Command::DelMark, vec![]).unwrap();
}

#[test]
fn a_driver_that_is_not_loaded_is_told() {
    for answers in [vec![refused(ENOENT)], vec![family(0, &[]), acknowledged()]] {
        let kernel = Script {
            requests: vec![],
            answers: answers.into(),
        };
        let error = Client::over(kernel).unwrap_err();
        assert!(matches!(error, Error::NoFamily), "{error}");
        assert!(error.advice().unwrap().contains("modprobe"));
    }
    let refused = Script {
        requests: vec![],
        answers: [refused(EPERM)].into(),
    };
    assert!(matches!(Client::over(refused), Err(Error::Refused(_))));
}

#[test]
fn a_list_that_changes_is_read_again() {
    let mark = |mark| entry(Command::GetMark, vec![Attribute::Mark(mark)]);
    let changed = || [mark(1), done(NLM_F_DUMP_INTR)];
    let mut steady = client(
        &[],
        changed()
            .into_iter()
            .chain([mark(2), mark(3), end()])
            .collect(),
    );
    let list = steady.dump(Command::GetMark).unwrap();
    assert_eq!(list, [[Attribute::Mark(2)], [Attribute::Mark(3)]]);
    assert_eq!(header(&steady.kernel.requests[2]), (ID, 0x301, 3));

    let mut unsteady = client(&[], (0..ATTEMPTS).flat_map(|_| changed()).collect());
    let error = unsteady.dump(Command::GetMark).unwrap_err();
    assert!(matches!(error, Error::Unsteady) && error.advice().is_none());
    assert!(unsteady.kernel.answers.is_empty());
}
