//! The environment variables of the hub, with the meaning that `huggingface_hub` documents.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::HubError;
use crate::download::without_password;

/// The hub, unless `HF_ENDPOINT` names a mirror.
const ENDPOINT: &str = "https://huggingface.co";

/// Where the hub and its cache are, and who asks.
#[derive(Clone)]
pub struct HubSettings {
    /// The folder of cached repositories: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, which is
    /// `~/.cache/huggingface` when not set.
    pub cache: PathBuf,
    /// `HF_ENDPOINT` without a slash at its end, else `https://huggingface.co`.
    pub endpoint: String,
    /// `HF_TOKEN`, else the file that `hf auth login` writes, `token` in `HF_HOME`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`: no connection is opened.
    pub offline: bool,
}

impl HubSettings {
    /// Reads this process's environment.
    ///
    /// # Errors
    /// When nothing says where the cache is (no `HF_HOME` and no home folder), or when `HF_ENDPOINT` is
    /// not the address of a server.
    pub fn from_environment() -> Result<Self, HubError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// As [`Self::from_environment`]; `variable` reads the environment.
    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, HubError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        let user = set("HOME").map(PathBuf::from);
        let path = |name: &str| {
            let path = PathBuf::from(set(name)?);
            match (path.strip_prefix("~"), &user) {
                (Ok(below), Some(user)) => Some(user.join(below)),
                _ => Some(path),
            }
        };
        let caches = || path("XDG_CACHE_HOME").or_else(|| Some(user.as_ref()?.join(".cache")));
        let home = path("HF_HOME").or_else(|| Some(caches()?.join("huggingface")));
        let cache = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(home.as_ref()?.join("hub")))
            .ok_or(HubError::NoCache)?;
        let cache = std::path::absolute(&cache).map_err(HubError::disk(&cache))?;
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        if !["http://", "https://"].iter().any(|scheme| endpoint.len() > scheme.len() && endpoint.starts_with(scheme)) {
            return Err(HubError::Endpoint(without_password(&endpoint)));
        }
        let clean = |token: String| Some(token.trim().to_owned()).filter(|token| !token.is_empty());
        let stored = || {
            let file = path("HF_TOKEN_PATH").or_else(|| Some(home.as_ref()?.join("token")))?;
            std::fs::read_to_string(file).ok().and_then(clean)
        };
        let named = |name: &str| text(name).and_then(clean);
        let token = named("HF_TOKEN").or_else(|| named("HUGGING_FACE_HUB_TOKEN")).or_else(stored);
        let is_true = |value: String| ["1", "true", "yes", "on"].contains(&value.to_lowercase().as_str());
        let offline = text("HF_HUB_OFFLINE").is_some_and(is_true);
        Ok(Self { cache, endpoint, token, offline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        HubSettings::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_where_the_nearest_variable_says() {
        let home = ("HOME", "/home/ada");
        let cache = |variables: &[(&str, &str)]| read(variables).unwrap_or_else(|error| panic!("{error}")).cache;
        assert_eq!(cache(&[home]), PathBuf::from("/home/ada/.cache/huggingface/hub"));
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "/x")]), PathBuf::from("/x/huggingface/hub"));
        assert_eq!(cache(&[home, ("HF_HOME", "/h")]), PathBuf::from("/h/hub"));
        assert_eq!(cache(&[home, ("HF_HOME", "~/h")]), PathBuf::from("/home/ada/h/hub"));
        assert_eq!(cache(&[home, ("HF_HOME", "/h"), ("HUGGINGFACE_HUB_CACHE", "/old")]), PathBuf::from("/old"));
        assert_eq!(cache(&[("HF_HUB_CACHE", "/c"), ("HUGGINGFACE_HUB_CACHE", "/old")]), PathBuf::from("/c"));
        assert!(matches!(read(&[("HF_HOME", "")]), Err(HubError::NoCache)));
    }

    #[test]
    fn the_endpoint_is_an_address_and_offline_a_switch() {
        let cache = ("HF_HUB_CACHE", "/c");
        let endpoint = |text| read(&[cache, ("HF_ENDPOINT", text)]).map(|settings| settings.endpoint).ok();
        assert_eq!(read(&[cache]).map(|settings| settings.endpoint).ok().as_deref(), Some(ENDPOINT));
        assert_eq!(endpoint("http://localhost:8000/").as_deref(), Some("http://localhost:8000"));
        assert_eq!((endpoint("localhost:8000"), endpoint("https://")), (None, None));
        let offline = |text| read(&[cache, ("HF_HUB_OFFLINE", text)]).is_ok_and(|settings| settings.offline);
        assert!(["1", "true", "YES", "On"].into_iter().all(offline));
        assert!(!["", "0", "false", "off"].into_iter().any(offline));
    }

    #[test]
    fn the_token_is_the_variable_s_else_the_file_s() {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HF_HOME", folder.path().to_str().unwrap());
        let token = |variables: &[(&str, &str)]| read(variables).ok().and_then(|settings| settings.token);
        assert_eq!(token(&[home]), None);
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        assert_eq!(token(&[home]).as_deref(), Some("hf_file"));
        assert_eq!(token(&[home, ("HUGGING_FACE_HUB_TOKEN", "hf_old")]).as_deref(), Some("hf_old"));
        let both = [home, ("HUGGING_FACE_HUB_TOKEN", "hf_old"), ("HF_TOKEN", " hf_new ")];
        assert_eq!(token(&both).as_deref(), Some("hf_new"));
    }
}
