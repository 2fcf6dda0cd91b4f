//! Days that are lived twice, days that go wrong, and days whose rules are broken on purpose.

mod days;
mod faults;
mod ladders;
