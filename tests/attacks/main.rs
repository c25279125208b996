//! One test for each threat of the threat list (`T1` to `T61`), named after it: what a hostile operator tries, and by
//! which check and for which reason it is refused. Every module starts from a healthy CVM that passes.

mod accepted;
mod alerts;
mod attributes;
mod before_sending;
mod bit_flips;
mod blame;
mod boot_order;
mod compose_configs;
mod compose_copies;
mod compose_execution;
mod compose_images;
mod compose_places;
mod compose_reading;
mod compose_release;
mod dates;
mod dcap_samples;
mod event_log;
mod expected_values;
mod freshness;
mod governance;
mod gpu;
mod hardware;
mod info_log;
mod judge;
mod kms;
mod launch_inputs;
mod lies;
mod locked_release;
mod measurement_document;
mod mr_config_id;
mod os_and_app;
mod os_image_files;
mod os_image_lock;
mod parsing;
mod parts;
mod pitfalls;
mod platform;
mod properties;
mod second_opinion;
mod shown_values;
mod tcb;
mod tls_binding;
mod tls_ingress;
mod transport;
mod versioned;

// What needs the whole program runs it as its own tests do.
#[path = "../program/deployment.rs"]
mod deployment;
#[path = "../program/run.rs"]
mod run;
