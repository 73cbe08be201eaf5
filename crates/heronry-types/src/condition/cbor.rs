//! A condition as CBOR: `[0, text]`, `[1, [condition, …]]`, `[2, [condition, …]]` or
//! `[3, n, text, distinct_by]`.

use minicbor::{
    Decode, Decoder, Encode, Encoder, decode::Error as DecodeError, encode::Error as EncodeError,
    encode::Write,
};

use super::{Condition, Count};

impl<C> Encode<C> for Condition {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match self {
            Self::Filter(filter) => encoder.array(2)?.u8(0)?.str(filter)?.ok(),
            Self::AnyOf(parts) => {
                encoder.array(2)?.u8(1)?;
                parts.encode(encoder, context)
            }
            Self::AllOf(parts) => {
                encoder.array(2)?.u8(2)?;
                parts.encode(encoder, context)
            }
            Self::Count(count) => {
                encoder.array(4)?.u8(3)?.u32(count.n)?.str(&count.filter)?;
                count.distinct_by.encode(encoder, context)
            }
        }
    }
}

impl<'b, C> Decode<'b, C> for Condition {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        read(decoder, context, Self::DEPTH_MAX)
    }
}

fn read<C>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
    depth_left: usize,
) -> Result<Condition, DecodeError> {
    let Some(left) = depth_left.checked_sub(1) else {
        return Err(DecodeError::message(
            "conditions stand in each other too deep",
        ));
    };
    let length = decoder.array()?;
    match (decoder.u8()?, length) {
        (0, Some(2)) => Ok(Condition::Filter(decoder.str()?.to_owned())),
        (1, Some(2)) => Ok(Condition::AnyOf(read_all(decoder, context, left)?)),
        (2, Some(2)) => Ok(Condition::AllOf(read_all(decoder, context, left)?)),
        (3, Some(4)) => Ok(Condition::Count(Count {
            n: decoder.u32()?,
            filter: decoder.str()?.to_owned(),
            distinct_by: Decode::decode(decoder, context)?,
        })),
        _ => Err(DecodeError::message("not a condition")),
    }
}

fn read_all<C>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
    depth_left: usize,
) -> Result<Vec<Condition>, DecodeError> {
    let Some(length) = decoder.array()? else {
        return Err(DecodeError::message("a list of conditions has a length"));
    };
    (0..length)
        .map(|_| read(decoder, context, depth_left))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DistinctBy;

    #[test]
    fn a_condition_is_read_back_and_a_deeper_one_is_not() {
        let count = Condition::Count(Count {
            n: 3,
            filter: "terminal".to_owned(),
            distinct_by: DistinctBy::Message,
        });
        let any = Condition::AnyOf(vec![Condition::Filter("true".to_owned()), count]);
        let mut condition = Condition::AllOf(vec![any]);
        for _ in 3..Condition::DEPTH_MAX {
            condition = Condition::AllOf(vec![condition]);
        }
        let bytes = minicbor::to_vec(&condition).unwrap();
        assert_eq!(minicbor::decode::<Condition>(&bytes).unwrap(), condition);
        let deeper = minicbor::to_vec(Condition::AllOf(vec![condition])).unwrap();
        assert!(minicbor::decode::<Condition>(&deeper).is_err());
    }
}
