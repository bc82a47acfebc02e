//! The report's colours, in a light and a dark version.
//!
//! Plots are drawn in the light colours. On the page each of them becomes a CSS variable, so that the
//! same drawing follows the reader's colour scheme.

use std::fmt::Write as _;

use plotters::style::RGBColor;

pub(crate) struct ThemeColor {
    /// The CSS variable's name, without the dashes.
    pub(crate) name: &'static str,
    pub(crate) light: [u8; 3],
    pub(crate) dark: [u8; 3],
}

const fn rgb(hex: u32) -> [u8; 3] {
    let [_, r, g, b] = hex.to_be_bytes();
    [r, g, b]
}

const fn theme_color(name: &'static str, light: u32, dark: u32) -> ThemeColor {
    ThemeColor { name, light: rgb(light), dark: rgb(dark) }
}

pub(crate) const PAGE: ThemeColor = theme_color("page", 0xFC_FCFB, 0x14_171A);
pub(crate) const PANEL: ThemeColor = theme_color("panel", 0xF3_F4F2, 0x1D_2125);
pub(crate) const INK: ThemeColor = theme_color("ink", 0x1B_1F23, 0xE7_E9EB);
pub(crate) const QUIET: ThemeColor = theme_color("quiet", 0x59_6068, 0xA2_AAB2);
pub(crate) const RULE: ThemeColor = theme_color("rule", 0xDB_DEDC, 0x34_3A40);
pub(crate) const LINK: ThemeColor = theme_color("link", 0x0B_5394, 0x82_BBF2);
pub(crate) const BAD: ThemeColor = theme_color("bad", 0xA8_2118, 0xFF_9B8F);
pub(crate) const CAUTION: ThemeColor = theme_color("caution", 0xFB_F1DA, 0x33_2A14);
pub(crate) const CAUTION_INK: ThemeColor = theme_color("caution-ink", 0x5C_4200, 0xF2_D591);
pub(crate) const GOOD: ThemeColor = theme_color("good", 0x1F_6B44, 0x7F_D6A6);

/// Model colours, told apart in every common colour blindness by hue and lightness together; plots
/// give each its own mark besides.
pub(crate) const SERIES: [ThemeColor; 6] = [
    theme_color("series-0", 0x0A_5FA5, 0x6F_B4F0),
    theme_color("series-1", 0xC2_4E00, 0xFF_A066),
    theme_color("series-2", 0x00_7A5E, 0x4F_CFAE),
    theme_color("series-3", 0x8E_3A86, 0xE3_9ADB),
    theme_color("series-4", 0x7D_6200, 0xE0_C14F),
    theme_color("series-5", 0x4A_4F57, 0xC2_C9D1),
];

/// A ramp of one hue with falling lightness (rising in the dark scheme): low scores recede into the
/// page, high ones stand out, and the order survives every colour blindness and a grey print.
pub(crate) const HEAT: [ThemeColor; 9] = [
    theme_color("heat-0", 0xF0_F5FA, 0x1A_2733),
    theme_color("heat-1", 0xD9_E7F3, 0x1B_3347),
    theme_color("heat-2", 0xBD_D5EA, 0x1C_405C),
    theme_color("heat-3", 0x97_BDDD, 0x1F_4F73),
    theme_color("heat-4", 0x6B_9FCB, 0x2B_6793),
    theme_color("heat-5", 0x3A_77AB, 0x54_94C7),
    theme_color("heat-6", 0x2B_679E, 0x7C_B1DC),
    theme_color("heat-7", 0x1A_5187, 0xA5_CCEC),
    theme_color("heat-8", 0x0C_3A69, 0xCF_E5F8),
];

/// The text on each step of [`HEAT`].
pub(crate) const HEAT_INK: [&ThemeColor; 9] = {
    let (low, high) = (&HEAT_LOW_INK, &HEAT_HIGH_INK);
    [low, low, low, low, low, high, high, high, high]
};
const HEAT_LOW_INK: ThemeColor = theme_color("heat-low-ink", 0x10_1A24, 0xF1_F6FA);
const HEAT_HIGH_INK: ThemeColor = theme_color("heat-high-ink", 0xFF_FFFF, 0x08_131D);

const NAMED: [&ThemeColor; 12] =
    [&PAGE, &PANEL, &INK, &QUIET, &RULE, &LINK, &BAD, &CAUTION, &CAUTION_INK, &GOOD, &HEAT_LOW_INK, &HEAT_HIGH_INK];

pub(crate) fn all() -> impl Iterator<Item = &'static ThemeColor> {
    NAMED.into_iter().chain(&SERIES).chain(&HEAT)
}

impl ThemeColor {
    /// The colour that plotters draws with.
    pub(crate) fn color(&self) -> RGBColor {
        RGBColor(self.light[0], self.light[1], self.light[2])
    }
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// `--ink:#1B1F23;…` of one scheme.
pub(crate) fn css_variables(dark: bool) -> String {
    all().fold(String::new(), |mut css, theme_color| {
        let value = hex(if dark { theme_color.dark } else { theme_color.light });
        let _ = write!(css, "--{}:{value};", theme_color.name);
        css
    })
}

/// A drawing whose light colours have become the page's variables.
pub(crate) fn follow_scheme(svg: &str) -> String {
    all().fold(svg.to_owned(), |svg, theme_color| {
        svg.replace(&format!("\"{}\"", hex(theme_color.light)), &format!("\"var(--{})\"", theme_color.name))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// WCAG 2.2, "relative luminance" and "contrast ratio".
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let luminance = |color: [u8; 3]| -> f64 {
            let linear = color.map(|channel| {
                let c = f64::from(channel) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn assert_contrast(ink: &ThemeColor, ground: &ThemeColor, least: f64) {
        for (scheme, a, b) in [("light", ink.light, ground.light), ("dark", ink.dark, ground.dark)] {
            let found = contrast(a, b);
            assert!(found >= least, "{} on {} in the {scheme} scheme: {found:.2}", ink.name, ground.name);
        }
    }

    #[test]
    fn text_is_readable_on_every_ground_it_is_set_on() {
        for ink in [&INK, &QUIET, &LINK, &BAD, &GOOD] {
            assert_contrast(ink, &PAGE, 4.5);
            assert_contrast(ink, &PANEL, 4.5);
        }
        assert_contrast(&CAUTION_INK, &CAUTION, 4.5);
        for (ground, ink) in HEAT.iter().zip(HEAT_INK) {
            assert_contrast(ink, ground, 4.5);
        }
        // Model names are written in their colour.
        for series in &SERIES {
            assert_contrast(series, &PAGE, 4.5);
        }
    }

    #[test]
    fn the_ramp_is_monotone_in_lightness() {
        for steps in HEAT.windows(2) {
            assert!(contrast(steps[0].light, PAGE.light) < contrast(steps[1].light, PAGE.light));
            assert!(contrast(steps[0].dark, PAGE.dark) < contrast(steps[1].dark, PAGE.dark));
        }
    }

    /// Two equal light colours would become one variable.
    #[test]
    fn light_colours_and_names_are_unique() {
        assert_eq!(all().map(|theme_color| theme_color.light).collect::<BTreeSet<_>>().len(), all().count());
        assert_eq!(all().map(|theme_color| theme_color.name).collect::<BTreeSet<_>>().len(), all().count());
    }
}
