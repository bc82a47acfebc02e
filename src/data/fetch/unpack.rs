//! Taking files out of zip archives that nobody vouches for.
//!
//! Nothing is written under a name that stands in an archive: the manifest says which member becomes which
//! file. An archive with a member that would lead out of a folder, a link, two members of one name, or members
//! that share bytes is refused as a whole, since the published ones have none of that.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::checksum::hexadecimal;
use crate::download::Received;
use crate::units::Bytes;

/// Files may be so many times as large as their archive. Text shrinks to a third or a tenth; deflate's limit, which
/// bombs come near to, is 1032.
const RATIO: u64 = 100;
/// What a small archive may hold besides.
const ALLOWANCE: u64 = 1 << 20;
/// Members of an archive; the published ones have fewer than twenty.
const MEMBERS: usize = 10_000;
/// How much is read before it is written.
const PIECE: usize = 1 << 16;

/// Why an archive is refused.
#[derive(Debug)]
pub(super) enum Fault {
    /// What is wrong with the archive.
    Archive(String),
    /// There is too little room for its files.
    NoRoom { needed: Bytes, free: Bytes },
    /// A file cannot be written.
    Disk(io::Error),
}

/// Takes the members that `wanted` names (name in the archive → name of the file) out of the archive at `path`
/// into the folder `into`, which `free` bytes are left for; the names of the files, and what came.
pub(super) fn unpack(
    path: &Path,
    wanted: &BTreeMap<String, String>,
    into: &Path,
    free: Option<Bytes>,
) -> Result<Vec<(String, Received)>, Fault> {
    let file = File::open(path).map_err(Fault::Disk)?;
    let limit = file.metadata().map_err(Fault::Disk)?.len().saturating_mul(RATIO).saturating_add(ALLOWANCE);
    let mut archive = ZipArchive::new(file).map_err(|error| damaged(&error))?;
    let places = inspect(&mut archive, wanted, limit, free)?;
    let mut left = limit;
    let mut unpacked = Vec::new();
    for (place, name) in places {
        let member = archive.by_index(place).map_err(|error| damaged(&error))?;
        let received = extract(member, &into.join(&name), left)?;
        left -= received.size;
        unpacked.push((name, received));
    }
    Ok(unpacked)
}

/// Looks at every member before one byte is unpacked; the places of the wanted ones with the names they get.
fn inspect(
    archive: &mut ZipArchive<File>,
    wanted: &BTreeMap<String, String>,
    limit: u64,
    free: Option<Bytes>,
) -> Result<Vec<(usize, String)>, Fault> {
    if archive.len() > MEMBERS {
        return Err(Fault::Archive(format!("it has {} members", archive.len())));
    }
    if archive.has_duplicate_names() {
        return Err(Fault::Archive("two of its members have the same name".to_owned()));
    }
    let (mut places, mut total, mut needed) = (BTreeMap::new(), 0_u64, 0_u64);
    for place in 0..archive.len() {
        let member = archive.by_index_data(place).map_err(|error| damaged(&error))?;
        let name = member.name().map_err(|error| damaged(&error))?.into_owned();
        let fault = |what: &str| Err(Fault::Archive(format!("its member `{name}` {what}")));
        if leads_out(&name) {
            return fault("would lead out of the folder");
        }
        if member.is_symlink() {
            return fault("is a link");
        }
        if member.encrypted() {
            return fault("is encrypted");
        }
        total = total.saturating_add(member.size());
        if let Some(target) = wanted.get(&name) {
            if member.is_dir() {
                return fault("is a folder");
            }
            needed = needed.saturating_add(member.size());
            if places.insert(target.clone(), place).is_some() {
                return fault("is there twice");
            }
        }
    }
    if total > limit {
        return Err(too_large(limit));
    }
    if let Some(missing) = wanted.iter().find(|(_, target)| !places.contains_key(*target)) {
        return Err(Fault::Archive(format!("it has no member `{}`", missing.0)));
    }
    if archive.has_overlapping_entries().map_err(|error| damaged(&error))? {
        return Err(Fault::Archive("its members share bytes".to_owned()));
    }
    match free {
        Some(free) if free.0 < needed => Err(Fault::NoRoom { needed: Bytes(needed), free }),
        _ => Ok(places.into_iter().map(|(target, place)| (place, target)).collect()),
    }
}

/// Whether a name is absolute, has a drive letter, climbs up, or is none at all, on any system.
fn leads_out(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    let rooted = name.starts_with(['/', '\\']);
    name.is_empty() || drive || rooted || name.contains('\0') || name.split(['/', '\\']).any(|part| part == "..")
}

/// Writes a member to `path`. The archive's own checksum of it is compared on the way.
fn extract(mut member: impl Read, path: &Path, limit: u64) -> Result<Received, Fault> {
    let mut file = File::create(path).map_err(Fault::Disk)?;
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match member.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(&ZipError::Io(error))),
        };
        // What a member says of its size is not believed.
        size += read as u64;
        if size > limit {
            drop(file);
            let _ = fs::remove_file(path);
            return Err(too_large(limit));
        }
        file.write_all(&buffer[..read]).map_err(Fault::Disk)?;
        hash.update(&buffer[..read]);
    }
    file.sync_all().map_err(Fault::Disk)?;
    Ok(Received { checksum: hexadecimal(&hash.finalize()), size })
}

fn damaged(error: &ZipError) -> Fault {
    Fault::Archive(format!("it is damaged or not a zip archive ({error})"))
}

fn too_large(limit: u64) -> Fault {
    Fault::Archive(format!("unpacked, it is larger than {}, {RATIO} times its own size", Bytes(limit)))
}
