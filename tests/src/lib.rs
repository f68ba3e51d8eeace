//! Helpers of the tests that run the built binary.
