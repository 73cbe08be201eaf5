//! The sled store where it meets files: creation, opening, damage, crashes, power cuts.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod image;
#[cfg(test)]
mod looking;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod power;
#[cfg(test)]
mod suite;
