//! Media types of bodies.

use crate::Refusal;

/// The longest media type in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// Checks that a text is a media type, which can stand in a header again, as it is, when the body is
/// fetched. What follows behind a semicolon is not looked into.
///
/// # Errors
/// [`Refusal`] `invalid-request` that names `field`.
pub fn check_media_type(field: &'static str, text: &str) -> Result<(), Refusal> {
    let visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let is_whole = text.bytes().all(visible) && text.trim() == text;
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let is_named = essence
        .split_once('/')
        .is_some_and(|(kind, name)| is_token(kind) && is_token(name));
    if text.len() <= MEDIA_TYPE_BYTES_MAX && is_whole && is_named {
        return Ok(());
    }
    Err(Refusal::invalid(
        field,
        "not a media type of up to 255 bytes; write it as text/plain; charset=utf-8",
    ))
}

/// Returns true when a text is a token of HTTP (RFC 9110).
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_can_stand_in_a_header() {
        let longest = format!("x/{}", "y".repeat(MEDIA_TYPE_BYTES_MAX - 2));
        for text in ["text/plain; charset=utf-8", "a/b;c", &longest] {
            assert!(check_media_type("media_type", text).is_ok(), "{text}");
        }
        let longer = format!("{longest}x");
        let named = ["", "a", "a/", "/b", "a/b/c", " a/b", "a/b ", "a b/c"];
        for text in ["a\n/b", "text/\u{e9}", &longer].into_iter().chain(named) {
            let refusal = check_media_type("media_type", text).unwrap_err();
            let field = refusal.problem().text("field");
            assert_eq!(field, Some("media_type"), "{text}");
        }
    }
}
