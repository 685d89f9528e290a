//! Messages as bytes, for a line that carries only those.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The message as bytes.
///
/// # Errors
/// None for the messages of this module; the format's own error type is kept for what others
/// send through here.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(message)
}

/// The inverse of [`encode`].
///
/// # Errors
/// When the bytes are not the encoding of a `T`, in full.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, postcard::Error> {
    match postcard::take_from_bytes(bytes)? {
        (message, []) => Ok(message),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}
