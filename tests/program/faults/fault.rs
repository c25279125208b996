//! What can happen to an answer on its way.

use std::io::Write;
use std::sync::LazyLock;

/// One kind of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed when the request is read.
    Close,
    /// The connection is reset before the request is read.
    Reset,
    /// Nothing follows.
    Hang,
    /// The right answer, somewhat later.
    Delay,
    /// A byte now and then.
    Drip,
    /// The head ends in its middle.
    TruncatedHead,
    /// The body ends in its middle.
    TruncatedBody,
    /// The body's second half comes first.
    Reordered,
    /// The answer to the request before.
    AnotherAnswer,
    /// The right answer twice.
    Twice,
    /// A Content-Length of more than there is.
    LengthTooLarge,
    /// A Content-Length of less than there is.
    LengthTooSmall,
    /// A Content-Length that no machine can hold.
    LengthAbsurd,
    /// Two lengths that differ.
    TwoLengths,
    /// A body that is compressed, although nobody asked for that, and large once it is not.
    Bomb,
    /// A body without an end.
    EndlessBody,
    /// A head without an end.
    EndlessHead,
    /// Answers that only announce another, without an end.
    EndlessInformation,
    /// No HTTP.
    Garbage,
    /// An error of the server.
    Status500,
    /// A redirect to the same place.
    Redirect,
}

impl Fault {
    pub const ALL: [Self; 21] = [
        Self::Close,
        Self::Reset,
        Self::Hang,
        Self::Delay,
        Self::Drip,
        Self::TruncatedHead,
        Self::TruncatedBody,
        Self::Reordered,
        Self::AnotherAnswer,
        Self::Twice,
        Self::LengthTooLarge,
        Self::LengthTooSmall,
        Self::LengthAbsurd,
        Self::TwoLengths,
        Self::Bomb,
        Self::EndlessBody,
        Self::EndlessHead,
        Self::EndlessInformation,
        Self::Garbage,
        Self::Status500,
        Self::Redirect,
    ];

    /// Whether what arrives is the right answer all the same.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Delay | Self::Twice)
    }

    /// Whether it lasts until somebody's patience ends.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Self::Hang | Self::Drip | Self::EndlessBody | Self::EndlessHead | Self::EndlessInformation
        )
    }

    /// Sends what becomes of the right answer. `pause` waits a little, and says whether to go on.
    pub fn answer(
        self,
        answer: &[u8],
        last: &[u8],
        client: &mut impl Write,
        pause: &dyn Fn() -> bool,
    ) -> std::io::Result<()> {
        let end_of_head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = answer.split_at(end_of_head);
        let (first, second) = body.split_at(body.len() / 2);
        let with_length = |length: &str| {
            let head = String::from_utf8_lossy(head);
            let lines = head.lines().filter(|line| !line.is_empty());
            let lines = lines.map(|line| match line.to_lowercase().starts_with("content-length:") {
                true => format!("content-length: {length}\r\n"),
                false => format!("{line}\r\n"),
            });
            let head: String = lines.collect();
            [head.as_bytes(), b"\r\n", body].concat()
        };
        let ok = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        let endless = |start: &[u8], again: &[u8], client: &mut dyn Write| {
            client.write_all(start)?;
            while pause() {
                client.write_all(again)?;
            }
            Ok(())
        };
        match self {
            Self::Close | Self::Reset => Ok(()),
            Self::Hang => endless(b"", b"", client),
            Self::Delay => {
                for _ in 0..10 {
                    pause();
                }
                client.write_all(answer)
            }
            Self::Drip => {
                for byte in answer {
                    client.write_all(&[*byte])?;
                    if !pause() {
                        break;
                    }
                }
                Ok(())
            }
            Self::TruncatedHead => client.write_all(&head[..head.len() / 2]),
            Self::TruncatedBody => client.write_all(&[head, first].concat()),
            Self::Reordered => client.write_all(&[head, second, first].concat()),
            Self::AnotherAnswer => client.write_all(last),
            Self::Twice => client.write_all(&[answer, answer].concat()),
            Self::LengthTooLarge => client.write_all(&with_length(&(body.len() + 100).to_string())),
            Self::LengthTooSmall => {
                client.write_all(&with_length(&body.len().saturating_sub(10).to_string()))
            }
            Self::LengthAbsurd => client.write_all(&with_length("18446744073709551615")),
            Self::TwoLengths => {
                let two = format!("{}\r\ncontent-length: 5", body.len());
                client.write_all(&with_length(&two))
            }
            Self::Bomb => {
                static BOMB: LazyLock<Vec<u8>> = LazyLock::new(bomb);
                let head = format!("content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", BOMB.len());
                client.write_all(&[ok, head.as_bytes(), &BOMB].concat())
            }
            Self::EndlessBody => endless(&[ok, &b"\r\n"[..]].concat(), &[b'a'; 64 * 1024], client),
            Self::EndlessHead => endless(ok, &b"x-more: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000), client),
            Self::EndlessInformation => endless(b"", &b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(5), client),
            Self::Garbage => client.write_all(&[0x15, 3, 3, 0, 2, 2, 40, b'\r', b'\n', b'\r', b'\n']),
            Self::Status500 => {
                client.write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}")
            }
            Self::Redirect => {
                client.write_all(b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n")
            }
        }
    }
}

/// 32 MiB of zeros, as gzip, in 200 KiB: one block of fixed codes that says "258 times the same" again and again.
fn bomb() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, text: &str| bits.extend(text.chars().map(|bit| bit == '1'));
    code(&mut bits, "00110000");
    for _ in 0..32 * 1024 * 1024 / 258 {
        code(&mut bits, "1100010100000");
    }
    code(&mut bits, "0000000");
    let byte = |bits: &[bool]| {
        (0..)
            .zip(bits)
            .fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at)
    };
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    header.into_iter().chain(bits.chunks(8).map(byte)).collect()
}
