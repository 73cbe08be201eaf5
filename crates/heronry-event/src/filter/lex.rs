//! Filter text to tokens with their places.

use std::ops::Range;

use winnow::{
    Parser,
    ascii::{multispace1, till_line_ending},
    combinator::{alt, opt, preceded},
    error::EmptyError,
    stream::{AsChar, LocatingSlice, Stream},
    token::{any, one_of, take_while},
};

use super::error::{ErrorKind, Faults};

/// A token and its place in bytes of the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LexToken {
    pub(super) span: Range<usize>,
    pub(super) lexeme: Lexeme,
}

/// The form and the value of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lexeme {
    Word(String),
    Text(String),
    Integer(i64),
    Symbol(Symbol),
    /// A literal that was already refused; stands for an operand.
    Broken,
}

/// An operator or bracket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Symbol {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    And,
    Or,
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    OpenMap,
    CloseMap,
    Comma,
    Dot,
    Question,
    Colon,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

impl Symbol {
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::And => "&&",
            Self::Or => "||",
            Self::Not => "!",
            Self::Open => "(",
            Self::Close => ")",
            Self::OpenList => "[",
            Self::CloseList => "]",
            Self::OpenMap => "{",
            Self::CloseMap => "}",
            Self::Comma => ",",
            Self::Dot => ".",
            Self::Question => "?",
            Self::Colon => ":",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// Every symbol, so that one comes before its own beginnings.
    const ALL: [Self; 24] = [
        Self::Equal,
        Self::Unequal,
        Self::AtMost,
        Self::AtLeast,
        Self::And,
        Self::Or,
        Self::Less,
        Self::Greater,
        Self::Not,
        Self::Open,
        Self::Close,
        Self::OpenList,
        Self::CloseList,
        Self::OpenMap,
        Self::CloseMap,
        Self::Comma,
        Self::Dot,
        Self::Question,
        Self::Colon,
        Self::Plus,
        Self::Minus,
        Self::Times,
        Self::Divide,
        Self::Remainder,
    ];
}

type Input<'i> = LocatingSlice<&'i str>;
type Lexed<T> = Result<T, EmptyError>;

/// The finding at one place of the text: a token, or the reason why there is none.
enum LexFinding {
    Token(Lexeme),
    Refused(ErrorKind, String),
}

/// Returns the tokens of a text; what is none goes to `faults`.
pub(super) fn tokens(text: &str, faults: &mut Faults) -> Vec<LexToken> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    loop {
        skip_blank(&mut input);
        let found = alt((literal_text, number, word, symbol)).with_span();
        match { found }.parse_next(&mut input) {
            Ok((LexFinding::Token(lexeme), span)) => tokens.push(LexToken { span, lexeme }),
            Ok((LexFinding::Refused(kind, message), span)) => {
                faults.push(kind, &span, message);
                let lexeme = Lexeme::Broken;
                tokens.push(LexToken { span, lexeme });
            }
            Err(EmptyError) => {
                let stray: Lexed<_> = any.with_span().parse_next(&mut input);
                let Ok((stray, span)) = stray else {
                    return tokens;
                };
                let (message, meant) = misspelt(stray);
                faults.push(ErrorKind::Syntax, &span, message);
                let lexeme = meant.map(Lexeme::Symbol);
                tokens.extend(lexeme.map(|lexeme| LexToken { span, lexeme }));
            }
        }
    }
}

/// Returns the fault of a character that begins nothing, and the operator that was probably meant.
fn misspelt(stray: char) -> (String, Option<Symbol>) {
    let meant = match stray {
        '=' => Symbol::Equal,
        '&' => Symbol::And,
        '|' => Symbol::Or,
        other => {
            let message =
                format!("{other:?} has no meaning in a filter; texts stand in \"quotes\"");
            return (message, None);
        }
    };
    let message = format!("a single {stray} is no operator; write {}", meant.written());
    (message, Some(meant))
}

/// Passes over spaces, line ends and `// comments`.
fn skip_blank(input: &mut Input<'_>) {
    let blank = alt((multispace1, preceded("//", till_line_ending).take()));
    let mut blank = opt(blank);
    let mut next = || -> Lexed<Option<&str>> { blank.parse_next(input) };
    while let Ok(Some(_)) = next() {}
}

