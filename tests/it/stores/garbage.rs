//! Garbage for every decoder: random, and valid input that was spoilt.
//!
//! | what is read | where |
//! |---|---|
//! | ids, cursors, epochs, references, digests, fingerprints, claims, traces, words, times | `texts` |
//! | filter text | `texts`; the properties of `heronry-event` |
//! | references, addresses, configuration, receipts, events, bodies of records as JSON | `values` |
//! | bodies of requests and answers | `values`; sent to a server in `requests` |
//! | paths, queries, headers and tokens | `requests` |
//! | chunks and records | `chunks`; the damage tests of `heronry-journal` |
//! | lines of an export | `exports` |
//! | files of a store, with its format record and its mark | `files` |
//! | arguments, cursor files, the manifest | `commands`, in the test program of that name |

mod chunks;
mod exports;
mod files;
mod requests;
mod texts;
mod values;
