//! TLS, built for this client alone: nothing is installed for the process.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::Verifier;

/// The platform's roots. Where there are none, nobody is trusted, and receivers on this machine can be reached all the
/// same.
pub(super) fn config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(match Verifier::new(provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no certificate authorities are found: webhooks to https addresses will fail; install ca-certificates");
            builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
    })
}
