//! Where to compute.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{EnumAccess, Error, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where to compute: a kind of device, of GPUs also which one: `vulkan:1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// `vulkan`
    pub kind: DeviceKind,
    /// 1: the place among the devices of the kind, from 0; else the best of them.
    pub index: Option<u32>,
}

/// What reaches a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceKind {
    /// The fastest device that this build supports and the machine has.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU through WebGPU shaders.
    Wgpu,
    /// A GPU through Vulkan and SPIR-V.
    Vulkan,
    /// An NVIDIA GPU.
    Cuda,
}

const KINDS: [(&str, DeviceKind); 5] = [
    ("auto", DeviceKind::Auto),
    ("cpu", DeviceKind::Cpu),
    ("wgpu", DeviceKind::Wgpu),
    ("vulkan", DeviceKind::Vulkan),
    ("cuda", DeviceKind::Cuda),
];

impl DeviceKind {
    /// As experiment files write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("auto", |(name, _)| name)
    }
}

impl Device {
    /// The same device of a kind that `auto` may have become.
    #[must_use]
    pub fn of_kind(self, kind: &str) -> String {
        with_index(kind, self.index)
    }
}

/// `kind`, with the index of a GPU if one was asked for. The CPU has none.
#[must_use]
pub fn with_index(kind: &str, index: Option<u32>) -> String {
    match index {
        Some(index) if kind != "cpu" => format!("{kind}:{index}"),
        _ => kind.to_owned(),
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text, None),
        };
        let found = KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let index = index.map(str::parse::<u32>).transpose().ok();
        match (found, index) {
            (Some(kind), Some(None)) => Ok(Self { kind, index: None }),
            (Some(kind @ (DeviceKind::Wgpu | DeviceKind::Vulkan | DeviceKind::Cuda)), Some(index)) => {
                Ok(Self { kind, index })
            }
            _ => Err(text.to_owned()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of_kind(self.kind.name()))
    }
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Device", NAMES, AsChoice)
    }
}

/// Names of kinds, as an enumeration has them: errors then know their place in the file.
const NAMES: &[&str] = &["auto", "cpu", "wgpu", "vulkan", "cuda"];

struct AsChoice;

impl<'de> Visitor<'de> for AsChoice {
    type Value = Device;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Device, A::Error> {
        let (Name(device), variant) = data.variant()?;
        variant.unit_variant()?;
        Ok(device)
    }
}

struct Name(Device);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|text: String| D::Error::unknown_variant(&text, NAMES))
    }
}

impl JsonSchema for Device {
    fn schema_name() -> Cow<'static, str> {
        "Device".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where to compute.",
            "anyOf": [
                {"const": "auto", "description": "The fastest device that this build supports and the machine has."},
                {"const": "cpu", "description": "The CPU."},
                {"const": "wgpu", "description": "A GPU through WebGPU shaders."},
                {"const": "vulkan", "description": "A GPU through Vulkan and SPIR-V."},
                {"const": "cuda", "description": "An NVIDIA GPU."},
                {"type": "string", "pattern": "^(wgpu|vulkan|cuda):[0-9]+$",
                 "description": "One of several, counted from 0 as `bertbench list devices` does: `vulkan:1`."},
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["auto", "cpu", "wgpu", "vulkan", "cuda", "wgpu:0", "vulkan:12"] {
            assert_eq!(text.parse::<Device>().unwrap().to_string(), text);
        }
        for text in ["", "gpu", "cpu:0", "auto:1", "cuda:", "cuda:-1", "cuda:x", "vulkan:1:2"] {
            assert_eq!(text.parse::<Device>().unwrap_err(), text);
        }
        assert_eq!("vulkan:1".parse::<Device>().unwrap().of_kind("cpu"), "cpu");
    }
}
