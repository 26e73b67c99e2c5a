use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, CustomExtension, DnType,
    IsCa, KeyPair, KeyUsagePurpose, SerialNumber, SigningKey, date_time_ymd,
};
use sluice_testkit::{canned::Canned, registry::Openssl};

use super::*;
use crate::{
    http::{Addresses, Transport},
    verify::x509::{GENERALIZED_TIME, INTEGER, OCTETS, OID, encode},
};

const NOW: &str = "2026-06-01T00:00:00Z";
const LATER: &str = "20260701000000Z";
const SERIAL: u8 = 7;
const ENUMERATED: u8 = 0x0a;
const TRUE: [u8; 3] = [0x01, 0x01, 0xff];
/// `ecdsa-with-SHA256`.
const ALGORITHM: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

type Root = CertifiedIssuer<'static, KeyPair>;

fn root(usages: &[KeyUsagePurpose]) -> Root {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = usages.to_vec();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.distinguished_name.push(DnType::CommonName, "root");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn authority() -> Root {
    root(&[KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign])
}

/// A certificate with places to ask at: servers, then lists.
fn certificate(root: &Root, servers: &[String], lists: &[String]) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.serial_number = Some(SerialNumber::from(vec![SERIAL]));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "dev");
    if !lists.is_empty() {
        let point = |uri: &String| CrlDistributionPoint {
            uris: vec![uri.clone()],
        };
        params.crl_distribution_points = lists.iter().map(point).collect();
    }
    if !servers.is_empty() {
        let access = |last: u8, uri: &str| {
            let method = encode(OID, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, last]);
            encode(SEQUENCE, &[method, encode(URI, uri.as_bytes())].concat())
        };
        // where the issuer's certificate is says nothing of revocation
        let mut list = access(2, "http://localhost:1/issuer.crt");
        list.extend(servers.iter().flat_map(|server| access(1, server)));
        params.custom_extensions.push(CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 1],
            encode(SEQUENCE, &list),
        ));
    }
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, root).unwrap().der().to_vec()
}

fn revocation(addresses: Addresses) -> Revocation {
    let http = Http::new(&Transport::default(), &addresses).unwrap();
    Revocation::new(http, NOW.parse().unwrap())
}

/// One who gave a certificate, and the server that its places are on.
struct Scene {
    server: Canned,
    authority: Root,
    issuer: Vec<u8>,
    chain: [Vec<u8>; 2],
}

impl Scene {
    fn new(servers: &[&str], lists: &[&str]) -> Scene {
        Scene::of(authority(), servers, lists)
    }

    fn of(authority: Root, servers: &[&str], lists: &[&str]) -> Scene {
        let server = Canned::start();
        let at = |names: &[&str]| -> Vec<String> {
            let base = server.base();
            names.iter().map(|name| format!("{base}{name}")).collect()
        };
        let issuer = authority.der().to_vec();
        Scene {
            chain: [certificate(&authority, &at(servers), &at(lists)), issuer.clone()],
            server,
            authority,
            issuer,
        }
    }
}

/// What is judged is good where nothing is expected, else it fails in these words.
fn assert_judged(judged: Result<(), String>, expected: &str, what: &str) {
    match expected {
        "" => assert_eq!(judged, Ok(()), "{what}"),
        expected => {
            let error = judged.unwrap_err();
            assert!(error.contains(expected), "{what}: {error}");
        }
    }
}

fn chain<'a>(certificates: &'a [Vec<u8>], known: &'a [Vec<u8>]) -> Chain<'a> {
    Chain {
        certificates,
        known,
        purpose: "signing",
        signed_at: None,
    }
}

async fn check(certificates: &[Vec<u8>], known: &[Vec<u8>]) -> Result<(), String> {
    revocation(Addresses::any())
        .check(&chain(certificates, known))
        .await
}

/// The same of what was signed at some time.
async fn check_signed_at(time: &str, certificates: &[Vec<u8>]) -> Result<(), String> {
    let signed_at = Some(time.parse().unwrap());
    let chain = Chain {
        signed_at,
        ..chain(certificates, &[])
    };
    revocation(Addresses::any()).check(&chain).await
}

