//! The line between the boxes and the cloud.

#[derive(Debug)]
pub struct Parcel;
