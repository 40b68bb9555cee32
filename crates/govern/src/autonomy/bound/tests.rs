//! The bounds against exact arithmetic, and what holds of any counts.

use proptest::prelude::*;

use super::*;

const MOST: u64 = 1_000_000_000;

#[test]
fn the_bound_is_what_exact_arithmetic_says() {
    // Agreements, failures, parts: made with 50 digits by another program (mpmath), from the definition.
    let table = [
        (0, 0, 0),
        (0, 5, 0),
        (1, 0, 25_000_000_000),
        (19, 0, 729_540_613_634),
        (20, 0, 739_328_649_062),
        (39, 0, 842_484_258_915),
        (40, 0, 845_579_905_332),
        (157, 0, 949_968_050_961),
        (158, 0, 950_238_756_805),
        (983, 0, 989_992_065_905),
        (984, 0, 990_001_163_618),
        (1, 1, 8_403_959_874),
        (10, 3, 371_705_113_853),
        (100, 1, 906_002_327_998),
        (200, 1, 948_153_171_120),
        (226, 1, 953_404_699_767),
        (500, 10, 947_650_138_978),
        (1_000, 1, 987_657_250_511),
        (1_000, 1_000, 459_536_353_536),
        (9_900, 100, 985_176_857_721),
        (1_000_000, 1_000, 998_835_128_728),
        (MOST, 0, 999_999_976_281),
        (MOST, 1, 999_999_972_984),
        (MOST, 1_000_000, 998_995_358_828),
        (MOST, MOST, 499_941_952_288),
        (1, MOST, 0),
    ];
    for (agreed, failed, parts) in table {
        assert_eq!(lower(agreed, failed), Share(parts), "{agreed} {failed}");
        assert_eq!(upper(agreed, failed), Share(WHOLE - parts), "{agreed} {failed}");
    }
}

#[test]
fn so_many_clean_outcomes_reach_the_bars() {
    // The eleven and six smallest numbers, by the other program again.
    let fewest = |bar: u8| move |failed| needed(failed, Share::percent(bar), MOST).unwrap();
    let three: Vec<u64> = (0..11).map(fewest(95)).collect();
    assert_eq!(three, [158, 209, 252, 292, 329, 364, 399, 432, 464, 495, 526]);
    assert_eq!((0..6).map(fewest(99)).collect::<Vec<_>>(), [984, 1_261, 1_496, 1_709, 1_908, 2_098]);
    assert!(!reaches(157, 0, Share::percent(95)) && reaches(158, 0, Share::percent(95)));
    assert!(!reaches(983, 0, Share::percent(99)) && reaches(984, 0, Share::percent(99)));
    assert_eq!(needed(0, Share::percent(95), 158), Some(158));
    assert_eq!(needed(0, Share::percent(95), 157), None);
    assert_eq!(needed(0, Share::ALL, MOST), None);
    assert_eq!(needed(5, Share::NONE, MOST), Some(0));
}

#[test]
fn whoever_knows_the_definition_finds_the_same() {
    // From the definition, with the ln-gamma of another function, which is right to 12 digits here.
    let definition = |s: u64, f: u64, parts: u64| {
        let (s, f, p) = (s as f64, f as f64, parts as f64 / WHOLE as f64);
        let rest = (WHOLE - parts) as f64 / WHOLE as f64;
        let beta = libm::lgamma(s + 1.0) + libm::lgamma(f + 1.0) - libm::lgamma(s + f + 2.0);
        let agreed = if s > 0.0 { s * libm::log(p) } else { 0.0 };
        let failed = if f > 0.0 { f * libm::log(rest) } else { 0.0 };
        beta - agreed - failed
    };
    for s in (0..40).chain([100, 1_000, 10_000]) {
        for f in (0..40).chain([100, 1_000, 10_000]) {
            for parts in [1, 1_000_000, WHOLE / 10, WHOLE / 2, WHOLE / 100 * 99, WHOLE - 1] {
                let (ours, due) = (evidence(s, f, parts), definition(s, f, parts));
                assert!((ours - due).abs() <= 1e-12 * due.abs().max(1e3), "{s} {f} {parts}: {ours} {due}");
            }
        }
    }
}

#[test]
fn stirlings_error_is_exact() {
    let table = [
        (1, 0.081_061_466_795_327_26),
        (15, 0.005_554_733_551_962_801),
        (16, 0.005_207_655_919_609_64),
        (17, 0.004_901_395_948_434_738),
        (20, 0.004_166_319_691_996_922),
        (35, 0.002_380_887_608_234_111),
        (100, 0.000_833_330_555_634_914_7),
        (10_000, 8.333_333_330_555_555e-6),
        (MOST, 8.333_333_333_333_333e-11),
    ];
    for (k, due) in table {
        assert!((stirling(k) - due).abs() < 3e-16 * if k < 16 { 1.0 } else { 10.0 / k as f64 }, "{k}: {}", stirling(k));
    }
    // The table and the recurrence δ(k) = δ(k−1) − 1 + (k − ½) ln(k/(k−1)) agree, and the series goes on where it ends.
    for k in 2..40_u64 {
        let step = stirling(k) - stirling(k - 1);
        let due = 1.0 - (k as f64 - 0.5) * libm::log(k as f64 / (k - 1) as f64);
        assert!((step - due).abs() < 5e-14, "{k}: {step} {due}");
    }
    assert!((ENOUGH - libm::log(1.0 / ALPHA)).abs() < 1e-15);
}

