//! `OData` query options over JSON: `$filter`, `$orderby`, `$select`, paging.

mod error;
mod evaluate;
mod lexer;
mod order;
mod page;
mod parser;
#[cfg(test)]
mod tests;

pub use error::QueryError;
pub use evaluate::{Filter, parse_time};
pub use page::{Rules, collection, collection_of, entity, moved_link, select};
