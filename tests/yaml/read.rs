//! Reads YAML documents as cvm-verify reads a docker compose file and writes the tree of each as canonical text.
//! Documents come from standard input, each behind its length in four bytes, big endian; answers go out alike: `A` and
//! the canonical text, or `R` and why the document is refused. Length 0xffffffff flushes the answers.

use std::io::{self, BufReader, BufWriter, Read, Write};

use cvm_verify_core::compose::canonical_yaml;

fn main() -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, io::stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let size = u32::from_be_bytes(length);
        if size == u32::MAX {
            output.flush()?;
            continue;
        }
        let mut document = vec![0; size as usize];
        input.read_exact(&mut document)?;
        let answer = match String::from_utf8(document).map_err(|error| error.to_string()) {
            Ok(text) => canonical_yaml(&text),
            Err(problem) => Err(problem),
        };
        let (kind, text) = match &answer {
            Ok(text) => (b"A", text),
            Err(problem) => (b"R", problem),
        };
        output.write_all(&(text.len() as u32 + 1).to_be_bytes())?;
        output.write_all(kind)?;
        output.write_all(text.as_bytes())?;
    }
    Ok(())
}
