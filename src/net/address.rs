//! Which IP addresses lie in the public internet, and which only the runner can reach (SSRF, T47).
//!
//! Ranges are those of the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates).
//! IPv6 forms that carry an IPv4 address are judged by that address, because a translator would connect to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

cvm_verify_core::word_enum! {
    /// Why an address is not a public one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AddressScope {
        /// A cloud's instance metadata or credentials service. Refused always.
        Metadata = "a cloud metadata service",
        /// 127.0.0.0/8 and ::1.
        Loopback = "the loopback interface",
        /// RFC 1918, and the deprecated IPv6 site-local fec0::/10.
        Private = "a private network",
        /// 169.254.0.0/16 and fe80::/10.
        LinkLocal = "the local link",
        /// 100.64.0.0/10, the carriers' shared space (RFC 6598).
        CarrierNat = "a carrier's shared network",
        /// fc00::/7 (RFC 4193).
        UniqueLocal = "a unique-local network",
        /// 198.18.0.0/15 and 2001:2::/48 (RFC 2544, RFC 5180); some VPN clients hand these out.
        Benchmarking = "a benchmarking network",
        /// 224.0.0.0/4 and ff00::/8.
        Multicast = "a multicast group",
        /// 0.0.0.0/8 and ::. Many systems connect these to themselves.
        Unspecified = "the unspecified address",
        /// 255.255.255.255.
        Broadcast = "the broadcast address",
        /// The documentation ranges (RFC 5737, RFC 3849, RFC 9637).
        Documentation = "a documentation range",
        /// Not assigned for use as a host's address on the internet.
        Reserved = "a reserved range",
    }
}

impl AddressScope {
    /// Whether `--allow-private-network` permits it. Metadata services and addresses that name no host stay refused.
    pub fn is_permitted_with_private_network(self) -> bool {
        matches!(
            self,
            Self::Loopback
                | Self::Private
                | Self::LinkLocal
                | Self::CarrierNat
                | Self::UniqueLocal
                | Self::Benchmarking
        )
    }

    /// The end of a message about an address that is refused.
    pub(crate) fn private_network_hint(self) -> &'static str {
        if self.is_permitted_with_private_network() {
            "; if this is your own network, allow it with --allow-private-network"
        } else {
            ""
        }
    }
}

/// The scope of `address`, or `None` for a public one.
pub fn scope(address: IpAddr) -> Option<AddressScope> {
    match address {
        IpAddr::V4(v4) => scope_v4(v4),
        IpAddr::V6(v6) => scope_v6(v6),
    }
}

/// `Err` with the reason when `address` must not be connected to.
pub fn permit(address: IpAddr, allow_private_network: bool) -> Result<(), AddressScope> {
    match scope(address) {
        None => Ok(()),
        Some(scope) if allow_private_network && scope.is_permitted_with_private_network() => Ok(()),
        Some(scope) => Err(scope),
    }
}

/// Metadata and credential services with an address of their own, from the clouds' documentation: the common
/// 169.254.169.254; AWS ECS task roles and EKS pod identity; Alibaba; Azure's wire server; Oracle.
const METADATA_V4: [[u8; 4]; 6] = [
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [169, 254, 170, 23],
    [100, 100, 100, 200],
    [168, 63, 129, 16],
    [192, 0, 0, 192],
];

