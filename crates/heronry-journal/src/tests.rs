mod baseline;
mod chain;
mod chunk;
mod damage;
mod golden;
mod newer;
mod round_trip;
