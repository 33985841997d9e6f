//! What may be wrong with a query, in the words that Graph uses for it.

/// A query that the service does not understand or does not support.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The text of `$filter` or `$orderby` is no expression.
    #[error("Invalid filter clause: {0}")]
    Syntax(String),
    /// The two sides of a comparison have different types.
    #[error(
        "Invalid filter clause: A binary operator with incompatible types was detected. Found operand types '{property}' and '{literal}' for operator kind '{operator}'."
    )]
    Types {
        /// Type of the property.
        property: &'static str,
        /// Type of the literal.
        literal: &'static str,
        /// The operator.
        operator: &'static str,
    },
    /// No object has such a property.
    #[error("Invalid filter clause: Could not find a property named '{0}'.")]
    NoProperty(String),
    /// The property exists but the service does not filter by it, or not by this operator.
    #[error("Unsupported or invalid query filter clause specified for property '{0}'.")]
    Unsupported(String),
    /// The service does not sort by this property.
    #[error("Unsupported sort property '{0}'.")]
    Unsortable(String),
    /// An advanced query without `ConsistencyLevel: eventual` and `$count=true`.
    #[error("Unsupported Query.")]
    Advanced,
    /// A query option that the resource does not take.
    #[error("The query parameter '{0}' is not supported.")]
    Option(String),
    /// `$top` out of bounds.
    #[error("Invalid page size specified: '{given}'. Must be between 1 and {maximum} inclusive.")]
    PageSize {
        /// What was asked.
        given: String,
        /// The most that is given.
        maximum: usize,
    },
    /// A value that the option cannot have.
    #[error("Invalid value '{value}' for {option} query option found.")]
    Value {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// A `$skiptoken` that this service never gave out.
    #[error("Skip token is not valid.")]
    SkipToken,
    /// `$select` of a property that the type has not.
    #[error("Parsing OData Select and Expand failed: Could not find a property named '{0}'.")]
    Select(String),
}
