use super::*;
use crate::config::names::RENAMED;

/// An experiment that pretrains, to hold keys under `pretrain`.
const PRETRAINING: &str =
    "experiment: first\nmini: {}\nmodels: {NAME: {preset: tiny}}\npretrain: {phases: [{max_length: 32, steps: 10}]}\n";

#[test]
fn every_name_of_before_is_refused_with_todays() {
    let tasks = FILE.replace("stsb, rte", "NAME").replace("alpha", "NAME");
    for (place, old, new) in RENAMED {
        let text = if place.starts_with("pretrain") { PRETRAINING } else { &tasks };
        let set = if place.ends_with("objective") { format!("{place}={old}") } else { format!("{place}.{old}=1") };
        let found = parse(Path::new("first.yaml"), text, &known(), std::slice::from_ref(&set)).unwrap_err();
        assert!(found.message.starts_with("unknown ") && found.message.contains(old), "{found}");
        assert_eq!(found.hint.as_deref(), Some(format!("it is `{new}` now").as_str()), "{set}");
        assert_eq!(found.place.unwrap().to_string(), format!("--set {set}"));
    }
}
