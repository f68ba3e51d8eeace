#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orderkeep_fuzz::answers(bytes));
