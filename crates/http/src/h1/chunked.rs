//! The chunked transfer coding, read to be dropped (RFC 9112, section 7.1).

use crate::h1::chunk_extension::Extension;
use crate::semantics::syntax::{is_field_text, is_tchar};

/// How many bytes of chunk extensions and trailer fields one body may have. Nobody sends them; they
/// must not be a way to keep a server reading.
const MAX_OVERHEAD: u32 = 4096;

/// Most digits of a chunk size: what a 64-bit number holds.
const MAX_DIGITS: u8 = 16;

/// What became of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// All of it belonged to the body, and more is to come.
    All,
    /// The body ended after so many bytes.
    Ended(usize),
    /// The framing is broken.
    Broken,
    /// The body is longer than the bound.
    TooLarge,
}

/// Where in a chunked body the input stands.
#[derive(Debug)]
pub(crate) struct Chunked {
    place: Place,
    /// Bytes of content that the bound still allows.
    allowed: u64,
    /// Size of the present chunk while it is read, then what is left of it.
    size: u64,
    digits: u8,
    overhead: u32,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Size,
    Extension(Extension),
    /// The LF of the line that holds a size.
    SizeEnd,
    Data,
    /// The CR after a chunk's data.
    DataCr,
    DataEnd,
    /// The begin of a line of the trailer section.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerEnd,
    /// The LF that ends the body.
    End,
}

impl Chunked {
    pub(crate) fn new(bound: u64) -> Chunked {
        Chunked {
            place: Place::Size,
            allowed: bound,
            size: 0,
            digits: 0,
            overhead: 0,
        }
    }

