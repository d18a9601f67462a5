// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files with names made to trick a terminal: the programs print nothing but text.

use std::{
    ffi::OsStr,
    fs::File,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Output},
};

const HOST: &str = env!("CARGO_BIN_EXE_muennet-host");
const SERVER: &str = env!("CARGO_BIN_EXE_muen-ivshmem");

const NAMES: [&[u8]; 5] = [
    b"\x1b]0;title\x07\x1b[2J\x1bc",
    b"\xc2\x9b31m\xc2\x90q\xc2\x9c\x7f",
    b"a\nb\rc\td\x08",
    b"\xff\xfe\x9b31m\x80",
    &[b'x'; 250],
];

fn run(program: &str, arguments: &[&OsStr]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

/// Only text left on both streams: no control but the ends of lines.
fn only_text(output: &Output, name: &[u8]) {
    for stream in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(stream).unwrap();
        let is_hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !text.contains(is_hostile),
            "{:?}: {text:?}",
            name.escape_ascii().to_string()
        );
    }
}

fn channel(folder: &Path, name: &[u8]) -> std::path::PathBuf {
    let path = folder.join(OsStr::from_bytes(name));
    File::create(&path).unwrap().set_len(1 << 16).unwrap();
    path
}

#[test]
fn a_channel_s_file_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = channel(folder.path(), name);
        for more in [&[][..], &["--json"]] {
            let mut arguments: Vec<_> = ["inspect", "--once", "--interval", "1", "--file"]
                .map(OsStr::new)
                .to_vec();
            arguments.push(path.as_os_str());
            arguments.extend(more.iter().map(OsStr::new));
            let output = run(HOST, &arguments);
            assert!(output.status.success(), "{output:?}");
            assert!(!output.stdout.is_empty());
            only_text(&output, name);
        }
        let capture = folder
            .path()
            .join(OsStr::from_bytes(&[name, b".p"].concat()[1..]));
        let mut arguments: Vec<_> = ["inspect", "--once", "--interval", "1", "--file"]
            .map(OsStr::new)
            .to_vec();
        arguments.extend([path.as_os_str(), OsStr::new("--pcap"), capture.as_os_str()]);
        let output = run(HOST, &arguments);
        assert!(
            output.status.success() && !output.stderr.is_empty(),
            "{output:?}"
        );
        only_text(&output, name);
    }
}

#[test]
fn an_error_may_name_any_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let missing = folder.path().join(OsStr::from_bytes(name));
        let [file, observe, tap] = ["--file", "--observe", "--tap"].map(OsStr::new);
        let [inspect, bridge, input, output] =
            ["inspect", "bridge", "--in-file", "--out-file"].map(OsStr::new);
        let [policy, once] = ["--policy", "--once"].map(OsStr::new);
        let path = missing.as_os_str();
        for (program, arguments) in [
            (HOST, &[inspect, once, file, path][..]),
            (HOST, &[inspect, once, observe, path]),
            (
                HOST,
                &[bridge, tap, OsStr::new("t"), input, path, output, path],
            ),
            (SERVER, &[policy, path]),
        ] {
            let output = run(program, arguments);
            assert!(
                !output.status.success() && !output.stderr.is_empty(),
                "{output:?}"
            );
            only_text(&output, name);
        }
    }
}

#[test]
fn a_policy_may_have_any_names() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let text = "[[subject]]\nname = \"a\\u001b[2J\\u009b1m\"\n[[subject]]\nname = \"b\\nc\"\n\
                [[channel]]\nname = \"x\\u0007\\u202e\"\nsize = 8192\n\
                writer = \"a\\u001b[2J\\u009b1m\"\nreader = \"b\\nc\"\n";
    for text in [text, &text.replace("b\\nc", "a\\u001b[2J\\u009b1m")] {
        std::fs::write(&policy, text).unwrap();
        let arguments = ["--policy", policy.to_str().unwrap(), "--check"].map(OsStr::new);
        let output = run(SERVER, &arguments);
        assert!(output.stdout.len() + output.stderr.len() > 20, "{output:?}");
        only_text(&output, b"policy");
    }
}
