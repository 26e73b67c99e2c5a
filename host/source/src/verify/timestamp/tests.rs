use proptest::prelude::*;
use sluice_testkit::registry::{OPENSSL_KEYS, OpensslAuthority, TimestampAuthority, TimestampFlaw};

use super::*;

const AT: &str = "2026-01-01T00:00:05Z";
const MESSAGE: &[u8] = b"a signature";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn verify(stamp: &[u8], roots: &[Vec<u8>], others: &[Vec<u8>]) -> Result<Moment, String> {
    Token::read(stamp)?.verify(MESSAGE, roots, others)
}

#[test]
fn a_good_timestamp_says_when_it_was_and_who_says_so() {
    for authority in [TimestampAuthority::new(), TimestampAuthority::large()] {
        let [signer, root] = authority.chain();
        for form in [
            TimestampFlaw::None,
            TimestampFlaw::Bare,
            TimestampFlaw::OldName,
            TimestampFlaw::ByKey,
        ] {
            let stamp = authority.stamp(MESSAGE, AT, form);
            let token = Token::read(&stamp).unwrap();
            assert!(token.is_of(&authority.chain()), "{form:?}");
            assert!(token.is_of(std::slice::from_ref(&root)), "{form:?}");
            assert!(!token.is_of(&[]), "{form:?}");
            let moment = token.verify(MESSAGE, std::slice::from_ref(&root), &[]).unwrap();
            let expected = Moment {
                time: time(AT),
                earliest: time("2026-01-01T00:00:04Z"),
                latest: time("2026-01-01T00:00:06Z"),
                chain: vec![signer.clone()],
            };
            assert_eq!(moment, expected, "{form:?}");
        }
    }
}

#[test]
fn each_flaw_of_a_timestamp_is_enough() {
    let authority = TimestampAuthority::new();
    let [_, root] = authority.chain();
    for (flaw, expected) in [
        (TimestampFlaw::Refused, "the authority refused the timestamp"),
        (
            TimestampFlaw::OtherMessage,
            "the timestamp is of another signature",
        ),
        (TimestampFlaw::OldHash, "is of a hash that is not accepted"),
        (TimestampFlaw::OtherContent, "signature is of another time"),
        (TimestampFlaw::OtherType, "signature is of something else"),
        (TimestampFlaw::OtherKey, "the timestamp's signature is not good"),
        (
            TimestampFlaw::OtherName,
            "names another certificate than its signer's",
        ),
        (TimestampFlaw::Twice, "says the same thing twice"),
        (TimestampFlaw::Critical, "the timestamp cannot be read"),
        (TimestampFlaw::OtherPurpose, "is not one for timestamps alone"),
        (TimestampFlaw::TwoPurposes, "is not one for timestamps alone"),
        (TimestampFlaw::MildPurpose, "is not one for timestamps alone"),
        (TimestampFlaw::NoPurpose, "is not one for timestamps alone"),
        (TimestampFlaw::OtherUsage, "is not one for timestamps alone"),
        (TimestampFlaw::NoCertificate, "signer is not there"),
    ] {
        let stamp = authority.stamp(MESSAGE, AT, flaw);
        let error = verify(&stamp, std::slice::from_ref(&root), &[]).unwrap_err();
        assert!(error.contains(expected), "{flaw:?}: {error}");
    }
    // who verifies may have the certificate already
    let stamp = authority.stamp(MESSAGE, AT, TimestampFlaw::NoCertificate);
    verify(&stamp, std::slice::from_ref(&root), &authority.chain()).unwrap();
}

