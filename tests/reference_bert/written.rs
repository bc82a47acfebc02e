//! Models as they are written.

use bertbench::model::Config;
use burn::tensor::Device;

use super::golden::{Case, read_tensors};

#[test]
fn a_written_model_reads_back_bit_for_bit_under_the_published_names() {
    let (case, device) = (Case::small("bert"), Device::flex());
    let folder = tempfile::tempdir().unwrap();
    let labels = ["a", "b", "c"];
    let config = case.config();
    bertbench::model::save_classifier(folder.path(), &case.model(&device), &config, &labels, 0.1, None).unwrap();
    assert_eq!(read_tensors(&folder.path().join("model.safetensors")), case.tensors("model.safetensors"));
    assert_eq!(Config::read(folder.path()).unwrap(), config);
}
