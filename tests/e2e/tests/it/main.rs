//! One test per promise of the README. Everything here is a real program; only the people are puppets.

mod alone;
mod browser;
mod codecs;
mod company;
mod company_on_a_call;
mod desk_page;
mod emergency;
mod equal;
mod examples;
mod firmware;
mod flows;
mod forward;
mod fraud;
mod gateways;
mod helpless;
mod hostile;
mod interop;
mod lab;
mod locality;
mod next_life;
mod nightly;
mod overflow;
mod phones;
mod protected;
mod walled;
mod witness;
