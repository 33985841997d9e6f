//! Randomness as an argument: the operating system's in the program, seeded in tests.

/// A source of random bytes fit for secrets.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}
