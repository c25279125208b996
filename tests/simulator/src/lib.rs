//! A simulated CVM, PCCS and their PKI on loopback.