/// The extension that says since when a key is bad: February of 2026.
fn bad_since() -> Vec<u8> {
    extension(INVALID_SINCE, false, &at("20260201000000Z"))
}

fn signed(content: &[u8], key: &KeyPair, rest: &[u8]) -> Vec<u8> {
    let signature = [vec![0], key.sign(content).unwrap()].concat();
    let algorithm = encode(SEQUENCE, &encode(OID, ALGORITHM));
    let parts = [content, &algorithm, &encode(BITS, &signature), rest];
    encode(SEQUENCE, &parts.concat())
}

fn at(time: &str) -> Vec<u8> {
    encode(GENERALIZED_TIME, time.as_bytes())
}

/// An extension, critical where it says so.
fn extension(name: &[u8], is_critical: bool, content: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &TRUE } else { &[] };
    let parts = [&encode(OID, name), critical, &encode(OCTETS, content)];
    encode(SEQUENCE, &parts.concat())
}

mod lists {
    use super::*;

    const HOLD: Option<u8> = Some(6);
    const REMOVED: Option<u8> = Some(8);
    const SCOPE: &[u8] = &[0x55, 0x1d, 0x1c];

    /// An entry for a number: since when, and the reason.
    fn entry(serial: u8, since: &str, reason: Option<u8>) -> Vec<u8> {
        let mut entry = [encode(INTEGER, &[serial]), at(since)].concat();
        if let Some(reason) = reason {
            let reason = extension(&[0x55, 0x1d, 0x15], false, &encode(ENUMERATED, &[reason]));
            entry.extend(encode(SEQUENCE, &reason));
        }
        encode(SEQUENCE, &entry)
    }

    fn number(number: u8) -> Vec<u8> {
        extension(&[0x55, 0x1d, 0x14], false, &encode(INTEGER, &[number]))
    }

    fn changes_of(base: u8) -> Vec<u8> {
        extension(&[0x55, 0x1d, 0x1b], true, &encode(INTEGER, &[base]))
    }

    fn scope(fields: &[u8]) -> Vec<u8> {
        extension(SCOPE, true, &encode(SEQUENCE, fields))
    }

    /// The name of a distribution point with one place.
    fn name(place: &str) -> Vec<u8> {
        encode(FIELD_0, &encode(FIELD_0, &encode(URI, place.as_bytes())))
    }

    fn newer(place: &str) -> Vec<u8> {
        let points = encode(SEQUENCE, &encode(SEQUENCE, &name(place)));
        extension(&[0x55, 0x1d, 0x2e], false, &points)
    }

    fn list(issuer: &[u8], key: &KeyPair, end: &str, entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
        let mut content = encode(INTEGER, &[1]);
        content.extend(encode(SEQUENCE, &encode(OID, ALGORITHM)));
        content.extend(x509::parts(issuer).unwrap().subject);
        content.extend(at("20260101000000Z"));
        if !end.is_empty() {
            content.extend(at(end));
        }
        if !entries.is_empty() {
            content.extend(encode(SEQUENCE, &entries.concat()));
        }
        if !extensions.is_empty() {
            content.extend(encode(FIELD_0, &encode(SEQUENCE, &extensions.concat())));
        }
        signed(&encode(SEQUENCE, &content), key, &[])
    }

