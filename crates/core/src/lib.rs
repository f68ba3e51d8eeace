//! The life of an order, pure: state, input and time in; events, effects and the next wake-up out.
