//! A stand-in for the provider's Orders API: a model without I/O, a script of faults, a server.
