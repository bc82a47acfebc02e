//! Which kernels multiply matrices on a GPU, for all runs of a folder: `runs/.products/`, a file a product, written once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::atomic;
use super::error::StoreError;
use super::root::RunsRoot;
use super::sealed;

/// The folder in the folder of all runs.
const PRODUCTS: &str = ".products";
/// Digits of a hash in a file's name.
const DIGITS: usize = 16;

/// A product on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductKey {
    /// The device, with its driver and what reaches it.
    pub device: String,
    /// Where the kernels come from, with their version.
    pub kernels: String,
    /// Its sizes, types and order in memory.
    pub product: String,
}

/// What was chosen for a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredKernel {
    #[serde(flatten)]
    key: ProductKey,
    /// The chosen one.
    kernel: String,
    /// Seconds of each that was timed.
    seconds: BTreeMap<String, f64>,
}

/// The choices of a folder of runs. Runs with other choices have other bits, so one is never changed.
#[derive(Clone, Debug)]
pub struct ProductKernels {
    folder: PathBuf,
}

impl RunsRoot {
    /// The kernels that were chosen for the runs of this folder.
    #[must_use]
    pub fn product_kernels(&self) -> ProductKernels {
        ProductKernels { folder: self.path().join(PRODUCTS) }
    }
}

impl ProductKernels {
    /// Removes what processes that died left.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn clean(&self) -> io::Result<()> {
        atomic::clean(&self.folder).map(|_| ())
    }

    /// The kernel that was chosen for a product, if one was.
    ///
    /// # Errors
    /// When the file cannot be read, was changed, or is another product's.
    pub fn chosen(&self, key: &ProductKey) -> Result<Option<String>, StoreError> {
        let path = self.path(key);
        let Some(found) = sealed::read::<StoredKernel>(&path)? else { return Ok(None) };
        if found.key != *key {
            let cause = format!("it is of `{}` on {}", found.key.product, found.key.device);
            return Err(StoreError::Damaged { path, cause });
        }
        Ok(Some(found.kernel))
    }

    /// Keeps that `kernel` was chosen, unless another process has kept something meanwhile; gives what is kept.
    ///
    /// # Errors
    /// When it can be neither written nor read.
    pub fn choose(&self, key: &ProductKey, kernel: &str, seconds: BTreeMap<String, f64>) -> Result<String, StoreError> {
        fs::create_dir_all(&self.folder).map_err(|error| atomic::about("cannot create", &self.folder, &error))?;
        let stored = StoredKernel { key: key.clone(), kernel: kernel.to_owned(), seconds };
        if atomic::write_new(&self.path(key), &sealed::to_bytes(&stored)?)? {
            return Ok(stored.kernel);
        }
        Ok(self.chosen(key)?.unwrap_or(stored.kernel))
    }

    fn path(&self, key: &ProductKey) -> PathBuf {
        let ProductKey { device, kernels, product } = key;
        let hash = blake3::hash(format!("{device}\n{kernels}\n{product}").as_bytes()).to_hex();
        self.folder.join(format!("{}.json", &hash[..DIGITS]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(product: &str) -> ProductKey {
        let (device, kernels) = ("A GPU (vulkan, 1.0)".to_owned(), "cubek 0.3.1".to_owned());
        ProductKey { device, kernels, product: product.to_owned() }
    }

    #[test]
    fn the_first_choice_is_kept_and_no_folder_is_made_before() {
        let disk = tempfile::tempdir().unwrap();
        let runs = RunsRoot::new(disk.path().join("runs"));
        let products = runs.product_kernels();
        products.clean().unwrap();
        assert_eq!(products.chosen(&key("a")).unwrap(), None);
        assert!(!runs.path().exists());
        let seconds = || BTreeMap::from([("x".to_owned(), 0.1), ("y".to_owned(), 0.25)]);
        assert_eq!(products.choose(&key("a"), "x", seconds()).unwrap(), "x");
        assert_eq!(products.choose(&key("a"), "y", seconds()).unwrap(), "x");
        assert_eq!(products.choose(&key("b"), "y", BTreeMap::new()).unwrap(), "y");
        let again = RunsRoot::new(runs.path()).product_kernels();
        assert_eq!(again.chosen(&key("a")).unwrap().as_deref(), Some("x"));
        let on_another = ProductKey { device: "another".to_owned(), ..key("a") };
        assert_eq!(again.chosen(&on_another).unwrap(), None);
        assert!(runs.experiments().unwrap().is_empty(), "it is no experiment");
    }

    #[test]
    fn a_changed_file_and_one_of_another_product_are_damaged() {
        let disk = tempfile::tempdir().unwrap();
        let products = RunsRoot::new(disk.path()).product_kernels();
        for product in ["a", "b"] {
            products.choose(&key(product), "x", BTreeMap::new()).unwrap();
        }
        fs::copy(products.path(&key("b")), products.path(&key("a"))).unwrap();
        let error = products.chosen(&key("a")).unwrap_err();
        assert!(error.is_damage() && error.to_string().contains("it is of `b`"), "{error}");
        let text = fs::read_to_string(products.path(&key("b"))).unwrap();
        fs::write(products.path(&key("b")), text.replace("\"x\"", "\"z\"")).unwrap();
        assert!(products.chosen(&key("b")).unwrap_err().is_damage());
    }
}
