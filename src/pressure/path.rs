//! `Path`: a file name put together in place; `Paths`: those of one question.
#![forbid(unsafe_code)]

/// Bytes of the longest name, its end included: twice what container runtimes need.
const MAX: usize = 400;

pub(super) struct Path {
    bytes: [u8; MAX],
    len: usize,
    /// Something did not fit: the name is none.
    cut: bool,
}

impl Path {
    pub(super) const fn new() -> Path {
        Path { bytes: [0; MAX], len: 0, cut: false }
    }

    /// Becomes `start`.
    pub(super) fn set(&mut self, start: &[u8]) -> &mut Path {
        self.bytes.fill(0);
        (self.len, self.cut) = (0, false);
        self.push(start);
        self
    }

    pub(super) fn push(&mut self, part: &[u8]) {
        let end = self.len + part.len();
        match self.bytes.get_mut(self.len..end) {
            // The last byte stays zero.
            Some(room) if end < MAX => {
                room.copy_from_slice(part);
                self.len = end;
            }
            _ => self.cut = true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Shortens it to its first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.bytes.get_mut(len..self.len) {
            rest.fill(0);
            self.len = len;
        }
    }

    /// Takes the last `/part` off, but nothing of the first `floor` bytes. `false`: none is left.
    pub(super) fn parent(&mut self, floor: usize) -> bool {
        let rest = self.bytes.get(floor..self.len).unwrap_or_default();
        let Some(slash) = rest.iter().rposition(|&byte| byte == b'/') else { return false };
        self.truncate(floor + slash);
        true
    }

    /// With a zero byte at its end; `None` when it is too long.
    pub(super) fn terminated(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len + 1).filter(|_| !self.cut)
    }
}

/// The names that a question puts together: two KiB, and the caller's stack may have one.
pub(super) struct Paths {
    pub(super) at: Path,
    pub(super) one: Path,
    pub(super) two: Path,
}

impl Paths {
    pub(super) const fn new() -> Paths {
        Paths { at: Path::new(), one: Path::new(), two: Path::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_up_to_its_floor_and_a_long_one_is_none() {
        let mut path = Path::new();
        path.set(b"/sys");
        path.push(b"/a/b");
        let mut seen = std::vec::Vec::new();
        loop {
            seen.push(path.terminated().unwrap().to_vec());
            if !path.parent(4) {
                break;
            }
        }
        assert_eq!(seen, [&b"/sys/a/b\0"[..], b"/sys/a\0", b"/sys\0"]);
        for len in [MAX - 1, MAX, 2 * MAX] {
            assert_eq!(Path::new().set(&std::vec![b'x'; len]).terminated().is_some(), len < MAX);
        }
    }
}