    #[tokio::test]
    async fn what_a_list_says_is_believed_if_it_is_the_issuers_and_holds() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&[], &["crl"]);
        let place = format!("{}crl", server.base());
        let newest = format!("{}delta", server.base());
        let stranger = self::authority();
        let critical = extension(&[0x2a, 0x03, 0x09], true, &[]);
        let (since, before) = ("20260301000000Z", "20260201000000Z");
        let revoked = "signing certificate with subject \"CN=dev\" is revoked";
        let other = [entry(SERIAL + 1, since, None)];
        let mut odd_entry = [encode(INTEGER, &[SERIAL]), at(since)].concat();
        odd_entry.extend(encode(SEQUENCE, &critical));
        let odd_entry = encode(SEQUENCE, &odd_entry);
        type Row<'a> = (&'a str, &'a Root, &'a str, Vec<Vec<u8>>, Vec<Vec<u8>>, &'a str);
        let rows: Vec<Row<'_>> = vec![
            ("none", &authority, LATER, vec![], vec![], ""),
            ("others", &authority, LATER, other.to_vec(), vec![number(1)], ""),
            (
                "this",
                &authority,
                LATER,
                vec![entry(SERIAL, since, None)],
                vec![],
                revoked,
            ),
            (
                "with a reason",
                &authority,
                LATER,
                vec![entry(SERIAL, since, Some(1))],
                vec![],
                revoked,
            ),
            (
                "on hold",
                &authority,
                LATER,
                vec![entry(SERIAL, since, HOLD)],
                vec![],
                revoked,
            ),
            (
                "no longer on hold",
                &authority,
                LATER,
                vec![entry(SERIAL, before, HOLD), entry(SERIAL, since, REMOVED)],
                vec![],
                "",
            ),
            (
                "on hold again",
                &authority,
                LATER,
                vec![entry(SERIAL, since, HOLD), entry(SERIAL, before, REMOVED)],
                vec![],
                revoked,
            ),
            (
                "taken off hold and revoked",
                &authority,
                LATER,
                vec![entry(SERIAL, before, None), entry(SERIAL, since, REMOVED)],
                vec![],
                revoked,
            ),
            (
                "a stranger's",
                &stranger,
                LATER,
                vec![],
                vec![],
                "not signed by the certificate's issuer",
            ),
            (
                "an old one",
                &authority,
                "20260501000000Z",
                vec![],
                vec![],
                "has expired at 2026-05-01",
            ),
            (
                "without an end",
                &authority,
                "",
                vec![],
                vec![],
                "has no time that the next one comes at",
            ),
            (
                "something critical",
                &authority,
                LATER,
                vec![],
                vec![critical],
                "critical that is not known",
            ),
            (
                "an odd entry",
                &authority,
                LATER,
                vec![odd_entry],
                vec![],
                "entry says something critical",
            ),
            (
                "changes",
                &authority,
                LATER,
                vec![],
                vec![number(2), changes_of(1)],
                "is a list of changes",
            ),
            (
                "this place",
                &authority,
                LATER,
                vec![],
                vec![scope(&encode(FIELD_0, &name(&place)[2..]))],
                "",
            ),
            (
                "users",
                &authority,
                LATER,
                vec![],
                vec![scope(&[0x81, 0x01, 0xff])],
                "",
            ),
            (
                "authorities",
                &authority,
                LATER,
                vec![],
                vec![scope(&[0x82, 0x01, 0xff])],
                "not for certificates of this kind",
            ),
            (
                "some reasons",
                &authority,
                LATER,
                vec![],
                vec![scope(&[0x83, 0x02, 0x01, 0x06])],
                "of a kind that is not known",
            ),
            (
                "another place",
                &authority,
                LATER,
                vec![],
                vec![scope(&encode(FIELD_0, &name(&newest)[2..]))],
                "for another place",
            ),
        ];
        for (what, by, end, entries, extensions, expected) in rows {
            let list = list(&issuer, by.key(), end, &entries, &extensions);
            server.answer_bytes("GET /crl", 200, &[], &list);
            let judged = check(&chain, &[]).await;
            assert_judged(judged, expected, what);
            // nothing of it is believed once it is cut
            server.answer_bytes("GET /crl", 200, &[], &list[..list.len() - 1]);
            let error = check(&chain, &[]).await.unwrap_err();
            assert!(error.contains("the list cannot be read"), "{what}: {error}");
        }
        let base = |key| list(&issuer, key, LATER, &[], &[number(4), newer(&newest)]);
        server.answer_bytes("GET /crl", 200, &[], &base(authority.key()));
        let gone = [entry(SERIAL, since, None)];
        for (what, by, entries, extensions, expected) in [
            ("nothing new", &authority, &[][..], [number(5), changes_of(4)], ""),
            ("new", &authority, &gone[..], [number(5), changes_of(3)], revoked),
            (
                "old",
                &authority,
                &[],
                [number(4), changes_of(3)],
                "changes are to another list",
            ),
            (
                "skipped one",
                &authority,
                &[],
                [number(6), changes_of(5)],
                "changes are to another list",
            ),
            (
                "no changes",
                &authority,
                &[],
                [number(5), number(5)],
                "its changes are no list of changes",
            ),
            (
                "a stranger's",
                &stranger,
                &[],
                [number(5), changes_of(4)],
                "not signed by the certificate's issuer",
            ),
        ] {
            let changes = list(&issuer, by.key(), LATER, entries, &extensions);
            server.answer_bytes("GET /delta", 200, &[], &changes);
            let judged = check(&chain, &[]).await;
            assert_judged(judged, expected, what);
        }
        server.answer("GET /delta", 500, "");
        let error = check(&chain, &[]).await.unwrap_err();
        assert!(error.contains("/delta: unexpected status code 500"), "{error}");
    }

    #[tokio::test]
    async fn what_was_signed_before_the_key_went_bad_is_good() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&[], &["crl"]);
        let mut entry = [encode(INTEGER, &[SERIAL]), at("20260301000000Z")].concat();
        entry.extend(encode(SEQUENCE, &bad_since()));
        let list = list(&issuer, authority.key(), LATER, &[encode(SEQUENCE, &entry)], &[]);
        server.answer_bytes("GET /crl", 200, &[], &list);
        assert_eq!(check_signed_at("2026-01-31T00:00:00Z", &chain).await, Ok(()));
        let later = check_signed_at("2026-02-01T00:00:00Z", &chain).await;
        assert!(later.unwrap_err().ends_with("is revoked"));
        assert!(check(&chain, &[]).await.unwrap_err().ends_with("is revoked"));
    }

    #[tokio::test]
    async fn an_issuer_that_may_not_sign_lists_signs_none() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::of(root(&[KeyUsagePurpose::KeyCertSign]), &[], &["crl"]);
        let list = list(&issuer, authority.key(), LATER, &[], &[]);
        server.answer_bytes("GET /crl", 200, &[], &list);
        let error = check(&chain, &[]).await.unwrap_err();
        assert!(
            error.contains("not signed by the certificate's issuer"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn each_list_counts() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&[], &["a", "b"]);
        let empty = list(&issuer, authority.key(), LATER, &[], &[]);
        let entry = entry(SERIAL, "20260301000000Z", None);
        let full = list(&issuer, authority.key(), LATER, &[entry], &[]);
        server.answer_bytes("GET /a", 200, &[], &empty);
        let error = check(&chain, &[]).await.unwrap_err();
        assert!(error.contains("/b: unexpected status code 404"), "{error}");
        server.answer_bytes("GET /b", 200, &[], &full);
        assert!(check(&chain, &[]).await.unwrap_err().ends_with("is revoked"));
        server.answer_bytes("GET /b", 200, &[], &empty);
        assert_eq!(check(&chain, &[]).await, Ok(()));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), place in 0usize..400, byte: u8) {
            let authority = authority();
            let issuer = authority.der().to_vec();
            let leaf = certificate(&authority, &[], &["http://a/".to_owned()]);
            let times = Times { now: NOW.parse().unwrap(), signed_at: None };
            let _any = list::newer(&bytes);
            let _any = list::standing(&leaf, &issuer, "http://a/", &bytes, None, times);
            let extensions = [number(4), newer("http://b/"), scope(&encode(FIELD_0, &name("http://a/")[2..]))];
            let entries = [entry(SERIAL, "20260301000000Z", HOLD)];
            let mut list = list(&issuer, authority.key(), LATER, &entries, &extensions);
            let place = place % list.len();
            list[place] ^= byte;
            let _any = list::newer(&list);
            let judged = list::standing(&leaf, &issuer, "http://a/", &list, None, times);
            prop_assert!(judged != Ok(Standing::Good), "the certificate is on the list");
        }
    }
}

