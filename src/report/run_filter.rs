//! `task == "rte" and score > 0.6`: a condition on runs, as an expression of Polars.

use polars::prelude::{Expr, col, lit};

/// A word of a condition.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Value(Operand),
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`, `(` or `)`.
    Sign(&'static str),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
}

/// How a column is compared with a value: as it is written, as Polars does it, and of two words.
type Comparison = (&'static str, fn(Expr, Expr) -> Expr, fn(&str, &str) -> bool);

/// Those that begin with others before them.
const COMPARISONS: [Comparison; 6] = [
    ("==", |column, value| column.eq(value), |a, b| a == b),
    ("!=", |column, value| column.neq(value), |a, b| a != b),
    ("<=", |column, value| column.lt_eq(value), |a, b| a <= b),
    (">=", |column, value| column.gt_eq(value), |a, b| a >= b),
    ("<", |column, value| column.lt(value), |a, b| a < b),
    (">", |column, value| column.gt(value), |a, b| a > b),
];

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Text(String),
    Number(f64),
}

/// A condition on runs, which the columns alone decide.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(&'static str, Comparison, Operand),
}

impl Condition {
    /// The same as an expression of Polars. A run that lacks a value meets no comparison with it.
    pub(super) fn expression(&self) -> Expr {
        self.unfilled().fill_null(lit(false))
    }

    fn unfilled(&self) -> Expr {
        match self {
            Self::Both(left, right) => left.unfilled().and(right.unfilled()),
            Self::Either(left, right) => left.unfilled().or(right.unfilled()),
            Self::Not(of) => of.unfilled().not(),
            Self::Compare(column, (_, compare, _), Operand::Text(text)) => compare(col(*column), lit(text.clone())),
            Self::Compare(column, (_, compare, _), Operand::Number(number)) => compare(col(*column), lit(*number)),
        }
    }

    /// Whether a run of which only some columns of text are known meets it: `None` when the others decide.
    pub(super) fn truth<'a>(&self, known: &impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
        match self {
            Self::Both(left, right) => match (left.truth(known), right.truth(known)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Either(left, right) => match (left.truth(known), right.truth(known)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(of) => of.truth(known).map(|is_true| !is_true),
            Self::Compare(_, _, Operand::Number(_)) => None,
            Self::Compare(column, (.., compare), Operand::Text(text)) => {
                known(column).map(|value| compare(value, text))
            }
        }
    }
}

/// The condition `text` over `columns`: comparisons of a column with a number or a quoted word, joined by `and`, `or`,
/// `not` and parentheses.
///
/// # Errors
/// In words, what is wrong.
pub(super) fn parse(text: &str, columns: &[(&'static str, Kind)]) -> Result<Condition, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, columns };
    let found = parser.either()?;
    match parser.next() {
        None => Ok(found),
        Some(rest) => Err(format!("`and`, `or` or the end was expected at {}", shown(rest))),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let mut signs = COMPARISONS.iter().map(|(sign, ..)| *sign).chain(["(", ")"]);
        let (token, length) = if let Some(sign) = signs.find(|sign| rest.starts_with(*sign)) {
            (Token::Sign(sign), sign.len())
        } else if first == '"' || first == '\'' {
            let end = rest[1..].find(first).ok_or_else(|| format!("the quote {first} is not closed"))?;
            (Token::Value(Operand::Text(rest[1..=end].to_owned())), end + 2)
        } else {
            let is_part = |c: char| c.is_alphanumeric() || "_.+-".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            match &rest[..end] {
                "" if first == '=' => return Err("`=` is written `==`".to_owned()),
                "" => return Err(format!("`{first}` is not understood")),
                word => {
                    let number = word.parse().map(|number| Token::Value(Operand::Number(number)));
                    (number.unwrap_or_else(|_| Token::Name(word.to_owned())), end)
                }
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Value(Operand::Text(text)) => format!("`\"{text}\"`"),
        Token::Value(Operand::Number(number)) => format!("`{number}`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    columns: &'a [(&'static str, Kind)],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Token::Name(word.to_owned()))
    }

    fn either(&mut self) -> Result<Condition, String> {
        let mut found = self.both()?;
        while self.take_word("or") {
            found = Condition::Either(Box::new(found), Box::new(self.both()?));
        }
        Ok(found)
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut found = self.one()?;
        while self.take_word("and") {
            found = Condition::Both(Box::new(found), Box::new(self.one()?));
        }
        Ok(found)
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.take(&Token::Sign("(")) {
            let found = self.either()?;
            return if self.take(&Token::Sign(")")) { Ok(found) } else { Err("a `)` is missing".to_owned()) };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let name = match self.next() {
            Some(Token::Name(name)) => name.clone(),
            Some(other) => return Err(format!("a column was expected at {}", shown(other))),
            None => return Err("a comparison is missing at the end".to_owned()),
        };
        let Some((column, kind)) = self.columns.iter().find(|(known, _)| *known == name).copied() else {
            return Err(format!("there is no column `{name}`"));
        };
        let comparison = match self.next() {
            Some(Token::Sign(sign)) if !["(", ")"].contains(sign) => {
                COMPARISONS.iter().find(|(known, ..)| known == sign)
            }
            Some(other) => return Err(format!("a comparison such as `==` was expected at {}", shown(other))),
            None => None,
        };
        let Some(comparison) = comparison else { return Err(format!("`{column}` is compared with nothing")) };
        let value = match (self.next(), kind) {
            (Some(Token::Value(value @ Operand::Text(_))), Kind::Text)
            | (Some(Token::Value(value @ Operand::Number(_))), Kind::Number) => value.clone(),
            (Some(other), Kind::Text) => {
                return Err(format!("`{column}` is a word: compare it with one in quotes, not with {}", shown(other)));
            }
            (Some(other), Kind::Number) => {
                return Err(format!("`{column}` is a number: it cannot be compared with {}", shown(other)));
            }
            (None, _) => return Err(format!("`{column} {}` is compared with nothing", comparison.0)),
        };
        Ok(Condition::Compare(column, *comparison, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, Kind); 3] = [("task", Kind::Text), ("score", Kind::Number), ("epochs", Kind::Number)];

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("", "a comparison is missing"),
            ("tsk == \"rte\"", "no column `tsk`"),
            ("task = \"rte\"", "`=` is written `==`"),
            ("task == rte", "compare it with one in quotes, not with `rte`"),
            ("task == \"rte", "is not closed"),
            ("score > \"0.6\"", "it cannot be compared with `\"0.6\"`"),
            ("score >", "compared with nothing"),
            ("(score > 0.6", "a `)` is missing"),
            ("score > 0.6 epochs == 3", "`and`, `or` or the end"),
            ("score & 3", "`&` is not understood"),
        ] {
            let said = parse(text, &COLUMNS).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn numbers_may_have_signs_and_exponents() {
        for text in ["score > -1e-3 and not (epochs == 3 or task != 'a b')", "score>=2e5 or task==\"é\""] {
            assert!(parse(text, &COLUMNS).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_the_known_columns_decide_is_decided() {
        for (text, truth) in [
            ("task == \"rte\"", Some(true)),
            ("task != \"rte\"", Some(false)),
            ("not task == \"cola\"", Some(true)),
            ("task < \"sst2\" and task >= \"rte\" and not (task > \"rte\" or task <= \"cola\")", Some(true)),
            ("score > 0.6", None),
            ("not score > 0.6", None),
            ("task == \"rte\" and score > 0.6", None),
            ("task == \"cola\" and score > 0.6", Some(false)),
            ("score > 0.6 and task == \"cola\"", Some(false)),
            ("task == \"cola\" or score > 0.6", None),
            ("score > 0.6 or task == \"rte\"", Some(true)),
            ("not (task == \"cola\" and score > 0.6)", Some(true)),
        ] {
            let known = |column: &str| (column == "task").then_some("rte");
            assert_eq!(parse(text, &COLUMNS).unwrap().truth(&known), truth, "{text}");
        }
    }
}
