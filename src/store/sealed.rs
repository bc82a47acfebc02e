//! JSON files whose last key is a checksum of all before it, so that a flipped bit or an edited number is noticed.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::atomic;
use super::error::StoreError;

/// What follows the object's last value: the key, the checksum in hexadecimal, and the end.
const SEAL: &str = ",\n  \"blake3\": \"";
const END: &str = "\"\n}\n";
/// How the object ends without the seal.
const PLAIN_END: &str = "\n}\n";
/// Hexadecimal digits of a BLAKE3 hash.
const DIGITS: usize = 64;

/// `value`, an object with at least one key, as indented JSON with its seal.
///
/// # Errors
/// When `value` has no JSON form.
pub(super) fn to_bytes<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let plain = atomic::json(value)?;
    let mut sealed = plain.clone();
    sealed.truncate(plain.len().saturating_sub(PLAIN_END.len()));
    sealed.extend_from_slice(format!("{SEAL}{}{END}", blake3::hash(&plain).to_hex()).as_bytes());
    Ok(sealed)
}

/// Writes `value`, an object, to `path` in one step, with its seal.
///
/// # Errors
/// When `value` has no JSON form, and as [`atomic::write`].
pub fn write_sealed<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    atomic::write(path, &to_bytes(value)?)
}

/// The sealed file at `path`, or `None` when there is none.
///
/// # Errors
/// [`StoreError::Damaged`] when it is no such file; when it cannot be read.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if path.is_dir() => {
            return Err(StoreError::Damaged { path: path.to_path_buf(), cause: error.to_string() });
        }
        Err(error) => return Err(atomic::about("cannot read", path, &error).into()),
    };
    parse(bytes).map(Some).map_err(|cause| StoreError::Damaged { path: path.to_path_buf(), cause })
}

/// What a sealed file says, or what is wrong with it.
pub(super) fn parse<T: DeserializeOwned>(mut bytes: Vec<u8>) -> Result<T, String> {
    let Some((length, sum)) = opened(&bytes) else {
        // Where JSON ends too early, that says more.
        let error = serde_json::from_slice::<serde_json::Value>(&bytes).err();
        return Err(error.map_or_else(|| "it does not end with its checksum".to_owned(), |error| error.to_string()));
    };
    bytes.truncate(length);
    bytes.extend_from_slice(PLAIN_END.as_bytes());
    if blake3::hash(&bytes).to_hex().as_bytes() != sum {
        return Err("it was changed: its checksum does not match".to_owned());
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// How long the object is without its end, and the checksum.
fn opened(bytes: &[u8]) -> Option<(usize, [u8; DIGITS])> {
    let (rest, sum) = bytes.strip_suffix(END.as_bytes())?.split_last_chunk::<DIGITS>()?;
    Some((rest.strip_suffix(SEAL.as_bytes())?.len(), *sum))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let value = BTreeMap::from([("a", 1.5), ("b", 2.0)]);
        let whole = to_bytes(&value).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        assert!(text.starts_with("{\n  \"a\": 1.5,\n  \"b\": 2.0,\n  \"blake3\": \""), "{text}");
        assert_eq!(
            parse::<BTreeMap<String, f64>>(whole.clone()).unwrap(),
            value.into_iter().map(|(k, v)| (k.into(), v)).collect()
        );
        for bit in 0..8 * whole.len() {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(parse::<BTreeMap<String, f64>>(damaged).is_err(), "bit {bit}");
        }
        for length in 0..whole.len() {
            assert!(parse::<BTreeMap<String, f64>>(whole[..length].to_vec()).is_err(), "{length} bytes");
        }
        assert_eq!(
            parse::<BTreeMap<String, f64>>(b"{\"a\": 1}".to_vec()).unwrap_err(),
            "it does not end with its checksum"
        );
    }
}
