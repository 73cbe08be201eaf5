//! Sizes: a file is one idea, a function fits a screen.

use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, TraitItemFn, Type};

use super::Finding;
use super::ratchet::{self, EXCEPTIONS, Measured, Section};
use super::tree::Tree;

/// No file is longer.
const FILE_LINES_MAX: usize = 600;

/// No function has more lines between its braces.
const FUNCTION_LINES_MAX: usize = 60;

/// Measures every Rust file and compares what is over a limit with the list of exceptions.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut over = Vec::new();
    for (path, text) in tree.with_ending("rs") {
        match measure(path, text) {
            Ok(measured) => over.extend(measured),
            Err(error) => {
                let line = error.span().start().line;
                findings.push(Finding::new(
                    path,
                    line,
                    format!("does not parse: {error}; mend the syntax"),
                ));
            }
        }
    }
    let list = tree.text(EXCEPTIONS).unwrap_or_default();
    let sections = [Section::File, Section::Function];
    findings.extend(ratchet::compare(&over, &sections, list));
    findings
}

/// Everything in one file that is over a limit.
fn measure(path: &str, text: &str) -> syn::Result<Vec<Measured>> {
    let mut over = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        let advice = format!("the limit is {FILE_LINES_MAX}; split it, one idea a file");
        over.push(Measured {
            section: Section::File,
            path: path.to_owned(),
            function: None,
            line: 1,
            lines,
            advice,
        });
    }
    let mut functions = Functions {
        path,
        scope: Vec::new(),
        over,
    };
    functions.visit_file(&syn::parse_file(text)?);
    Ok(functions.over)
}

/// Walks a file and notes the functions that are too long, under their full name.
struct Functions<'a> {
    path: &'a str,
    scope: Vec<String>,
    over: Vec<Measured>,
}

impl Functions<'_> {
    fn note(&mut self, name: &syn::Ident, body: &Block) {
        let open = body.brace_token.span.open().start().line;
        let close = body.brace_token.span.close().end().line;
        let lines = close.saturating_sub(open + 1);
        if lines > FUNCTION_LINES_MAX {
            let full: Vec<String> = self
                .scope
                .iter()
                .cloned()
                .chain([name.to_string()])
                .collect();
            self.over.push(Measured {
                section: Section::Function,
                path: self.path.to_owned(),
                function: Some(full.join("::")),
                line: name.span().start().line,
                lines,
                advice: format!("the limit is {FUNCTION_LINES_MAX}; name its parts as functions"),
            });
        }
    }

    fn within(&mut self, scope: String, visit: impl FnOnce(&mut Self)) {
        self.scope.push(scope);
        visit(self);
        self.scope.pop();
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.note(&item.sig.ident, &item.block);
        self.within(item.sig.ident.to_string(), |this| {
            visit::visit_item_fn(this, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.note(&item.sig.ident, &item.block);
        self.within(item.sig.ident.to_string(), |this| {
            visit::visit_impl_item_fn(this, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig.ident, body);
        }
        self.within(item.sig.ident.to_string(), |this| {
            visit::visit_trait_item_fn(this, item);
        });
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.within(type_name(&item.self_ty), |this| {
            visit::visit_item_impl(this, item);
        });
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.within(item.ident.to_string(), |this| {
            visit::visit_item_trait(this, item);
        });
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.within(item.ident.to_string(), |this| {
            visit::visit_item_mod(this, item);
        });
    }
}

/// The last segment of a type's path, which is how a reader names it.
fn type_name(of: &Type) -> String {
    if let Type::Path(path) = of
        && let Some(segment) = path.path.segments.last()
    {
        return segment.ident.to_string();
    }
    "impl".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines))
    }

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let tree = Tree::of(&[("src/a.rs", text)]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, start) in found.iter().zip(expected) {
            assert!(
                line.starts_with(start),
                "{line} does not start with {start}"
            );
        }
    }

    #[test]
    fn function_at_the_limit_passes_and_one_line_more_does_not() {
        check_text(&function_of(60), &[]);
        check_text(
            &function_of(61),
            &["src/a.rs:1: function long has 61 lines, the limit is 60"],
        );
    }

    #[test]
    fn file_at_the_limit_passes_and_one_line_more_does_not() {
        check_text(&"// line\n".repeat(600), &[]);
        check_text(
            &"// line\n".repeat(601),
            &["src/a.rs:1: file has 601 lines, the limit is 600"],
        );
    }

    #[test]
    fn methods_are_found_under_their_full_name() {
        let method = format!("mod m {{\nimpl Pool {{\n{}}}\n}}\n", function_of(70));
        check_text(
            &method,
            &["src/a.rs:3: function m::Pool::long has 70 lines"],
        );
    }

    #[test]
    fn file_that_does_not_parse_is_named() {
        check_text("fn broken( {}\n", &["src/a.rs:1: does not parse"]);
    }
}
