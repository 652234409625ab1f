//! `Label`: a short text that lies in its table itself, not behind an address, which the loader would have to write: what is never shown costs a
//! process no page.
#![forbid(unsafe_code)]

#[derive(Clone, Copy)]
pub(crate) struct Label<const MOST: usize> {
    len: u8,
    bytes: [u8; MOST],
}

impl<const MOST: usize> Label<MOST> {
    /// A text that is longer fails the build.
    pub(crate) const fn new(text: &str) -> Label<MOST> {
        let text = text.as_bytes();
        assert!(text.len() <= MOST && MOST <= u8::MAX as usize, "a text is longer than its place in the table");
        let mut label = Label { len: text.len() as u8, bytes: [0; MOST] };
        let mut index = 0;
        while index < text.len() {
            label.bytes[index] = text[index];
            index += 1;
        }
        label
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len as usize).unwrap_or_default()
    }

    #[inline(never)] // for the stack
    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_its_text() {
        for text in ["", "a", "heap", "ä"] {
            assert_eq!(Label::<4>::new(text).as_str(), text);
        }
    }
}
