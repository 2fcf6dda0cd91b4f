mod verdict;
mod watch;