mod answers {
    use super::*;

    const GOOD: &[u8] = &[0x80, 0x00];
    const UNKNOWN: &[u8] = &[0x82, 0x00];

    fn revoked() -> Vec<u8> {
        encode(0xa1, &at("20260301000000Z"))
    }

    /// What is said of the certificate with this number.
    fn single(issuer: &[u8], serial: u8, status: &[u8], end: Option<&str>, extensions: &[u8]) -> Vec<u8> {
        let question = Question::new(&[serial], issuer).unwrap();
        // the question's id: the innermost of its sequences
        let request = question.request();
        let mut id = request.as_slice();
        for _ in 0..4 {
            id = only(id, SEQUENCE).unwrap();
        }
        let mut single = [id, status, &at("20260101000000Z")].concat();
        if let Some(end) = end {
            single.extend(encode(FIELD_0, &at(end)));
        }
        if !extensions.is_empty() {
            single.extend(encode(0xa1, &encode(SEQUENCE, extensions)));
        }
        encode(SEQUENCE, &single)
    }

    fn answer(singles: &[Vec<u8>], key: &KeyPair, certificates: &[Vec<u8>]) -> Vec<u8> {
        let responder = encode(0xa2, &encode(OCTETS, &[5; 20]));
        let content = [
            responder,
            at("20260101000000Z"),
            encode(SEQUENCE, &singles.concat()),
        ]
        .concat();
        let rest = match certificates {
            [] => Vec::new(),
            some => encode(FIELD_0, &encode(SEQUENCE, &some.concat())),
        };
        let basic = signed(&encode(SEQUENCE, &content), key, &rest);
        let name = encode(OID, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01]);
        let bytes = encode(SEQUENCE, &[name, encode(OCTETS, &basic)].concat());
        encode(
            SEQUENCE,
            &[encode(ENUMERATED, &[0]), encode(FIELD_0, &bytes)].concat(),
        )
    }

    /// Somebody to whom the issuer gave a certificate for purposes.
    fn delegate(root: &Root, purposes: &[u8], until: i32) -> (KeyPair, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let purpose = |last: &u8| encode(OID, &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, *last]);
        let purposes: Vec<u8> = purposes.iter().flat_map(purpose).collect();
        params.custom_extensions.push(CustomExtension::from_oid_content(
            &[2, 5, 29, 37],
            encode(SEQUENCE, &purposes),
        ));
        let certificate = params.signed_by(&key, root).unwrap().der().to_vec();
        (key, certificate)
    }

    #[tokio::test]
    async fn what_a_server_says_is_believed_if_the_issuer_stands_behind_it() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&["ocsp"], &[]);
        let stranger = self::authority();
        let (named, name) = delegate(&authority, &[9], 2030);
        let (other, other_name) = delegate(&authority, &[3], 2030);
        let (old, old_name) = delegate(&authority, &[9], 2022);
        let (foreign, foreign_name) = delegate(&stranger, &[9], 2030);
        let say = |status: &[u8]| single(&issuer, SERIAL, status, Some(LATER), &[]);
        let (good, gone) = (say(GOOD), say(&revoked()));
        let next = single(&issuer, SERIAL + 1, GOOD, Some(LATER), &[]);
        let endless = single(&issuer, SERIAL, GOOD, None, &[]);
        let ended = single(&issuer, SERIAL, GOOD, Some("20260501000000Z"), &[]);
        let odd = extension(&[0x2a, 0x03, 0x09], true, &[]);
        let odd = single(&issuer, SERIAL, GOOD, Some(LATER), &odd);
        let elses = single(&name, SERIAL, GOOD, Some(LATER), &[]);
        let key = authority.key();
        let is_revoked = "signing certificate with subject \"CN=dev\" is revoked";
        let unsigned = "the answer is not signed by the certificate's issuer";
        for (what, answer, expected) in [
            ("good", answer(&[good.clone()], key, &[]), ""),
            (
                "among others",
                answer(&[next.clone(), good.clone()], key, &[]),
                "",
            ),
            ("revoked", answer(&[gone], key, &[]), is_revoked),
            ("unknown", answer(&[say(UNKNOWN)], key, &[]), "does not know it"),
            (
                "another's",
                answer(&[next], key, &[]),
                "about another certificate",
            ),
            (
                "of another issuer",
                answer(&[elses], key, &[]),
                "about another certificate",
            ),
            (
                "by a delegate",
                answer(&[good.clone()], &named, &[other_name.clone(), name]),
                "",
            ),
            ("by none", answer(&[good.clone()], &named, &[]), unsigned),
            (
                "by another",
                answer(&[good.clone()], &other, &[other_name]),
                unsigned,
            ),
            (
                "by one of old",
                answer(&[good.clone()], &old, &[old_name]),
                unsigned,
            ),
            (
                "by a stranger's",
                answer(&[good.clone()], &foreign, &[foreign_name]),
                unsigned,
            ),
            (
                "by a stranger",
                answer(&[good], stranger.key(), &[stranger.der().to_vec()]),
                unsigned,
            ),
            (
                "without an end",
                answer(&[endless], key, &[]),
                "has no time that it ends at",
            ),
            (
                "an old one",
                answer(&[ended], key, &[]),
                "has expired at 2026-05-01",
            ),
            (
                "something critical",
                answer(&[odd], key, &[]),
                "critical that is not known",
            ),
            (
                "later",
                encode(SEQUENCE, &encode(ENUMERATED, &[3])),
                "wants to be asked later",
            ),
            (
                "not you",
                encode(SEQUENCE, &encode(ENUMERATED, &[6])),
                "nobody may ask it this",
            ),
            ("nothing", Vec::new(), "the answer cannot be read"),
            ("too much", vec![0; 30 << 10], "exceeds the limit of 20480 bytes"),
        ] {
            server.answer_bytes("POST /ocsp", 200, &[], &answer);
            let judged = check(&chain, &[]).await;
            assert_judged(judged, expected, what);
        }
        let asked = server.take_asked();
        let kinds = asked.iter().map(|asked| asked.headers["content-type"].as_str());
        assert!(kinds.into_iter().all(|kind| kind == "application/ocsp-request"));
    }

    #[tokio::test]
    async fn what_was_signed_before_the_key_went_bad_is_good() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&["ocsp"], &[]);
        let single = single(&issuer, SERIAL, &revoked(), Some(LATER), &bad_since());
        server.answer_bytes("POST /ocsp", 200, &[], &answer(&[single], authority.key(), &[]));
        assert_eq!(check_signed_at("2026-01-31T00:00:00Z", &chain).await, Ok(()));
        let later = check_signed_at("2026-02-01T00:00:00Z", &chain).await;
        assert!(later.unwrap_err().ends_with("is revoked"));
        assert!(check(&chain, &[]).await.unwrap_err().ends_with("is revoked"));
    }

    #[tokio::test]
    async fn where_no_server_knows_the_lists_do() {
        let Scene {
            server,
            authority,
            issuer,
            chain,
        } = Scene::new(&["a", "b"], &["c"]);
        let error = check(&chain, &[]).await.unwrap_err();
        for part in [
            "/a: unexpected status code 404",
            "/b: unexpected",
            "CRL http",
            "/c: unexpected",
            "log or skip",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let params = rcgen::CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&authority).unwrap();
        server.answer_bytes("GET /c", 200, &[], list.der());
        assert_eq!(check(&chain, &[]).await, Ok(()), "by the list");
        let single = single(&issuer, SERIAL, &revoked(), Some(LATER), &[]);
        server.answer_bytes("POST /b", 200, &[], &answer(&[single], authority.key(), &[]));
        let error = check(&chain, &[]).await.unwrap_err();
        assert!(error.ends_with("is revoked"), "by the second server: {error}");
    }
}