fn symbol(input: &mut Input<'_>) -> Lexed<LexFinding> {
    let start = input.checkpoint();
    for symbol in Symbol::ALL {
        let found: Lexed<&str> = symbol.written().parse_next(input);
        if found.is_ok() {
            return Ok(LexFinding::Token(Lexeme::Symbol(symbol)));
        }
        input.reset(&start);
    }
    Err(EmptyError)
}

fn word(input: &mut Input<'_>) -> Lexed<LexFinding> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = (one_of(first), take_while(0.., rest))
        .take()
        .parse_next(input)?;
    let is_prefix = matches!(word, "r" | "R" | "b" | "B" | "br" | "rb");
    if is_prefix && input.starts_with(['"', '\'']) {
        literal_text(input)?;
        return Ok(unsupported("raw and bytes literals are"));
    }
    Ok(LexFinding::Token(Lexeme::Word(word.to_owned())))
}

fn number(input: &mut Input<'_>) -> Lexed<LexFinding> {
    let rest = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let text = (one_of(AsChar::is_dec_digit), take_while(0.., rest))
        .take()
        .parse_next(input)?;
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = hex.unwrap_or(text);
    let is_integer = !digits.is_empty()
        && digits.chars().all(|c| {
            if hex.is_some() {
                c.is_ascii_hexdigit()
            } else {
                c.is_ascii_digit()
            }
        });
    if is_integer {
        let radix = if hex.is_some() { 16 } else { 10 };
        let too_large = || format!("{text} is too large; numbers go up to {}", i64::MAX);
        return Ok(i64::from_str_radix(digits, radix).map_or_else(
            |_| LexFinding::Refused(ErrorKind::Mismatch, too_large()),
            |value| LexFinding::Token(Lexeme::Integer(value)),
        ));
    }
    Ok(match text.chars().last() {
        Some('u' | 'U') => unsupported("unsigned literals (10u) are"),
        Some(_) | None if text.contains(['.', 'e', 'E']) => unsupported("decimal literals are"),
        Some(_) | None => LexFinding::Refused(ErrorKind::Syntax, format!("{text} is not a number")),
    })
}

fn unsupported(what: &str) -> LexFinding {
    LexFinding::Refused(
        ErrorKind::Unsupported,
        format!("{what} not supported in filters"),
    )
}

fn literal_text(input: &mut Input<'_>) -> Lexed<LexFinding> {
    let quote = one_of(['"', '\'']).parse_next(input)?;
    if opt((quote, quote)).parse_next(input)?.is_some() {
        return Ok(unsupported("triple-quoted literals are"));
    }
    let mut text = String::new();
    let mut fault = None;
    loop {
        match opt(any).parse_next(input)? {
            Some(c) if c == quote => break,
            Some('\\') => match escaped(input) {
                Ok(c) => text.push(c),
                Err(EmptyError) => fault = Some("unknown escape; write \\\\ for a backslash"),
            },
            Some('\n') | None => {
                fault = Some("text is not closed; end it with the quote that began it");
                break;
            }
            Some(c) => text.push(c),
        }
    }
    Ok(match fault {
        Some(message) => LexFinding::Refused(ErrorKind::Syntax, message.to_owned()),
        None => LexFinding::Token(Lexeme::Text(text)),
    })
}

/// Reads what follows a backslash.
fn escaped(input: &mut Input<'_>) -> Lexed<char> {
    let start = input.checkpoint();
    let code = match any.parse_next(input)? {
        c @ ('\\' | '"' | '\'' | '`' | '?') => return Ok(c),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'a' => return Ok('\x07'),
        'b' => return Ok('\x08'),
        'f' => return Ok('\x0c'),
        'v' => return Ok('\x0b'),
        'x' | 'X' => digits(input, 2, 16),
        'u' => digits(input, 4, 16),
        'U' => digits(input, 8, 16),
        '0'..='3' => {
            input.reset(&start);
            digits(input, 3, 8)
        }
        _ => {
            input.reset(&start);
            Err(EmptyError)
        }
    }?;
    char::from_u32(code).ok_or(EmptyError)
}

fn digits(input: &mut Input<'_>, count: usize, radix: u32) -> Lexed<u32> {
    take_while(count..=count, move |c: char| c.is_digit(radix))
        .try_map(|text| u32::from_str_radix(text, radix))
        .parse_next(input)
}
