//! Carries every order from a locked rate to its end: the engine to embed in a service.
