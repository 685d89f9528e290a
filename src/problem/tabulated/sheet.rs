//! Numbers from a file: CSV, or an array of NumPy.

/// Numbers in rows, with names of the columns where the file gives them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    pub head: Option<Vec<String>>,
    /// Sizes along the axes, the last one fastest; of a CSV file its rows and columns.
    pub shape: Vec<usize>,
    pub numbers: Vec<f64>,
}

impl Sheet {
    /// Reads a file by the ending of its name.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        match name.to_lowercase().ends_with(".npy") {
            true => Self::npy(bytes),
            false => Self::csv(bytes),
        }
    }

    /// Numbers in a row; of an array of one dimension a number is a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.get(1..).map_or(1, |rest| rest.iter().product())
    }

    /// Row after row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> + Clone {
        self.numbers.chunks_exact(self.width().max(1))
    }

    /// Lines of numbers with commas, semicolons, tabs or blanks between them; a first line that does
    /// not begin with a number names the columns, lines that begin with # say nothing.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn csv(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| "it is no text: write it as CSV, or as a NumPy array in a file .npy")?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let separator = [',', ';', '\t'].into_iter().find(|&c| text.contains(c));
        let cells = |line: &str| -> Vec<String> {
            let own = |cell: &str| cell.trim().trim_matches('"').to_owned();
            match separator {
                Some(separator) => line.split(separator).map(own).collect(),
                None => line.split_whitespace().map(own).collect(),
            }
        };
        let (mut head, mut width, mut numbers) = (None, 0, Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let cells = cells(line);
            if width == 0 {
                width = cells.len();
                if cells[0].parse::<f64>().is_err() {
                    head = Some(cells);
                    continue;
                }
            }
            if cells.len() != width {
                let found = cells.len();
                return Err(format!("line {number} has {found} columns, those before it {width}"));
            }
            for cell in cells {
                let value = cell.parse().map_err(|_| {
                    format!("line {number}: `{cell}` is no number: write it like 0.25")
                })?;
                numbers.push(value);
            }
        }
        if numbers.is_empty() {
            return Err("it has no numbers: a line of them each, under a line of names".into());
        }
        Ok(Self { head, shape: vec![numbers.len() / width, width], numbers })
    }

    /// An array of floating-point or whole numbers.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn npy(bytes: &[u8]) -> Result<Self, String> {
        let read =
            |bytes| npyz::NpyFile::new(bytes).map_err(|e| format!("it is no NumPy array: {e}"));
        let file = read(bytes)?;
        let shape: Vec<usize> = file.shape().iter().map(|&n| n as usize).collect();
        if file.order() == npyz::Order::Fortran && shape.len() > 1 {
            return Err("its array runs by columns: save numpy.ascontiguousarray of it".into());
        }
        let doubles = file.into_vec::<f64>().ok();
        let singles = || {
            let list = read(bytes).ok()?.into_vec::<f32>().ok()?;
            Some(list.into_iter().map(f64::from).collect())
        };
        let whole = || {
            let list = read(bytes).ok()?.into_vec::<i64>().ok()?;
            Some(list.into_iter().map(|i| i as f64).collect())
        };
        let numbers = doubles.or_else(singles).or_else(whole);
        let numbers =
            numbers.ok_or("its numbers are no f64, f32 or i64: save array.astype(float)")?;
        Ok(Self { head: None, shape, numbers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_notes_and_heads_are_read() {
        let sheet = Sheet::read("a.csv", b"\xef\xbb\xbfx; \"k\"\n# a note\n\n1;2\n3;4e1\n");
        let sheet = sheet.expect("a sheet");
        assert_eq!(sheet.head, Some(vec!["x".into(), "k".into()]));
        assert_eq!(
            (sheet.shape.as_slice(), sheet.numbers.as_slice()),
            ([2, 2].as_slice(), [1.0, 2.0, 3.0, 40.0].as_slice())
        );
        assert_eq!(Sheet::csv(b"1 2\n3 4").expect("a sheet").head, None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, says) in [
            ("x,k\n1,2\n3", "line 3 has 1 columns"),
            ("x,k\n1,two", "line 2: `two` is no number"),
            ("x,k\n", "no numbers"),
        ] {
            let error = Sheet::csv(text.as_bytes()).expect_err(text);
            assert!(error.contains(says), "{error}");
        }
        assert!(Sheet::csv(&[0xff, 0xfe]).expect_err("no text").contains("no text"));
        assert!(Sheet::npy(b"no array").expect_err("no array").contains("no NumPy array"));
    }
}
