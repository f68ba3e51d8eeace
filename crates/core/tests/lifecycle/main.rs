//! The lifecycle's proof: stories, the whole table, properties, every short history, and twins that must fail.
//!
//! Nothing here reads a clock or waits; expected values are literal data or come from models that never call `step`.

#[cfg(test)]
mod edges;
#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod expected_table;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod must_fail;
#[cfg(test)]
mod payment;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod report;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod table;
#[cfg(test)]
mod terms;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod words;
