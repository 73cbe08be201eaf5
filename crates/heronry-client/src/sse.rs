//! Reading server-sent events: bytes in, whole messages out.

/// The largest message that is read, in bytes; the server's own are far smaller.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One message of the stream. A bookmark has only an id.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<String>,
}

/// The stream breaks a rule of its format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum SseError {
    #[error("a message of the stream has more than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    #[error("the stream is not UTF-8")]
    NotUtf8,
}

/// Collects bytes until they make a line, and lines until they make a message.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    message: Message,
    size: usize,
}

impl Parser {
    /// Takes bytes as they come and returns the messages that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Message>, SseError> {
        let mut complete = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => complete.extend(self.end_line()?),
                // The server ends lines with a line feed alone; one before it is dropped.
                b'\r' => {}
                other => self.line.push(*other),
            }
            self.size += 1;
            if self.size > MESSAGE_BYTES_MAX {
                return Err(SseError::TooLong);
            }
        }
        Ok(complete)
    }

    fn end_line(&mut self) -> Result<Option<Message>, SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.size = 0;
            let message = std::mem::take(&mut self.message);
            let is_empty = message == Message::default();
            return Ok((!is_empty).then_some(message));
        }
        let line = String::from_utf8(line).map_err(|_| SseError::NotUtf8)?;
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.message.id = Some(value.to_owned()),
            "event" => self.message.event = Some(value.to_owned()),
            "data" => match &mut self.message.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.message.data = Some(value.to_owned()),
            },
            // Comments, `retry`, and fields of later versions.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: Option<&str>, event: Option<&str>, data: Option<&str>) -> Message {
        Message {
            id: id.map(str::to_owned),
            event: event.map(str::to_owned),
            data: data.map(str::to_owned),
        }
    }

    /// The same bytes give the same messages, however they are cut.
    fn check(text: &str, expected: &[Message]) {
        for size in [1, 3, text.len()] {
            let mut parser = Parser::default();
            let found: Vec<Message> = text
                .as_bytes()
                .chunks(size)
                .flat_map(|part| parser.feed(part).unwrap())
                .collect();
            assert_eq!(found, expected, "in parts of {size}");
        }
    }

    #[test]
    fn messages_are_read_however_the_bytes_are_cut() {
        check(
            "id: a-1\nevent: run_started\ndata: {\"a\":1}\n\n: comment\n\nid:a-2\n\n",
            &[
                message(Some("a-1"), Some("run_started"), Some("{\"a\":1}")),
                message(Some("a-2"), None, None),
            ],
        );
        check(
            "data: one\r\ndata: two\r\n\r\n",
            &[message(None, None, Some("one\ntwo"))],
        );
        check("data: unfinished\n", &[]);
    }

    #[test]
    fn a_message_without_end_is_refused() {
        let mut parser = Parser::default();
        let endless = vec![b'x'; MESSAGE_BYTES_MAX];
        assert!(parser.feed(&endless).is_ok());
        assert!(matches!(parser.feed(b"x"), Err(SseError::TooLong)));
    }
}