#[test]
fn same_bits_on_every_machine() {
    // Bits, not numbers: another mathematics library, or another version of this one, would show here.
    let bits = [
        (evidence(158, 0, 950_000_000_000), 0x4008_4892_d527_2010_u64),
        (evidence(1_000, 7, 980_000_000_000), 0x3fea_0d04_7d5b_38f6),
        (evidence(123_456_789, 4_321, 999_900_000_000), 0x40ab_26d9_74a1_2c4f),
    ];
    let found = bits.map(|(value, _)| format!("{value} {:#x}", value.to_bits()));
    assert_eq!(found, bits.map(|(value, due)| format!("{value} {due:#x}")));
}

#[test]
fn shares() {
    for (share, text, parts) in [
        (Share::NONE, "0", 0),
        (Share::ALL, "1", WHOLE),
        (Share::percent(95), "0.95", 950_000_000_000),
        (Share::percent(0), "0", 0),
        (Share::percent(99), "0.99", 990_000_000_000),
        (Share::percent(101), "1", WHOLE),
        (Share::percent(u8::MAX), "1", WHOLE),
        (Share::millionths(999_999), "0.999999", 999_999_000_000),
        (Share::millionths(u32::MAX), "1", WHOLE),
        (Share::percent(100), "1", WHOLE),
        (Share::millionths(20_000), "0.02", 20_000_000_000),
        (Share::millionths(1_000_000), "1", WHOLE),
        (Share::millionths(1_000_001), "1", WHOLE),
        (Share(1), "0.000000000001", 1),
        (Share(25_000_000_000), "0.025", 25_000_000_000),
    ] {
        assert_eq!((share.to_string().as_str(), share.parts(), u64::from(share)), (text, parts, parts));
        assert_eq!(serde_json::from_str::<Share>(&serde_json::to_string(&share).unwrap()).unwrap(), share);
        assert_eq!(share.rest().parts(), WHOLE - parts);
    }
    assert_eq!(Share::try_from(WHOLE).unwrap(), Share::ALL);
    let error = Share::try_from(WHOLE + 1).unwrap_err();
    assert_eq!(error, "1000000000001 is more than all: a share has at most 1000000000000 parts");
}

/// Numbers of every size, small ones as often as large ones.
fn count() -> impl Strategy<Value = u64> {
    (0..=30_u32, 0..=MOST).prop_map(|(bits, any)| any >> bits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_agreement_never_lowers_and_a_failure_never_raises(s in count(), f in count()) {
        let bound = lower(s, f);
        prop_assert!(lower(s + 1, f) >= bound, "{s} {f}");
        prop_assert!(lower(s, f + 1) <= bound, "{s} {f}");
        prop_assert!(lower(2 * s, f) >= bound && lower(s, 2 * f) <= bound, "{s} {f}");
        prop_assert!(upper(s + 1, f) <= upper(s, f) && upper(s, f + 1) >= upper(s, f));
    }

    #[test]
    fn what_was_seen_is_within_the_bounds(s in count(), f in count()) {
        let (s, f) = (s.max(1), f);
        let seen = u128::from(s) * u128::from(WHOLE) / u128::from(s + f);
        prop_assert!(u128::from(lower(s, f).0) <= seen && seen <= u128::from(lower(f, s).rest().0));
    }

    #[test]
    fn nothing_is_not_a_number(s in count(), f in count(), parts in 1..WHOLE) {
        prop_assert!(evidence(s, f, parts).is_finite(), "{s} {f} {parts}");
        prop_assert!(!evidence(s, f, 0).is_nan() && !evidence(s, f, WHOLE).is_nan(), "{s} {f}");
    }

    #[test]
    fn reaching_a_bar_is_having_a_bound_there(s in count(), f in 0..2_000_u64, parts in 0..=WHOLE) {
        prop_assert_eq!(reaches(s, f, Share(parts)), lower(s, f) >= Share(parts));
        let bound = lower(s, f);
        prop_assert!(reaches(s, f, bound));
        prop_assert!(!reaches(s, f, Share(bound.0 + 1)));
    }

    #[test]
    fn the_fewest_are_enough_and_one_less_is_not(f in 0..100_000_u64, percent in 1..100_u8) {
        let bar = Share::percent(percent);
        let fewest = needed(f, bar, 100 * MOST).unwrap();
        prop_assert!(reaches(fewest, f, bar) && !reaches(fewest - 1, f, bar));
    }
}
