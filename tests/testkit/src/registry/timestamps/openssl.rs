//! The authority that `openssl ts` is, with a certificate between the root's and the signer's.

use std::fs;

use crate::registry::openssl::Openssl;

/// Keys of signers, as `openssl req` takes them.
pub const OPENSSL_KEYS: [&str; 3] = [
    "rsa -pkeyopt rsa_keygen_bits:2048",
    "ec -pkeyopt ec_paramgen_curve:P-256",
    "ec -pkeyopt ec_paramgen_curve:P-384",
];

/// An authority whose answers another program makes: a second and a half and a hundred millionths exact.
pub struct OpensslAuthority(Openssl);

impl OpensslAuthority {
    /// A new one whose signer has a key of this kind. None, after a loud line, where there is no openssl: the caller returns.
    pub fn new(key: &str) -> Option<OpensslAuthority> {
        let openssl = Openssl::new("timestamps of openssl", SETTINGS)?;
        let request = "req -config settings -nodes -newkey";
        let give = "x509 -req -extfile settings";
        for command in [
            format!(
                "{request} rsa:2048 -x509 -keyout root.key -out root.pem -subj /CN=root -days 30 -extensions authority"
            ),
            format!("{request} rsa:2048 -new -keyout between.key -out between.csr -subj /CN=between"),
            format!(
                "{give} -in between.csr -CA root.pem -CAkey root.key -set_serial 4 -days 25 -extensions authority -out between.pem"
            ),
            "x509 -in root.pem -outform DER -out root.der".to_owned(),
            "x509 -in between.pem -outform DER -out between.der".to_owned(),
            format!("{request} {key} -new -keyout clock.key -out clock.csr -subj /CN=clock"),
            format!(
                "{give} -in clock.csr -CA between.pem -CAkey between.key -set_serial 5 -days 20 -extensions signer -out clock.pem"
            ),
        ] {
            openssl.run(&command);
        }
        Some(OpensslAuthority(openssl))
    }

    /// The root's certificate.
    pub fn root(&self) -> Vec<u8> {
        self.0.read("root.der")
    }

    /// The certificate that the signer's was given by.
    pub fn between(&self) -> Vec<u8> {
        self.0.read("between.der")
    }

    /// An answer that `message` was there now, by `sha256`, `sha384` or `sha512`. With `is_whole` it brings along what is
    /// between and names it, else it names its signer's certificate alone, and that by SHA-1.
    pub fn stamp(&self, message: &[u8], hash: &str, is_whole: bool) -> Vec<u8> {
        fs::write(self.0.path().join("message"), message).expect("a file");
        self.0
            .run(&format!("ts -query -data message -{hash} -cert -out query"));
        let settings = if is_whole {
            "-section new -chain between.pem"
        } else {
            "-section old"
        };
        self.0.run(&format!(
            "ts -reply -queryfile query -inkey clock.key -signer clock.pem -{hash} -config settings {settings} -out stamp"
        ));
        self.0.read("stamp")
    }
}

const SETTINGS: &str = "
[ old ]
serial = serial
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ess_cert_id_alg = sha1
[ new ]
serial = serial
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ess_cert_id_alg = sha384
ess_cert_id_chain = yes
[ req ]
distinguished_name = name
[ name ]
[ authority ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[ signer ]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
";
