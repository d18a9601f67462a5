// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parameters of an iperf3 client: one flat JSON object, of which few members matter.

use smoltcp::time::Duration;

/// A test that can be served: one TCP connection, one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// The server sends.
    pub reverse: bool,
    /// Seconds at the start that do not count.
    pub omit: Duration,
}

/// Why there is no such test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParametersError {
    /// They are no flat JSON object.
    Malformed,
    /// They ask for what this server cannot do; the member's name.
    Unsupported(&'static str),
}

/// Members that ask for something that is not served.
const UNSUPPORTED: [&str; 3] = ["udp", "sctp", "bidirectional"];
/// A sender that is to hold back.
const PACED: [&str; 2] = ["bandwidth", "fqrate"];
/// Seconds that iperf3 lets be left out at most.
const MAX_OMIT: u64 = 600;

impl Parameters {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// The text is not what a client sends, or asks for more than is served.
    pub fn parse(text: &[u8]) -> Result<Self, ParametersError> {
        let mut asked = Self {
            reverse: false,
            omit: Duration::ZERO,
        };
        let (mut tcp, mut paced) = (false, None);
        let mut scanner = Scanner { rest: text };
        scanner.object(|key, value| {
            let named = |name: &&&str| name.as_bytes() == key;
            if let Some(name) = UNSUPPORTED.iter().find(named) {
                return if value.is_set() {
                    Err(ParametersError::Unsupported(name))
                } else {
                    Ok(())
                };
            }
            if let Some(name) = PACED.iter().find(named) {
                if value.is_set() {
                    paced = Some(*name);
                }
            }
            match key {
                b"tcp" => tcp = value.is_set(),
                b"reverse" => asked.reverse = value.is_set(),
                b"parallel" if value.number() != Some(1) => {
                    return Err(ParametersError::Unsupported("parallel"));
                }
                b"omit" => {
                    let seconds = value.number().filter(|seconds| *seconds <= MAX_OMIT);
                    let seconds = seconds.ok_or(ParametersError::Unsupported("omit"))?;
                    asked.omit = Duration::from_secs(seconds);
                }
                _ => {}
            }
            Ok(())
        })?;
        match (tcp, paced.filter(|_| asked.reverse)) {
            (false, _) => Err(ParametersError::Unsupported("protocol")),
            (true, Some(name)) => Err(ParametersError::Unsupported(name)),
            (true, None) => Ok(asked),
        }
    }
}

/// The value of a member.
enum Value<'a> {
    /// A string.
    String,
    /// A number, or one of the words `true`, `false` and `null`.
    Word(&'a [u8]),
}

impl Value<'_> {
    /// For iperf3 all is set that is there; its clients send no `false`.
    fn is_set(&self) -> bool {
        !matches!(self, Self::Word(b"false" | b"null" | b"0"))
    }

    fn number(&self) -> Option<u64> {
        match self {
            Self::Word(word) => core::str::from_utf8(word).ok()?.parse().ok(),
            Self::String => None,
        }
    }
}

/// Reads JSON of which nothing nests.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// The next byte that is no space, which stays.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn take(&mut self, byte: u8) -> Result<(), ParametersError> {
        if self.peek() != Some(byte) {
            return Err(ParametersError::Malformed);
        }
        self.rest = &self.rest[1..];
        Ok(())
    }

    /// Up to the first byte that ends it, which stays.
    fn until(&mut self, ends: impl FnMut(&u8) -> bool) -> Result<&'a [u8], ParametersError> {
        let end = self.rest.iter().position(ends);
        let (taken, rest) = self.rest.split_at(end.ok_or(ParametersError::Malformed)?);
        self.rest = rest;
        Ok(taken)
    }

    /// The text between quotes, its escapes as they are.
    fn string(&mut self) -> Result<&'a [u8], ParametersError> {
        self.take(b'"')?;
        let mut escaped = false;
        let text = self.until(|byte| {
            let end = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            end
        })?;
        self.take(b'"')?;
        Ok(text)
    }

    fn value(&mut self) -> Result<Value<'a>, ParametersError> {
        if self.peek() == Some(b'"') {
            return self.string().map(|_| Value::String);
        }
        let word = self
            .until(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'E'))?;
        if word.is_empty() {
            return Err(ParametersError::Malformed);
        }
        Ok(Value::Word(word))
    }

    /// All of the text: an object, whose members are given one by one.
    fn object(
        &mut self,
        mut member: impl FnMut(&[u8], Value<'_>) -> Result<(), ParametersError>,
    ) -> Result<(), ParametersError> {
        self.take(b'{')?;
        while self.peek() != Some(b'}') {
            let key = self.string()?;
            self.take(b':')?;
            member(key, self.value()?)?;
            if self.peek() != Some(b'}') {
                self.take(b',')?;
            }
        }
        self.take(b'}')?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(ParametersError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_WAY: Parameters = Parameters {
        reverse: false,
        omit: Duration::ZERO,
    };

    #[test]
    fn what_clients_ask_for() {
        let text = br#"{"tcp":true,"omit":0,"time":10,"num":0,"blockcount":0,"parallel":1,"len":131072,"pacing_timer":1000,"client_version":"3.12"}"#;
        assert_eq!(Parameters::parse(text), Ok(ONE_WAY));
        let text = br#"{"tcp":true,"omit":3,"time":0,"num":1e+20,"parallel":1,"reverse":true,"congestion":"reno","zerocopy":1,"extra_data":"a\"b\\"}"#;
        let reverse = Parameters {
            reverse: true,
            omit: Duration::from_secs(3),
        };
        assert_eq!(Parameters::parse(text), Ok(reverse));
        let text = b" {\"tcp\" : 1 ,\n\t\"bandwidth\": 1000, \"udp\": false }\0";
        assert_eq!(
            Parameters::parse(text.strip_suffix(b"\0").unwrap()),
            Ok(ONE_WAY)
        );
    }

    #[test]
    fn what_is_not_served() {
        for (text, name) in [
            (r#"{"udp":true,"parallel":1}"#, "udp"),
            (r#"{"sctp":true}"#, "sctp"),
            (r#"{}"#, "protocol"),
            (r#"{"tcp":true,"parallel":2}"#, "parallel"),
            (r#"{"tcp":true,"parallel":"1"}"#, "parallel"),
            (r#"{"tcp":true,"bidirectional":true}"#, "bidirectional"),
            (r#"{"tcp":true,"omit":601}"#, "omit"),
            (r#"{"tcp":true,"omit":-1}"#, "omit"),
            (r#"{"tcp":1,"reverse":1,"bandwidth":9}"#, "bandwidth"),
            (r#"{"tcp":1,"fqrate":9,"reverse":1}"#, "fqrate"),
        ] {
            let expected = Err(ParametersError::Unsupported(name));
            assert_eq!(Parameters::parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_object() {
        let good = br#"{"tcp":true,"title":"a\"b","omit":0}"#;
        assert!(Parameters::parse(good).is_ok());
        for end in 0..good.len() {
            let cut = Parameters::parse(&good[..end]);
            assert_eq!(cut, Err(ParametersError::Malformed), "{end}");
        }
        for text in [
            "[]",
            "{\"tcp\":true}}",
            "{\"tcp\":true,\"a\":[1]}",
            "{\"tcp\":true,\"a\":{\"b\":1}}",
            "{\"tcp\":true \"a\":1}",
            "{\"tcp\"}",
            "{tcp:true}",
            "{\"tcp\":}",
            "{\"tcp\":true}\0",
        ] {
            let result = Parameters::parse(text.as_bytes());
            assert_eq!(result, Err(ParametersError::Malformed), "{text}");
        }
    }
}
