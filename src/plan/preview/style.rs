//! How the text preview is to look: width, colour, detail, and the file that the plan lies in.

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colour {
    /// They are.
    On,
    /// They are not.
    #[default]
    Off,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Detail {
    /// What an approver needs; ids within paths are shortened.
    #[default]
    Usual,
    /// Besides, each request whole with its body, each undo, and each indicator with its own reasons.
    Full,
}

/// How the text preview is to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Widest line, in columns. Less than [`Style::NARROWEST`] is taken as that.
    pub width: usize,
    /// Whether colours are used.
    pub colour: Colour,
    /// How much is shown.
    pub detail: Detail,
    /// The file that the plan lies in, for the command to go on with; without one no command is named.
    pub file: Option<String>,
    /// Whether somebody has to sign an approval first.
    pub needs_approval: bool,
}

impl Style {
    /// The narrowest width that is kept to.
    pub const NARROWEST: usize = 40;
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 80, colour: Colour::Off, detail: Detail::Usual, file: None, needs_approval: false }
    }
}
