//! What is promised under load, in the small: a whole box, real sockets.

mod overload;
