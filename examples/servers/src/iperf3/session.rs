// SPDX-License-Identifier: MIT OR Apache-2.0
//! A test of iperf3, as its control connection runs it: what the client says goes in
//! byte by byte, and what the server says comes out.
//!
//! ```text
//! client                     server
//! cookie                     PARAM_EXCHANGE
//! parameters                 CREATE_STREAMS, or SERVER_ERROR
//! cookie (data connection)   TEST_START, TEST_RUNNING
//! TEST_END                   EXCHANGE_RESULTS
//! results                    results, DISPLAY_RESULTS
//! IPERF_DONE
//! ```

use super::parameters::{Parameters, ParametersError};
use crate::text::Text;
use core::fmt::Write;
use smoltcp::time::{Duration, Instant};

/// The cookie that a client sends first on each of its connections.
pub type Cookie = [u8; 37];

/// States that one end tells the other.
mod state {
    pub const TEST_START: u8 = 1;
    pub const TEST_RUNNING: u8 = 2;
    pub const TEST_END: u8 = 4;
    pub const PARAM_EXCHANGE: u8 = 9;
    pub const CREATE_STREAMS: u8 = 10;
    pub const CLIENT_TERMINATE: u8 = 12;
    pub const EXCHANGE_RESULTS: u8 = 13;
    pub const DISPLAY_RESULTS: u8 = 14;
    pub const IPERF_DONE: u8 = 16;
    pub const ACCESS_DENIED: u8 = -1_i8 as u8;
    pub const SERVER_ERROR: u8 = -2_i8 as u8;
}

/// The answer to a client for which there is no place.
pub const DENIAL: [u8; 1] = [state::ACCESS_DENIED];

/// A client that owes a word is given up after so long.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A test in which no data flows, after so long: iperf3's own limit.
const STANDSTILL: Duration = Duration::from_secs(120);
/// Bytes of the longest parameters.
const PARAMETERS: usize = 2048;
/// Bytes of the longest results of a client, of which none is kept.
const RESULTS: usize = 64 * 1024;
/// Bytes that the server says at once.
const ANSWER: usize = 512;

/// Why a test is not served to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The parameters.
    Parameters(ParametersError),
    /// They would be longer than any client's; bytes.
    LongParameters(usize),
    /// So would the results.
    LongResults(usize),
    /// A word that has no place there.
    Unexpected(u8),
    /// The data connection ended before the test.
    StreamEnded,
    /// Nothing comes any more.
    Silent,
}

impl Refusal {
    /// iperf3's number for it, of which the client prints the meaning.
    pub fn number(self) -> u32 {
        match self {
            // "an option you are trying to set is not implemented yet"
            Self::Parameters(ParametersError::Unsupported(_)) => 13,
            Self::Silent => 108,
            Self::Unexpected(_) => 110,
            Self::Parameters(ParametersError::Malformed) | Self::LongParameters(_) => 114,
            Self::LongResults(_) => 117,
            Self::StreamEnded => 207,
        }
    }
}

/// A text after its length in four bytes.
#[derive(Debug)]
struct Message {
    length: [u8; 4],
    /// Bytes that are there, those of the length among them.
    seen: usize,
}

impl Message {
    const NEW: Self = Self {
        length: [0; 4],
        seen: 0,
    };

    fn length(&self) -> usize {
        u32::from_be_bytes(self.length) as usize
    }

    /// Takes a byte; true if it was the last.
    fn take(&mut self, byte: u8, text: &mut Text<PARAMETERS>) -> bool {
        match self.length.get_mut(self.seen) {
            Some(place) => *place = byte,
            None => text.push(&[byte]),
        }
        self.seen = self.seen.saturating_add(1);
        self.seen.checked_sub(self.length.len()) == Some(self.length())
    }

    /// Whether its length is known and above the limit.
    fn is_longer_than(&self, limit: usize) -> bool {
        self.seen >= self.length.len() && self.length() > limit
    }
}

