//! Reading SOQL (Salesforce docs: SOQL and SOSL Reference, SOQL SELECT syntax), as far as it goes here.

use super::soql_tokens::{Literal, Token, literal, tokens};

#[derive(Debug)]
pub struct Query {
    /// None of them: `COUNT()`.
    pub fields: Vec<String>,
    pub object: String,
    pub condition: Option<Condition>,
    pub order: Vec<Order>,
    pub limit: Option<usize>,
}

#[derive(Debug)]
pub struct Order {
    pub field: String,
    pub descending: bool,
    pub nulls_last: bool,
}

#[derive(Debug)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { field: String, operator: Operator, values: Vec<Literal> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    NotIn,
    Like,
}

/// The query, or what `MALFORMED_QUERY` says.
pub fn parse(text: &str) -> Result<Query, String> {
    Parser { tokens: tokens(text)?, at: 0 }.query()
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn query(mut self) -> Result<Query, String> {
        self.expect("select")?;
        let fields = self.fields()?;
        self.expect("from")?;
        let object = self.word()?;
        // What an API user sees is everything, `mine` apart, which nothing here is (Salesforce docs: SOQL, USING SCOPE).
        if self.keyword("using") {
            self.expect("scope")?;
            self.expect("everything")?;
        }
        let condition = if self.keyword("where") { Some(self.condition()?) } else { None };
        let order = self.order()?;
        let limit = match self.keyword("limit") {
            true => Some(self.word()?.parse().map_err(|_| self.unexpected())?),
            false => None,
        };
        match self.tokens.get(self.at) {
            None => Ok(Query { fields, object, condition, order, limit }),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn fields(&mut self) -> Result<Vec<String>, String> {
        let first = self.word()?;
        if first.eq_ignore_ascii_case("count") && self.mark("(") {
            return if self.mark(")") { Ok(Vec::new()) } else { Err(self.unexpected()) };
        }
        let mut fields = vec![first];
        while self.mark(",") {
            fields.push(self.word()?);
        }
        Ok(fields)
    }

    fn order(&mut self) -> Result<Vec<Order>, String> {
        let mut order = Vec::new();
        if !self.keyword("order") {
            return Ok(order);
        }
        self.expect("by")?;
        loop {
            let field = self.word()?;
            let descending = self.keyword("desc");
            if !descending {
                self.keyword("asc");
            }
            let mut nulls_last = false;
            if self.keyword("nulls") {
                nulls_last = self.keyword("last");
                if !nulls_last {
                    self.expect("first")?;
                }
            }
            order.push(Order { field, descending, nulls_last });
            if !self.mark(",") {
                return Ok(order);
            }
        }
    }

    /// Operands joined by AND or by OR; a mixture needs brackets.
    fn condition(&mut self) -> Result<Condition, String> {
        let first = self.operand()?;
        for (word, join) in [("and", Condition::All as fn(Vec<Condition>) -> Condition), ("or", Condition::Any)] {
            let mut operands = Vec::new();
            while self.keyword(word) {
                operands.push(self.operand()?);
            }
            if !operands.is_empty() {
                operands.insert(0, first);
                return if self.is_word("and") || self.is_word("or") {
                    Err(self.unexpected())
                } else {
                    Ok(join(operands))
                };
            }
        }
        Ok(first)
    }

    fn operand(&mut self) -> Result<Condition, String> {
        if self.keyword("not") {
            return Ok(Condition::Not(Box::new(self.operand()?)));
        }
        if self.mark("(") {
            let inner = self.condition()?;
            return if self.mark(")") { Ok(inner) } else { Err(self.unexpected()) };
        }
        let field = self.word()?;
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => vec![self.literal()?],
        };
        Ok(Condition::Compare { field, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        const MARKS: [(&str, Operator); 7] = [
            ("=", Operator::Is),
            ("!=", Operator::IsNot),
            ("<>", Operator::IsNot),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::More),
        ];
        if let Some((_, operator)) = MARKS.into_iter().find(|(mark, _)| self.mark(mark)) {
            return Ok(operator);
        }
        if self.keyword("not") {
            self.expect("in")?;
            return Ok(Operator::NotIn);
        }
        if self.keyword("in") {
            return Ok(Operator::In);
        }
        if self.keyword("like") { Ok(Operator::Like) } else { Err(self.unexpected()) }
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        if !self.mark("(") {
            return Err(self.unexpected());
        }
        let mut values = vec![self.literal()?];
        while self.mark(",") {
            values.push(self.literal()?);
        }
        if self.mark(")") { Ok(values) } else { Err(self.unexpected()) }
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let found = match self.tokens.get(self.at) {
            Some(Token::Quoted(text)) => Some(Literal::Text(text.clone())),
            Some(Token::Word(word)) => literal(word),
            _ => None,
        };
        let found = found.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(found)
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.keyword(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn mark(&mut self, mark: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Mark(m)) if *m == mark);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self) -> String {
        match self.tokens.get(self.at) {
            Some(Token::Word(text)) | Some(Token::Quoted(text)) => format!("unexpected token: '{text}'"),
            Some(Token::Mark(mark)) => format!("unexpected token: '{mark}'"),
            None => "unexpected token: '<EOF>'".to_owned(),
        }
    }
}
