//! A small check of markup.

/// Elements that HTML closes by itself.
const VOID: [&str; 4] = ["meta", "br", "input", "link"];

/// Every tag closed in order, every attribute quoted, no stray `<`. Scripts and styles are skipped.
pub fn assert_well_formed(name: &str, markup: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &rest[..end.unwrap_or_else(|| panic!("{name}: an unclosed tag: {}", &rest[..rest.len().min(80)]))];
        rest = &rest[tag.len() + 1..];
        let word: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(!word.is_empty() || tag.starts_with("!doctype"), "{name}: a stray < before {tag}");
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&word.as_str()) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_ref(), Some(&word), "{name}: closed out of order");
            continue;
        }
        if matches!(word.as_str(), "script" | "style") {
            let close = format!("</{word}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
            continue;
        }
        open.push(word);
    }
    assert!(open.is_empty(), "{name}: not closed: {open:?}");
}