#[derive(Debug)]
enum Phase {
    /// The client's parameters are to come.
    Parameters(Message),
    /// Its data connection.
    Stream,
    /// The word that ends the test.
    Running,
    /// The client's results.
    Results(Message),
    /// The word that ends all.
    Done,
    /// Nothing more.
    Over,
}

/// A test.
#[derive(Debug)]
pub struct Session {
    cookie: Cookie,
    phase: Phase,
    /// When the client is given up.
    deadline: Instant,
    parameters: Parameters,
    /// From then on bytes count.
    start: Instant,
    end: Instant,
    bytes: u64,
    text: Text<PARAMETERS>,
    answer: Text<ANSWER>,
}

impl Session {
    /// The test of the client that calls itself so.
    pub fn new(cookie: Cookie, now: Instant) -> Self {
        let mut session = Self {
            cookie,
            phase: Phase::Parameters(Message::NEW),
            deadline: now + PATIENCE,
            parameters: Parameters {
                reverse: false,
                omit: Duration::ZERO,
            },
            start: now,
            end: now,
            bytes: 0,
            text: Text::new(),
            answer: Text::new(),
        };
        session.answer.push(&[state::PARAM_EXCHANGE]);
        session
    }

    /// Bytes received on the control connection.
    pub fn take(&mut self, bytes: &[u8], now: Instant) {
        for byte in bytes {
            if let Err(refusal) = self.take_one(*byte, now) {
                self.refuse(refusal);
            }
        }
    }

    fn take_one(&mut self, byte: u8, now: Instant) -> Result<(), Refusal> {
        let next = match &mut self.phase {
            Phase::Parameters(message) => {
                let whole = message.take(byte, &mut self.text);
                if message.is_longer_than(PARAMETERS) {
                    return Err(Refusal::LongParameters(message.length()));
                }
                if !whole {
                    return Ok(());
                }
                let parameters = Parameters::parse(self.text.bytes());
                self.parameters = parameters.map_err(Refusal::Parameters)?;
                self.answer.push(&[state::CREATE_STREAMS]);
                Phase::Stream
            }
            Phase::Results(message) => {
                let whole = message.take(byte, &mut self.text);
                if message.is_longer_than(RESULTS) {
                    return Err(Refusal::LongResults(message.length()));
                }
                if !whole {
                    return Ok(());
                }
                self.report();
                Phase::Done
            }
            Phase::Over => return Ok(()),
            Phase::Running if byte == state::TEST_END => {
                self.end = now;
                self.answer.push(&[state::EXCHANGE_RESULTS]);
                Phase::Results(Message::NEW)
            }
            Phase::Done if byte == state::IPERF_DONE => Phase::Over,
            _ if byte == state::CLIENT_TERMINATE => Phase::Over,
            _ => return Err(Refusal::Unexpected(byte)),
        };
        self.phase = next;
        self.deadline = now + PATIENCE;
        Ok(())
    }

    /// The server's results.
    fn report(&mut self) {
        let time = match self.end > self.start {
            true => (self.end - self.start).total_micros(),
            false => 0,
        };
        let mut text = Text::<{ ANSWER / 2 }>::new();
        // There is room for the largest numbers.
        let _ = write!(
            text,
            "{{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,\
             \"sender_has_retransmits\":0,\"streams\":[{{\"id\":1,\"bytes\":{},\
             \"retransmits\":-1,\"jitter\":0,\"errors\":0,\"packets\":0,\"start_time\":0,\
             \"end_time\":{}.{:06}}}]}}",
            self.bytes,
            time / 1_000_000,
            time % 1_000_000
        );
        let length = text.bytes().len() as u32;
        self.answer.push(&length.to_be_bytes());
        self.answer.push(text.bytes());
        self.answer.push(&[state::DISPLAY_RESULTS]);
    }

