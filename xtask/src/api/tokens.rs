//! Tokens as one line of text, the same however the source was laid out.

use proc_macro2::{Delimiter, Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The text of some syntax, on one line, with spaces where a reader expects them.
pub(crate) fn text(syntax: &impl ToTokens) -> String {
    line(syntax.to_token_stream())
}

/// The text of tokens, without the documentation among them.
pub(crate) fn line(tokens: TokenStream) -> String {
    let mut printer = Printer::default();
    printer.stream(without_docs(tokens));
    tidy(&printer.text)
}

/// Drops `#[doc = ..]`, which is how `///` looks to a macro.
fn without_docs(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if let (TokenTree::Punct(hash), Some(TokenTree::Group(group))) = (first, after.first())
            && hash.as_char() == '#'
            && group.delimiter() == Delimiter::Bracket
            && group.stream().to_string().starts_with("doc")
        {
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        kept.push(first.clone());
        rest = after;
    }
    kept.into_iter().collect()
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Ident(word) => self.word(&word.to_string()),
                TokenTree::Literal(word) => self.word(&word.to_string()),
                TokenTree::Punct(mark) => self.mark(&mark),
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, stream: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{ ", " }"),
            Delimiter::None => ("", ""),
        };
        self.text.push_str(open);
        self.stream(without_docs(stream));
        self.text = self.text.trim_end().to_owned();
        self.text.push_str(close);
        self.text.push(' ');
    }

    fn mark(&mut self, mark: &Punct) {
        self.text.push(mark.as_char());
        if mark.spacing() == Spacing::Alone {
            self.text.push(' ');
        }
    }

    fn word(&mut self, word: &str) {
        self.text.push_str(word);
        self.text.push(' ');
    }
}

/// Takes out the spaces that nobody would write.
fn tidy(text: &str) -> String {
    let mut tidied = text.trim().replace("{  }", "{}");
    for (written, wanted) in [
        (" ,", ","),
        (" ;", ";"),
        (" :: ", "::"),
        (" ::", "::"),
        (":: ", "::"),
        (" : ", ": "),
        (" (", "("),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        ("? ", "?"),
        (" !", "!"),
        (" .", "."),
        (" ?", "?"),
        (",)", ")"),
        (",]", "]"),
        (",>", ">"),
        ("->", " -> "),
        ("# [", "#["),
        ("+?", "+ ?"),
        ("  ", " "),
    ] {
        tidied = tidied.replace(written, wanted);
    }
    tidied.replace(",(", ", (").replace(":(", ": (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(line(source.parse().unwrap()), expected);
    }

    #[test]
    fn signatures_read_as_they_are_written() {
        check(
            "pub   fn read(&self,\n after: Position, ) -> Result<Page,  ReadError>",
            "pub fn read(&self, after: Position) -> Result<Page, ReadError>",
        );
        check(
            "fn call<C: Command + Sync>(&'a self, f: impl Fn(u8) -> u8 + 'static)",
            "fn call<C: Command + Sync>(&'a self, f: impl Fn(u8) -> u8 + 'static)",
        );
        check("x: (u8, &[u8; 32])", "x: (u8, &[u8; 32])");
    }

    #[test]
    fn documentation_is_left_out() {
        check("/// Says something.\nA = \"a\",", "A = \"a\",");
    }
}