#[tokio::test]
async fn only_who_gave_a_certificate_is_believed() {
    let server = Canned::start();
    let place = format!("{}ocsp", server.base());
    let (authority, stranger) = (authority(), authority());
    let leaf = certificate(&authority, &[place], &[]);
    let chain = [leaf.clone(), stranger.der().to_vec()];
    let error = check(&chain, &[]).await.unwrap_err();
    assert!(
        error.contains("the certificate of its issuer is not there"),
        "{error}"
    );
    assert!(
        server.take_asked().is_empty(),
        "nobody was asked in a stranger's name"
    );
    let error = check(&chain[..1], &[authority.der().to_vec()]).await.unwrap_err();
    assert!(
        error.contains("unexpected status code 404"),
        "of the trust store: {error}"
    );
    assert_eq!(check(&[authority.der().to_vec()], &[]).await, Ok(()), "a root");
}

#[tokio::test]
async fn certificates_send_nobody_where_sources_may_not_go() {
    let authority = authority();
    for (place, expected) in [
        ("http://169.254.169.254/latest", "connection refused by policy"),
        ("https://localhost:1/crl", "protocol https is not supported"),
        ("ldap://localhost:1/crl", "protocol ldap is not supported"),
        ("nowhere", "relative URL without a base"),
    ] {
        for (servers, lists) in [(vec![place.to_owned()], vec![]), (vec![], vec![place.to_owned()])] {
            let chain = [
                certificate(&authority, &servers, &lists),
                authority.der().to_vec(),
            ];
            let guarded = revocation(Addresses::guarded(vec![], &[]).unwrap());
            let error = guarded.check(&self::chain(&chain, &[])).await.unwrap_err();
            assert!(error.contains(expected), "{place}: {error}");
        }
    }
}

