//! An error on one line, with what lies behind it.

use std::error::Error;

/// Tells an error with its causes: `the store could not be opened: no such file`.
pub fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        // A transparent error repeats its source's text.
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = source.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("the file cannot be read")]
        Unreadable(#[source] std::io::Error),
        #[error(transparent)]
        Same(#[from] std::io::Error),
    }

    #[test]
    fn each_cause_is_told_once() {
        let cause = || std::io::Error::other("the disk is gone");
        assert_eq!(with_causes(&Outer::Unreadable(cause())), "the file cannot be read: the disk is gone");
        assert_eq!(with_causes(&Outer::Same(cause())), "the disk is gone");
    }
}
