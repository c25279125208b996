//! A value that nothing vouches for yet.

use std::fmt;
use std::ops::Deref;

/// A value that a CVM sent and that nothing vouches for yet.
///
/// It has no accessor: only a holder of a capability ([`OpensUnproven`]) can open it. The provers hold one;
/// the checks do not, so a check cannot read an unproven value by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Unproven<T>(T);

impl<T> Unproven<T> {
    /// Wraps a value as it was received.
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// Compares it with another that nothing vouches for either: tells whether they agree, and nothing of what they say.
    pub(super) fn same_by<U: ?Sized>(&self, other: &Self, same: fn(&U, &U) -> bool) -> bool
    where
        T: Deref<Target = U>,
    {
        same(&self.0, &other.0)
    }

    /// The value, for someone who will prove it or who gives no verdict.
    #[must_use]
    pub const fn open<C: OpensUnproven>(&self, _capability: &C) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Unproven<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unproven(..)")
    }
}

/// A capability to open [`Unproven`] values. Its holders are types that only the module that needs them can make: the
/// provers' in this crate, and that of the program's `inspect`, which shows evidence and gives no verdict. A type that
/// implements it elsewhere takes the CVM's word for a fact.
pub trait OpensUnproven {}
