//! Plain tables: columns as wide as their widest cell.

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Right,
}

pub(crate) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[Align]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A first column of names, the others of figures.
    pub(crate) fn of_figures(columns: usize) -> Table {
        let mut table = Table::new(&vec![Align::Right; columns]);
        if let Some(first) = table.columns.first_mut() {
            *first = Align::Left;
        }
        table
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Each line begins with `indent`.
    pub(crate) fn text(&self, indent: &str) -> String {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (index, ((cell, width), align)) in row.iter().zip(&widths).zip(&self.columns).enumerate() {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                line += if index > 0 { "  " } else { "" };
                line += &if *align == Align::Left { format!("{cell}{padding}") } else { format!("{padding}{cell}") };
            }
            out += line.trim_end();
            out += "\n";
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::of_figures(2);
        table.row(["a", "10"]);
        table.row(["bér", "9"]);
        assert_eq!(table.text("  "), "  a    10\n  bér   9\n");
    }
}