/// AWS (fd00:ec2::254, and ::23 for EKS pod identity) and Google Cloud (fd20:ce::254).
const METADATA_V6: [[u16; 8]; 3] = [
    [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
    [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23],
    [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254],
];

fn scope_v4(address: Ipv4Addr) -> Option<AddressScope> {
    let octets = address.octets();
    if METADATA_V4.contains(&octets) {
        return Some(AddressScope::Metadata);
    }
    Some(match octets {
        [0, ..] => AddressScope::Unspecified,
        [127, ..] => AddressScope::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressScope::Private,
        [169, 254, ..] => AddressScope::LinkLocal,
        [100, 64..=127, ..] => AddressScope::CarrierNat,
        [198, 18..=19, ..] => AddressScope::Benchmarking,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressScope::Documentation,
        // IETF protocol assignments; the retired 6to4 relay.
        [192, 0, 0, _] | [192, 88, 99, _] => AddressScope::Reserved,
        [224..=239, ..] => AddressScope::Multicast,
        [255, 255, 255, 255] => AddressScope::Broadcast,
        [240..=255, ..] => AddressScope::Reserved,
        _ => return None,
    })
}

fn scope_v6(address: Ipv6Addr) -> Option<AddressScope> {
    let segments = address.segments();
    if METADATA_V6.contains(&segments) {
        return Some(AddressScope::Metadata);
    }
    if address.is_unspecified() {
        return Some(AddressScope::Unspecified);
    }
    if address.is_loopback() {
        return Some(AddressScope::Loopback);
    }
    match segments {
        // IPv4-mapped, and the well-known prefix of NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, hi, lo] | [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] => {
            return scope_v4(embedded(hi, lo));
        }
        // 6to4 (RFC 3056) carries the router's IPv4 address after 2002.
        [0x2002, hi, lo, ..] => return scope_v4(embedded(hi, lo)),
        // IPv4-compatible (long deprecated) and IPv4-translated (RFC 2765): never public.
        [0, 0, 0, 0, 0, 0, hi, lo] | [0, 0, 0, 0, 0xffff, 0, hi, lo] => {
            return Some(scope_v4(embedded(hi, lo)).unwrap_or(AddressScope::Reserved));
        }
        // ISATAP (RFC 5214): an IPv4 address in the interface identifier, under any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, hi, lo] => {
            if let Some(scope) = scope_v4(embedded(hi, lo)) {
                return Some(scope);
            }
        }
        _ => {}
    }
    let [first, second, third, ..] = segments;
    Some(match (first, second) {
        (0xfc00..=0xfdff, _) => AddressScope::UniqueLocal,
        (0xfe80..=0xfebf, _) => AddressScope::LinkLocal,
        (0xfec0..=0xfeff, _) => AddressScope::Private,
        (0xff00..=0xffff, _) => AddressScope::Multicast,
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => AddressScope::Documentation,
        (0x2001, 2) if third == 0 => AddressScope::Benchmarking,
        // IETF protocol assignments 2001::/23, Teredo and its hidden IPv4 addresses among them.
        (0x2001, 0..=0x1ff) => AddressScope::Reserved,
        // Only 2000::/3 is global unicast.
        (0x2000..=0x3fff, _) => return None,
        _ => AddressScope::Reserved,
    })
}

fn embedded(hi: u16, lo: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Option<AddressScope> {
        scope(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_have_no_scope() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert_eq!(of(public), None, "{public}");
        }
    }

    #[test]
    fn each_special_range_is_recognised() {
        use AddressScope::*;
        for (address, expected) in [
            ("169.254.169.254", Metadata),
            ("fd00:ec2::254", Metadata),
            ("100.100.100.200", Metadata),
            ("127.0.0.1", Loopback),
            ("127.255.255.255", Loopback),
            ("::1", Loopback),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("fec0::1", Private),
            ("169.254.0.1", LinkLocal),
            ("fe80::1", LinkLocal),
            ("100.64.0.1", CarrierNat),
            ("fc00::1", UniqueLocal),
            ("fdff::1", UniqueLocal),
            ("198.18.0.1", Benchmarking),
            ("2001:2::1", Benchmarking),
            ("224.0.0.1", Multicast),
            ("ff02::1", Multicast),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("::", Unspecified),
            ("255.255.255.255", Broadcast),
            ("192.0.2.1", Documentation),
            ("2001:db8::1", Documentation),
            ("3fff::1", Documentation),
            ("240.0.0.1", Reserved),
            ("2001::1", Reserved),
            ("64:ff9b:1::a00:1", Reserved),
            ("4000::1", Reserved),
        ] {
            assert_eq!(of(address), Some(expected), "{address}");
        }
    }

    #[test]
    fn with_the_private_network_allowed_metadata_stays_refused() {
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"] {
            assert_eq!(
                permit(address.parse().unwrap(), true),
                Err(AddressScope::Metadata)
            );
        }
        assert_eq!(permit("127.0.0.1".parse().unwrap(), true), Ok(()));
        assert_eq!(permit("10.0.0.1".parse().unwrap(), true), Ok(()));
        assert_eq!(
            permit("10.0.0.1".parse().unwrap(), false),
            Err(AddressScope::Private)
        );
        assert_eq!(
            permit("0.0.0.0".parse().unwrap(), true),
            Err(AddressScope::Unspecified)
        );
    }

    proptest! {
        #[test]
        fn wrapping_a_refused_ipv4_address_in_ipv6_never_makes_it_public(bits: u32, public_prefix in 0x2a00_u16..0x2c00) {
            let inner = Ipv4Addr::from(bits);
            let (hi, lo) = ((bits >> 16) as u16, bits as u16);
            let Some(expected) = scope_v4(inner) else { return Ok(()) };
            for outer in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, hi, lo),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, hi, lo),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, hi, lo),
                Ipv6Addr::new(0x2002, hi, lo, 0, 0, 0, 0, 1),
                Ipv6Addr::new(public_prefix, 1, 2, 3, 0, 0x5efe, hi, lo),
            ] {
                prop_assert_eq!(scope(outer.into()), Some(expected), "{}", outer);
            }
            // ::0 and ::1 have meanings of their own.
            prop_assert!(scope(Ipv6Addr::new(0, 0, 0, 0, 0, 0, hi, lo).into()).is_some());
        }
    }
}
