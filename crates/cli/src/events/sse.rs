//! Reading server-sent events, as they are written by the engine: one `data` line per event.

/// What a stream said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// The cursor after it.
    pub(super) id: Option<String>,
    /// Anything but a plain event.
    pub(super) kind: Option<String>,
    pub(super) data: Option<String>,
}

/// Bytes in, blocks out; a block may come in any number of pieces.
#[derive(Debug, Default)]
pub(super) struct Reader {
    rest: Vec<u8>,
    block: Block,
}

impl Reader {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Block> {
        self.rest.extend_from_slice(bytes);
        let mut blocks = Vec::new();
        let mut read = 0;
        while let Some(length) = self.rest[read..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[read..read + length]).into_owned();
            read += length + 1;
            self.line(line.trim_end_matches('\r'), &mut blocks);
        }
        self.rest.drain(..read);
        blocks
    }

    fn line(&mut self, line: &str, blocks: &mut Vec<Block>) {
        if line.is_empty() {
            let block = std::mem::take(&mut self.block);
            if block.data.is_some() {
                blocks.push(block);
            }
            return;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "id" => self.block.id = Some(value),
            "event" => self.block.kind = Some(value),
            "data" => self.block.data = Some(value),
            // A comment, or what a later engine may say.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_whole_however_they_arrive() {
        let text = ": beat\n\nid: c1\ndata: {\"a\":1}\n\n:\n\nevent: error\ndata: no\n\nid: half";
        let first =
            Block { id: Some("c1".to_owned()), kind: None, data: Some("{\"a\":1}".to_owned()) };
        let second =
            Block { id: None, kind: Some("error".to_owned()), data: Some("no".to_owned()) };
        for size in 1..text.len() {
            let mut reader = Reader::default();
            let blocks: Vec<_> =
                text.as_bytes().chunks(size).flat_map(|piece| reader.push(piece)).collect();
            assert_eq!(
                blocks,
                [&first, &second].map(|block| Block {
                    id: block.id.clone(),
                    kind: block.kind.clone(),
                    data: block.data.clone(),
                })
            );
        }
    }
}
