//! Protocol buffers on the wire, as far as pprof's form goes: numbers, texts and messages within messages.
//!
//! By hand: profile.proto has seven messages of plain numbers, and a crate for it brings a compiler of its own along.

/// One field of a message.
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(crate) fn number(&self) -> u64 {
        match self {
            Value::Number(value) => *value,
            Value::Bytes(_) => 0,
        }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        match self {
            Value::Bytes(bytes) => bytes,
            Value::Number(_) => &[],
        }
    }

    /// A repeated number: by itself, or many in a row.
    pub(crate) fn numbers_into(&self, out: &mut Vec<u64>) {
        match self {
            Value::Number(value) => out.push(*value),
            Value::Bytes(packed) => {
                let mut rest = *packed;
                while let Some(value) = varint(&mut rest) {
                    out.push(value);
                }
            }
        }
    }
}

/// The fields of a message, in their order. Ends early at what is no message.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    broken: bool,
}

pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message, broken: false }
}

impl Fields<'_> {
    /// Whether it ended before the message did.
    pub(crate) fn broken(&self) -> bool {
        self.broken
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = field(&mut self.rest);
        self.broken = field.is_none();
        if self.broken {
            self.rest = &[];
        }
        field
    }
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(rest)?;
    let value = match key & 7 {
        0 => Value::Number(varint(rest)?),
        1 => Value::Number(u64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Value::Bytes(take(rest, length)?)
        }
        5 => Value::Number(u32::from_le_bytes(take(rest, 4)?.try_into().ok()?).into()),
        _ => return None,
    };
    Some((key >> 3, value))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// A message in the making.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Zero is what a reader takes for a number that is not there.
    pub(crate) fn number(&mut self, field: u64, value: u64) -> &mut Writer {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
        self
    }

    pub(crate) fn numbers(&mut self, field: u64, values: impl IntoIterator<Item = u64>) -> &mut Writer {
        let mut packed = Writer::default();
        values.into_iter().for_each(|value| packed.varint(value));
        self.raw(field, &packed.bytes)
    }

    pub(crate) fn raw(&mut self, field: u64, bytes: &[u8]) -> &mut Writer {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn message(&mut self, field: u64, fill: impl FnOnce(&mut Writer)) -> &mut Writer {
        let mut inner = Writer::default();
        fill(&mut inner);
        self.raw(field, &inner.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        writer.number(1, 300).raw(2, b"text").message(3, |inner| {
            inner.numbers(1, [1, u64::MAX]);
        });
        let mut read = fields(&writer.bytes);
        assert!(matches!(read.next(), Some((1, Value::Number(300)))));
        assert!(matches!(read.next(), Some((2, Value::Bytes(b"text")))));
        let (3, inner) = read.next().unwrap() else { panic!() };
        let mut numbers = Vec::new();
        fields(inner.bytes()).for_each(|(_, value)| value.numbers_into(&mut numbers));
        assert_eq!(numbers, [1, u64::MAX]);
        assert!(read.next().is_none() && !read.broken());
    }

    #[test]
    fn half_a_message_is_noticed() {
        for broken in [&b"\x0a\x05abc"[..], b"\x08", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b"] {
            let mut read = fields(broken);
            assert!(read.next().is_none() && read.broken(), "{broken:?}");
        }
    }
}