    pub(crate) fn drop_from(&mut self, input: &[u8]) -> Dropped {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if let Place::Data = self.place {
                let here = input.len() - at;
                let taken = usize::try_from(self.size).map_or(here, |size| size.min(here));
                at += taken;
                self.size -= taken as u64;
                if self.size == 0 {
                    self.place = Place::DataCr;
                }
                continue;
            }
            at += 1;
            match self.step(byte) {
                Ok(Some(place)) => self.place = place,
                Ok(None) => return Dropped::Ended(at),
                Err(dropped) => return dropped,
            }
        }
        Dropped::All
    }

    /// Where `byte`, which is not content, leads. `None`: the body has ended.
    fn step(&mut self, byte: u8) -> Result<Option<Place>, Dropped> {
        let next = match (self.place, byte) {
            (Place::Size, b'\r') if self.digits > 0 => Place::SizeEnd,
            (Place::Size, b';' | b' ' | b'\t') if self.digits > 0 => {
                self.extension(Extension::BeforeSemicolon, byte)?
            }
            (Place::Size, _) => self.digit(byte)?,
            (Place::Extension(place), b'\r') if place.is_whole() => Place::SizeEnd,
            (Place::Extension(place), _) => self.extension(place, byte)?,
            (Place::SizeEnd, b'\n') => self.size_known()?,
            (Place::DataCr, b'\r') => Place::DataEnd,
            (Place::DataEnd, b'\n') => Place::Size,
            (Place::Trailer, b'\r') => Place::End,
            (Place::Trailer | Place::TrailerName, _) if is_tchar(byte) => {
                self.overhead(Place::TrailerName)?
            }
            (Place::TrailerName, b':') => Place::TrailerValue,
            (Place::TrailerValue, b'\r') => Place::TrailerEnd,
            (Place::TrailerValue, _) if is_field_text(byte) => {
                self.overhead(Place::TrailerValue)?
            }
            (Place::TrailerEnd, b'\n') => Place::Trailer,
            (Place::End, b'\n') => return Ok(None),
            _ => return Err(Dropped::Broken),
        };
        Ok(Some(next))
    }

    fn extension(&mut self, place: Extension, byte: u8) -> Result<Place, Dropped> {
        let place = place.step(byte).ok_or(Dropped::Broken)?;
        self.overhead(Place::Extension(place))
    }

    fn digit(&mut self, byte: u8) -> Result<Place, Dropped> {
        let digit = char::from(byte).to_digit(16).ok_or(Dropped::Broken)?;
        if self.digits == MAX_DIGITS {
            return Err(Dropped::Broken);
        }
        self.digits += 1;
        self.size = self.size << 4 | u64::from(digit);
        Ok(Place::Size)
    }

    /// The line that holds a size is whole.
    fn size_known(&mut self) -> Result<Place, Dropped> {
        self.digits = 0;
        if self.size == 0 {
            return Ok(Place::Trailer);
        }
        self.allowed = self
            .allowed
            .checked_sub(self.size)
            .ok_or(Dropped::TooLarge)?;
        Ok(Place::Data)
    }

    fn overhead(&mut self, place: Place) -> Result<Place, Dropped> {
        self.overhead += 1;
        if self.overhead > MAX_OVERHEAD {
            return Err(Dropped::Broken);
        }
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(input: &[u8]) -> Dropped {
        Chunked::new(64).drop_from(input)
    }

    #[test]
    fn ends_where_the_body_ends() {
        for good in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "0005\r\nhello\r\n000\r\n\r\n",
            "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n",
            "5 ;a\r\nhello\r\n0\r\n\r\n",
            "5;a;b;c\r\nhello\r\n0;x=y\r\n\r\n",
            "5 \t; \ta \t= \tb \t; \tc\r\nhello\r\n0\r\n\r\n",
            "5;a=\"\"\r\nhello\r\n0\r\n\r\n",
            "5;a=\"b\" ;c\r\nhello\r\n0\r\n\r\n",
            "5;a=\";=\u{e9}\t[\\\"\\\\\\x\"\r\nhello\r\n0\r\n\r\n",
            "5;!#$%&'*+-.^_`|~=0\r\nhello\r\n0\r\n\r\n",
            "a\r\n0123456789\r\n0\r\nTrailer: x\r\nOther:\r\n\r\n",
        ] {
            let input = [good.as_bytes(), b"GET / HTTP/1.1"].concat();
            assert_eq!(whole(&input), Dropped::Ended(good.len()), "{good:?}");
            let mut bytewise = Chunked::new(64);
            for (index, byte) in good.bytes().enumerate() {
                let expected = if index + 1 == good.len() {
                    Dropped::Ended(1)
                } else {
                    Dropped::All
                };
                assert_eq!(bytewise.drop_from(&[byte]), expected, "{good:?} at {index}");
            }
        }
    }

    #[test]
    fn refuses_what_is_broken() {
        for bad in [
            "\r\n",
            ";a\r\n",
            "+5\r\n",
            "-1\r\n",
            "0x5\r\n",
            "5\nhello",
            "5 \r\nhello",
            "5 5\r\n",
            "5\r\nhello0",
            "5\r\nhello\n",
            "5\r\nhello\r0",
            "5;a\nhello",
            "5;\x01\r\n",
            "5;\r\n",
            "5; \r\n",
            "5;;a\r\n",
            "5;=b\r\n",
            "5;a=\r\n",
            "5;a= \r\n",
            "5;a=;b\r\n",
            "5;a==b\r\n",
            "5;a=b=c\r\n",
            "5;a \r\n",
            "5;a b\r\n",
            "5;a=b \r\n",
            "5;a=b c\r\n",
            "5;a=b\"c\"\r\n",
            "5;\"a\"\r\n",
            "5;a=\"b\r\n",
            "5;a=\"b\\\r\n",
            "5;a=\"b\x01\"\r\n",
            "5;a=\"b\\\0\"\r\n",
            "5;a=\"b\"c\r\n",
            "5;a=\"b\" \r\n",
            "5;a=\"b\"\"c\"\r\n",
            "5;[\r\n",
            "5;a[\r\n",
            "5;a=b]\r\n",
            "5;a,b\r\n",
            "5;a=(b)\r\n",
            "5;\u{e9}\r\n",
            "5;a=\u{e9}\r\n",
            "00000000000000005\r\n",
            "0\r\n X: y\r\n\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\n: y\r\n\r\n",
            "0\r\nX: \0\r\n\r\n",
            "0\r\n\rX",
        ] {
            assert_eq!(whole(bad.as_bytes()), Dropped::Broken, "{bad:?}");
        }
        let absurd = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(5000));
        assert_eq!(whole(absurd.as_bytes()), Dropped::Broken);
    }

    #[test]
    fn bounds_the_content() {
        let exactly = format!("40\r\n{}\r\n0\r\n\r\n", "x".repeat(64));
        assert_eq!(whole(exactly.as_bytes()), Dropped::Ended(exactly.len()));
        assert_eq!(whole(b"41\r\n"), Dropped::TooLarge);
        assert_eq!(whole(b"40\r\n"), Dropped::All);
        assert_eq!(whole(b"ffffffffffffffff\r\n"), Dropped::TooLarge);
        let in_two = format!("40\r\n{}\r\n1\r\n", "x".repeat(64));
        assert_eq!(whole(in_two.as_bytes()), Dropped::TooLarge);
    }
}
