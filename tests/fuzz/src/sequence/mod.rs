//! A whole conversation with the endpoint: an input is a script of messages, answers, commands of the box, lost
//! connections and passing time. Whatever the order, every message of ours is one that we would let in, every dialog
//! ends exactly once and is silent behind it, no timer spins, and nothing is left when all is over.

mod script;
mod text;
mod world;

use script::Script;
use world::World;

const DOMAIN: &str = "b";
const USER: &str = "100";
const PASSWORD: &str = "secret";

/// Steps of one script; what follows is not read.
const STEPS_MAX: usize = 40;

pub fn run(data: &[u8]) {
    let mut world = World::new();
    let mut script = Script::new(data);
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        match script.pick(12) {
            0..=3 => world.ask(&mut script),
            4 | 5 => world.answer(&mut script),
            6 => world.command(&mut script),
            7 => world.dial(&mut script),
            8 => world.pass(&mut script),
            9 => world.repeat(&mut script),
            10 => world.say(&mut script),
            _ => world.disturb(&mut script),
        }
    }
    world.finish();
}
