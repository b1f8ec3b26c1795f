//! Displayed orders by their references. An instrument's references count up, and every order that rests has a new one: so they stand
//! in pages, the newest at hand, and one is freed when the last of its orders has gone. Bounded by the engine's live orders, a page
//! for each at the worst.

use std::collections::BTreeMap;

use rialto_model::{InstrumentId, PublicRef};

use super::Shown;

/// References of a page.
const PAGE: u64 = 64;

#[derive(Debug, Default)]
pub(super) struct Pages(Vec<Instrument>);

/// Those of one instrument.
#[derive(Debug, Default)]
struct Instrument {
    /// The highest that there was, by its number.
    newest: Option<(u64, Box<Page>)>,
    older: BTreeMap<u64, Box<Page>>,
}

#[derive(Debug)]
struct Page {
    /// A bit for each place that holds an order.
    held: u64,
    orders: [Shown; PAGE as usize],
}

impl Page {
    fn empty() -> Box<Self> {
        Box::new(Self {
            held: 0,
            orders: [Shown::default(); PAGE as usize],
        })
    }

    const fn bit(reference: PublicRef) -> (usize, u64) {
        let at = reference.0 % PAGE;
        (at as usize, 1 << at)
    }

    fn place(&mut self, reference: PublicRef) -> Option<&mut Shown> {
        let (at, bit) = Self::bit(reference);
        if self.held & bit == 0 {
            return None;
        }
        self.orders.get_mut(at)
    }

    fn iter(&self, number: u64) -> impl Iterator<Item = (PublicRef, Shown)> + '_ {
        let held = (0..PAGE).zip(&self.orders).filter(|(at, _)| self.held >> at & 1 == 1);
        held.map(move |(at, shown)| (PublicRef(number * PAGE + at), *shown))
    }
}

impl Instrument {
    fn page(&self, number: u64) -> Option<&Page> {
        match &self.newest {
            Some((newest, page)) if *newest == number => Some(page),
            _ => self.older.get(&number).map(|page| &**page),
        }
    }

    fn page_mut(&mut self, number: u64) -> Option<&mut Page> {
        match &mut self.newest {
            Some((newest, page)) if *newest == number => Some(page),
            _ => self.older.get_mut(&number).map(|page| &mut **page),
        }
    }

    /// The page, made where there is none.
    fn page_for(&mut self, number: u64) -> &mut Page {
        let newest = self.newest.as_ref().map(|(newest, _)| *newest);
        if newest.is_some_and(|newest| newest > number) {
            return self.older.entry(number).or_insert_with(Page::empty);
        }
        if newest != Some(number)
            && let Some((before, page)) = self.newest.take()
            && page.held != 0
        {
            self.older.insert(before, page);
        }
        &mut self.newest.get_or_insert_with(|| (number, Page::empty())).1
    }
}

const fn page_of(reference: PublicRef) -> u64 {
    reference.0 / PAGE
}

impl Pages {
    pub(super) fn get(&self, reference: PublicRef) -> Option<&Shown> {
        let page = self.0.get(at(reference))?.page(page_of(reference))?;
        let (at, bit) = Page::bit(reference);
        page.orders.get(at).filter(|_| page.held & bit != 0)
    }

    pub(super) fn get_mut(&mut self, reference: PublicRef) -> Option<&mut Shown> {
        self.0
            .get_mut(at(reference))?
            .page_mut(page_of(reference))?
            .place(reference)
    }

    pub(super) fn insert(&mut self, reference: PublicRef, shown: Shown) {
        let index = at(reference);
        if self.0.len() <= index {
            self.0.resize_with(index + 1, Instrument::default);
        }
        let Some(instrument) = self.0.get_mut(index) else {
            return;
        };
        let page = instrument.page_for(page_of(reference));
        let (at, bit) = Page::bit(reference);
        if let Some(place) = page.orders.get_mut(at) {
            *place = shown;
            page.held |= bit;
        }
    }

    pub(super) fn remove(&mut self, reference: PublicRef) -> Option<Shown> {
        let instrument = self.0.get_mut(at(reference))?;
        let page = instrument.page_mut(page_of(reference))?;
        let shown = *page.place(reference)?;
        page.held &= !Page::bit(reference).1;
        if page.held == 0 {
            // The newest stays: the next reference is likely to be its own.
            instrument.older.remove(&page_of(reference));
        }
        Some(shown)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// An instrument's, in order.
    pub(super) fn of(&self, instrument: InstrumentId) -> impl Iterator<Item = (PublicRef, Shown)> + '_ {
        let orders = self.0.get(usize::from(instrument.0));
        orders.into_iter().flat_map(|orders| {
            let newest = orders.newest.iter().map(|(number, page)| (*number, &**page));
            let older = orders.older.iter().map(|(number, page)| (*number, &**page));
            older.chain(newest).flat_map(|(number, page)| page.iter(number))
        })
    }
}

/// Where an instrument's are, by what its references begin with.
fn at(reference: PublicRef) -> usize {
    usize::from(reference.instrument().0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::Quantity;

    fn shown(quantity: u64) -> Shown {
        Shown {
            quantity: Quantity(quantity),
            ..Shown::default()
        }
    }

    /// A draw of the same numbers every time.
    fn draws(mut state: u64) -> impl FnMut(u64) -> u64 {
        move |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    #[test]
    fn it_is_a_map_in_order_and_holds_no_empty_page_but_the_newest() {
        let (mut pages, mut map, mut draw) = (Pages::default(), BTreeMap::new(), draws(7));
        let mut next = [1, 1, 1];
        for step in 0..200_000_u64 {
            let instrument = InstrumentId(draw(3) as u16);
            let count = &mut next[usize::from(instrument.0)];
            match draw(5) {
                0..3 => {
                    // Now and then one comes late, or again.
                    let back = if draw(50) == 0 { draw((*count).min(500)) } else { 0 };
                    let reference = PublicRef::new(instrument, *count - back);
                    pages.insert(reference, shown(step));
                    map.insert(reference, shown(step));
                    *count += 1;
                }
                _ => {
                    let reference = PublicRef::new(instrument, (*count).saturating_sub(draw(900)));
                    assert_eq!(pages.get(reference), map.get(&reference));
                    assert_eq!(pages.get_mut(reference), map.get_mut(&reference));
                    assert_eq!(pages.remove(reference), map.remove(&reference), "step {step}");
                }
            }
        }
        for instrument in (0..4).map(InstrumentId) {
            let of = map.iter().filter(|(reference, _)| reference.instrument() == instrument);
            let of: Vec<_> = of.map(|(reference, shown)| (*reference, *shown)).collect();
            assert_eq!(pages.of(instrument).collect::<Vec<_>>(), of);
        }
        let pages_held = pages.0.iter().flat_map(|instrument| instrument.older.values());
        assert!(pages_held.into_iter().all(|page| page.held != 0));
        pages.clear();
        assert_eq!(pages.of(InstrumentId(1)).count(), 0);
    }
}
