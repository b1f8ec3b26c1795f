//! What the server shows its clients: a certificate of its own making for development, a given one otherwise.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// The name that clients of a development certificate ask for.
const DEVELOPMENT_NAME: &str = "localhost";

/// A certificate chain with its key, as PEM.
#[derive(Clone)]
pub struct Certificate {
    chain: String,
    key: String,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// None could be made.
    #[error("no development certificate could be made: {0}")]
    Made(#[from] rcgen::Error),
    /// What was given is none.
    #[error("the certificate or its key is no PEM that can be read: {0}; give a chain and a PKCS#8 key")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// They do not fit.
    #[error("the certificate cannot be used: {0}")]
    Unfit(#[from] rustls::Error),
    /// A file.
    #[error("{path}: {source}; is the folder there, and may it be written?")]
    File {
        /// Which.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// One of its own, for `localhost`, 127.0.0.1 and ::1.
    ///
    /// # Errors
    /// [`CertificateError::Made`].
    pub fn development() -> Result<Self, CertificateError> {
        let names = [DEVELOPMENT_NAME, "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names)?;
        Ok(Self {
            chain: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        })
    }

    /// The one in these files; made on the first start where neither is there.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn load_or_make(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        if !chain.exists() && !key.exists() {
            let made = Self::development()?;
            write(key, &made.key)?;
            write(chain, &made.chain)?;
            return Ok(made);
        }
        Ok(Self {
            chain: read(chain)?,
            key: read(key)?,
        })
    }

    /// What clients need to know the server by.
    #[must_use]
    pub fn chain_pem(&self) -> &str {
        &self.chain
    }

    pub(crate) fn server_config(&self) -> Result<rustls::ServerConfig, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![crate::frames::PROTOCOL.to_vec()];
        Ok(config)
    }
}

pub(crate) fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    std::sync::Arc::new(rustls::crypto::ring::default_provider())
}

fn read(path: &Path) -> Result<String, CertificateError> {
    std::fs::read_to_string(path).map_err(|source| file(path, source))
}

/// The key is for its owner alone.
fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(path).map_err(|source| file(path, source))?;
    opened.write_all(text.as_bytes()).map_err(|source| file(path, source))
}

fn file(path: &Path, source: std::io::Error) -> CertificateError {
    CertificateError::File {
        path: path.display().to_string(),
        source,
    }
}
