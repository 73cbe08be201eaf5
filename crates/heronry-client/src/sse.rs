//! Reading server-sent events: bytes in, whole messages out.

/// The largest message that is read, in bytes; the server's own are far smaller.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One message of the stream. A bookmark has only an id.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StreamMessage {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<String>,
}

/// The stream breaks a rule of its format.
#[derive(Debug, thiserror::Error)]
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
    message: StreamMessage,
    size: usize,
}

impl Parser {
    /// Takes bytes as they come and returns the messages that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<StreamMessage>, SseError> {
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

    fn end_line(&mut self) -> Result<Option<StreamMessage>, SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.size = 0;
            let message = std::mem::take(&mut self.message);
            let is_empty = message == StreamMessage::default();
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
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    /// Returns the messages that a parser makes of bytes which come in parts, and the error at
    /// which it gave up.
    fn read(bytes: &[u8], parts: &[usize]) -> (Vec<StreamMessage>, Option<String>) {
        let mut parser = Parser::default();
        let mut messages = Vec::new();
        let (mut rest, mut parts) = (bytes, parts.iter().cycle());
        while !rest.is_empty() {
            let size = parts.next().copied().unwrap_or(1).clamp(1, rest.len());
            let (part, following) = rest.split_at(size);
            match parser.feed(part) {
                Ok(complete) => messages.extend(complete),
                // What came with the fault in one part is lost with it; a reader connects again.
                Err(error) => return (messages, Some(error.to_string())),
            }
            rest = following;
        }
        (messages, None)
    }

    /// Bytes that look like a stream more often than chance has it.
    fn garbage() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            vec(any::<u8>(), 0..20),
            "(id|event|data|retry|)(:|: |)[^\\r\\n]{0,12}".prop_map(String::into_bytes),
            Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\n\n".to_vec()),
            Just("\u{feff}data: \u{2028}".as_bytes().to_vec()),
        ];
        vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// A message as the server writes it.
    fn sent() -> impl Strategy<Value = StreamMessage> {
        let word = || option::of("[a-zA-Z0-9_-]{1,20}");
        let data = option::of(vec("[^\\r\\n]{0,30}", 1..4).prop_map(|lines| lines.join("\n")));
        let message = (word(), word(), data);
        let message = message.prop_map(|(id, event, data)| StreamMessage { id, event, data });
        message.prop_filter("a message says something", |it| {
            *it != StreamMessage::default()
        })
    }

    fn written(message: &StreamMessage) -> String {
        let id = message.id.iter().map(|id| format!("id: {id}\n"));
        let event = message.event.iter().map(|it| format!("event: {it}\n"));
        let data = message.data.iter().flat_map(|data| data.split('\n'));
        let data = data.map(|line| format!("data: {line}\n"));
        let fields: String = id.chain(event).chain(data).collect();
        fields + "\n"
    }

    proptest! {
        #[test]
        fn garbage_is_read_alike_however_it_is_cut(
            bytes in garbage(),
            parts in vec(1_usize..9, 1..9),
        ) {
            let (messages, error) = read(&bytes, &[1]);
            let (cut, cut_error) = read(&bytes, &parts);
            prop_assert_eq!(&error, &cut_error);
            // A part that holds a fault gives nothing; all before it is the same.
            prop_assert!(messages.starts_with(&cut));
            prop_assert!(error.is_some() || messages == cut);
        }

        #[test]
        fn what_is_sent_is_read_also_behind_garbage(
            garbage in "[^\\r\\n]{0,30}(\n[^\\r\\n]{0,30}){0,3}",
            sent in vec(sent(), 1..6),
            parts in vec(1_usize..9, 1..9),
        ) {
            let written: String = sent.iter().map(written).collect();
            let (read, error) = read(format!("{garbage}\n\n{written}").as_bytes(), &parts);
            prop_assert_eq!(error, None);
            prop_assert!(read.ends_with(&sent), "{:?} became {:?}", sent, read);
            prop_assert!(read.len() <= sent.len() + garbage.split("\n\n").count());
        }
    }

    fn message(id: Option<&str>, event: Option<&str>, data: Option<&str>) -> StreamMessage {
        StreamMessage {
            id: id.map(str::to_owned),
            event: event.map(str::to_owned),
            data: data.map(str::to_owned),
        }
    }

    /// The same bytes give the same messages, however they are cut.
    fn check(text: &str, expected: &[StreamMessage]) {
        for size in [1, 3, text.len()] {
            let mut parser = Parser::default();
            let found: Vec<StreamMessage> = text
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
