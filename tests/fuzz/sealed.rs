//! Checksums made right again, so that what lies behind them is read.

const FOOTER: usize = 48;

/// `bytes` in place of a table of TensorFlow's, with the checksum of each block that its index names.
pub fn table(bytes: &[u8]) -> Vec<u8> {
    let mut table = bytes.to_vec();
    let index = || {
        let mut footer = table.get(table.len().checked_sub(FOOTER)?..)?;
        let _metaindex = (varint(&mut footer)?, varint(&mut footer)?);
        Some((varint(&mut footer)? as usize, varint(&mut footer)? as usize))
    };
    let Some((from, length)) = index() else { return table };
    let mut blocks = vec![(from, length)];
    let mut entries = table.get(from..from.saturating_add(length)).unwrap_or_default();
    while let (Some(_shared), Some(own), Some(_value)) =
        (varint(&mut entries), varint(&mut entries), varint(&mut entries))
    {
        let Some(mut handle) = entries.get(own as usize..) else { break };
        let (Some(from), Some(length)) = (varint(&mut handle), varint(&mut handle)) else { break };
        blocks.push((from as usize, length as usize));
        entries = handle;
    }
    for (from, length) in blocks {
        // The byte of the compression is checked with the block.
        let Some(end) = from.checked_add(length).and_then(|end| end.checked_add(1)) else { continue };
        if let Some(content) = table.get(from..end)
            && end + 4 <= table.len()
        {
            let masked = crc32c::crc32c(content).rotate_right(15).wrapping_add(0xa282_ead8);
            table[end..end + 4].copy_from_slice(&masked.to_le_bytes());
        }
    }
    table
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A file that ends with the BLAKE3 of what stands before.
pub fn features(bytes: &[u8]) -> Vec<u8> {
    let content = &bytes[..bytes.len().saturating_sub(32)];
    [content, blake3::hash(content).as_bytes()].concat()
}

/// The manifest of a corpus with its own checksum, or as it is where it is no manifest.
pub fn manifest(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut written) = serde_json::from_slice::<serde_json::Value>(bytes) else { return bytes.to_vec() };
    let checksum = serde_json::to_vec(&written["corpus"]).map(|corpus| blake3::hash(&corpus).to_hex().to_string());
    if let (Ok(checksum), Some(object)) = (checksum, written.as_object_mut()) {
        object.insert("blake3".into(), checksum.into());
    }
    serde_json::to_vec(&written).unwrap()
}