    /// Ends the test; the client is told why.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.answer.push(&[state::SERVER_ERROR]);
        self.answer.push(&refusal.number().to_be_bytes());
        // No error number of an operating system.
        self.answer.push(&[0; 4]);
        self.phase = Phase::Over;
    }

    /// Ends the test, as the client is gone.
    pub fn abandon(&mut self) {
        self.phase = Phase::Over;
    }

    /// Whether a data connection is to come.
    pub fn needs_stream(&self) -> bool {
        matches!(self.phase, Phase::Stream)
    }

    /// Whether the client calls itself so.
    pub fn is_of(&self, cookie: &Cookie) -> bool {
        self.cookie == *cookie
    }

    /// The data connection is there.
    pub fn stream(&mut self, now: Instant) {
        self.answer.push(&[state::TEST_START, state::TEST_RUNNING]);
        self.phase = Phase::Running;
        self.start = now + self.parameters.omit;
        self.deadline = now + STANDSTILL;
    }

    /// Whether data flows.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    /// Whether the server is to send now.
    pub fn is_sending(&self) -> bool {
        self.is_running() && self.parameters.reverse
    }

    /// Whether the server has sent all that it will.
    pub fn has_sent(&self) -> bool {
        self.parameters.reverse && !self.is_running()
    }

    /// So many bytes passed on the data connection.
    pub fn passed(&mut self, bytes: usize, now: Instant) {
        if bytes == 0 || !self.is_running() {
            return;
        }
        self.deadline = now + STANDSTILL;
        if now >= self.start {
            self.bytes = self.bytes.saturating_add(bytes as u64);
        }
    }

    /// Gives up a client that is silent.
    pub fn watch(&mut self, now: Instant) {
        if now >= self.deadline && !self.is_over() {
            self.refuse(Refusal::Silent);
        }
    }

    /// Whether all is said, but for the answer.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Bytes to send on the control connection.
    pub fn answer(&self) -> &[u8] {
        self.answer.bytes()
    }

    /// It was said.
    pub fn answered(&mut self) {
        self.answer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::String, vec::Vec};

    const NOW: Instant = Instant::ZERO;
    const COOKIE: Cookie = *b"abcdefghijklmnopqrstuvwxyz0123456789\0";
    const GOOD: &str = r#"{"tcp":true,"parallel":1}"#;

    fn message(text: &str) -> Vec<u8> {
        [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
    }

    fn said(session: &mut Session) -> Vec<u8> {
        let said = session.answer().to_vec();
        session.answered();
        said
    }

    fn error(refusal: Refusal) -> Vec<u8> {
        [&[0xfe][..], &refusal.number().to_be_bytes(), &[0; 4]].concat()
    }

    /// A test with these parameters, which has heard its answer to them.
    fn asked(parameters: &str) -> (Session, Vec<u8>) {
        let mut session = Session::new(COOKIE, NOW);
        assert_eq!(said(&mut session), [9]);
        session.take(&message(parameters), NOW);
        let answer = said(&mut session);
        (session, answer)
    }

    fn running(parameters: &str) -> Session {
        let (mut session, answer) = asked(parameters);
        assert_eq!(answer, [10]);
        assert!(session.needs_stream() && session.is_of(&COOKIE));
        session.stream(NOW);
        assert_eq!(said(&mut session), [1, 2]);
        assert!(session.is_running() && !session.needs_stream());
        session
    }

    fn results(session: &mut Session) -> String {
        session.take(&message("{}"), NOW);
        let said = said(session);
        let (length, rest) = said.split_at(4);
        let (text, last) = rest.split_at(rest.len() - 1);
        assert_eq!(length, (text.len() as u32).to_be_bytes());
        assert_eq!(last, [14]);
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn a_test_from_start_to_end() {
        let mut session = running(GOOD);
        assert!(!session.is_sending());
        session.passed(1000, NOW);
        session.passed(234, NOW + Duration::from_secs(1));
        session.take(&[4], NOW + Duration::from_millis(1500));
        assert_eq!(said(&mut session), [13]);
        // It is over: this does not count.
        session.passed(1, NOW);
        let results = results(&mut session);
        assert!(results.contains(r#""bytes":1234,"#), "{results}");
        assert!(results.ends_with(r#""end_time":1.500000}]}"#), "{results}");
        assert!(!session.is_over());
        session.take(&[16, 16, 4], NOW);
        assert!(session.is_over() && session.answer().is_empty());
    }

    #[test]
    fn reverse_and_what_is_left_out() {
        let mut session = running(r#"{"tcp":true,"reverse":true,"omit":2}"#);
        assert!(session.is_sending() && !session.has_sent());
        session.passed(1000, NOW + Duration::from_millis(1999));
        session.passed(5, NOW + Duration::from_secs(2));
        session.take(&[4], NOW + Duration::from_secs(3));
        assert!(!session.is_sending() && session.has_sent());
        session.answered();
        let results = results(&mut session);
        assert!(results.contains(r#""bytes":5,"#), "{results}");
        assert!(results.ends_with(r#""end_time":1.000000}]}"#), "{results}");
    }

    #[test]
    fn refusals_are_told() {
        let parameters = |text| asked(text).1;
        let unsupported = error(Refusal::Parameters(ParametersError::Unsupported("")));
        assert_eq!(parameters(r#"{"udp":true}"#), unsupported);
        let malformed = error(Refusal::Parameters(ParametersError::Malformed));
        assert_eq!(parameters(""), malformed);

        let mut session = Session::new(COOKIE, NOW);
        session.answered();
        session.take(&[0, 0, 8, 1, 0, 0], NOW);
        assert_eq!(said(&mut session), error(Refusal::LongParameters(2049)));

        let mut session = running(GOOD);
        session.take(&[16, 4, 12], NOW);
        assert_eq!(said(&mut session), error(Refusal::Unexpected(16)));
        assert!(session.is_over());

        let mut session = running(GOOD);
        session.take(&[4, 255, 255, 255, 255], NOW);
        let told = [&[13][..], &error(Refusal::LongResults(0))].concat();
        assert_eq!(said(&mut session), told);
    }

    #[test]
    fn the_longest_answer_has_room() {
        let mut session = running(GOOD);
        session.passed(usize::MAX, NOW);
        session.passed(usize::MAX, NOW);
        session.take(&[4], Instant::from_micros(i64::MAX / 2));
        session.answered();
        let results = results(&mut session);
        assert!(results.contains("18446744073709551615"), "{results}");
        assert!(results.ends_with("}]}"), "{results}");
        assert!(results.len() < ANSWER / 2);
    }

    #[test]
    fn the_silent_are_given_up() {
        let mut session = Session::new(COOKIE, NOW);
        session.answered();
        session.watch(NOW + PATIENCE - Duration::from_micros(1));
        assert!(!session.is_over());
        session.watch(NOW + PATIENCE);
        assert_eq!(said(&mut session), error(Refusal::Silent));

        let mut session = running(GOOD);
        session.watch(NOW + PATIENCE);
        session.passed(1, NOW + PATIENCE);
        session.watch(NOW + STANDSTILL);
        assert!(session.is_running());
        session.watch(NOW + PATIENCE + STANDSTILL);
        assert!(session.is_over());
    }

    #[test]
    fn whatever_a_client_says_ends() {
        // A generator of pseudo-random numbers: xorshift.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..20_000 {
            let mut session = Session::new(COOKIE, NOW);
            for _ in 0..random() % 12 {
                match random() % 6 {
                    0 => session.take(&message(GOOD), NOW),
                    1 if session.needs_stream() => session.stream(NOW),
                    2 => session.take(&[4], NOW),
                    3 => session.take(&message("{}"), NOW),
                    4 => session.passed(random() as usize, NOW),
                    _ => session.take(&random().to_be_bytes()[..(random() % 9) as usize], NOW),
                }
            }
            assert!(session.answer().len() < ANSWER);
            session.watch(Instant::from_secs(1 << 20));
            assert!(session.is_over());
        }
    }
}
