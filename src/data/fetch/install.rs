//! From transferred files to the dataset's folder: unpacked, assembled, compared, and put in their place.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::assemble::{MRPC_SOURCES, mrpc};
use super::error::FetchError;
use super::job::Job;
use super::lock::{Lock, LockedFile, Trust};
use super::mirror::Mirror;
use super::part::{Assembly, RemoteFile};
use super::plan::Standing;
use super::unpack::{Fault, unpack};
use crate::checksum::{sha256, sha256_of};
use crate::download::Received;
use crate::store::{atomic, free_disk};

/// A file that is ready to get its name.
struct Ready {
    path: PathBuf,
    name: String,
    locked: LockedFile,
}

impl Job<'_> {
    /// Makes the dataset's files of what was received for the files that are needed, in their order, and puts
    /// them in their place: their number.
    ///
    /// Nothing that was there is overwritten, but for files with other bytes that are to be replaced. The lock
    /// file is written first: a process that dies in between leaves files that the next one fetches again.
    ///
    /// # Errors
    /// See [`FetchError`]; the dataset's folder is then as it was, unless the file system failed.
    pub(super) fn install(&self, received: &[Received], mirror: Option<&Mirror>) -> Result<usize, FetchError> {
        let fresh = self.workshop.join("new");
        atomic::remove(&fresh).and_then(|()| fs::create_dir(&fresh)).map_err(FetchError::disk(&fresh))?;
        let (mut lock, mut ready) = (self.plan.lock.clone(), Vec::new());
        lock.dataset.clone_from(&self.plan.manifest.name);
        for (file, came) in self.plan.needed.iter().zip(received) {
            let from = self.address(file, mirror).to_string();
            let trust = if file.sha256.is_some() { Trust::Published } else { Trust::FirstUse };
            let locked = LockedFile { sha256: came.checksum.clone(), size: came.size, trust, from };
            if let Some(members) = &file.unpack {
                ready.extend(self.unpack(file, members, &fresh, &locked)?);
                lock.archives.insert(file.name().to_owned(), locked);
            } else {
                ready.push(Ready { path: self.part(file), name: file.targets().concat(), locked });
            }
        }
        if let Some(assembly) = self.plan.assembly {
            let made = self.assemble(assembly, &fresh, &ready)?;
            ready.extend(made);
        }
        let lacking = self.sift(ready, &mut lock)?;
        self.publish(&lacking, &lock)?;
        Ok(lacking.len())
    }

    fn unpack(
        &self,
        file: &RemoteFile,
        members: &BTreeMap<String, String>,
        fresh: &Path,
        archive: &LockedFile,
    ) -> Result<Vec<Ready>, FetchError> {
        let part = self.part(file);
        let unpacked = unpack(&part, members, fresh, free_disk(fresh)).map_err(|fault| match fault {
            Fault::Archive(problem) => {
                // The same bytes would be refused again.
                let _ = fs::remove_file(&part);
                FetchError::Archive { archive: archive.from.clone(), problem }
            }
            Fault::NoRoom { needed, free } => FetchError::NoRoom { folder: fresh.to_path_buf(), needed, free },
            Fault::Disk(source) => FetchError::disk(fresh)(source),
        })?;
        let ready = unpacked.into_iter().map(|(name, came)| Ready {
            path: fresh.join(&name),
            locked: LockedFile { sha256: came.checksum, size: came.size, ..archive.clone() },
            name,
        });
        Ok(ready.collect())
    }

    /// Makes files of those that came and those that were there.
    fn assemble(&self, assembly: Assembly, fresh: &Path, ready: &[Ready]) -> Result<Vec<Ready>, FetchError> {
        let came = |name: &str| ready.iter().find(|ready| ready.name == name);
        let source = |name: &str| came(name).map_or_else(|| self.plan.folder.join(name), |ready| ready.path.clone());
        let (made, sources) = match assembly {
            Assembly::Mrpc => (mrpc(source).map_err(FetchError::Assembly)?, MRPC_SOURCES),
        };
        let is_published = |name: &&str| match came(name) {
            Some(ready) => ready.locked.trust == Trust::Published,
            None => self.plan.files.contains(&(*name, Standing::Verified(Trust::Published))),
        };
        let trust = if sources.iter().all(is_published) { Trust::Published } else { Trust::FirstUse };
        let mut ready = Vec::new();
        for (name, text) in made {
            let path = fresh.join(name);
            atomic::write(&path, text.as_bytes()).map_err(FetchError::disk(&path))?;
            let from = format!("made of {}", sources.join(", "));
            let locked = LockedFile { sha256: sha256(text.as_bytes()), size: text.len() as u64, trust, from };
            ready.push(Ready { path, name: name.to_owned(), locked });
        }
        Ok(ready)
    }

    /// Leaves those that the folder lacks, and writes down what is known of all.
    fn sift(&self, ready: Vec<Ready>, lock: &mut Lock) -> Result<Vec<Ready>, FetchError> {
        let mut lacking = Vec::new();
        for one in ready {
            let standing = self.plan.files.iter().find(|(file, _)| *file == one.name);
            let standing = standing.map_or(Standing::Missing, |(_, standing)| *standing);
            if let Standing::Verified(_) = standing {
                continue;
            }
            if let Some((expected, trust)) = self.plan.expected(&one.name)
                && expected != one.locked.sha256
                && (trust == Trust::Published || !self.replace)
            {
                let (file, expected) = (one.name, expected.to_owned());
                let (found, first_use) = (one.locked.sha256, trust == Trust::FirstUse);
                return Err(FetchError::Checksum { file, expected, found, first_use });
            }
            lock.files.insert(one.name.clone(), one.locked.clone());
            let path = self.plan.folder.join(&one.name);
            let is_same = standing == Standing::Unverified
                && sha256_of(&path).map_err(FetchError::disk(&path))? == one.locked.sha256;
            if standing == Standing::Unverified && !is_same && !self.replace {
                return Err(FetchError::Differs { path, first_use: one.locked.trust == Trust::FirstUse });
            }
            if !is_same {
                lacking.push(one);
            }
        }
        Ok(lacking)
    }

    /// Gives files their names, and removes the workshop.
    fn publish(&self, ready: &[Ready], lock: &Lock) -> Result<(), FetchError> {
        let folder = &self.plan.folder;
        fs::create_dir_all(folder).map_err(FetchError::disk(folder))?;
        lock.write(folder)?;
        for one in ready {
            let path = folder.join(&one.name);
            fs::rename(&one.path, &path).map_err(FetchError::disk(&path))?;
        }
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(FetchError::disk(folder))?;
        atomic::remove(&self.workshop).map_err(FetchError::disk(&self.workshop))
    }
}
