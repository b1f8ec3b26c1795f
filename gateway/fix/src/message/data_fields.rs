//! Which length field announces which data field: a data value may contain SOH, so its length has to be believed.

use crate::tag::Tag;

/// (length tag, data tag) of FIX 4.2, 4.4, FIXT 1.1 and 5.0 SP2, ascending.
const PAIRS: &[(i32, i32)] = &[
    (90, 91),
    (93, 89),
    (95, 96),
    (212, 213),
    (348, 349),
    (350, 351),
    (352, 353),
    (354, 355),
    (356, 357),
    (358, 359),
    (360, 361),
    (362, 363),
    (364, 365),
    (445, 446),
    (618, 619),
    (621, 622),
    (1184, 1185),
    (1277, 1278),
    (1280, 1281),
    (1282, 1283),
    (1397, 1398),
    (1401, 1402),
    (1403, 1404),
    (1468, 1469),
    (1525, 1527),
    (1578, 1579),
    (1620, 1621),
    (1664, 1665),
    (1678, 1697),
    (1733, 1734),
    (1871, 1872),
    (1874, 1875),
    (2072, 2073),
    (2074, 2075),
    (2111, 2112),
    (2179, 2180),
    (2287, 2288),
    (2351, 2352),
    (2372, 2371),
    (2481, 2482),
    (2494, 2493),
    (2522, 2521),
    (2637, 2638),
    (2651, 2652),
    (2665, 2666),
    (2715, 2716),
    (2718, 2719),
    (2721, 2722),
    (2797, 2798),
    (2802, 2801),
    (2809, 2808),
    (2815, 2814),
    (40004, 40005),
    (40008, 40009),
    (40978, 40979),
    (40980, 40981),
    (40982, 40983),
    (40984, 40985),
    (40986, 40987),
    (40988, 40989),
    (41083, 41084),
    (41101, 41102),
    (41107, 41108),
    (41256, 41257),
    (41320, 41321),
    (41324, 41325),
    (41458, 41459),
    (41476, 41477),
    (41482, 41483),
    (41653, 41654),
    (41710, 41711),
    (41806, 41807),
    (41811, 41812),
    (41873, 41874),
    (41969, 41970),
    (42025, 42026),
    (42171, 42172),
    (42451, 42452),
    (42652, 42653),
    (42947, 42948),
    (43109, 42684),
    (43110, 42486),
    (43111, 42982),
];

/// One bit for each length tag below 1024: nearly every field of a message is settled by it.
const LOW: [u64; 16] = {
    let mut bits = [0; 16];
    let mut index = 0;
    while index < PAIRS.len() {
        let tag = PAIRS[index].0;
        if tag < 1024 {
            bits[(tag / 64) as usize] |= 1 << (tag % 64);
        }
        index += 1;
    }
    bits
};

/// The data field that must follow this length field.
pub(super) fn data_tag(length_tag: Tag) -> Option<Tag> {
    if let Ok(tag @ 0..1024) = usize::try_from(length_tag.0)
        && LOW[tag / 64] >> (tag % 64) & 1 == 0
    {
        return None;
    }
    let index = PAIRS.binary_search_by_key(&length_tag.0, |&(length, _)| length).ok()?;
    PAIRS.get(index).map(|&(_, data)| Tag(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_ascend_and_are_found() {
        assert!(PAIRS.is_sorted_by(|a, b| a.0 < b.0));
        for &(length, data) in PAIRS {
            assert_eq!(data_tag(Tag(length)), Some(Tag(data)));
        }
        for tag in [-1, 0, 34, 96, 1023, 1024, 5000, i32::MAX] {
            assert_eq!(data_tag(Tag(tag)), None, "{tag}");
        }
    }
}
