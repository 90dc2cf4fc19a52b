//! Reading COQL (Zoho docs: COQL overview): `select … from … where … order by … limit …`.

/// The column that is the number of rows.
pub const COUNT: &str = "COUNT(id)";

#[derive(Debug)]
pub struct Query {
    pub columns: Vec<String>,
    pub module: String,
    pub condition: Condition,
    /// Field and whether ascending.
    pub order: Vec<(String, bool)>,
    pub offset: usize,
    pub limit: usize,
}

#[derive(Debug)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Compare { field: String, operator: String, values: Vec<String> },
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(String),
}

/// The query, or near what it went wrong.
pub fn parse(text: &str) -> Result<Query, String> {
    Parser { tokens: tokens(text)?, at: 0 }.query()
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => {
                let (value, length) = quoted(rest)?;
                tokens.push(Token::Text(value));
                length
            }
            '(' | ')' | ',' | '=' => {
                tokens.push(Token::Mark(first.to_string()));
                1
            }
            '<' | '>' | '!' => {
                let length = if rest[1..].starts_with('=') { 2 } else { 1 };
                tokens.push(Token::Mark(rest[..length].to_owned()));
                length
            }
            _ => {
                let length = rest.find(|c: char| c.is_whitespace() || "(),=<>!'".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A text in single quotes; `\'` and `''` are a quote in it.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match (c, chars.peek().map(|(_, next)| *next)) {
            ('\\', Some(next @ ('\'' | '\\'))) | ('\'', Some(next @ '\'')) => {
                value.push(next);
                chars.next();
            }
            ('\'', _) => return Ok((value, at + 1)),
            _ => value.push(c),
        }
    }
    Err("unclosed quote".to_owned())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn query(mut self) -> Result<Query, String> {
        self.keyword("select")?;
        let mut columns = vec![self.word()?];
        // Aggregate functions are in capitals (Zoho docs: COQL overview).
        if columns[0] == "COUNT" && self.mark("(") {
            columns = vec![COUNT.to_owned()];
            if self.word()? != "id" || !self.mark(")") {
                return Err("COUNT".to_owned());
            }
        }
        while self.mark(",") {
            columns.push(self.word()?);
        }
        self.keyword("from")?;
        let module = self.word()?;
        // A where clause is mandatory.
        self.keyword("where")?;
        let condition = self.condition()?;
        let mut order = Vec::new();
        if self.is_keyword("order") {
            self.keyword("by")?;
            loop {
                let field = self.word()?;
                let descending = self.is_keyword("desc");
                if !descending {
                    self.is_keyword("asc");
                }
                order.push((field, !descending));
                if !self.mark(",") {
                    break;
                }
            }
        }
        let (mut offset, mut limit) = (0, 200);
        if self.is_keyword("limit") {
            limit = self.number()?;
            if self.mark(",") {
                offset = limit;
                limit = self.number()?;
            } else if self.is_keyword("offset") {
                offset = self.number()?;
            }
        }
        match self.tokens.get(self.at) {
            None => Ok(Query { columns, module, condition, order, offset, limit }),
            Some(token) => Err(format!("{token:?}")),
        }
    }

    /// One or two operands: more than two must be bracketed pairwise.
    fn condition(&mut self) -> Result<Condition, String> {
        let left = self.operand()?;
        let join = if self.is_keyword("and") {
            Condition::And
        } else if self.is_keyword("or") {
            Condition::Or
        } else {
            return Ok(left);
        };
        let right = self.operand()?;
        match self.tokens.get(self.at) {
            Some(Token::Word(w)) if w.eq_ignore_ascii_case("and") || w.eq_ignore_ascii_case("or") => {
                Err(format!("{w}: bracket conditions in pairs"))
            }
            _ => Ok(join(Box::new(left), Box::new(right))),
        }
    }

    fn operand(&mut self) -> Result<Condition, String> {
        if self.mark("(") {
            let inner = self.condition()?;
            return if self.mark(")") { Ok(inner) } else { Err("a bracket is not closed".to_owned()) };
        }
        let field = self.word()?;
        let operator = self.operator()?;
        let values = match operator.as_str() {
            "in" | "not in" => self.list()?,
            "between" => {
                let low = self.value()?;
                self.keyword("and")?;
                vec![low, self.value()?]
            }
            "is null" | "is not null" => Vec::new(),
            _ => vec![self.value()?],
        };
        Ok(Condition::Compare { field, operator, values })
    }

    fn operator(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Mark(m) if matches!(m.as_str(), "=" | "!=" | ">" | ">=" | "<" | "<=") => Ok(m),
            Token::Word(w) => match w.to_lowercase().as_str() {
                "not" => match self.word()?.to_lowercase().as_str() {
                    w @ ("in" | "like") => Ok(format!("not {w}")),
                    w => Err(w.to_owned()),
                },
                "is" => {
                    let not = self.is_keyword("not");
                    self.keyword("null")?;
                    Ok(if not { "is not null" } else { "is null" }.to_owned())
                }
                w @ ("in" | "like" | "between") => Ok(w.to_owned()),
                w => Err(w.to_owned()),
            },
            token => Err(format!("{token:?}")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.mark("(") {
            return Err("in needs a list".to_owned());
        }
        let mut values = vec![self.value()?];
        while self.mark(",") {
            values.push(self.value()?);
        }
        if self.mark(")") { Ok(values) } else { Err("a list is not closed".to_owned()) }
    }

    fn value(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Text(v) | Token::Word(v) => Ok(v),
            Token::Mark(m) => Err(m),
        }
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("the end")?;
        self.at += 1;
        Ok(token)
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Word(w) => Ok(w),
            token => Err(format!("{token:?}")),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        let word = self.word()?;
        word.parse().map_err(|_| word)
    }

    fn is_keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.is_keyword(word) { Ok(()) } else { Err(format!("{word} is missing")) }
    }

    fn mark(&mut self, mark: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Mark(mark.to_owned()));
        self.at += usize::from(found);
        found
    }
}