#[test]
fn only_an_authority_that_is_given_is_believed_and_only_while_it_lasted() {
    let authority = TimestampAuthority::new();
    let [signer, root] = authority.chain();
    let [_, other] = TimestampAuthority::new().chain();
    let stamp = authority.stamp(MESSAGE, AT, TimestampFlaw::None);
    for (roots, expected) in [
        (vec![], "there is none that was valid then"),
        (vec![other.clone()], "by no authority that is trusted"),
        // one that signs is no authority
        (vec![signer], "there is none that was valid then"),
        (vec![vec![], vec![0x30, 0]], "there is none that was valid then"),
    ] {
        let error = verify(&stamp, &roots, &[]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    verify(&stamp, &[other, root.clone()], &[]).unwrap();
    for at in ["2019-12-31T23:59:59Z", "2030-01-01T00:00:01Z"] {
        let stamp = authority.stamp(MESSAGE, at, TimestampFlaw::None);
        let error = verify(&stamp, std::slice::from_ref(&root), &[]).unwrap_err();
        assert!(
            error.contains("there is none that was valid then"),
            "{at}: {error}"
        );
    }
}

#[test]
fn nothing_that_is_cut_or_continued_is_read() {
    let authority = TimestampAuthority::new();
    for form in [TimestampFlaw::None, TimestampFlaw::Bare] {
        let stamp = authority.stamp(MESSAGE, AT, form);
        for end in 0..stamp.len() {
            assert!(Token::read(&stamp[..end]).is_err(), "{end}");
        }
        assert!(Token::read(&[&stamp[..], &[0]].concat()).is_err());
        assert!(Token::read(&[&stamp[..], &stamp].concat()).is_err());
    }
    let long = vec![0x30; SIZE_MAX + 1];
    let error = Token::read(&long).unwrap_err();
    assert!(error.contains("has more than"), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _any = verify(&bytes, &[], &[]);
        let _any = info(&bytes);
        let _any = signer(&bytes);
        let _any = signed_data(&bytes);
        let _any = Attributes::read(&bytes).map(|attributes| attributes.value(CONTENT_TYPE));
        let _any = is_named(SIGNING_CERTIFICATE, &bytes, &[]);
        let _any = is_named(SIGNING_CERTIFICATE_V2, &bytes, &[]);
        let _any = generalized_time(&bytes);
        let _any = duration(&bytes);
    }

    #[test]
    fn a_change_is_refused_or_says_the_same_time(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        thread_local! {
            static MADE: (Vec<u8>, [Vec<u8>; 2]) = {
                let authority = TimestampAuthority::new();
                (authority.stamp(MESSAGE, AT, TimestampFlaw::None), authority.chain())
            };
        }
        let (mut stamp, chain) = MADE.with(Clone::clone);
        for (at, byte) in changes {
            let at = at.index(stamp.len());
            stamp[at] = byte;
        }
        if let Ok(token) = Token::read(&stamp) {
            let _any = token.is_of(&chain);
            if let Ok(moment) = token.verify(MESSAGE, &chain[1..], &[]) {
                prop_assert_eq!(moment.time, time(AT));
            }
        }
    }
}

#[test]
fn times_have_one_form() {
    let read = |text: &str| generalized_time(text.as_bytes()).map(|time| time.to_string());
    assert_eq!(read("20260102030405Z").as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(
        read("20260102030405.25Z").as_deref(),
        Some("2026-01-02T03:04:05.25Z")
    );
    for odd in [
        "",
        "Z",
        "20260102030405",
        "202601020304Z",
        "20260102030405.Z",
        "20260102030405,2Z",
        "20260102030405.2.2Z",
        "20260102030405+0100",
        "20261302030405Z",
        "+0260102030405Z",
        "2026é102030405Z",
    ] {
        assert_eq!(read(odd), None, "{odd}");
    }
}

#[test]
fn an_accuracy_is_a_sum_and_none_is_a_second_under_the_baseline() {
    let read = |parts: &[(u8, &[u8])]| {
        let fields: Vec<u8> = parts
            .iter()
            .flat_map(|(tag, digits)| x509::encode(*tag, digits))
            .collect();
        duration(&fields)
    };
    assert_eq!(read(&[]), Some(Duration::ZERO));
    assert_eq!(
        read(&[
            (INTEGER, &[1]),
            (PLAIN_FIELD_0, &[1, 0xf4]),
            (PLAIN_FIELD_1, &[100])
        ]),
        Some(Duration::from_micros(1_500_100))
    );
    assert_eq!(read(&[(INTEGER, &[0, 0x80])]), Some(Duration::from_secs(128)));
    let odd: [&[(u8, &[u8])]; 5] = [
        &[(INTEGER, &[0xff])],
        &[(INTEGER, &[])],
        &[(INTEGER, &[1; 5])],
        &[(PLAIN_FIELD_1, &[1]), (PLAIN_FIELD_0, &[1])],
        &[(OID, &[1])],
    ];
    for odd in odd {
        assert_eq!(read(odd), None, "{odd:?}");
    }
    let written = |policy: &[u8], accuracy: &[u8]| {
        let hash = x509::encode(SEQUENCE, &x509::encode(OID, &[0x2a]));
        let imprint = [hash, x509::encode(OCTETS, &[1])].concat();
        let fields = [
            x509::encode(INTEGER, &[1]),
            x509::encode(OID, policy),
            x509::encode(SEQUENCE, &imprint),
            x509::encode(INTEGER, &[1]),
            x509::encode(GENERALIZED_TIME, b"20260102030405Z"),
            accuracy.to_vec(),
        ];
        x509::encode(SEQUENCE, &fields.concat())
    };
    let accuracy =
        |policy: &[u8], accuracy: &[u8]| info(&written(policy, accuracy)).map(|info| info.accuracy);
    assert_eq!(accuracy(BASELINE_POLICY, &[]), Some(Duration::from_secs(1)));
    assert_eq!(accuracy(&[0x2a, 0x03], &[]), Some(Duration::ZERO));
    let two = x509::encode(SEQUENCE, &x509::encode(INTEGER, &[2]));
    assert_eq!(accuracy(BASELINE_POLICY, &two), Some(Duration::from_secs(2)));
}

/// What another program makes is read, with each kind of key and hash.
#[test]
fn openssl() {
    for key in OPENSSL_KEYS {
        let Some(authority) = OpensslAuthority::new(key) else {
            return;
        };
        let (root, between) = ([authority.root()], [authority.between()]);
        for (hash, is_whole) in ["sha256", "sha384", "sha512"]
            .into_iter()
            .flat_map(|hash| [(hash, false), (hash, true)])
        {
            let what = format!("{key} {hash} {is_whole}");
            let stamp = authority.stamp(MESSAGE, hash, is_whole);
            let token = Token::read(&stamp).unwrap();
            assert!(token.is_of(&between), "{what}");
            // one that does not bring along what is between is verified by who has that
            let others: &[Vec<u8>] = if is_whole { &[] } else { &between };
            let moment = token.verify(MESSAGE, &root, others);
            let moment = moment.unwrap_or_else(|error| panic!("{what}: {error}"));
            let window = moment.latest.duration_since(moment.earliest);
            assert_eq!(window.as_micros(), 3_000_200, "{what}");
            assert_eq!(moment.chain[1..], between, "{what}");
            assert!(token.verify(b"another", &root, others).is_err(), "{what}");
            assert_eq!(token.verify(MESSAGE, &root, &[]).is_ok(), is_whole, "{what}");
        }
    }
}
