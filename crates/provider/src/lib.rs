//! The provider port: what the engine asks of a provider, and how its calls can fail.
