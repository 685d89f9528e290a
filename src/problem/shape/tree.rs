//! How named shapes are put together: `box - hole + (a & b)`.

use thiserror::Error;

/// A set, put together from numbered ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// The whole box.
    Everything,
    Named(usize),
    Join(Box<Tree>, Box<Tree>),
    Cut(Box<Tree>, Box<Tree>),
    Subtract(Box<Tree>, Box<Tree>),
}

/// What can be wrong with a text that puts shapes together, and the bytes that it is about.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TreeIssue {
    #[error("no shape is called {0}")]
    Unknown(String),
    #[error("a shape is missing before {0}")]
    Missing(String),
    #[error("a parenthesis is not closed")]
    Unclosed,
    #[error("{0} is not expected here")]
    Unexpected(String),
    #[error("parentheses are nested more than {MAX_NESTING} deep")]
    TooDeep,
}

/// The deepest nesting of parentheses.
const MAX_NESTING: usize = 32;

impl Tree {
    /// Whether a point is in the set, from whether it is in the named ones.
    pub fn holds(&self, named: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(name) => named(*name),
            Self::Join(a, b) => a.holds(named) || b.holds(named),
            Self::Cut(a, b) => a.holds(named) && b.holds(named),
            Self::Subtract(a, b) => a.holds(named) && !b.holds(named),
        }
    }

    /// Reads `sum`: `product { (+ | -) product }`, `product: atom { & atom }`,
    /// `atom: NAME | box | (sum)`; left to right, `&` first.
    ///
    /// # Errors
    /// The first mistake, with its bytes.
    pub fn parse(
        text: &str,
        names: &[String],
    ) -> Result<Self, (std::ops::Range<usize>, TreeIssue)> {
        let mut reader = Reader { text, at: 0, names, nesting: 0 };
        let tree = reader.sum()?;
        match reader.peek() {
            None => Ok(tree),
            Some((range, token)) => Err((range, TreeIssue::Unexpected(format!("'{token}'")))),
        }
    }

    /// Calls `look` with every name that occurs.
    pub fn visit(&self, look: &mut dyn FnMut(usize)) {
        match self {
            Self::Everything => {}
            Self::Named(name) => look(*name),
            Self::Join(a, b) | Self::Cut(a, b) | Self::Subtract(a, b) => {
                a.visit(look);
                b.visit(look);
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    names: &'a [String],
    nesting: usize,
}

type Parsed = Result<Tree, (std::ops::Range<usize>, TreeIssue)>;

impl<'a> Reader<'a> {
    /// The next word or sign.
    fn peek(&self) -> Option<(std::ops::Range<usize>, &'a str)> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let rest = rest.trim_start();
        let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let length = match word.unwrap_or(rest.len()) {
            0 => rest.chars().next()?.len_utf8(),
            length => length,
        };
        Some((start..start + length, &rest[..length]))
    }

    fn accept(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        let (range, token) = self.peek()?;
        let sign = signs.iter().find(|sign| **sign == token)?;
        self.at = range.end;
        Some(sign)
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        while let Some(sign) = self.accept(&["+", "-"]) {
            let right = Box::new(self.product()?);
            left = match sign {
                "+" => Tree::Join(Box::new(left), right),
                _ => Tree::Subtract(Box::new(left), right),
            };
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.atom()?;
        while self.accept(&["&"]).is_some() {
            left = Tree::Cut(Box::new(left), Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Parsed {
        let end = self.text.len();
        let Some((range, token)) = self.peek() else {
            return Err((end..end, TreeIssue::Missing("the end".into())));
        };
        self.at = range.end;
        match token {
            "(" if self.nesting >= MAX_NESTING => Err((range, TreeIssue::TooDeep)),
            "(" => {
                self.nesting += 1;
                let inner = self.sum()?;
                self.nesting -= 1;
                self.accept(&[")"]).map(|_| inner).ok_or((range, TreeIssue::Unclosed))
            }
            "box" => Ok(Tree::Everything),
            word if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let number = self.names.iter().position(|name| name == word);
                number.map(Tree::Named).ok_or_else(|| (range, TreeIssue::Unknown(word.into())))
            }
            sign => Err((range, TreeIssue::Missing(format!("'{sign}'")))),
        }
    }
}
