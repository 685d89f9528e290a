//! Numbers, texts and lists to bytes and back; little-endian, lists behind their length.

#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn count(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub fn real(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    pub fn reals(&mut self, values: &[f64]) {
        self.count(values.len() as u64);
        values.iter().for_each(|&value| self.real(value));
    }

    pub fn text(&mut self, text: &str) {
        self.count(text.len() as u64);
        self.raw(text.as_bytes());
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Every method is `None` once the bytes run out or make no sense.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    pub fn count(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn size(&mut self) -> Option<usize> {
        usize::try_from(self.count()?).ok()
    }

    pub fn real(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub fn reals(&mut self) -> Option<Vec<f64>> {
        let length = self.size()?.checked_mul(8)?;
        let bytes = self.slice(length)?;
        let real = |chunk: &[u8]| f64::from_le_bytes(std::array::from_fn(|k| chunk[k]));
        Some(bytes.chunks_exact(8).map(real).collect())
    }

    pub fn text(&mut self) -> Option<String> {
        let length = self.size()?;
        String::from_utf8(self.slice(length)?.to_vec()).ok()
    }
}