/// What `openssl` says of its certificates is read.
#[tokio::test]
async fn answers_and_lists_of_openssl_are_read() {
    let server = Canned::start();
    let settings = format!(
        "[ ca ]\ndefault_ca = this\n[ this ]\ndatabase = index\nserial = serial\ncrlnumber = number\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\nprivate_key = root.key\ncertificate = root.pem\n[ any ]\ncommonName = supplied\n[ req ]\ndistinguished_name = name\n[ name ]\n[ authority ]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n[ both ]\nauthorityInfoAccess = OCSP;URI:{base}ocsp\ncrlDistributionPoints = URI:{base}crl\n[ list ]\ncrlDistributionPoints = URI:{base}crl\n[ clock ]\nextendedKeyUsage = OCSPSigning\n",
        base = server.base()
    );
    let Some(openssl) = Openssl::new("revocation by openssl", &settings) else {
        return;
    };
    for (name, text) in [("index", ""), ("serial", "1000"), ("number", "01")] {
        std::fs::write(openssl.path().join(name), text).unwrap();
    }
    let request = "req -config settings -nodes -newkey rsa:2048";
    openssl.run(&format!(
        "{request} -x509 -keyout root.key -out root.pem -subj /CN=root -days 30 -extensions authority"
    ));
    openssl.run("x509 -in root.pem -outform DER -out root.der");
    for (name, extensions) in [("a", "both"), ("b", "list"), ("ocsp", "clock")] {
        openssl.run(&format!(
            "{request} -new -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        openssl.run(&format!(
            "ca -config settings -batch -notext -in {name}.csr -out {name}.pem -days 20 -extensions {extensions}"
        ));
        openssl.run(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
    }
    let now = Revocation {
        now: Timestamp::now(),
        ..revocation(Addresses::any())
    };
    for (is_revoked, expected) in [(false, Ok(())), (true, Err(()))] {
        if is_revoked {
            openssl.run("ca -config settings -revoke a.pem");
            openssl.run("ca -config settings -revoke b.pem -crl_reason keyCompromise");
        }
        openssl.run("ca -config settings -gencrl -crldays 2 -out crl.pem");
        openssl.run("crl -in crl.pem -outform DER -out crl.der");
        server.answer_bytes("GET /crl", 200, &[], &openssl.read("crl.der"));
        let by_list = now
            .check(&chain(&[openssl.read("b.der"), openssl.read("root.der")], &[]))
            .await;
        assert_eq!(by_list.map_err(drop), expected);
        // our own question is what it answers
        let (leaf, root) = (openssl.read("a.der"), openssl.read("root.der"));
        let question = Question::new(x509::parts(&leaf).unwrap().serial, &root).unwrap();
        std::fs::write(openssl.path().join("question"), question.request()).unwrap();
        openssl.run(
            "ocsp -index index -CA root.pem -rsigner ocsp.pem -rkey ocsp.key -reqin question -respout answer -ndays 2",
        );
        server.answer_bytes("POST /ocsp", 200, &[], &openssl.read("answer"));
        server.answer("GET /crl", 404, "");
        let by_server = now.check(&chain(&[leaf, root], &[])).await;
        assert_eq!(by_server.map_err(drop), expected);
    }
}
