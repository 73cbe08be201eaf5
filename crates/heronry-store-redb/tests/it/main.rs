//! The redb store where it meets a file: creation, opening, damage, crashes.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod looking;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod suite;
