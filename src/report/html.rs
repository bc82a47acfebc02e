//! The page as one self-contained HTML file.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::Error;
use super::page::Page;
use super::palette;

const PAGE: &str = include_str!("templates/index.html");
const STYLE: &str = include_str!("templates/style.css");
const SCRIPT: &str = include_str!("templates/script.js");

/// Renders the page. Drawings are set inline and follow the reader's colour scheme.
pub(crate) fn render(page: &Page) -> Result<String, Error> {
    let mut page = page.clone();
    page.figures_mut().for_each(|figure| figure.svg = palette::follow_scheme(&figure.svg));
    let mut environment = Environment::new();
    // The name's ending switches escaping on.
    environment.add_template("index.html", PAGE)?;
    Ok(environment.get_template("index.html")?.render(context! {
        page => Value::from(Serde(&page)),
        light => palette::css_variables(false),
        dark => palette::css_variables(true),
        style => STYLE,
        script => SCRIPT,
        version => env!("CARGO_PKG_VERSION"),
    })?)
}
