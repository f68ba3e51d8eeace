//! Reads a range page by page, so that no scan holds the engine or the memory for long.

use std::ops::Bound;

use super::{Direction, Kv, KvError, Pair, Space, Span};

/// The first page: most look-ups end within it.
const FIRST_PAGE: usize = 16;

/// Pages grow up to this: large enough to be cheap per pair, small enough to hold (3 KiB values: under 1 MiB).
const LARGEST_PAGE: usize = 256;

/// An iterator over the pairs of a range.
#[derive(Debug)]
pub(crate) struct Pager<'a> {
    kv: &'a dyn Kv,
    space: Space,
    rest: Span,
    direction: Direction,
    page: std::vec::IntoIter<Pair>,
    page_limit: usize,
    ended: bool,
}

impl<'a> Pager<'a> {
    pub(crate) fn new(kv: &'a dyn Kv, space: Space, span: Span, direction: Direction) -> Self {
        Self {
            kv,
            space,
            rest: span,
            direction,
            page: Vec::new().into_iter(),
            page_limit: FIRST_PAGE,
            ended: false,
        }
    }

    fn turn(&mut self) -> Result<(), KvError> {
        let page = self.kv.scan(self.space, &self.rest, self.direction, self.page_limit)?;
        self.ended = page.len() < self.page_limit;
        self.page_limit = (self.page_limit * 4).min(LARGEST_PAGE);
        if let Some((last, _)) = page.last() {
            let past = Bound::Excluded(last.to_vec());
            match self.direction {
                Direction::Up => self.rest.lower = past,
                Direction::Down => self.rest.upper = past,
            }
        }
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Pager<'_> {
    type Item = Result<Pair, KvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(pair) = self.page.next() {
            return Some(Ok(pair));
        }
        if self.ended {
            return None;
        }
        if let Err(error) = self.turn() {
            self.ended = true;
            return Some(Err(error));
        }
        self.page.next().map(Ok)
    }
}
